#pragma once

#include <string_view>

#include "host/handler.h"

namespace godwit::host {

/// Takes messages to the worker that their key belongs to, where those with the same key are handled one after the
/// other, whichever sessions they came by.
class KeyRelay {
 public:
  virtual ~KeyRelay() = default;
  /// Whether this message was taken already: it is where it belongs.
  virtual bool has_carried(Ticket ticket) const = 0;
  /// From within Handler::handle. The ticket is suspended, and hears the verdict later; or refused here, when too much
  /// is on its way.
  virtual void carry(std::string_view key, const Delivery& delivery, ReplySink& sink) = 0;
};

}  // namespace godwit::host
