#pragma once

#include <deque>

#include "app/dispatcher.h"

namespace godwit::sim {

class World;

/// Stands between the dispatcher and the real handlers, and writes down what enters them. Changes nothing.
class Witness final : public app::Dispatcher::Handlers {
 public:
  Witness(World& world, app::Dispatcher::Handlers& inner) : world_(world), inner_(inner) {}

 private:
  /// What one unit looks like from outside.
  class Unit final : public host::Handler {
   public:
    Unit(World& world, app::Dispatcher::Handlers& inner, uint32_t unit) : world_(world), inner_(inner), unit_(unit) {}
    size_t handle(std::span<const host::Delivery> batch, host::ReplySink& sink) override;
    std::string_view name() const override { return "witness"; }

   private:
    World& world_;
    app::Dispatcher::Handlers& inner_;
    const uint32_t unit_;
  };

  const routing::Target* find(wire::Kind kind, std::string_view action) override { return inner_.find(kind, action); }
  host::Handler* handler(uint32_t unit) override;
  std::optional<uint32_t> resting() const override { return inner_.resting(); }
  bool run_ready(host::ReplySink& sink) override { return inner_.run_ready(sink); }
  uint64_t version() const override { return inner_.version(); }
  void withdraw(uint32_t unit, host::Ticket ticket, host::ReplySink& sink) override {
    inner_.withdraw(unit, ticket, sink);
  }

  World& world_;
  app::Dispatcher::Handlers& inner_;
  std::deque<Unit> units_;
};

}  // namespace godwit::sim
