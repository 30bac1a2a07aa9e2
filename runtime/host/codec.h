#pragma once

#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace godwit::host {

/// Code that translates bodies between what clients send and what handlers are written for. Worker's thread.
class Codec {
 public:
  virtual ~Codec() = default;
  /// What clients say they send: lower case, without parameters.
  virtual std::string_view content_type() const = 0;
  /// What handlers see instead; empty: no content-type.
  virtual std::string_view handler_type() const = 0;

  /// Into what handlers see. BodyInvalid: it is not of its type; MessageTooLarge: more than `bytes_max` would come out.
  virtual Result<std::vector<uint8_t>> decode(Bytes body, size_t bytes_max) = 0;
  /// Back. PluginFailed, or MessageTooLarge.
  virtual Result<std::vector<uint8_t>> encode(Bytes body, size_t bytes_max) = 0;
};

}  // namespace godwit::host
