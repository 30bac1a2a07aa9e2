#include "app/body_codecs.h"

#include <algorithm>

namespace godwit::app {
namespace {

bool is_content_type(const wire::Header& header) { return header.name == kContentTypeHeader; }

/// "Text/Plain; charset=utf-8" → "text/plain"
std::string plain_type(std::string_view value) {
  value = value.substr(0, value.find(';'));
  while (!value.empty() && value.back() == ' ') value.remove_suffix(1);
  while (!value.empty() && value.front() == ' ') value.remove_prefix(1);
  std::string type(value);
  for (char& c : type) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return type;
}

std::string content_type_in(std::span<const wire::Header> headers) {
  const auto found = std::find_if(headers.begin(), headers.end(), is_content_type);
  return found == headers.end() ? std::string() : plain_type(found->value);
}

/// The headers with another content-type; without one when it is empty.
std::vector<wire::Header> headers_with(std::span<const wire::Header> headers, std::string_view type) {
  std::vector<wire::Header> out;
  for (const wire::Header& header : headers) {
    if (!is_content_type(header)) out.push_back(header);
  }
  if (!type.empty()) out.push_back({kContentTypeHeader, type});
  return out;
}

}  // namespace

std::string content_type_of(const wire::Envelope& envelope) { return content_type_in(envelope.headers); }

Result<wire::StoredMessage> decode_message(const wire::StoredMessage& message, host::Codec& codec, size_t bytes_max) {
  auto body = codec.decode(message.body(), bytes_max);
  if (!body) return tl::unexpected(std::move(body.error()));
  const std::vector<wire::Header> headers = headers_with(message.envelope().headers, codec.handler_type());
  wire::Envelope envelope = message.envelope();
  envelope.headers = headers;
  return wire::StoredMessage(envelope, Bytes(*body));
}

bool is_encoded(const session::Reply& reply, const host::Codec& codec) {
  if (reply.status != wire::Status::kSuccess) return false;
  const std::string said = content_type_in(reply.headers);
  return said.empty() || said == plain_type(codec.handler_type());
}

Result<EncodedReply> EncodedReply::encode(const session::Reply& reply, host::Codec& codec, size_t bytes_max) {
  auto body = codec.encode(reply.body, bytes_max);
  if (!body) return tl::unexpected(std::move(body.error()));
  EncodedReply encoded(reply);
  encoded.body_ = std::move(*body);
  encoded.headers_ = headers_with(reply.headers, codec.content_type());
  return encoded;
}

}  // namespace godwit::app
