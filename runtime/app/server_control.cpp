#include "app/server_control.h"

#include <fmt/format.h>

namespace godwit::app {
namespace {

using What = host::ReloadOutcome::What;

admin::ChangeReport report_of(const host::ReloadOutcome& outcome) {
  return {.name = outcome.unit,
          .outcome = std::string(host::to_text(outcome.what)),
          .succeeded = outcome.what != What::kRefused && outcome.what != What::kHeldBack,
          .generation = outcome.generation,
          .tried = outcome.tried,
          .error = outcome.error,
          .workers = outcome.workers};
}

/// Collects the outcomes of several units, and tells them together. Shared by the callbacks that it waits for.
struct Gathering {
  size_t expected = 0;  ///< known once all have been asked for
  bool all_asked = false;
  std::vector<admin::ChangeReport> reports;
  std::function<void(std::vector<admin::ChangeReport>)> done;

  void finish_if_complete() {
    if (all_asked && reports.size() == expected && done) std::exchange(done, {})(std::move(reports));
  }
};

}  // namespace

std::filesystem::path control_path(const Config& config) {
  if (config.admin.socket == "off") return {};
  if (config.admin.socket.empty()) return config.server.data_dir / "admin.socket";
  return config.admin.socket;
}

Result<std::unique_ptr<ServerControl>> ServerControl::open(const Config& config, ServerScripts& scripts,
                                                           ServerSessions& sessions,
                                                           std::function<Status()> reload_config, io::Loop& loop,
                                                           Log log) {
  auto control =
      std::unique_ptr<ServerControl>(new ServerControl(config, scripts, sessions, std::move(reload_config), log));
  const std::filesystem::path path = control_path(config);
  if (path.empty()) return control;
  if (Status listening = control->listen(path, loop); !listening) {
    return fail(listening.error().code, "admin.socket: " + listening.error().text);
  }
  return control;
}

ServerControl::ServerControl(const Config& config, ServerScripts& scripts, ServerSessions& sessions,
                             std::function<Status()> reload_config, Log log)
    : scripts_(scripts),
      sessions_(sessions),
      reload_config_(std::move(reload_config)),
      log_(log),
      eval_allowed_(config.admin.eval),
      control_(*this, log),
      alive_(std::make_shared<ServerScripts*>(&scripts)) {}

ServerControl::~ServerControl() = default;

Status ServerControl::listen(const std::filesystem::path& path, io::Loop& loop) {
  std::error_code error;
  if (path.has_parent_path() && std::filesystem::create_directories(path.parent_path(), error)) {
    std::filesystem::permissions(path.parent_path(), std::filesystem::perms::owner_all, error);
  }
  if (error) return fail(Code::kSocketFailed, path.parent_path().string() + ": " + error.message());
  auto socket = io::LineServer::listen(
      loop, path, {}, log_, [this](uint64_t connection, const io::PeerProcess& peer, std::string_view line) {
        control_.handle({peer.uid, peer.pid}, line,
                        [this, connection](const std::string& answer) { socket_->answer(connection, answer); });
      });
  if (!socket) return tl::unexpected(std::move(socket.error()));
  socket_ = std::move(*socket);
  return {};
}

std::vector<admin::UnitView> ServerControl::units() const {
  const std::vector<admin::AppView> workers = scripts_.views();
  std::vector<admin::UnitView> views;
  for (const auto& [name, unit] : scripts_.units()) {
    using State = admin::UnitView::State;
    std::string complaint = scripts_.complaint(name);
    if (unit.generation == 0 && !unit.disabled && complaint.empty()) continue;  // it was removed
    admin::UnitView view{
        .kind = unit.kind == host::UnitSource::Kind::kScript ? admin::UnitView::Kind::kScript
                                                             : admin::UnitView::Kind::kPlugin,
        .state = unit.disabled          ? State::kDisabled
                 : unit.generation == 0 ? State::kFailed
                                        : State::kLive,
        .name = name,
        .generation = unit.generation,
        .previous_generation = unit.previous_generation,
        .on_probation = unit.probation.has_value(),
        .complaint = std::move(complaint),
    };
    for (const admin::AppView& worker : workers) {
      if (worker.name == name) view.workers.push_back(worker);
    }
    views.push_back(std::move(view));
  }
  return views;
}

void ServerControl::bindings(const std::string& unit, std::function<void(std::vector<admin::BindingView>)> done) {
  scripts_.calls().call(0, [this, unit, done = std::move(done)](WorkerApps& apps) {
    std::vector<admin::BindingView> bindings;
    if (const host::App* app = apps.find_app(unit)) {
      for (const host::Registration& one : app->registrations()) bindings.push_back({one.pattern, one.where});
    }
    scripts_.calls().answer(0, [done, bindings] { done(bindings); });
  });
}

Status ServerControl::change(const std::string& unit, admin::UnitChange change,
                             std::function<void(admin::ChangeReport)> done) {
  const auto tell = [done = std::move(done)](const host::ReloadOutcome& outcome) { done(report_of(outcome)); };
  switch (change) {
    case admin::UnitChange::kReload: return scripts_.reload(unit, tell);
    case admin::UnitChange::kRollback: return scripts_.rollback(unit, tell);
    case admin::UnitChange::kEnable: return scripts_.enable(unit, tell);
    case admin::UnitChange::kDisable: return scripts_.disable(unit, tell);
  }
  return {};
}

Status ServerControl::reload_all(std::function<void(std::vector<admin::ChangeReport>)> done) {
  if (Status config = reload_config_(); !config) return config;
  const auto gathering = std::make_shared<Gathering>();
  gathering->done = std::move(done);
  const auto asked = scripts_.reload_all(host::Reloads::Trigger::kFilesChanged, [gathering](const auto& outcome) {
    gathering->reports.push_back(report_of(outcome));
    // Nobody named it: that it is left alone is as it should be.
    if (outcome.what == What::kHeldBack) gathering->reports.back().succeeded = true;
    gathering->finish_if_complete();
  });
  if (!asked) return tl::unexpected(asked.error());
  gathering->expected = *asked;
  gathering->all_asked = true;
  gathering->finish_if_complete();
  return {};
}

void ServerControl::commands(const std::string& unit, std::function<void(std::vector<admin::CommandView>)> done) {
  scripts_.calls().call(0, [this, unit, done = std::move(done)](WorkerApps& apps) {
    std::vector<admin::CommandView> commands;
    if (const host::App* app = apps.find_app(unit)) {
      for (const host::Command& one : app->commands()) commands.push_back({one.name, one.help, one.arguments});
    }
    scripts_.calls().answer(0, [done, commands] { done(commands); });
  });
}

Status ServerControl::run_command(const std::string& unit, uint32_t worker, const std::string& command,
                                  const std::vector<std::string>& arguments,
                                  std::function<void(Result<std::string>)> done) {
  if (Status known = check_worker(worker); !known) return known;
  const auto answer = [alive = std::weak_ptr(alive_), worker, done = std::move(done)](Result<std::string> value) {
    if (const auto scripts = alive.lock()) {
      (*scripts)->calls().answer(worker, [done, value = std::move(value)] { done(value); });
    }
  };
  scripts_.calls().call(worker, [unit, command, arguments, answer](WorkerApps& apps) {
    if (host::App* app = apps.find_app(unit)) return app->run_command(command, arguments, answer);
    answer(fail(Code::kUnitUnknown, unit + " is not live"));
  });
  return {};
}

Status ServerControl::check_worker(uint32_t worker) const {
  if (worker < scripts_.calls().count()) return {};
  return fail(Code::kUsageInvalid, fmt::format("there are {} workers, from 0 on", scripts_.calls().count()));
}

Status ServerControl::eval(const std::string& unit, uint32_t worker, const std::string& text,
                           std::function<void(Result<std::string>)> done) {
  if (Status known = check_worker(worker); !known) return known;
  scripts_.calls().call(worker, [this, unit, worker, text, done = std::move(done)](WorkerApps& apps) {
    host::App* app = apps.find_app(unit);
    Result<std::string> value = app ? app->eval(text) : fail(Code::kUnitUnknown, unit + " is not live");
    scripts_.calls().answer(worker, [done, value = std::move(value)] { done(value); });
  });
  return {};
}

}  // namespace godwit::app
