#include <godwit/plugin.h>

/* Answers each request with what it carries. It keeps nothing, so the host itself serves as the instance. */

static gw_status create(const gw_host* host, void** self) {
  gw_text action = GW_TEXT("plugin.echo");
  gw_value wanted;
  if (host->config->get(host, GW_TEXT("action"), &wanted) == GW_OK) {
    if (wanted.type != GW_VALUE_TEXT) {
      host->core->log(host, GW_LOG_ERROR, GW_TEXT("config.action is a text, such as \"plugin.echo\""), NULL, 0);
      return GW_ERROR_ARGUMENT_INVALID;
    }
    action = wanted.text;
  }
  uint32_t handler;
  *self = (void*)host;
  return host->handlers->bind(host, action, &handler);
}

static gw_status on_message(void* self, const gw_message* message) {
  const gw_host* host = self;
  if (message->kind == GW_EVENT) return GW_OK;
  return host->messages->reply(host, message->ticket, message->body, message->headers, message->header_count);
}

static const gw_instance_table instance = {.struct_size = sizeof(gw_instance_table), .create = create};
static const gw_handler_kind handler = {.struct_size = sizeof(gw_handler_kind), .on_message = on_message};

GW_PLUGIN_EXPORT const gw_plugin godwit_plugin = {
    GW_PLUGIN_HEAD,
    .kinds = GW_KIND_HANDLER,
    .flags = GW_FLAG_CAN_UNLOAD,
    GW_PLUGIN_SIZES,
    .name = "echo",
    .version = "1.0.0",
    .license = "GPL-3.0-or-later",
    .author = "the godwit project",
    .description = "Answers each request with its own body and headers.",
    .instance = &instance,
    .handler = &handler,
};
