#!/usr/bin/env python3
# ===- emulate.py - Graphs on CPUs that are not this one -------------------=== #
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===------------------------------------------------------------------------=== #
"""emulate.py LLVM_BIN ATTN_COMPILE ATTN_RUN TARGET FOLDER GRAPH...

Compiles mechanisms ahead of time for a CPU, whole and as a step of one token,
links each with a program in C, runs it, in an emulator if the CPU is another, and
compares with the f64 evaluation. An object calls nothing but the C library, and
that of a step has at most 200 kB.
"""

import os
import subprocess
import sys

here = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [here, os.path.join(here, "..", "..", "Numerics", "Inputs")]
from ahead import Header, check_object  # noqa: E402
from forms import (EXP_HEAVY, NO_RECURRENCE, Harness, Inputs,  # noqa: E402
                   cut_array)
from npy import read_npy  # noqa: E402
from programs import (TOKENS, get_error, read_floats,  # noqa: E402
                      write_floats)
from targets import TARGETS  # noqa: E402


class Run:
    """A graph compiled for a target, fed `piece` tokens a call."""

    def __init__(self, llvm, attn_compile, target, harness, piece):
        self.llvm, self.attn_compile, self.target = llvm, attn_compile, target
        self.graph, self.piece = harness.graph, piece
        kind = "step" if piece < TOKENS else "whole"
        self.stem = os.path.join(harness.folder, f"{harness.name}_{kind}")

    def compile(self, path):
        options = ["--state"] if self.piece < TOKENS else []
        subprocess.run([self.attn_compile, path, "-o", self.stem + ".o",
                        "--name=graph", f"--target={self.target.name}", *options],
                       check=True)
        return check_object(self.stem + ".o", f"{self.llvm}/llvm-nm",
                            self.target.triple.split("-")[0])

    def call(self):
        """The results of all calls, one after the other."""
        graph, inputs = self.graph, Inputs(self.graph, TOKENS)
        header, sizes, files = Header(self.stem + ".h"), {}, []
        advances = [name for name in graph.arguments
                    if graph.get_token_dim(name) is not None]
        for name in graph.arguments:
            parts = []
            starts = (range(0, TOKENS, self.piece) if name in advances else [0])
            for start in starts:
                part = inputs.cut(graph, start, start + self.piece)
                shape, values = part.arrays[name]
                parts += values
            header.bind(name, shape, sizes)
            files.append(f"{self.stem}.{name}.raw")
            write_floats(files[-1], parts)
        header.write_program(self.stem + ".c", sizes, TOKENS // self.piece,
                             advances)
        subprocess.run([self.target.compiler, "-std=c11", "-O1", "-Wall",
                        "-Wextra", "-Werror", self.stem + ".c", self.stem + ".o",
                        "-static", "-o", self.stem], check=True)
        subprocess.run([*self.target.emulator, self.stem, *files,
                        self.stem + ".out"], check=True)
        return read_floats(self.stem + ".out")


def get_expected(graph, shape, values, piece):
    """The exact results in the order of calls."""
    parts = []
    for start in range(0, TOKENS, piece):
        parts += cut_array(shape, values, graph.result_token_dim, start,
                           start + piece)[1]
    return parts


def emulate(llvm, attn_compile, attn_run, target, folder, path):
    harness = Harness(attn_run, path, folder)
    exact = read_npy(harness.find_exact(harness.graph.text, TOKENS))
    bound = 1e-4 if harness.name in EXP_HEAVY else 1e-5
    failed = False
    for piece in (TOKENS,) if harness.name in NO_RECURRENCE else (TOKENS, 1):
        run = Run(llvm, attn_compile, target, harness, piece)
        size = run.compile(path)
        error = get_error(run.call(), get_expected(harness.graph, *exact, piece))
        print(f"{harness.name}, {piece} tokens a call, on {target.cpu}: "
              f"{error:.1e}, {size} bytes")
        failed |= not error <= bound or (piece == 1 and size > 200_000)
    return failed


def main(llvm, attn_compile, attn_run, name, folder, *graphs):
    failed = 0
    for path in graphs:
        failed += emulate(llvm, attn_compile, attn_run, TARGETS[name], folder,
                          path)
    print(f"{len(graphs)} graphs, {failed} failed")
    return bool(failed or not graphs)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
