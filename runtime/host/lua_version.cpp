#include <luajit.h>

#include "host/app.h"

namespace godwit::host {

std::string_view lua_version() { return LUAJIT_VERSION; }

}  // namespace godwit::host
