#include "port/http_client.h"

#include "port/mailbox.h"
#include "script_world.h"

using namespace godwit;
using namespace godwit::host;
using namespace godwit::host::test;

namespace {

/// Keeps what it is asked until the test answers.
class KeptRequests : public HttpClient {
 public:
  Status start(std::string_view unit, HttpRequest request, std::function<void(Result<HttpResponse>)> done) override {
    if (refusal.code != Code::kOk) return tl::unexpected(refusal);
    units.emplace_back(unit);
    requests.push_back(std::move(request));
    dones.push_back(std::move(done));
    return {};
  }
  Error refusal{Code::kOk, {}};
  std::vector<std::string> units;
  std::vector<HttpRequest> requests;
  std::vector<std::function<void(Result<HttpResponse>)>> dones;
};

class KeptTasks : public Mailbox {
 public:
  bool post(std::function<void()> work) override {
    if (full) return false;
    tasks.push_back(std::move(work));
    return true;
  }
  bool full = false;
  void run() {
    for (const auto& task : std::exchange(tasks, {})) task();
  }
  std::vector<std::function<void()>> tasks;
};

struct HttpWorld : ScriptWorld {
  HttpWorld() {
    http = &client;
    mailbox = &tasks;
  }
  void begin(const std::string& request) {
    load("gw.handle('do.it', function(msg) local r, err = gw.http.request" + request +
         " msg:reply(r and r.status .. ' ' .. (r.headers.x or '-') .. ' ' .. r.body or err.name .. ': ' .. "
         "err.message) end)");
    handle({command("")});
  }
  void finish(Result<HttpResponse> outcome) {
    REQUIRE(client.dones.size() == 1);
    client.dones[0](std::move(outcome));
    CHECK(sink.verdicts.empty());
    tasks.run();
    go_on();
  }
  std::string verdict() {
    REQUIRE(sink.verdicts.size() == 1);
    return sink.verdicts[0].text;
  }

  KeptRequests client;
  KeptTasks tasks;
};

}  // namespace

TEST_CASE("a request waits for its answer and gives it whole") {
  HttpWorld world;
  world.begin(
      "{method = 'post', url = 'http://a/b', headers = {Y = '2', X = '1'}, body = 'in', timeout = '2s', max_body = 9}");
  CHECK(world.sink.verdicts.empty());
  REQUIRE(world.client.requests.size() == 1);
  const HttpRequest& request = world.client.requests[0];
  CHECK(world.client.units[0] == "test");
  CHECK(request.method == "POST");
  CHECK(request.url == "http://a/b");
  CHECK(request.body == "in");
  CHECK(request.timeout == 2s);
  CHECK(request.body_bytes_max == 9);
  CHECK(request.headers == std::vector<std::pair<std::string, std::string>>{{"X", "1"}, {"Y", "2"}});
  world.finish(HttpResponse{404, {{"x", "one"}, {"x", "two"}}, "out"});
  CHECK(world.verdict() == "404 one, two out");
}

TEST_CASE("a full mailbox loses no answer of an HTTP server") {
  HttpWorld world;
  world.tasks.full = true;
  world.begin("{url = 'http://a'}");
  world.finish(HttpResponse{200, {}, "all the same"});
  CHECK(world.verdict() == "200 - all the same");
}

TEST_CASE("what is refused or fails comes as an error") {
  HttpWorld world;
  world.client.refusal = {Code::kHttpForbidden, "not there"};
  world.begin("{url = 'http://a'}");
  CHECK(world.verdict() == "HttpForbidden: not there");
  HttpWorld failing;
  failing.begin("{url = 'http://a'}");
  failing.finish(fail(Code::kHttpFailed, "no luck"));
  CHECK(failing.verdict() == "HttpFailed: no luck");
  CHECK(failing.app->pins() == 0);
}

TEST_CASE("an answer that got lost, or comes too late, holds nobody up") {
  HttpWorld world;
  world.begin("{url = 'http://a', timeout = 2}");
  world.pass(2900ms);
  CHECK(world.sink.verdicts.empty());
  world.pass(200ms);
  CHECK(world.verdict() == "DeadlineExceeded: no reply came before the deadline");
  world.client.dones[0](HttpResponse{200, {}, "late"});
  world.tasks.run();
  world.go_on();
  CHECK(world.sink.verdicts.size() == 1);
  world.client.dones[0](HttpResponse{200, {}, "later than the app"});
  world.app.reset();
  world.tasks.run();
}

TEST_CASE("without a client nothing can be asked") {
  ScriptWorld world;
  CHECK(world.answer("local r, err = gw.http.request{url = 'http://a'} msg:reply(err.name)") == "HttpForbidden");
}

TEST_CASE("a request that cannot be meant is a mistake with its place") {
  HttpWorld world;
  const std::string head = "test/main.lua:1: gw.http.request: ";
  CHECK(world.raised("gw.http.request()") == head + "expected a table, got nil");
  CHECK(world.raised("gw.http.request{}") == head + "url must be a string");
  CHECK(world.raised("gw.http.request{url = 'x', verify = false}") == head + "unknown field 'verify'");
  CHECK(world.raised("gw.http.request{url = 'x', timeout = 301}") ==
        head + "timeout must be above 0 and at most 300 s");
  CHECK(world.raised("gw.http.request{url = 'x', headers = {1}}") ==
        head + "headers must have names and values that are strings");
  CHECK(world.raised("gw.http.request{url = 'x', max_body = 1e12}").substr(0, head.size() + 8) == head + "max_body");
  CHECK(world.load_error("gw.http.request{url = 'x'}").find("nothing can wait while the app loads") !=
        std::string::npos);
}
