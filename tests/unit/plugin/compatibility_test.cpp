#include <godwit/plugin.h>

#include "plugin_world.h"

using namespace godwit;
using namespace godwit::host;
using namespace godwit::host::test;

TEST_CASE("a plugin of a later minor version works here, and finds that what came later is not there") {
  PluginWorld world;
  const auto file = read_plugin(built("from_the_future.so"), host_abi());
  REQUIRE(file);
  CHECK(file->info.abi_minor > GW_ABI_MINOR);
  CHECK(file->info.descriptor_bytes > sizeof(gw_plugin));
  CHECK(file->info.message_bytes > sizeof(gw_message));
  world.load(built("from_the_future.so"));
  CHECK(world.answer("test.echo", "hello") == "hello");
  CHECK(world.answer("test.grown") == "0");
  CHECK(world.answer("test.started") == "1");
}

TEST_CASE("a plugin class throws what it likes: the host sees a failure, the log why, nobody else anything") {
  PluginWorld world;
  world.load(built("thrower.so"));
  CHECK(world.answer("throw.nothing") == "calm");
  CHECK(world.answer("throw.status") == "Forbidden: plugin/thrower@1 failed");
  CHECK(world.answer("throw.standard") == "PluginFailed: plugin/thrower@1 failed");
  CHECK(world.answer("throw.memory") == "OutOfMemory: plugin/thrower@1 failed");
  CHECK(world.answer("throw.number") == "PluginFailed: plugin/thrower@1 failed");
  CHECK(world.answer("throw.late") == "calm");
  CHECK(world.log.count("the plugin failed") == 5);
  CHECK(world.log.find("the plugin failed")->fields.at("error") == "no entry");
  CHECK_FALSE(world.app->export_state());
}

TEST_CASE("a class whose constructor throws is not loaded, and its status is the reason") {
  PluginWorld world;
  world.settings.values = {{"at_once", true}};
  CHECK(world.load_error(built("thrower.so")).text.find("PluginFailed") != std::string::npos);
  world.settings.values = {{"number", int64_t{-1}}};
  CHECK(world.load_error(built("thrower.so")).text.find("Forbidden") != std::string::npos);
  world.settings.values = {{"number", std::string("one")}};
  CHECK(world.load_error(built("thrower.so")).text.find("ArgumentInvalid") != std::string::npos);
  CHECK(world.log.lines.back().fields.at("error").empty() == false);
}
