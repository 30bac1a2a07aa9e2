#pragma once

#include <cstdint>
#include <string_view>

#include "base/bytes.h"
#include "port/address.h"
#include "port/clock.h"

namespace godwit::sim {

class Node;

/// Everything that happens in a world, as one hash: two runs that agree in it agree in every datagram, time and
/// outcome. Prints it as well when asked to.
class Trace {
 public:
  enum class Print : bool { kNo, kYes };
  Trace(const Clock& clock, Print print) : clock_(clock), print_(print == Print::kYes) {}

  void datagram(const Node& from, const SocketAddress& source, const SocketAddress& to, Bytes datagram,
                size_t arrivals);
  /// Something that happened to a message or a connection.
  void note(std::string_view who, std::string_view what, uint64_t number = 0);
  /// A line that is printed but not part of the hash: log texts may change without anything else changing.
  void print(std::string_view who, std::string_view text) const;

  bool prints() const { return print_; }
  uint64_t hash() const { return hash_; }

 private:
  void mix(Bytes bytes);

  const Clock& clock_;
  const bool print_;
  uint64_t hash_ = 0;
};

}  // namespace godwit::sim
