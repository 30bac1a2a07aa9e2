#pragma once

#include <godwit/plugin.h>

#include "base/limits.h"
#include "host/plugin_views.h"
#include "host/services.h"

namespace godwit::host {

/// What a plugin sends, as the server takes it.
struct Sending {
  wire::Header headers[limits::kHeadersMax];
  Outgoing message;

  gw_status read(const gw_outgoing* given) {
    if (!GW_REACHES(gw_outgoing, given, header_count)) return GW_ERROR_ARGUMENT_INVALID;
    const bool sound = is_sound(given->action) && is_sound(given->body) && given->timeout_ns >= 0 &&
                       given->ttl_ns >= 0 && given->priority <= GW_PRIORITY_CRITICAL &&
                       (given->headers || given->header_count == 0);
    if (!sound) return GW_ERROR_ARGUMENT_INVALID;
    if (given->header_count > limits::kHeadersMax) return GW_ERROR_HEADERS_INVALID;
    for (uint32_t i = 0; i < given->header_count; ++i)
      headers[i] = {view(given->headers[i].name), view(given->headers[i].value)};
    message = {.action = view(given->action),
               .headers = {headers, given->header_count},
               .body = view(given->body),
               .timeout = Duration(given->timeout_ns),
               .ttl = Duration(given->ttl_ns),
               .priority = static_cast<wire::Priority>(given->priority),
               .order = given->unordered ? session::Order::kUnordered : session::Order::kOrdered};
    return GW_OK;
  }
};

}  // namespace godwit::host
