#pragma once

#include <deque>

namespace godwit::io {

/// What the next calls of sendmsg in this program do: an errno value makes a call fail with it, 0 lets it through to
/// the kernel, as do all calls when the list is empty. Loopback never blocks by itself, and no test may need a broken
/// network card.
struct SendmsgScript {
  std::deque<int> next;
  int calls = 0;
};
SendmsgScript& sendmsg_script();

/// Scripts the next calls for as long as it lives.
class ScriptedSendmsg {
 public:
  explicit ScriptedSendmsg(std::deque<int> errors) { sendmsg_script() = {std::move(errors), 0}; }
  ~ScriptedSendmsg() { sendmsg_script() = {}; }
  int calls() const { return sendmsg_script().calls; }
};

}  // namespace godwit::io
