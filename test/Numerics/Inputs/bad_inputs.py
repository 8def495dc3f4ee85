#!/usr/bin/env python3
# ===- bad_inputs.py - One element that a graph does not take --------------=== #
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===------------------------------------------------------------------------=== #
"""bad_inputs.py ATTN_RUN GRAPH FOLDER ARGUMENT VALUE [OPTION...]

Runs a graph of examples/mechanisms on 10 tokens, with VALUE for one element of
the argument.
"""

import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from forms import Inputs  # noqa: E402
from forms_text import Graph  # noqa: E402

attn_run, path, folder, argument, value, *options = sys.argv[1:]
os.makedirs(folder, exist_ok=True)
inputs = Inputs(Graph(path), 10)
shape, values = inputs.arrays[argument]
values[5] = float(value)
paths = inputs.write(os.path.join(folder, "bad"))
command = [attn_run, path, "--inputs=" + ",".join(paths), *options]
sys.exit(subprocess.run(command, check=False).returncode)
