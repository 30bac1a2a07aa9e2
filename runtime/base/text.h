#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace godwit {

/// Makes bytes that somebody else chose safe to print: control bytes, terminal escapes, text-direction overrides and
/// invalid UTF-8 become \xNN (newline \n, tab \t, backslash \\), valid UTF-8 stays. At most `bytes_max` bytes come out;
/// what is cut off ends in "…" (three of those bytes). Distinct inputs that were not cut give distinct outputs.
std::string escape_for_log(std::string_view bytes, size_t bytes_max);

/// Well-formed UTF-8: no overlong forms, no surrogates, nothing above U+10FFFF. Empty text is valid.
bool is_valid_utf8(std::string_view text);

/// Valid UTF-8 without anything that escape_for_log would take out: no control bytes (C0, DEL, C1), no line or
/// text-direction controls. What people read as a name must be so: two names that look alike to them are then alike.
/// Empty text is.
bool is_printable(std::string_view text);

/// How many bytes must be inserted, deleted, replaced or swapped with their neighbour to turn one into the other.
size_t edit_distance(std::string_view a, std::string_view b);

/// For "did you mean": the candidate closest to `text`, when it is close enough to be meant (a third of its length, at
/// least one edit). Texts over 64 bytes are not compared.
std::optional<std::string_view> nearest(std::string_view text, std::span<const std::string_view> candidates);

}  // namespace godwit
