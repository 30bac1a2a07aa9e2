#pragma once

#include <functional>
#include <memory>

#include "client/remote.h"
#include "port/mailbox.h"

namespace godwit::client {

/// Finds the addresses of a host without holding up the loop: the system's resolver blocks, for many seconds when a
/// name server is silent, and cannot be interrupted. So it runs on a thread of its own, which is left behind when
/// nobody waits any more. Destroying the lookup means that nobody does.
class NameLookup {
 public:
  using Done = std::function<void(Result<Remote>)>;

  /// `done` runs once, on the thread that owns `mailbox`, and never from within this constructor. The mailbox must
  /// outlive the lookup.
  NameLookup(Mailbox& mailbox, HostAndPort where, Done done);
  ~NameLookup();
  NameLookup(const NameLookup&) = delete;
  NameLookup& operator=(const NameLookup&) = delete;

 private:
  struct Shared;
  std::shared_ptr<Shared> shared_;
};

}  // namespace godwit::client
