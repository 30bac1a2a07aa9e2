#include "host/spec.h"

#include "host/lua_app.h"

namespace godwit::host {
namespace {

class SpecUnit final : public UnitSource {
 public:
  SpecUnit(AppSource source, std::string file)
      : source_(std::make_shared<const AppSource>(std::move(source))), file_(std::move(file)) {}

  Kind kind() const override { return Kind::kScript; }
  const std::string& name() const override { return source_->name; }
  uint64_t hash() const override { return source_->hash; }
  Result<std::unique_ptr<App>> build(uint32_t generation, const AppLimits& limits, AppWorld world) const override {
    auto app = std::make_unique<LuaApp>(source_, generation, limits, std::move(world), file_);
    if (Status loaded = app->load(); !loaded) return tl::unexpected(std::move(loaded.error()));
    return app;
  }

 private:
  std::shared_ptr<const AppSource> source_;
  const std::string file_;
};

}  // namespace

UnitSourcePtr make_spec_unit(AppSource source, std::string file) {
  return std::make_shared<SpecUnit>(std::move(source), std::move(file));
}

}  // namespace godwit::host
