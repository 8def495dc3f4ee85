#!/usr/bin/env python3
# ===- check_decoder.py - A decoder against the f64 evaluation -------------=== #
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===------------------------------------------------------------------------=== #
"""check_decoder.py PROGRAM OBJECT ATTN_RUN GRAPH FOLDER

Feeds the arguments of one token after the other to a program, and compares what
it writes with the graph's evaluation of the whole. The object has at most 200 kB.
"""

import array
import os
import subprocess
import sys

root = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
sys.path[:0] = [os.path.join(root, "CodeGen", "Inputs"),
                os.path.join(root, "Numerics", "Inputs")]
from forms import Harness, Inputs, cut_array  # noqa: E402
from npy import read_npy  # noqa: E402
from programs import get_error  # noqa: E402

TOKENS = 64
program, obj, attn_run, path, folder = sys.argv[1:]
harness = Harness(attn_run, path, folder)
graph, inputs = harness.graph, Inputs(harness.graph, TOKENS)
fed, expected = array.array("f"), []
shape, exact = read_npy(harness.find_exact(graph.text, TOKENS))[:2]
for token in range(TOKENS):
    part = inputs.cut(graph, token, token + 1)
    for name in graph.arguments:
        fed.extend(part.arrays[name][1])
    expected += cut_array(shape, exact, graph.result_token_dim, token,
                          token + 1)[1]
run = subprocess.run([program], input=fed.tobytes(), capture_output=True,
                     check=True)
got = array.array("f")
got.frombytes(run.stdout)
error, size = get_error(got, expected), os.path.getsize(obj)
print(f"{TOKENS} tokens, relative error {error:.1e}, an object of {size} bytes")
sys.exit(not error <= 1e-5 or size > 200_000)
