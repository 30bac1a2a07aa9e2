#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "host/app.h"

namespace godwit::host {

/// Says who may do what, message by message, before the handlers.
class Authorizer {
 public:
  /// Where a batch is going.
  struct Destination {
    std::string_view app;                         ///< or plugin, by its name
    std::span<const Registration> registrations;  ///< by Delivery::handler
  };

  virtual ~Authorizer() = default;
  /// Says of each message of the batch why it is refused, for the log; what is empty stays allowed. Messages that
  /// another one refused already are not asked about. What cannot be decided is refused.
  virtual void authorize(std::span<const Delivery> batch, const Destination& destination, ReplySink& sink,
                         std::vector<std::string>& refusals) = 0;
};

}  // namespace godwit::host
