#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace godwit::app {

/// A spec file and the app it is about.
struct SpecFile {
  std::filesystem::path folder;  ///< of the app
  std::string path;              ///< within the folder: "spec/chat_spec.lua"

  std::string shown() const { return (folder / path).lexically_normal().string(); }
};

/// The folder of the app that a path is, or lies in.
std::optional<std::filesystem::path> app_around(const std::filesystem::path& path);

/// The spec files that a path stands for: itself, those of an app, or those of all apps in a folder. In order.
Result<std::vector<SpecFile>> find_specs(const std::filesystem::path& path);

}  // namespace godwit::app
