#pragma once

#include <string_view>

#include "app/commands/exit_code.h"
#include "base/error.h"

namespace godwit::app {

/// Code, name, text and advice, on stderr. Bytes that a peer chose are escaped.
void print_error(const Error& error);
void print_warning(std::string_view text);

/// A body as it is, on stdout; on a terminal its last line is ended.
void print_reply(std::string_view body);

/// Writes what is still to be written. False when something could not be: a full disk, a reader that went away.
bool finish_output();

/// Every failure belongs to one code of the shell: 2 for what the caller can mend on the command line, 3 for servers
/// that were not reached or did not answer in time, else 1.
ExitCode exit_code_of(Code code);

}  // namespace godwit::app
