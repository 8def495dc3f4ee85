# ===- npy.py - .npy files without numpy -----------------------------------=== #
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===------------------------------------------------------------------------=== #
"""Arrays as (shape, flat list of values) in .npy files."""

import ast
import math
import struct

CODES = {"f4": "f", "f8": "d", "i4": "i", "i8": "q"}


def write_npy(path, dtype, shape, values):
    header = str({"descr": "<" + dtype, "fortran_order": False,
                  "shape": tuple(shape)})
    header = header.ljust(-(-(len(header) + 11) // 64) * 64 - 11) + "\n"
    with open(path, "wb") as file:
        file.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)))
        file.write(header.encode())
        file.write(struct.pack(f"<{len(values)}{CODES[dtype]}", *values))


def read_npy(path):
    with open(path, "rb") as file:
        data = file.read()
    size = struct.unpack("<H", data[8:10])[0]
    header = ast.literal_eval(data[10 : 10 + size].decode())
    shape = header["shape"]
    code = CODES[header["descr"][1:]]
    values = struct.unpack(f"<{math.prod(shape)}{code}", data[10 + size :])
    return shape, list(values)
