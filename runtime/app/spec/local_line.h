#pragma once

#include <deque>
#include <optional>
#include <variant>

#include "session/session.h"
#include "wire/codec.h"

namespace godwit::app {

/// Joins two sessions of one process as a connection would: what one sends the other receives, whole and in order, when
/// it is delivered. The bounds of messages are those of the wire. The second end does not hear how long the first waits
/// for it: a fake client may be as slow as its spec wants, and never gives up before the app does.
class LocalLine {
 public:
  explicit LocalLine(const wire::CodecLimits& limits)
      : ends_{End(limits, Deadlines::kLeftOut), End(limits, Deadlines::kTold)} {}
  LocalLine(const LocalLine&) = delete;
  LocalLine& operator=(const LocalLine&) = delete;

  /// Both must live as long as the line is used.
  void connect(session::Session& one, session::Session& other) {
    one.attach(ends_[0]);
    other.attach(ends_[1]);
  }

  /// Hands over what was sent until now, each to the session of the other end. True when there was something.
  bool deliver(session::Session& one, session::Session& other);

  /// Why one of the sessions broke the connection off, once it did.
  std::optional<Error> broken() const;

 private:
  struct StoredAck {
    explicit StoredAck(const wire::Ack& ack);
    void give_to(session::Session& session) const;

    struct Refused {
      uint64_t seq;
      Code code;
      std::string text;
    };
    uint64_t cumulative;
    std::vector<uint64_t> ranges;
    std::vector<Refused> refused;
  };

  enum class Deadlines : uint8_t { kTold, kLeftOut };

  /// Where one session writes, and the other reads.
  class End final : public session::Link {
   public:
    End(const wire::CodecLimits& limits, Deadlines deadlines) : limits_(limits), deadlines_(deadlines) {}
    Status send_message(const wire::Envelope& envelope, Bytes body, const session::SharedBody& shared) override;
    void send_ack(const wire::Ack& ack) override { queue_.emplace_back(StoredAck(ack)); }
    void send_cancel(uint64_t message_id) override { queue_.emplace_back(wire::Cancel{message_id}); }
    uint64_t undelivered() const override { return 0; }
    void close(Code code, std::string_view text) override { broken_ = Error{code, std::string(text)}; }

    bool deliver_to(session::Session& session);
    const std::optional<Error>& broken() const { return broken_; }

   private:
    const wire::CodecLimits& limits_;
    const Deadlines deadlines_;
    std::deque<std::variant<wire::StoredMessage, StoredAck, wire::Cancel>> queue_;
    std::optional<Error> broken_;
  };

  std::array<End, 2> ends_;
};

}  // namespace godwit::app
