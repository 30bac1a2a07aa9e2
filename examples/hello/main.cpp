#include <godwit/client.hpp>
#include <iostream>

int main(int argc, char** argv) {
  godwit::Client client({.address = argc > 1 ? argv[1] : "127.0.0.1:8453", .insecure = true});
  const godwit::Reply reply = client.request("echo", "hello").get();
  std::cout << (reply.ok() ? reply.body : reply.name + ": " + reply.text) << '\n';
  return reply.ok() ? 0 : 1;
}
