#include "io/http_client.h"

#include <algorithm>
#include <utility>

namespace godwit::io {
namespace {

constexpr int kLookAroundMs = 10'000;  ///< new requests and the end wake the thread; this only bounds what is missed

}  // namespace

SystemHttpClient::SystemHttpClient(HttpPolicy policy, OwnHttpPolicies own)
    : policies_(std::make_shared<const Policies>(Policies{std::move(policy), std::move(own)})) {
  curl_global_init(CURL_GLOBAL_DEFAULT);
  multi_ = curl_multi_init();
}

SystemHttpClient::~SystemHttpClient() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  curl_multi_wakeup(multi_);
  if (thread_.joinable()) thread_.join();
  waiting_.clear();
  curl_multi_cleanup(multi_);
  curl_global_cleanup();
}

void SystemHttpClient::configure(HttpPolicy policy, OwnHttpPolicies own) {
  auto next = std::make_shared<const Policies>(Policies{std::move(policy), std::move(own)});
  const std::lock_guard lock(mutex_);
  policies_ = std::move(next);
}

std::shared_ptr<const HttpPolicy> SystemHttpClient::policy_of(std::string_view unit) {
  std::shared_ptr<const Policies> policies;
  {
    const std::lock_guard lock(mutex_);
    policies = policies_;
  }
  const auto own = policies->own.find(unit);
  return {policies, own == policies->own.end() ? &policies->common : &own->second};
}

Status SystemHttpClient::start(std::string_view unit, HttpRequest request, HttpTransfer::Done done) {
  const std::shared_ptr<const HttpPolicy> policy = policy_of(unit);
  auto transfer = HttpTransfer::create(std::string(unit), std::move(request), policy, std::move(done));
  if (!transfer) return tl::unexpected(std::move(transfer.error()));
  {
    const std::lock_guard lock(mutex_);
    size_t& under_way = under_way_[(*transfer)->unit()];
    if (under_way >= policy->requests_max) {
      return fail(Code::kLimitReached, "more HTTP requests at one time than scripts.http_requests_max");
    }
    ++under_way;
    waiting_.push_back(std::move(*transfer));
    if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
  }
  curl_multi_wakeup(multi_);
  return {};
}

void SystemHttpClient::run() {
  Transfers active;
  while (admit(active)) {
    int running = 0;
    curl_multi_perform(multi_, &running);
    finish_some(active);
    curl_multi_poll(multi_, nullptr, 0, kLookAroundMs, nullptr);
  }
  for (const auto& transfer : active) curl_multi_remove_handle(multi_, transfer->handle());
}

/// False: it is over.
bool SystemHttpClient::admit(Transfers& active) {
  const std::lock_guard lock(mutex_);
  for (auto& transfer : std::exchange(waiting_, {})) {
    curl_multi_add_handle(multi_, transfer->handle());
    active.push_back(std::move(transfer));
  }
  return !ending_;
}

void SystemHttpClient::finish_some(Transfers& active) {
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    const CURLcode outcome = message->data.result;
    const auto found = std::ranges::find(active, message->easy_handle, [](const auto& one) { return one->handle(); });
    curl_multi_remove_handle(multi_, message->easy_handle);
    const std::unique_ptr<HttpTransfer> transfer = std::move(*found);
    active.erase(found);
    forget(transfer->unit());
    transfer->finish(outcome);
  }
}

void SystemHttpClient::forget(const std::string& unit) {
  const std::lock_guard lock(mutex_);
  const auto found = under_way_.find(unit);
  if (--found->second == 0) under_way_.erase(found);
}

}  // namespace godwit::io
