#pragma once

#include <functional>
#include <map>
#include <memory>

#include "app/dispatcher.h"

namespace godwit::sim {

class World;

/// What the simulated server can do. For any kind of message:
///   echo  answers with the body            later  the same, after up to 200 ms
///   sink  takes it and says nothing more   fail   fails with HandlerFailed
///   wait  is never done: until its caller withdraws
///   around  as later, or as fail, with the events `before` and `after` around it; their body is that of the request
class Actions final : public app::Dispatcher::Handlers, private host::Handler {
 public:
  /// Each message keeps the server busy for `cost`.
  Actions(World& world, Duration cost) : world_(world), cost_(cost) {}

  /// Messages that wait for their caller to withdraw.
  size_t waiting() const { return waiting_.size(); }
  /// Hears their ids when that happens.
  std::function<void(uint64_t message_id)> on_withdrawn = [](uint64_t) {};

 private:
  const routing::Target* find(wire::Kind kind, std::string_view action) override;
  host::Handler* handler(uint32_t) override { return this; }
  bool run_ready(host::ReplySink&) override { return false; }
  uint64_t version() const override { return 0; }
  void withdraw(uint32_t, host::Ticket ticket, host::ReplySink&) override;
  size_t handle(std::span<const host::Delivery> batch, host::ReplySink& sink) override;
  std::string_view name() const override { return "sim@1"; }
  static void echo(const host::Delivery& delivery, host::ReplySink& sink);
  void answer_later(const host::Delivery& delivery, host::ReplySink& sink);
  void notify_around(const host::Delivery& delivery, host::ReplySink& sink);

  World& world_;
  const Duration cost_;
  const std::shared_ptr<char> alive_ = std::make_shared<char>();  ///< for answers that come later, if they still can
  std::map<uint64_t, uint64_t> waiting_;                          ///< message by ticket
};

}  // namespace godwit::sim
