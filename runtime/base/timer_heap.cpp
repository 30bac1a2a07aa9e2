#include "base/timer_heap.h"

#include <algorithm>

#include "base/check.h"

namespace godwit {
namespace {

// Four children share a cache line of pointers, and the tree is half as deep as a binary one.
constexpr size_t kArity = 4;

constexpr size_t parent_of(size_t index) { return (index - 1) / kArity; }
constexpr size_t first_child_of(size_t index) { return index * kArity + 1; }

}  // namespace

Timer::~Timer() {
  if (heap_) heap_->disarm(*this);
  if (destroyed_) *destroyed_ = true;
}

// The callback runs from the stack, because it may destroy the timer that owns it.
void Timer::fire(Timestamp now) {
  bool destroyed = false;
  destroyed_ = &destroyed;
  auto callback = std::move(on_fire_);
  callback(now);
  if (destroyed) return;
  destroyed_ = nullptr;
  on_fire_ = std::move(callback);
}

TimerHeap::~TimerHeap() {
  GW_CHECK(firing_.empty());
  for (Timer* timer : heap_) {
    timer->heap_ = nullptr;
    timer->deadline_ = kNever;
  }
}

void TimerHeap::arm(Timer& timer, Timestamp deadline) {
  if (deadline == kNever) return disarm(timer);
  if (timer.heap_ == this && !timer.due_) {
    const bool sooner = deadline < timer.deadline_;
    timer.deadline_ = deadline;
    return sooner ? sift_up(timer.index_) : sift_down(timer.index_);
  }
  if (timer.heap_) timer.heap_->disarm(timer);
  timer.heap_ = this;
  timer.deadline_ = deadline;
  heap_.push_back(nullptr);
  place(heap_.size() - 1, &timer);
  sift_up(heap_.size() - 1);
}

void TimerHeap::disarm(Timer& timer) {
  if (!timer.heap_) return;
  GW_CHECK(timer.heap_ == this);
  if (timer.due_) {
    firing_[timer.index_] = nullptr;
    timer.due_ = false;
  } else {
    remove(timer.index_);
  }
  timer.heap_ = nullptr;
  timer.deadline_ = kNever;
}

Timestamp TimerHeap::next() const { return heap_.empty() ? kNever : heap_.front()->deadline_; }

size_t TimerHeap::run(Timestamp now) {
  GW_CHECK(firing_.empty());
  take_due(now);
  size_t fired = 0;
  for (size_t i = 0; i < firing_.size(); ++i) {
    Timer* timer = firing_[i];
    if (!timer) continue;
    disarm(*timer);
    timer->fire(now);
    ++fired;
  }
  firing_.clear();
  return fired;
}

void TimerHeap::take_due(Timestamp now) {
  while (next() <= now) {
    Timer* timer = heap_.front();
    remove(0);
    timer->due_ = true;
    timer->index_ = firing_.size();
    firing_.push_back(timer);
  }
}

void TimerHeap::remove(size_t index) {
  Timer* last = heap_.back();
  heap_.pop_back();
  if (index == heap_.size()) return;
  place(index, last);
  sift_up(index);
  sift_down(last->index_);
}

void TimerHeap::sift_up(size_t index) {
  Timer* timer = heap_[index];
  while (index > 0 && timer->deadline_ < heap_[parent_of(index)]->deadline_) {
    place(index, heap_[parent_of(index)]);
    index = parent_of(index);
  }
  place(index, timer);
}

void TimerHeap::sift_down(size_t index) {
  Timer* timer = heap_[index];
  const auto sooner = [](const Timer* a, const Timer* b) { return a->deadline_ < b->deadline_; };
  for (;;) {
    const size_t first = first_child_of(index);
    if (first >= heap_.size()) break;
    const auto begin = heap_.begin() + static_cast<ptrdiff_t>(first);
    const auto end = heap_.begin() + static_cast<ptrdiff_t>(std::min(first + kArity, heap_.size()));
    const auto child = std::min_element(begin, end, sooner);
    if (!sooner(*child, timer)) break;
    const auto child_index = static_cast<size_t>(child - heap_.begin());
    place(index, *child);
    index = child_index;
  }
  place(index, timer);
}

void TimerHeap::place(size_t index, Timer* timer) {
  heap_[index] = timer;
  timer->index_ = index;
}

}  // namespace godwit
