#pragma once

#include "base/bytes.h"

namespace godwit {

/// Unpredictable bytes (a seeded generator in the simulator). Never fails: a system without entropy ends the process.
class Entropy {
 public:
  virtual ~Entropy() = default;
  virtual void fill(MutableBytes out) = 0;
};

}  // namespace godwit
