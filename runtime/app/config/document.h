#pragma once

#include <vector>

#include "app/config/key.h"
#include "app/config/toml_text.h"

namespace godwit::app {

/// What a configuration file said: which keys, where, and what is wrong with it.
struct Document {
  struct Seen {
    const Key* key;
    uint32_t line;
    uint32_t column;
  };
  std::vector<Seen> seen;
  std::vector<Complaint> complaints;  ///< in the order of the file
};

/// Stores every value of the file in `config`. Tables named x-… belong to whoever wrote them and are passed over.
Document read_document(TomlText text, Config& config);

}  // namespace godwit::app
