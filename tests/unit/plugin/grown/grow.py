#!/usr/bin/env python3
"""grow.py HEADER OUTPUT: <godwit/plugin.h> as a later minor version might have it. Every structure that may grow has
members more at its end."""

import re
import sys

header, output = sys.argv[1:]
text = open(header, encoding="utf-8").read()
fixed = {"gw_text", "gw_bytes", "gw_header", "gw_value", "gw_log_field"}


def grow(match):
    if match[1] in fixed:
        return match[0]
    return f"  uint64_t grown_members[4];\n  void (*grown_function)(void);\n}} {match[1]};"


text, grown = re.subn(r"^\} (gw_\w+);", grow, text, flags=re.M)
text, host = re.subn(r"(struct gw_host \{.*?)^\};", r"\1  uint64_t grown_members[4];\n};", text, count=1, flags=re.M | re.S)
text, minor = re.subn(r"(#define GW_ABI_MINOR) \d+", r"\1 7\n#define GW_GROWN 1", text)
assert grown > 15 and host == 1 and minor == 1, (grown, host, minor)
open(output, "w", encoding="utf-8").write(text)
