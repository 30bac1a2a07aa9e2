#pragma once

#include <nlohmann/json.hpp>
#include <string_view>

namespace godwit::app {

/// Keys stay in the order in which they were set: people read this, too.
using Json = nlohmann::ordered_json;

/// One line on stdout. Bytes that are not UTF-8 are replaced, never a reason to fail.
void print_json(const Json& json);

/// A body is text or it is not JSON's business: then "body" is null and "body_hex" has its bytes.
void put_body(Json& json, std::string_view body);

}  // namespace godwit::app
