#include "io/file_descriptor.h"

#include <unistd.h>

namespace godwit::io {

void FileDescriptor::reset() {
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

}  // namespace godwit::io
