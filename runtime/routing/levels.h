#pragma once

#include <string_view>

namespace godwit::routing {

/// Walks the levels of an action or pattern, which dots separate: "a.b" has two, "" has one, which is empty.
class Levels {
 public:
  explicit Levels(std::string_view text) : rest_(text) {}

  bool done() const { return done_; }

  std::string_view next() {
    const size_t dot = rest_.find('.');
    const std::string_view level = rest_.substr(0, dot);
    done_ = dot == std::string_view::npos;
    rest_.remove_prefix(done_ ? rest_.size() : dot + 1);
    return level;
  }

 private:
  std::string_view rest_;
  bool done_ = false;
};

}  // namespace godwit::routing
