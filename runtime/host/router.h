#pragma once

#include <string_view>

#include "wire/message.h"

namespace godwit::host {

/// Decides under which action a message is looked up; the message itself keeps its action. The same question has the
/// same answer for as long as the router lives.
class Router {
 public:
  virtual ~Router() = default;
  /// The answer, or what was asked, is valid until the next call.
  virtual std::string_view reroute(wire::Kind kind, std::string_view action) = 0;
};

}  // namespace godwit::host
