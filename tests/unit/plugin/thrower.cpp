#include <godwit/plugin.hpp>
#include <stdexcept>

/// Throws whatever it is told to.
class Thrower {
 public:
  explicit Thrower(godwit::plugin::Host host) : host_(host) {
    host.bind("throw.*");
    if (host.boolean("at_once", false)) throw std::runtime_error("not today");
    if (host.integer("number", 1) < 0) throw godwit::plugin::Failure(GW_ERROR_FORBIDDEN, "negative");
  }
  ~Thrower() { host_.info("gone"); }

  void on_message(const godwit::plugin::Message& message) {
    if (message.action() == "throw.status") throw godwit::plugin::Failure(GW_ERROR_FORBIDDEN, "no entry");
    if (message.action() == "throw.standard") throw std::runtime_error("broken");
    if (message.action() == "throw.memory") throw std::bad_alloc();
    if (message.action() == "throw.number") throw 7;
    message.reply(message.header("x").value_or("calm"));
    if (message.action() == "throw.late") throw std::runtime_error("after the reply");
  }
  std::string save() { throw std::runtime_error("nothing to save"); }
  void restore(std::string_view, std::string_view) {}

 private:
  godwit::plugin::Host host_;
};

GW_PLUGIN_CLASS(Thrower, .name = "thrower", .version = "1", .license = "GPL-3.0-or-later")
