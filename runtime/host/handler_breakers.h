#pragma once

#include <algorithm>
#include <span>
#include <vector>

#include "host/breaker.h"
#include "host/handler.h"

namespace godwit::host {

/// A breaker for each handler of a unit.
class HandlerBreakers {
 public:
  void resize(size_t handlers) { breakers_.resize(handlers); }

  /// How many of the batch, from its front, may be handled now. While a breaker is half open, its verdict is waited for
  /// before the next message.
  size_t admitted(std::span<const Delivery> batch, Timestamp now) {
    if (open_ == 0) return batch.size();
    size_t admitted = 0;
    while (admitted < batch.size() && breakers_[batch[admitted].handler].admit(now)) {
      if (breakers_[batch[admitted++].handler].open()) break;
    }
    return admitted;
  }

  bool open(uint32_t handler) const { return breakers_[handler].open(); }
  /// True when this failure opened it. `handled`: by the unit, in all.
  bool failed(uint32_t handler, Timestamp now, uint64_t handled, Breaker::Failure failure) {
    const bool opened = breakers_[handler].failed(now, handled, failure);
    open_ += opened ? 1 : 0;
    return opened;
  }
  void succeeded(uint32_t handler) {
    open_ -= breakers_[handler].open() ? 1 : 0;
    breakers_[handler].succeeded();
  }

 private:
  std::vector<Breaker> breakers_;  ///< by handler
  size_t open_ = 0;
};

}  // namespace godwit::host
