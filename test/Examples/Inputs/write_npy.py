"""write_npy.py FILE int32 VALUE...: a vector as an .npy file, without numpy."""

import struct
import sys

path, dtype, *values = sys.argv[1:]
descr, code = {"int32": ("<i4", "i"), "int64": ("<i8", "q")}[dtype]
header = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': ({len(values)},), }}"
header += " " * (-(10 + len(header) + 1) % 64) + "\n"
with open(path, "wb") as file:
    file.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)))
    file.write(header.encode() + struct.pack(f"<{len(values)}{code}", *map(int, values)))
