#include <godwit/plugin.hpp>

#include <string>
#include <utility>
#include <vector>

/// Says later who may come in: by the client's token, when a timer fires.
class Doorman {
 public:
  explicit Doorman(godwit::plugin::Host host) : host_(host) {}

  void authenticate(const gw_credentials& credentials, godwit::plugin::Login login) {
    const std::string token(godwit::plugin::view(credentials.token));
    if (token == "broken") throw godwit::plugin::Failure(GW_ERROR_PLUGIN_FAILED, "broken");
    if (token == "at once") return void(login.admit("ada"));
    if (token == "no name") tell(login.admit(""));
    waiting_.emplace_back(token, login);
    gw_timer timer;
    host_.raw()->timers->start(host_.raw(), 100'000'000, 0, decide, nullptr, &timer);
  }

 private:
  static void decide(void* self, void*) {
    auto& own = static_cast<godwit::plugin::Tables<Doorman>::Instance*>(self)->plugin;
    const auto [token, login] = own.waiting_.front();
    own.waiting_.erase(own.waiting_.begin());
    if (token == "good") own.tell(login.admit("ada"));
    if (token == "bad") own.tell(login.refuse(GW_ERROR_FORBIDDEN));
    if (token == "broken later") own.tell(login.refuse(GW_ERROR_PLUGIN_FAILED));
    if (token == "unknown") own.tell(login.pass());
    if (token == "twice") own.tell(login.admit("ada")), own.tell(login.admit("eve"));
    if (token == "no name") own.tell(login.admit("ada"));
    if (token == "late") own.late_.push_back(login);
    if (token == "wake") own.tell(own.late_.front().admit("ada"));
  }
  void tell(gw_status status) const { host_.log(GW_LOG_INFO, "told " + std::to_string(status)); }

  godwit::plugin::Host host_;
  std::vector<std::pair<std::string, godwit::plugin::Login>> waiting_;
  std::vector<godwit::plugin::Login> late_;
};

GW_PLUGIN_CLASS(Doorman, .name = "doorman", .version = "1", .license = "GPL-3.0-or-later")
