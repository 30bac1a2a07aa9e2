#include "app/config/config_text.h"

#include <fmt/format.h>

#include "app/config/app_sections.h"
#include "app/config/plugin_sections.h"
#include "app/config/value_text.h"

namespace godwit::app {
namespace {

constexpr size_t kLineWidth = 110;

/// Comment lines, broken between words.
std::string comment(std::string_view text) {
  std::string out;
  std::string line = "#";
  while (!text.empty()) {
    const size_t end = std::min(text.find(' '), text.size());
    if (line.size() + 1 + end > kLineWidth) {
      out += line + "\n";
      line = "#";
    }
    line.append(" ").append(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out + line + "\n";
}

std::string_view effect_of(ReloadClass reload) {
  switch (reload) {
    case ReloadClass::kLive: return "applied at once by a reload";
    case ReloadClass::kNewConnections: return "a reload applies it to new connections";
    case ReloadClass::kRestart: break;
  }
  return "needs a restart";
}

std::string_view heading_of(Profile profile) {
  switch (profile) {
    case Profile::kDefaults:
      return "Every key of godwit with its default: a file with only the keys you change does the same.";
    case Profile::kStandard: return "A server for some 10,000 sessions on a machine of 2 to 4 cores.";
    case Profile::kHighPerformance: break;
  }
  return "A server for some 100,000 sessions on a machine of its own, 8 cores and 32 GiB or more. The kernel must "
         "allow "
         "its buffers: sysctl net.core.rmem_max=33554432 net.core.wmem_max=33554432.";
}

constexpr std::string_view kPreamble =
    "Order: command line (--set section.key=VALUE), then environment (GODWIT_SECTION__KEY), then this file, then the "
    "defaults. Durations: ns, us, ms, s, m, h, d. Sizes: B, KiB, MiB, GiB, TiB. Paths are relative to the folder in "
    "which the "
    "server is started. Tables named x-... are free for your own use.";

std::string key_text(const Key& key, const Config& config) {
  const std::string value = toml_value(key, config);
  const std::string standard = toml_value(key, Config{});
  std::string facts = fmt::format("{}; {}", describe_type(key), effect_of(key.reload));
  if (value != standard) facts += fmt::format("; default {}", standard);
  return fmt::format("\n{}{}{} = {}\n", comment(key.doc), comment("(" + facts + ")"), key.name, value);
}

/// Calls `begin(section)` before the first key of each section, then `each(key)` for every key.
template <typename Begin, typename Each>
void for_each_key(Begin begin, Each each) {
  std::string_view section;
  for (const Key& key : all_keys()) {
    if (key.section != section) begin(*find_section(section = key.section));
    each(key);
  }
}

}  // namespace

Config profile_config(Profile profile) {
  Config config;
  if (profile == Profile::kDefaults) return config;
  config.log.format = LogSection::Format::kJson;
  if (profile == Profile::kStandard) return config;
  config.server.busy_poll = 50us;
  config.server.drain_timeout = 30s;
  config.server.receive_buffer = 32 << 20;
  config.server.send_buffer = 32 << 20;
  config.quic.max_streams_uni = 1000;
  config.quic.stream_window_bytes_max = 16 << 20;
  config.quic.connection_window_bytes_max = 32 << 20;
  config.quic.half_open_max = 16'384;
  config.quic.half_open_retry = 4096;
  config.quic.half_open_per_prefix_max = 2048;
  config.session.max_clients = 100'000;
  config.session.outbox_messages_max = 4000;
  config.message.promise_max = 500'000;
  config.message.dispatch_queue = 10'000;
  config.scripts.memory_max = 256 << 20;
  config.log.max_size = 64 << 20;
  return config;
}

std::string profile_file(Profile profile) {
  const Config config = profile_config(profile);
  std::string out = comment(heading_of(profile)) + "#\n" + comment(kPreamble);
  for_each_key([&](const Section& section) { out += fmt::format("\n\n{}[{}]\n", comment(section.doc), section.name); },
               [&](const Key& key) { out += key_text(key, config); });
  return out;
}

std::string show_config(const LoadedConfig& loaded, Detail detail) {
  std::string out;
  const auto begin = [&](const Section& section) {
    out += fmt::format("{}[{}]\n", out.empty() ? "" : "\n", section.name);
  };
  for_each_key(begin, [&](const Key& key) {
    out += fmt::format("{} = {}", key.name, toml_value(key, loaded.config));
    const auto& source = loaded.source_of(key);
    if (detail == Detail::kOrigins) {
      out += fmt::format("  # {}{}{}", name_of(source.origin), source.place.empty() ? "" : " ", source.place);
    }
    out += "\n";
  });
  return out + app_sections_text(loaded.config.apps) + plugin_sections_text(loaded.config.plugins);
}

std::string show_config_json(const LoadedConfig& loaded) {
  std::string out;
  std::string_view between = "";
  const auto begin = [&](const Section& section) {
    out += fmt::format("{}{}:{{", out.empty() ? "{" : "},", quote_json(section.name));
    between = "";
  };
  for_each_key(begin, [&](const Key& key) {
    const auto& source = loaded.source_of(key);
    out += fmt::format("{}{}:{{\"value\":{},\"origin\":{},\"place\":{},\"reload\":{}}}", between, quote_json(key.name),
                       json_value(key, loaded.config), quote_json(name_of(source.origin)), quote_json(source.place),
                       quote_json(name_of(key.reload)));
    between = ",";
  });
  out += "}";
  if (!loaded.config.apps.empty()) out += ",\"app.*\":" + app_sections_json(loaded.config.apps);
  if (!loaded.config.plugins.named.empty()) out += ",\"plugins.*\":" + plugin_sections_json(loaded.config.plugins);
  return out + "}";
}

std::string app_section_text(const Config& config, const std::string& name) {
  const auto app = config.apps.find(name);
  return app == config.apps.end() ? std::string() : app_sections_text({*app});
}

}  // namespace godwit::app
