#pragma once

#include <optional>
#include <string>
#include <variant>

namespace godwit::host {

/// What scripts and plugins keep outside of themselves. Text is any bytes.
using Value = std::variant<std::string, double, bool>;

/// What it counts for, wherever values are bounded in bytes.
inline size_t bytes_of(const Value& value) {
  const auto* text = std::get_if<std::string>(&value);
  return text ? text->size() : sizeof(double);
}

}  // namespace godwit::host
