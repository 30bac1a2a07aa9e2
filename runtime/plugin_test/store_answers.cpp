#include "plugin_test/store_answers.h"

#include "plugin_test/fake_views.h"

namespace godwit::plugin_test {

const gw_test_stored* StoreAnswers::scan(const gw_store_kind& kind, void* self, gw_text prefix, gw_text after,
                                         uint32_t limit) {
  Asked& asked = *asked_.emplace_back(std::make_unique<Asked>());
  return begun(asked, kind.scan(self, prefix, after, limit, found, &asked));
}

const gw_test_stored* StoreAnswers::apply(const gw_store_kind& kind, void* self, const gw_store_step* steps,
                                          uint32_t count) {
  Asked& asked = *asked_.emplace_back(std::make_unique<Asked>());
  asked.steps = count;
  return begun(asked, kind.apply(self, steps, count, applied, &asked));
}

/// What was not begun has ended.
const gw_test_stored* StoreAnswers::begun(Asked& asked, gw_status status) {
  if (status != GW_OK) (void)open(&asked, status);
  return &asked.face;
}

StoreAnswers::Asked* StoreAnswers::open(void* operation, gw_status status) {
  auto& asked = *static_cast<Asked*>(operation);
  if (++asked.face.ends > 1) return nullptr;
  asked.face.status = status;
  return &asked;
}

void StoreAnswers::found(void* operation, gw_status status, const gw_store_entry* entries, uint32_t count) {
  Asked* asked = open(operation, status);
  if (!asked || status != GW_OK) return;
  for (uint32_t i = 0; i < count; ++i) {
    const std::string& key = asked->texts.emplace_back(view(entries[i].key));
    const std::string& value = asked->texts.emplace_back(view(entries[i].value));
    asked->entries.push_back({plain(key), plain_bytes(value), entries[i].version, entries[i].left_ns});
  }
  asked->face.entries = asked->entries.data();
  asked->face.count = count;
}

void StoreAnswers::applied(void* operation, gw_status status, uint32_t failed_step, const uint64_t* versions) {
  Asked* asked = open(operation, status);
  if (!asked) return;
  asked->face.failed_step = failed_step;
  if (status != GW_OK || !versions) return;
  asked->versions.assign(versions, versions + asked->steps);
  asked->face.versions = asked->versions.data();
  asked->face.count = static_cast<uint32_t>(asked->steps);
}

}  // namespace godwit::plugin_test
