#pragma once

#include "base/prng.h"
#include "port/entropy.h"

namespace godwit::app {

/// The same bytes in every run of a case: ids that a spec sees do not change from one run to the next.
class SeededEntropy final : public Entropy {
 public:
  void fill(MutableBytes out) override { prng_.fill(out); }

 private:
  Prng prng_{1};
};

}  // namespace godwit::app
