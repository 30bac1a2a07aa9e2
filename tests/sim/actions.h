#pragma once

#include <memory>

#include "app/dispatcher.h"

namespace godwit::sim {

class World;

/// What the simulated server can do. For any kind of message:
///   echo  answers with the body            later  the same, after up to 200 ms
///   sink  takes it and says nothing more   fail   fails with HandlerFailed
class Actions final : public app::Dispatcher::Handlers, private host::Handler {
 public:
  /// Each message keeps the server busy for `cost`.
  Actions(World& world, Duration cost) : world_(world), cost_(cost) {}

 private:
  const routing::Target* find(wire::Kind kind, std::string_view action) override;
  host::Handler* handler(uint32_t) override { return this; }
  bool run_ready(host::ReplySink&) override { return false; }
  uint64_t version() const override { return 0; }
  size_t handle(std::span<const host::Delivery> batch, host::ReplySink& sink) override;
  std::string_view name() const override { return "sim@1"; }
  static void echo(const host::Delivery& delivery, host::ReplySink& sink);
  void answer_later(const host::Delivery& delivery, host::ReplySink& sink);

  World& world_;
  const Duration cost_;
  const std::shared_ptr<char> alive_ = std::make_shared<char>();  ///< for answers that come later, if they still can
};

}  // namespace godwit::sim
