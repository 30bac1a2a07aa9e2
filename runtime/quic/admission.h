#pragma once

#include <tsl/robin_map.h>

#include <cstdint>
#include <utility>

#include "port/address.h"
#include "quic/config.h"

namespace godwit::quic {

/// Decides whether a stranger's first packet may cost us a connection. Handshakes that have not finished are what a
/// flood can pile up, so these are counted, in all and by network prefix.
class Admission {
 public:
  enum class Verdict : uint8_t {
    kAccept,
    kProveAddress,  ///< by Retry, which costs no memory
    kRefuse,
  };

  /// Counts one unfinished handshake for as long as it lives. The Admission outlives it.
  class HalfOpen {
   public:
    HalfOpen() = default;
    HalfOpen(HalfOpen&& other) noexcept
        : admission_(std::exchange(other.admission_, nullptr)), prefix_(other.prefix_) {}
    HalfOpen& operator=(HalfOpen&& other) noexcept {
      std::swap(admission_, other.admission_);
      std::swap(prefix_, other.prefix_);
      return *this;
    }
    ~HalfOpen() {
      if (admission_) admission_->leave(prefix_);
    }

   private:
    friend class Admission;
    HalfOpen(Admission& admission, uint64_t prefix) : admission_(&admission), prefix_(prefix) {}

    Admission* admission_ = nullptr;
    uint64_t prefix_ = 0;
  };

  explicit Admission(const AdmissionConfig& config) : config_(config) {}

  void reconfigure(const AdmissionConfig& config) { config_ = config; }
  void stop() { stopped_ = true; }
  const AdmissionConfig& config() const { return config_; }

  Verdict judge(const SocketAddress& remote, bool address_proven, size_t connections) const;
  HalfOpen enter(const SocketAddress& remote);
  uint64_t half_open() const { return half_open_; }

 private:
  static uint64_t prefix_of(const SocketAddress& remote) { return remote.is_loopback() ? 0 : remote.prefix_hash() | 1; }
  void leave(uint64_t prefix);

  AdmissionConfig config_;
  uint64_t half_open_ = 0;
  tsl::robin_map<uint64_t, uint64_t> by_prefix_;  // never holds 0, which stands for loopback
  bool stopped_ = false;
};

}  // namespace godwit::quic
