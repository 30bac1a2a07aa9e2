#pragma once

#include <set>
#include <string>

#include "base/result.h"

namespace godwit::app {

/// What exists for scripts, asked of a real VM: so it cannot differ from it.
struct KnownNames {
  using Names = std::set<std::string, std::less<>>;
  Names app;   ///< globals of apps: "print", "string", "string.format"
  Names spec;  ///< globals of specs, which are more
  Names api;   ///< of the module godwit: "handle", "kv", "kv.get"
};
Result<KnownNames> known_names();

/// A configuration for luacheck that knows them.
std::string luacheck_config(const KnownNames& names);

}  // namespace godwit::app
