#include "host/running_app.h"

#include <atomic>

namespace godwit::host {
namespace {

thread_local const std::string* t_running = nullptr;

/// Keeps the compiler from moving what the script does across the mark; a signal handler runs on the same thread.
void publish() { std::atomic_signal_fence(std::memory_order_seq_cst); }

}  // namespace

RunningApp::RunningApp(const std::string& name) : outer_(t_running) {
  t_running = &name;
  publish();
}

RunningApp::~RunningApp() {
  publish();
  t_running = outer_;
}

const std::string* RunningApp::name() { return t_running; }

}  // namespace godwit::host
