#include "app/commands/templates.h"

#include <fmt/format.h>

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

Status write_project(const std::filesystem::path& folder, const std::map<std::string, std::string>& files) {
  std::error_code error;
  if (std::filesystem::exists(folder, error)) {
    return fail(Code::kUsageInvalid,
                fmt::format("{} exists already; give another name or --in FOLDER", folder.string()));
  }
  std::filesystem::create_directories(folder, error);
  if (error) return fail(Code::kFileUnreadable, fmt::format("{}: {}", folder.string(), error.message()));
  for (const auto& [name, text] : files) {
    std::ofstream out(folder / name, std::ios::binary);
    out << text;
    if (!out.flush())
      return fail(Code::kFileUnreadable, fmt::format("{}: cannot be written", (folder / name).string()));
  }
  return {};
}

}  // namespace godwit::app
