#include "store/database.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/file.h>
#include <unistd.h>
#include <xxhash.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "store/statement.h"

namespace godwit::store {
namespace {

constexpr int64_t kApplicationId = 0x67777374;  ///< "gwst": that the file is a store of ours
constexpr int64_t kForEver = INT64_MAX;
constexpr int64_t kPageBytes = 4096;
constexpr int64_t kSweptAtOnce = 256;
/// The log is folded into the file when it has so many pages: 16 MiB. Larger makes folding rarer, and a start after a
/// crash longer.
constexpr int kLogPages = 4096;

constexpr std::string_view kSchema =
    "CREATE TABLE entries(key BLOB PRIMARY KEY, value BLOB NOT NULL, version INTEGER NOT NULL,"
    " expires INTEGER NOT NULL, checksum INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE INDEX expiries ON entries(expires) WHERE expires < 9223372036854775807;"
    "CREATE TABLE counters(last_version INTEGER NOT NULL);"
    "INSERT INTO counters VALUES(0);";

int64_t checksum(std::string_view key, std::string_view value) {
  const uint64_t seed = XXH3_64bits(key.data(), key.size());
  return static_cast<int64_t>(XXH3_64bits_withSeed(value.data(), value.size(), seed));
}

Code code_of(int sqlite) {
  switch (sqlite & 0xff) {
    case SQLITE_FULL: return Code::kStoreFull;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return Code::kStoreDamaged;
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return Code::kStoreLocked;
    default: return Code::kStoreFailed;
  }
}

/// The file that says whose the store is: held as long as the process lives, whatever happens to it.
Result<int> lock_file(const std::filesystem::path& file) {
  const std::string path = file.string() + ".lock";
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor < 0) return fail(Code::kStoreFailed, path + ": " + std::strerror(errno));
  if (::flock(descriptor, LOCK_EX | LOCK_NB) == 0) return descriptor;
  ::close(descriptor);
  return fail(Code::kStoreLocked, path + ": another process has the store");
}

}  // namespace

struct Database::Connection {
  std::filesystem::path file;
  int lock = -1;
  sqlite3* handle = nullptr;
  Statement begin, commit, roll_back, save, release, undo, get, scan, version, write, remove, sweep, count, bytes;

  std::array<Statement*, 14> statements() {
    return {&begin, &commit,  &roll_back, &save,   &release, &undo,  &get,
            &scan,  &version, &write,     &remove, &sweep,   &count, &bytes};
  }

  ~Connection() {
    for (Statement* one : statements()) *one = {};
    sqlite3_close(handle);
    if (lock >= 0) ::close(lock);
  }

  Error failure() const {
    const int code = sqlite3_extended_errcode(handle);
    std::string text = file.string() + ": " + sqlite3_errmsg(handle);
    if (code_of(code) == Code::kStoreFull) text += " (the disk, or store.bytes_max)";
    if (const int system = sqlite3_system_errno(handle); system != 0 && (code & 0xff) == SQLITE_IOERR) {
      text += std::string(": ") + std::strerror(system);
    }
    return {code_of(code), std::move(text)};
  }
  /// A statement without arguments or rows.
  Status run(Statement& statement) {
    statement.step();
    Status status = statement.failed() ? Status(tl::unexpected(failure())) : Status{};
    statement.reset();
    return status;
  }
  Status run(std::string_view sql) {
    if (sqlite3_exec(handle, std::string(sql).c_str(), nullptr, nullptr, nullptr) == SQLITE_OK) return {};
    return tl::unexpected(failure());
  }
  Result<int64_t> number(std::string_view sql) {
    Statement statement(handle, sql);
    if (statement.step()) return statement.number(0);
    return tl::unexpected(failure());
  }

  Status open();
  Status set_up(size_t bytes_max);
  Status check_format();
  Status check_whole();
  Status prepare();
};

Status Database::Connection::open() {
  constexpr int kFlags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
  if (sqlite3_open_v2(file.c_str(), &handle, kFlags, nullptr) != SQLITE_OK) return tl::unexpected(failure());
  sqlite3_extended_result_codes(handle, 1);
  return {};
}

/// The log instead of the file is synced on each commit: one sync, however many pages a group has touched.
Status Database::Connection::set_up(size_t bytes_max) {
  const std::string pages = std::to_string(std::max<int64_t>(16, static_cast<int64_t>(bytes_max) / kPageBytes));
  if (Status set = run("PRAGMA page_size=" + std::to_string(kPageBytes) + ";PRAGMA locking_mode=EXCLUSIVE"); !set)
    return set;
  if (Status format = check_format(); !format) return format;
  if (Status whole = check_whole(); !whole) return whole;
  return run("PRAGMA journal_mode=WAL;PRAGMA synchronous=FULL;PRAGMA wal_autocheckpoint=" + std::to_string(kLogPages) +
             ";PRAGMA max_page_count=" + pages);
}

Status Database::Connection::check_format() {
  const auto pages = number("PRAGMA page_count");
  if (!pages) return tl::unexpected(pages.error());
  if (*pages == 0) {
    return run("BEGIN;PRAGMA application_id=" + std::to_string(kApplicationId) +
               ";PRAGMA user_version=" + std::to_string(kFormatVersion) + ";" + std::string(kSchema) + "COMMIT");
  }
  const auto application = number("PRAGMA application_id");
  if (!application) return tl::unexpected(application.error());
  if (*application != kApplicationId) return fail(Code::kStoreDamaged, file.string() + ": this is no store of godwit");
  const auto version = number("PRAGMA user_version");
  if (!version) return tl::unexpected(version.error());
  if (*version <= kFormatVersion) return {};
  return fail(Code::kStoreFormat, file.string() + ": format " + std::to_string(*version) + ", and this version reads " +
                                      std::to_string(kFormatVersion));
}

Status Database::Connection::check_whole() {
  Statement check(handle, "PRAGMA quick_check(1)");
  if (!check.step()) return tl::unexpected(failure());
  if (check.bytes(0) == "ok") return {};
  return fail(Code::kStoreDamaged, file.string() + ": " + std::string(check.bytes(0)));
}

Status Database::Connection::prepare() {
  begin = Statement(handle, "BEGIN IMMEDIATE");
  commit = Statement(handle, "COMMIT");
  roll_back = Statement(handle, "ROLLBACK");
  save = Statement(handle, "SAVEPOINT batch");
  release = Statement(handle, "RELEASE batch");
  undo = Statement(handle, "ROLLBACK TO batch");
  get = Statement(handle, "SELECT value, version, expires, checksum FROM entries WHERE key=?1 AND expires>?2");
  scan = Statement(handle,
                   "SELECT key, value, version, expires, checksum FROM entries WHERE key>=?1 AND key>?2 AND expires>?3 "
                   "ORDER BY key LIMIT ?4");
  version = Statement(handle, "SELECT version FROM entries WHERE key=?1 AND expires>?2");
  write = Statement(handle, "REPLACE INTO entries VALUES(?1, ?2, ?3, ?4, ?5)");
  remove = Statement(handle, "DELETE FROM entries WHERE key=?1");
  sweep = Statement(handle, "DELETE FROM entries WHERE key IN (SELECT key FROM entries WHERE expires<=?1 LIMIT ?2)");
  count = Statement(handle, "UPDATE counters SET last_version=?1");
  bytes = Statement(handle,
                    "SELECT (p.page_count - f.freelist_count) * s.page_size FROM pragma_page_count() p, "
                    "pragma_freelist_count() f, pragma_page_size() s");
  for (const Statement* one : statements())
    if (one->code() != SQLITE_OK) return tl::unexpected(failure());
  return {};
}

Result<std::unique_ptr<Database>> Database::open(const std::filesystem::path& file, size_t bytes_max,
                                                 const Clock& clock) {
  auto connection = std::make_unique<Connection>();
  connection->file = file;
  const auto lock = lock_file(file);
  if (!lock) return tl::unexpected(lock.error());
  connection->lock = *lock;
  if (Status opened = connection->open(); !opened) return tl::unexpected(opened.error());
  if (Status set = connection->set_up(bytes_max); !set) return tl::unexpected(set.error());
  if (Status prepared = connection->prepare(); !prepared) return tl::unexpected(prepared.error());
  const auto version = connection->number("SELECT last_version FROM counters");
  if (!version) return tl::unexpected(version.error());
  auto database = std::unique_ptr<Database>(new Database(std::move(connection), clock));
  database->last_version_ = database->written_version_ = static_cast<uint64_t>(*version);
  return database;
}

Database::Database(std::unique_ptr<Connection> connection, const Clock& clock)
    : connection_(std::move(connection)), clock_(clock), opened_us_(clock.unix_us()), opened_at_(clock.measure()) {}

Database::~Database() = default;

int64_t Database::now_us() const {
  return opened_us_ + std::chrono::duration_cast<std::chrono::microseconds>(clock_.measure() - opened_at_).count();
}

Error Database::failure() const { return connection_->failure(); }

Status Database::begin() { return connection_->run(connection_->begin); }

Status Database::commit() {
  if (last_version_ != written_version_) {
    connection_->count.bind(1, static_cast<int64_t>(last_version_));
    if (Status counted = connection_->run(connection_->count); !counted) return counted;
  }
  Status status = connection_->run(connection_->commit);
  if (status) written_version_ = last_version_;
  return status;
}

void Database::roll_back() {
  // Some errors have rolled back already.
  if (sqlite3_get_autocommit(connection_->handle)) return;
  (void)connection_->run(connection_->roll_back);
}

namespace {

/// From the columns value, version, expires, checksum, beginning at `first`.
Result<StoreEntry> read_entry(const Statement& row, int first, std::string_view key, int64_t now,
                              const std::filesystem::path& file) {
  const std::string_view value = row.bytes(first);
  if (checksum(key, value) != row.number(first + 3)) {
    return fail(Code::kStoreDamaged, file.string() + ": the entry '" + std::string(key) + "' is not what was written");
  }
  const int64_t expires = row.number(first + 2);
  const Duration left = expires == kForEver ? Duration::max() : std::chrono::microseconds(expires - now);
  return StoreEntry{std::string(key), std::string(value), static_cast<uint64_t>(row.number(first + 1)), left};
}

}  // namespace

Result<std::optional<StoreEntry>> Database::get(std::string_view key) {
  Statement& get = connection_->get;
  const int64_t now = now_us();
  get.bind(1, key);
  get.bind(2, now);
  Result<std::optional<StoreEntry>> found;
  if (get.step()) {
    auto entry = read_entry(get, 0, key, now, connection_->file);
    if (entry) {
      found = std::move(*entry);
    } else {
      found = tl::unexpected(std::move(entry.error()));
    }
  } else if (get.failed()) {
    found = tl::unexpected(failure());
  }
  get.reset();
  return found;
}

Result<std::vector<StoreEntry>> Database::scan(std::string_view prefix, std::string_view after, size_t limit) {
  Statement& scan = connection_->scan;
  const int64_t now = now_us();
  scan.bind(1, prefix);
  scan.bind(2, after);
  scan.bind(3, now);
  scan.bind(4, static_cast<int64_t>(limit));
  Result<std::vector<StoreEntry>> found;
  while (found && scan.step()) {
    const std::string_view key = scan.bytes(0);
    if (!key.starts_with(prefix)) break;
    auto entry = read_entry(scan, 1, key, now, connection_->file);
    if (entry) {
      found->push_back(std::move(*entry));
    } else {
      found = tl::unexpected(std::move(entry.error()));
    }
  }
  if (found && scan.failed()) found = tl::unexpected(failure());
  scan.reset();
  return found;
}

Result<uint64_t> Database::version_of(std::string_view key) {
  Statement& version = connection_->version;
  version.bind(1, key);
  version.bind(2, now_us());
  Result<uint64_t> found = 0;
  if (version.step()) {
    found = static_cast<uint64_t>(version.number(0));
  } else if (version.failed()) {
    found = tl::unexpected(failure());
  }
  version.reset();
  return found;
}

Result<StoreVerdict> Database::apply(const StoreBatch& batch) {
  const bool guarded = std::any_of(batch.begin(), batch.end(), [](const StoreStep& step) { return step.version; });
  if (!guarded) return run(batch);
  if (Status saved = connection_->run(connection_->save); !saved) return tl::unexpected(saved.error());
  auto verdict = run(batch);
  if (!verdict) return verdict;
  if (!verdict->applied) {
    if (Status undone = connection_->run(connection_->undo); !undone) return tl::unexpected(undone.error());
  }
  if (Status released = connection_->run(connection_->release); !released) return tl::unexpected(released.error());
  return verdict;
}

Result<StoreVerdict> Database::run(const StoreBatch& batch) {
  StoreVerdict verdict;
  for (size_t i = 0; i < batch.size(); ++i) {
    const StoreStep& step = batch[i];
    if (step.version) {
      const auto version = version_of(step.key);
      if (!version) return tl::unexpected(version.error());
      if (*version != *step.version) return StoreVerdict{.failed_step = i};
    }
    if (const Status done = run(step); !done) return tl::unexpected(done.error());
    const bool written = step.what == StoreStep::What::kPut || step.what == StoreStep::What::kAppend;
    const uint64_t kept = step.what == StoreStep::What::kExpect ? step.version.value_or(0) : 0;
    verdict.versions.push_back(written ? last_version_ : kept);
  }
  verdict.applied = true;
  return verdict;
}

Status Database::run(const StoreStep& step) {
  switch (step.what) {
    case StoreStep::What::kPut: return write(step.key, step.value, step.ttl);
    case StoreStep::What::kAppend: return append(step);
    case StoreStep::What::kRemove: return remove(step.key);
    case StoreStep::What::kExpect: break;
  }
  return {};
}

Status Database::append(const StoreStep& step) {
  auto known = get(step.key);
  if (!known) return tl::unexpected(std::move(known.error()));
  if (!*known) return write(step.key, step.value, step.ttl);
  std::string value = std::move((*known)->value) + step.value;
  if (value.size() > Store::kValueBytesMax) return fail(Code::kMessageTooLarge, "the value would grow beyond 16 MiB");
  return write(step.key, value, step.ttl);
}

Status Database::write(std::string_view key, std::string_view value, Duration ttl) {
  const int64_t ttl_us = std::max<int64_t>(1, std::chrono::duration_cast<std::chrono::microseconds>(ttl).count());
  const int64_t now = now_us();
  Statement& write = connection_->write;
  write.bind(1, key);
  write.bind(2, value);
  write.bind(3, static_cast<int64_t>(last_version_ + 1));
  write.bind(4, ttl <= Duration::zero() || ttl_us > kForEver - now ? kForEver : now + ttl_us);
  write.bind(5, checksum(key, value));
  Status status = connection_->run(write);
  if (status) ++last_version_;
  return status;
}

Status Database::remove(std::string_view key) {
  connection_->remove.bind(1, key);
  return connection_->run(connection_->remove);
}

Result<bool> Database::sweep() {
  connection_->sweep.bind(1, now_us());
  connection_->sweep.bind(2, kSweptAtOnce);
  if (Status swept = connection_->run(connection_->sweep); !swept) return tl::unexpected(swept.error());
  return sqlite3_changes64(connection_->handle) == kSweptAtOnce;
}

uint64_t Database::bytes() const {
  Statement& bytes = connection_->bytes;
  const uint64_t found = bytes.step() ? static_cast<uint64_t>(bytes.number(0)) : 0;
  bytes.reset();
  return found;
}

}  // namespace godwit::store
