#!/usr/bin/env python3
# ===- exponentials.py - exp and expm1 of compiled code in ulp --------------=== #
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===------------------------------------------------------------------------=== #
"""exponentials.py ATTN_RUN GRAPH FOLDER

The graph returns exp(x) and expm1(x), whose errors are compared with the bounds
that the documentation states.
"""

import math
import os
import struct
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from npy import read_npy, write_npy  # noqa: E402

COUNT = 1 << 16
BOUNDS = {"exp": 1.1, "expm1": 1.7}


def round_to_f32(x):
    return struct.unpack("<f", struct.pack("<f", x))[0]


def get_ulp(x):
    """The distance of f32 values around x."""
    return 2.0 ** (max(math.frexp(x)[1], -125) - 24) if x else 2.0**-149


def main(attn_run, graph, folder):
    os.makedirs(folder, exist_ok=True)
    ends = [0.0, -1e-30, 1e-10, -87.3, -88.0, -1e4, -math.inf, 88.37, 88.7,
            88.8, 1e4, math.inf, math.nan, math.log(2) / 2]
    steps = COUNT - len(ends)
    values = [round_to_f32(-87.3 + i * (88.37 + 87.3) / (steps // 2))
              for i in range(steps // 2)]
    values += [round_to_f32(-1 + 2 * i / (steps - steps // 2))
               for i in range(steps - steps // 2)]
    values = [round_to_f32(x) for x in ends] + values
    write_npy(f"{folder}/x.npy", "f4", (COUNT,), values)
    outputs = [f"{folder}/{name}.npy" for name in BOUNDS]
    subprocess.run([attn_run, graph, f"--inputs={folder}/x.npy",
                    "--outputs=" + ",".join(outputs)], check=True,
                   stdout=subprocess.DEVNULL)
    failed = 0
    for (name, bound), path in zip(BOUNDS.items(), outputs):
        worst, where = 0.0, None
        function = getattr(math, name)
        for x, got in zip(values, read_npy(path)[1]):
            if math.isnan(x):
                error = 0.0 if math.isnan(got) else math.inf
            elif x > 88.37:  # up to the largest number, which is at 88.72
                exact = function(x) if x < 700 else math.inf
                close = abs(got - exact) <= 1e-5 * exact
                error = 0.0 if (math.isinf(got) if x > 88.73 else close) \
                    else math.inf
            elif x < -87.3:
                limit = 0.0 if name == "exp" else -1.0
                error = 0.0 if abs(got - limit) < 2e-38 else math.inf
            else:
                exact = function(x)
                error = abs(got - exact) / get_ulp(exact)
            if error > worst:
                worst, where = error, x
        print(f"{name}: {worst:.2f} ulp at {where}")
        failed += worst > bound
    return failed


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:4]))
