#include "base/planted.h"

#include <cstdlib>
#include <string_view>

namespace godwit {
namespace {

constexpr std::string_view kNames[] = {
#define GW_FAULT(name) #name,
#include "base/planted_faults.inc"
#undef GW_FAULT
};

std::string_view chosen() {
  const char* name = std::getenv("GODWIT_PLANTED_FAULT");
  return name ? name : "";
}

}  // namespace

bool planted(Fault fault) {
  static const std::string_view name = chosen();
  return name == kNames[static_cast<size_t>(fault)];
}

}  // namespace godwit
