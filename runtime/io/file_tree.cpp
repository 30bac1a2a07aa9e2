#include "io/file_tree.h"

#include <sys/stat.h>

#include <functional>
#include <optional>
#include <string>

namespace godwit::io {
namespace {

namespace fs = std::filesystem;

constexpr int kDepthMax = 16;  // ends loops of links

std::optional<struct stat> stat_of(const fs::path& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return std::nullopt;
  return info;
}

constexpr uint64_t mix(uint64_t seed, uint64_t value) {
  seed ^= value + 0x9e3779b97f4a7c15 + (seed << 6) + (seed >> 2);
  return seed * 0xff51afd7ed558ccd;
}

uint64_t identity_of(const struct stat& info) { return mix(info.st_dev, info.st_ino); }

uint64_t fingerprint_of(const fs::path& path, const struct stat& info) {
  uint64_t hash = mix(std::hash<std::string>{}(path.native()), identity_of(info));
  hash = mix(hash, static_cast<uint64_t>(info.st_size));
  hash = mix(hash, static_cast<uint64_t>(info.st_mtim.tv_sec));
  return mix(hash, static_cast<uint64_t>(info.st_mtim.tv_nsec));
}

class Walk {
 public:
  Walk(FileTree& tree, size_t entries_max) : tree_(tree), entries_left_(entries_max) {}

  void root(const fs::path& path) {
    const auto info = stat_of(path);
    if (!info || !S_ISDIR(info->st_mode))
      tree_.complete = false;
    else
      folder(path, *info, 0);
  }

 private:
  // Sums, because a folder lists its entries in no particular order.
  void entry(const fs::path& path, int depth) {
    const auto info = stat_of(path);
    if (!info) return;  // gone since it was listed
    tree_.fingerprint += fingerprint_of(path, *info);
    if (S_ISDIR(info->st_mode)) folder(path, *info, depth);
  }

  void folder(const fs::path& path, const struct stat& info, int depth) {
    tree_.folders[path] = identity_of(info);
    if (depth == kDepthMax) return;
    std::error_code error;
    for (fs::directory_iterator it(path, error), end; !error && it != end; it.increment(error)) {
      if (entries_left_ == 0) {
        tree_.complete = false;
        return;
      }
      --entries_left_;
      entry(it->path(), depth + 1);
    }
  }

  FileTree& tree_;
  size_t entries_left_;
};

}  // namespace

FileTree look_at(const std::vector<fs::path>& roots, size_t entries_max) {
  FileTree tree;
  Walk walk(tree, entries_max);
  for (const fs::path& root : roots) walk.root(root);
  return tree;
}

}  // namespace godwit::io
