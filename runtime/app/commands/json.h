#pragma once

#include <nlohmann/json.hpp>

namespace godwit::app {

/// Keys stay in the order in which they were set: people read this, too.
using Json = nlohmann::ordered_json;

/// One line on stdout. Bytes that are not UTF-8 are replaced, never a reason to fail.
void print_json(const Json& json);

}  // namespace godwit::app
