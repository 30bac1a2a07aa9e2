#pragma once

#include <filesystem>
#include <memory>

#include "port/clock.h"
#include "port/store.h"

namespace godwit::store {

/// Entries in one file: an SQLite database whose log is synced on each commit. Belongs to one thread. Each entry
/// carries a checksum, so that a value which rotted on disk is an error and never a wrong answer.
class Database {
 public:
  static constexpr int64_t kFormatVersion = 1;

  /// Makes the file where there is none, and looks through the one that is there. StoreLocked while another process has
  /// it, StoreFormat when a newer version has written it, StoreDamaged when it is broken; each names the file.
  static Result<std::unique_ptr<Database>> open(const std::filesystem::path& file, size_t bytes_max,
                                                const Clock& clock);
  ~Database();

  // Between `begin` and `commit` or `roll_back`; after an error only `roll_back` is left.
  Status begin();
  /// Returns when it is on disk.
  Status commit();
  void roll_back();

  Result<std::optional<StoreEntry>> get(std::string_view key);
  Result<std::vector<StoreEntry>> scan(std::string_view prefix, std::string_view after, size_t limit);
  /// All of the steps, or none because of a version. After an error some may have been made: roll back.
  Result<StoreVerdict> apply(const StoreBatch& batch);
  /// Removes some of what has expired. False: nothing more has.
  Result<bool> sweep();

  /// Of the pages that hold something.
  uint64_t bytes() const;

 private:
  struct Connection;
  explicit Database(std::unique_ptr<Connection> connection, const Clock& clock);

  int64_t now_us() const;
  Result<uint64_t> version_of(std::string_view key);
  Result<StoreVerdict> run(const StoreBatch& batch);
  Status run(const StoreStep& step);
  Status write(std::string_view key, std::string_view value, Duration ttl);
  Status append(const StoreStep& step);
  Status remove(std::string_view key);
  Error failure() const;

  std::unique_ptr<Connection> connection_;
  const Clock& clock_;
  /// Wall time when it was opened, which then goes on steadily: a wall clock that is set does not make entries expire.
  const int64_t opened_us_;
  const Timestamp opened_at_;
  uint64_t last_version_ = 0;
  uint64_t written_version_ = 0;  ///< what the file says of it
};

}  // namespace godwit::store
