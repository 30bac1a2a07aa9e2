#include <godwit/plugin.h>

#include <stdexcept>

/// Throws where no exception may leave.
namespace {

gw_status create(const gw_host* host, void** self) {
  uint32_t handler = 0;
  *self = nullptr;
  return host->handlers->bind(host, GW_TEXT("careless"), &handler);
}

gw_status on_message(void*, const gw_message*) { throw std::runtime_error("nobody catches this"); }

constexpr gw_instance_table kInstance = {.struct_size = sizeof(gw_instance_table), .create = create};
constexpr gw_handler_kind kHandler = {.struct_size = sizeof(gw_handler_kind), .on_message = on_message};

}  // namespace

GW_PLUGIN_EXPORT constinit const gw_plugin godwit_plugin = {GW_PLUGIN_HEAD,         .kinds = GW_KIND_HANDLER,
                                                            .name = "careless",     .version = "1",
                                                            .instance = &kInstance, .handler = &kHandler};
