#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <vector>

#include "base/timer_heap.h"
#include "io/uv_handle.h"

namespace godwit::io {

class Loop;
struct FileTree;

struct FileWatchOptions {
  Duration debounce = 300ms;    ///< quiet time after the last change: editors write a file in several steps
  Duration delay_max = 3s;      ///< a folder that never rests is reported at least so often
  Duration poll_interval = 1s;  ///< where the kernel can not tell: look so often
  size_t entries_max = 10'000;  ///< files and folders; beyond that changes may go unnoticed
  bool notifications = true;    ///< false: only look
};

/// Calls `on_change` when anything below some folders was made, written, renamed or removed; what it was is for the
/// callee to find out. Watches every subfolder, new ones included. Where that is impossible (a folder is missing, too
/// many watches, a file system without notifications) it looks at the tree from time to time instead, and returns to
/// watching when it can.
class FileWatcher {
 public:
  FileWatcher(Loop& loop, std::vector<std::filesystem::path> roots, FileWatchOptions options,
              std::function<void()> on_change);
  FileWatcher(const FileWatcher&) = delete;
  FileWatcher& operator=(const FileWatcher&) = delete;

  /// True while it has to look instead of being told.
  bool polling() const { return poll_.armed(); }

 private:
  struct Watch {
    uint64_t identity;
    UvHandle<uv_fs_event_s> handle;
  };

  void follow();
  bool watch_all(const FileTree& tree);
  UvHandle<uv_fs_event_s> watch(const std::filesystem::path& folder);
  void changed();
  void settled();
  void look();

  Loop& loop_;
  std::vector<std::filesystem::path> roots_;
  FileWatchOptions options_;
  std::function<void()> on_change_;
  std::map<std::filesystem::path, Watch> watches_;
  uint64_t fingerprint_ = 0;
  Timestamp first_change_ = kNever;  // of those not reported yet
  Timer settle_;
  Timer poll_;
};

}  // namespace godwit::io
