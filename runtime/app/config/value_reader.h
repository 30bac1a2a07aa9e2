#pragma once

#include <vector>

#include "app/config/key.h"
#include "app/config/toml_text.h"

namespace godwit::app {

/// Checks a TOML value against its key and stores it in `config`. Returns what is wrong, at the value or at the
/// elements of the list or table; then the field keeps what it held. Types are strict: no conversion between numbers,
/// texts and booleans. Where a list is expected a single text stands for a list of one.
std::vector<Complaint> read_value(const Key& key, const toml::node& value, Config& config);

/// The TOML value that a text from the environment or the command line stands for. It is TOML, except that texts,
/// durations, sizes, paths and choices may stand without quotes. Nothing when it is neither.
std::unique_ptr<toml::node> read_override(const Key& key, std::string_view text);

}  // namespace godwit::app
