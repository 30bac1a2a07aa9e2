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

/// Makes a folder that must not exist yet, with these files: name → text. An error leaves what was made before it.
Status write_project(const std::filesystem::path& folder, const std::map<std::string, std::string>& files);

}  // namespace godwit::app
