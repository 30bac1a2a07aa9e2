#include "base/metric_store.h"
#include "script_world.h"

using namespace godwit;
using namespace godwit::host;
using namespace godwit::host::test;

namespace {

/// An app whose metrics are looked at.
struct MetricWorld : ScriptWorld {
  MetricWorld() { metrics = &store; }

  /// "name{label=value} = number" of all that is shown.
  std::vector<std::string> shown() const {
    std::vector<std::string> lines;
    for (const MetricStore::View& view : store.views()) {
      const MetricDeclaration& declaration = view.metric->declaration();
      for (const MetricSample& sample : view.metric->samples()) {
        std::string line = view.unit + " " + declaration.name + "{";
        for (size_t i = 0; i < sample.labels.size(); ++i) line += declaration.labels[i] + "=" + sample.labels[i];
        line += "} = " + std::to_string(static_cast<int>(sample.value));
        for (const uint64_t count : sample.buckets) line += " " + std::to_string(count);
        lines.push_back(std::move(line));
      }
    }
    return lines;
  }

  MetricStore store{4};
};

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("what a handler counts is told, by the labels it was counted under") {
  MetricWorld world;
  world.load(
      "local orders = gw.metric.counter('orders', {help = 'Orders.', labels = {'room'}}) "
      "local tables = gw.metric.gauge('tables') "
      "local size = gw.metric.histogram('size', {buckets = {1, 10}}) "
      "gw.handle('do.it', function(msg) "
      "  orders:inc({room = msg:body()}) orders:inc(2, {room = 'bar'}) tables:set(4) tables:inc(-1) "
      "  size:observe(3) size:observe(30) msg:reply('') end)");
  CHECK(world.shown() == Lines{"test tables{} = 0", "test size{} = 0 0 0 0"});
  world.handle({world.command("attic"), world.command("attic")});
  CHECK(world.shown() == Lines{"test orders{room=attic} = 2", "test orders{room=bar} = 4", "test tables{} = 3",
                               "test size{} = 66 0 2 4"});
}

TEST_CASE("a counter goes on through a reload") {
  MetricWorld world;
  const char* app = "local n = gw.metric.counter('n') gw.handle('do.it', function(msg) n:inc() end)";
  world.load(app);
  world.handle({world.command(""), world.command("")});
  CHECK(world.shown() == Lines{"test n{} = 2"});
  world.load(app);
  CHECK(world.shown() == Lines{"test n{} = 2"});
  world.handle({world.command("")});
  CHECK(world.shown() == Lines{"test n{} = 3"});
}

TEST_CASE("a generation that is not live, and one that does not load, change nothing of what is told") {
  MetricWorld world;
  world.load("local n = gw.metric.counter('n') gw.handle('do.it', function(msg) n:inc() end)");
  world.handle({world.command("")});
  world.load_error("gw.metric.gauge('n') error('no')");
  CHECK(world.shown() == Lines{"test n{} = 1"});
  const auto prepared = world.try_load({{"main.lua", "require('godwit').metric.gauge('m'):set(1)"}}, 2);
  REQUIRE(prepared);
  CHECK(world.shown() == Lines{"test n{} = 1"});
  (*prepared)->start();
  CHECK(world.shown() == Lines{"test m{} = 1"});
}

TEST_CASE("too many combinations of labels are an error that the app may ignore") {
  MetricWorld world;
  world.limits.burst_max = 1s;
  const std::string answer = world.answer(
      "for i = 1, 1000 do assert(N:inc({id = i})) end local ok, err = N:inc({id = 'x'}) "
      "msg:reply(tostring(ok) .. ' ' .. err.name) end) N = gw.metric.counter('n', {labels = {'id'}}) "
      "gw.handle('other', function()");
  CHECK(answer == "nil LimitReached");
}

TEST_CASE("a metric is declared while its app loads, once and soundly") {
  ScriptWorld world;
  CHECK(world.raised("gw.metric.counter('n')") ==
        "test/main.lua:1: gw.metric.counter: metrics are declared while the app loads");
  CHECK(world.load_error("gw.metric.counter('n') gw.metric.gauge('n')") ==
        "test/main.lua:1: gw.metric.gauge: 'n' is declared already");
  CHECK(world.load_error("gw.metric.counter('N')") ==
        "test/main.lua:1: gw.metric.counter: N: a metric's name is made of a-z, 0-9 and _, a letter first, at most 64");
  CHECK(world.load_error("gw.metric.counter('n', {label = {}})") ==
        "test/main.lua:1: gw.metric.counter: unknown option 'label'");
  CHECK(world.load_error("gw.metric.counter('n', {labels = {1}})") ==
        "test/main.lua:1: gw.metric.counter: option 'labels' must be a list of strings");
  CHECK(world.load_error("gw.metric.histogram('n', {buckets = {2, 1}})") ==
        "test/main.lua:1: gw.metric.histogram: n: buckets are 1 to 30 ascending numbers");
}

TEST_CASE("numbers and labels that make no sense are mistakes with their place") {
  ScriptWorld world;
  const auto mistake = [&](const std::string& code) {
    return world.answer("local ok, err = pcall(function() " + code +
                        " end) msg:reply(ok and 'nothing' or tostring(err)) end) "
                        "N = gw.metric.counter('n', {labels = {'id'}}) gw.handle('other', function()");
  };
  CHECK(mistake("N:inc(1)") == "test/main.lua:1: metric:inc: the labels are missing");
  CHECK(mistake("N:inc(1, {})") == "test/main.lua:1: metric:inc: each label has a text or number");
  CHECK(mistake("N:inc(1, {id = 1, room = 2})") ==
        "test/main.lua:1: metric:inc: there are labels that were not declared");
  CHECK(mistake("N:inc('one', {id = 1})") == "test/main.lua:1: metric:inc: expected a number, got string");
  CHECK(mistake("N.inc(1)") == "test/main.lua:1: metric:inc: call it with a colon, on a metric");
  CHECK(mistake("error(select(2, N:inc(-1, {id = 1})).name, 0)") == "ValueWrong");
}
