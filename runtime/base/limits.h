#pragma once

#include <cstddef>
#include <cstdint>

#include "base/time.h"

/// The hard limits of the protocol: what holds for every peer and can not be configured away, each with its reason.
/// Parsers check them before they allocate. Configuration may only lower what is marked as a ceiling. schema/README.md
/// states them for peers.
namespace godwit::limits {

/// A control frame: Hello with full credentials, or an Ack with a full bitmap, fit; nothing that needs more belongs
/// there.
inline constexpr size_t kControlFrameBytesMax = 16 * 1024;

/// An envelope in its packed form: all headers at their limit plus action and text, with room to spare.
inline constexpr size_t kEnvelopeBytesMax = 32 * 1024;

/// A message frame on the shared lane, envelope and body: larger ones would hold up the small messages behind them.
inline constexpr size_t kSharedFrameBytesMax = 96 * 1024;

/// The body of one message unless message.inline_max says otherwise; larger bodies travel as transfers.
inline constexpr uint64_t kInlineBodyBytesDefault = 1024 * 1024;
/// The ceiling of message.inline_max: such a body is held in memory whole, on both sides.
inline constexpr uint64_t kInlineBodyBytesMax = 16 * 1024 * 1024;

/// Headers are read for every message; these keep that cheap.
inline constexpr size_t kHeadersMax = 64;
inline constexpr size_t kHeaderBytesMax = 16 * 1024;  ///< names and values of one message together

/// Actions are matched level by level and kept in caches and metrics.
inline constexpr size_t kActionBytesMax = 256;
inline constexpr size_t kActionLevelsMax = 16;

/// Identities are kept for the life of a session and written to logs.
inline constexpr size_t kClientIdBytesMax = 128;
inline constexpr size_t kUidBytesMax = 128;
inline constexpr size_t kAgentBytesMax = 128;

/// Bearer tokens: a JSON Web Token with a normal set of claims fits.
inline constexpr size_t kTokenBytesMax = 4096;

/// Text that goes along with a status, a refusal or a goodbye: a sentence for a person.
inline constexpr size_t kTextBytesMax = 1024;

/// The time a peer has for each stage of coming in: the handshake, then the first frame. Frees the slots of peers that
/// stall.
inline constexpr Duration kFirstFrameTimeout = 5s;

/// One line of the log, so that nobody can fill a disk with one message.
inline constexpr size_t kLogLineBytesMax = 1024;

/// The most that one UDP datagram carries over IPv4: 65,535 less the IP and UDP headers.
inline constexpr size_t kDatagramBytesMax = 65507;

}  // namespace godwit::limits
