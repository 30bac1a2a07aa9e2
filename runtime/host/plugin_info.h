#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace godwit::host {

/// The version of the plugin interface that a host offers.
struct HostAbi {
  uint16_t major = 0;
  uint16_t minor = 0;
};
/// Of this build, as <godwit/plugin.h> has it.
HostAbi host_abi();

/// What a plugin's descriptor says of it, copied.
struct PluginInfo {
  std::string name;
  std::string version;
  std::string license;
  std::string author;
  std::string description;
  uint16_t abi_major = 0;  ///< of the header it was compiled with
  uint16_t abi_minor = 0;
  uint16_t host_minor_min = 0;
  uint32_t kinds = 0;  ///< GW_KIND_…
  uint32_t flags = 0;  ///< GW_FLAG_…
  uint32_t descriptor_bytes = 0;
  uint32_t instance_bytes = 0;  ///< of its header's structures, where it says so
  uint32_t host_bytes = 0;
  uint32_t message_bytes = 0;

  bool can_unload() const;
};

/// "handler", "auth", …, of the bits that this version knows; unknown ones as numbers.
std::vector<std::string> kind_names(uint32_t kinds);
/// The bit of such a name; 0 for any other.
uint32_t kind_of(std::string_view name);

/// Reads a descriptor as it stands in a file or in memory. PluginIncompatible says which member is not what it should
/// be, what was wanted and what to do; of a descriptor of another major version only what all versions share is read.
Result<PluginInfo> read_descriptor(Bytes descriptor, HostAbi host);

/// The descriptor of a plugin's file; nothing of the file is run.
Result<PluginInfo> inspect_plugin(Bytes file, HostAbi host);

}  // namespace godwit::host
