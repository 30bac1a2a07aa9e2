#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "app/config/config.h"

namespace godwit::app {

/// When a changed value takes effect after a reload.
enum class ReloadClass : uint8_t { kLive, kNewConnections, kRestart };
std::string_view name_of(ReloadClass reload);

/// An integer that counts bytes: written with a unit, "64KiB".
struct ByteCount {
  uint64_t* bytes;
};

/// An enumeration whose enumerators 0, 1, … are spelled `names[0]`, `names[1]`, …
struct Choice {
  uint8_t* index;
  std::span<const std::string_view> names;
};

/// Where a key's value lives in a Config; the alternative is the key's type.
using Field =
    std::variant<bool*, uint64_t*, ByteCount, Duration*, double*, std::string*, std::filesystem::path*, Choice,
                 std::vector<std::string>*, std::vector<std::filesystem::path>*, std::map<std::string, LogLevel>*>;

/// What a text, or each text of a list, must look like beyond its type.
enum class Form : uint8_t { kAny, kAddress, kAddressOrOff };

/// Inclusive bounds of integers, bytes, durations in nanoseconds, and the length of lists. Ratios are always 0 to 1.
struct Range {
  uint64_t minimum = 0;
  uint64_t maximum = std::numeric_limits<int64_t>::max();

  constexpr Range() = default;
  constexpr Range(uint64_t low, uint64_t high) : minimum(low), maximum(high) {}
  constexpr Range(Duration low, Duration high)
      : minimum(static_cast<uint64_t>(low.count())), maximum(static_cast<uint64_t>(high.count())) {}
};

/// One line of the table from which everything about configuration is made: loading, checking, environment names, the
/// commented file, `config show` and the answer to a reload. The default is what a fresh Config holds.
struct Key {
  std::string_view section;
  std::string_view name;
  Field (*field)(Config&);
  ReloadClass reload;
  Range range;
  Form form;
  std::string_view doc;  ///< what it does and why one would change it; sentences

  std::string full_name() const;         ///< "server.workers"
  std::string environment_name() const;  ///< "GODWIT_SERVER__WORKERS"
};

struct Section {
  std::string_view name;
  std::string_view doc;
};

std::span<const Section> all_sections();
/// Grouped by section, in the order of all_sections().
std::span<const Key> all_keys();

const Section* find_section(std::string_view name);
const Key* find_key(std::string_view section, std::string_view name);
std::vector<std::string_view> key_names(std::string_view section);
std::vector<std::string_view> section_names();

/// The field of a configuration that is only read.
Field field_of(const Key& key, const Config& config);

/// The type and bounds of a key for people: "duration, 1s to 1h", "one of \"text\", \"json\"".
std::string describe_type(const Key& key);

}  // namespace godwit::app
