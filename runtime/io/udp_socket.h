#pragma once

#include <memory>
#include <vector>

#include "base/log.h"
#include "base/metrics.h"
#include "base/timer_heap.h"
#include "io/file_descriptor.h"
#include "io/loop.h"
#include "io/receive_batch.h"
#include "io/udp_setup.h"
#include "io/uv_handle.h"
#include "port/datagrams.h"

namespace godwit::io {

/// Who uses a socket. Called on the loop's thread; must not destroy the socket from within a call.
class UdpListener {
 public:
  virtual ~UdpListener() = default;
  virtual void on_datagrams(const ReceivedDatagrams& datagrams) = 0;
  /// After a `send` said kBlocked: now is the time to try again.
  virtual void on_writable() = 0;
};

/// What a socket counted. May be read from any thread.
struct UdpCounts {
  Counter datagrams_lost;  ///< refused by the system for good, in calls
  Counter datagrams_bad;   ///< received empty or cut off
  Counter blocked;         ///< times that sending had to wait
};

/// A UDP socket on the loop that moves many datagrams per system call: recvmmsg and GRO in, GSO out. Nothing is
/// allocated per datagram. Where the kernel or a network card can not segment, the socket notices, says so once, and
/// sends one by one.
class UdpSocket final : public DatagramSender, private BusyPollable {
 public:
  static Result<std::unique_ptr<UdpSocket>> open(Loop& loop, const UdpOptions& options, UdpListener& listener, Log log);
  ~UdpSocket() override;

  /// kBlocked takes nothing. What is taken is sent whole, or lost on the way: a payload that had to be split and met a
  /// full buffer halfway is kept and finished before anything else goes out.
  SendOutcome send(const OutgoingDatagrams& datagrams) override;

  /// Where the socket is bound, with the port that was found for port 0.
  const SocketAddress& local() const { return local_; }
  const FileDescriptor& descriptor() const { return fd_; }
  const UdpCounts& counts() const { return counts_; }
  bool segmentation() const { return segmentation_; }
  size_t receive_buffer_bytes() const;
  size_t send_buffer_bytes() const;

 private:
  enum class Verdict : uint8_t { kSent, kLost, kFull, kNoBuffers };
  struct Attempt {
    Verdict verdict;
    int error;
  };

  UdpSocket(Loop& loop, const UdpOptions& options, UdpListener& listener, Log log);
  Status start(const UdpOptions& options);

  bool poll_now() override;
  bool receive();
  size_t deliver(size_t messages);
  void on_poll(int status, int events);
  void on_poll_error();
  void watch(int events);

  Attempt transmit(const OutgoingDatagrams& datagrams, Bytes part);
  Attempt send_parts(const OutgoingDatagrams& datagrams, size_t& taken);
  void give_up_segmentation(int error);
  void block(Verdict reason);
  void unblock();
  void send_held();
  void hold(const OutgoingDatagrams& datagrams, Bytes rest);

  Loop& loop_;
  UdpListener& listener_;
  Log log_;
  FileDescriptor fd_;
  SocketAddress local_;
  bool wildcard_ = false;
  bool segmentation_;
  bool blocked_ = false;
  UdpCounts counts_;
  ReceiveBatch batch_;
  Timer retry_;
  std::vector<uint8_t> held_bytes_;  // the rest of a payload that was split; empty: nothing is held
  OutgoingDatagrams held_;
  UvHandle<uv_poll_s> poll_;
};

}  // namespace godwit::io
