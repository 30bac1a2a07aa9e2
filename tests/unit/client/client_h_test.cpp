// The same header as C++ reads it, and the border between the two.
#include <godwit/client.h>

#include <catch2/catch.hpp>
#include <cstring>
#include <string>

extern "C" int client_h_defaults_hold(void);

TEST_CASE("the initializers of C and C++ agree") {
  CHECK(client_h_defaults_hold());
  const gw_client_options options = GW_CLIENT_OPTIONS_INIT;
  CHECK(options.struct_size == sizeof options);
}

TEST_CASE("without an address there is no client") {
  const gw_client_options options = GW_CLIENT_OPTIONS_INIT;
  CHECK(gw_client_open(&options) == nullptr);
  CHECK(gw_client_open(nullptr) == nullptr);
  gw_client_close(nullptr);
  gw_client_reply_free(nullptr);
}

TEST_CASE("what is wrong with the options is the reply of every call, waited for or not") {
  gw_client_options options = GW_CLIENT_OPTIONS_INIT;
  options.address = "nonsense";
  gw_client* client = gw_client_open(&options);
  REQUIRE(client);
  gw_client_reply* reply = gw_client_request_wait(client, "echo", nullptr, 0, nullptr);
  REQUIRE(reply);
  CHECK(reply->status == GW_CLIENT_FAILURE);
  CHECK(reply->code == 1007);
  CHECK(std::string(reply->name) == "AddressInvalid");
  CHECK(std::strlen(static_cast<const char*>(reply->body)) == reply->body_bytes);
  gw_client_reply_free(reply);
  int calls = 0;
  const auto count = [](void* user, const gw_client_reply*) { ++*static_cast<int*>(user); };
  gw_client_send(client, "echo", "x", 1, nullptr, count, &calls);
  gw_client_send(client, "echo", "x", 1, nullptr, nullptr, nullptr);
  CHECK(calls == 1);
  CHECK(gw_client_request(client, "echo", "x", 1, nullptr, nullptr, nullptr) == 0);
  gw_client_cancel(client, 7);
  gw_client_stop(client, GW_CLIENT_STOP_LOGOUT);
  gw_client_close(client);
}

TEST_CASE("options from an older header keep the defaults of what it did not know") {
  gw_client_options options = GW_CLIENT_OPTIONS_INIT;
  options.address = "nonsense";
  options.struct_size = offsetof(gw_client_options, client_id);
  options.ca_file = reinterpret_cast<const char*>(1);  // beyond that size: must not be looked at
  gw_client* client = gw_client_open(&options);
  REQUIRE(client);
  gw_client_close(client);
}

TEST_CASE("a client that the program drives refuses to wait for a reply that nobody would bring") {
  gw_client_options options = GW_CLIENT_OPTIONS_INIT;
  options.address = "127.0.0.1:1";
  options.no_thread = 1;
  gw_client* client = gw_client_open(&options);
  REQUIRE(client);
  CHECK(gw_client_event_fd(client) >= 0);
  for (gw_client_reply* reply : {gw_client_request_wait(client, "a", nullptr, 0, nullptr),
                                 gw_client_send_wait(client, "a", nullptr, 0, nullptr)}) {
    REQUIRE(reply);
    CHECK(std::string(reply->name) == "UsageInvalid");
    gw_client_reply_free(reply);
  }
  gw_client_close(client);
}
