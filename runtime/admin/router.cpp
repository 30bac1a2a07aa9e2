#include "admin/router.h"

#include <fmt/format.h>

#include <algorithm>

#include "admin/metric_table.h"
#include "admin/reports.h"
#include "base/text.h"
#include "port/address.h"

namespace godwit::admin {
namespace {

constexpr std::string_view kJson = "application/json";
constexpr std::string_view kProblem = "application/problem+json";
constexpr std::string_view kPrometheus = "text/plain; version=0.0.4; charset=utf-8";

HttpResponse problem(unsigned status, const std::string& title, const std::string& detail) {
  return {status, kProblem, problem_report(status, title, detail)};
}

HttpResponse health(const Scrape& scrape) {
  const Health health = judge(scrape);
  return {health.ready ? 200u : 503u, kJson, health_report(scrape, health)};
}

HttpResponse liveness(const Scrape& scrape) {
  const Health health = judge(scrape);
  return {health.live ? 200u : 503u, kJson, health_report(scrape, health)};
}

HttpResponse metrics(const Scrape& scrape) { return {200, kPrometheus, metrics_as_text(scrape)}; }
HttpResponse info(const Scrape& scrape) { return {200, kJson, info_report(scrape)}; }
HttpResponse stats(const Scrape& scrape) { return {200, kJson, stats_report(scrape)}; }

struct Route {
  std::string_view path;
  HttpResponse (*answer)(const Scrape& scrape);
};

constexpr Route kRoutes[] = {
    {"/health", health}, {"/healthz", liveness}, {"/readyz", health}, {"/metrics", metrics},
    {"/v1/info", info},  {"/v1/stats", stats},   {"/stats", stats},
};

bool equals_ignoring_case(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

/// Cuts ":8080" off; an IPv6 address stands in brackets.
std::string_view without_port(std::string_view host) {
  const size_t colon = host.rfind(':');
  if (colon == std::string_view::npos || host.find(']', colon) != std::string_view::npos) return host;
  const std::string_view port = host.substr(colon + 1);
  const bool is_port = std::ranges::all_of(port, [](char c) { return c >= '0' && c <= '9'; });
  return is_port ? host.substr(0, colon) : host;
}

bool names_this_machine(std::string_view host) {
  const std::string_view name = without_port(host);
  return equals_ignoring_case(name, "localhost") || SocketAddress::parse(fmt::format("{}:0", name)).has_value();
}

/// What is wrong with the head of a request.
std::optional<HttpResponse> fault_of(const HttpRequest& request, size_t path_bytes_max) {
  if (request.version != "HTTP/1.1" && request.version != "HTTP/1.0") {
    return problem(505, "HTTP Version Not Supported", "speak HTTP/1.1");
  }
  if (request.host_count > 1 || (request.host_count == 0 && request.version == "HTTP/1.1")) {
    return problem(400, "Bad Request", "expected one Host field");
  }
  if (request.host_count == 1 && !names_this_machine(request.host)) {
    return problem(421, "Misdirected Request", "expected an IP address or localhost as Host");
  }
  if (request.path.size() > path_bytes_max) return problem(414, "URI Too Long", "no path here is that long");
  if (request.method != "GET" && request.method != "HEAD") {
    HttpResponse response = problem(405, "Method Not Allowed", "expected GET or HEAD");
    response.read_only = true;
    return response;
  }
  return std::nullopt;
}

}  // namespace

HttpResponse respond(const HttpRequest& request, size_t path_bytes_max, const AdminSource& source, const Clock& clock) {
  if (auto fault = fault_of(request, path_bytes_max)) return *std::move(fault);
  const auto route = std::ranges::find(kRoutes, request.path, &Route::path);
  if (route == std::end(kRoutes)) {
    std::string known;
    for (const Route& r : kRoutes) known += fmt::format("{}{}", known.empty() ? "" : " ", r.path);
    return problem(404, "Not Found", fmt::format("'{}' is none of {}", escape_for_log(request.path, 128), known));
  }
  return route->answer(scrape(source, clock));
}

}  // namespace godwit::admin
