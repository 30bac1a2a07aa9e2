#pragma once

#include <godwit/plugin.h>

#include <string>
#include <utility>
#include <vector>

#include "session/reply.h"

namespace godwit::host {

/// How something that a plugin began has ended, kept until the plugin is told.
class HeardReply {
 public:
  explicit HeardReply(const session::Reply& reply);
  /// It ended with the one who began it.
  explicit HeardReply(gw_status status) : status_(status) {}

  void tell(gw_on_reply done, void* self, void* argument) const;

 private:
  gw_status status_;
  std::string text_;
  std::string body_;
  std::vector<std::pair<std::string, std::string>> headers_;
};

}  // namespace godwit::host
