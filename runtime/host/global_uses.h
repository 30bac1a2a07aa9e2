#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace godwit::host {

/// One place in a file where code reads or sets a global.
struct GlobalUse {
  std::string name;
  int line = 0;
  bool set = false;
  bool in_function = false;  ///< not at the top level of the file, which runs while the app loads
};

/// What the compiler makes of a file's globals, in the order of its code. Nothing is run. ScriptLoadFailed says
/// "where:line: what" when the text does not parse.
Result<std::vector<GlobalUse>> global_uses(std::string_view text, const std::string& where);

}  // namespace godwit::host
