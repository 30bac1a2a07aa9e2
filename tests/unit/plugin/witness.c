#include <fcntl.h>
#include <godwit/plugin.h>
#include <unistd.h>

/* Writes the body of each message of the action "seen" as a line of the file `config.file`, and answers then: a process
   that is killed has told the system of everything it has answered. The host itself serves as the instance. */

static int file = -1;

static gw_status create(const gw_host* host, void** self) {
  char name[4096];
  gw_value wanted;
  if (host->config->get(host, GW_TEXT("file"), &wanted) != GW_OK || wanted.type != GW_VALUE_TEXT ||
      wanted.text.size >= sizeof name) {
    return GW_ERROR_ARGUMENT_INVALID;
  }
  for (size_t i = 0; i < wanted.text.size; ++i) name[i] = wanted.text.data[i];
  name[wanted.text.size] = '\0';
  file = open(name, O_WRONLY | O_APPEND | O_CREAT, 0600);
  if (file < 0) return GW_ERROR_ARGUMENT_INVALID;
  uint32_t handler;
  *self = (void*)host;
  return host->handlers->bind(host, GW_TEXT("seen"), &handler);
}

static gw_status on_message(void* self, const gw_message* message) {
  const gw_host* host = self;
  char line[64];
  size_t size = 0;
  for (; size < message->body.size && size + 1 < sizeof line; ++size) line[size] = (char)message->body.data[size];
  line[size++] = '\n';
  if (write(file, line, size) != (ssize_t)size) return GW_ERROR_HANDLER_FAILED;
  return host->messages->reply(host, message->ticket, message->body, NULL, 0);
}

static const gw_instance_table instance = {.struct_size = sizeof(gw_instance_table), .create = create};
static const gw_handler_kind handler = {.struct_size = sizeof(gw_handler_kind), .on_message = on_message};

GW_PLUGIN_EXPORT const gw_plugin godwit_plugin = {
    GW_PLUGIN_HEAD,
    .kinds = GW_KIND_HANDLER,
    GW_PLUGIN_SIZES,
    .name = "witness",
    .version = "1.0.0",
    .license = "GPL-3.0-or-later",
    .author = "the godwit project",
    .description = "Writes down what it has handled.",
    .instance = &instance,
    .handler = &handler,
};
