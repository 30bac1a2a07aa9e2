#include "host/unit_source.h"

namespace godwit::host {
namespace {

class LuaUnit final : public UnitSource {
 public:
  explicit LuaUnit(AppSource source) : source_(std::make_shared<const AppSource>(std::move(source))) {}

  Kind kind() const override { return Kind::kScript; }
  const std::string& name() const override { return source_->name; }
  uint64_t hash() const override { return source_->hash; }
  Result<std::unique_ptr<App>> build(uint32_t generation, const AppLimits& limits, AppWorld world) const override {
    return load_app(source_, generation, limits, std::move(world));
  }

 private:
  std::shared_ptr<const AppSource> source_;
};

}  // namespace

UnitSourcePtr make_unit(AppSource source) { return std::make_shared<LuaUnit>(std::move(source)); }

}  // namespace godwit::host
