#include "app/config/value_text.h"

#include <fmt/format.h>

#include "base/units.h"

namespace godwit::app {
namespace {

template <typename Texts>
std::string list_text(const Texts& texts) {
  std::string out;
  for (const auto& text : texts) out += (out.empty() ? "" : ", ") + quote_json(std::filesystem::path(text).string());
  return "[" + out + "]";
}

/// What TOML and JSON write in the same way is everything but tables.
struct ValueText {
  std::string_view assign;  // between a table's name and its value
  bool quote_names;

  std::string operator()(const bool* value) const { return *value ? "true" : "false"; }
  std::string operator()(const uint64_t* value) const { return fmt::format("{}", *value); }
  std::string operator()(ByteCount value) const { return quote_json(format_bytes(*value.bytes)); }
  std::string operator()(const Duration* value) const { return quote_json(format_duration(*value)); }
  std::string operator()(const double* value) const {
    const std::string text = fmt::format("{}", *value);
    return text.find_first_of(".e") == std::string::npos ? text + ".0" : text;
  }
  std::string operator()(const std::string* value) const { return quote_json(*value); }
  std::string operator()(const std::filesystem::path* value) const { return quote_json(value->string()); }
  std::string operator()(const Choice& value) const { return quote_json(value.names[*value.index]); }
  std::string operator()(const std::vector<std::string>* value) const { return list_text(*value); }
  std::string operator()(const std::vector<std::filesystem::path>* value) const { return list_text(*value); }
  std::string operator()(const std::map<std::string, LogLevel>* value) const {
    std::string out;
    for (const auto& [name, level] : *value) {
      out += fmt::format("{}{}{}{}", out.empty() ? "" : ", ", quote_names ? quote_json(name) : name, assign,
                         quote_json(name_of(level)));
    }
    return "{" + out + "}";
  }
};

}  // namespace

std::string toml_value(const Key& key, const Config& config) {
  return std::visit(ValueText{" = ", false}, field_of(key, config));
}

std::string json_value(const Key& key, const Config& config) {
  return std::visit(ValueText{":", true}, field_of(key, config));
}

std::string quote_json(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\')
      out += fmt::format("\\{}", c);
    else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    else
      out += c;
  }
  return out + "\"";
}

}  // namespace godwit::app
