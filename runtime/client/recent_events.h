#pragma once

#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>

#include "wire/message.h"

namespace godwit::client {

/// Which durable events were handled, as far as a server may send one again: it may not have heard of it before it
/// died.
class RecentEvents {
 public:
  static constexpr size_t kIdsMax = 10'000;  ///< ten times what a session keeps without an acknowledgement

  /// True once for each durable event, and for all others.
  bool is_new(std::span<const wire::Header> headers);

 private:
  std::unordered_set<std::string> ids_;
  std::deque<std::string> order_;
};

}  // namespace godwit::client
