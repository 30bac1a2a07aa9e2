#pragma once

#include <tsl/robin_map.h>

#include <map>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "base/timer_heap.h"
#include "host/handler.h"
#include "host/lua_bridge_types.h"
#include "port/clock.h"

namespace godwit::host {

/// Messages whose handlers wait, or have deferred the answer: each keeps a copy of what it arrived with, and has a time
/// by which it must be answered. Found by the serial that Lua knows them by.
class ParkedMessages {
 public:
  /// `on_overdue` is told the serial of each whose time is over; it is still there then.
  ParkedMessages(const Clock& clock, TimerHeap& timers, std::function<void(double serial)> on_overdue);

  /// Copies; the record is valid until it is erased.
  gw_record& park(const gw_record& record, const Delivery& delivery, Duration timeout);
  gw_record* find(double serial);
  bool contains(double serial) const { return messages_.contains(serial); }
  /// Of the message with this ticket; 0: it is not here.
  double serial_of(Ticket ticket) const;
  const Delivery& delivery(double serial) const { return messages_.at(serial)->delivery; }
  void erase(double serial);
  size_t size() const { return messages_.size(); }
  std::vector<double> serials() const;

 private:
  struct Message {
    std::vector<uint8_t> bytes;  ///< action, body, headers and sender, one behind the other
    std::vector<wire::Header> headers;
    SessionView session;
    Delivery delivery;
    gw_record record;
    Timestamp deadline;
  };
  static std::unique_ptr<Message> copy(const gw_record& record, const Delivery& delivery);
  void on_timer(Timestamp now);

  const Clock& clock_;
  TimerHeap& timers_;
  std::function<void(double)> on_overdue_;
  std::map<double, std::unique_ptr<Message>> messages_;
  tsl::robin_map<uint64_t, double> serials_;  ///< by ticket
  std::set<std::pair<Timestamp, double>> deadlines_;
  Timer timer_;
};

}  // namespace godwit::host
