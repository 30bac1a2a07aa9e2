// alpn_probe HOST:PORT: knocks with a protocol that nobody speaks. Prints "refused" and exits with 0 when the server
// does not let it in, 1 when it does.

#include <cstdio>

#include "client/client_loop.h"
#include "client/quiet_log.h"

namespace {

using namespace godwit;

class Probe final : public client::ClientLoop::Owner {
 public:
  Result<Error> knock(const char* address) {
    auto where = client::HostAndPort::parse(address);
    if (!where) return tl::unexpected(where.error());
    auto loop = client::ClientLoop::create({.tls = {.verify = false, .alpn = {"other/1"}}}, Log(log_, "probe"), *this);
    if (!loop) return tl::unexpected(loop.error());
    loop_ = std::move(*loop);
    loop_->look_up(*where, [this](const Result<client::Remote>& remote) {
      if (remote) loop_->dial(0, *remote, {.client_id = "probe"}, 5s);
    });
    loop_->run();
    return refusal_;
  }

 private:
  void on_dialed(uint64_t, client::PeerId, const client::Entry&) override { loop_->stop(); }
  void on_dial_failed(uint64_t, const Error& why) override {
    refusal_ = why;
    loop_->stop();
  }
  void on_disconnected(uint64_t, client::PeerId, const Error&, session::SessionId) override {}

  client::QuietLog log_;
  std::unique_ptr<client::ClientLoop> loop_;
  Error refusal_{Code::kOk, {}};
};

}  // namespace

int main(int argc, char** argv) {
  Probe probe;
  const auto refusal = probe.knock(argc > 1 ? argv[1] : "");
  if (!refusal || refusal->code == Code::kOk || refusal->code == Code::kConnectTimeout) {
    std::puts(refusal ? refusal->to_string().c_str() : refusal.error().to_string().c_str());
    return 1;
  }
  std::printf("refused: %s\n", refusal->to_string().c_str());
  return 0;
}
