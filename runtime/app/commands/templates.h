#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>

#include "base/result.h"

namespace godwit::app {

/// A file of commands/templates/ by its path in there; empty when there is none.
std::string_view template_text(std::string_view name);

/// Exchanges each @WORD@ for what stands for it.
std::string fill_in(std::string_view text, const std::map<std::string, std::string>& words);

/// A name that is also a file's, an action's and, with other letters, a class's: a letter, then letters, digits and _
/// (a-z, 0-9), below 48 of them. UsageInvalid says so.
Status check_project_name(std::string_view name);

/// Writes files below a folder, over what is there: path → text. An error leaves what was made before it.
Status write_files(const std::filesystem::path& folder, const std::map<std::string, std::string>& files);

/// The same in a folder that must not exist yet.
Status write_project(const std::filesystem::path& folder, const std::map<std::string, std::string>& files);

}  // namespace godwit::app
