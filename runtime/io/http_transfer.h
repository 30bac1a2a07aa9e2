#pragma once

#include <curl/curl.h>

#include <functional>
#include <memory>
#include <string>

#include "io/http_policy.h"
#include "port/http_client.h"

namespace godwit::io {

/// One HTTP request on its way, as libcurl wants it. No redirect is followed, no proxy asked, nothing but http and
/// https spoken, and every address looked at when its socket is made: after the name was resolved, so that a name that
/// changes its mind gets nowhere.
class HttpTransfer {
 public:
  using Done = std::function<void(Result<HttpResponse>)>;

  /// Refused: HttpForbidden, ValueWrong.
  static Result<std::unique_ptr<HttpTransfer>> create(std::string unit, HttpRequest request,
                                                      std::shared_ptr<const HttpPolicy> policy, Done done);
  ~HttpTransfer();
  HttpTransfer(const HttpTransfer&) = delete;
  HttpTransfer& operator=(const HttpTransfer&) = delete;

  CURL* handle() { return handle_; }
  const std::string& unit() const { return unit_; }

  /// It has ended so; tells whom it may concern.
  void finish(CURLcode outcome);

 private:
  HttpTransfer(std::string unit, HttpRequest request, std::shared_ptr<const HttpPolicy> policy, Done done);
  Status check_url();
  Status check_headers() const;
  Status prepare();
  Error error_of(CURLcode outcome) const;

  static curl_socket_t open_socket(void* self, curlsocktype purpose, curl_sockaddr* address);
  static size_t take_body(char* data, size_t size, size_t count, void* self);
  static size_t take_header(char* data, size_t size, size_t count, void* self);

  const std::string unit_;
  const HttpRequest request_;
  const std::shared_ptr<const HttpPolicy> policy_;
  const Done done_;
  CURLU* url_ = nullptr;
  CURL* handle_ = nullptr;
  curl_slist* headers_ = nullptr;
  HttpResponse response_;
  size_t header_bytes_ = 0;
  bool refused_ = false;    ///< an address was
  bool too_large_ = false;  ///< the answer is
};

}  // namespace godwit::io
