#include "io/poll_watcher.h"

#include "io/loop.h"
#include "io/uv_start.h"

namespace godwit::io {

Result<std::unique_ptr<PollWatcher>> PollWatcher::watch(Loop& loop, int fd, std::function<void()> on_readable) {
  std::unique_ptr<PollWatcher> watcher(new PollWatcher(loop, std::move(on_readable)));
  const Status made = make_uv_handle(watcher->handle_, watcher.get(),
                                     [&](uv_poll_t* handle) { return uv_poll_init(loop.raw(), handle, fd); });
  if (!made) return tl::unexpected(made.error());
  uv_poll_start(watcher->handle_.get(), UV_READABLE, [](uv_poll_t* handle, int, int) {
    auto& self = owner_of<PollWatcher>(handle);
    self.loop_.begin_turn();
    self.on_readable_();
  });
  return watcher;
}

}  // namespace godwit::io
