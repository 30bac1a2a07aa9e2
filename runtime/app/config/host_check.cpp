#include "app/config/host_check.h"

#include <fmt/format.h>
#include <sys/resource.h>

#include <charconv>

#include "app/config/file_reader.h"
#include "base/units.h"

namespace godwit::app {
namespace {

std::optional<uint64_t> read_number(const char* path) {
  const auto text = read_text_file(path, 64);
  uint64_t value = 0;
  if (!text || std::from_chars(text->data(), text->data() + text->size(), value).ec != std::errc{}) return std::nullopt;
  return value;
}

void check_buffer(std::string_view sysctl, std::string_view key, std::optional<uint64_t> granted, uint64_t wanted,
                  std::vector<Warning>& out) {
  if (!granted || *granted >= wanted) return;
  out.push_back({fmt::format("{} is {}, less than server.{} ({}): bursts of packets will be lost", sysctl,
                             format_bytes(*granted), key, format_bytes(wanted)),
                 fmt::format("sysctl -w {}={}", sysctl, wanted)});
}

}  // namespace

HostFacts read_host_facts() {
  HostFacts facts;
  facts.receive_buffer_max = read_number("/proc/sys/net/core/rmem_max");
  facts.send_buffer_max = read_number("/proc/sys/net/core/wmem_max");
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) == 0) facts.open_files_max = files.rlim_cur;
  return facts;
}

std::vector<Warning> check_host(const Config& config, const HostFacts& facts) {
  std::vector<Warning> out;
  check_buffer("net.core.rmem_max", "receive_buffer", facts.receive_buffer_max, config.server.receive_buffer, out);
  check_buffer("net.core.wmem_max", "send_buffer", facts.send_buffer_max, config.server.send_buffer, out);
  if (facts.open_files_max && *facts.open_files_max < kOpenFilesWanted) {
    out.push_back(
        {fmt::format("at most {} files may be open, {} are wanted", *facts.open_files_max, kOpenFilesWanted),
         fmt::format("ulimit -n {}, or LimitNOFILE={} in the unit file", kOpenFilesWanted, kOpenFilesWanted)});
  }
  return out;
}

}  // namespace godwit::app
