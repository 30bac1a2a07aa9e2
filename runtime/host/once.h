#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace godwit::host {

/// What came of something that was to happen once. Told again to everybody who asks with its key, until its ttl is
/// over.
struct OnceOutcome {
  Code code = Code::kOk;  ///< kOk: it succeeded
  std::string text;       ///< of a failure
  std::string body;       ///< of a success
  std::vector<std::pair<std::string, std::string>> headers;
};

struct OnceOptions {
  Duration ttl{};    ///< how long an outcome is kept; 0: operations.ttl
  Duration lease{};  ///< how long an execution counts as under way whose process died; 0: operations.lease
  Duration wait{};   ///< for an execution that is under way; then OperationExecuting
  /// What an execution that broke off means: that nobody knows what it did, so it never happens again
  /// (OperationUnknown), or that the next who asks executes again.
  enum class BrokenOff : uint8_t { kUnknown, kAgain } broken_off = BrokenOff::kUnknown;
  /// Of what is asked for. Another one with the same key is refused (OperationMismatch); 0: not compared.
  uint64_t fingerprint = 0;
};

/// The right to execute, and the duty to say what came of it. Destroyed without a word it is as if nobody had asked,
/// or, once entered, an execution that broke off. Belongs to one worker's thread.
class OnceRun {
 public:
  virtual ~OnceRun() = default;
  /// Whatever has effects may have begun.
  virtual void enter() = 0;
  /// `done` is called once, when the outcome is kept: as durable as the store makes it.
  virtual void finish(OnceOutcome outcome, std::function<void()> done) = 0;
};

/// Sees to it that what has a key happens once, for all workers of the process: the first who asks executes, others
/// wait for the outcome or hear it at once. One per worker.
class Once {
 public:
  static constexpr size_t kKeyBytesMax = 512;

  virtual ~Once() = default;

  struct Begun {
    std::shared_ptr<OnceRun> run;  ///< null: it has happened
    OnceOutcome outcome;
  };
  using Done = std::function<void(Result<Begun>)>;

  /// `done` is called once, before this returns or later. Keys of different spaces are different. Errors say that
  /// nothing is known of an outcome: OperationExecuting, OperationMismatch, MessageTooLarge for a key, StoreFull, and
  /// what the store says.
  virtual void begin(std::string_view space, std::string_view key, const OnceOptions& options, Done done) = 0;
};

}  // namespace godwit::host
