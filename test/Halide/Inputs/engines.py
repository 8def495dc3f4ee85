#!/usr/bin/env python3
# ===- engines.py - Random recurrences, one engine against another ----------=== #
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===------------------------------------------------------------------------=== #
"""engines.py ATTN_RUN FOLDER FIRST COUNT

attn.recurrence with random clauses and shapes, odd sizes, K != V, lengths that are
no multiple of a chunk: the CPU engine in chunks, or in steps where there are none,
against Halide's steps. Results of both are also compared with the f64 evaluation.
"""

import math
import os
import random
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "Numerics", "Inputs"))
from forms import draw, normalize_rows  # noqa: E402
from npy import write_npy  # noqa: E402


class Case:
    def __init__(self, seed):
        self.random = choose = random.Random(seed)
        self.seed = seed
        self.sizes = {"b": choose.randint(1, 2), "h": choose.choice([1, 3, 4]),
                      "r": choose.choice([1, 1, 2, 3]),
                      "n": choose.choice([1, 5, 31, 33, 65, 77, 100]),
                      "d": choose.choice([1, 3, 7, 8, 12, 16, 20, 33]),
                      "v": choose.choice([1, 2, 5, 8, 13, 24, 40])}
        self.element = choose.choice(["f32", "f32", "f32", "f64", "bf16", "f16"])
        self.wide = "f64" if self.element == "f64" else "f32"
        self.operands = []  # name, axes, kind
        self.write()

    def add(self, name, axes, kind="normal", wide=False):
        self.operands.append((name, axes, kind, self.wide if wide else self.element))
        return f'%{name} "{axes}"'

    def type(self, axes, element):
        sizes = ["?" if axis == "n" else str(self.sizes[axis]) for axis in axes]
        return f"tensor<{'x'.join(sizes + [element])}>"

    def write(self):
        choose = self.random.choice
        transition = choose(["none", "scalar", "constant", "diagonal", "elements",
                             "dense"])
        erases = choose([False, True])
        gated = not erases and transition != "dense" and choose([False, True])
        read = choose(["current", "previous", "decayed"])
        bonus = read == "previous" and not erases and choose([False, True])
        self.chunks = transition not in ("elements", "dense") and not gated
        clauses = {
            "none": lambda: "#attn.no_decay",
            "scalar": lambda: f"#attn.scalar_decay by({self.add('g', 'bhn', 'decay')})",
            "constant": lambda: f"#attn.scalar_decay by({self.add('g', 'h', 'decay')})",
            "diagonal": lambda: "#attn.diagonal_decay by("
                                f"{self.add('g', 'bhnd', 'decay')})",
            "elements": lambda: "#attn.elementwise_decay by("
                                f"{self.add('g', 'bnhdv', 'decay')})",
            "dense": lambda: "#attn.dense_transition by("
                             f"{self.add('g', 'bhned', 'matrix')})",
        }[transition]()
        self.sizes["e"] = self.sizes["d"]
        query = "bhrnd" if self.sizes["r"] > 1 else "bhnd"
        clauses += f" read({self.add('q', query)} {read})"
        if not erases or choose([False, True]):
            clauses += f" write({self.add('k', 'bnhd')}, {self.add('x', 'bhnv')})"
        if bonus:
            clauses += f" bonus({self.add('u', 'hd')})"
        if gated:
            clauses += f" log_gate({self.add('i', 'bhn')})"
        if erases:
            kind = choose(["previous", "decayed"])
            clauses += (f" erase({self.add('p', 'bhnd', 'small')}, "
                        f"{self.add('e', 'bhnd', 'unit')}, {self.add('z', 'bhnv')} "
                        f"{kind})")
        hasState = choose([False, True])
        if hasState:
            clauses += f" state({self.add('s', 'bhdv', wide=True)})"
            if gated:
                clauses += f" max({self.add('m', 'bh', wide=True)})"
        output = query.replace("d", "v")
        results, types = [f'"{output}"'], [self.type(output, self.wide)]
        if gated:
            results.append('log_scale "bhn"' if "r" not in query
                           else 'log_scale "bhrn"')
            types.append(self.type("bhn" if "r" not in query else "bhrn", self.wide))
        if hasState:
            results.append('state "bhdv"')
            types.append(self.type("bhdv", self.wide))
            if gated:
                results.append('max "bh"')
                types.append(self.type("bh", self.wide))
        arguments = ", ".join(f"%{name}: {self.type(axes, element)}"
                              for name, axes, _, element in self.operands)
        operands = ", ".join(self.type(axes, element)
                             for _, axes, _, element in self.operands)
        returned = types[0] if len(types) == 1 else f"({', '.join(types)})"
        names = ", ".join(f"%o#{i}" for i in range(len(types)))
        self.count = len(types)
        self.text = (f"func.func @main({arguments}) -> {returned} {{\n"
                     f"  %o:{len(types)} = attn.recurrence {clauses} -> "
                     f"{', '.join(results)} : ({operands}) -> {returned}\n"
                     f"  return {names} : {', '.join(types)}\n}}\n")

    def make_inputs(self, prefix):
        paths = []
        for name, axes, kind, element in self.operands:
            shape = tuple(self.sizes[axis] for axis in axes)
            scale = {"small": 0.3, "matrix": 0.5 / self.sizes["d"]}.get(kind, 1.0)
            drawn = "decay" if kind == "decay" else "normal"
            values = [scale * draw(drawn, self.random, False)
                      for _ in range(math.prod(shape))]
            if kind == "unit":
                normalize_rows(values, shape[-1])
            paths.append(f"{prefix}.{name}.npy")
            write_npy(paths[-1], "f8" if element == "f64" else "f4", shape, values)
        return paths


def main():
    attn_run, folder, first, count = sys.argv[1:]
    os.makedirs(folder, exist_ok=True)
    failed = 0
    for seed in range(int(first), int(first) + int(count)):
        case = Case(seed)
        prefix = os.path.join(folder, str(seed))
        with open(prefix + ".mlir", "w", encoding="utf-8") as file:
            file.write(case.text)
        paths = case.make_inputs(prefix)
        cpu = ",".join(f"{prefix}.cpu{i}.npy" for i in range(case.count))
        limit = 1e-10 if case.element == "f64" else 1e-5
        command = [attn_run, prefix + ".mlir", "--inputs=" + ",".join(paths),
                   f"--tol={limit}"]
        form = ["--form=chunkwise", "--chunk=16"] if case.chunks else []
        runs = [command + form + ["--verify", "--outputs=" + cpu],
                command + ["--verify", "--target=halide", "--check=" + cpu]]
        for run in runs:
            done = subprocess.run(run, capture_output=True, text=True, check=False)
            if done.returncode != 0 or "rel_err=" not in done.stdout:
                failed += 1
                print(f"case {seed} failed with status {done.returncode}:",
                      " ".join(run), case.text, done.stdout, done.stderr[:2000],
                      sep="\n")
                break
    print(f"{count} recurrences, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
