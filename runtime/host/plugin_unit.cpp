#include "host/plugin_unit.h"

#include <fmt/format.h>

#include <cstring>
#include <mutex>

#include "host/plugin_app.h"

namespace godwit::host {
namespace {

/// Contents and settings: a plugin whose settings changed is built anew with them.
uint64_t hash_of(const PluginFile& file, const PluginSettings& settings) {
  std::string text =
      to_hex(file.digest) + fmt::format(" {} {} {} {}", static_cast<int>(settings.unload), settings.call_warn.count(),
                                        settings.call_max.count(), settings.pending_max);
  for (const auto& [key, value] : settings.values) {
    text += fmt::format("\n{} {} ", key, value.index());
    text += std::visit([](const auto& leaf) { return fmt::format("{}", leaf); }, value);
  }
  const Sha256 digest = sha256(as_bytes(text));
  uint64_t hash;
  std::memcpy(&hash, digest.data(), sizeof hash);
  return hash;
}

class PluginUnit final : public UnitSource {
 public:
  PluginUnit(PluginFile file, PluginSettings settings, std::shared_ptr<PluginImages> images)
      : hash_(hash_of(file, settings)),
        source_(std::make_shared<const PluginSource>(PluginSource{std::move(file), std::move(settings)})),
        name_(source_->unit_name()),
        images_(std::move(images)) {}

  Kind kind() const override { return Kind::kPlugin; }
  const std::string& name() const override { return name_; }
  uint64_t hash() const override { return hash_; }

  Result<std::unique_ptr<App>> build(uint32_t generation, const AppLimits& limits, AppWorld world) const override {
    auto library = library_of(generation);
    if (!library) return tl::unexpected(std::move(library.error()));
    return PluginApp::create(source_, std::move(*library), generation, limits, std::move(world));
  }

 private:
  /// The workers' instances of one generation share its code.
  Result<std::shared_ptr<const PluginLibrary>> library_of(uint32_t generation) const {
    const std::lock_guard lock(mutex_);
    if (auto known = library_.lock(); known && generation == generation_) return known;
    auto opened = PluginLibrary::open(source_->file, generation, source_->settings.unload, images_);
    if (opened) library_ = *opened;
    generation_ = generation;
    return opened;
  }

  const uint64_t hash_;
  const std::shared_ptr<const PluginSource> source_;
  const std::string name_;
  const std::shared_ptr<PluginImages> images_;
  mutable std::mutex mutex_;
  mutable std::weak_ptr<const PluginLibrary> library_;
  mutable uint32_t generation_ = 0;
};

}  // namespace

Result<UnitSourcePtr> make_plugin_unit(PluginFile file, PluginSettings settings, std::shared_ptr<PluginImages> images) {
  if (const Status pinned = check_pin(file, settings.pinned); !pinned) return tl::unexpected(pinned.error());
  return std::make_shared<PluginUnit>(std::move(file), std::move(settings), std::move(images));
}

}  // namespace godwit::host
