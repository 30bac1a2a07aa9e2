// Compiled, as the fakes it is linked with, against a header that has grown.
#include <godwit/plugin_test.h>

#include <catch2/catch.hpp>
#include <string>

static_assert(GW_GROWN);

namespace {

struct Loaded {
  explicit Loaded(const std::string& file) : test(gw_test_new()), status(gw_test_load(test, file.c_str())) {}
  ~Loaded() { gw_test_free(test); }
  std::string answer(const char* action, const std::string& body = {}) {
    const gw_test_verdict* verdict = gw_test_send(test, GW_COMMAND, action, body.data(), body.size());
    if (verdict->outcome != GW_TEST_REPLIED) return "outcome " + std::to_string(verdict->outcome);
    return {reinterpret_cast<const char*>(verdict->body), verdict->body_size};
  }
  gw_test* test;
  gw_status status;
};

}  // namespace

TEST_CASE("plugins of today work in a host whose tables have grown") {
  Loaded fixture(std::string(BUILT_PLUGINS) + "/fixture.so");
  REQUIRE(fixture.status == GW_OK);
  CHECK(gw_test_descriptor(fixture.test)->abi_minor < GW_ABI_MINOR);
  CHECK(fixture.answer("test.echo", "hello") == "hello");
  CHECK(fixture.answer("test.who") == "test-user");
  CHECK(fixture.answer("test.count") == "3");
  REQUIRE(gw_test_reload(fixture.test) == GW_OK);
  CHECK(fixture.answer("test.count") == "4");
  Loaded thrower(std::string(BUILT_PLUGINS) + "/thrower.so");
  REQUIRE(thrower.status == GW_OK);
  CHECK(thrower.answer("throw.nothing") == "calm");
  Loaded echo(std::string(SHIPPED_PLUGINS) + "/echo.so");
  CHECK(echo.answer("plugin.echo", "x") == "x");
}

TEST_CASE("a plugin of that later version finds there what it does not find today") {
  Loaded future(std::string(BUILT_PLUGINS) + "/from_the_future.so");
  REQUIRE(future.status == GW_OK);
  CHECK(future.answer("test.grown") == "1");
}
