#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "admin/source.h"
#include "port/clock.h"

namespace godwit::admin {

/// The head of a request, as far as it matters here. Views borrow.
struct HttpRequest {
  std::string_view method;
  std::string_view path;     ///< decoded, without the query
  std::string_view version;  ///< "HTTP/1.1"
  size_t host_count = 0;     ///< Host fields
  std::string_view host;     ///< of the first
};

struct HttpResponse {
  unsigned status = 200;
  std::string_view content_type;
  std::string body;
  bool read_only = false;  ///< the method is not one of those allowed here
};

/// Answers a request. Requests whose Host is a name other than localhost are refused: a web page can make such a name
/// point here and would then read along (DNS rebinding).
HttpResponse respond(const HttpRequest& request, size_t path_bytes_max, const AdminSource& source, const Clock& clock);

}  // namespace godwit::admin
