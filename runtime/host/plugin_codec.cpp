#include "host/plugin_codec.h"

#include <fmt/format.h>

#include <algorithm>

#include "host/plugin_views.h"

namespace godwit::host {
namespace {

constexpr size_t kFirstBytes = 256;  ///< of room beside four times what comes in; more is given when it is asked for
constexpr size_t kGrowth = 4;

tl::unexpected<Error> too_large(size_t bytes_max) {
  return fail(Code::kMessageTooLarge, fmt::format("translated it has more than {} bytes", bytes_max));
}

}  // namespace

Result<std::vector<uint8_t>> PluginCodec::decode(Bytes body, size_t bytes_max) {
  Outcome outcome = translate(kind_.decode, "decode", body, bytes_max);
  if (outcome.status == GW_OK) return std::move(outcome.bytes);
  if (outcome.status == GW_ERROR_MESSAGE_TOO_LARGE) return too_large(bytes_max);
  if (outcome.status != GW_ERROR_BODY_INVALID)
    reports_.failed("plugin failed to decode", name_of_status(outcome.status));
  return fail(Code::kBodyInvalid, std::string(content_type()));
}

Result<std::vector<uint8_t>> PluginCodec::encode(Bytes body, size_t bytes_max) {
  Outcome outcome = translate(kind_.encode, "encode", body, bytes_max);
  if (outcome.status == GW_OK) return std::move(outcome.bytes);
  if (outcome.status == GW_ERROR_MESSAGE_TOO_LARGE) return too_large(bytes_max);
  reports_.failed("plugin failed to encode a reply", name_of_status(outcome.status));
  return fail(Code::kPluginFailed, fmt::format("the reply cannot be told as {}", content_type()));
}

PluginCodec::Outcome PluginCodec::translate(decltype(gw_codec_kind::encode) function, std::string_view what, Bytes body,
                                            size_t bytes_max) {
  const PluginHost::Entry entry(host_, PluginHost::Stage::kRunning, nullptr);
  const Timestamp before = clock_.measure();
  Outcome outcome{GW_ERROR_MESSAGE_TOO_LARGE, {}};
  size_t room = 0;
  while (outcome.status == GW_ERROR_MESSAGE_TOO_LARGE && room < bytes_max) {
    room = std::min(bytes_max, room == 0 ? kGrowth * body.size() + kFirstBytes : kGrowth * room);
    outcome.bytes.resize(room);
    size_t size = 0;
    outcome.status = call_plugin(function, self_, plain(body), outcome.bytes.data(), room, &size);
    if (outcome.status == GW_OK && size > room) outcome.status = GW_ERROR_PLUGIN_FAILED;
    outcome.bytes.resize(std::min(size, room));
  }
  reports_.took(clock_.measure() - before, what);
  return outcome;
}

}  // namespace godwit::host
