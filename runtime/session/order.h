#pragma once

#include <cstdint>

namespace godwit::session {

/// How a message travels beside the others of its session.
enum class Order : uint8_t {
  kUnordered = 0,  ///< handled as it comes
  kOrdered = 1,    ///< after what was sent ordered before it
  kUnreliable =
      2,  ///< events only: in one packet, lost with it, never sent again, in no order; nobody hears its outcome
};

/// Where an event goes that is bound to the response to a request.
enum class Bound : uint8_t { kBefore, kAfter };

}  // namespace godwit::session
