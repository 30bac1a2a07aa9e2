#pragma once

#include <memory>

// libuv's types by name only: whoever uses io/ never sees uv.h.
struct uv_loop_s;
struct uv_async_s;
struct uv_check_s;
struct uv_fs_event_s;
struct uv_idle_s;
struct uv_poll_s;
struct uv_prepare_s;
struct uv_signal_s;

namespace godwit::io {

/// libuv closes a handle one turn after it is told to, and needs its memory until then: so handles live on the heap,
/// and the deleter lets the close callback free them. No callback but that one runs after the owner let go.
template <typename Handle>
struct CloseUvHandle {
  void operator()(Handle* handle) const;
};

template <typename Handle>
using UvHandle = std::unique_ptr<Handle, CloseUvHandle<Handle>>;

}  // namespace godwit::io
