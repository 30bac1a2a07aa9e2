#pragma once

#include <filesystem>

#include "app/commands/exit_code.h"
#include "app/commands/json.h"
#include "app/config/loader.h"
#include "base/result.h"
#include "base/time.h"

namespace CLI {
class App;
}

namespace godwit::app {

/// What every verb that talks to the admin socket of a running server asks for, and the talk itself.
struct ControlCall {
  ConfigSources sources{{}, process_environment(), {}};
  std::filesystem::path socket;  ///< empty: where the configuration puts it
  Duration timeout = 30s;
  bool json = false;

  void add_to(CLI::App& verb);

  /// Sends one request, hands its answer's result to `print`, and prints an error when there is one. With --json the
  /// answer is printed as it came.
  template <typename Print>
  ExitCode run(const Json& request, Print print) const {
    const Result<Json> answer = ask(request);
    if (!answer) return report(answer.error());
    if (json) {
      print_json(*answer);
    } else if (answer->contains("result")) {
      print((*answer)["result"]);
    }
    return conclude(*answer);
  }

 private:
  Result<Json> ask(const Json& request) const;
  ExitCode report(const Error& error) const;
  ExitCode conclude(const Json& answer) const;
};

}  // namespace godwit::app
