#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace godwit {

struct HttpRequest {
  std::string method = "GET";
  std::string url;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  Duration timeout{};         ///< for all of it, from the call on
  size_t body_bytes_max = 0;  ///< of the answer; a longer one is an error
};

struct HttpResponse {
  unsigned status = 0;
  std::vector<std::pair<std::string, std::string>> headers;  ///< names in lower case
  std::string body;
};

/// Asks HTTP servers on behalf of scripts, as far as the operator allows it. From any thread.
class HttpClient {
 public:
  virtual ~HttpClient() = default;

  /// `done` hears what came of it, once, on a thread that is nobody's loop; never when the client ends before. Refused
  /// at once: HttpForbidden, LimitReached when the unit of this name has too many under way, ValueWrong for what is no
  /// HTTP request.
  virtual Status start(std::string_view unit, HttpRequest request, std::function<void(Result<HttpResponse>)> done) = 0;
};

}  // namespace godwit
