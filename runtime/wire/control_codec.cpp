#include "wire/capnp_words.h"
#include "wire/codec.h"
#include "wire/envelope_check.h"
#include "wire/scratch.h"

// The frames of the control stream. They are few, so the library does all the work.

namespace godwit::wire {

namespace {

/// Room for a message with this root and these texts.
template <typename Struct, typename... Text>
size_t message_words(Text... texts) {
  return 1 + words_of<Struct>() + (words_of(texts) + ... + 0);
}

/// Ping and Pong.
template <typename Struct>
Bytes encode_nonce(Scratch& scratch, FrameType type, uint64_t nonce) {
  WordBuilder builder(scratch.build.at_least(message_words<Struct>()));
  builder.root<Struct>().setNonce(nonce);
  return scratch.frame(type, builder.words()).bytes;
}

/// Refuse and Goodbye; `more` sets what only one of them has.
template <typename Struct, typename Farewell, typename More>
Bytes encode_farewell(Scratch& scratch, FrameType type, const Farewell& farewell, size_t text_bytes_max, More more) {
  const std::string_view text = readable_text(farewell.text, text_bytes_max, scratch.text);
  WordBuilder builder(scratch.build.at_least(message_words<Struct>(text)));
  auto out = builder.root<Struct>();
  out.setCode(static_cast<uint16_t>(farewell.code));
  out.setRetryAfterMs(farewell.retry_after_ms);
  put_text(text, [&](unsigned bytes) { return out.initText(bytes); });
  more(out);
  return scratch.frame(type, builder.words()).bytes;
}

/// Unpacks a payload and lets `read` take the value from it.
template <typename Struct, typename Read>
auto decode(Scratch& scratch, Bytes payload, std::string_view what, Read read)
    -> decltype(read(std::declval<typename Struct::Reader>())) {
  const auto words = scratch.unpack(payload, scratch.control_words_max);
  if (!words) return tl::unexpected(words.error());
  return read_words<Struct>(*words, what, read);
}

template <typename Struct, typename Farewell, typename More>
Result<Farewell> decode_farewell(Scratch& scratch, Bytes payload, std::string_view what, size_t text_bytes_max,
                                 More more) {
  return decode<Struct>(scratch, payload, what, [&](typename Struct::Reader in) -> Result<Farewell> {
    Farewell farewell{static_cast<Code>(in.getCode()), view_of(in.getText()), in.getRetryAfterMs()};
    more(in, farewell);
    if (farewell.text.size() > text_bytes_max || !is_utf8(farewell.text)) {
      return fail(Code::kFrameMalformed, std::string(what) + ": the text is too long or not UTF-8");
    }
    return farewell;
  });
}

godwit::Status check_text(std::string_view field, std::string_view text, size_t bytes_max) {
  if (!is_utf8(text)) return fail(Code::kFrameMalformed, std::string(field) + " is not UTF-8");
  if (text.size() <= bytes_max) return {};
  return fail(Code::kIdentityInvalid, std::string(field) + " has " + std::to_string(text.size()) + " bytes, " +
                                          std::to_string(bytes_max) + " are allowed");
}

godwit::Status check_hello(const Hello& hello) {
  for (const auto& [field, text, bytes_max] : {
           std::tuple{"the client id", hello.client_id, limits::kClientIdBytesMax},
           std::tuple{"the uid", hello.uid, limits::kUidBytesMax},
           std::tuple{"the token", hello.token, limits::kTokenBytesMax},
           std::tuple{"the agent", hello.agent, limits::kAgentBytesMax},
           std::tuple{"the resume token", hello.resume_token, kResumeTokenBytesMax},
       }) {
    if (godwit::Status status = check_text(field, text, bytes_max); !status) return status;
  }
  return {};
}

}  // namespace

Bytes Codec::encode(const Hello& hello) {
  WordBuilder builder(scratch_->build.at_least(
      message_words<proto::Hello>(hello.client_id, hello.uid, hello.token, hello.agent, hello.resume_token)));
  auto out = builder.root<proto::Hello>();
  put_text(hello.client_id, [&](unsigned bytes) { return out.initClientId(bytes); });
  put_text(hello.uid, [&](unsigned bytes) { return out.initUid(bytes); });
  put_text(hello.token, [&](unsigned bytes) { return out.initToken(bytes); });
  put_text(hello.agent, [&](unsigned bytes) { return out.initAgent(bytes); });
  out.setLastSeq(hello.last_seq);
  put_text(hello.resume_token, [&](unsigned bytes) { return out.initResumeToken(bytes); });
  out.setFeatures(hello.features);
  out.setKnownSeq(hello.known_seq);
  out.setProgram(hello.program);
  out.setAttempt(hello.attempt);
  return scratch_->frame(FrameType::kHello, builder.words()).bytes;
}

Result<Hello> Codec::decode_hello(Bytes payload) {
  return decode<proto::Hello>(*scratch_, payload, "Hello", [](proto::Hello::Reader in) -> Result<Hello> {
    Hello hello;
    hello.client_id = view_of(in.getClientId());
    hello.uid = view_of(in.getUid());
    hello.token = view_of(in.getToken());
    hello.agent = view_of(in.getAgent());
    hello.last_seq = in.getLastSeq();
    hello.resume_token = view_of(in.getResumeToken());
    hello.features = in.getFeatures();
    hello.known_seq = in.getKnownSeq();
    hello.program = in.getProgram();
    hello.attempt = in.getAttempt();
    if (godwit::Status status = check_hello(hello); !status) return tl::unexpected(status.error());
    return hello;
  });
}

Bytes Codec::encode(const Welcome& welcome) {
  WordBuilder builder(scratch_->build.at_least(message_words<proto::Welcome>(welcome.resume_token, welcome.server)));
  auto out = builder.root<proto::Welcome>();
  out.setSession(welcome.session);
  put_text(welcome.resume_token, [&](unsigned bytes) { return out.initResumeToken(bytes); });
  out.setLastSeq(welcome.last_seq);
  out.setFeatures(welcome.features);
  out.setInlineBytesMax(welcome.inline_bytes_max);
  out.setOutboxMessagesMax(welcome.outbox_messages_max);
  out.setHeartbeatMs(welcome.heartbeat_ms);
  put_text(welcome.server, [&](unsigned bytes) { return out.initServer(bytes); });
  out.setResumed(welcome.resumed);
  out.setLost(static_cast<uint16_t>(welcome.lost));
  out.setKnownSeq(welcome.known_seq);
  out.setResumeWindowMs(welcome.resume_window_ms);
  out.setSteer(welcome.steer);
  return scratch_->frame(FrameType::kWelcome, builder.words()).bytes;
}

Result<Welcome> Codec::decode_welcome(Bytes payload) {
  return decode<proto::Welcome>(*scratch_, payload, "Welcome", [](proto::Welcome::Reader in) -> Result<Welcome> {
    Welcome welcome;
    welcome.session = in.getSession();
    welcome.resume_token = view_of(in.getResumeToken());
    welcome.last_seq = in.getLastSeq();
    welcome.features = in.getFeatures();
    welcome.inline_bytes_max = in.getInlineBytesMax();
    welcome.outbox_messages_max = in.getOutboxMessagesMax();
    welcome.heartbeat_ms = in.getHeartbeatMs();
    welcome.server = view_of(in.getServer());
    welcome.resumed = in.getResumed();
    welcome.lost = static_cast<Code>(in.getLost());
    welcome.known_seq = in.getKnownSeq();
    welcome.resume_window_ms = in.getResumeWindowMs();
    welcome.steer = in.getSteer();
    if (!is_utf8(welcome.server) || !is_utf8(welcome.resume_token)) {
      return fail(Code::kFrameMalformed, "Welcome: text that is not UTF-8");
    }
    return welcome;
  });
}

Bytes Codec::encode(const Refuse& refuse) {
  return encode_farewell<proto::Refuse>(*scratch_, FrameType::kRefuse, refuse, limits_.text_bytes_max,
                                        [&](proto::Refuse::Builder out) { out.setSteer(refuse.steer); });
}
Result<Refuse> Codec::decode_refuse(Bytes payload) {
  return decode_farewell<proto::Refuse, Refuse>(
      *scratch_, payload, "Refuse", limits_.text_bytes_max,
      [](proto::Refuse::Reader in, Refuse& refuse) { refuse.steer = in.getSteer(); });
}

Bytes Codec::encode(const Goodbye& goodbye) {
  return encode_farewell<proto::Goodbye>(*scratch_, FrameType::kGoodbye, goodbye, limits_.text_bytes_max,
                                         [](proto::Goodbye::Builder) {});
}
Result<Goodbye> Codec::decode_goodbye(Bytes payload) {
  return decode_farewell<proto::Goodbye, Goodbye>(*scratch_, payload, "Goodbye", limits_.text_bytes_max,
                                                  [](proto::Goodbye::Reader, Goodbye&) {});
}

Bytes Codec::encode(const Ping& ping) { return encode_nonce<proto::Ping>(*scratch_, FrameType::kPing, ping.nonce); }
Result<Ping> Codec::decode_ping(Bytes payload) {
  return decode<proto::Ping>(*scratch_, payload, "Ping",
                             [](proto::Ping::Reader in) -> Result<Ping> { return Ping{in.getNonce()}; });
}

Bytes Codec::encode(const Pong& pong) { return encode_nonce<proto::Pong>(*scratch_, FrameType::kPong, pong.nonce); }
Result<Pong> Codec::decode_pong(Bytes payload) {
  return decode<proto::Pong>(*scratch_, payload, "Pong",
                             [](proto::Pong::Reader in) -> Result<Pong> { return Pong{in.getNonce()}; });
}

Bytes Codec::encode(const Renewal& renewal) {
  WordBuilder builder(scratch_->build.at_least(message_words<proto::Renewal>(renewal.resume_token)));
  auto out = builder.root<proto::Renewal>();
  put_text(renewal.resume_token, [&](unsigned bytes) { return out.initResumeToken(bytes); });
  return scratch_->frame(FrameType::kRenewal, builder.words()).bytes;
}
Result<Renewal> Codec::decode_renewal(Bytes payload) {
  return decode<proto::Renewal>(*scratch_, payload, "Renewal", [](proto::Renewal::Reader in) -> Result<Renewal> {
    const Renewal renewal{view_of(in.getResumeToken())};
    if (!renewal.resume_token.empty() && renewal.resume_token.size() <= kResumeTokenBytesMax &&
        is_utf8(renewal.resume_token))
      return renewal;
    return fail(Code::kFrameMalformed, "Renewal: a token that is empty, too long or not UTF-8");
  });
}

Bytes Codec::encode(const Cancel& cancel) {
  WordBuilder builder(scratch_->build.at_least(message_words<proto::Cancel>()));
  builder.root<proto::Cancel>().setId(cancel.id);
  return scratch_->frame(FrameType::kCancel, builder.words()).bytes;
}
Result<Cancel> Codec::decode_cancel(Bytes payload) {
  return decode<proto::Cancel>(*scratch_, payload, "Cancel",
                               [](proto::Cancel::Reader in) -> Result<Cancel> { return Cancel{in.getId()}; });
}

}  // namespace godwit::wire
