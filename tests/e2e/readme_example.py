#!/usr/bin/env python3
"""Makes a whole program of the C++ lines that the README shows, so that they are compiled and run as they stand there.

readme_example.py README.md PROGRAM.cpp: the program takes the server's address as its argument, in place of the README's.
"""

import pathlib
import re
import sys

blocks = re.findall(r"```cpp\n(.*?)```", pathlib.Path(sys.argv[1]).read_text(), re.S)
lines = next(block for block in blocks if "godwit::Client" in block)
assert lines.count('"127.0.0.1:8453"') == 1, "the README's example names its server once"
assert len(lines.splitlines()) <= 5, "the README promises five lines"
pathlib.Path(sys.argv[2]).write_text(
    "#include <godwit/client.hpp>\n#include <iostream>\n\nint main(int, char** argv) {\n"
    + lines.replace('"127.0.0.1:8453"', "argv[1]") + "}\n")
