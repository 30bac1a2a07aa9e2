#include <godwit/plugin.h>
#include <stdlib.h>

/* A strategy for some sizes that plans what its settings say, sense or nonsense. */

typedef struct instance {
  const gw_host* host;
  gw_value class_, status;
} instance;

static gw_status create(const gw_host* host, void** self) {
  instance* made = calloc(1, sizeof *made);
  made->host = host;
  if (host->config->get(host, GW_TEXT("class"), &made->class_) != GW_OK) made->class_.integer = GW_SIZE_TINY;
  if (host->config->get(host, GW_TEXT("status"), &made->status) != GW_OK) made->status.integer = GW_OK;
  *self = made;
  return GW_OK;
}

static void destroy(void* self) { free(self); }

static gw_status plan(void* self, const gw_strategy_question* question, gw_strategy_plan* out) {
  instance* own = self;
  out->own_stream = true;
  out->size_class = (uint32_t)own->class_.integer;
  out->retries =
      GW_REACHES(gw_strategy_question, question, body_bytes_max) && question->body_bytes_max == 2000 ? 42 : 7;
  return (gw_status)own->status.integer;
}

static const gw_instance_table table = {.struct_size = sizeof(gw_instance_table), .create = create, .destroy = destroy};
static const gw_strategy_kind strategy = {
    .struct_size = sizeof(gw_strategy_kind), .plan = plan, .bytes_min = 100, .bytes_max = BYTES_MAX};

GW_PLUGIN_EXPORT const gw_plugin godwit_plugin = {
    GW_PLUGIN_HEAD, .kinds = GW_KIND_STRATEGY, .flags = GW_FLAG_CAN_UNLOAD, GW_PLUGIN_SIZES, .name = "planner",
    .version = "1", .instance = &table,        .strategy = &strategy,
};
