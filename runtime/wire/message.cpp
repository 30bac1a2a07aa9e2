#include "wire/message.h"

namespace godwit::wire {

std::string_view name_of(Kind kind) {
  switch (kind) {
    case Kind::kCommand: return "command";
    case Kind::kEvent: return "event";
    case Kind::kQuery: return "query";
    case Kind::kResponse: return "response";
  }
  return "unknown";
}

}  // namespace godwit::wire
