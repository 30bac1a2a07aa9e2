#include "io/signal_watcher.h"

#include "io/loop.h"
#include "io/uv_start.h"

namespace godwit::io {

Result<std::unique_ptr<SignalWatcher>> SignalWatcher::watch(Loop& loop, std::initializer_list<int> signals,
                                                            std::function<void(int)> on_signal) {
  std::unique_ptr<SignalWatcher> watcher(new SignalWatcher(loop, std::move(on_signal)));
  for (const int signal : signals) {
    if (Status added = watcher->add(signal); !added) return tl::unexpected(added.error());
  }
  return watcher;
}

Status SignalWatcher::add(int signal) {
  UvHandle<uv_signal_t>& handle = handles_.emplace_back();
  const Status made =
      make_uv_handle(handle, this, [&](uv_signal_t* fresh) { return uv_signal_init(loop_.raw(), fresh); });
  if (!made) return made;
  const int error = uv_signal_start(
      handle.get(),
      [](uv_signal_t* raised, int number) {
        auto& self = owner_of<SignalWatcher>(raised);
        self.loop_.begin_turn();
        self.on_signal_(number);
      },
      signal);
  if (error < 0) return os_error("signal handler", error);
  return {};
}

}  // namespace godwit::io
