#pragma once

#include <godwit/plugin_test.h>

#include <deque>
#include <memory>
#include <string>
#include <vector>

namespace godwit::plugin_test {

/// What a store plugin was asked, and how it has ended that.
class StoreAnswers {
 public:
  const gw_test_stored* scan(const gw_store_kind& kind, void* self, gw_text prefix, gw_text after, uint32_t limit);
  const gw_test_stored* apply(const gw_store_kind& kind, void* self, const gw_store_step* steps, uint32_t count);

 private:
  struct Asked {
    gw_test_stored face{.struct_size = sizeof(gw_test_stored)};
    size_t steps = 0;
    std::deque<std::string> texts;
    std::vector<gw_store_entry> entries;
    std::vector<uint64_t> versions;
  };
  static void found(void* operation, gw_status status, const gw_store_entry* entries, uint32_t count);
  static void applied(void* operation, gw_status status, uint32_t failed_step, const uint64_t* versions);
  /// Null: it has ended before.
  static Asked* open(void* operation, gw_status status);
  static const gw_test_stored* begun(Asked& asked, gw_status status);

  std::deque<std::unique_ptr<Asked>> asked_;
};

}  // namespace godwit::plugin_test
