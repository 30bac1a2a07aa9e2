#include "world.h"

#include <algorithm>

#include "base/check.h"
#include "seeded_system.h"

namespace godwit::sim {
namespace {

/// A turn that wants another one at once gets it so much later: time must move, or handlers would seem free of cost.
constexpr Duration kNextTurn = 20us;
/// More steps without time passing than any real burst needs: somebody spins.
constexpr uint64_t kStepsInPlaceMax = 100'000;
constexpr size_t kIdleBuffersMax = 4096;

/// Hands out a slot of `items`, a used one where there is one.
template <typename T>
uint32_t put(std::vector<T>& items, std::vector<uint32_t>& free, T item) {
  if (free.empty()) {
    items.push_back(std::move(item));
    return static_cast<uint32_t>(items.size() - 1);
  }
  const uint32_t slot = free.back();
  free.pop_back();
  items[slot] = std::move(item);
  return slot;
}

}  // namespace

World::World(const Options& options)
    : seed_(options.seed),
      tls_(options.tls),
      random_(options.seed),
      trace_(clock_, options.print),
      ledger_(*this),
      network_(*this, random_()) {
  seed_system(options.seed);
}

void World::add(Node& node) { members_.push_back({&node}); }

void World::remove(Node& node) {
  std::erase_if(members_, [&](const Member& member) { return member.node == &node; });
  for (Datagram& datagram : datagrams_) {
    if (datagram.to == &node) datagram.to = nullptr;
  }
}

std::vector<uint8_t> World::take_buffer(Bytes content) {
  std::vector<uint8_t> buffer;
  if (!buffers_.empty()) {
    buffer = std::move(buffers_.back());
    buffers_.pop_back();
  }
  buffer.assign(content.begin(), content.end());
  return buffer;
}

void World::deliver(Timestamp at, Node& to, const NetworkPath& path, uint8_t ecn, std::vector<uint8_t> datagram) {
  const uint32_t slot = put(datagrams_, free_datagrams_, Datagram{&to, path, ecn, std::move(datagram)});
  events_.push({at, next_order_++, slot, true});
}

World::Member& World::member(const Node& node) {
  const auto found = std::find_if(members_.begin(), members_.end(), [&](const Member& m) { return m.node == &node; });
  GW_CHECK(found != members_.end());
  return *found;
}

void World::pause(const Node& node, Duration duration) {
  member(node).paused_until = now() + duration;
  after(duration, [] {});  // gives it a turn
}

void World::after(Duration delay, std::function<void()> action) {
  const uint32_t slot = put(actions_, free_actions_, std::move(action));
  events_.push({now() + delay, next_order_++, slot, false});
}

bool World::run_until(const std::function<bool()>& done, Duration limit) {
  const Timestamp end = now() + limit;
  touch_all();  // the scenario may have called into any node
  run_turns();
  while (ok()) {
    if (done()) return true;
    if (!step(end)) break;
  }
  if (ok()) clock_.move_to(end);
  return false;
}

void World::run(Duration time) {
  run_until([] { return false; }, time);
}

void World::expect(bool holds, std::string_view what) {
  if (holds || !ok()) return;
  violation_ = what;
  trace_.note("world", what);
}

Timestamp World::next() const {
  Timestamp next = events_.empty() ? kNever : events_.top().at;
  for (const Member& member : members_) {
    const Timestamp due = std::min(member.wake, member.node->timers().next());
    if (due != kNever) next = std::min(next, std::max(due, member.paused_until));
  }
  return next;
}

bool World::step(Timestamp end) {
  const Timestamp next = this->next();
  if (next > end) return false;
  watch_progress(next);
  clock_.move_to(std::max(next, now()));
  run_timers();
  run_events();
  run_turns();
  return true;
}

void World::run_timers() {
  for (size_t i = 0; i < members_.size(); ++i) {
    Member& member = members_[i];
    if (member.paused_until > now()) continue;
    if (member.wake <= now()) member.touched = true;
    if (member.node->timers().next() > now()) continue;
    member.touched = true;
    member.node->timers().run(now());
  }
}

void World::run_events() {
  while (!events_.empty() && events_.top().at <= now()) {
    const Event event = events_.top();
    events_.pop();
    if (event.is_datagram) {
      free_datagrams_.push_back(event.slot);
      hand_over(std::move(datagrams_[event.slot]));
    } else {
      free_actions_.push_back(event.slot);
      std::exchange(actions_[event.slot], nullptr)();
      touch_all();
    }
  }
}

void World::touch_all() {
  for (Member& member : members_) member.touched = true;
}

void World::hand_over(Datagram datagram) {
  if (!datagram.to) return;
  Member& to = member(*datagram.to);
  if (to.paused_until > now()) {
    return deliver(to.paused_until, *datagram.to, datagram.path, datagram.ecn, std::move(datagram.bytes));
  }
  to.touched = true;
  datagram.to->receive({datagram.path, datagram.ecn, datagram.bytes, datagram.bytes.size()});
  if (buffers_.size() < kIdleBuffersMax) buffers_.push_back(std::move(datagram.bytes));
}

void World::run_turns() {
  for (size_t i = 0; i < members_.size(); ++i) {
    if (members_[i].paused_until > now() || !std::exchange(members_[i].touched, false)) continue;
    const bool more = members_[i].node->end_turn();
    const Duration worked = std::exchange(clock_.worked, {});
    members_[i].wake = more ? now() + worked + kNextTurn : kNever;
  }
}

void World::watch_progress(Timestamp next) {
  steps_in_place_ = next > now() ? 0 : steps_in_place_ + 1;
  expect(steps_in_place_ < kStepsInPlaceMax, "the loop spins: time stands still");
}

}  // namespace godwit::sim
