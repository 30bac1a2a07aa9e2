#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/log.h"
#include "base/result.h"
#include "base/timer_heap.h"
#include "io/file_descriptor.h"
#include "io/loop.h"
#include "io/poll_watcher.h"

namespace godwit::io {

/// Who is at the other end of a local connection, by the kernel's word.
struct PeerProcess {
  uint32_t uid = 0;
  int32_t pid = 0;
};

struct LineServerOptions {
  size_t connections_max = 16;
  size_t line_bytes_max = 64 << 10;  ///< of a request, its end included
  size_t answer_bytes_max = 1 << 20;
  Duration idle_max = 30s;  ///< without a request being answered; half a request counts as none
};

/// A unix socket on which processes of the same user (and root) ask in lines and are answered in lines, one at a time
/// each. The file has mode 0600 and goes with the server. A peer that breaks a bound, or does not read its answer, is
/// closed.
class LineServer {
 public:
  /// `connection` names where to send the answer; stale is no error.
  using OnLine = std::function<void(uint64_t connection, const PeerProcess& peer, std::string_view line)>;

  /// A file that no server listens on any more is replaced; one that is in use is an error.
  static Result<std::unique_ptr<LineServer>> listen(Loop& loop, const std::filesystem::path& path,
                                                    const LineServerOptions& options, Log log, OnLine on_line);
  ~LineServer();
  LineServer(const LineServer&) = delete;
  LineServer& operator=(const LineServer&) = delete;

  /// Ends what is asked with one line; the next request is read then.
  void answer(uint64_t connection, std::string_view line);

  size_t connections() const { return connections_.size(); }

 private:
  struct Connection {
    FileDescriptor socket;
    PeerProcess peer;
    std::unique_ptr<PollWatcher> watcher;  ///< null while nothing is read
    std::string input;
    Timestamp idle_since;
    bool answering = false;
    bool closed = false;
  };

  LineServer(Loop& loop, const LineServerOptions& options, Log log, OnLine on_line);
  Status open(const std::filesystem::path& path);
  void accept();
  void admit(FileDescriptor socket);
  void watch(uint64_t key, Connection& connection);
  void read(uint64_t key);
  void go_on(uint64_t key, Connection& connection);
  void close(Connection& connection, std::string_view why);
  void close_idle(Timestamp now);
  void end_turn();

  Loop& loop_;
  const LineServerOptions options_;
  Log log_;
  OnLine on_line_;
  std::filesystem::path path_;
  FileDescriptor socket_;
  std::unique_ptr<PollWatcher> watcher_;
  std::map<uint64_t, Connection> connections_;
  uint64_t last_key_ = 0;
  Timer idle_timer_;
  TurnHook turn_hook_;
};

}  // namespace godwit::io
