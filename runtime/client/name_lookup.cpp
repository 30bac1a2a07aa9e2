#include "client/name_lookup.h"

#include <fmt/format.h>
#include <netdb.h>

#include <algorithm>
#include <mutex>
#include <thread>

namespace godwit::client {
namespace {

Result<Remote> look_up(const HostAndPort& where, int flags) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_DGRAM;
  hints.ai_flags = AI_NUMERICSERV | flags;
  addrinfo* found = nullptr;
  const int status = getaddrinfo(where.host.c_str(), std::to_string(where.port).c_str(), &hints, &found);
  if (status != 0) return fail(Code::kAddressInvalid, fmt::format("'{}': {}", where.host, gai_strerror(status)));
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, &freeaddrinfo);
  Remote remote{{}, where.host};
  for (const addrinfo* entry = found; entry; entry = entry->ai_next) {
    const SocketAddress address = SocketAddress::from(entry->ai_addr);
    if (std::find(remote.addresses.begin(), remote.addresses.end(), address) == remote.addresses.end())
      remote.addresses.push_back(address);
  }
  return remote;
}

}  // namespace

/// What the lookup and its thread have in common. The thread takes it from there that somebody still waits.
struct NameLookup::Shared {
  std::mutex mutex;
  Mailbox* mailbox;  ///< null: nobody waits
  Done done;
};

NameLookup::NameLookup(Mailbox& mailbox, HostAndPort where, Done done) : shared_(std::make_shared<Shared>()) {
  shared_->mailbox = &mailbox;
  shared_->done = std::move(done);
  // What is an address already needs nobody to be asked, and no thread.
  if (Result<Remote> known = look_up(where, AI_NUMERICHOST); known) {
    (void)mailbox.post([shared = shared_, known = std::move(known)] {
      if (shared->mailbox) shared->done(known);
    });
    return;
  }
  std::thread([shared = shared_, where = std::move(where)] {
    Result<Remote> result = look_up(where, 0);
    const std::lock_guard lock(shared->mutex);
    if (!shared->mailbox) return;
    // A full mailbox drops the answer; whoever waits has a deadline anyway.
    (void)shared->mailbox->post([shared, result = std::move(result)] {
      if (shared->mailbox) shared->done(result);
    });
  }).detach();
}

NameLookup::~NameLookup() {
  const std::lock_guard lock(shared_->mutex);
  shared_->mailbox = nullptr;
}

}  // namespace godwit::client
