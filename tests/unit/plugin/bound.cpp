#include <godwit/plugin.hpp>

using namespace godwit::plugin;

/// Binds in all the ways that there are, and tries those that there are not.
class Bound {
 public:
  explicit Bound(Host host) {
    host.bind("plain");
    host.bind("once", GW_BIND_IDEMPOTENT);
    host.bind("again", GW_BIND_IDEMPOTENT | GW_BIND_AGAIN);
    for (const uint32_t flags : {uint32_t{GW_BIND_AGAIN}, uint32_t{64}}) {
      const gw_binding binding{sizeof(gw_binding), flags, GW_TEXT("wrong")};
      uint32_t handler = 0;
      refused_ += host.raw()->handlers->bind_with(host.raw(), &binding, &handler) == GW_ERROR_ARGUMENT_INVALID;
    }
  }
  void on_message(const Message& message) {
    message.reply(std::to_string(++executions_) + " " + std::to_string(refused_));
  }

 private:
  int executions_ = 0;
  int refused_ = 0;
};

GW_PLUGIN_CLASS(Bound, .name = "bound", .version = "1", .license = "MIT")
