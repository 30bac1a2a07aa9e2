#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "admin/control_target.h"
#include "base/log.h"

namespace godwit::admin {

/// Who asks, by the kernel's word.
struct Caller {
  uint32_t uid = 0;
  int32_t pid = 0;
};

/// The language of the admin socket: one JSON object per line each way.
///
///   {"verb":"script.reload","name":"chat"}
///   {"ok":true,"result":{…}}    or {"ok":false,"error":{"code":5002,"name":"ScriptLoadFailed","text":"…"},"result":…}
///
/// README.md lists the verbs. Everything that changes something, or tries to, is in the log with who wanted it.
class Control {
 public:
  using Answer = std::function<void(const std::string& line)>;

  Control(ControlTarget& target, Log log) : target_(target), log_(log) {}

  /// Any bytes may come. `answer` is called once, at once or later.
  void handle(const Caller& caller, std::string_view line, Answer answer);

 private:
  struct Request;
  void list(const Request& request);
  void show(const Request& request);
  std::string full_name(const Request& request) const;
  void change(const Request& request, UnitChange change);
  void reload_all(const Request& request);
  void commands(const Request& request);
  void run_command(const Request& request);
  void eval(const Request& request);
  bool handle_sessions(const Request& request);
  void list_sessions(const Request& request);
  void kick(const Request& request);
  void revoke(const Request& request);
  void refuse(const Request& request, const Error& error) const;
  void audit(const Request& request, std::string_view outcome) const;
  Result<UnitView> find(const Request& request) const;

  ControlTarget& target_;
  Log log_;
};

}  // namespace godwit::admin
