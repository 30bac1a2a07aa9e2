#pragma once

#include <vector>

#include "session/identity.h"

namespace godwit::app {

/// Asks the live units that decide who may come in, one after the other, until one knows the client. Nobody comes in
/// whom no unit knows, and nobody at all when there is none. One per worker.
class UnitAuthenticator final : public session::Authenticator {
 public:
  void set_units(std::vector<session::Authenticator*> units) { units_ = std::move(units); }

  Result<session::Identity> authenticate(const wire::Hello& hello, std::string_view certificate_name) override {
    for (session::Authenticator* unit : units_) {
      auto identity = unit->authenticate(hello, certificate_name);
      if (identity || identity.error().code != Code::kNotFound) return identity;
    }
    return fail(Code::kUnauthenticated, "nobody knows this client");
  }

 private:
  std::vector<session::Authenticator*> units_;
};

}  // namespace godwit::app
