#!/usr/bin/env python3
# ===- edges.py - Which rows are zero, NaN or infinite ---------------------=== #
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===------------------------------------------------------------------------=== #
"""Inputs with single unusual values, and what rows of a result hold.

  edges.py write FILE TOKENSxFEATURES SCALE [TOKEN=VALUE]   normal numbers times
                              SCALE, f4, with a VALUE (nan, inf, ..) in a token
  edges.py rows FILE          runs of rows that are zero, finite, inf or nan
  edges.py favor Q K V W O TOLERANCE   compares O with favor attention that is
                              computed from logarithms, where f64 underflows
"""

import ast
import math
import random
import struct
import sys


def write(path, shape_text, scale, *changes):
    tokens, features = map(int, shape_text.split("x"))
    generator = random.Random(path.rsplit("/", 1)[-1])
    values = [float(scale) * generator.gauss(0, 1) for _ in range(tokens * features)]
    for change in changes:
        token, value = change.split("=")
        values[int(token) * features + 1] = float(value)
    header = str({"descr": "<f4", "fortran_order": False,
                  "shape": (tokens, features)})
    header = header.ljust(-(-(len(header) + 11) // 64) * 64 - 11) + "\n"
    with open(path, "wb") as file:
        file.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)))
        file.write(header.encode())
        file.write(struct.pack(f"<{len(values)}f", *values))


def classify(row):
    if any(math.isnan(value) for value in row):
        return "nan"
    if any(math.isinf(value) for value in row):
        return "inf"
    return "finite" if any(row) else "zero"


def read(path):
    with open(path, "rb") as file:
        data = file.read()
    size = struct.unpack("<H", data[8:10])[0]
    shape = ast.literal_eval(data[10 : 10 + size].decode())["shape"]
    width = shape[-1]
    values = struct.unpack(f"<{math.prod(shape)}f", data[10 + size :])
    return [values[i : i + width] for i in range(0, len(values), width)]


def rows(path):
    runs = []
    for row in read(path):
        kind = classify(row)
        if runs and runs[-1][0] == kind:
            runs[-1][1] += 1
        else:
            runs.append([kind, 1])
    print(", ".join(f"{count} {kind}" for kind, count in runs))


def dot(x, y):
    return sum(a * b for a, b in zip(x, y))


def favor(q_path, k_path, v_path, w_path, o_path, tolerance):
    w, v = read(w_path), read(v_path)

    def log_features(path):
        return [[dot(row, x) - dot(x, x) / 2 for row in w] for x in read(path)]

    keys, queries = log_features(k_path), log_features(q_path)
    shift = max(map(max, keys))
    keys = [[math.exp(psi - shift) for psi in key] for key in keys]
    error = norm = 0.0
    for query, got in zip(queries, read(o_path)):
        features = [math.exp(psi - max(query)) for psi in query]
        weights = [dot(features, key) for key in keys]
        for j, value in enumerate(got):
            wanted = dot(weights, [row[j] for row in v]) / sum(weights)
            error += (value - wanted) ** 2
            norm += wanted**2
    error = math.sqrt(error / norm)
    print(f"rel_err={error:.1e}")
    # NaN passes nothing.
    sys.exit(0 if error <= float(tolerance) else 1)


{"write": write, "rows": rows, "favor": favor}[sys.argv[1]](*sys.argv[2:])
