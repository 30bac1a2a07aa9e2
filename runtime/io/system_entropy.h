#pragma once

#include "port/entropy.h"

namespace godwit::io {

/// The kernel's generator. Safe from any thread.
class SystemEntropy final : public Entropy {
 public:
  void fill(MutableBytes out) override;
};

}  // namespace godwit::io
