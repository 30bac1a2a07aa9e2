#pragma once

#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace godwit::host {

/// A look into the file of a shared object without loading it. The file may be anything: every offset in it is checked.
/// What is handed out borrows from the bytes it was made of.
class ElfImage {
 public:
  /// PluginLoadFailed says what the file is instead: not an object, truncated, of another machine.
  static Result<ElfImage> read(Bytes file);

  /// The contents in the file of an exported variable; NotFound when no such is exported.
  Result<Bytes> variable(std::string_view name) const;

 private:
  explicit ElfImage(Bytes file) : file_(file) {}
  Status check_identity() const;
  Status check_extents() const;
  Result<Bytes> at_address(uint64_t address, uint64_t size) const;

  Bytes file_;
};

}  // namespace godwit::host
