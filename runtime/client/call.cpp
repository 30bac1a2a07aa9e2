#include "client/call.h"

namespace godwit::client {
namespace {

Reply::Status to_status(wire::Status status) {
  switch (status) {
    case wire::Status::kSuccess: return Reply::Status::kSuccess;
    case wire::Status::kTimeout: return Reply::Status::kTimeout;
    default: return Reply::Status::kFailure;
  }
}

bool says_too_late(Code code) { return code == Code::kDeadlineExceeded || code == Code::kConnectTimeout; }

}  // namespace

Reply to_reply(const session::Reply& from) {
  Reply reply{.status = to_status(from.status), .body = std::string(as_text(from.body))};
  for (const wire::Header& header : from.headers) reply.headers.emplace_back(header.name, header.value);
  if (reply.ok()) return reply;
  reply.code = static_cast<uint16_t>(from.code);
  reply.name = name_of(from.code);
  reply.text = from.text;
  return reply;
}

Reply to_reply(const Error& error) {
  return {.status = says_too_late(error.code) ? Reply::Status::kTimeout : Reply::Status::kFailure,
          .code = static_cast<uint16_t>(error.code),
          .name = name_of(error.code),
          .text = error.text};
}

}  // namespace godwit::client
