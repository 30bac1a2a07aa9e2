#include "app/spec/spec_run.h"

#include <fmt/format.h>

#include "app/settings.h"
#include "app/spec/case_log.h"
#include "app/unit_files.h"
#include "host/spec.h"
#include "io/system_clock.h"

namespace godwit::app {
namespace {

struct Listed {
  bool pending = false;
  std::string where;
  std::string name;
};

/// "case\tchat/spec/chat_spec.lua:12\tname", one line for each.
std::vector<Listed> parse_list(std::string_view text) {
  std::vector<Listed> cases;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    const size_t where = line.find('\t') + 1;
    const size_t name = line.find('\t', where) + 1;
    cases.push_back({line.starts_with("pending"), std::string(line.substr(where, name - 1 - where)),
                     std::string(line.substr(name))});
  }
  return cases;
}

/// One spec file: read once, run in as many worlds as it has cases.
class FileRun {
 public:
  FileRun(const SpecFile& file, std::string_view filter, const SpecSetting& setting, SpecReporter& reporter,
          SpecTotals& totals)
      : file_(file), filter_(filter), setting_(setting), reporter_(reporter), totals_(totals) {}

  void run() {
    began_ = io::monotonic_now();
    if (Status read = this->read(); !read) return report_broken(read.error());
    const auto listed = list();
    if (!listed) return report_broken(listed.error());
    for (size_t index = 0; index < listed->size(); ++index) {
      if ((*listed)[index].name.find(filter_) != std::string::npos) run_case(index, (*listed)[index]);
    }
  }

 private:
  Status read() {
    auto app = host::read_app(file_.folder, {});
    if (!app) return tl::unexpected(std::move(app.error()));
    auto all = host::read_app_with_specs(file_.folder, {});
    if (!all) return tl::unexpected(std::move(all.error()));
    name_ = app->name;
    setting_.limits = app_limits(setting_.config, name_);
    settle_app(*app, setting_.config);
    all->settings.config = app->settings.config;
    app_ = host::make_unit(std::move(*app));
    spec_ = host::make_spec_unit(std::move(*all), file_.path);
    return {};
  }

  Result<std::unique_ptr<SpecWorld>> world() {
    auto world = std::make_unique<SpecWorld>(setting_, log_);
    if (Status loaded = world->load_app(app_); !loaded) return tl::unexpected(std::move(loaded.error()));
    if (Status loaded = world->load_spec(spec_); !loaded) return tl::unexpected(std::move(loaded.error()));
    return world;
  }

  Result<std::vector<Listed>> list() {
    const auto made = world();
    if (!made) return tl::unexpected(made.error());
    const auto answer = (*made)->ask(wire::Kind::kQuery, "godwit.spec.list", {});
    if (!answer) return tl::unexpected(answer.error());
    return parse_list(answer->body);
  }

  void run_case(size_t index, const Listed& listed) {
    began_ = io::monotonic_now();
    log_.take();
    CaseResult result{.file = file_.shown(), .where = shown(listed.where), .name = listed.name};
    if (listed.pending) {
      result.what = CaseResult::What::kPending;
      return report(std::move(result));
    }
    const auto made = world();
    const auto answer = made ? (*made)->ask(wire::Kind::kCommand, "godwit.spec.run", fmt::format("{}", index + 1))
                             : Result<SpecWorld::Answer>(tl::unexpected(made.error()));
    if (!answer) {
      result.failure = fmt::format("{}: {}", result.where, shown(answer.error().text));
    } else if (answer->headers.at("outcome") != "passed") {
      result.failure = shown(answer->body);
    }
    report(std::move(result));
  }

  void report_broken(const Error& error) {
    CaseResult result{.file = file_.shown(), .where = {}, .name = "loads"};
    result.failure = shown(error.text);
    report(std::move(result));
  }

  void report(CaseResult result) {
    result.took = io::monotonic_now() - began_;
    if (!result.failure.empty()) {
      result.what = CaseResult::What::kFailed;
      for (const std::string& line : log_.take()) result.log.push_back(shown(line));
    }
    totals_.add(result);
    reporter_.ended(result);
  }

  /// Lua says "chat/main.lua:12"; people and editors find the file from where they are.
  std::string shown(std::string text) const {
    const std::string from = name_ + "/";
    const std::string to = (file_.folder / "").string();
    if (name_.empty() || from == to) return text;
    for (size_t at = 0; (at = text.find(from, at)) != std::string::npos;) {
      const bool whole = at == 0 || std::string_view(" \n\t='\"(<").find(text[at - 1]) != std::string_view::npos;
      if (whole) text.replace(at, from.size(), to);
      at += whole ? to.size() : from.size();
    }
    return text;
  }

  const SpecFile& file_;
  const std::string_view filter_;
  SpecSetting setting_;  ///< with the limits of this app
  SpecReporter& reporter_;
  SpecTotals& totals_;
  CaseLog log_;
  std::string name_;
  host::UnitSourcePtr app_;
  host::UnitSourcePtr spec_;
  Timestamp began_{};
};

}  // namespace

void SpecTotals::add(const CaseResult& result) {
  switch (result.what) {
    case CaseResult::What::kPassed: ++passed; break;
    case CaseResult::What::kFailed: ++failed; break;
    case CaseResult::What::kPending: ++pending; break;
  }
  took += result.took;
}

SpecTotals run_specs(const std::vector<SpecFile>& files, std::string_view filter, const SpecSetting& setting,
                     SpecReporter& reporter) {
  SpecTotals totals;
  for (const SpecFile& file : files) FileRun(file, filter, setting, reporter, totals).run();
  reporter.finished(totals);
  return totals;
}

}  // namespace godwit::app
