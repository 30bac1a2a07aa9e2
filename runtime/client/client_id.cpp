#include "client/client_id.h"

#include <fmt/format.h>

namespace godwit::client {

std::string make_client_id(std::string_view program, Entropy& entropy) {
  uint8_t random[8];
  entropy.fill(random);
  std::string id(program);
  id += '-';
  for (const uint8_t byte : random) fmt::format_to(std::back_inserter(id), "{:02x}", byte);
  return id;
}

}  // namespace godwit::client
