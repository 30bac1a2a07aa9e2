#pragma once

#include <string>
#include <vector>

#include "host/handler.h"

namespace godwit::host {

/// Tells the Lua side whether it described a sender before, so that session objects are built once and not per message.
/// A slot belongs to the session that used it last; its version changes with whom or what it describes.
class SessionCache {
 public:
  static constexpr size_t kSlots = 1024;  ///< some 150 bytes each, once used

  SessionCache() : entries_(kSlots) {}

  struct Place {
    uint32_t slot = 0;  ///< from 1
    uint32_t version = 0;
  };
  Place place(const SessionView& session);

 private:
  struct Entry {
    uint64_t id = 0;
    uint32_t version = 0;
    std::string client_id;
    std::string uid;
    std::string address;
  };

  std::vector<Entry> entries_;
};

}  // namespace godwit::host
