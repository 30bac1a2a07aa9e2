#pragma once

#include <curl/curl.h>

#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "io/http_transfer.h"

namespace godwit::io {

/// One thread, begun with the first request, on which those of all scripts are under way at the same time. Its end
/// drops them. Made and ended while no other is: the library's own beginning is not safe from several threads.
class SystemHttpClient final : public HttpClient {
 public:
  explicit SystemHttpClient(HttpPolicy policy, OwnHttpPolicies own = {});
  ~SystemHttpClient() override;

  /// From any thread; holds for requests from now on.
  void configure(HttpPolicy policy, OwnHttpPolicies own = {});

  Status start(std::string_view unit, HttpRequest request, HttpTransfer::Done done) override;

 private:
  using Transfers = std::vector<std::unique_ptr<HttpTransfer>>;

  void run();
  bool admit(Transfers& active);
  void finish_some(Transfers& active);
  void forget(const std::string& unit);

  CURLM* multi_ = nullptr;
  std::mutex mutex_;
  struct Policies {
    HttpPolicy common;
    OwnHttpPolicies own;
  };
  std::shared_ptr<const HttpPolicy> policy_of(std::string_view unit);

  std::shared_ptr<const Policies> policies_;
  Transfers waiting_;
  std::map<std::string, size_t, std::less<>> under_way_;  ///< by unit
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace godwit::io
