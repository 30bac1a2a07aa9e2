#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "host/codec.h"
#include "session/reply.h"
#include "wire/stored_message.h"

namespace godwit::app {

/// The header that says what a body is.
inline constexpr std::string_view kContentTypeHeader = "content-type";

/// What a message's body is by its header: lower case, without parameters; empty: it does not say.
std::string content_type_of(const wire::Envelope& envelope);

/// The message as handlers are to see it. The codec's errors are passed on.
Result<wire::StoredMessage> decode_message(const wire::StoredMessage& message, host::Codec& codec, size_t bytes_max);

/// A reply as its client is to see it.
class EncodedReply {
 public:
  /// The codec's errors are passed on.
  static Result<EncodedReply> encode(const session::Reply& reply, host::Codec& codec, size_t bytes_max);
  /// Its views are this object's, and of what was encoded.
  session::Reply reply() const { return {reply_.status, reply_.code, reply_.text, headers_, body_}; }

 private:
  explicit EncodedReply(const session::Reply& reply) : reply_(reply) {}

  session::Reply reply_;
  std::vector<wire::Header> headers_;
  std::vector<uint8_t> body_;
};

/// It is to be encoded for a client that speaks the codec's type: a success, and of the type that handlers see.
bool is_encoded(const session::Reply& reply, const host::Codec& codec);

}  // namespace godwit::app
