#include "host/parked_messages.h"

#include <algorithm>

namespace godwit::host {
namespace {

size_t bytes_of(const Delivery& delivery) {
  size_t bytes = delivery.action.size() + delivery.body.size();
  for (const wire::Header& header : delivery.headers) bytes += header.name.size() + header.value.size();
  if (const SessionView* session = delivery.session) {
    bytes += session->client_id.size() + session->uid.size() + session->address.size();
  }
  return bytes;
}

/// Appends to a buffer that was reserved, so that what was kept before stays where it is.
class Keeper {
 public:
  explicit Keeper(std::vector<uint8_t>& bytes) : bytes_(bytes) {}
  std::string_view text(std::string_view text) { return as_text(keep(as_bytes(text))); }
  Bytes keep(Bytes part) {
    const size_t at = bytes_.size();
    bytes_.insert(bytes_.end(), part.begin(), part.end());
    return Bytes(bytes_).subspan(at);
  }

 private:
  std::vector<uint8_t>& bytes_;
};

}  // namespace

ParkedMessages::ParkedMessages(const Clock& clock, TimerHeap& timers, std::function<void(double)> on_overdue)
    : clock_(clock),
      timers_(timers),
      on_overdue_(std::move(on_overdue)),
      timer_([this](Timestamp now) { on_timer(now); }) {}

std::unique_ptr<ParkedMessages::Message> ParkedMessages::copy(const gw_record& record, const Delivery& delivery) {
  auto message = std::make_unique<Message>();
  message->bytes.reserve(bytes_of(delivery));
  Keeper keeper(message->bytes);
  Delivery& kept = message->delivery;
  kept = delivery;
  kept.action = keeper.text(delivery.action);
  kept.body = keeper.keep(delivery.body);
  for (const wire::Header& header : delivery.headers) {
    message->headers.push_back({keeper.text(header.name), keeper.text(header.value)});
  }
  kept.headers = message->headers;
  if (delivery.session) {
    message->session = {delivery.session->id, keeper.text(delivery.session->client_id),
                        keeper.text(delivery.session->uid), keeper.text(delivery.session->address)};
    kept.session = &message->session;
  }
  message->record = record;
  message->record.action = to_plain(kept.action);
  message->record.body = to_plain(as_text(kept.body));
  message->record.delivery = &kept;
  return message;
}

gw_record& ParkedMessages::park(const gw_record& record, const Delivery& delivery, Duration timeout) {
  auto message = copy(record, delivery);
  message->deadline = std::min(delivery.deadline, clock_.now() + timeout);
  deadlines_.insert({message->deadline, record.serial});
  timers_.arm(timer_, deadlines_.begin()->first);
  serials_[delivery.ticket.bits] = record.serial;
  return (messages_[record.serial] = std::move(message))->record;
}

gw_record* ParkedMessages::find(double serial) {
  const auto found = messages_.find(serial);
  return found == messages_.end() ? nullptr : &found->second->record;
}

double ParkedMessages::serial_of(Ticket ticket) const {
  const auto found = serials_.find(ticket.bits);
  return found == serials_.end() ? 0 : found->second;
}

void ParkedMessages::erase(double serial) {
  const auto found = messages_.find(serial);
  if (found == messages_.end()) return;
  deadlines_.erase({found->second->deadline, serial});
  serials_.erase(found->second->delivery.ticket.bits);
  messages_.erase(found);
}

std::vector<double> ParkedMessages::serials() const {
  std::vector<double> serials;
  for (const auto& [serial, message] : messages_) serials.push_back(serial);
  return serials;
}

/// Each once: the app answers for it in its next turn.
void ParkedMessages::on_timer(Timestamp now) {
  while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
    const double serial = deadlines_.begin()->second;
    deadlines_.erase(deadlines_.begin());
    on_overdue_(serial);
  }
  timers_.arm(timer_, deadlines_.empty() ? kNever : deadlines_.begin()->first);
}

}  // namespace godwit::host
