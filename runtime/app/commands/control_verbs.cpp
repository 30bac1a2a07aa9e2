#include <fmt/format.h>

#include "app/commands/control_call.h"
#include "app/commands/flags.h"
#include "app/commands/print.h"
#include "app/commands/verb.h"
#include "base/text.h"
#include "base/units.h"

namespace godwit::app {
namespace {

struct Options {
  ControlCall call;
  std::string name;
  std::string code;
  std::string command;
  std::vector<std::string> arguments;
  uint32_t worker = 0;
};
using OptionsPtr = std::shared_ptr<Options>;

/// Sums over the workers of a unit.
uint64_t sum(const Json& unit, const char* key) {
  uint64_t all = 0;
  for (const Json& worker : unit["workers"]) all += worker.value(key, uint64_t{0});
  return all;
}

std::string text_of(const Json& json, const char* key) { return escape_for_log(json.value(key, std::string()), 1000); }

void print_row(const Json& unit) {
  const std::string state = unit["on_probation"].get<bool>() ? "probation" : text_of(unit, "state");
  fmt::print("{:<24} {:>10} {:<9} {:>12} {:>8} {:>8} {:>10}\n", text_of(unit, "name"),
             unit["generation"].get<uint32_t>(), state, sum(unit, "messages"), sum(unit, "errors"),
             sum(unit, "timeouts"), format_bytes(sum(unit, "memory_bytes") / 1024 * 1024));
  const std::string complaint = text_of(unit, "complaint");
  if (!complaint.empty()) fmt::print("  not the newest files: {}\n", complaint);
}

void print_list(const Json& units) {
  fmt::print("{:<24} {:>10} {:<9} {:>12} {:>8} {:>8} {:>10}\n", "NAME", "GENERATION", "STATE", "MESSAGES", "ERRORS",
             "TIMEOUTS", "MEMORY");
  for (const Json& unit : units) print_row(unit);
}

void print_unit(const Json& unit) {
  print_list(Json::array({unit}));
  if (const auto previous = unit["previous_generation"].get<uint32_t>(); previous > 0) {
    fmt::print("a rollback goes to {}@{}\n", text_of(unit, "name"), previous);
  }
  for (const Json& handler : unit["handlers"]) {
    fmt::print("  {:<40} {}\n", text_of(handler, "pattern"), text_of(handler, "where"));
  }
}

void print_report(const Json& report) {
  const std::string name = text_of(report, "name"), outcome = text_of(report, "outcome");
  const auto live = report["generation"].get<uint32_t>();
  if (outcome == "refused") {
    fmt::print("{} {}; {}\n", name, outcome, live > 0 ? fmt::format("{}@{} serves on", name, live) : "none is live");
  } else {
    fmt::print("{}@{} {}\n", name, live, outcome);
  }
  for (const Json& worker : report["workers"]) {
    if (worker.value("ok", true)) continue;
    fmt::print("  worker {}: {}\n", worker["worker"].get<uint32_t>(), text_of(worker["error"], "text"));
  }
}

void print_reports(const Json& reports) {
  for (const Json& report : reports) print_report(report);
}

/// Plugins are units of the name "plugin/NAME", so that a script may have the same name; people need not say so.
std::string unit_name(const std::string& kind, const std::string& name) {
  return kind == "plugin" && !name.starts_with("plugin/") ? "plugin/" + name : name;
}

CLI::App* add_verb(CLI::App& group, const char* name, const std::string& help, const OptionsPtr& options) {
  CLI::App* verb = group.add_subcommand(name, help);
  options->call.add_to(*verb);
  return verb;
}

void add_ls(CLI::App& group, Verb& chosen, const std::string& kind, const OptionsPtr& options) {
  CLI::App* verb = add_verb(group, "ls", "List what is loaded, with generation, state and counts", options);
  verb->callback([=, &chosen] { chosen = [=] { return options->call.run({{"verb", kind + ".ls"}}, print_list); }; });
}

void add_show(CLI::App& group, Verb& chosen, const std::string& kind, const OptionsPtr& options) {
  CLI::App* verb = add_verb(group, "show", "Show one: its state, and what it handles and where", options);
  verb->add_option("NAME", options->name)->required();
  verb->callback([=, &chosen] {
    chosen = [=] {
      return options->call.run({{"verb", kind + ".show"}, {"name", unit_name(kind, options->name)}}, print_unit);
    };
  });
}

void add_change(CLI::App& group, Verb& chosen, const std::string& kind, const char* name, const char* help,
                const OptionsPtr& options) {
  CLI::App* verb = add_verb(group, name, help, options);
  verb->add_option("NAME", options->name)->required();
  verb->callback([=, verb_name = kind + "." + name, &chosen] {
    chosen = [=] {
      return options->call.run({{"verb", verb_name}, {"name", unit_name(kind, options->name)}}, print_report);
    };
  });
}

ExitCode run_eval(const Options& options) {
  return options.call.run(
      {{"verb", "script.eval"}, {"name", options.name}, {"text", options.code}, {"worker", options.worker}},
      [](const Json& value) { print_reply(value.get<std::string>() + "\n"); });
}

void add_eval(CLI::App& group, Verb& chosen, const OptionsPtr& options) {
  CLI::App* verb = add_verb(group, "eval", "Run Lua inside of a live app and print what it returns", options);
  verb->add_option("NAME", options->name)->required();
  verb->add_option("-e,--code", options->code, "an expression or statements")->required()->type_name("LUA");
  verb->add_option("--worker", options->worker, "in the app of which worker (default: 0)");
  verb->footer(
      "Only with admin.eval = true on the server, whose log keeps who did it.\n"
      "Examples:\n  godwit script eval chat -e 'gw.version'");
  verb->callback([=, &chosen] { chosen = [=] { return run_eval(*options); }; });
}

void print_commands(const Json& commands) {
  for (const Json& one : commands) {
    fmt::print("{:<40} {}\n", text_of(one, "name") + " " + text_of(one, "args"), text_of(one, "help"));
  }
}

void add_commands(CLI::App& group, Verb& chosen, const OptionsPtr& options) {
  CLI::App* verb = add_verb(group, "commands", "List what `run` can call in a live app", options);
  verb->add_option("NAME", options->name)->required();
  verb->callback([=, &chosen] {
    chosen = [=] { return options->call.run({{"verb", "script.commands"}, {"name", options->name}}, print_commands); };
  });
}

/// Text as it is, anything else as JSON.
void print_result(const Json& value) {
  print_reply(
      (value.is_string() ? value.get<std::string>() : value.dump(2, ' ', false, Json::error_handler_t::replace)) +
      "\n");
}

void add_run(CLI::App& group, Verb& chosen, const OptionsPtr& options) {
  CLI::App* verb = add_verb(group, "run", "Run a command of a live app and print what it returns", options);
  verb->add_option("NAME", options->name)->required();
  verb->add_option("COMMAND", options->command)->required();
  verb->add_option("ARG", options->arguments, "as the command takes them; after `--` also what begins with a dash");
  verb->add_option("--worker", options->worker, "in the app of which worker (default: 0)");
  verb->footer(
      "Apps declare commands with gw.command. The server's log keeps who ran which.\n"
      "Examples:\n  godwit script run chat kick device-7\n  godwit script run chat --json rooms");
  verb->callback([=, &chosen] {
    chosen = [=] {
      return options->call.run({{"verb", "script.run"},
                                {"name", options->name},
                                {"command", options->command},
                                {"arguments", options->arguments},
                                {"worker", options->worker}},
                               print_result);
    };
  });
}

constexpr const char* kRollbackHelp = "Go back to the last version that had proved itself";
constexpr const char* kReloadHelp = "Load its files again; the outcome on all workers, with file and line";
constexpr const char* kEnableHelp = "Load it again after `disable`";
constexpr const char* kDisableHelp = "Take it out of service until `enable`, or the server's next start";

}  // namespace

void add_script(CLI::App& program, Verb& chosen) {
  CLI::App* group = program.add_subcommand("script", "See and change the scripts of a running server");
  group->require_subcommand(1);
  group->footer(
      "Exit code: 0 done, 1 the server refused (nothing has changed then), 2 usage, 3 no server.\n"
      "Examples:\n  godwit script ls\n  godwit script reload chat --json");
  const auto options = std::make_shared<Options>();
  add_ls(*group, chosen, "script", options);
  add_show(*group, chosen, "script", options);
  add_change(*group, chosen, "script", "reload", kReloadHelp, options);
  add_change(*group, chosen, "script", "rollback", kRollbackHelp, options);
  add_change(*group, chosen, "script", "enable", kEnableHelp, options);
  add_change(*group, chosen, "script", "disable", kDisableHelp, options);
  add_commands(*group, chosen, options);
  add_run(*group, chosen, options);
  add_eval(*group, chosen, options);
}

void add_plugin_control(CLI::App& plugin, Verb& chosen) {
  const auto options = std::make_shared<Options>();
  add_ls(plugin, chosen, "plugin", options);
  add_show(plugin, chosen, "plugin", options);
  add_change(plugin, chosen, "plugin", "load", "Load one whose file has just come", options);
  add_change(plugin, chosen, "plugin", "reload", kReloadHelp, options);
  add_change(plugin, chosen, "plugin", "rollback", kRollbackHelp, options);
  add_change(plugin, chosen, "plugin", "enable", kEnableHelp, options);
  add_change(plugin, chosen, "plugin", "disable", kDisableHelp, options);
}

void add_reload(CLI::App& program, Verb& chosen) {
  const auto options = std::make_shared<Options>();
  CLI::App* verb =
      add_verb(program, "reload", "Reload one script or plugin, or configuration and all of them", options);
  verb->add_option("NAME", options->name, "of a script or plugin (default: everything)");
  verb->footer(
      "Waits for the outcome. What cannot be loaded leaves what worked in service.\n"
      "Examples:\n  godwit reload\n  godwit reload chat -c /etc/godwit/godwit.toml\n"
      "Exit code: 0 all is live, 1 something was refused, 2 usage, 3 no server.");
  verb->callback([options, &chosen] {
    chosen = [options] {
      if (options->name.empty()) return options->call.run({{"verb", "reload"}}, print_reports);
      return options->call.run({{"verb", "reload"}, {"name", options->name}}, print_report);
    };
  });
}

}  // namespace godwit::app
