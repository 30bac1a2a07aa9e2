#include "node.h"

#include <fmt/format.h>

#include "payload.h"
#include "world.h"

namespace godwit::sim {
namespace {

std::string text_of(const LogField& field) {
  return std::visit([&](const auto& value) { return fmt::format(" {}={}", field.key, value); }, field.value);
}

}  // namespace

Node::Node(World& world, std::string name, const SocketAddress& own, Network::Place place)
    : world_(world), entropy_(hash_bytes(as_bytes(name), world.seed())), name_(std::move(name)), own_(own) {
  world_.add(*this);
  world_.network().attach(*this, own, place);
}

Node::~Node() {
  world_.network().detach(*this);
  world_.remove(*this);
}

SendOutcome Node::send(const OutgoingDatagrams& datagrams) {
  world_.network().send(*this, datagrams);
  return SendOutcome::kSent;
}

LogLevel Node::level(std::string_view) const { return world_.trace().prints() ? LogLevel::kDebug : LogLevel::kOff; }

void Node::write(const LogRecord& record) {
  std::string line = fmt::format("{} [{}] {}", name_of(record.level), record.module, record.message);
  for (const LogField& field : record.fields) line += text_of(field);
  world_.trace().print(name_, line);
}

}  // namespace godwit::sim
