// A client in a program that has a libuv loop already: no further thread, all callbacks run in that loop. Any other
// loop does as well: poll the descriptor, call process.

#include <uv.h>

#include <godwit/client.hpp>
#include <iostream>

int main(int argc, char** argv) {
  godwit::Client client({.address = argc > 1 ? argv[1] : "127.0.0.1:8453", .insecure = true, .own_thread = false});
  if (client.event_fd() < 0) {
    std::cout << client.connected().get().text << "\n";
    return 1;
  }
  uv_loop_t* loop = uv_default_loop();
  uv_poll_t network;
  uv_poll_init(loop, &network, client.event_fd());
  network.data = &client;
  uv_poll_start(&network, UV_READABLE,
                [](uv_poll_t* handle, int, int) { static_cast<godwit::Client*>(handle->data)->process(); });

  // Something that the program does besides.
  uv_timer_t clock;
  uv_timer_init(loop, &clock);
  uv_timer_start(
      &clock, [](uv_timer_t*) { std::cout << "tick\n"; }, 0, 20);

  int open = 3;
  bool failed = false;
  for (int i = 1; i <= 3; ++i) {
    client.request("echo", "answer " + std::to_string(i), {}, [&](const godwit::Reply& reply) {
      std::cout << (reply.ok() ? reply.body : reply.name + ": " + reply.text) << "\n";
      failed |= !reply.ok();
      if (--open == 0) uv_stop(loop);
    });
  }
  uv_run(loop, UV_RUN_DEFAULT);
  return failed ? 1 : 0;
}
