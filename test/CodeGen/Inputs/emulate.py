#!/usr/bin/env python3
# ===- emulate.py - Graphs on CPUs that are not this one -------------------=== #
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===------------------------------------------------------------------------=== #
"""emulate.py LLVM_BIN ATTN_OPT ATTN_RUN TARGET FOLDER GRAPH...

Compiles mechanisms ahead of time for a CPU, links each with a program in C, runs
it, in an emulator if the CPU is another, and compares with the f64 evaluation.
"""

import array
import math
import os
import re
import subprocess
import sys

here = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [here, os.path.join(here, "..", "..", "Numerics", "Inputs")]
from forms import EXP_HEAVY, Harness  # noqa: E402
from npy import read_npy  # noqa: E402
from targets import TARGETS, assemble, lower  # noqa: E402

TOKENS = 77

PROGRAM = """\
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#define DESCRIPTOR(R) \\
  struct { float *allocated, *data; int64_t offset, sizes[R], strides[R]; }
%(types)s
void _mlir_ciface_graph(%(parameters)s);
static float *read_floats(const char *path, int64_t count) {
  float *data = aligned_alloc(64, (count * 4 + 63) / 64 * 64);
  FILE *file = fopen(path, "rb");
  if (!data || !file || fread(data, 4, count, file) != (size_t)count)
    exit(2);
  fclose(file);
  return data;
}
int main(int argc, char **argv) {
%(arguments)s
  T%(result)d result;
  _mlir_ciface_graph(&result, %(names)s);
  int64_t count = 1;
  for (int i = 0; i < %(result)d; ++i)
    count *= result.sizes[i];
  FILE *file = fopen(argv[argc - 1], "wb");
  fwrite(result.data + result.offset, 4, count, file);
  fclose(file);
  free(result.allocated);
  return 0;
}
"""


def write_program(graph, path):
    """A program that takes files of floats and writes one."""
    shapes = {name: graph.get_shape(name, TOKENS) for name in graph.arguments}
    signature = graph.text[: graph.text.index(" {\n")]
    result = len(re.search(r"-> tensor<(.*)xf32>$", signature)[1].split("x"))
    ranks = sorted({len(shape) for shape in shapes.values()} | {result})
    lines, names = [], []
    for i, shape in enumerate(shapes.values()):
        strides = [math.prod(shape[d + 1 :]) for d in range(len(shape))]
        join = lambda sizes: ", ".join(map(str, sizes))  # noqa: E731
        lines.append(f"  float *p{i} = read_floats(argv[{i + 1}], "
                     f"{math.prod(shape)});")
        lines.append(f"  T{len(shape)} a{i} = {{p{i}, p{i}, 0, "
                     f"{{{join(shape)}}}, {{{join(strides)}}}}};")
        names.append(f"&a{i}")
    parameters = [f"T{result} *"] + [f"T{len(s)} *" for s in shapes.values()]
    with open(path, "w", encoding="utf-8") as file:
        file.write(PROGRAM % {
            "types": "\n".join(f"typedef DESCRIPTOR({r}) T{r};" for r in ranks),
            "parameters": ", ".join(parameters),
            "arguments": "\n".join(lines),
            "names": ", ".join(names),
            "result": result,
        })


def get_error(got, exact):
    difference = sum((x - y) ** 2 for x, y in zip(got, exact))
    return math.sqrt(difference / sum(y * y for y in exact))


def emulate(llvm, attn_opt, attn_run, target, folder, path):
    harness = Harness(attn_run, path, folder)
    graph, name = harness.graph, harness.name
    exact = read_npy(harness.find_exact(graph.text, TOKENS))[1]
    stem = os.path.join(folder, name)
    lowered = lower(attn_opt, target, graph.text.replace("@main", "@graph"),
                    "parallel=false")
    with open(stem + ".s", "w", encoding="utf-8") as file:
        file.write(assemble(llvm, target, lowered))
    write_program(graph, stem + ".c")
    subprocess.run([target.compiler, "-O1", stem + ".c", stem + ".s", "-static",
                    "-o", stem], check=True)
    files = []
    for npy in harness.get_inputs(TOKENS):
        files.append(npy + ".raw")
        with open(files[-1], "wb") as file:
            array.array("f", read_npy(npy)[1]).tofile(file)
    subprocess.run([*target.emulator, stem, *files, stem + ".raw"], check=True)
    got = array.array("f")
    with open(stem + ".raw", "rb") as file:
        got.fromfile(file, len(exact))
    error = get_error(got, exact)
    print(f"{name} on {target.cpu}: {error:.1e}")
    return not error <= (1e-4 if name in EXP_HEAVY else 1e-5)


def main(llvm, attn_opt, attn_run, name, folder, *graphs):
    failed = 0
    for path in graphs:
        failed += emulate(llvm, attn_opt, attn_run, TARGETS[name], folder, path)
    print(f"{len(graphs)} graphs, {failed} failed")
    return bool(failed or not graphs)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
