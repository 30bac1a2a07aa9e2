#include <dlfcn.h>
#include <godwit/plugin_test.h>

#include <cstring>

#include "plugin_test/fake_host.h"
#include "plugin_test/fake_views.h"
#include "plugin_test/store_answers.h"

using godwit::plugin_test::FakeHost;
using godwit::plugin_test::Verdict;

namespace {

using Stage = FakeHost::Stage;

constexpr int64_t kLoginTimeoutNs = 5'000'000'000;
constexpr size_t kTranslatedBytesMax = 1 << 20;

gw_text text_of(const char* text) { return {text ? text : "", text ? std::strlen(text) : 0}; }

/// Level by level: `*` is one level, `**` at the end the rest.
bool matches_levels(std::string_view pattern, std::string_view action) {
  if (pattern == "**") return !action.empty();
  const size_t in_pattern = std::min(pattern.find('.'), pattern.size());
  const size_t in_action = std::min(action.find('.'), action.size());
  const std::string_view level = pattern.substr(0, in_pattern);
  if (level != "*" && level != action.substr(0, in_action)) return false;
  const bool last = in_pattern == pattern.size(), at_end = in_action == action.size();
  if (last || at_end) return last && at_end;
  return matches_levels(pattern.substr(in_pattern + 1), action.substr(in_action + 1));
}

bool matches(std::string_view pattern, int kind, std::string_view action) {
  static constexpr std::string_view kKinds[] = {"command", "event", "query"};
  const size_t slash = pattern.find('/');
  if (slash == pattern.npos) return matches_levels(pattern, action);
  const std::string_view wanted = pattern.substr(0, slash);
  const bool right_kind = wanted == "*" || (kind >= GW_COMMAND && kind <= GW_QUERY && wanted == kKinds[kind]);
  return right_kind && matches_levels(pattern.substr(slash + 1), action);
}

}  // namespace

struct gw_test {
  godwit::plugin_test::FakeWorld world;
  std::map<std::string, FakeHost::Value> values;
  void* library = nullptr;
  const gw_plugin* plugin = nullptr;
  std::unique_ptr<FakeHost> host;
  std::deque<std::unique_ptr<FakeHost>> former;  ///< hold verdicts that were handed out
  uint32_t generation = 0;
  std::string error;
  std::string answer;
  std::vector<uint8_t> translated;
  godwit::plugin_test::StoreAnswers stored;
  gw_session session = 1;
  std::string client_id = "test-client";
  std::string uid = "test-user";
  std::vector<std::pair<std::string, std::string>> headers;
  uint64_t messages = 0;

  gw_status refuse(std::string text) {
    error = std::move(text);
    return GW_ERROR_PLUGIN_FAILED;
  }
  gw_status open(const char* file);
  gw_status make(std::unique_ptr<FakeHost>& out);
  void start();
  void deliver(const gw_message& message, Verdict& verdict);
  void end();
  void tell(godwit::plugin_test::Sent& sent, gw_status status, std::string_view body);
};

/// Once: whoever waits hears how it has ended.
void gw_test::tell(godwit::plugin_test::Sent& sent, gw_status status, std::string_view body) {
  const gw_on_reply done = std::exchange(sent.done, nullptr);
  sent.face.waits = false;
  if (!done) return;
  const gw_reply reply{.struct_size = sizeof(gw_reply),
                       .status = status,
                       .text = GW_TEXT(""),
                       .body = godwit::plugin_test::plain_bytes(body),
                       .headers = nullptr,
                       .header_count = 0};
  done(host->self, sent.argument, &reply);
}

gw_status gw_test::open(const char* file) {
  library = dlopen(file, RTLD_NOW | RTLD_LOCAL);
  if (!library) return refuse(dlerror());
  plugin = static_cast<const gw_plugin*>(dlsym(library, GW_PLUGIN_SYMBOL));
  if (!plugin) return refuse("it exports no " GW_PLUGIN_SYMBOL);
  if (plugin->magic != GW_PLUGIN_MAGIC) return refuse("its descriptor does not begin with GW_PLUGIN_HEAD");
  if (plugin->abi_major != GW_ABI_MAJOR) return refuse("it was built for another major version");
  if (plugin->host_minor_min > GW_ABI_MINOR) return refuse("it needs a later minor version");
  if (!GW_HAS(gw_instance_table, plugin->instance, create)) return refuse("it has no instance->create");
  return GW_OK;
}

gw_status gw_test::make(std::unique_ptr<FakeHost>& out) {
  out = std::make_unique<FakeHost>(++generation, world);
  out->values = values;
  if (host) out->now_ns = host->now_ns;
  const FakeHost::Entry entry(*out, Stage::kCreating);
  const gw_status status = plugin->instance->create(out->face(), &out->self);
  if (status != GW_OK) error = "create failed with " + std::to_string(status);
  return status;
}

void gw_test::start() {
  if (!GW_HAS(gw_instance_table, plugin->instance, start)) return;
  const FakeHost::Entry entry(*host, Stage::kRunning);
  plugin->instance->start(host->self);
}

void gw_test::deliver(const gw_message& message, Verdict& verdict) {
  if (!GW_HAS(gw_handler_kind, plugin->handler, on_message)) return;
  const FakeHost::Entry entry(*host, Stage::kRunning);
  host->in_hand = verdict.ticket;
  const gw_status status = plugin->handler->on_message(host->self, &message);
  host->in_hand = 0;
  if (!verdict.open()) return;
  if (status != GW_OK) {
    verdict.fail(status, "");
  } else if (verdict.face.outcome == GW_TEST_NOBODY) {
    verdict.face.outcome = GW_TEST_TAKEN;
  }
}

void gw_test::end() {
  if (!host) return;
  host->stop_timers();
  {
    const FakeHost::Entry entry(*host, Stage::kRunning);
    for (const auto& sent : world.sent) tell(*sent, GW_ERROR_CANCELLED, {});
    if (GW_HAS(gw_instance_table, plugin->instance, stop)) plugin->instance->stop(host->self);
    if (GW_HAS(gw_instance_table, plugin->instance, destroy)) plugin->instance->destroy(host->self);
  }
  host->posts.clear();
  former.push_back(std::move(host));
}

gw_test* gw_test_new(void) {
  gw_test* test = new gw_test;
  gw_test_connect(test, test->session, test->client_id.c_str(), test->uid.c_str());
  return test;
}

void gw_test_free(gw_test* test) {
  if (!test) return;
  test->end();
  if (test->library) dlclose(test->library);
  delete test;
}

void gw_test_set_text(gw_test* test, const char* key, const char* value) { test->values[key] = std::string(value); }
void gw_test_set_integer(gw_test* test, const char* key, int64_t value) { test->values[key] = value; }
void gw_test_set_real(gw_test* test, const char* key, double value) { test->values[key] = value; }
void gw_test_set_boolean(gw_test* test, const char* key, bool value) { test->values[key] = value; }

gw_status gw_test_load(gw_test* test, const char* file) {
  test->error.clear();
  test->end();
  if (!test->library) {
    if (const gw_status opened = test->open(file); opened != GW_OK) return opened;
  }
  std::unique_ptr<FakeHost> made;
  const gw_status status = test->make(made);
  if (status != GW_OK) {
    test->former.push_back(std::move(made));
    return status;
  }
  test->host = std::move(made);
  test->start();
  return GW_OK;
}

const char* gw_test_error(const gw_test* test) { return test->error.c_str(); }

const gw_plugin* gw_test_descriptor(const gw_test* test) { return test->plugin; }

const char* gw_test_pattern(const gw_test* test, size_t index) {
  if (!test->host || index >= test->host->patterns.size()) return nullptr;
  return test->host->patterns[index].c_str();
}

uint32_t gw_test_binding_flags(const gw_test* test, size_t index) {
  return test->host && index < test->host->binding_flags.size() ? test->host->binding_flags[index] : 0;
}

void gw_test_sender(gw_test* test, gw_session session, const char* client_id, const char* uid) {
  test->session = session;
  test->client_id = client_id ? client_id : "";
  test->uid = uid ? uid : "";
  gw_test_connect(test, session, test->client_id.c_str(), test->uid.c_str());
}

void gw_test_connect(gw_test* test, gw_session session, const char* client_id, const char* uid) {
  auto& one = test->world.sessions[session];
  one.client_id = client_id ? client_id : "";
  one.uid = uid ? uid : "";
}

void gw_test_disconnect(gw_test* test, gw_session session) { test->world.sessions.erase(session); }

bool gw_test_connected(const gw_test* test, gw_session session) { return test->world.sessions.contains(session); }

const gw_test_sent* gw_test_sent_at(const gw_test* test, size_t index) {
  return index < test->world.sent.size() ? &test->world.sent[index]->face : nullptr;
}

void gw_test_answer(gw_test* test, size_t index, gw_status status, const void* body, size_t body_size) {
  if (!test->host || index >= test->world.sent.size()) return;
  const FakeHost::Entry entry(*test->host, Stage::kRunning);
  test->tell(*test->world.sent[index], status, {static_cast<const char*>(body), body_size});
}

void gw_test_header(gw_test* test, const char* name, const char* value) { test->headers.emplace_back(name, value); }

const gw_test_verdict* gw_test_send(gw_test* test, int kind, const char* action, const void* body, size_t body_size) {
  FakeHost& host = *test->host;
  Verdict& verdict = host.add_message(kind, test->session);
  const auto sent = std::exchange(test->headers, {});
  std::vector<gw_header> headers;
  for (const auto& [name, value] : sent) headers.push_back({text_of(name.c_str()), text_of(value.c_str())});
  for (uint32_t handler = 0; handler < host.patterns.size(); ++handler) {
    if (!matches(host.patterns[handler], kind, action)) continue;
    const gw_message message{.struct_size = sizeof(gw_message),
                             .handler = handler,
                             .kind = static_cast<uint8_t>(kind),
                             .header_count = static_cast<uint32_t>(headers.size()),
                             .ticket = verdict.ticket,
                             .id = ++test->messages,
                             .deadline_ns = GW_NEVER,
                             .action = text_of(action),
                             .body = {static_cast<const uint8_t*>(body), body_size},
                             .headers = headers.data(),
                             .session = test->session,
                             .client_id = text_of(test->client_id.c_str()),
                             .uid = text_of(test->uid.c_str()),
                             .address = GW_TEXT("127.0.0.1:4242")};
    test->deliver(message, verdict);
    break;
  }
  return &verdict.face;
}

void gw_test_advance(gw_test* test, int64_t ns) { test->host->run_until(test->host->now_ns + ns); }

void gw_test_cancel(gw_test* test, const gw_test_verdict* verdict) {
  for (const auto& one : test->host->verdicts) {
    if (&one->face != verdict || one->face.outcome != GW_TEST_DEFERRED) continue;
    one->face.outcome = GW_TEST_CANCELLED;
    if (!GW_HAS(gw_handler_kind, test->plugin->handler, on_cancel)) return;
    const FakeHost::Entry entry(*test->host, Stage::kRunning);
    return test->plugin->handler->on_cancel(test->host->self, one->ticket);
  }
}

const char* gw_test_route(gw_test* test, int kind, const char* action) {
  test->answer = action;
  if (!GW_HAS(gw_router_kind, test->plugin->router, route)) return test->answer.c_str();
  const gw_route_request request{
      .struct_size = sizeof(gw_route_request), .kind = static_cast<uint8_t>(kind), .action = text_of(action)};
  gw_route_decision decision{.struct_size = sizeof(gw_route_decision), .action = text_of(action)};
  const FakeHost::Entry entry(*test->host, Stage::kRunning);
  if (test->plugin->router->route(test->host->self, &request, &decision) == GW_OK)
    test->answer.assign(decision.action.data, decision.action.size);
  return test->answer.c_str();
}

gw_status gw_test_authenticate(gw_test* test, const char* client_id, const char* uid, const char* token,
                               const char** answer) {
  if (!GW_HAS(gw_auth_kind, test->plugin->auth, authenticate)) return GW_ERROR_NOT_SUPPORTED;
  FakeHost& host = *test->host;
  host.login = {.number = host.login.number + 1, .asked = true, .deadline_ns = host.now_ns + kLoginTimeoutNs};
  const gw_credentials credentials{.struct_size = sizeof(gw_credentials),
                                   .client_id = text_of(client_id),
                                   .uid = text_of(uid),
                                   .token = text_of(token),
                                   .agent = GW_TEXT("godwit-plugin-test"),
                                   .login = host.login.number,
                                   .address = GW_TEXT("127.0.0.1:4242")};
  gw_identity identity{.struct_size = sizeof(gw_identity)};
  const FakeHost::Entry entry(host, Stage::kRunning);
  const gw_status status = test->plugin->auth->authenticate(host.self, &credentials, &identity);
  host.login.asked = false;
  if (host.login.deferred && status != GW_OK) host.login = {.number = host.login.number, .status = status};
  const bool put_off = host.login.deferred || host.login.status != GW_OK || !host.login.uid.empty();
  if (!put_off) host.login.status = status, host.login.uid = godwit::plugin_test::view(identity.uid);
  return gw_test_decision(test, answer);
}

gw_status gw_test_decision(gw_test* test, const char** answer) {
  const FakeHost::Login& login = test->host->login;
  if (login.deferred) return test->host->now_ns < login.deadline_ns ? GW_TEST_UNDECIDED : GW_ERROR_UNAUTHENTICATED;
  if (login.status != GW_OK) return login.status;
  test->answer = login.uid;
  if (answer) *answer = test->answer.c_str();
  return GW_OK;
}

gw_status gw_test_plan(gw_test* test, const gw_strategy_question* question, gw_strategy_plan* out) {
  if (!GW_HAS(gw_strategy_kind, test->plugin->strategy, plan)) return GW_ERROR_NOT_SUPPORTED;
  *out = gw_strategy_plan{.struct_size = sizeof(gw_strategy_plan), .streams = 1};
  const FakeHost::Entry entry(*test->host, Stage::kRunning);
  return test->plugin->strategy->plan(test->host->self, question, out);
}

namespace {

using Translate = gw_status (*)(void*, gw_bytes, uint8_t*, size_t, size_t*);

gw_status translate(gw_test* test, Translate function, gw_bytes in, gw_bytes* out) {
  const FakeHost::Entry entry(*test->host, Stage::kRunning);
  gw_status status = GW_ERROR_MESSAGE_TOO_LARGE;
  for (size_t room = 256; status == GW_ERROR_MESSAGE_TOO_LARGE && room <= kTranslatedBytesMax; room *= 4) {
    test->translated.resize(room);
    size_t size = 0;
    status = function(test->host->self, in, test->translated.data(), room, &size);
    if (status == GW_OK && size > room) return GW_ERROR_PLUGIN_FAILED;
    *out = {test->translated.data(), status == GW_OK ? size : 0};
  }
  return status;
}

}  // namespace

gw_status gw_test_decode(gw_test* test, const void* body, size_t body_size, gw_bytes* out) {
  if (!GW_HAS(gw_codec_kind, test->plugin->codec, decode)) return GW_ERROR_NOT_SUPPORTED;
  return translate(test, test->plugin->codec->decode, {static_cast<const uint8_t*>(body), body_size}, out);
}

gw_status gw_test_encode(gw_test* test, const void* body, size_t body_size, gw_bytes* out) {
  if (!GW_HAS(gw_codec_kind, test->plugin->codec, encode)) return GW_ERROR_NOT_SUPPORTED;
  return translate(test, test->plugin->codec->encode, {static_cast<const uint8_t*>(body), body_size}, out);
}

const gw_test_stored* gw_test_scan(gw_test* test, const char* prefix, const char* after, uint32_t limit) {
  if (!GW_HAS(gw_store_kind, test->plugin->store, scan)) return nullptr;
  const FakeHost::Entry entry(*test->host, Stage::kRunning);
  return test->stored.scan(*test->plugin->store, test->host->self, text_of(prefix), text_of(after), limit);
}

const gw_test_stored* gw_test_apply(gw_test* test, const gw_store_step* steps, uint32_t count) {
  if (!GW_HAS(gw_store_kind, test->plugin->store, apply)) return nullptr;
  const FakeHost::Entry entry(*test->host, Stage::kRunning);
  return test->stored.apply(*test->plugin->store, test->host->self, steps, count);
}

gw_status gw_test_reload(gw_test* test) {
  const gw_instance_table* table = test->plugin->instance;
  const bool has_state = GW_HAS(gw_instance_table, table, save) && GW_HAS(gw_instance_table, table, restore);
  if (has_state) {
    const FakeHost::Entry entry(*test->host, Stage::kSaving);
    test->host->state.clear();
    if (const gw_status saved = table->save(test->host->self); saved != GW_OK) return saved;
  }
  std::unique_ptr<FakeHost> next;
  if (const gw_status made = test->make(next); made != GW_OK) return made;
  gw_status restored = GW_OK;
  if (has_state) {
    const FakeHost::Entry entry(*next, Stage::kRunning);
    const std::string& state = test->host->state;
    restored = table->restore(next->self, {reinterpret_cast<const uint8_t*>(state.data()), state.size()},
                              text_of(test->plugin->version));
  }
  if (restored == GW_OK) test->end();
  std::swap(test->host, next);
  if (restored == GW_OK) return test->start(), GW_OK;
  test->end();
  test->host = std::move(next);
  return restored;
}

const char* gw_test_log(const gw_test* test, size_t index) {
  for (const auto& former : test->former) {
    if (index < former->lines.size()) return former->lines[index].c_str();
    index -= former->lines.size();
  }
  return test->host && index < test->host->lines.size() ? test->host->lines[index].c_str() : nullptr;
}

int64_t gw_test_metric(const gw_test* test, const char* name) {
  if (!test->host) return 0;
  for (const FakeHost::Metric& metric : test->host->metrics) {
    if (metric.name == name) return metric.value;
  }
  return 0;
}
