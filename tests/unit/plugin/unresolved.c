#include <godwit/plugin.h>

/* Needs a function that is nowhere. */
gw_status nobody_defines_this(const gw_host* host, void** self);

static const gw_instance_table instance = {.struct_size = sizeof(gw_instance_table), .create = nobody_defines_this};

GW_PLUGIN_EXPORT const gw_plugin godwit_plugin = {GW_PLUGIN_HEAD, .kinds = GW_KIND_HANDLER, .name = "unresolved",
                                                  .version = "1", .instance = &instance};
