#include "trace.h"

#include <fmt/format.h>

#include "node.h"
#include "payload.h"

namespace godwit::sim {

void Trace::mix(Bytes bytes) { hash_ = hash_bytes(bytes, hash_ ^ to_ns(clock_.now())); }

void Trace::datagram(const Node& from, const SocketAddress& source, const SocketAddress& to, Bytes datagram,
                     size_t arrivals) {
  mix(datagram);
  if (!print_) return;
  print(from.name(), fmt::format("{} -> {}  {} bytes{}", source.to_string(), to.to_string(), datagram.size(),
                                 arrivals == 0  ? "  lost"
                                 : arrivals > 1 ? "  twice"
                                                : ""));
}

void Trace::note(std::string_view who, std::string_view what, uint64_t number) {
  mix(as_bytes(who));
  mix(as_bytes(what));
  mix({reinterpret_cast<const uint8_t*>(&number), sizeof number});
  if (print_) print(who, fmt::format("{} {}", what, number));
}

void Trace::print(std::string_view who, std::string_view text) const {
  fmt::print("{:12.6f} {:<10} {}\n", static_cast<double>(to_ns(clock_.now())) / 1e9, who, text);
}

}  // namespace godwit::sim
