#include "host/plugin_app.h"

#include <fmt/format.h>

#include <clocale>

#include "base/limits.h"
#include "base/text.h"
#include "host/plugin_plan.h"
#include "host/plugin_views.h"
#include "routing/pattern.h"

namespace godwit::host {
namespace {

using Stage = PluginHost::Stage;

int64_t deadline_of(const Delivery& delivery) {
  return delivery.deadline == kNever ? GW_NEVER : static_cast<int64_t>(to_ns(delivery.deadline));
}

/// What a plugin may say as the code of a failure.
Code code_of(gw_status status) {
  return status > 0 && status <= UINT16_MAX ? static_cast<Code>(status) : Code::kPluginFailed;
}

/// A plugin that changes the locale changes how everybody else reads numbers: it is put back, and said.
class LocaleGuard {
 public:
  LocaleGuard() : before_(std::setlocale(LC_ALL, nullptr)) {}
  bool restore() {
    const bool changed = before_ != std::setlocale(LC_ALL, nullptr);
    if (changed) std::setlocale(LC_ALL, before_.c_str());
    return changed;
  }

 private:
  const std::string before_;
};

}  // namespace

PluginApp::PluginApp(std::shared_ptr<const PluginSource> source, std::shared_ptr<const PluginLibrary> library,
                     uint32_t generation, const AppLimits& limits, AppWorld world)
    : source_(std::move(source)),
      library_(std::move(library)),
      world_(std::move(world)),
      host_(*source_, library_, generation, limits, world_),
      reports_(world_.log.named("host"), host_.label().name, source_->settings, world_.clock),
      codec_(library_->codec(), host_, self_, reports_, world_.clock),
      store_(library_->store(), host_, self_, reports_, {world_.clock, world_.timers}) {
  if (library_->store().apply) host_.set_store(&store_);
}

Result<std::unique_ptr<App>> PluginApp::create(std::shared_ptr<const PluginSource> source,
                                               std::shared_ptr<const PluginLibrary> library, uint32_t generation,
                                               const AppLimits& limits, AppWorld world) {
  std::unique_ptr<PluginApp> app(
      new PluginApp(std::move(source), std::move(library), generation, limits, std::move(world)));
  if (const Status made = app->make_instance(); !made) return tl::unexpected(made.error());
  return app;
}

Status PluginApp::make_instance() {
  LocaleGuard locale;
  const Timestamp before = world_.clock.measure();
  gw_status status;
  {
    const PluginHost::Entry entry(host_, Stage::kCreating, nullptr);
    status = call_plugin(library_->instance().create, host_.face(), &self_);
  }
  if (locale.restore()) reports_.failed("plugin changed the locale", "it was put back");
  if (status != GW_OK) {
    return godwit::fail(Code::kPluginLoadFailed,
                        fmt::format("{}: create of {} failed with {}; its log says more", source_->file.path.string(),
                                    host_.label().name, name_of_status(status)));
  }
  made_ = true;
  reports_.took(world_.clock.measure() - before, "create");
  return {};
}

PluginApp::~PluginApp() {
  if (!made_) return;
  const PluginHost::Entry entry(host_, Stage::kRunning, nullptr);
  host_.tasks().end_expected(self_);
  if (started_ && library_->instance().stop) call_plugin(library_->instance().stop, self_);
  if (library_->instance().destroy) call_plugin(library_->instance().destroy, self_);
}

void PluginApp::start() {
  started_ = true;
  host_.metrics().show();
  if (!library_->instance().start) return;
  const PluginHost::Entry entry(host_, Stage::kRunning, nullptr);
  call_plugin(library_->instance().start, self_);
}

void PluginApp::retire() { host_.tasks().stop_timers(); }

void PluginApp::cancel(Code code, ReplySink& sink) {
  host_.deferred().fail_all(code, host_.label().name + " was replaced", sink);
  host_.logins().refuse_all();
  store_.fail_all();
}

bool PluginApp::run_ready(ReplySink& sink) {
  const Timestamp now = world_.clock.now();
  if (host_.deferred().has_late(now)) host_.deferred().expire(now, sink);
  const bool left = host_.tasks().ready() && run_tasks(sink);
  host_.logins().deliver(now);
  store_.deliver();
  return left;
}

bool PluginApp::run_tasks(ReplySink& sink) {
  const PluginHost::Entry entry(host_, Stage::kRunning, &sink);
  const Timestamp before = world_.clock.measure();
  const bool left = host_.tasks().run(self_, sink);
  reports_.took(world_.clock.measure() - before, "timers and posts");
  return left;
}

size_t PluginApp::handle(std::span<const Delivery> batch, ReplySink& sink) {
  const PluginHost::Entry entry(host_, Stage::kRunning, &sink);
  Timestamp before = world_.clock.measure();
  size_t taken = 0;
  do {
    run_one(batch[taken++], sink);
    const Timestamp after = world_.clock.measure();
    reports_.took(after - before, "on_message");
    before = after;
  } while (taken < batch.size() && !sink.enough());
  reports_.stats().handled += taken;
  return taken;
}

void PluginApp::withdraw(Ticket ticket, ReplySink& sink) {
  if (!host_.deferred().settle(ticket) || !library_->handler().on_cancel) return;
  const PluginHost::Entry entry(host_, Stage::kRunning, &sink);
  const Timestamp before = world_.clock.measure();
  call_plugin(library_->handler().on_cancel, self_, ticket.bits);
  reports_.took(world_.clock.measure() - before, "on_cancel");
}

void PluginApp::run_one(const Delivery& delivery, ReplySink& sink) {
  const gw_message message = plain_of(delivery);
  host_.begin_message(delivery);
  const gw_status status = call_plugin(library_->handler().on_message, self_, &message);
  const bool open = host_.end_message();
  if (status != GW_OK) reports_.failed("plugin's handler failed", name_of_status(status));
  if (!open) return;
  if (status == GW_OK) return sink.done(delivery.ticket);
  sink.fail(delivery.ticket, code_of(status), host_.label().name + " failed");
}

gw_message PluginApp::plain_of(const Delivery& delivery) {
  headers_.clear();
  for (const wire::Header& header : delivery.headers) headers_.push_back({plain(header.name), plain(header.value)});
  gw_message message{.struct_size = sizeof(gw_message),
                     .handler = delivery.handler,
                     .kind = static_cast<uint8_t>(delivery.kind),
                     .priority = static_cast<uint8_t>(delivery.priority),
                     .header_count = static_cast<uint32_t>(headers_.size()),
                     .ticket = delivery.ticket.bits,
                     .id = delivery.message_id,
                     .deadline_ns = deadline_of(delivery),
                     .action = plain(delivery.action),
                     .body = plain(delivery.body),
                     .headers = headers_.data()};
  if (delivery.session) {
    message.session = delivery.session->id;
    message.client_id = plain(delivery.session->client_id);
    message.uid = plain(delivery.session->uid);
    message.address = plain(delivery.session->address);
  }
  return message;
}

AppStats PluginApp::stats() const {
  AppStats stats = reports_.stats();
  stats.errors += host_.failures();
  return stats;
}

Result<std::string> PluginApp::export_state() {
  const PluginHost::Entry entry(host_, Stage::kSaving, nullptr);
  const gw_status status = call_plugin(library_->instance().save, self_);
  // The version goes first: what was saved is read by another one.
  if (status == GW_OK) return source_->file.info.version + '\0' + host_.take_state();
  return godwit::fail(Code::kPluginFailed,
                      fmt::format("save of {} failed with {}", host_.label().name, name_of_status(status)));
}

Status PluginApp::import_state(std::string_view state) {
  const PluginHost::Entry entry(host_, Stage::kRunning, nullptr);
  const size_t end = std::min(state.find('\0'), state.size());
  const Bytes saved = as_bytes(state.substr(std::min(end + 1, state.size())));
  const gw_status status = call_plugin(library_->instance().restore, self_, plain(saved), plain(state.substr(0, end)));
  if (status == GW_OK) return {};
  return godwit::fail(Code::kPluginFailed,
                      fmt::format("restore of {} refused what the generation before has saved, with {}",
                                  host_.label().name, name_of_status(status)));
}

std::string_view PluginApp::reroute(wire::Kind kind, std::string_view action) {
  const PluginHost::Entry entry(host_, Stage::kRunning, nullptr);
  const gw_route_request request{
      .struct_size = sizeof(gw_route_request), .kind = static_cast<uint8_t>(kind), .action = plain(action)};
  gw_route_decision decision{.struct_size = sizeof(gw_route_decision), .action = plain(action)};
  const gw_status status = call_plugin(library_->router().route, self_, &request, &decision);
  const std::string_view chosen = view(decision.action);
  if (status == GW_OK && routing::check_action(chosen)) return chosen;
  reports_.failed("plugin's route was not followed",
                  status == GW_OK ? "no action: " + escape_for_log(chosen, 64) : name_of_status(status));
  return action;
}

std::string_view PluginApp::strategy_name() const {
  const std::string_view label = host_.label().name;
  return label.substr(0, label.rfind('@'));
}

std::vector<transfer::SizeRange> PluginApp::ranges() const {
  const gw_strategy_kind& kind = library_->strategy();
  return {{kind.bytes_min, kind.bytes_max == 0 ? transfer::kBytesMax : kind.bytes_max}};
}

PluginApp::Answer PluginApp::make_plan(size_t, const transfer::Question& question, transfer::Plan& plan) {
  const PluginHost::Entry entry(host_, Stage::kRunning, nullptr);
  const gw_strategy_question asked = plain(question);
  gw_strategy_plan out = plain(plan);
  const Timestamp before = world_.clock.measure();
  const gw_status status = call_plugin(library_->strategy().plan, self_, &asked, &out);
  reports_.took(world_.clock.measure() - before, "plan");
  if (status == GW_ERROR_NOT_FOUND) return Answer::kLeftToDefault;
  plan = plan_of(out);
  if (status == GW_OK) return Answer::kPlanned;
  reports_.failed("plugin failed to plan", name_of_status(status));
  return Answer::kFailed;
}

void PluginApp::on_plan_refused(const transfer::Question&, const Error& why) {
  reports_.failed("plugin's plan makes no sense", why.text);
}

void PluginApp::authenticate(const session::Credentials& credentials, Decided done) {
  PluginLogins& logins = host_.logins();
  const gw_login login = logins.begin(credentials);
  Result<session::Identity> answer = ask(credentials, login);
  if (!logins.end(login, done)) return done(std::move(answer));
  if (!answer) logins.refuse(login, std::move(answer.error()), world_.clock.now());
}

/// What it answers at once.
Result<session::Identity> PluginApp::ask(const session::Credentials& client, gw_login login) {
  const PluginHost::Entry entry(host_, Stage::kRunning, nullptr);
  const gw_credentials credentials{.struct_size = sizeof(gw_credentials),
                                   .client_id = plain(client.client_id),
                                   .uid = plain(client.uid),
                                   .token = plain(client.token),
                                   .agent = plain(client.agent),
                                   .certificate_name = plain(client.certificate_name),
                                   .login = login,
                                   .address = plain(client.address)};
  gw_identity identity{.struct_size = sizeof(gw_identity)};
  const Timestamp before = world_.clock.measure();
  const gw_status status = call_plugin(library_->auth().authenticate, self_, &credentials, &identity);
  reports_.took(world_.clock.measure() - before, "authenticate");
  if (status != GW_OK) return tl::unexpected(host_.refusal_of(status));
  if (host_.logins().put_off(login)) return session::Identity{};
  const std::string_view uid = view(identity.uid);
  if (session::check_uid(uid)) return session::Identity{client.client_id, std::string(uid)};
  reports_.failed("plugin named no uid", "a uid is 1 to 128 bytes of printable text");
  return godwit::fail(Code::kUnauthenticated, "not admitted");
}

}  // namespace godwit::host
