#include "plugin_test/fake_host.h"

#include <algorithm>
#include <utility>

namespace godwit::plugin_test {
namespace {

constexpr int kRoundsMax = 10'000;  ///< of posts that post again: more is a plugin that never comes to rest

gw_text kept(std::deque<std::string>& store, gw_text text) {
  store.emplace_back(text.data ? text.data : "", text.data ? text.size : 0);
  return {store.back().data(), store.back().size()};
}

}  // namespace

void Verdict::reply(std::string_view with, const gw_header* given, uint32_t count) {
  body = with;
  for (uint32_t i = 0; i < count; ++i)
    headers.push_back({kept(header_texts, given[i].name), kept(header_texts, given[i].value)});
  face.outcome = GW_TEST_REPLIED;
  face.status = GW_OK;
  face.text = text.c_str();
  face.body = reinterpret_cast<const uint8_t*>(body.data());
  face.body_size = body.size();
  face.headers = headers.data();
  face.header_count = count;
}

void Verdict::fail(gw_status status, std::string_view why) {
  text = why;
  face.outcome = GW_TEST_FAILED;
  face.status = status;
  face.text = text.c_str();
}

FakeHost::FakeHost(uint32_t generation, FakeWorld& around) : world(around), face_{} {
  face_.owner = this;
  face_.host.struct_size = sizeof(gw_host);
  face_.host.abi_major = GW_ABI_MAJOR;
  face_.host.abi_minor = GW_ABI_MINOR;
  face_.host.worker_count = 1;
  face_.host.generation = generation;
  face_.host.server_version = GW_TEXT("godwit-plugin-test");
  set_tables(face_.host);
}

FakeHost& FakeHost::of(const gw_host* host) { return *reinterpret_cast<const Face*>(host)->owner; }

Verdict* FakeHost::find(gw_ticket ticket) {
  const auto found = std::find_if(verdicts.begin(), verdicts.end(),
                                  [&](const auto& verdict) { return verdict->ticket == ticket && verdict->open(); });
  return found == verdicts.end() ? nullptr : found->get();
}

Verdict& FakeHost::add_message(int kind, gw_session session) {
  verdicts.push_back(std::make_unique<Verdict>());
  verdicts.back()->ticket = verdicts.size();
  verdicts.back()->session = session;
  verdicts.back()->is_event = kind == GW_EVENT;
  verdicts.back()->face.text = verdicts.back()->text.c_str();
  return *verdicts.back();
}

gw_timer FakeHost::start_timer(int64_t first_ns, int64_t every_ns, std::function<void()> fire) {
  timers_[++last_timer_] = {now_ns + std::max<int64_t>(first_ns, 0), every_ns, std::move(fire)};
  return last_timer_;
}

void FakeHost::run_posts() {
  for (int round = 0; round < kRoundsMax && !posts.empty(); ++round) {
    const auto post = std::move(posts.front());
    posts.pop_front();
    const Entry entry(*this, Stage::kRunning);
    post();
  }
}

void FakeHost::run_until(int64_t until_ns) {
  run_posts();
  const auto earlier = [](const auto& a, const auto& b) { return a.second.due_ns < b.second.due_ns; };
  while (!timers_.empty()) {
    const auto next = std::min_element(timers_.begin(), timers_.end(), earlier);
    if (next->second.due_ns > until_ns) break;
    now_ns = std::max(now_ns, next->second.due_ns);
    const auto fire = next->second.fire;
    if (next->second.every_ns > 0) {
      next->second.due_ns += next->second.every_ns;
    } else {
      timers_.erase(next);
    }
    {
      const Entry entry(*this, Stage::kRunning);
      fire();
    }
    run_posts();
  }
  now_ns = std::max(now_ns, until_ns);
}

}  // namespace godwit::plugin_test
