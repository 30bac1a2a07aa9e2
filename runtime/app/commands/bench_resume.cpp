#include "app/commands/bench_resume.h"

namespace godwit::app {

BenchResume::BenchResume(const BenchOptions& options, BenchTally& tally)
    : BenchLoad(options, tally), clients_(options.clients), body_(options.size_bytes) {}

void BenchResume::begin() { open_more(); }

void BenchResume::open_more() {
  for (; stage_ == Stage::kOpening && begun_ < clients_.size() && begun_ - done_ < kOpeningMax; ++begun_)
    dial(begun_, begun_);
}

void BenchResume::on_turn() {
  open_more();
  if (done_ < clients_.size()) return;
  if (stage_ == Stage::kOpening) return part_all();
  if (stage_ == Stage::kParting) return resume_all();
}

/// The server is told of it, as if the path had been lost.
void BenchResume::part_all() {
  stage_ = Stage::kParting;
  done_ = 0;
  for (const Client& client : clients_) loop().connection(client.peer)->close(Code::kConnectionLost, "parted");
}

void BenchResume::resume_all() {
  stage_ = Stage::kResuming;
  done_ = 0;
  for (uint64_t slot = 0; slot < clients_.size(); ++slot) queue_messages(clients_[slot], slot);
  start_clock();
  for (uint64_t slot = 0; slot < clients_.size(); ++slot) dial(slot, slot, clients_[slot].kept);
}

void BenchResume::queue_messages(Client& client, uint64_t slot) {
  session::Session& session = *loop().session(client.kept);
  for (uint32_t i = 0; i < options_.in_flight; ++i) {
    const auto sent = session.send_event(options_.action, body_, {.timeout = options_.connect.timeout}, {this, slot});
    if (!sent) return finish(sent.error());
    tally_.sent();
    ++open_messages_;
  }
}

void BenchResume::on_dialed(uint64_t slot, client::PeerId peer, const client::Entry& entry) {
  clients_[slot].peer = peer;
  ++done_;
  if (stage_ == Stage::kResuming && entry.kind != client::Entry::Kind::kResumed)
    finish(Error{Code::kSessionLost, "a session was not resumed"});
}

void BenchResume::on_dial_failed(uint64_t, const Error& why) { finish(why); }

void BenchResume::on_disconnected(uint64_t slot, client::PeerId, const Error& why, session::SessionId kept) {
  if (finished()) return;
  if (stage_ != Stage::kParting || !kept) return finish(why);
  clients_[slot].kept = kept;
  ++done_;
}

void BenchResume::on_reply(uint64_t, const session::Reply& reply) {
  if (finished()) return;
  reply.status == wire::Status::kSuccess ? tally_.succeed(now() - started()) : tally_.fail(reply.code);
  if (--open_messages_ == 0) finish();
}

}  // namespace godwit::app
