#include "admin/control.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <optional>

#include "base/sha256.h"
#include "base/text.h"

namespace godwit::admin {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kLoggedTextBytesMax = 200;

std::string dump(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

Json error_json(const Error& error) {
  return {{"code", static_cast<unsigned>(error.code)}, {"name", name_of(error.code)}, {"text", error.text}};
}

std::string success(Json result) { return dump({{"ok", true}, {"result", std::move(result)}}); }

std::string failure(const Error& error, Json result = nullptr) {
  Json answer{{"ok", false}, {"error", error_json(error)}};
  if (!result.is_null()) answer["result"] = std::move(result);
  return dump(answer);
}

std::string_view to_text(UnitView::Kind kind) { return kind == UnitView::Kind::kScript ? "script" : "plugin"; }

std::string_view to_text(UnitView::State state) {
  switch (state) {
    case UnitView::State::kLive: return "live";
    case UnitView::State::kDisabled: return "disabled";
    case UnitView::State::kFailed: return "failed";
  }
  return "";
}

Json unit_json(const UnitView& unit) {
  Json json{{"name", unit.name},
            {"kind", to_text(unit.kind)},
            {"state", to_text(unit.state)},
            {"generation", unit.generation},
            {"previous_generation", unit.previous_generation},
            {"on_probation", unit.on_probation},
            {"complaint", unit.complaint}};
  Json& workers = json["workers"] = Json::array();
  for (const AppView& worker : unit.workers) {
    workers.push_back({{"worker", worker.worker},
                       {"generation", worker.generation},
                       {"memory_bytes", worker.memory_bytes},
                       {"memory_bytes_max", worker.memory_bytes_max},
                       {"messages", worker.handled},
                       {"errors", worker.errors},
                       {"timeouts", worker.timeouts}});
  }
  return json;
}

Json report_json(const ChangeReport& report) {
  Json json{
      {"name", report.name}, {"outcome", report.outcome}, {"generation", report.generation}, {"tried", report.tried}};
  if (report.error.code != Code::kOk) json["error"] = error_json(report.error);
  Json& workers = json["workers"] = Json::array();
  for (size_t worker = 0; worker < report.workers.size(); ++worker) {
    const Status& status = report.workers[worker];
    Json entry{{"worker", worker}, {"ok", status.has_value()}};
    if (!status) entry["error"] = error_json(status.error());
    workers.push_back(std::move(entry));
  }
  return json;
}

/// "script.ls" asks about scripts, "plugin.ls" about plugins.
std::optional<UnitView::Kind> kind_of(std::string_view verb) {
  if (verb.starts_with("script.")) return UnitView::Kind::kScript;
  if (verb.starts_with("plugin.")) return UnitView::Kind::kPlugin;
  return std::nullopt;
}

}  // namespace

struct Control::Request {
  Caller caller;
  std::string verb;
  std::string name;  ///< of the unit; empty: none was given
  std::string text;  ///< of an eval
  std::string command;
  std::vector<std::string> arguments;  ///< of a command
  uint32_t worker = 0;
  SessionQuery sessions;
  Answer answer;

  /// Absent members keep their defaults; a member of a wrong type is an error.
  Status read(std::string_view line) {
    const Json json = Json::parse(line, nullptr, false);
    if (!json.is_object()) return godwit::fail(Code::kUsageInvalid, "a request is one JSON object in one line");
    const auto text_of = [&](const char* key, std::string& out) {
      if (!json.contains(key)) return true;
      if (json[key].is_string()) json[key].get_to(out);
      return json[key].is_string();
    };
    if (!text_of("by", sessions.by) || !text_of("verb", verb) || !text_of("name", name) || !text_of("text", text) ||
        !text_of("command", command)) {
      return godwit::fail(Code::kUsageInvalid, "verb, name, by, text and command are strings");
    }
    for (const Json& argument : json.value("arguments", Json::array())) {
      if (!argument.is_string()) return godwit::fail(Code::kUsageInvalid, "arguments are strings");
      arguments.push_back(argument.get<std::string>());
    }
    // Units of all kinds share one space of names, in which plugins have a prefix.
    if (verb.starts_with("plugin.") && !name.starts_with("plugin/")) name.insert(0, "plugin/");
    sessions.name = name;
    if (json.contains("after") && json["after"].is_number_unsigned()) json["after"].get_to(sessions.after);
    if (json.contains("limit") && json["limit"].is_number_unsigned()) json["limit"].get_to(sessions.limit);
    if (!json.contains("worker")) return {};
    if (!json["worker"].is_number_unsigned()) return godwit::fail(Code::kUsageInvalid, "worker is a number");
    worker = static_cast<uint32_t>(std::min<uint64_t>(json["worker"].get<uint64_t>(), UINT32_MAX));
    return {};
  }
  void fail(const Error& error) const { answer(failure(error)); }
};

void Control::handle(const Caller& caller, std::string_view line, Answer answer) {
  Request request{.caller = caller, .answer = std::move(answer)};
  if (const Status read = request.read(line); !read) return request.fail(read.error());
  if (request.verb == "reload" && request.name.empty()) return reload_all(request);
  if (request.verb == "reload") return change(request, UnitChange::kReload);
  if (handle_sessions(request)) return;
  const size_t dot = request.verb.find('.');
  const std::string_view verb = dot == std::string::npos ? "" : std::string_view(request.verb).substr(dot + 1);
  if (!kind_of(request.verb)) return request.fail({Code::kUsageInvalid, "unknown verb: " + request.verb});
  if (verb == "ls") return list(request);
  if (verb == "show") return show(request);
  if (verb == "reload" || verb == "load") return change(request, UnitChange::kReload);
  if (verb == "rollback") return change(request, UnitChange::kRollback);
  if (verb == "enable") return change(request, UnitChange::kEnable);
  if (verb == "disable") return change(request, UnitChange::kDisable);
  if (request.verb == "script.eval") return eval(request);
  if (request.verb == "script.commands") return commands(request);
  if (request.verb == "script.run") return run_command(request);
  request.fail({Code::kUsageInvalid, "unknown verb: " + request.verb});
}

bool Control::handle_sessions(const Request& request) {
  if (request.verb == "session.ls") return list_sessions(request), true;
  if (request.verb == "session.kick") return kick(request), true;
  if (request.verb == "session.revoke") return revoke(request), true;
  return false;
}

void Control::list_sessions(const Request& request) {
  Json list = Json::array();
  for (const SessionView& one : target_.sessions(request.sessions)) {
    list.push_back({{"session", one.key},
                    {"client", one.client_id},
                    {"uid", one.uid},
                    {"address", one.address},
                    {"worker", one.worker},
                    {"connected_unix_us", one.connected_unix_us}});
  }
  request.answer(success(std::move(list)));
}

void Control::kick(const Request& request) {
  if (request.sessions.by.empty()) return refuse(request, {Code::kUsageInvalid, "whom: by uid, client or session"});
  const auto ended = target_.kick(request.sessions);
  if (!ended) return refuse(request, ended.error());
  audit(request, fmt::format("{} by {}", *ended, request.sessions.by));
  request.answer(success({{"ended", *ended}}));
}

void Control::revoke(const Request& request) {
  const auto kept = target_.revoke(request.sessions);
  if (!kept) return refuse(request, kept.error());
  audit(request, *kept ? "kept" : "until restart");
  request.answer(success({{"kept", *kept}}));
}

Result<UnitView> Control::find(const Request& request) const {
  const auto kind = kind_of(request.verb);
  for (UnitView& unit : target_.units()) {
    if (unit.name == request.name && (!kind || unit.kind == *kind)) return std::move(unit);
  }
  return godwit::fail(Code::kUnitUnknown, request.name);
}

void Control::list(const Request& request) {
  Json list = Json::array();
  for (const UnitView& unit : target_.units()) {
    if (unit.kind == *kind_of(request.verb)) list.push_back(unit_json(unit));
  }
  request.answer(success(std::move(list)));
}

void Control::show(const Request& request) {
  const auto unit = find(request);
  if (!unit) return request.fail(unit.error());
  target_.bindings(unit->name, [json = unit_json(*unit), answer = request.answer](auto bindings) mutable {
    Json& list = json["handlers"] = Json::array();
    for (const BindingView& one : bindings) list.push_back({{"pattern", one.pattern}, {"where", one.where}});
    answer(success(std::move(json)));
  });
}

/// `reload` takes any unit: a plugin needs its prefix only where a script has the same name.
std::string Control::full_name(const Request& request) const {
  const std::string as_plugin = "plugin/" + request.name;
  bool plugin = false;
  for (const UnitView& unit : target_.units()) {
    if (unit.name == request.name) return request.name;
    plugin |= unit.name == as_plugin;
  }
  return plugin ? as_plugin : request.name;
}

/// A unit that nobody has loaded yet is for the target to find: its files may have just come.
void Control::change(const Request& request, UnitChange change) {
  const auto kind = kind_of(request.verb);
  for (const UnitView& unit : target_.units()) {
    if (unit.name == request.name && kind && unit.kind != *kind) {
      return refuse(request, {Code::kUnitUnknown, fmt::format("{} is a {}", unit.name, to_text(unit.kind))});
    }
  }
  const Status begun = target_.change(full_name(request), change, [this, request](const ChangeReport& report) {
    audit(request, report.outcome);
    if (report.succeeded) return request.answer(success(report_json(report)));
    request.answer(failure(report.error, report_json(report)));
  });
  if (!begun) refuse(request, begun.error());
}

void Control::reload_all(const Request& request) {
  const Status begun = target_.reload_all([this, request](const std::vector<ChangeReport>& reports) {
    Json list = Json::array();
    const ChangeReport* failed = nullptr;
    for (const ChangeReport& report : reports) {
      list.push_back(report_json(report));
      if (!report.succeeded && !failed) failed = &report;
    }
    audit(request, failed ? "refused" : "live");
    request.answer(failed ? failure(failed->error, std::move(list)) : success(std::move(list)));
  });
  if (!begun) refuse(request, begun.error());
}

void Control::commands(const Request& request) {
  if (const auto unit = find(request); !unit) return request.fail(unit.error());
  target_.commands(request.name, [answer = request.answer](const std::vector<CommandView>& commands) {
    Json list = Json::array();
    for (const CommandView& one : commands) {
      list.push_back({{"name", one.name}, {"args", one.arguments}, {"help", one.help}});
    }
    answer(success(std::move(list)));
  });
}

void Control::run_command(const Request& request) {
  if (const auto unit = find(request); !unit) return refuse(request, unit.error());
  const Status begun = target_.run_command(request.name, request.worker, request.command, request.arguments,
                                           [this, request](const Result<std::string>& value) {
                                             if (!value) return refuse(request, value.error());
                                             audit(request, "ok");
                                             request.answer(success(Json::parse(*value, nullptr, false)));
                                           });
  if (!begun) refuse(request, begun.error());
}

void Control::eval(const Request& request) {
  if (!target_.eval_allowed()) {
    return refuse(request,
                  {Code::kForbidden, "eval is off; admin.eval = true in the server's configuration allows it"});
  }
  if (const auto unit = find(request); !unit) return refuse(request, unit.error());
  const Status begun =
      target_.eval(request.name, request.worker, request.text, [this, request](const Result<std::string>& value) {
        if (!value) return refuse(request, value.error());
        audit(request, "ok");
        request.answer(success(*value));
      });
  if (!begun) refuse(request, begun.error());
}

/// Of what was to change or run something: that somebody tried is kept as well.
void Control::refuse(const Request& request, const Error& error) const {
  audit(request, name_of(error.code));
  request.fail(error);
}

void Control::audit(const Request& request, std::string_view outcome) const {
  std::vector<LogField> fields{{"verb", request.verb},
                               {"name", request.name},
                               {"outcome", outcome},
                               {"uid", request.caller.uid},
                               {"pid", request.caller.pid}};
  std::string call = request.command;
  for (const std::string& argument : request.arguments) call += " " + argument;
  call = escape_for_log(call, kLoggedTextBytesMax);
  if (!call.empty()) fields.push_back({"command", call});
  const std::string hash = to_hex(sha256(as_bytes(request.text)));
  const std::string text = escape_for_log(request.text, kLoggedTextBytesMax);
  if (!request.text.empty()) {
    fields.push_back({"sha256", hash});
    fields.push_back({"text", text});
  }
  log_.write(LogLevel::kInfo, "admin request", fields);
}

}  // namespace godwit::admin
