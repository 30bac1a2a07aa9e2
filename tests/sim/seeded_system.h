#pragma once

#include <cstdint>

namespace godwit::sim {

/// The TLS library draws its randomness from /dev/urandom by itself. In this program that file is a sequence from a
/// seed (the linker wraps open, read and close for it), so that whole handshakes replay byte for byte. Of the process,
/// not of a world: worlds live one after the other.
void seed_system(uint64_t seed);

}  // namespace godwit::sim
