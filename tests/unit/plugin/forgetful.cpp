#include <godwit/plugin.hpp>
#include <thread>

using namespace godwit::plugin;

/// A codec that keeps none of its promises, and a store that ends its operations in all the wrong ways: a key's name
/// says how.
class Forgetful {
 public:
  static constexpr std::string_view kContentType = "text/forgetful";
  static constexpr std::string_view kHandlerType = "text/plain";

  explicit Forgetful(Host host) : host_(host) {}

  std::string decode(std::string_view body) const {
    if (body == "invalid") throw Failure(GW_ERROR_BODY_INVALID);
    if (body == "broken") throw std::runtime_error("it broke");
    return std::string(body.size() * 1000, 'x');
  }
  std::string encode(std::string_view body) const {
    if (body == "invalid") throw Failure(GW_ERROR_BODY_INVALID);
    return std::string(body);
  }

  void scan(std::string_view prefix, std::string_view, uint32_t limit, Scan scan) {
    const gw_store_entry entry{plain(prefix), plain_bytes("value"), 7, GW_NEVER};
    const gw_store_entry damaged{plain(prefix), plain_bytes(""), 0, GW_NEVER};
    if (prefix == "refused") throw Failure(GW_ERROR_STORE_BUSY);
    if (prefix == "damaged") return scan.found({&damaged, 1});
    if (prefix == "many") return scan.found(std::vector<gw_store_entry>(limit + 1, entry));
    if (prefix == "later") return static_cast<void>(later_ = scan);
    if (prefix == "elsewhere") return std::thread([=] { scan.found({&entry, 1}); }).join();
    scan.found({&entry, 1});
    if (prefix == "twice") scan.fail(GW_ERROR_STORE_FAILED);
  }
  void apply(std::span<const gw_store_step> steps, Apply apply) {
    const std::string_view key = view(steps.front().key);
    if (key == "later") return later_->fail(GW_ERROR_STORE_DAMAGED), apply.applied(std::vector<uint64_t>{1});
    if (key == "nowhere") return apply.conflict(99);
    if (key == "nothing") return apply.applied({});
    if (key == "stale") throw Failure(GW_ERROR_STALE);
    apply.conflict(steps.size() - 1);
  }

 private:
  Host host_;
  std::optional<Scan> later_;
};

GW_PLUGIN_CLASS(Forgetful, .name = "forgetful", .version = "1", .license = "MIT")
