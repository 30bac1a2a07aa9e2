#include "host/plugin_info.h"

#include <fmt/format.h>
#include <godwit/plugin.h>

#include <algorithm>
#include <cstring>

#include "base/text.h"
#include "host/elf_image.h"

namespace godwit::host {
namespace {

struct KindName {
  uint32_t bit;
  std::string_view name;
};
constexpr KindName kKinds[] = {{GW_KIND_HANDLER, "handler"}, {GW_KIND_ROUTER, "router"}, {GW_KIND_STRATEGY, "strategy"},
                               {GW_KIND_AUTH, "auth"},       {GW_KIND_CODEC, "codec"},   {GW_KIND_STORE, "store"}};

/// Where the part ends that all versions share.
constexpr size_t kSharedBytes = offsetof(gw_plugin, abi_minor) + sizeof(uint16_t);

tl::unexpected<Error> incompatible(std::string text) { return fail(Code::kPluginIncompatible, std::move(text)); }

/// A text member; one that is not closed ends with its place.
template <size_t size>
std::string text_of(const char (&text)[size]) {
  return std::string(text, strnlen(text, size));
}

bool is_name(std::string_view name) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  };
  return !name.empty() && name.size() < sizeof(gw_plugin::name) && std::all_of(name.begin(), name.end(), allowed);
}

/// What must be right before anything else of a descriptor can be read.
Status check_shared(const gw_plugin& plugin, size_t size, HostAbi host) {
  if (size < kSharedBytes) return incompatible(fmt::format("its descriptor has {} bytes; is it truncated?", size));
  if (plugin.magic != GW_PLUGIN_MAGIC) {
    return incompatible(
        fmt::format("its descriptor begins with {:#x} instead of {:#x}: '{}' is no plugin descriptor; "
                    "define it with GW_PLUGIN_HEAD of <godwit/plugin.h>",
                    plugin.magic, GW_PLUGIN_MAGIC, GW_PLUGIN_SYMBOL));
  }
  if (plugin.abi_major != host.major) {
    return incompatible(fmt::format(
        "it was built for plugin interface {}.{}, this server has {}.{}; {}", plugin.abi_major, plugin.abi_minor,
        host.major, host.minor,
        plugin.abi_major < host.major ? "rebuild it with this server's <godwit/plugin.h>" : "update the server"));
  }
  return {};
}

Status check_own(const PluginInfo& info, HostAbi host) {
  if (!is_name(info.name)) {
    return incompatible(
        fmt::format("its name '{}' is not 1 to 63 letters, digits, _ and -", escape_for_log(info.name, 64)));
  }
  if (info.host_minor_min > host.minor) {
    return incompatible(
        fmt::format("{} {} needs plugin interface {}.{}, this server has {}.{}; update the server, or "
                    "rebuild the plugin with an older <godwit/plugin.h>",
                    info.name, info.version, info.abi_major, info.host_minor_min, host.major, host.minor));
  }
  if (info.kinds == 0) return incompatible("it names no kind; set .kinds to what it is, such as GW_KIND_HANDLER");
  return {};
}

}  // namespace

HostAbi host_abi() { return {GW_ABI_MAJOR, GW_ABI_MINOR}; }

bool PluginInfo::can_unload() const { return (flags & GW_FLAG_CAN_UNLOAD) != 0; }

std::vector<std::string> kind_names(uint32_t kinds) {
  std::vector<std::string> names;
  for (const KindName& kind : kKinds) {
    if (kinds & kind.bit) names.emplace_back(kind.name);
    kinds &= ~kind.bit;
  }
  if (kinds != 0) names.push_back(fmt::format("{:#x}", kinds));
  return names;
}

uint32_t kind_of(std::string_view name) {
  for (const KindName& kind : kKinds) {
    if (kind.name == name) return kind.bit;
  }
  return 0;
}

Result<PluginInfo> read_descriptor(Bytes bytes, HostAbi host) {
  gw_plugin plugin{};
  std::memcpy(&plugin, bytes.data(), std::min(bytes.size(), sizeof(plugin)));
  if (const Status shared = check_shared(plugin, bytes.size(), host); !shared) return tl::unexpected(shared.error());
  constexpr size_t kFirstSize = offsetof(gw_plugin, store) + sizeof(gw_plugin::store);
  if (plugin.struct_size < kFirstSize || plugin.struct_size > bytes.size()) {
    return incompatible(fmt::format("its descriptor says it has {} bytes, and has {}; expected {} or more",
                                    plugin.struct_size, bytes.size(), kFirstSize));
  }
  PluginInfo info{.name = text_of(plugin.name),
                  .version = text_of(plugin.version),
                  .license = text_of(plugin.license),
                  .author = text_of(plugin.author),
                  .description = text_of(plugin.description),
                  .abi_major = plugin.abi_major,
                  .abi_minor = plugin.abi_minor,
                  .host_minor_min = plugin.host_minor_min,
                  .kinds = plugin.kinds,
                  .flags = plugin.flags,
                  .descriptor_bytes = plugin.struct_size,
                  .instance_bytes = plugin.instance_size,
                  .host_bytes = plugin.host_size,
                  .message_bytes = plugin.message_size};
  if (const Status own = check_own(info, host); !own) return tl::unexpected(own.error());
  return info;
}

Result<PluginInfo> inspect_plugin(Bytes file, HostAbi host) {
  const auto image = ElfImage::read(file);
  if (!image) return tl::unexpected(image.error());
  const auto descriptor = image->variable(GW_PLUGIN_SYMBOL);
  if (!descriptor && descriptor.error().code == Code::kNotFound) {
    return incompatible(
        fmt::format("{}; a plugin defines it with GW_PLUGIN_EXPORT of <godwit/plugin.h>", descriptor.error().text));
  }
  if (!descriptor) return tl::unexpected(descriptor.error());
  return read_descriptor(*descriptor, host);
}

}  // namespace godwit::host
