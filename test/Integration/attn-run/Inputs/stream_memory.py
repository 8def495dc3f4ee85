#!/usr/bin/env python3
# ===- stream_memory.py - Memory of streamed files --------------------------=== #
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===------------------------------------------------------------------------=== #
"""stream_memory.py ATTN_RUN GRAPH FOLDER

Streams files of 8192 tokens and of 8 times as many through a graph of two
arguments and a result, each <?x64xf32>: written, then compared with what was
written. The long run may add 4 MiB to what the short one adds, and less than
half of its input in all.
"""

import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "..", "Numerics", "Inputs"))
from npy import write_npy  # noqa: E402

WIDTH, TOKENS, PIECE, SLACK = 64, 8192, 512, 4.0


def run(attn_run, graph, options):
    text = subprocess.run([attn_run, graph, f"--stream={PIECE}", *options],
                          check=True, capture_output=True, text=True).stdout
    return float(re.search(r"the run added ([\d.]+) MiB", text)[1])


def main():
    attn_run, graph, folder = sys.argv[1:]
    os.makedirs(folder, exist_ok=True)
    peaks = {}
    for tokens in (TOKENS, 8 * TOKENS):
        x, y = (os.path.join(folder, name) for name in ("x.npy", "y.npy"))
        block = [0.01 * (i % 21) - 0.1 for i in range(PIECE * WIDTH)]
        write_npy(x, "f4", (tokens, WIDTH), block * (tokens // PIECE))
        peaks["written", tokens] = run(attn_run, graph,
                                       [f"--inputs={x},{x}", f"--outputs={y}"])
        assert os.path.getsize(y) == os.path.getsize(x)
        peaks["compared", tokens] = run(attn_run, graph,
                                        [f"--inputs={x},{x}", f"--check={y}"])
        os.remove(x)
        os.remove(y)
    half = 8 * TOKENS * WIDTH * 4 / 2**20 / 2
    status = 0
    for what in ("written", "compared"):
        short, long = peaks[what, TOKENS], peaks[what, 8 * TOKENS]
        fits = long <= short + SLACK and long < half
        print(f"{what}: {short} MiB, {long} MiB", "agree" if fits else "differ")
        status |= not fits
    return status


sys.exit(main())
