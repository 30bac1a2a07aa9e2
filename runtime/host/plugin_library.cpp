#include "host/plugin_library.h"

#include <dlfcn.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace godwit::host {
namespace {

tl::unexpected<Error> bad(const PluginFile& file, std::string_view text) {
  return fail(Code::kPluginLoadFailed, fmt::format("{}: {}", file.path.string(), text));
}

/// As much of a table as both sides know.
template <typename Table>
Table known_part(const Table* table) {
  Table out{};
  if (!table) return out;
  std::memcpy(&out, table, std::min<size_t>(table->struct_size, sizeof(Table)));
  return out;
}

template <size_t size>
bool is_text(const char (&text)[size]) {
  return std::memchr(text, 0, size) != nullptr;
}

template <size_t size>
bool is_content_type(const char (&text)[size]) {
  if (!is_text(text)) return false;
  const std::string_view type(text);
  const auto sound = [](char c) { return c > ' ' && c < 0x7f && c != ';' && !(c >= 'A' && c <= 'Z'); };
  return type.find('/') != type.npos && std::all_of(type.begin(), type.end(), sound);
}

bool write_whole(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return true;
}

}  // namespace

PluginLibrary::PluginLibrary(Unload unload, std::shared_ptr<PluginImages> images)
    : unload_(unload), images_(std::move(images)) {}

PluginLibrary::~PluginLibrary() {
  if (handle_ && unload_ == Unload::kNever) return;  // code and copy stay until the process ends
  if (handle_) {
    ::dlclose(handle_);
    images_->mapped_.fetch_sub(1, std::memory_order_relaxed);
  }
  if (staged_ >= 0) ::close(staged_);
}

Result<std::shared_ptr<const PluginLibrary>> PluginLibrary::open(const PluginFile& file, uint32_t generation,
                                                                 Unload unload, std::shared_ptr<PluginImages> images) {
  if (unload == Unload::kDrained && !file.info.can_unload()) {
    return bad(file, fmt::format("plugins.{}.unload is \"drained\", but the plugin does not declare "
                                 "GW_FLAG_CAN_UNLOAD; set it to \"never\"",
                                 file.info.name));
  }
  if (unload == Unload::kNever && images->mapped() >= PluginImages::kKeptMax) {
    return bad(file, fmt::format("{} generations of {} are loaded and never unloaded; restart the server, or set "
                                 "plugins.{}.unload = \"drained\" if the plugin allows it",
                                 images->mapped(), file.info.name, file.info.name));
  }
  auto library = std::shared_ptr<PluginLibrary>(new PluginLibrary(unload, std::move(images)));
  if (const Status staged = library->stage(file, generation); !staged) return tl::unexpected(staged.error());
  if (const Status mapped = library->map(); !mapped) return bad(file, mapped.error().text);
  if (const Status read = library->read_tables(file); !read) return tl::unexpected(read.error());
  return library;
}

/// The linker takes a file that it knows by name or inode for the one it has loaded: each generation gets a new file.
Status PluginLibrary::stage(const PluginFile& file, uint32_t generation) {
  const std::string name = fmt::format("{}@{}", file.info.name, generation);
  staged_ = ::memfd_create(name.c_str(), MFD_CLOEXEC);
  if (staged_ < 0 || !write_whole(staged_, file.bytes))
    return bad(file, fmt::format("cannot be copied into memory: {}", std::strerror(errno)));
  return {};
}

Status PluginLibrary::map() {
  handle_ = ::dlopen(fmt::format("/proc/self/fd/{}", staged_).c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!handle_) return fail(Code::kPluginLoadFailed, ::dlerror());
  images_->mapped_.fetch_add(1, std::memory_order_relaxed);
  return {};
}

Status PluginLibrary::read_tables(const PluginFile& file) {
  const auto* plugin = static_cast<const gw_plugin*>(::dlsym(handle_, GW_PLUGIN_SYMBOL));
  if (!plugin) return bad(file, fmt::format("exports no '{}' once it is loaded", GW_PLUGIN_SYMBOL));
  const gw_plugin known = known_part(plugin);
  instance_ = known_part(known.instance);
  if (!instance_.create) return bad(file, "its descriptor has no instance->create");
  handler_ = known_part(known.handler);
  router_ = known_part(known.router);
  auth_ = known_part(known.auth);
  strategy_ = known_part(known.strategy);
  codec_ = known_part(known.codec);
  store_ = known_part(known.store);
  return check_kinds(file, known.kinds);
}

/// What it says that it is, it must be able to do; what it can do beyond that is not asked.
Status PluginLibrary::check_kinds(const PluginFile& file, uint32_t kinds) const {
  const auto missing = [&](uint32_t kind, bool there) { return (kinds & kind) != 0 && !there; };
  if (missing(GW_KIND_HANDLER, handler_.on_message)) return bad(file, "it is a handler without handler->on_message");
  if (missing(GW_KIND_ROUTER, router_.route)) return bad(file, "it is a router without router->route");
  if (missing(GW_KIND_AUTH, auth_.authenticate)) return bad(file, "it is an auth plugin without auth->authenticate");
  if (missing(GW_KIND_STRATEGY, strategy_.plan)) return bad(file, "it is a strategy without strategy->plan");
  if (missing(GW_KIND_CODEC, codec_.encode && codec_.decode))
    return bad(file, "it is a codec without codec->encode and codec->decode");
  if (missing(GW_KIND_STORE, store_.scan && store_.apply))
    return bad(file, "it is a store without store->scan and store->apply, which came with plugin interface 1.2");
  if (strategy_.bytes_max != 0 && strategy_.bytes_max < strategy_.bytes_min)
    return bad(file, "its strategy plans for no size: bytes_max is less than bytes_min");
  if ((kinds & GW_KIND_CODEC) != 0 && (!is_content_type(codec_.content_type) || !is_text(codec_.handler_type)))
    return bad(file, "its codec's content_type is lower case as in \"application/msgpack\", and both types end in 0");
  return {};
}

}  // namespace godwit::host
