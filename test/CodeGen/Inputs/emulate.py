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

import os
import subprocess
import sys

here = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [here, os.path.join(here, "..", "..", "Numerics", "Inputs")]
from forms import EXP_HEAVY, Harness  # noqa: E402
from npy import read_npy  # noqa: E402
from programs import (TOKENS, describe_call, get_error,  # noqa: E402
                      read_floats, write_floats)
from targets import TARGETS, assemble, lower  # noqa: E402

PROGRAM = """\
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
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


def emulate(llvm, attn_opt, attn_run, target, folder, path):
    harness = Harness(attn_run, path, folder)
    graph, name = harness.graph, harness.name
    exact = read_npy(harness.find_exact(graph.text, TOKENS))[1]
    stem = os.path.join(folder, name)
    lowered = lower(attn_opt, target, graph.text.replace("@main", "@graph"),
                    "parallel=false")
    with open(stem + ".s", "w", encoding="utf-8") as file:
        file.write(assemble(llvm, target, lowered))
    with open(stem + ".c", "w", encoding="utf-8") as file:
        file.write(PROGRAM % describe_call(graph))
    subprocess.run([target.compiler, "-O1", stem + ".c", stem + ".s", "-static",
                    "-o", stem], check=True)
    files = []
    for npy in harness.get_inputs(TOKENS):
        files.append(npy + ".raw")
        write_floats(files[-1], read_npy(npy)[1])
    subprocess.run([*target.emulator, stem, *files, stem + ".raw"], check=True)
    error = get_error(read_floats(stem + ".raw"), exact)
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
