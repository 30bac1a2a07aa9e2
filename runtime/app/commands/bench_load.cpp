#include "app/commands/bench_load.h"

#include <csignal>

namespace godwit::app {
namespace {

constexpr Duration kGoodbyeTimeoutMax = 2s;

}  // namespace

Status BenchLoad::run(Log log) {
  if (Status started = start(log); !started) return started;
  loop_->run();
  loop_->close_all();
  loop_->linger(kGoodbyeTimeoutMax);
  signals_.reset();
  return status_;
}

Status BenchLoad::start(Log log) {
  auto loop = client::ClientLoop::create(options_.loop_options(), log, *this);
  if (!loop) return tl::unexpected(std::move(loop.error()));
  loop_ = std::move(*loop);
  auto signals = io::SignalWatcher::watch(loop_->loop(), {SIGINT, SIGTERM}, [this](int) { interrupt(); });
  if (!signals) return tl::unexpected(std::move(signals.error()));
  signals_ = std::move(*signals);
  loop_->look_up(options_.connect.address, [this](const Result<client::Remote>& remote) {
    if (finished_) return;
    if (!remote) return finish(remote.error());
    remote_ = *remote;
    begin();
  });
  return {};
}

client::DialId BenchLoad::dial(uint64_t cookie, uint64_t client, session::SessionId resume) {
  client::Credentials credentials = options_.connect.credentials;
  credentials.client_id += '-' + std::to_string(client);
  return loop_->dial(cookie, remote_, credentials, options_.connect.timeout, resume);
}

void BenchLoad::finish() {
  if (std::exchange(finished_, true)) return;
  if (started_ != Timestamp{}) tally_.set_elapsed(now() - started_);
  loop_->stop();
}

void BenchLoad::finish(Error why) {
  status_ = tl::unexpected(std::move(why));
  finish();
}

}  // namespace godwit::app
