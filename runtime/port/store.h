#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/limits.h"
#include "base/result.h"
#include "base/time.h"

namespace godwit {

struct StoreEntry {
  std::string key;
  std::string value;
  uint64_t version = 0;             ///< another one after each write, higher than any before; never 0
  Duration left = Duration::max();  ///< of its ttl; max: it stays
};

/// What a batch does to one key. A step that names a version holds only if the key has it.
struct StoreStep {
  enum class What : uint8_t {
    kPut,
    kAppend,  ///< to what is there, or to nothing
    kRemove,
    kExpect,  ///< changes nothing: the batch depends on the version
  } what = What::kPut;
  std::string key;
  std::string value{};
  Duration ttl{};                     ///< of put and append, counted anew; 0: it stays
  std::optional<uint64_t> version{};  ///< 0: the key is absent
};

using StoreBatch = std::vector<StoreStep>;

struct StoreVerdict {
  bool applied = false;              ///< false: a key had another version, and nothing was changed
  size_t failed_step = 0;            ///< the first such step
  std::vector<uint64_t> versions{};  ///< applied: of each step's key, 0 where it is absent now
};

/// Values by name that outlive whoever wrote them, as far as the engine behind it does: in memory, or on disk. One per
/// thread that uses it; all of them see the same entries, and a batch is one atomic step among them.
///
/// Each call ends in its `done`, once, on the calling thread: before the call returns or later. What was asked first is
/// seen by what was asked after it from the same thread. A write's `done` comes when it is as durable as the engine
/// makes it: who acknowledges there promises no more than is true. Refused by `done`: StoreBusy when too much waits,
/// StoreFull, MessageTooLarge beyond the bounds below, and what the engine meets on disk (StoreFailed, StoreDamaged).
class Store {
 public:
  static constexpr size_t kKeyBytesMax = 1024;
  /// The largest message with its envelope.
  static constexpr size_t kValueBytesMax = limits::kInlineBodyBytesMax + limits::kEnvelopeBytesMax;
  static constexpr size_t kStepsMax = 10'000;  ///< of one batch: it holds up all others
  static constexpr size_t kScanMax = 1000;     ///< entries of one answer

  using GetDone = std::function<void(Result<std::optional<StoreEntry>>)>;
  using ScanDone = std::function<void(Result<std::vector<StoreEntry>>)>;
  using ApplyDone = std::function<void(Result<StoreVerdict>)>;

  virtual ~Store() = default;

  virtual void get(std::string key, GetDone done) = 0;
  /// In the order of the keys' bytes, beyond `after`, at most `limit` (and kScanMax).
  virtual void scan(std::string prefix, std::string after, size_t limit, ScanDone done) = 0;
  /// All steps or none, and nobody sees it half done. Steps of one batch see those before them.
  virtual void apply(StoreBatch batch, ApplyDone done) = 0;
};

}  // namespace godwit
