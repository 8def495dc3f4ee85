#!/usr/bin/env python3
# ===- stream.py - Memory of long inputs in pieces --------------------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===------------------------------------------------------------------------===#
"""Streams a short and a long input through recurrences; a table.

Fails if the long one takes a quarter more memory. bench/stream.sh builds first.
"""

import argparse
import os
import re
import subprocess
import sys
import time

import machine
from tables import format_table

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
GRAPHS = ["gated_deltanet", "gla"]
TOKENS = [2**14, 2**20]
# The claim: the long run over the short one.
MAX_GROWTH = 1.25


def stream(run, graph, tokens, piece):
    """MiB that the run added at its peak, and seconds."""
    start = time.monotonic()
    done = subprocess.run(
        [
            run,
            os.path.join(ROOT, "examples", "mechanisms", graph + ".mlir"),
            "--random=1",
            f"--dim=n={tokens}",
            f"--stream={piece}",
        ],
        capture_output=True,
        text=True,
    )
    peak = re.search(r"the run added ([0-9.]+) MiB", done.stdout)
    if done.returncode or not peak:
        sys.exit(f"error: {graph}: {done.stderr.strip() or 'no peak measured'}")
    return float(peak.group(1)), time.monotonic() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--run", required=True, help="the program attn-run")
    parser.add_argument("--build", default="release", help="its build, for the report")
    parser.add_argument("--piece", type=int, default=1024, help="tokens a call")
    parser.add_argument("--results", default=os.path.join(ROOT, "bench", "results"))
    args = parser.parse_args()

    facts = machine.describe(ROOT, args.build)
    rows, holds = [], True
    for graph in GRAPHS:
        peaks = []
        for tokens in TOKENS:
            peak, seconds = stream(args.run, graph, tokens, args.piece)
            peaks.append(peak)
            rows.append([graph, tokens, f"{peak:.1f}", f"{seconds:.1f}"])
        holds &= peaks[-1] <= MAX_GROWTH * peaks[0]
    lines = [
        "# Long inputs in pieces",
        "",
        f"{args.piece} tokens a call, the state carried, random input made a piece at a",
        "time. Peak: what the run added to the process. Seconds: with making the input.",
        "Written by bench/stream.sh.",
        "",
        format_table(["", ""], facts),
        "",
        format_table(["graph", "tokens", "peak, MiB", "seconds"], rows),
        "",
        f"The long run takes at most {MAX_GROWTH} times the memory of the short one: "
        + ("holds." if holds else "does NOT hold."),
    ]
    text = "\n".join(lines) + "\n"
    print(text, end="")
    os.makedirs(args.results, exist_ok=True)
    with open(os.path.join(args.results, "streaming.md"), "w", encoding="utf-8") as file:
        file.write(text)
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
