#include "io/http_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <future>
#include <thread>

using namespace godwit;
using namespace godwit::io;

namespace {

/// Listens on a free port of loopback and says the same to everybody, once they have asked; `endless` says the last
/// part for ever.
class CannedServer {
 public:
  CannedServer(std::string answer, std::string endless = {})
      : answer_(std::move(answer)), endless_(std::move(endless)), listener_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t length = sizeof address;
    REQUIRE(bind(listener_, reinterpret_cast<sockaddr*>(&address), length) == 0);
    REQUIRE(listen(listener_, 16) == 0);
    getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~CannedServer() {
    shutdown(listener_, SHUT_RDWR);
    thread_.join();
    close(listener_);
  }
  std::string port() const { return std::to_string(port_); }
  size_t connections() const { return connections_; }

 private:
  void serve() {
    for (int peer; (peer = accept(listener_, nullptr, nullptr)) >= 0; close(peer)) {
      ++connections_;
      char asked[4096];
      if (recv(peer, asked, sizeof asked, 0) <= 0) continue;
      say(peer, answer_);
      while (!endless_.empty() && say(peer, endless_)) continue;
      // Silence: until the peer has had enough.
      if (answer_.empty()) (void)recv(peer, asked, sizeof asked, 0);
    }
  }
  static bool say(int peer, const std::string& text) {
    return send(peer, text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size());
  }

  const std::string answer_, endless_;
  const int listener_;
  uint16_t port_ = 0;
  std::atomic<size_t> connections_{0};
  std::thread thread_;
};

std::shared_ptr<const HttpPolicy> policy(const std::vector<std::string>& hosts,
                                         const std::vector<std::string>& networks = {"127.0.0.1/32"}, size_t max = 10) {
  return std::make_shared<const HttpPolicy>(*HttpPolicy::create(hosts, networks, max));
}

HttpRequest get(const std::string& url) { return {.url = url, .timeout = 5s, .body_bytes_max = 1000}; }

/// What came of a request, through the whole client.
Result<HttpResponse> ask(const std::shared_ptr<const HttpPolicy>& allowed, HttpRequest request) {
  SystemHttpClient client(*allowed);
  std::promise<Result<HttpResponse>> promise;
  auto future = promise.get_future();
  const Status begun = client.start("app", std::move(request),
                                    [&](Result<HttpResponse> outcome) { promise.set_value(std::move(outcome)); });
  if (!begun) return tl::unexpected(begun.error());
  return future.get();
}

std::string text_of(const Result<HttpResponse>& outcome) {
  return outcome ? std::to_string(outcome->status) + " " + outcome->body : name_of(outcome.error().code);
}

const std::string kHello = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-One: 1\r\n\r\nhello";

}  // namespace

TEST_CASE("an allowed server is asked, and its answer comes whole") {
  CannedServer server(kHello);
  const auto outcome = ask(policy({"127.0.0.1:" + server.port()}), get("http://127.0.0.1:" + server.port() + "/"));
  CHECK(text_of(outcome) == "200 hello");
  REQUIRE(outcome->headers.size() == 2);
  CHECK(outcome->headers[1] == std::pair<std::string, std::string>{"x-one", "1"});
}

TEST_CASE("who is not named is not asked") {
  CannedServer server(kHello);
  const std::string url = "http://127.0.0.1:" + server.port() + "/";
  CHECK(text_of(ask(policy({}), get(url))) == "HttpForbidden");
  CHECK(text_of(ask(policy({"127.0.0.1"}), get(url))) == "HttpForbidden");
  CHECK(text_of(ask(policy({"localhost:" + server.port()}), get(url))) == "HttpForbidden");
  CHECK(server.connections() == 0);
}

TEST_CASE("who has a list of its own is asked nothing else about, and others are not concerned") {
  CannedServer server(kHello);
  const std::string url = "http://127.0.0.1:" + server.port() + "/";
  const auto all = policy({"127.0.0.1:" + server.port()}), nobody = policy({});
  const auto outcome = [&](SystemHttpClient& client, std::string_view unit) {
    std::promise<Result<HttpResponse>> promise;
    const Status begun =
        client.start(unit, get(url), [&](Result<HttpResponse> answer) { promise.set_value(std::move(answer)); });
    return begun ? text_of(promise.get_future().get()) : name_of(begun.error().code);
  };
  SystemHttpClient client(*all, {{"closed", *nobody}});
  CHECK(outcome(client, "closed") == "HttpForbidden");
  CHECK(outcome(client, "other") == "200 hello");
  client.configure(*nobody, {{"open", *all}});
  CHECK(outcome(client, "open") == "200 hello");
  CHECK(outcome(client, "closed") == "HttpForbidden");
}

TEST_CASE("a name that leads to a forbidden address gets no socket, however it is written") {
  CannedServer server(kHello);
  const auto allowed = policy({"*:" + server.port()}, {});
  for (const char* host :
       {"127.0.0.1", "localhost", "0x7f.1", "2130706433", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0"}) {
    INFO(host);
    CHECK(text_of(ask(allowed, get("http://" + std::string(host) + ":" + server.port() + "/"))) == "HttpForbidden");
  }
  CHECK(server.connections() == 0);
}

TEST_CASE("a name that changes its address is looked at where its socket is made") {
  CannedServer server(kHello);
  const std::string name = "rebound.example:" + server.port();
  const auto try_with = [&](const std::vector<std::string>& networks) {
    std::string outcome;
    auto transfer = HttpTransfer::create("app", get("http://" + name + "/"), policy({"*:" + server.port()}, networks),
                                         [&](const Result<HttpResponse>& result) { outcome = text_of(result); });
    REQUIRE(transfer);
    curl_slist* resolved = curl_slist_append(nullptr, (name + ":127.0.0.1").c_str());
    curl_easy_setopt((*transfer)->handle(), CURLOPT_RESOLVE, resolved);
    (*transfer)->finish(curl_easy_perform((*transfer)->handle()));
    curl_slist_free_all(resolved);
    return outcome;
  };
  CHECK(try_with({}) == "HttpForbidden");
  CHECK(server.connections() == 0);
  CHECK(try_with({"127.0.0.1/32"}) == "200 hello");
}

TEST_CASE("a redirect is an answer like any other") {
  CannedServer target(kHello);
  CannedServer server("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:" + target.port() +
                      "/\r\nContent-Length: 0\r\n\r\n");
  const auto outcome =
      ask(policy({"*:" + server.port(), "*:" + target.port()}), get("http://127.0.0.1:" + server.port() + "/"));
  CHECK(text_of(outcome) == "302 ");
  CHECK(target.connections() == 0);
}

TEST_CASE("bodies and headers without end are cut off") {
  CannedServer body("HTTP/1.1 200 OK\r\n\r\n", std::string(500, 'x'));
  CHECK(text_of(ask(policy({"*:" + body.port()}), get("http://127.0.0.1:" + body.port() + "/"))) == "MessageTooLarge");
  CannedServer headers("HTTP/1.1 200 OK\r\n", "X: " + std::string(500, 'x') + "\r\n");
  CHECK(text_of(ask(policy({"*:" + headers.port()}), get("http://127.0.0.1:" + headers.port() + "/"))) ==
        "MessageTooLarge");
}

TEST_CASE("a server that says nothing costs no more than the request's time") {
  CannedServer silent("");
  HttpRequest request = get("http://127.0.0.1:" + silent.port() + "/");
  request.timeout = 50ms;
  CHECK(text_of(ask(policy({"*:" + silent.port()}), request)) == "DeadlineExceeded");
}

TEST_CASE("nobody there is an error") {
  std::string port;
  {
    const CannedServer gone(kHello);
    port = gone.port();
  }
  CHECK(text_of(ask(policy({"*:" + port}), get("http://127.0.0.1:" + port + "/"))) == "HttpFailed");
}

TEST_CASE("what is no HTTP request is refused before anything is sent") {
  const auto allowed = policy({"*", "*:21"});
  for (const char* url : {"ftp://example.com/", "file:///etc/passwd", "gopher://example.com/", "http://a b/", "",
                          "http://name:secret@example.com/", "http://example.com/\r\nHost: other"}) {
    INFO(url);
    CHECK(text_of(ask(allowed, get(url))) == "ValueWrong");
  }
  HttpRequest split = get("http://example.com/");
  split.headers = {{"X", "a\r\nY: b"}};
  CHECK(text_of(ask(allowed, split)) == "ValueWrong");
  HttpRequest method = get("http://example.com/");
  method.method = "GET / HTTP/1.1\r\n";
  CHECK(text_of(ask(allowed, method)) == "ValueWrong");
}

TEST_CASE("requests of one app at one time are bounded, and others are not concerned") {
  CannedServer silent("");
  const auto allowed = policy({"*:" + silent.port()}, {"127.0.0.1/32"}, 2);
  SystemHttpClient client(*allowed);
  HttpRequest request = get("http://127.0.0.1:" + silent.port() + "/");
  request.timeout = 200ms;
  std::promise<void> both;
  std::atomic<int> left{2};
  const auto count_down = [&](const Result<HttpResponse>&) {
    if (--left == 0) both.set_value();
  };
  REQUIRE(client.start("app", request, count_down));
  REQUIRE(client.start("app", request, count_down));
  CHECK(client.start("app", request, count_down).error().code == Code::kLimitReached);
  std::promise<void> third;
  REQUIRE(client.start("other", request, [&](const Result<HttpResponse>&) { third.set_value(); }));
  both.get_future().get();
  third.get_future().get();
  std::promise<void> again;
  CHECK(client.start("app", request, [&](const Result<HttpResponse>&) { again.set_value(); }));
  again.get_future().get();
}

TEST_CASE("the client's end drops what is under way") {
  CannedServer silent("");
  bool told = false;
  {
    SystemHttpClient client(*policy({"*:" + silent.port()}));
    REQUIRE(client.start("app", get("http://127.0.0.1:" + silent.port() + "/"),
                         [&](const Result<HttpResponse>&) { told = true; }));
  }
  CHECK_FALSE(told);
}
