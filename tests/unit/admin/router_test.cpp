#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "admin/router.h"
#include "fake_source.h"

using namespace godwit;
using namespace godwit::admin;
using Json = nlohmann::json;

namespace {

struct Plane {
  TestClock clock;
  FakeSource source{clock};

  HttpResponse ask(HttpRequest request) const { return respond(request, 64, source, clock); }
  HttpResponse get(std::string_view path) const {
    return ask({.method = "GET", .path = path, .version = "HTTP/1.1", .host_count = 1, .host = "127.0.0.1:8080"});
  }
};

}  // namespace

TEST_CASE("health is 200 while all is well and 503 when it is not") {
  Plane plane;
  for (const auto path : {"/health", "/healthz", "/readyz"}) REQUIRE(plane.get(path).status == 200);
  const Json well = Json::parse(plane.get("/health").body);
  REQUIRE(well["status"] == "ok");
  REQUIRE(well["workers"] == 2);

  plane.source.server.state = ServerState::kDraining;
  REQUIRE(plane.get("/health").status == 503);
  REQUIRE(plane.get("/readyz").status == 503);
  REQUIRE(plane.get("/healthz").status == 200);
  REQUIRE(Json::parse(plane.get("/health").body)["status"] == "draining");

  plane.clock.advance(5s);
  for (const auto path : {"/health", "/healthz", "/readyz"}) REQUIRE(plane.get(path).status == 503);
  REQUIRE(Json::parse(plane.get("/healthz").body)["stalled_workers"] == Json::array({0, 1}));
}

TEST_CASE("metrics come as Prometheus text") {
  const Plane plane;
  const HttpResponse response = plane.get("/metrics");
  REQUIRE(response.status == 200);
  REQUIRE(response.content_type == "text/plain; version=0.0.4; charset=utf-8");
  REQUIRE_THAT(response.body, Catch::StartsWith("# HELP godwit_connections "));
}

TEST_CASE("info says what runs, since when, and where") {
  Plane plane;
  plane.source.app_views = {{.name = "echo", .worker = 0, .generation = 4},
                            {.name = "echo", .worker = 1, .generation = 3}};
  const Json info = Json::parse(plane.get("/v1/info").body);
  REQUIRE(info["name"] == "godwit");
  REQUIRE(info["version"] == "1.2.3");
  REQUIRE(info["listen"] == Json::array({"127.0.0.1:8453"}));
  REQUIRE(info["uptime_s"] == 90.0);
  REQUIRE(info["apps"] == Json::array({{{"name", "echo"}, {"generation", 4}}}));
}

TEST_CASE("stats give percentiles within five percent") {
  Plane plane;
  plane.source.metrics[0]->message_seconds[0].record(1ms, 980);
  plane.source.metrics[1]->message_seconds[0].record(5s, 20);
  plane.source.metrics[1]->messages_received[0][0].add(500);
  plane.source.metrics[0]->messages_received[0][1].add(500);
  plane.source.metrics[0]->connections_open.add(3);
  for (const auto path : {"/stats", "/v1/stats"}) {
    const Json stats = Json::parse(plane.get(path).body);
    REQUIRE(stats["messages_received"]["command"] == 1000);
    REQUIRE(stats["connections"]["open"] == 3);
    const Json latency = stats["latency_us"]["command"];
    REQUIRE(latency["count"] == 1000);
    REQUIRE(latency["p50"].get<double>() == Approx(1000).epsilon(0.05));
    REQUIRE(latency["p99"].get<double>() == Approx(5'000'000).epsilon(0.05));
    REQUIRE(latency["mean"].get<double>() == Approx(100'980).epsilon(0.05));
    REQUIRE(stats["latency_us"]["query"]["count"] == 0);
    REQUIRE(stats["latency_us"]["query"]["p99"] == 0.0);
  }
}

TEST_CASE("a name that is not UTF-8 does not break the documents") {
  Plane plane;
  plane.source.app_views = {{.name = "caf\xe9", .worker = 0, .generation = 1}};
  REQUIRE(Json::parse(plane.get("/v1/info").body)["apps"][0]["name"] == "caf\xef\xbf\xbd");
}

TEST_CASE("unknown paths are told what there is") {
  const Plane plane;
  for (const auto path : {"/", "", "/metric", "/metrics/", "/../metrics", "/Health", "*"}) {
    INFO(path);
    const HttpResponse response = plane.get(path);
    REQUIRE(response.status == 404);
    REQUIRE(response.content_type == "application/problem+json");
    const Json problem = Json::parse(response.body);
    REQUIRE(problem["status"] == 404);
    REQUIRE_THAT(problem["detail"].get<std::string>(), Catch::Contains("/metrics"));
  }
  const std::string hostile = Json::parse(plane.get("/\x1b[31m\xff").body)["detail"];
  REQUIRE_THAT(hostile, Catch::StartsWith("'/\\x1b[31m\\xff' is none of"));
  REQUIRE(plane.get("/" + std::string(64, 'a')).status == 414);
}

TEST_CASE("nothing can be changed through the admin plane") {
  const Plane plane;
  const auto status = [&](std::string_view method) {
    return plane.ask(
        {.method = method, .path = "/health", .version = "HTTP/1.1", .host_count = 1, .host = "localhost"});
  };
  REQUIRE(status("GET").status == 200);
  REQUIRE(status("HEAD").status == 200);
  for (const auto method : {"POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "get", "", "PRI"}) {
    INFO(method);
    REQUIRE(status(method).status == 405);
    REQUIRE(status(method).read_only);
  }
}

TEST_CASE("a page whose name was bent to this machine reads nothing") {
  const Plane plane;
  const auto status = [&](std::string_view host) {
    return plane.ask({.method = "GET", .path = "/v1/info", .version = "HTTP/1.1", .host_count = 1, .host = host})
        .status;
  };
  for (const auto good :
       {"127.0.0.1", "127.0.0.1:8080", "localhost", "LocalHost:1", "[::1]", "[::1]:8080", "10.0.0.1"}) {
    INFO(good);
    REQUIRE(status(good) == 200);
  }
  for (const auto bad :
       {"evil.example", "evil.example:8080", "localhost.evil.example", "127.0.0.1.evil.example", "", ":", ":8080",
        "[::1", "::1]", "localhost:80:80", "127.0.0.1:8080x", "127.0.0.1@evil.example", "1"}) {
    INFO(bad);
    REQUIRE(status(bad) == 421);
  }
}

TEST_CASE("a request says once whom it is meant for") {
  const Plane plane;
  const auto status = [&](std::string_view version, size_t hosts) {
    return plane.ask({.method = "GET", .path = "/health", .version = version, .host_count = hosts, .host = "localhost"})
        .status;
  };
  REQUIRE(status("HTTP/1.1", 1) == 200);
  REQUIRE(status("HTTP/1.1", 0) == 400);
  REQUIRE(status("HTTP/1.1", 2) == 400);
  REQUIRE(status("HTTP/1.0", 0) == 200);
  REQUIRE(status("HTTP/1.0", 1) == 200);
  for (const auto version : {"", "HTTP/0.9", "HTTP/2.0", "HTTP/1.10", "http/1.1"}) REQUIRE(status(version, 1) == 505);
}
