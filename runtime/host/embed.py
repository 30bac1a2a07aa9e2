#!/usr/bin/env python3
"""embed.py OUTPUT INPUT...: a C++ source with each input's text, for host/prelude.h."""
import pathlib
import sys

output, *inputs = map(pathlib.Path, sys.argv[1:])
with output.open("w") as out:
    out.write('#include "host/prelude.h"\n\nnamespace godwit::host {\n\n')
    out.write("std::string_view prelude_text(std::string_view name) {\n")
    for path in inputs:
        out.write(f'  if (name == "{path.name}") return R"prelude({path.read_text()})prelude";\n')
    out.write("  return {};\n}\n\n}  // namespace godwit::host\n")
