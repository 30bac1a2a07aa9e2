#pragma once

#include <godwit/plugin_test.h>

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "plugin_test/fake_world.h"

namespace godwit::plugin_test {

/// A verdict, with what its public face points to.
struct Verdict {
  gw_test_verdict face{.struct_size = sizeof(gw_test_verdict)};
  gw_ticket ticket = 0;
  gw_session session = 0;
  bool is_event = false;
  std::string text;
  std::string body;
  std::deque<std::string> header_texts;
  std::vector<gw_header> headers;

  bool open() const { return face.outcome == GW_TEST_NOBODY || face.outcome == GW_TEST_DEFERRED; }
  void reply(std::string_view with, const gw_header* given, uint32_t count);
  void fail(gw_status status, std::string_view why);
};

/// What stands behind the tables that a plugin under test sees.
class FakeHost {
 public:
  enum class Stage { kOutside, kCreating, kRunning, kSaving };
  using Value = std::variant<std::string, int64_t, double, bool>;

  FakeHost(uint32_t generation, FakeWorld& world);
  FakeHost(const FakeHost&) = delete;
  FakeHost& operator=(const FakeHost&) = delete;

  const gw_host* face() const { return &face_.host; }
  static FakeHost& of(const gw_host* host);

  /// The plugin's code runs for as long as it lives.
  class Entry {
   public:
    Entry(FakeHost& host, Stage stage) : host_(host), outer_(std::exchange(host.stage_, stage)) {}
    ~Entry() { host_.stage_ = outer_; }

   private:
    FakeHost& host_;
    const Stage outer_;
  };
  Stage stage() const { return stage_; }
  bool entered() const { return stage_ != Stage::kOutside; }

  /// The verdict that a ticket belongs to, as long as it is open.
  Verdict* find(gw_ticket ticket);
  Verdict& add_message(int kind, gw_session session);

  gw_timer start_timer(int64_t first_ns, int64_t every_ns, std::function<void()> fire);
  bool stop_timer(gw_timer timer) { return timers_.erase(timer) > 0; }
  void stop_timers() { timers_.clear(); }
  /// Moves the clock to `until_ns` and runs what is due on the way.
  void run_until(int64_t until_ns);

  struct Metric {
    int type;
    std::string name;
    int64_t value = 0;
  };

  /// The client that was asked about last.
  struct Login {
    gw_login number = 0;
    bool asked = false;     ///< right now
    bool deferred = false;  ///< and not decided
    int64_t deadline_ns = 0;
    gw_status status = GW_OK;
    std::string uid;
  };

  FakeWorld& world;
  void* self = nullptr;
  Login login;
  int64_t now_ns = 1'000'000'000;
  std::map<std::string, Value> values;
  std::vector<std::string> patterns;
  std::vector<uint32_t> binding_flags;  ///< of each pattern
  std::vector<Metric> metrics;
  std::vector<std::string> lines;  ///< of the log
  std::deque<std::function<void()>> posts;
  std::string state;
  std::deque<std::unique_ptr<Verdict>> verdicts;
  gw_ticket in_hand = 0;  ///< of on_message

 private:
  struct Face {
    gw_host host;
    FakeHost* owner;
  };
  struct Timer {
    int64_t due_ns;
    int64_t every_ns;
    std::function<void()> fire;
  };
  void run_posts();

  Face face_;
  Stage stage_ = Stage::kOutside;
  std::map<gw_timer, Timer> timers_;
  gw_timer last_timer_ = 0;
};

/// Fills in the tables that this host has.
void set_tables(gw_host& host);

}  // namespace godwit::plugin_test
