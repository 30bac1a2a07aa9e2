#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "admin/control.h"
#include "app/config/config.h"
#include "app/server_scripts.h"
#include "app/server_sessions.h"
#include "io/line_server.h"

namespace godwit::app {

/// The admin socket: gives operators on this machine a hand on the server's scripts and plugins. On the first worker's
/// loop.
class ServerControl final : private admin::ControlTarget {
 public:
  /// `reload_config` reads the configuration again. Listens nowhere when admin.socket is "off".
  static Result<std::unique_ptr<ServerControl>> open(const Config& config, ServerScripts& scripts,
                                                     ServerSessions& sessions, std::function<Status()> reload_config,
                                                     io::Loop& loop, Log log);
  ~ServerControl() override;

  void configure(const Config& config) { eval_allowed_ = config.admin.eval; }

 private:
  ServerControl(const Config& config, ServerScripts& scripts, ServerSessions& sessions,
                std::function<Status()> reload_config, Log log);
  Status listen(const std::filesystem::path& path, io::Loop& loop);

  std::vector<admin::UnitView> units() const override;
  void bindings(const std::string& unit, std::function<void(std::vector<admin::BindingView>)> done) override;
  Status change(const std::string& unit, admin::UnitChange change,
                std::function<void(admin::ChangeReport)> done) override;
  Status reload_all(std::function<void(std::vector<admin::ChangeReport>)> done) override;
  void commands(const std::string& unit, std::function<void(std::vector<admin::CommandView>)> done) override;
  Status run_command(const std::string& unit, uint32_t worker, const std::string& command,
                     const std::vector<std::string>& arguments, std::function<void(Result<std::string>)> done) override;
  std::vector<admin::SessionView> sessions(const admin::SessionQuery& query) const override {
    return sessions_.list(query);
  }
  Result<size_t> kick(const admin::SessionQuery& query) override { return sessions_.kick(query); }
  Result<bool> revoke(const admin::SessionQuery& query) override { return sessions_.revoke(query); }
  bool eval_allowed() const override { return eval_allowed_; }
  Status eval(const std::string& unit, uint32_t worker, const std::string& text,
              std::function<void(Result<std::string>)> done) override;

  Status check_worker(uint32_t worker) const;

  ServerScripts& scripts_;
  ServerSessions& sessions_;
  const std::function<Status()> reload_config_;
  Log log_;
  bool eval_allowed_;
  admin::Control control_;
  std::unique_ptr<io::LineServer> socket_;
  /// Commands may end later than this object, with their apps: they hold it weakly.
  const std::shared_ptr<ServerScripts*> alive_;
};

/// Where the admin socket of a server with this configuration is; empty: it has none.
std::filesystem::path control_path(const Config& config);

}  // namespace godwit::app
