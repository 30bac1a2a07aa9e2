#include "app/commands/report.h"

#include "app/commands/print.h"

namespace godwit::app {

ExitCode report(std::span<const Error> errors) {
  for (const Error& error : errors) print_error(error);
  return ExitCode::kUsage;
}

}  // namespace godwit::app
