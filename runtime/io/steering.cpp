#include "io/steering.h"

#include <linux/filter.h>
#include <sys/socket.h>

#include <cerrno>
#include <iterator>

#include "base/check.h"
#include "io/file_descriptor.h"
#include "io/os_error.h"

namespace godwit::io {

Status steer_by_connection_id(const FileDescriptor& socket, uint32_t workers) {
  GW_CHECK(workers > 0);
  constexpr uint32_t kFirstByte = 0;
  constexpr uint32_t kLongHeaderBit = 0x80;
  constexpr uint32_t kLongCid = 6;   // flags, version (4), length of the id
  constexpr uint32_t kShortCid = 1;  // flags
  // A datagram too short for the load ends the program with 0: worker 0 gets it and drops it.
  sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_B | BPF_ABS, kFirstByte),
      BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, kLongHeaderBit, 0, 2),
      BPF_STMT(BPF_LD | BPF_B | BPF_ABS, kLongCid),
      BPF_STMT(BPF_JMP | BPF_JA, 1),
      BPF_STMT(BPF_LD | BPF_B | BPF_ABS, kShortCid),
      BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, workers),
      BPF_STMT(BPF_RET | BPF_A, 0),
  };
  const sock_fprog program{static_cast<unsigned short>(std::size(code)), code};
  if (setsockopt(socket.get(), SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &program, sizeof(program)) == 0) return {};
  return os_error("steering of datagrams by connection id (SO_ATTACH_REUSEPORT_CBPF)", errno);
}

}  // namespace godwit::io
