#pragma once

#include <godwit/plugin.h>

#include <atomic>
#include <memory>
#include <string>

#include "base/result.h"
#include "host/plugin_file.h"
#include "host/plugin_settings.h"

namespace godwit::host {

/// How many generations of one plugin are mapped. Shared by all of them; any thread.
class PluginImages {
 public:
  /// Generations that stay mapped for ever, at most; then a reload is refused until the server is started again.
  static constexpr int kKeptMax = 8;
  int mapped() const { return mapped_.load(std::memory_order_relaxed); }

 private:
  friend class PluginLibrary;
  std::atomic<int> mapped_{0};
};

/// One generation's code in memory, from a private copy of the file, so that no two generations share anything. Kept by
/// everything that may still run it; the last to let go unmaps it where that is allowed.
class PluginLibrary {
 public:
  /// PluginLoadFailed carries the linker's words.
  static Result<std::shared_ptr<const PluginLibrary>> open(const PluginFile& file, uint32_t generation, Unload unload,
                                                           std::shared_ptr<PluginImages> images);
  ~PluginLibrary();
  PluginLibrary(const PluginLibrary&) = delete;
  PluginLibrary& operator=(const PluginLibrary&) = delete;

  // The plugin's tables as this version knows them: members that the plugin does not have are null.
  const gw_instance_table& instance() const { return instance_; }
  const gw_handler_kind& handler() const { return handler_; }
  const gw_router_kind& router() const { return router_; }
  const gw_auth_kind& auth() const { return auth_; }
  const gw_strategy_kind& strategy() const { return strategy_; }
  const gw_codec_kind& codec() const { return codec_; }
  const gw_store_kind& store() const { return store_; }

 private:
  PluginLibrary(Unload unload, std::shared_ptr<PluginImages> images);
  Status stage(const PluginFile& file, uint32_t generation);
  Status map();
  Status read_tables(const PluginFile& file);
  Status check_kinds(const PluginFile& file, uint32_t kinds) const;

  const Unload unload_;
  std::shared_ptr<PluginImages> images_;
  int staged_ = -1;  ///< the copy; stays open, because its number is part of the name by which the linker knows it
  void* handle_ = nullptr;
  gw_instance_table instance_{};
  gw_handler_kind handler_{};
  gw_router_kind router_{};
  gw_auth_kind auth_{};
  gw_strategy_kind strategy_{};
  gw_codec_kind codec_{};
  gw_store_kind store_{};
};

}  // namespace godwit::host
