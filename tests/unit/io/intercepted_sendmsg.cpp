#include "intercepted_sendmsg.h"

#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace godwit::io {

SendmsgScript& sendmsg_script() {
  static SendmsgScript script;
  return script;
}

}  // namespace godwit::io

// Stands in for the C library's function of this name throughout the test program.
extern "C" ssize_t sendmsg(int socket, const msghdr* message, int flags) {
  auto& script = godwit::io::sendmsg_script();
  ++script.calls;
  if (!script.next.empty()) {
    const int error = script.next.front();
    script.next.pop_front();
    if (error != 0) {
      errno = error;
      return -1;
    }
  }
  return syscall(SYS_sendmsg, socket, message, flags);
}
