#!/usr/bin/env python3
# ===- check_memory.py - A bound on what a run adds to its arrays ----------=== #
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===------------------------------------------------------------------------=== #
"""Checks what attn-run --explain measured.

  check_memory.py FILE FACTOR MIB   inputs and what the run added are at most
                                    FACTOR (inputs + outputs) + MIB
"""

import re
import sys

path, factor, base = sys.argv[1:]
with open(path, encoding="utf-8") as file:
    line = re.search(
        r"measured peak memory: inputs ([\d.]+) MiB, outputs ([\d.]+) MiB, "
        r"the run added ([\d.]+) MiB", file.read())
if not line:
    sys.exit("no measured peak memory")
inputs, outputs, added = map(float, line.groups())
bound = float(factor) * (inputs + outputs) + float(base)
print(f"{inputs + added:.1f} MiB of at most {bound:.1f} MiB")
sys.exit(0 if inputs + added <= bound else 1)
