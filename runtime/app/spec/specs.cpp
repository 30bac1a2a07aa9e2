#include "app/spec/specs.h"

#include <algorithm>

#include "host/app.h"

namespace godwit::app {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kSuffix = "_spec.lua";

/// All spec files below `below`, which lies in the app's folder or is it.
Result<std::vector<SpecFile>> list(const fs::path& app, const fs::path& below) {
  std::vector<SpecFile> specs;
  std::error_code error;
  if (!fs::is_directory(below, error)) return specs;
  fs::recursive_directory_iterator entry(below, error);
  for (; !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
    if (!entry->is_regular_file() || !entry->path().filename().native().ends_with(kSuffix)) continue;
    specs.push_back({app, entry->path().lexically_relative(app).generic_string()});
  }
  if (error) return fail(Code::kFileUnreadable, below.string() + ": " + error.message());
  std::sort(specs.begin(), specs.end(), [](const SpecFile& a, const SpecFile& b) { return a.path < b.path; });
  return specs;
}

}  // namespace

std::optional<fs::path> app_around(const fs::path& path) {
  std::error_code error;
  const fs::path start = path.is_absolute() ? path : fs::path(".") / path;
  for (fs::path folder = start; !folder.empty(); folder = folder.parent_path()) {
    if (fs::is_regular_file(folder / "main.lua", error)) return folder.lexically_normal();
    if (folder == folder.parent_path()) break;
  }
  return std::nullopt;
}

Result<std::vector<SpecFile>> find_specs(const fs::path& given) {
  const fs::path path = (given.has_filename() ? given : given.parent_path()).lexically_normal();
  std::error_code error;
  if (!fs::exists(path, error)) return fail(Code::kFileUnreadable, given.string() + ": does not exist");
  const auto app = app_around(path);
  if (fs::is_regular_file(path, error)) {
    if (!app || !path.native().ends_with(kSuffix)) {
      return fail(Code::kUsageInvalid, given.string() + ": no spec of an app; those are called spec/NAME_spec.lua");
    }
    return std::vector{SpecFile{*app, path.lexically_relative(*app).generic_string()}};
  }
  if (app) return list(*app, path == *app ? path / "spec" : path);
  const auto apps = host::find_apps(path);
  if (!apps) return tl::unexpected(apps.error());
  std::vector<SpecFile> all;
  for (const fs::path& folder : *apps) {
    auto specs = list(folder, folder / "spec");
    if (!specs) return specs;
    std::move(specs->begin(), specs->end(), std::back_inserter(all));
  }
  return all;
}

}  // namespace godwit::app
