#include "host/heard_reply.h"

#include "host/plugin_views.h"

namespace godwit::host {
namespace {

gw_status status_of(const session::Reply& reply) {
  if (reply.status == wire::Status::kSuccess) return GW_OK;
  return static_cast<gw_status>(reply.code == Code::kOk ? Code::kHandlerFailed : reply.code);
}

}  // namespace

HeardReply::HeardReply(const session::Reply& reply)
    : status_(status_of(reply)), text_(reply.text), body_(as_text(reply.body)) {
  for (const wire::Header& header : reply.headers) headers_.emplace_back(header.name, header.value);
}

void HeardReply::tell(gw_on_reply done, void* self, void* argument) const {
  std::vector<gw_header> headers;
  for (const auto& [name, value] : headers_) headers.push_back({plain(name), plain(value)});
  const gw_reply reply{.struct_size = sizeof(gw_reply),
                       .status = status_,
                       .text = plain(text_),
                       .body = plain(as_bytes(body_)),
                       .headers = headers.data(),
                       .header_count = static_cast<uint32_t>(headers.size())};
  done(self, argument, &reply);
}

}  // namespace godwit::host
