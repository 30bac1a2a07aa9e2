#include <godwit/plugin.h>
#include <godwit/plugin_test.h>
#include <godwit/plugin.hpp>

static_assert(offsetof(gw_plugin, abi_major) == 12 && offsetof(gw_plugin, abi_minor) == 14, "fixed for ever");
static_assert(offsetof(gw_message, ticket) == 16 && offsetof(gw_host, core) == 40, "as in C");

gw_text header_alone_cpp();
gw_text header_alone_cpp() { return GW_TEXT("text"); }
