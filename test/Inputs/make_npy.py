#!/usr/bin/env python3
# ===- make_npy.py - Small .npy files for tests ----------------------------=== #
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===------------------------------------------------------------------------=== #
"""Writes or prints an .npy file with the standard library alone.

  make_npy.py FILE DTYPE SHAPE [VALUES]   DTYPE f2 f4 f8 i4 i8 b1, SHAPE 2x3, ()
                                          for a scalar; VALUES are repeated, by
                                          default 0.1 i - 1
  make_npy.py --truncate FILE BYTES       cuts a file short
  make_npy.py --print FILE                dtype, shape and values
"""

import ast
import math
import struct
import sys

CODES = {"f2": "e", "f4": "f", "f8": "d", "i4": "i", "i8": "q", "b1": "?"}


def write(path, dtype, shape_text, values_text=None):
    shape = () if shape_text == "()" else tuple(map(int, shape_text.split("x")))
    count = math.prod(shape)
    if values_text is None:
        values = [0.1 * (i % 21) - 1 for i in range(count)]
    else:
        given = [float(text) for text in values_text.split(",")]
        values = [given[i % len(given)] for i in range(count)]
    if dtype[0] in "ib":
        values = [int(value) for value in values]
    order = "|" if dtype == "b1" else "<"
    header = str({"descr": order + dtype, "fortran_order": False, "shape": shape})
    header = header.ljust(-(-(len(header) + 11) // 64) * 64 - 11) + "\n"
    with open(path, "wb") as file:
        file.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)))
        file.write(header.encode())
        file.write(struct.pack(f"<{count}{CODES[dtype]}", *values))


def show(path):
    with open(path, "rb") as file:
        data = file.read()
    assert data[:6] == b"\x93NUMPY", "not an .npy file"
    if data[6] == 1:
        size, start = struct.unpack("<H", data[8:10])[0], 10
    else:
        size, start = struct.unpack("<I", data[8:12])[0], 12
    header = ast.literal_eval(data[start : start + size].decode())
    dtype, count = header["descr"][1:], math.prod(header["shape"])
    body = data[start + size :]
    values = struct.unpack(f"<{count}{CODES[dtype]}", body)
    print(dtype, "x".join(map(str, header["shape"])) or "()", end=":")
    print("".join(f" {value:g}" for value in values))


if sys.argv[1] == "--truncate":
    with open(sys.argv[2], "r+b") as file:
        file.truncate(int(sys.argv[3]))
elif sys.argv[1] == "--print":
    show(sys.argv[2])
else:
    write(*sys.argv[1:])
