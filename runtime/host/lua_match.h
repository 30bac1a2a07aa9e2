#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

namespace godwit::host {

/// Matches Lua 5.1 patterns (reference manual §5.4.1, with %f and %g). Unlike the matcher inside LuaJIT, which nothing
/// can stop while it backtracks, this one asks from time to time whether to go on: a pathological pattern ends when its
/// script's time is up.
class LuaMatch {
 public:
  static constexpr size_t kCapturesMax = 32;

  /// Asked every few thousand steps; true ends the match.
  struct Interrupt {
    bool (*asked)(void* context);
    void* context;
  };

  struct Capture {
    size_t begin = 0;
    size_t size = 0;
    bool is_position = false;  ///< `()`: the position itself, `begin` from 0
  };

  /// What a '^' at the beginning of the pattern means: gmatch takes it for itself.
  enum class Caret : unsigned char { kAnchors, kLiteral };

  LuaMatch(std::string_view subject, std::string_view pattern, Caret caret, Interrupt interrupt);

  /// Tries to match at exactly this position; the end of what matched.
  std::optional<size_t> match_at(size_t position);
  /// Tries from this position on, only there if the pattern begins with '^'. `begin` of the match is left in `found`.
  std::optional<size_t> search(size_t position, size_t& found);

  bool is_anchored() const { return anchored_; }
  size_t capture_count() const { return level_; }
  const Capture& capture(size_t index) const { return captures_[index].value; }

  /// Why there was no match, when the pattern is malformed or the interrupt asked to end. Null otherwise.
  const char* error() const { return error_; }
  bool interrupted() const { return interrupted_; }

 private:
  static constexpr size_t kNone = ~size_t{0};
  enum class Open : unsigned char { kClosed, kOpen };
  struct Slot {
    Capture value;
    Open open = Open::kClosed;
  };

  size_t match(size_t subject, size_t pattern);
  size_t match_item(size_t subject, size_t& pattern, bool& goes_on);
  size_t match_greedy(size_t subject, size_t item, size_t item_end);
  size_t match_lazy(size_t subject, size_t item, size_t item_end);
  size_t match_optional(size_t subject, size_t item, size_t item_end);
  size_t match_balanced(size_t subject, size_t pattern);
  bool at_frontier(size_t subject, size_t set, size_t set_end) const;
  size_t begin_capture(size_t subject, size_t pattern, bool is_position);
  size_t end_capture(size_t subject, size_t pattern);
  size_t match_back_reference(size_t subject, size_t pattern);

  size_t item_end(size_t pattern);
  bool matches_one(size_t subject, size_t item, size_t item_end) const;
  bool in_set(unsigned char byte, size_t set, size_t set_end) const;
  unsigned char byte_of(size_t subject) const;
  bool keeps_going();
  size_t give_up(const char* reason);

  std::string_view subject_;
  std::string_view pattern_;
  Interrupt interrupt_;
  bool anchored_ = false;
  std::array<Slot, kCapturesMax> captures_;
  size_t level_ = 0;
  size_t depth_ = 0;
  size_t steps_ = 0;
  const char* error_ = nullptr;
  bool interrupted_ = false;
};

}  // namespace godwit::host
