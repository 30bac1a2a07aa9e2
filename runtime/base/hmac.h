#pragma once

#include "base/sha256.h"

namespace godwit {

/// HMAC-SHA-256 (RFC 2104): a digest that only somebody with the key can make.
class HmacSha256 {
 public:
  explicit HmacSha256(Bytes key);

  void add(Bytes bytes) { inner_.add(bytes); }
  /// Of all that was added; afterwards it is used up.
  Sha256 finish();

 private:
  Sha256Hasher inner_;
  Sha256Hasher outer_;
};

/// Takes as long for what differs at its first byte as for what is equal, so that nobody can guess a secret byte by
/// byte. Sizes are no secret.
bool equal_in_constant_time(Bytes a, Bytes b);

}  // namespace godwit
