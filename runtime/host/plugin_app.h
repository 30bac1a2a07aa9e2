#pragma once

#include <memory>
#include <string>
#include <vector>

#include "host/plugin_codec.h"
#include "host/plugin_host.h"
#include "host/plugin_library.h"
#include "host/plugin_reports.h"
#include "host/plugin_store.h"
#include "host/router.h"
#include "session/identity.h"
#include "transfer/strategy.h"

namespace godwit::host {

/// One instance of a plugin on one worker. The plugin's functions are called without a net: what they throw ends the
/// process with a line that names the plugin.
class PluginApp final : public App, private Router, private session::Authenticator, private transfer::Strategy {
 public:
  static Result<std::unique_ptr<App>> create(std::shared_ptr<const PluginSource> source,
                                             std::shared_ptr<const PluginLibrary> library, uint32_t generation,
                                             const AppLimits& limits, AppWorld world);
  ~PluginApp() override;

  size_t handle(std::span<const Delivery> batch, ReplySink& sink) override;
  void withdraw(Ticket ticket, ReplySink& sink) override;
  std::string_view name() const override { return host_.label().name; }
  uint32_t generation() const override { return host_.face()->generation; }
  const std::vector<Registration>& registrations() const override { return host_.registrations(); }
  AppStats stats() const override;

  void start() override;
  void retire() override;
  size_t pins() const override {
    return host_.deferred().size() + host_.tasks().pins() + host_.logins().size() + store_.size();
  }
  void cancel(Code code, ReplySink& sink) override;
  bool run_ready(ReplySink& sink) override;

  bool has_state() const override { return library_->instance().save && library_->instance().restore; }
  Result<std::string> export_state() override;
  Status import_state(std::string_view state) override;

  Router* router() override { return library_->router().route ? this : nullptr; }
  session::Authenticator* authenticator() override { return library_->auth().authenticate ? this : nullptr; }
  transfer::Strategy* strategy() override { return library_->strategy().plan ? this : nullptr; }
  Codec* codec() override { return library_->codec().decode ? &codec_ : nullptr; }
  Store* store() override { return library_->store().apply ? &store_ : nullptr; }
  std::optional<OnceOptions::BrokenOff> once(uint32_t handler) const override {
    return host_.registrations()[handler].once;
  }

 private:
  PluginApp(std::shared_ptr<const PluginSource> source, std::shared_ptr<const PluginLibrary> library,
            uint32_t generation, const AppLimits& limits, AppWorld world);
  Status make_instance();
  gw_message plain_of(const Delivery& delivery);
  void run_one(const Delivery& delivery, ReplySink& sink);
  bool run_tasks(ReplySink& sink);

  std::string_view reroute(wire::Kind kind, std::string_view action) override;
  std::string_view strategy_name() const override;
  std::vector<transfer::SizeRange> ranges() const override;
  Answer make_plan(size_t range, const transfer::Question& question, transfer::Plan& plan) override;
  void on_plan_refused(const transfer::Question& question, const Error& why) override;
  void authenticate(const session::Credentials& credentials, Decided done) override;
  Result<session::Identity> ask(const session::Credentials& credentials, gw_login login);

  const std::shared_ptr<const PluginSource> source_;
  const std::shared_ptr<const PluginLibrary> library_;
  AppWorld world_;
  void* self_ = nullptr;
  PluginHost host_;
  PluginReports reports_;
  PluginCodec codec_;
  PluginStore store_;
  bool made_ = false;
  bool started_ = false;
  std::vector<gw_header> headers_;  ///< of the message that is being handled
};

}  // namespace godwit::host
