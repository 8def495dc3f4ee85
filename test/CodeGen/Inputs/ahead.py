# ===- ahead.py - Objects of attn-compile and programs that call them ------=== #
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===------------------------------------------------------------------------=== #
"""What the header of an object says, and a program in C that reads its arrays
from files and calls it for one token after the other, or for all at once."""

import dataclasses
import math
import re
import struct
import subprocess

# What an object without threads may call.
LIBC = {"malloc", "free", "memcpy", "memmove", "memset"}
ELF_MACHINES = {"x86_64": 62, "aarch64": 183}

PROGRAM = """\
#include "%(header)s"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* Arrays need the alignment of an element, and get no more. */
static void *allocate(size_t bytes) {
  char *memory = aligned_alloc(64, (bytes + 64 + 63) / 64 * 64);
  if (!memory)
    exit(2);
  return memory + 8;
}
static void *read_all(const char *path, size_t bytes) {
  void *data = allocate(bytes);
  FILE *file = fopen(path, "rb");
  if (!file || fread(data, 1, bytes, file) != bytes)
    exit(3);
  fclose(file);
  return data;
}
int main(int argc, char **argv) {
%(declarations)s
  FILE *file = fopen(argv[argc - 1], "wb");
  if (!file)
    return 4;
  for (int64_t step = 0; step < %(steps)d; ++step) {
    int32_t wrong = %(name)s(%(call)s);
    if (wrong)
      return 100 + wrong;
%(writes)s
  }
  return fclose(file) ? 5 : 0;
}
"""


@dataclasses.dataclass
class Value:
    name: str
    type: str
    shape: tuple  # numbers and names of sizes
    access: str
    contents: str


class Header:
    def __init__(self, path):
        self.path = path
        with open(path, encoding="utf-8") as file:
            self.text = file.read()
        self.sizes = re.findall(r"^ \*   (\w+): a size, 0 or more$", self.text,
                                re.M)
        pattern = (r"^ \*   (\w+): (\w+)((?: one element| [\[\]\w]+)?)"
                   r"(?:, the bits of [\w ]+|, 0 or 1)?, "
                   r"(read|written|updated in place|by value)(.*)$")
        self.values = [
            Value(name, kind, tuple(re.findall(r"\[(\w+)\]", shape)), access, rest)
            for name, kind, shape, access, rest in re.findall(pattern, self.text,
                                                              re.M)]
        self.name = re.search(r"^int32_t (\w+)\(", self.text, re.M)[1]

    def bind(self, name, shape, sizes):
        """Notes what sizes an array gives to the names in its shape."""
        value = next(v for v in self.values if v.name == name)
        for text, size in zip(value.shape, shape, strict=True):
            if text.isdigit():
                assert int(text) == size, (self.path, name, shape)
            else:
                assert sizes.setdefault(text, size) == size, (self.path, name)

    def write_program(self, path, sizes, steps, advances):
        """A program whose arguments are the files of what is read, in order, and
        of what is written. `advances` has the arrays that have a part for each
        step."""
        declarations = [f"  int64_t {name} = {sizes[name]};" for name in self.sizes]
        call, writes, number = list(self.sizes), [], 0
        for value in self.values:
            count = math.prod(int(sizes.get(s, s)) for s in value.shape)
            size = f"sizeof(*{value.name})"
            if value.access == "read":
                number += 1
                parts = steps if value.name in advances else 1
                declarations.append(
                    f"  {value.type} *{value.name} = "
                    f"read_all(argv[{number}], {count * parts} * {size});")
                call.append(f"{value.name} + step * {count}"
                            if value.name in advances else value.name)
                continue
            declarations.append(f"  {value.type} *{value.name} = "
                                f"allocate({count} * {size});")
            call.append(value.name)
            if value.access == "written":
                writes.append(f"    fwrite({value.name}, {size}, {count}, file);")
            else:
                first = "-INFINITY" if "-INFINITY" in value.contents else "0"
                declarations.append(f"  for (int64_t i = 0; i < {count}; ++i)\n"
                                    f"    {value.name}[i] = {first};")
        with open(path, "w", encoding="utf-8") as file:
            file.write(PROGRAM % {
                "header": self.path, "name": self.name, "steps": steps,
                "declarations": "\n".join(declarations),
                "call": ", ".join(call), "writes": "\n".join(writes)})


def check_object(path, nm, machine):
    """Its bytes; fails if it is of another machine or calls more than the C
    library."""
    with open(path, "rb") as file:
        data = file.read()
    assert data[:4] == b"\x7fELF"
    assert struct.unpack_from("<H", data, 18)[0] == ELF_MACHINES[machine], path
    listed = subprocess.run([nm, "--undefined-only", "--just-symbol-name", path],
                            capture_output=True, text=True, check=True).stdout
    unknown = set(listed.split()) - LIBC
    assert not unknown, f"{path} calls {unknown}"
    listed = subprocess.run([nm, "--extern-only", "--defined-only",
                             "--just-symbol-name", path],
                            capture_output=True, text=True, check=True).stdout
    assert len(listed.split()) == 1, f"{path} exports {listed}"
    return len(data)
