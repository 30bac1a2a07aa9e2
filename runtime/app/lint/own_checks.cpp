#include "app/lint/own_checks.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <regex>

#include "host/global_uses.h"

namespace godwit::app {
namespace {

bool is_spec(const std::string& file) { return file.starts_with("spec/"); }

bool is_word(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'; }

/// Where a long bracket that begins at `at` ends; npos when none begins there.
size_t long_bracket_end(std::string_view text, size_t at) {
  if (at >= text.size() || text[at] != '[') return std::string_view::npos;
  size_t level = 0;
  while (at + 1 + level < text.size() && text[at + 1 + level] == '=') ++level;
  if (at + 1 + level >= text.size() || text[at + 1 + level] != '[') return std::string_view::npos;
  const std::string closing = "]" + std::string(level, '=') + "]";
  const size_t end = text.find(closing, at + level + 2);
  return end == std::string_view::npos ? text.size() : end + closing.size();
}

size_t quoted_end(std::string_view text, size_t at) {
  const char quote = text[at];
  for (++at; at < text.size() && text[at] != quote && text[at] != '\n'; ++at) at += text[at] == '\\';
  return std::min(text.size(), at + 1);
}

/// Where a comment or text that begins at `at` ends; `at` when none does.
size_t skip_end(std::string_view text, size_t at) {
  if (text[at] == '"' || text[at] == '\'') return quoted_end(text, at);
  const bool comment = text.substr(at, 2) == "--";
  const size_t end = long_bracket_end(text, at + (comment ? 2 : 0));
  if (end != std::string_view::npos) return end;
  return comment ? std::min(text.find('\n', at), text.size()) : at;
}

/// Looks at one file at a time; remembers what is declared in all.
class Checker {
 public:
  Checker(const host::AppSource& source, const KnownNames& names) : source_(source), names_(names) {}

  std::vector<Finding> run() {
    std::vector<std::vector<host::GlobalUse>> uses;
    for (const host::AppSource::File& file : source_.files) uses.push_back(compile(file));
    for (size_t i = 0; i < uses.size(); ++i) check_globals(source_.files[i], uses[i]);
    for (const host::AppSource::File& file : source_.files) check_api(file);
    std::sort(findings_.begin(), findings_.end());
    return std::move(findings_);
  }

 private:
  std::vector<host::GlobalUse> compile(const host::AppSource::File& file) {
    auto uses = host::global_uses(file.text, file.path);
    if (!uses) {
      add_syntax(file, uses.error().text);
      return {};
    }
    for (const host::GlobalUse& use : *uses) {
      if (use.set) assigned_.insert(use.name);
      if (use.set && !use.in_function) (is_spec(file.path) ? declared_in_specs_ : declared_).insert(use.name);
    }
    return std::move(*uses);
  }

  /// "lib/util.lua:12: unexpected symbol near 'x'"
  void add_syntax(const host::AppSource::File& file, std::string_view text) {
    int line = 1;
    if (text.starts_with(file.path + ":")) {
      text.remove_prefix(file.path.size() + 1);
      const auto parsed = std::from_chars(text.data(), text.data() + text.size(), line);
      text.remove_prefix(static_cast<size_t>(parsed.ptr - text.data()));
      text.remove_prefix(std::min(text.find_first_not_of(": "), text.size()));
    }
    findings_.push_back({file.path, line, 1, std::string(text)});
  }

  void check_globals(const host::AppSource::File& file, const std::vector<host::GlobalUse>& uses) {
    const bool spec = is_spec(file.path);
    const KnownNames::Names& known = spec ? names_.spec : names_.app;
    for (const host::GlobalUse& use : uses) {
      const bool declared = declared_.contains(use.name) || (spec && declared_in_specs_.contains(use.name));
      // What is assigned is said once, where that happens.
      if (!use.set && assigned_.contains(use.name)) continue;
      if (declared || (known.contains(use.name) && !use.set)) continue;
      if (known.contains(use.name))
        add(file, use, "the global '{}' is part of Lua: give this another name");
      else if (!use.set)
        add(file, use, "the global '{}' does not exist");
      else if (!spec)
        add(file, use, "the global '{}' is assigned by accident: make it local, or declare it at the top of a file");
      else
        add(file, use, "the global '{}' is assigned: make it local");
    }
  }

  void add(const host::AppSource::File& file, const host::GlobalUse& use, fmt::string_view text) {
    findings_.push_back({file.path, use.line, column_of(file, use), fmt::format(fmt::runtime(text), use.name)});
  }

  int column_of(const host::AppSource::File& file, const host::GlobalUse& use) {
    const std::string code = code_only(file.text);
    size_t begin = 0;
    for (int line = 1; line < use.line; ++line) begin = code.find('\n', begin) + 1;
    const std::string_view line = std::string_view(code).substr(begin, code.find('\n', begin) - begin);
    for (size_t at = 0; (at = line.find(use.name, at)) != std::string_view::npos; ++at) {
      const size_t end = at + use.name.size();
      const bool begins = at == 0 || !(is_word(line[at - 1]) || line[at - 1] == '.' || line[at - 1] == ':');
      if (begins && (end == line.size() || !is_word(line[end]))) return static_cast<int>(at) + 1;
    }
    return 1;
  }

  /// `gw.name` and `gw.name.name` in files in which gw is the module.
  void check_api(const host::AppSource::File& file) {
    static const std::regex required(R"(\blocal\s+gw\s*=\s*require\b)");
    static const std::regex used(R"((^|[^\w.:])gw\s*\.\s*(\w+)(?:\s*\.\s*(\w+))?)");
    const std::string code = code_only(file.text);
    if (!std::regex_search(code, required)) return;
    for (std::sregex_iterator match(code.begin(), code.end(), used), end; match != end; ++match) {
      const std::string name = (*match)[2], field = (*match)[3];
      const bool has_fields = names_.api.upper_bound(name + ".") != names_.api.end() &&
                              names_.api.upper_bound(name + ".")->starts_with(name + ".");
      const std::string whole = has_fields && !field.empty() ? name + "." + field : name;
      if (names_.api.contains(whole)) continue;
      const auto at = static_cast<size_t>((*match).position(0) + (*match).length(1));
      const auto begin = code.begin();
      const auto here = begin + static_cast<std::ptrdiff_t>(at);
      const int line = static_cast<int>(std::count(begin, here, '\n')) + 1;
      const size_t line_begin = at == 0 ? 0 : code.rfind('\n', at - 1) + 1;
      findings_.push_back(
          {file.path, line, static_cast<int>(at - line_begin) + 1, fmt::format("gw.{} does not exist", whole)});
    }
  }

  const host::AppSource& source_;
  const KnownNames& names_;
  KnownNames::Names assigned_;
  KnownNames::Names declared_;
  KnownNames::Names declared_in_specs_;
  std::vector<Finding> findings_;
};

}  // namespace

std::string code_only(std::string_view text) {
  std::string out(text);
  for (size_t at = 0; at < text.size();) {
    const size_t end = skip_end(text, at);
    for (size_t i = at; i < end; ++i) {
      if (out[i] != '\n') out[i] = ' ';
    }
    at = std::max(end, at + 1);
  }
  return out;
}

std::vector<Finding> own_checks(const host::AppSource& source, const KnownNames& names) {
  return Checker(source, names).run();
}

}  // namespace godwit::app
