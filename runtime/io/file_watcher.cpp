#include "io/file_watcher.h"

#include <algorithm>

#include "io/file_tree.h"
#include "io/loop.h"
#include "io/uv_start.h"

namespace godwit::io {

FileWatcher::FileWatcher(Loop& loop, std::vector<std::filesystem::path> roots, FileWatchOptions options,
                         std::function<void()> on_change)
    : loop_(loop),
      roots_(std::move(roots)),
      options_(options),
      on_change_(std::move(on_change)),
      settle_([this](Timestamp) { settled(); }),
      poll_([this](Timestamp) { look(); }) {
  follow();
}

// A folder made while its parent was being looked at is found by looking again until nothing new turns up.
void FileWatcher::follow() {
  constexpr int kRoundsMax = 4;
  bool watched = false;
  for (int round = 0; round < kRoundsMax; ++round) {
    const size_t before = watches_.size();
    const FileTree tree = look_at(roots_, options_.entries_max);
    fingerprint_ = tree.fingerprint;
    watched = options_.notifications && tree.complete && watch_all(tree);
    if (!watched || watches_.size() == before) break;
  }
  if (watched) return loop_.timers().disarm(poll_);
  watches_.clear();
  loop_.timers().arm(poll_, loop_.now() + options_.poll_interval);
}

bool FileWatcher::watch_all(const FileTree& tree) {
  std::erase_if(watches_, [&](const auto& watch) {
    const auto found = tree.folders.find(watch.first);
    return found == tree.folders.end() || found->second != watch.second.identity;
  });
  for (const auto& [folder, identity] : tree.folders) {
    if (watches_.contains(folder)) continue;
    UvHandle<uv_fs_event_t> handle = watch(folder);
    if (!handle) return false;
    watches_.emplace(folder, Watch{identity, std::move(handle)});
  }
  return true;
}

UvHandle<uv_fs_event_t> FileWatcher::watch(const std::filesystem::path& folder) {
  UvHandle<uv_fs_event_t> handle;
  if (!make_uv_handle(handle, this, [&](uv_fs_event_t* fresh) { return uv_fs_event_init(loop_.raw(), fresh); }))
    return {};
  const auto on_event = [](uv_fs_event_t* event, const char*, int, int) {
    auto& self = owner_of<FileWatcher>(event);
    self.loop_.begin_turn();
    self.changed();
  };
  if (uv_fs_event_start(handle.get(), on_event, folder.c_str(), 0) < 0) return {};
  return handle;
}

void FileWatcher::changed() {
  const Timestamp now = loop_.now();
  if (first_change_ == kNever) first_change_ = now;
  loop_.timers().arm(settle_, std::min(now + options_.debounce, first_change_ + options_.delay_max));
}

void FileWatcher::settled() {
  first_change_ = kNever;
  follow();
  on_change_();
}

void FileWatcher::look() {
  const uint64_t seen = fingerprint_;
  follow();
  if (fingerprint_ != seen) changed();
}

}  // namespace godwit::io
