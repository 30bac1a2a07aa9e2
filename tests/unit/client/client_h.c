/* The header as C11 reads it, alone and before all others; linked, so that every function is there. */
#include <godwit/client.h>

/* What the header promises of its initializers: the size first, everything else at its default. */
int client_h_defaults_hold(void);
int client_h_defaults_hold(void) {
  const gw_client_options options = GW_CLIENT_OPTIONS_INIT;
  const gw_client_call call = GW_CLIENT_CALL_INIT;
  return options.struct_size == sizeof options && options.address == NULL && options.pending_max == 0 &&
         call.struct_size == sizeof call && call.headers == NULL && options.on_message == NULL &&
         call.kind == GW_CLIENT_COMMAND && call.unordered == 0 && options.message_events == 0;
}
