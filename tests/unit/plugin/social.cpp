#include <godwit/plugin.hpp>

using namespace godwit::plugin;

/// Uses all that a plugin may ask of the server about others than who sent the message in hand.
class Social {
 public:
  explicit Social(Host host) : host_(host) {
    host.bind("social.*");
    early_ = host.store().put("early", "x");
  }

  void on_message(const Message& message) {
    const std::string_view what = message.action().substr(message.action().find('.') + 1);
    const Session sender = host_.session(message.session());
    if (what == "who") {
      const auto info = sender.info();
      message.reply(std::string(view(info->client_id)) + " " + std::string(view(info->uid)));
    } else if (what == "attributes") {
      message.reply(attributes(sender));
    } else if (what == "groups") {
      message.reply(groups(sender));
    } else if (what == "shout") {
      message.reply(std::to_string(host_.publish("", "shouted", message.body(), message.session())));
    } else if (what == "poke") {
      sender.send("poked", message.body(), answer_of(message.defer(GW_DEFER_UNORDERED)));
    } else if (what == "ask") {
      sender.request("asked", message.body(), answer_of(message.defer(GW_DEFER_UNORDERED)));
    } else if (what == "stranger") {
      const Session nobody = host_.session(0x12345);
      message.reply(std::to_string(nobody.send("x", "")) + " " + std::to_string(nobody.join("g")) + " " +
                    std::to_string(nobody.info().has_value()));
    } else if (what == "count") {
      message.reply(std::to_string(host_.store().add("count", 1)));
    } else if (what == "values") {
      message.reply(values());
    } else if (what == "early") {
      message.reply(std::to_string(early_));
    } else if (what == "kick") {
      sender.close(GW_ERROR_FORBIDDEN, "you are out");
    }
  }

 private:
  static OnReply answer_of(Pending pending) {
    return [pending](const Reply& reply) {
      pending.reply(std::to_string(reply.status()) + " " + std::string(reply.body()));
    };
  }
  static std::string attributes(const Session& sender) {
    std::string out = sender.attribute("mood").value_or("none");
    sender.set_attribute("mood", "good");
    out += " " + sender.attribute("mood").value_or("none");
    sender.remove_attribute("mood");
    return out + " " + sender.attribute("mood").value_or("none");
  }
  std::string groups(const Session& sender) const {
    std::string out = std::to_string(host_.group_size("room"));
    sender.join("room");
    out += std::to_string(host_.group_size("room"));
    sender.leave("room");
    return out + std::to_string(host_.group_size("room"));
  }
  std::string values() const {
    const Store store = host_.store();
    std::string out = std::to_string(store.compare_and_put("v", 0, "one"));
    const uint64_t version = store.get("v")->version;
    store.put("v", "two");
    out += " " + std::to_string(store.compare_and_put("v", version, "three"));
    out += " " + std::to_string(store.compare_and_put("v", store.get("v")->version, "four"));
    out += " " + store.get("v")->bytes;
    store.remove("v");
    return out + " " + std::to_string(store.get("v").has_value());
  }

  Host host_;
  gw_status early_ = GW_OK;
};

GW_PLUGIN_CLASS(Social, .name = "social", .version = "1.0.0", .license = "GPL-3.0-or-later")
