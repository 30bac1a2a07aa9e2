#include "host/running_plugin.h"

#include <atomic>

namespace godwit::host {
namespace {

thread_local const RunningPlugin* t_running = nullptr;

/// Keeps the compiler from moving what the plugin does across the mark; a signal handler runs on the same thread.
void publish() { std::atomic_signal_fence(std::memory_order_seq_cst); }

}  // namespace

RunningPlugin::RunningPlugin(const PluginLabel& label, const void* instance)
    : label_(label), instance_(instance), outer_(t_running) {
  t_running = this;
  publish();
}

RunningPlugin::~RunningPlugin() {
  publish();
  t_running = outer_;
}

const void* RunningPlugin::instance() { return t_running ? t_running->instance_ : nullptr; }

const PluginLabel* RunningPlugin::label() { return t_running ? &t_running->label_ : nullptr; }

}  // namespace godwit::host
