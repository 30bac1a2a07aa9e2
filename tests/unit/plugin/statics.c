#include <godwit/plugin.h>

/* Counts in a static variable, which no two generations may share. */

static int messages;

static gw_status create(const gw_host* host, void** self) {
  uint32_t handler;
  *self = (void*)host;
  return host->handlers->bind(host, GW_TEXT("statics.count"), &handler);
}

static gw_status on_message(void* self, const gw_message* message) {
  const gw_host* host = self;
  const uint8_t digit = (uint8_t)('0' + ++messages % 10);
  return host->messages->reply(host, message->ticket, (gw_bytes){&digit, 1}, NULL, 0);
}

static const gw_instance_table instance = {.struct_size = sizeof(gw_instance_table), .create = create};
static const gw_handler_kind handler = {.struct_size = sizeof(gw_handler_kind), .on_message = on_message};

GW_PLUGIN_EXPORT const gw_plugin godwit_plugin = {
    GW_PLUGIN_HEAD, .kinds = GW_KIND_HANDLER, .flags = FLAGS,      .name = "statics",
    .version = "1", .instance = &instance,    .handler = &handler,
};
