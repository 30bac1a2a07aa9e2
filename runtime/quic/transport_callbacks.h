#pragma once

#include <ngtcp2/ngtcp2.h>

#include "quic/connection.h"
#include "quic/endpoint.h"

namespace godwit::quic {

/// The table of callbacks; their user data is the Transport.
const ngtcp2_callbacks& callbacks_of(Role role);

/// The token that proves, without state, that a connection id was ours: 16 bytes keyed by the server's secret.
void stateless_reset_token(const EndpointSecrets& secrets, const ngtcp2_cid& cid, uint8_t* out);

}  // namespace godwit::quic
