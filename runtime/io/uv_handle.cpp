#include "io/uv_handle.h"

#include <uv.h>

namespace godwit::io {

template <typename Handle>
void CloseUvHandle<Handle>::operator()(Handle* handle) const {
  uv_close(reinterpret_cast<uv_handle_t*>(handle),
           [](uv_handle_t* closed) { delete reinterpret_cast<Handle*>(closed); });
}

template struct CloseUvHandle<uv_async_t>;
template struct CloseUvHandle<uv_check_t>;
template struct CloseUvHandle<uv_fs_event_t>;
template struct CloseUvHandle<uv_idle_t>;
template struct CloseUvHandle<uv_poll_t>;
template struct CloseUvHandle<uv_prepare_t>;
template struct CloseUvHandle<uv_signal_t>;

}  // namespace godwit::io
