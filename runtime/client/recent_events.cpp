#include "client/recent_events.h"

#include <algorithm>

namespace godwit::client {

bool RecentEvents::is_new(std::span<const wire::Header> headers) {
  const auto header = std::find_if(headers.begin(), headers.end(),
                                   [](const wire::Header& one) { return one.name == wire::kDurableHeader; });
  if (header == headers.end()) return true;
  if (!ids_.emplace(header->value).second) return false;
  order_.emplace_back(header->value);
  if (order_.size() <= kIdsMax) return true;
  ids_.erase(order_.front());
  order_.pop_front();
  return true;
}

}  // namespace godwit::client
