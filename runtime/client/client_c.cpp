#include <godwit/client.h>

#include <cstring>
#include <godwit/client.hpp>
#include <new>

#include "base/error.h"
#include "base/version.h"

/// The C API: the C++ one, with copies at the border and no exception across it.
struct gw_client {
  godwit::Client client;
  bool driven;  ///< by the program: nobody else brings a reply
};

struct gw_client_answer {
  godwit::Reply reply{.status = godwit::Reply::Status::kSuccess};
};

namespace {

using godwit::CallOptions;
using godwit::Client;
using godwit::ClientOptions;
using godwit::Message;
using godwit::Reply;

std::string text_or_empty(const char* text) { return text ? text : ""; }

/// Members beyond what the caller's header knew stay at their defaults.
template <typename Options>
Options known_part_of(const Options* given) {
  Options options{};
  if (given) std::memcpy(&options, given, std::min(given->struct_size, sizeof(Options)));
  return options;
}

void set_ms(std::chrono::nanoseconds& target, uint32_t ms) {
  if (ms > 0) target = std::chrono::milliseconds(ms);
}

gw_client_kind to_c(Message::Kind kind) {
  switch (kind) {
    case Message::Kind::kQuery: return GW_CLIENT_QUERY;
    case Message::Kind::kEvent: return GW_CLIENT_EVENT;
    default: return GW_CLIENT_COMMAND;
  }
}

/// Hands a message out with its texts ended by 0, as C wants them.
Reply handle(gw_client_on_message on_message, void* user, const Message& message) {
  const std::string action(message.action);
  const std::string body(message.body);
  std::vector<std::pair<std::string, std::string>> texts;
  for (const auto& [name, value] : message.headers) texts.emplace_back(name, value);
  std::vector<gw_client_header> headers;
  for (const auto& [name, value] : texts) headers.push_back({name.c_str(), value.c_str()});
  const gw_client_message view{.kind = to_c(message.kind),
                               .action = action.c_str(),
                               .body = body.c_str(),
                               .body_bytes = body.size(),
                               .headers = headers.data(),
                               .header_count = headers.size()};
  gw_client_answer answer;
  on_message(user, &view, &answer);
  return std::move(answer.reply);
}

ClientOptions to_options(const gw_client_options& from) {
  ClientOptions options{.address = text_or_empty(from.address),
                        .client_id = text_or_empty(from.client_id),
                        .uid = text_or_empty(from.uid),
                        .token = text_or_empty(from.token),
                        .ca_file = text_or_empty(from.ca_file),
                        .certificate_file = text_or_empty(from.certificate_file),
                        .key_file = text_or_empty(from.key_file),
                        .insecure = from.insecure != 0};
  set_ms(options.connect_timeout, from.connect_timeout_ms);
  set_ms(options.request_timeout, from.request_timeout_ms);
  set_ms(options.linger, from.linger_ms);
  if (from.pending_max > 0) options.pending_max = from.pending_max;
  if (from.on_message) {
    options.on_message = [on_message = from.on_message, user = from.on_message_user](const Message& message) {
      return handle(on_message, user, message);
    };
  }
  options.reconnect = from.no_reconnect == 0;
  options.own_thread = from.no_thread == 0;
  options.message_events = from.message_events != 0;
  if (from.on_event) {
    options.on_event = [on_event = from.on_event, user = from.on_event_user](const godwit::ClientEvent& event) {
      const gw_client_event view{.kind = static_cast<gw_client_event_kind>(event.kind),
                                 .code = event.code,
                                 .name = event.name.c_str(),
                                 .text = event.text.c_str(),
                                 .reconnects = event.reconnects,
                                 .action = event.action.c_str()};
      on_event(user, &view);
    };
  }
  return options;
}

CallOptions to_options(const gw_client_call& from) {
  CallOptions options{.kind = from.kind == GW_CLIENT_QUERY ? CallOptions::Kind::kQuery : CallOptions::Kind::kCommand,
                      .priority = static_cast<CallOptions::Priority>(from.priority),
                      .unordered = from.unordered != 0,
                      .unreliable = from.unreliable != 0,
                      .durable = from.durable != 0};
  set_ms(options.timeout, from.timeout_ms);
  set_ms(options.ttl, from.ttl_ms);
  for (size_t i = 0; i < from.header_count; ++i)
    options.headers.emplace_back(text_or_empty(from.headers[i].name), text_or_empty(from.headers[i].value));
  return options;
}

/// A reply as C sees it, with everything it points to.
struct OwnedReply {
  explicit OwnedReply(Reply from) : reply(std::move(from)) {
    for (const auto& [name, value] : reply.headers) headers.push_back({name.c_str(), value.c_str()});
    view = {.status = static_cast<gw_client_status>(reply.status),
            .code = reply.code,
            .name = reply.name.c_str(),
            .text = reply.text.c_str(),
            .body = reply.body.data(),
            .body_bytes = reply.body.size(),
            .headers = headers.data(),
            .header_count = headers.size()};
  }
  gw_client_reply view;  // first: gw_client_reply_free gets back from it to the whole
  Reply reply;
  std::vector<gw_client_header> headers;
};

Client::OnReply to_callback(gw_client_on_reply on_reply, void* user) {
  return [on_reply, user](Reply reply) {
    if (!on_reply) return;
    const OwnedReply owned(std::move(reply));
    on_reply(user, &owned.view);
  };
}

std::string_view to_body(const void* body, size_t body_bytes) { return {static_cast<const char*>(body), body_bytes}; }

void tell_out_of_memory(gw_client_on_reply on_reply, void* user) {
  if (!on_reply) return;
  const gw_client_reply reply{.status = GW_CLIENT_FAILURE,
                              .code = static_cast<uint16_t>(godwit::Code::kOutOfMemory),
                              .name = "OutOfMemory",
                              .text = "",
                              .body = "",
                              .body_bytes = 0,
                              .headers = nullptr,
                              .header_count = 0};
  on_reply(user, &reply);
}

gw_client_reply* own(Reply reply) { return &(new OwnedReply(std::move(reply)))->view; }

/// Who would wait is the one who has to bring it.
gw_client_reply* refuse_to_wait() {
  const auto code = godwit::Code::kUsageInvalid;
  return own({.code = static_cast<uint16_t>(code), .name = godwit::name_of(code), .text = "a client without a thread"});
}

}  // namespace

extern "C" {

const char* gw_client_version(void) { return godwit::kVersion.data(); }

gw_client* gw_client_open(const gw_client_options* options) try {
  const gw_client_options known = known_part_of(options);
  return known.address ? new gw_client{Client(to_options(known)), known.no_thread != 0} : nullptr;
} catch (...) {
  return nullptr;
}

void gw_client_reconnect_now(gw_client* client) { client->client.reconnect_now(); }

int gw_client_event_fd(gw_client* client) { return client->client.event_fd(); }

void gw_client_process(gw_client* client) { client->client.process(); }

void gw_client_stop(gw_client* client, gw_client_stop_reason reason) {
  client->client.close(static_cast<godwit::StopReason>(reason));
}

void gw_client_close(gw_client* client) { delete client; }

gw_client_call_id gw_client_request(gw_client* client, const char* action, const void* body, size_t body_bytes,
                                    const gw_client_call* call, gw_client_on_reply on_reply, void* user) try {
  return client->client.request(text_or_empty(action), to_body(body, body_bytes), to_options(known_part_of(call)),
                                to_callback(on_reply, user));
} catch (...) {
  tell_out_of_memory(on_reply, user);
  return 0;
}

gw_client_call_id gw_client_send(gw_client* client, const char* action, const void* body, size_t body_bytes,
                                 const gw_client_call* call, gw_client_on_reply on_reply, void* user) try {
  return client->client.send(text_or_empty(action), to_body(body, body_bytes), to_options(known_part_of(call)),
                             to_callback(on_reply, user));
} catch (...) {
  tell_out_of_memory(on_reply, user);
  return 0;
}

void gw_client_cancel(gw_client* client, gw_client_call_id call) { client->client.cancel(call); }

gw_client_reply* gw_client_request_wait(gw_client* client, const char* action, const void* body, size_t body_bytes,
                                        const gw_client_call* call) try {
  if (client->driven) return refuse_to_wait();
  const CallOptions options = to_options(known_part_of(call));
  return own(client->client.request(text_or_empty(action), to_body(body, body_bytes), options).get());
} catch (...) {
  return nullptr;
}

gw_client_reply* gw_client_send_wait(gw_client* client, const char* action, const void* body, size_t body_bytes,
                                     const gw_client_call* call) try {
  if (client->driven) return refuse_to_wait();
  const CallOptions options = to_options(known_part_of(call));
  return own(client->client.send(text_or_empty(action), to_body(body, body_bytes), options).get());
} catch (...) {
  return nullptr;
}

void gw_client_answer_reply(gw_client_answer* answer, const void* body, size_t body_bytes) {
  answer->reply.status = Reply::Status::kSuccess;
  answer->reply.body = to_body(body, body_bytes);
}

void gw_client_answer_fail(gw_client_answer* answer, uint16_t code, const char* text) {
  answer->reply.status = Reply::Status::kFailure;
  answer->reply.code = code;
  answer->reply.text = text_or_empty(text);
}

void gw_client_reply_free(gw_client_reply* reply) { delete reinterpret_cast<OwnedReply*>(reply); }

}  // extern "C"
