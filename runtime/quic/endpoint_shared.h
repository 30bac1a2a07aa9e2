#pragma once

#include <tsl/robin_map.h>

#include <vector>

#include "base/block_pool.h"
#include "quic/cid_source.h"
#include "quic/endpoint.h"
#include "quic/transmitter.h"

namespace godwit::quic {

using CidTable = tsl::robin_map<Cid, ConnectionId, CidHash>;

/// What the connections of one endpoint share with it.
struct EndpointShared {
  EndpointShared(EndpointOptions options, EndpointWorld world)
      : options(std::move(options)),
        world(world),
        cids(0, CidHash(world.entropy)),
        reset_tokens(0, CidHash(world.entropy)),
        cid_source(world.entropy, this->options.tls_server ? CidSource::kServerBytes : CidSource::kClientBytes,
                   this->options.worker_index, this->options.worker_count),
        blocks(kIdleBlocks, kBlockBytes),
        transmitter(world.sender, world.metrics) {}

  /// Several connections' worth of small writes per block, and no more than a burst of a few MiB kept when idle.
  static constexpr size_t kBlockBytes = 4096;
  static constexpr size_t kIdleBlocks = 1024;

  EndpointOptions options;
  EndpointWorld world;
  CidTable cids;
  CidTable reset_tokens;  ///< with which peers may say that they no longer know a connection; of 16 bytes
  CidSource cid_source;
  BlockPool blocks;
  Transmitter transmitter;
  size_t open_count = 0;
  std::vector<ConnectionId> dirty;     ///< have something to write; each at most once
  std::vector<ConnectionId> eventful;  ///< have events for the owner; each at most once
};

}  // namespace godwit::quic
