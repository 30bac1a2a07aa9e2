#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <godwit/plugin.hpp>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <map>
#include <mutex>
#include <vector>

/*
 * A store in one file that any number of servers on a machine share: a log to which each batch is appended as one
 * record, under a lock on a file beside it, and synced before anybody hears of it. Whoever wants to know something
 * first reads what others have appended since. When most of the log is history, it is written anew.
 */
namespace {

using godwit::plugin::Failure;

constexpr size_t kCompactFrom = 1 << 20;  ///< a log smaller than this is left alone
constexpr size_t kCompactFactor = 4;      ///< … and one that has at least a quarter of its bytes alive
constexpr size_t kEntryBytes = 64;        ///< that an entry counts for beside key and value
constexpr int64_t kStays = 0;

int64_t unix_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

struct Entry {
  std::string value;
  uint64_t version = 0;
  int64_t expires_ns = kStays;  ///< by the wall clock
  bool lives(int64_t now_ns) const { return version != 0 && (expires_ns == kStays || expires_ns > now_ns); }
};
using Entries = std::map<std::string, Entry, std::less<>>;

/// FNV-1a: enough to tell what was written from what was not.
uint64_t checksum(std::string_view bytes) {
  uint64_t sum = 0xcbf29ce484222325;
  for (const char c : bytes) sum = (sum ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return sum;
}

template <typename Number>
void put(std::string& out, Number number) {
  out.append(reinterpret_cast<const char*>(&number), sizeof number);
}
void put_text(std::string& out, std::string_view text) {
  put<uint32_t>(out, static_cast<uint32_t>(text.size()));
  out.append(text);
}
template <typename Number>
Number take(std::string_view& in) {
  Number number;
  if (in.size() < sizeof number) throw Failure(GW_ERROR_STORE_DAMAGED, "a record of the log is too short");
  std::memcpy(&number, in.data(), sizeof number);
  in.remove_prefix(sizeof number);
  return number;
}
std::string_view take_text(std::string_view& in) {
  const auto size = take<uint32_t>(in);
  if (in.size() < size) throw Failure(GW_ERROR_STORE_DAMAGED, "a record of the log is too short");
  const std::string_view text = in.substr(0, size);
  in.remove_prefix(size);
  return text;
}

[[noreturn]] void fail_on(const std::string& path) {
  throw Failure(GW_ERROR_STORE_FAILED, path + ": " + std::strerror(errno));
}

class File {
 public:
  File() = default;
  File(const std::string& path, int flags) : descriptor_(::open(path.c_str(), flags | O_CLOEXEC, 0600)) {
    if (descriptor_ < 0) fail_on(path);
  }
  File(File&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  File& operator=(File&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  ~File() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  int get() const { return descriptor_; }

 private:
  int descriptor_ = -1;
};

/// All instances of this generation, and all processes, in turn.
class Lock {
 public:
  explicit Lock(const File& file, const std::string& path) : file_(file) {
    if (::flock(file_.get(), LOCK_EX) != 0) fail_on(path);
  }
  ~Lock() { ::flock(file_.get(), LOCK_UN); }

 private:
  const File& file_;
};

/// The log, and the entries that it comes to. Any thread.
class Log {
 public:
  Log(std::string path, size_t bytes_max)
      : path_(std::move(path)), bytes_max_(bytes_max), lock_(path_ + ".lock", O_RDWR | O_CREAT) {}

  std::vector<std::pair<std::string, Entry>> scan(const std::string& prefix, const std::string& after, size_t limit) {
    const std::lock_guard alone(mutex_);
    const Lock lock(lock_, path_);
    catch_up();
    std::vector<std::pair<std::string, Entry>> found;
    const int64_t now = unix_ns();
    auto at = after < prefix ? entries_.lower_bound(prefix) : entries_.upper_bound(after);
    for (; at != entries_.end() && at->first.starts_with(prefix) && found.size() < limit; ++at) {
      if (at->second.lives(now)) found.emplace_back(*at);
    }
    return found;
  }

  struct Step {
    std::string key;
    std::string value;
    int64_t ttl_ns;
    uint64_t version;
    uint32_t what;
  };
  struct Verdict {
    bool applied = false;
    size_t failed_step = 0;
    std::vector<uint64_t> versions = {};
  };
  Verdict apply(const std::vector<Step>& steps) {
    const std::lock_guard alone(mutex_);
    const Lock lock(lock_, path_);
    catch_up();
    Entries changed;  // version 0: gone
    Verdict verdict;
    const int64_t now = unix_ns();
    uint64_t version = last_version_;
    for (size_t i = 0; i < steps.size(); ++i) {
      const Step& step = steps[i];
      const Entry before = current(changed, step.key, now);
      if (step.version != GW_STORE_ANY_VERSION && step.version != before.version) return {.failed_step = i};
      if (step.what == GW_STORE_REMOVE) changed[step.key] = {};
      if (step.what == GW_STORE_PUT || step.what == GW_STORE_APPEND) {
        changed[step.key] = {step.what == GW_STORE_APPEND ? before.value + step.value : step.value, ++version,
                             step.ttl_ns == 0 ? kStays : now + step.ttl_ns};
      }
      verdict.versions.push_back(current(changed, step.key, now).version);
    }
    if (!changed.empty()) commit(changed, now);
    verdict.applied = true;
    return verdict;
  }

  /// What was applied is on disk when this returns.
  void sync() {
    const std::lock_guard alone(mutex_);
    if (unsynced_ && ::fdatasync(file_.get()) != 0) fail_on(path_);
    unsynced_ = false;
  }

 private:
  Entry current(const Entries& changed, const std::string& key, int64_t now) const {
    const auto in_batch = changed.find(key);
    if (in_batch != changed.end()) return in_batch->second;
    const auto kept = entries_.find(key);
    return kept != entries_.end() && kept->second.lives(now) ? kept->second : Entry{};
  }

  void commit(const Entries& changed, int64_t now) {
    const size_t more = bytes_of(changed);
    if (bytes_ + more > bytes_max_) forget_expired(now);
    if (bytes_ + more > bytes_max_) throw Failure(GW_ERROR_STORE_FULL);
    append(file_, record_of(changed), read_);
    unsynced_ = true;
    take_over(changed);
    if (read_ >= kCompactFrom && read_ > kCompactFactor * bytes_) compact(now);
  }

  /// Another process may have appended, or written the log anew: then it is another file.
  void catch_up() {
    struct stat known {
    }, there{};
    const bool is_open = file_.get() >= 0 && ::fstat(file_.get(), &known) == 0;
    if (!is_open || ::stat(path_.c_str(), &there) != 0 || there.st_ino != known.st_ino) {
      file_ = File(path_, O_RDWR | O_CREAT);
      entries_.clear();
      bytes_ = read_ = 0;
      if (::fstat(file_.get(), &known) != 0) fail_on(path_);
    }
    const auto size = static_cast<size_t>(known.st_size);
    if (size == 0) sync_folder();
    if (size == read_) return;
    std::string bytes(size - read_, '\0');
    if (::pread(file_.get(), bytes.data(), bytes.size(), static_cast<off_t>(read_)) !=
        static_cast<ssize_t>(bytes.size()))
      fail_on(path_);
    read_ += replay(bytes);
    // What is left was being written when its process died: nobody has heard of it.
    if (read_ < size && ::ftruncate(file_.get(), static_cast<off_t>(read_)) != 0) fail_on(path_);
  }

  /// How many bytes were whole records.
  size_t replay(std::string_view bytes) {
    const std::string_view all = bytes;
    while (bytes.size() >= sizeof(uint32_t) + sizeof(uint64_t)) {
      std::string_view in = bytes;
      const auto size = take<uint32_t>(in);
      const auto sum = take<uint64_t>(in);
      if (in.size() < size) break;
      const bool last = in.size() == size;
      const std::string_view record = in.substr(0, size);
      if (checksum(record) != sum && last) break;
      if (checksum(record) != sum) throw Failure(GW_ERROR_STORE_DAMAGED, path_ + " is not what was written");
      take_over(entries_in(record));
      bytes = in.substr(size);
    }
    return all.size() - bytes.size();
  }

  static std::string record_of(const Entries& changed) {
    std::string record;
    for (const auto& [key, entry] : changed) {
      put_text(record, key);
      put_text(record, entry.value);
      put(record, entry.version);
      put(record, entry.expires_ns);
    }
    std::string framed;
    put<uint32_t>(framed, static_cast<uint32_t>(record.size()));
    put<uint64_t>(framed, checksum(record));
    return framed + record;
  }

  static Entries entries_in(std::string_view record) {
    Entries entries;
    while (!record.empty()) {
      const std::string key(take_text(record));
      Entry& entry = entries[key];
      entry.value = take_text(record);
      entry.version = take<uint64_t>(record);
      entry.expires_ns = take<int64_t>(record);
    }
    return entries;
  }

  void append(const File& file, std::string_view record, size_t& end) {
    size_t at = end;
    for (std::string_view left = record; !left.empty();) {
      const ssize_t written = ::pwrite(file.get(), left.data(), left.size(), static_cast<off_t>(at));
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) fail_on(path_);
      at += static_cast<size_t>(written);
      left.remove_prefix(static_cast<size_t>(written));
    }
    end = at;
  }

  void take_over(const Entries& changed) {
    for (const auto& [key, entry] : changed) {
      last_version_ = std::max(last_version_, entry.version);
      if (const auto before = entries_.find(key); before != entries_.end()) {
        bytes_ -= bytes_of(*before);
        entries_.erase(before);
      }
      if (entry.version == 0) continue;
      bytes_ += bytes_of(*entries_.emplace(key, entry).first);
    }
  }

  void forget_expired(int64_t now) {
    std::erase_if(entries_, [&](const auto& one) {
      if (!one.second.lives(now)) bytes_ -= bytes_of(one);
      return !one.second.lives(now);
    });
  }

  /// A version that was given must never be given again: an entry that has expired at once carries the last one.
  void compact(int64_t now) {
    forget_expired(now);
    const std::string fresh = path_ + ".new";
    File file(fresh, O_RDWR | O_CREAT | O_TRUNC);
    size_t end = 0;
    append(file, record_of({{"", Entry{"", last_version_, 1}}}), end);
    for (const auto& one : entries_) append(file, record_of({one}), end);
    if (::fsync(file.get()) != 0 || ::rename(fresh.c_str(), path_.c_str()) != 0) fail_on(fresh);
    file_ = std::move(file);
    read_ = end;
    unsynced_ = false;
    sync_folder();
  }

  void sync_folder() const {
    const File folder(path_.substr(0, path_.rfind('/') + 1) + ".", O_RDONLY);
    if (::fsync(folder.get()) != 0) fail_on(path_);
  }

  static size_t bytes_of(const Entries::value_type& one) {
    return kEntryBytes + one.first.size() + one.second.value.size();
  }
  static size_t bytes_of(const Entries& entries) {
    size_t sum = 0;
    for (const auto& one : entries) sum += one.second.version != 0 ? bytes_of(one) : 0;
    return sum;
  }

  const std::string path_;
  const size_t bytes_max_;
  std::mutex mutex_;
  File lock_;
  File file_;
  size_t read_ = 0;  ///< of the file
  size_t bytes_ = 0;
  uint64_t last_version_ = 0;
  bool unsynced_ = false;
  Entries entries_;
};

/// The calls of one instance, one batch after the other: done in the pool in the order in which they were made, and
/// told on the worker once all of a batch are on disk.
class Calls {
 public:
  static constexpr size_t kWaitingMax = 10'000;

  Calls(const gw_host* host, std::shared_ptr<Log> log) : host_(host), log_(std::move(log)) {}

  void add(std::function<void(Log&)> work, std::function<void(gw_status)> tell) {
    if (waiting_.size() >= kWaitingMax) throw Failure(GW_ERROR_STORE_BUSY);
    waiting_.push_back({std::move(work), std::move(tell)});
    if (!busy_) begin();
  }

 private:
  struct Call {
    std::function<void(Log&)> work;
    std::function<void(gw_status)> tell;
    gw_status status = GW_OK;
  };
  struct Batch {
    Calls* owner;
    const gw_host* host;
    std::shared_ptr<Log> log;
    std::vector<Call> calls;
  };

  void begin() {
    auto batch = std::make_unique<Batch>(Batch{this, host_, log_, std::exchange(waiting_, {})});
    busy_ = host_->threads->work(host_, &Calls::run, &Calls::after, batch.get()) == GW_OK;
    if (busy_) return static_cast<void>(batch.release());  // `after` deletes it
    for (const Call& call : batch->calls) call.tell(GW_ERROR_STORE_BUSY);
  }
  static void run(void* argument) noexcept {
    auto& batch = *static_cast<Batch*>(argument);
    for (Call& call : batch.calls) call.status = guarded(batch, [&] { call.work(*batch.log); });
    const gw_status synced = guarded(batch, [&] { batch.log->sync(); });
    for (Call& call : batch.calls) call.status = call.status == GW_OK ? synced : call.status;
  }
  template <typename Work>
  static gw_status guarded(const Batch& batch, Work work) noexcept {
    try {
      work();
      return GW_OK;
    } catch (const Failure& failure) {
      const gw_log_field field{GW_TEXT("error"), godwit::plugin::plain(failure.what())};
      if (*failure.what()) batch.host->core->log(batch.host, GW_LOG_ERROR, GW_TEXT("the store failed"), &field, 1);
      return failure.status();
    } catch (...) {
      return GW_ERROR_STORE_FAILED;
    }
  }
  static void after(void*, void* argument) noexcept {
    const std::unique_ptr<Batch> batch(static_cast<Batch*>(argument));
    for (const Call& call : batch->calls) call.tell(call.status);
    batch->owner->busy_ = false;
    if (!batch->owner->waiting_.empty()) batch->owner->begin();
  }

  const gw_host* host_;
  std::shared_ptr<Log> log_;
  std::vector<Call> waiting_;
  bool busy_ = false;
};

/// The log of a path, one for all instances of this generation.
std::shared_ptr<Log> log_of(const std::string& path, size_t bytes_max) {
  static std::mutex mutex;
  static std::map<std::string, std::weak_ptr<Log>> logs;
  const std::lock_guard lock(mutex);
  std::shared_ptr<Log> log = logs[path].lock();
  if (!log) logs[path] = log = std::make_shared<Log>(path, bytes_max);
  return log;
}

class StoreFile {
 public:
  explicit StoreFile(godwit::plugin::Host host) {
    const std::string path = host.text("path", "");
    if (path.empty() || path.front() != '/')
      throw Failure(GW_ERROR_ARGUMENT_INVALID, "config.path: expected an absolute path");
    calls_ = std::make_unique<Calls>(host.raw(), log_of(path, host.size_bytes("bytes_max", 256 << 20)));
  }

  void scan(std::string_view prefix, std::string_view after, uint32_t limit, godwit::plugin::Scan answer) {
    const auto found = std::make_shared<std::vector<std::pair<std::string, Entry>>>();
    calls_->add([found, prefix = std::string(prefix), after = std::string(after),
                 limit](Log& log) { *found = log.scan(prefix, after, limit); },
                [found, answer](gw_status status) {
                  if (status != GW_OK) return answer.fail(status);
                  std::vector<gw_store_entry> entries;
                  const int64_t now = unix_ns();
                  for (const auto& [key, entry] : *found) {
                    const int64_t left =
                        entry.expires_ns == kStays ? GW_NEVER : std::max<int64_t>(1, entry.expires_ns - now);
                    entries.push_back(
                        {godwit::plugin::plain(key), godwit::plugin::plain_bytes(entry.value), entry.version, left});
                  }
                  answer.found(entries);
                });
  }

  void apply(std::span<const gw_store_step> steps, godwit::plugin::Apply answer) {
    std::vector<Log::Step> copies;
    for (const gw_store_step& step : steps) {
      copies.push_back({std::string(godwit::plugin::view(step.key)), std::string(godwit::plugin::view(step.value)),
                        step.ttl_ns, step.version, step.what});
    }
    const auto verdict = std::make_shared<Log::Verdict>();
    calls_->add([verdict, copies = std::move(copies)](Log& log) { *verdict = log.apply(copies); },
                [verdict, answer](gw_status status) {
                  if (status != GW_OK) return answer.fail(status);
                  if (!verdict->applied) return answer.conflict(verdict->failed_step);
                  answer.applied(verdict->versions);
                });
  }

 private:
  std::unique_ptr<Calls> calls_;
};

}  // namespace

GW_PLUGIN_CLASS(StoreFile, .name = "store_file", .version = "1.0.0", .license = "GPL-3.0-or-later",
                .author = "the godwit authors",
                .description = "Keeps the store in one file that servers on a machine share.")
