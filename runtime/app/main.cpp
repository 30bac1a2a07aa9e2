#include <fcntl.h>
#include <malloc.h>
#include <unistd.h>

#include "app/commands/program.h"

namespace {

/// Bodies of a megabyte come and go hundreds of times a second. By default each would be mapped, faulted in page by
/// page and unmapped again, which costs more than everything else that is done to it; so freed memory is kept for the
/// next one.
void keep_freed_memory() {
  mallopt(M_MMAP_THRESHOLD, 64 << 20);  // above the largest body (message.inline_max)
  mallopt(M_TRIM_THRESHOLD, 64 << 20);
  mallopt(M_TOP_PAD, 4 << 20);
}

/// A descriptor of 0, 1 or 2 that is closed would be the next file that is opened, and get what is meant for people.
void open_standard_descriptors() {
  for (int descriptor = 0; descriptor <= 2; ++descriptor) {
    if (fcntl(descriptor, F_GETFD) < 0) (void)open("/dev/null", O_RDWR);
  }
}

}  // namespace

int main(int argc, char** argv) {
  open_standard_descriptors();
  keep_freed_memory();
  return godwit::app::run_program(argc, argv);
}
