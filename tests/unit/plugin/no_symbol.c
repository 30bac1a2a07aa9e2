#include <godwit/plugin.h>

/* A shared object that forgot to export its descriptor. */
const int not_the_descriptor = GW_ABI_MAJOR;
