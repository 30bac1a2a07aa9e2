#pragma once

namespace godwit::host {

class App;

/// Whether a generation that was built does anything once it is live: it handles, decides, hears, runs commands, timers
/// or tasks. False only for a script that bound nothing while it loaded, such as one that is half written.
bool does_something(const App& app);

}  // namespace godwit::host
