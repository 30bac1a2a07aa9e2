#pragma once

#include <functional>
#include <map>
#include <span>
#include <string>

#include "base/bytes.h"
#include "session/reply.h"

namespace godwit::testing {

/// Keeps every outcome by its cookie. A cookie that is settled twice shows in `times`.
class RecordingWaiter final : public session::ReplyWaiter {
 public:
  struct Outcome {
    wire::Status status = wire::Status::kNone;
    Code code = Code::kOk;
    std::string text;
    std::string body;
    int times = 0;
  };

  session::Waiting cookie(uint64_t cookie) { return {this, cookie}; }
  bool settled(uint64_t cookie) const { return outcomes.count(cookie) != 0; }

  void on_reply(uint64_t cookie, const session::Reply& reply) override {
    on_headers(reply.headers);
    Outcome& outcome = outcomes[cookie];
    outcome = {reply.status, reply.code, std::string(reply.text), std::string(as_text(reply.body)), outcome.times + 1};
  }

  std::map<uint64_t, Outcome> outcomes;
  std::function<void(std::span<const wire::Header>)> on_headers = [](auto) {};
};

}  // namespace godwit::testing
