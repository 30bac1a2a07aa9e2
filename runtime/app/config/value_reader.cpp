#include "app/config/value_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/text.h"
#include "base/units.h"
#include "port/address.h"

namespace godwit::app {
namespace {

using Path = std::filesystem::path;
using Levels = std::map<std::string, LogLevel>;

std::string_view type_of(const toml::node& node) {
  switch (node.type()) {
    case toml::node_type::table: return "a table";
    case toml::node_type::array: return "a list";
    case toml::node_type::string: return "a string";
    case toml::node_type::integer: return "an integer";
    case toml::node_type::floating_point: return "a number with a fraction";
    case toml::node_type::boolean: return "a boolean";
    default: return "a date or time";
  }
}

std::string quoted(std::string_view text) { return fmt::format("\"{}\"", escape_for_log(text, 64)); }

bool has_control_bytes(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

bool is_module_name(std::string_view text) {
  const auto allowed = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; };
  return !text.empty() && text.size() <= 32 && std::all_of(text.begin(), text.end(), allowed);
}

/// What is wrong with a text of this form; empty when nothing is.
std::string fault_of(std::string_view text, Form form) {
  if (!is_valid_utf8(text) || has_control_bytes(text)) return "expected UTF-8 text without control characters";
  if (form == Form::kAny || (form == Form::kAddressOrOff && text == "off") || SocketAddress::parse(text)) return {};
  return fmt::format("expected an address such as \"127.0.0.1:8453\" or \"[::1]:8453\"{}, got {}",
                     form == Form::kAddressOrOff ? ", or \"off\"" : "", quoted(text));
}

/// Stores one value; complaints are collected beside it.
class Reader {
 public:
  Reader(const Key& key, const toml::node& value) : key_(key), value_(value) {}

  std::vector<Complaint> take_complaints() { return std::move(complaints_); }

  void operator()(bool* out) {
    if (const auto value = value_.value_exact<bool>())
      *out = *value;
    else
      wrong_type("true or false");
  }

  void operator()(uint64_t* out) {
    const auto value = value_.value_exact<int64_t>();
    if (!value) return wrong_type("an integer");
    const auto [low, high] = key_.range;
    if (*value < 0 || static_cast<uint64_t>(*value) < low || static_cast<uint64_t>(*value) > high) {
      return complain(value_, fmt::format("expected {} to {}, got {}", low, high, *value));
    }
    *out = static_cast<uint64_t>(*value);
  }

  void operator()(ByteCount out) {
    const auto text = quantity("a size such as \"64KiB\"");
    if (!text) return;
    const auto value = parse_bytes(*text);
    if (!value) return complain(value_, value.error().text);
    const auto [low, high] = key_.range;
    if (*value < low || *value > high) {
      return complain(value_, fmt::format("expected {} to {}, got {}", format_bytes(low), format_bytes(high), *text));
    }
    *out.bytes = *value;
  }

  void operator()(Duration* out) {
    const auto text = quantity("a duration such as \"30s\"");
    if (!text) return;
    const auto value = parse_duration(*text);
    if (!value) return complain(value_, value.error().text);
    const auto low = Duration(key_.range.minimum), high = Duration(key_.range.maximum);
    if (*value < low || *value > high) {
      return complain(value_,
                      fmt::format("expected {} to {}, got {}", format_duration(low), format_duration(high), *text));
    }
    *out = *value;
  }

  void operator()(double* out) {
    if (!value_.is_number()) return wrong_type("a number from 0.0 to 1.0");
    const double value = *value_.value<double>();
    if (!(value >= 0 && value <= 1)) return complain(value_, fmt::format("expected 0.0 to 1.0, got {}", value));
    *out = value;
  }

  void operator()(std::string* out) {
    if (auto text = text_of(value_)) *out = std::move(*text);
  }

  void operator()(Path* out) {
    auto text = text_of(value_);
    if (!text) return;
    const auto [low, high] = key_.range;
    if (text->size() < low) return complain(value_, "expected a path, got \"\"");
    if (text->size() > high) return complain(value_, fmt::format("expected a path of at most {} bytes", high));
    *out = std::move(*text);
  }

  void operator()(const Choice& out) {
    const auto text = value_.value_exact<std::string_view>();
    if (!text) return wrong_type(describe_type(key_));
    const auto found = std::find(out.names.begin(), out.names.end(), *text);
    if (found == out.names.end()) return complain(value_, unknown_choice(*text, out.names));
    *out.index = static_cast<uint8_t>(found - out.names.begin());
  }

  void operator()(std::vector<std::string>* out) { read_list(out); }
  void operator()(std::vector<Path>* out) { read_list(out); }

  void operator()(Levels* out) {
    const toml::table* table = value_.as_table();
    if (table == nullptr) return wrong_type("a table such as {quic = \"warn\"}");
    if (table->size() > key_.range.maximum) {
      return complain(value_, fmt::format("expected at most {} entries, got {}", key_.range.maximum, table->size()));
    }
    Levels levels;
    for (const auto& [name, node] : *table) read_level(name, node, levels);
    if (complaints_.empty()) *out = std::move(levels);
  }

 private:
  void complain(const toml::node& at, std::string text) {
    const toml::source_position begin = at.source().begin;
    complaints_.push_back({begin.line, begin.column, std::move(text)});
  }

  void wrong_type(std::string_view expected) {
    complain(value_, fmt::format("expected {}, got {}", expected, type_of(value_)));
  }

  /// A number with its unit, as text; integers are let through, so that the unit's parser says what it misses.
  std::optional<std::string> quantity(std::string_view expected) {
    if (const auto text = value_.value_exact<std::string>()) return *text;
    if (const auto number = value_.value_exact<int64_t>()) return fmt::format("{}", *number);
    wrong_type(expected);
    return std::nullopt;
  }

  std::optional<std::string> text_of(const toml::node& node) {
    auto text = node.value_exact<std::string>();
    std::string fault;
    if (!text)
      fault = fmt::format("expected a string, got {}", type_of(node));
    else
      fault = fault_of(*text, key_.form);
    if (fault.empty()) return text;
    complain(node, std::move(fault));
    return std::nullopt;
  }

  template <typename Text>
  void read_list(std::vector<Text>* out) {
    std::vector<Text> list;
    const toml::array* array = value_.as_array();
    if (array == nullptr) {
      if (!value_.is_string()) return wrong_type(describe_type(key_));
      if (auto text = text_of(value_)) list.emplace_back(std::move(*text));
    } else {
      if (!key_has_room(array->size())) return;
      for (const toml::node& node : *array) {
        if (auto text = text_of(node); text && is_new(node, *text)) list.emplace_back(std::move(*text));
      }
    }
    if (complaints_.empty()) *out = std::move(list);
  }

  /// An address is served once; port 0 is another port each time.
  bool is_new(const toml::node& node, std::string_view text) {
    if (key_.form != Form::kAddress) return true;
    const auto address = SocketAddress::parse(text);
    if (address->port() == 0 || addresses_.insert(address->to_string()).second) return true;
    complain(node, fmt::format("expected each address once, got {} again", quoted(text)));
    return false;
  }

  bool key_has_room(size_t count) {
    const auto [low, high] = key_.range;
    if (count >= low && count <= high) return true;
    complain(value_, fmt::format("expected {} to {} elements, got {}", low, high, count));
    return false;
  }

  void read_level(const toml::key& name, const toml::node& node, Levels& levels) {
    const auto text = node.value_exact<std::string_view>();
    const auto level = text ? parse_log_level(*text) : std::nullopt;
    if (!is_module_name(name.str())) {
      complain(node, fmt::format("expected a module's name of a-z, 0-9 and _, got {}", quoted(name.str())));
    } else if (!level) {
      complain(node, fmt::format("expected a level such as \"warn\" for '{}', got {}", name.str(),
                                 text ? quoted(*text) : std::string(type_of(node))));
    } else {
      levels.emplace(name.str(), *level);
    }
  }

  std::string unknown_choice(std::string_view text, std::span<const std::string_view> names) const {
    std::string out = fmt::format("expected {}, got {}", describe_type(key_), quoted(text));
    if (const auto near = nearest(text, names)) out += fmt::format("; did you mean \"{}\"?", *near);
    return out;
  }

  const Key& key_;
  const toml::node& value_;
  std::vector<Complaint> complaints_;
  std::set<std::string> addresses_;  ///< of a list, so far
};

/// Whether a bare text means itself where this key stands.
enum class Bare : uint8_t { kNo, kText, kListOfOne };

struct BareOf {
  Bare operator()(bool*) const { return Bare::kNo; }
  Bare operator()(uint64_t*) const { return Bare::kNo; }
  Bare operator()(double*) const { return Bare::kNo; }
  Bare operator()(Levels*) const { return Bare::kNo; }
  Bare operator()(std::vector<std::string>*) const { return Bare::kListOfOne; }
  Bare operator()(std::vector<Path>*) const { return Bare::kListOfOne; }
  Bare operator()(const auto&) const { return Bare::kText; }
};

bool begins_as_toml(std::string_view text, Bare bare) {
  if (text.empty()) return false;
  return text.front() == '"' || text.front() == '\'' || (bare == Bare::kListOfOne && text.front() == '[');
}

}  // namespace

std::vector<Complaint> read_value(const Key& key, const toml::node& value, Config& config) {
  Reader reader(key, value);
  std::visit(reader, key.field(config));
  return reader.take_complaints();
}

std::unique_ptr<toml::node> read_override(const Key& key, std::string_view text) {
  const Bare bare = std::visit(BareOf{}, field_of(key, Config{}));
  if (bare == Bare::kNo || begins_as_toml(text, bare)) return parse_toml_value(text);
  return std::make_unique<toml::value<std::string>>(std::string(text));
}

}  // namespace godwit::app
