#pragma once

#include <memory>
#include <vector>

#include "session/identity.h"

namespace godwit::app {

/// Asks the live units that decide who may come in, one after the other, until one knows the client. Nobody comes in
/// whom no unit knows, and nobody at all when there is none. One per worker.
class UnitAuthenticator final : public session::Authenticator {
 public:
  struct Unit {
    uint32_t number = 0;  ///< the unit's, which stays when its generations change while one is being waited for
    session::Authenticator* authenticator = nullptr;
  };
  /// In the order of their numbers.
  void set_units(std::vector<Unit> units) { units_ = std::move(units); }
  bool empty() const { return units_.empty(); }

  void authenticate(const session::Credentials& credentials, Decided done) override {
    ask(std::make_shared<const session::Credentials>(credentials), 0, std::move(done));
  }

 private:
  /// Goes on with the units from this number on.
  void ask(std::shared_ptr<const session::Credentials> credentials, uint32_t first, Decided done) {
    for (const Unit& unit : units_) {
      if (unit.number < first) continue;
      const uint32_t next = unit.number + 1;
      return unit.authenticator->authenticate(
          *credentials, [this, credentials, next, done = std::move(done)](Result<session::Identity> identity) {
            const bool unknown = !identity && identity.error().code == Code::kNotFound;
            unknown ? ask(credentials, next, done) : done(std::move(identity));
          });
    }
    done(fail(Code::kUnauthenticated, "nobody knows this client"));
  }

  std::vector<Unit> units_;
};

}  // namespace godwit::app
