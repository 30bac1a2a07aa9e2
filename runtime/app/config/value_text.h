#pragma once

#include <string>

#include "app/config/key.h"

namespace godwit::app {

/// A key's value as the file takes it: reading it gives the same value.
std::string toml_value(const Key& key, const Config& config);

/// The same as JSON: durations and sizes stay texts with their unit.
std::string json_value(const Key& key, const Config& config);

/// A JSON string, quotes included; TOML reads it as well.
std::string quote_json(std::string_view text);

}  // namespace godwit::app
