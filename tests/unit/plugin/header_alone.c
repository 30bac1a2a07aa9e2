#include <godwit/plugin.h>
#include <godwit/plugin_test.h>

/* C11 without extensions sees the same layout as C++: header_alone.cpp has the same numbers. */
_Static_assert(offsetof(gw_plugin, abi_major) == 12 && offsetof(gw_plugin, abi_minor) == 14, "fixed for ever");
_Static_assert(offsetof(gw_message, ticket) == 16 && offsetof(gw_host, core) == 40, "as in C++");

gw_text header_alone(void);
gw_text header_alone(void) { return GW_TEXT("text"); }
