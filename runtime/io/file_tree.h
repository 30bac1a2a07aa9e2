#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <vector>

namespace godwit::io {

/// Some folders with everything below them, as they were when somebody looked.
struct FileTree {
  /// Each folder with what identifies it: another folder may have taken its name since.
  std::map<std::filesystem::path, uint64_t> folders;
  uint64_t fingerprint = 0;  ///< over names, sizes, times and identities of all files
  bool complete = true;      ///< false: a root is missing, or there is too much below it
};

/// Links to folders are followed; at most `entries_max` files and folders are looked at.
FileTree look_at(const std::vector<std::filesystem::path>& roots, size_t entries_max);

}  // namespace godwit::io
