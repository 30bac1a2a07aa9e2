#pragma once

#include <lua.hpp>

#include <memory>
#include <string>

#include "host/answer_box.h"
#include "port/http_client.h"
#include "port/mailbox.h"

namespace godwit::host {

/// Requests of one VM to HTTP servers: what comes back lies in a box until the worker's next turn, and wakes whoever
/// waits. Belongs to one VM and must outlive it; what comes later than the VM's end is dropped.
class LuaHttp {
 public:
  /// Without a client, or a mailbox, nothing can be asked.
  LuaHttp(HttpClient* client, Mailbox* mailbox, LuaWaits& waits, std::string unit)
      : client_(mailbox ? client : nullptr),
        waits_(waits),
        answers_(std::make_shared<AnswerBox>(mailbox)),
        unit_(std::move(unit)) {}

  /// Wakes whoever waits for what has come back; with every turn.
  void deliver() { answers_->deliver(waits_); }

  /// Adds to the table on top of the stack:
  ///   http_request(token, method, url, body, seconds, body_bytes_max, {name, value, …}) → true | nil, code, text
  /// The token is woken with the status and the answer, or with the code below zero and the reason.
  void add_to(lua_State* state);

 private:
  static int begin(lua_State* state);
  Status start(WaitToken token);

  HttpClient* const client_;
  LuaWaits& waits_;
  const std::shared_ptr<AnswerBox> answers_;
  const std::string unit_;
  // What the function in progress owns: Lua's errors leave functions by unwinding, past no destructor.
  HttpRequest request_;
  Error error_;
};

}  // namespace godwit::host
