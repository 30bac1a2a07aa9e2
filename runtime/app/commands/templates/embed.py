#!/usr/bin/env python3
"""embed.py OUTPUT FILE…: C++ that carries the text of files, by their folder and name: "plugin/README.md.in"."""

import pathlib
import sys

output, *files = map(pathlib.Path, sys.argv[1:])
with output.open("w", encoding="utf-8") as out:
    out.write('#include "app/commands/templates.h"\n\nnamespace godwit::app {\n\n')
    out.write("std::string_view template_text(std::string_view name) {\n")
    for file in files:
        name = f"{file.parent.name}/{file.name}"
        out.write(f'  if (name == "{name}") return R"template({file.read_text(encoding="utf-8")})template";\n')
    out.write("  return {};\n}\n\n}  // namespace godwit::app\n")
