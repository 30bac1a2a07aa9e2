#include "app/commands/templates.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>

namespace godwit::app {

std::string fill_in(std::string_view text, const std::map<std::string, std::string>& words) {
  std::string out(text);
  for (const auto& [word, meaning] : words) {
    const std::string mark = "@" + word + "@";
    for (size_t at = 0; (at = out.find(mark, at)) != out.npos; at += meaning.size())
      out.replace(at, mark.size(), meaning);
  }
  return out;
}

Status check_project_name(std::string_view name) {
  const auto allowed = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; };
  if (!name.empty() && name.size() < 48 && name[0] >= 'a' && name[0] <= 'z' &&
      std::all_of(name.begin(), name.end(), allowed))
    return {};
  return fail(Code::kUsageInvalid, "NAME: expected a letter, then letters, digits and _ (a-z, 0-9), below 48");
}

Status write_files(const std::filesystem::path& folder, const std::map<std::string, std::string>& files) {
  for (const auto& [name, text] : files) {
    const std::filesystem::path path = folder / name;
    std::error_code error;
    std::filesystem::create_directories(path.parent_path(), error);
    if (error) return fail(Code::kFileUnreadable, fmt::format("{}: {}", path.parent_path().string(), error.message()));
    std::ofstream out(path, std::ios::binary);
    out << text;
    if (!out.flush()) return fail(Code::kFileUnreadable, fmt::format("{}: cannot be written", path.string()));
  }
  return {};
}

Status write_project(const std::filesystem::path& folder, const std::map<std::string, std::string>& files) {
  std::error_code error;
  if (std::filesystem::exists(folder, error)) {
    return fail(Code::kUsageInvalid,
                fmt::format("{} exists already; give another name or --in FOLDER", folder.string()));
  }
  return write_files(folder, files);
}

}  // namespace godwit::app
