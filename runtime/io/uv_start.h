#pragma once

#include <uv.h>

#include <memory>
#include <utility>

#include "io/os_error.h"
#include "io/uv_handle.h"

namespace godwit::io {

/// Makes a handle that belongs to `owner`: `init(handle)` is one of libuv's uv_*_init functions with its arguments
/// bound. A handle whose init failed is unknown to libuv and is simply deleted.
template <typename Handle, typename Init>
Status make_uv_handle(UvHandle<Handle>& out, void* owner, Init&& init) {
  auto fresh = std::make_unique<Handle>();
  if (const int error = init(fresh.get()); error < 0) return os_error("event loop handle", error);
  fresh->data = owner;
  out.reset(fresh.release());
  return {};
}

template <typename Owner, typename Handle>
Owner& owner_of(Handle* handle) {
  return *static_cast<Owner*>(handle->data);
}

}  // namespace godwit::io
