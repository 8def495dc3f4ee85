# ===- tables.py - Numbers and tables as text -------------------------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===------------------------------------------------------------------------===#
"""What a terminal and a report show of numbers."""

import sys


def say(*words, **options):
    print(*words, **options)
    sys.stdout.flush()


def format_seconds(seconds):
    for unit, scale in (("s", 1), ("ms", 1e3), ("us", 1e6), ("ns", 1e9)):
        if seconds * scale >= 0.9995 or unit == "ns":
            return f"{seconds * scale:.3g} {unit}"
    return ""


def format_tokens(tokens):
    tokens = round(tokens)
    for unit, scale in (("M", 2**20), ("k", 2**10)):
        if tokens >= scale and tokens % scale == 0:
            return f"{tokens // scale}{unit}"
    return str(tokens)


def format_ratio(ratio):
    return f"{ratio:.2f}" if ratio < 10 else f"{ratio:.1f}"


def format_table(header, rows):
    """Markdown that is also easy to read as it stands."""
    cells = [header] + [[str(cell) for cell in row] for row in rows]
    widths = [max(len(row[i]) for row in cells) for i in range(len(header))]

    def line(row):
        return "| " + " | ".join(c.ljust(w) for c, w in zip(row, widths)) + " |"

    rule = "|" + "|".join("-" * (w + 2) for w in widths) + "|"
    return "\n".join([line(cells[0]), rule] + [line(row) for row in cells[1:]])
