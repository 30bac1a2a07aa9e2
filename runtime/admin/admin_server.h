#pragma once

#include <memory>

#include "admin/source.h"
#include "base/log.h"
#include "base/result.h"
#include "port/address.h"
#include "port/clock.h"

namespace godwit::admin {

/// Bounds of the HTTP side; whoever holds a connection open can not keep others out for long.
struct AdminLimits {
  uint32_t connections_max = 16;
  size_t head_bytes_max = 16 * 1024;  ///< request line and headers of one connection, and the head of its answer
  size_t path_bytes_max = 1024;
  Duration request_time_max = 5s;  ///< accept to the last byte of the answer
};

/// The admin plane over HTTP/1.1: health, metrics, statistics. Reads only, on loopback only. Has no thread: its owner
/// watches `fd()` and calls `run()` while that is readable. One request per connection.
class AdminServer {
 public:
  /// Listens; port 0 takes any free one. Refuses addresses beyond loopback, because nobody is asked who he is. `source`
  /// and `clock` must outlive the server.
  static Result<std::unique_ptr<AdminServer>> start(const SocketAddress& address, const AdminSource& source,
                                                    const Clock& clock, Log log, AdminLimits limits = {});
  ~AdminServer();

  /// Readable when there is something to do, be it that time has passed. The same for the server's life.
  int fd() const;
  /// Does what there is to do, and never waits.
  void run();
  /// Where it listens, with the real port.
  const SocketAddress& address() const;

 private:
  class Impl;
  explicit AdminServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace godwit::admin
