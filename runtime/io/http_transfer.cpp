#include "io/http_transfer.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>

namespace godwit::io {
namespace {

constexpr size_t kUrlBytesMax = 8192;
constexpr size_t kHeaderBytesMax = 64 << 10;  ///< of a request, and of an answer
constexpr Duration kConnectTimeout = 10s;
constexpr std::array<std::string_view, 7> kMethods = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};

long milliseconds(Duration duration) { return std::max<long>(1, duration / 1ms); }

/// A header's name or value that ends no line.
bool is_one_line(std::string_view text) {
  return std::ranges::none_of(text, [](char c) { return c == '\r' || c == '\n' || c == '\0'; });
}

bool is_header_name(std::string_view name) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  };
  return !name.empty() && std::ranges::all_of(name, allowed);
}

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? c | 0x20 : c; });
  return text;
}

bool has_content_type(const HttpRequest& request) {
  return std::ranges::any_of(request.headers, [](const auto& one) { return lower(one.first) == "content-type"; });
}

std::string_view trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == text.npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

std::string part_of(CURLU* url, CURLUPart what, unsigned flags = 0) {
  char* text = nullptr;
  if (curl_url_get(url, what, &text, flags) != CURLUE_OK) return {};
  std::string part(text);
  curl_free(text);
  return part;
}

}  // namespace

Result<std::unique_ptr<HttpTransfer>> HttpTransfer::create(std::string unit, HttpRequest request,
                                                           std::shared_ptr<const HttpPolicy> policy, Done done) {
  std::unique_ptr<HttpTransfer> transfer(
      new HttpTransfer(std::move(unit), std::move(request), std::move(policy), std::move(done)));
  for (const Status& step : {transfer->check_headers(), transfer->check_url()}) {
    if (!step) return tl::unexpected(step.error());
  }
  if (Status prepared = transfer->prepare(); !prepared) return tl::unexpected(std::move(prepared.error()));
  return transfer;
}

HttpTransfer::HttpTransfer(std::string unit, HttpRequest request, std::shared_ptr<const HttpPolicy> policy, Done done)
    : unit_(std::move(unit)),
      request_(std::move(request)),
      policy_(std::move(policy)),
      done_(std::move(done)),
      url_(curl_url()) {}

HttpTransfer::~HttpTransfer() {
  curl_slist_free_all(headers_);
  curl_easy_cleanup(handle_);
  curl_url_cleanup(url_);
}

Status HttpTransfer::check_headers() const {
  if (std::ranges::find(kMethods, request_.method) == kMethods.end()) {
    return fail(Code::kValueWrong, "the method must be one of GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
  }
  size_t bytes = 0;
  for (const auto& [name, value] : request_.headers) {
    bytes += name.size() + value.size();
    if (!is_header_name(name) || !is_one_line(value)) return fail(Code::kValueWrong, "a header is malformed");
  }
  return bytes <= kHeaderBytesMax ? Status() : fail(Code::kValueWrong, "the headers have more than 64 KiB");
}

/// By the parser that the request itself goes through, so that both mean the same host.
Status HttpTransfer::check_url() {
  const std::string& text = request_.url;
  if (text.size() > kUrlBytesMax || !is_one_line(text) ||
      curl_url_set(url_, CURLUPART_URL, text.c_str(), CURLU_DISALLOW_USER) != CURLUE_OK) {
    return fail(Code::kValueWrong, "expected a URL such as https://host/path, without name or password");
  }
  const std::string scheme = part_of(url_, CURLUPART_SCHEME);
  if (scheme != "http" && scheme != "https") return fail(Code::kValueWrong, "only http and https are spoken");
  std::string host = lower(part_of(url_, CURLUPART_HOST));
  if (host.ends_with('.')) host.pop_back();
  const unsigned port = static_cast<unsigned>(std::stoul(part_of(url_, CURLUPART_PORT, CURLU_DEFAULT_PORT)));
  if (policy_->allows(host, port)) return {};
  return fail(Code::kHttpForbidden, host + ":" + std::to_string(port) + " is not in scripts.http_allow");
}

Status HttpTransfer::prepare() {
  handle_ = curl_easy_init();
  if (!handle_) return fail(Code::kOutOfMemory, "no memory for an HTTP request");
  for (const auto& [name, value] : request_.headers) {
    headers_ = curl_slist_append(headers_, (name + (value.empty() ? ";" : ": " + value)).c_str());
  }
  headers_ = curl_slist_append(headers_, "Expect:");  // the body goes along at once
  // What a body is, only its sender knows.
  if (!has_content_type(request_)) headers_ = curl_slist_append(headers_, "Content-Type:");
  const auto set = [this](CURLoption option, auto value) { curl_easy_setopt(handle_, option, value); };
  set(CURLOPT_CURLU, url_);
  set(CURLOPT_PRIVATE, this);
  set(CURLOPT_HTTPHEADER, headers_);
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_FOLLOWLOCATION, 0L);
  set(CURLOPT_PROXY, "");  // none, whatever the environment says
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_FORBID_REUSE, 1L);  // each request opens a socket, where its address is looked at
  set(CURLOPT_TIMEOUT_MS, milliseconds(request_.timeout));
  set(CURLOPT_CONNECTTIMEOUT_MS, milliseconds(std::min(request_.timeout, kConnectTimeout)));
  set(CURLOPT_OPENSOCKETFUNCTION, &open_socket);
  set(CURLOPT_OPENSOCKETDATA, this);
  set(CURLOPT_WRITEFUNCTION, &take_body);
  set(CURLOPT_WRITEDATA, this);
  set(CURLOPT_HEADERFUNCTION, &take_header);
  set(CURLOPT_HEADERDATA, this);
  if (!request_.body.empty() || request_.method == "POST" || request_.method == "PUT" || request_.method == "PATCH") {
    set(CURLOPT_POSTFIELDS, request_.body.data());
    set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request_.body.size()));
  }
  if (request_.method == "HEAD") set(CURLOPT_NOBODY, 1L);
  set(CURLOPT_CUSTOMREQUEST, request_.method.c_str());
  return {};
}

curl_socket_t HttpTransfer::open_socket(void* self, curlsocktype, curl_sockaddr* address) {
  auto& transfer = *static_cast<HttpTransfer*>(self);
  if (!transfer.policy_->guard.allows(&address->addr)) {
    transfer.refused_ = true;
    return CURL_SOCKET_BAD;
  }
  return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

size_t HttpTransfer::take_body(char* data, size_t size, size_t count, void* self) {
  auto& transfer = *static_cast<HttpTransfer*>(self);
  std::string& body = transfer.response_.body;
  const size_t bytes = size * count;
  transfer.too_large_ = bytes > transfer.request_.body_bytes_max - body.size();
  if (transfer.too_large_) return 0;
  body.append(data, bytes);
  return bytes;
}

/// One line at a time. A status line begins anew: an interim answer may have come before.
size_t HttpTransfer::take_header(char* data, size_t size, size_t count, void* self) {
  auto& transfer = *static_cast<HttpTransfer*>(self);
  const std::string_view line(data, size * count);
  transfer.header_bytes_ += line.size();
  transfer.too_large_ = transfer.header_bytes_ > kHeaderBytesMax;
  if (transfer.too_large_) return 0;
  auto& headers = transfer.response_.headers;
  const size_t colon = line.find(':');
  if (line.starts_with("HTTP/")) {
    headers.clear();
  } else if (colon != line.npos) {
    headers.emplace_back(lower(std::string(trimmed(line.substr(0, colon)))), trimmed(line.substr(colon + 1)));
  }
  return line.size();
}

Error HttpTransfer::error_of(CURLcode outcome) const {
  if (refused_) return {Code::kHttpForbidden, "the host's address is not public, nor in scripts.http_private"};
  if (too_large_) return {Code::kMessageTooLarge, "the answer is larger than max_body, or its headers than 64 KiB"};
  if (outcome == CURLE_OPERATION_TIMEDOUT) return {Code::kDeadlineExceeded, "no answer in time"};
  return {Code::kHttpFailed, curl_easy_strerror(outcome)};
}

void HttpTransfer::finish(CURLcode outcome) {
  if (outcome != CURLE_OK) return done_(tl::unexpected(error_of(outcome)));
  long status = 0;
  curl_easy_getinfo(handle_, CURLINFO_RESPONSE_CODE, &status);
  response_.status = static_cast<unsigned>(status);
  done_(std::move(response_));
}

}  // namespace godwit::io
