#pragma once

namespace godwit::app {

/// What every verb of the command returns to the shell; scripts rely on it.
enum class ExitCode : int {
  kOk = 0,
  kPeerFailed = 1,     ///< the peer answered with a failure
  kUsage = 2,          ///< the command line or the configuration is not valid
  kUnreachable = 3,    ///< could not connect, or no answer came in time
  kInterrupted = 130,  ///< Ctrl-C, as shells count signals
};

}  // namespace godwit::app
