#include "io/log_levels.h"

namespace godwit::io {

LogLevel LogLevels::of(std::string_view module) const {
  const size_t count = count_.load(std::memory_order_acquire);
  for (size_t i = 0; i < count; ++i) {
    const Module& entry = modules_[i];
    if (entry.name != module) continue;
    if (entry.own.load(std::memory_order_relaxed)) return entry.level.load(std::memory_order_relaxed);
    break;
  }
  return standard_.load(std::memory_order_relaxed);
}

bool LogLevels::set(LogLevel standard, const std::map<std::string, LogLevel>& modules) {
  const std::lock_guard lock(setting_);
  standard_.store(standard, std::memory_order_relaxed);
  const size_t count = count_.load(std::memory_order_relaxed);
  for (size_t i = 0; i < count; ++i) {
    if (!modules.contains(modules_[i].name)) modules_[i].own.store(false, std::memory_order_relaxed);
  }
  bool all = true;
  for (const auto& [name, level] : modules) all &= set_one(name, level);
  return all;
}

LogLevels::Module* LogLevels::find(std::string_view name) {
  const size_t count = count_.load(std::memory_order_relaxed);
  for (size_t i = 0; i < count; ++i) {
    if (modules_[i].name == name) return &modules_[i];
  }
  return nullptr;
}

bool LogLevels::set_one(const std::string& name, LogLevel level) {
  const size_t count = count_.load(std::memory_order_relaxed);
  Module* known = find(name);
  if (!known && (count == kModulesMax || name.size() > kNameBytesMax)) return false;
  Module& module = known ? *known : modules_[count];
  module.level.store(level, std::memory_order_relaxed);
  module.own.store(true, std::memory_order_relaxed);
  if (known) return true;
  module.name = name;
  count_.store(count + 1, std::memory_order_release);
  return true;
}

}  // namespace godwit::io
