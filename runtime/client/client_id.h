#pragma once

#include <string>
#include <string_view>

#include "port/entropy.h"

namespace godwit::client {

/// A name for a client that was given none: sessions of different runs of a program must not be taken for one client.
std::string make_client_id(std::string_view program, Entropy& entropy);

}  // namespace godwit::client
