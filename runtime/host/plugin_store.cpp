#include "host/plugin_store.h"

#include <fmt/format.h>

#include <algorithm>

#include "host/plugin_views.h"

namespace godwit::host {
namespace {

/// An operation is a number for the plugin: one that it makes up, or ends twice, is found by nobody.
void* operation_of(uint64_t id) { return reinterpret_cast<void*>(static_cast<uintptr_t>(id)); }
uint64_t id_of(void* operation) { return reinterpret_cast<uintptr_t>(operation); }

PluginHost* running_host() {
  return static_cast<PluginHost*>(const_cast<void*>(RunningPlugin::instance()));  // as PluginHost::Entry gave it
}

void on_found(void* operation, gw_status status, const gw_store_entry* entries, uint32_t count) {
  PluginHost* host = running_host();
  if (!host) return;
  if (!host->store() || !host->store()->found(id_of(operation), status, entries, count)) host->count_failure();
}

void on_applied(void* operation, gw_status status, uint32_t failed_step, const uint64_t* versions) {
  PluginHost* host = running_host();
  if (!host) return;
  if (!host->store() || !host->store()->applied(id_of(operation), status, failed_step, versions)) host->count_failure();
}

gw_store_step plain(const StoreStep& step) {
  static constexpr uint32_t kWhat[] = {GW_STORE_PUT, GW_STORE_APPEND, GW_STORE_REMOVE, GW_STORE_EXPECT};
  return {.key = host::plain(step.key),
          .value = host::plain(as_bytes(step.value)),
          .ttl_ns = step.ttl.count(),
          .version = step.version.value_or(GW_STORE_ANY_VERSION),
          .what = kWhat[static_cast<size_t>(step.what)],
          .reserved = 0};
}

bool is_entry(const gw_store_entry& entry) {
  return is_sound(entry.key) && is_sound(entry.value) && entry.key.size > 0 && entry.version != 0 && entry.left_ns > 0;
}

StoreEntry entry_of(const gw_store_entry& entry) {
  return {.key = std::string(view(entry.key)),
          .value = std::string(as_text(view(entry.value))),
          .version = entry.version,
          .left = entry.left_ns == GW_NEVER ? Duration::max() : Duration(entry.left_ns)};
}

}  // namespace

PluginStore::PluginStore(const gw_store_kind& kind, PluginHost& host, void* const& self, PluginReports& reports,
                         World world)
    : kind_(kind), host_(host), self_(self), reports_(reports), world_(world), wake_([](Timestamp) {}) {}

/// The first entry whose key begins with the key is the key's, if there is one: none is shorter.
void PluginStore::get(std::string key, GetDone done) {
  scan(key, {}, 1, [key, done = std::move(done)](Result<std::vector<StoreEntry>> found) {
    if (!found) return done(tl::unexpected(std::move(found.error())));
    if (found->empty() || found->front().key != key) return done(std::nullopt);
    done(std::move(found->front()));
  });
}

void PluginStore::scan(std::string prefix, std::string after, size_t limit, ScanDone done) {
  const uint64_t id = ++last_;
  const auto bounded = static_cast<uint32_t>(std::clamp<size_t>(limit, 1, kScanMax));
  scans_.emplace(id, Scan{bounded, std::move(done)});
  const Timestamp before = world_.clock.measure();
  gw_status begun;
  {
    const PluginHost::Entry entry(host_, PluginHost::Stage::kRunning, nullptr);
    begun =
        call_plugin(kind_.scan, self_, host::plain(prefix), host::plain(after), bounded, on_found, operation_of(id));
  }
  reports_.took(world_.clock.measure() - before, "scan");
  if (begun != GW_OK) found(id, begun, nullptr, 0);
}

void PluginStore::apply(StoreBatch batch, ApplyDone done) {
  const uint64_t id = ++last_;
  applies_.emplace(id, Apply{batch.size(), std::move(done)});
  std::vector<gw_store_step> steps;
  for (const StoreStep& step : batch) steps.push_back(plain(step));
  const Timestamp before = world_.clock.measure();
  gw_status begun;
  {
    const PluginHost::Entry entry(host_, PluginHost::Stage::kRunning, nullptr);
    begun = call_plugin(kind_.apply, self_, steps.data(), static_cast<uint32_t>(steps.size()), on_applied,
                        operation_of(id));
  }
  reports_.took(world_.clock.measure() - before, "apply");
  if (begun != GW_OK) applied(id, begun == GW_ERROR_STALE ? GW_ERROR_PLUGIN_FAILED : begun, 0, nullptr);
}

bool PluginStore::found(uint64_t operation, gw_status status, const gw_store_entry* entries, uint32_t count) {
  const auto at = scans_.find(operation);
  if (at == scans_.end()) return false;
  Scan scan = std::move(at->second);
  scans_.erase(at);
  const std::span<const gw_store_entry> given(entries, entries ? count : 0);
  if (status == GW_OK && (count > scan.limit || given.size() < count || !std::ranges::all_of(given, is_entry)))
    status = GW_ERROR_PLUGIN_FAILED;
  Result<std::vector<StoreEntry>> answer;
  if (status == GW_OK) {
    for (const gw_store_entry& entry : given) answer->push_back(entry_of(entry));
  } else {
    answer = tl::unexpected(error_of(status));
  }
  end([done = std::move(scan.done), answer = std::move(answer)] { done(answer); });
  return true;
}

bool PluginStore::applied(uint64_t operation, gw_status status, uint32_t failed_step, const uint64_t* versions) {
  const auto at = applies_.find(operation);
  if (at == applies_.end()) return false;
  Apply apply = std::move(at->second);
  applies_.erase(at);
  const bool makes_sense =
      status == GW_OK ? versions != nullptr : status != GW_ERROR_STALE || failed_step < apply.steps;
  if (!makes_sense) status = GW_ERROR_PLUGIN_FAILED;
  Result<StoreVerdict> verdict;
  if (status == GW_OK) {
    verdict->applied = true;
    verdict->versions.assign(versions, versions + apply.steps);
  } else if (status == GW_ERROR_STALE) {
    verdict->failed_step = failed_step;
  } else {
    verdict = tl::unexpected(error_of(status));
  }
  end([done = std::move(apply.done), verdict = std::move(verdict)] { done(verdict); });
  return true;
}

/// What the contract of Store has goes on as it is; all else is a failure of the plugin.
Error PluginStore::error_of(gw_status status) {
  switch (status) {
    case GW_ERROR_STORE_BUSY:
    case GW_ERROR_STORE_FULL:
    case GW_ERROR_STORE_DAMAGED:
    case GW_ERROR_MESSAGE_TOO_LARGE: return {static_cast<Code>(status), host_.label().name};
    default: break;
  }
  reports_.failed("plugin failed to keep the store", name_of_status(status));
  return {Code::kStoreFailed, fmt::format("{} failed with {}", host_.label().name, name_of_status(status))};
}

void PluginStore::end(std::function<void()> told) {
  ended_.push_back(std::move(told));
  world_.timers.arm(wake_, world_.clock.now());
}

void PluginStore::deliver() {
  for (const auto& told : std::exchange(ended_, {})) told();
}

void PluginStore::fail_all() {
  const std::string why = host_.label().name + " was replaced, and its time to finish is over";
  for (auto& [id, scan] : std::exchange(scans_, {})) scan.done(fail(Code::kStoreFailed, why));
  for (auto& [id, apply] : std::exchange(applies_, {})) apply.done(fail(Code::kStoreFailed, why));
  deliver();
}

}  // namespace godwit::host
