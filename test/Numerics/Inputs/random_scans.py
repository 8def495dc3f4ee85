#!/usr/bin/env python3
# ===- random_scans.py - Random regions against their recurrences -----------=== #
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===------------------------------------------------------------------------=== #
"""Random regions of attn.scan against the recurrences that are found for them.

  random_scans.py --opt=ATTN_OPT --run=ATTN_RUN --seed=S --count=N --dir=DIR

A region is a random program of sums, products, reads and outer products on the
state and on inputs. attn-analyze-scans either refuses it, with an error that has
a reason, or what it makes of it has the same output and final state, both
evaluated by the reference. Keys and values have the same size, so that one
taken for the other is not noticed by a type.
"""

import argparse
import os
import random
import subprocess
import sys

MATRIX, VECTOR, NUMBER = "tensor<4x4xf32>", "tensor<4xf32>", "tensor<f32>"
# Name, axes, type for all tokens, type for one.
INPUTS = [
    ("q", "hnd", "tensor<2x5x4xf32>", VECTOR),
    ("k", "hnd", "tensor<2x5x4xf32>", VECTOR),
    ("v", "hnv", "tensor<2x5x4xf32>", VECTOR),
    ("w", "nhd", "tensor<5x2x4xf32>", VECTOR),
    ("z", "hv", "tensor<2x4xf32>", VECTOR),
    ("g", "hn", "tensor<2x5xf32>", NUMBER),
    ("b", "n", "tensor<5xf32>", NUMBER),
    ("a", "hndv", "tensor<2x5x4x4xf32>", MATRIX),
]
STATE, OUTPUT = "tensor<2x4x4xf32>", "tensor<2x5x4xf32>"


class Region:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.lines = []
        self.vectors = ["qt", "kt", "vt", "wt", "zt"]
        self.numbers = ["gt", "bt"]
        self.factors = {
            MATRIX: [self.decay("at", MATRIX)],
            VECTOR: [self.decay("wt", VECTOR), self.decay("kt", VECTOR)],
            NUMBER: [self.decay("gt", NUMBER), self.decay("bt", NUMBER)],
        }
        self.states, self.reads, self.outer = ["s"], [], []

    def emit(self, text):
        name = f"t{len(self.lines)}"
        self.lines.append(f"    %{name} = {text}")
        return name

    def decay(self, x, kind):
        """exp(-|x|)"""
        x = self.emit(f"math.absf %{x} : {kind}")
        x = self.emit(f"arith.negf %{x} : {kind}")
        return self.emit(f"math.exp %{x} : {kind}")

    def product(self, op, a, b, axes, kinds):
        return self.emit(
            f'attn.{op} %{a}, %{b} subscripts "{axes}" : '
            f"{kinds[0]}, {kinds[1]} -> {kinds[2]}"
        )

    def pick(self, *lists):
        return self.random.choice([x for values in lists for x in values])

    def sum(self, a, b, kind):
        op = self.random.choice(["addf", "addf", "subf"])
        return self.emit(f"arith.{op} %{a}, %{b} : {kind}")

    def step(self):
        state = self.pick(self.states)
        kind = self.random.randrange(12)
        if kind == 0:
            x = self.pick(self.factors[NUMBER])
            self.states.append(
                self.product("gate", state, x, "ij,->ij", (MATRIX, NUMBER, MATRIX))
            )
        elif kind == 1:
            axes = "i,ij->ij" if self.random.random() < 0.8 else "j,ij->ij"
            x = self.pick(self.factors[VECTOR])
            self.states.append(
                self.product("gate", x, state, axes, (VECTOR, MATRIX, MATRIX))
            )
        elif kind == 2 and self.random.random() < 0.3:
            x = self.pick(self.factors[MATRIX])
            self.states.append(self.emit(f"arith.mulf %{state}, %{x} : {MATRIX}"))
        elif kind == 3:
            kinds = (VECTOR, MATRIX, VECTOR)
            x = self.pick(self.vectors)
            self.reads.append(self.product("contract", x, state, "a,ab->b", kinds))
        elif kind == 4:
            a, b = self.pick(self.vectors), self.pick(self.vectors)
            kinds = (VECTOR, VECTOR, MATRIX)
            self.outer.append(self.product("gate", a, b, "x,y->xy", kinds))
        elif kind == 5 and self.reads:
            a, b = self.pick(self.reads), self.pick(self.vectors)
            kinds = (VECTOR, VECTOR, MATRIX)
            self.outer.append(self.product("gate", a, b, "y,x->xy", kinds))
        elif kind in (6, 7) and self.outer:
            self.states.append(self.sum(state, self.pick(self.outer), MATRIX))
        elif kind == 8 and self.reads:
            b = self.pick(self.reads, self.vectors)
            self.reads.append(self.sum(self.pick(self.reads), b, VECTOR))
        elif kind == 9 and self.reads:
            a, b = self.pick(self.reads), self.pick(self.numbers)
            kinds = (VECTOR, NUMBER, VECTOR)
            self.reads.append(self.product("gate", a, b, "v,->v", kinds))
        elif kind == 10 and self.outer:
            a, b = self.pick(self.outer), self.pick(self.numbers)
            kinds = (MATRIX, NUMBER, MATRIX)
            self.outer.append(self.product("gate", a, b, "dv,->dv", kinds))
        elif kind == 11:
            a, b = self.pick(self.vectors), self.pick(self.vectors)
            self.vectors.append(self.sum(a, b, VECTOR))
            kinds = (VECTOR, VECTOR, NUMBER)
            self.numbers.append(self.product("contract", a, b, "d,d->", kinds))

    def text(self):
        for _ in range(self.random.randint(6, 30)):
            self.step()
        # The region ends with a write and a read.
        pair = self.product(
            "gate",
            self.pick(self.vectors),
            self.pick(self.vectors),
            "x,y->xy",
            (VECTOR, VECTOR, MATRIX),
        )
        state = self.emit(f"arith.addf %{self.states[-1]}, %{pair} : {MATRIX}")
        output = self.product(
            "contract",
            self.pick(self.vectors),
            self.pick(self.states, [state] * 3),
            "d,dv->v",
            (VECTOR, MATRIX, VECTOR),
        )
        if self.reads and self.random.random() < 0.3:
            output = self.sum(output, self.pick(self.reads), VECTOR)
        arguments = ", ".join(f"%{name}: {kind}" for name, _, kind, _ in INPUTS)
        inputs = ", ".join(f'%{name} "{axes}"' for name, axes, _, _ in INPUTS)
        block = ", ".join(f"%{name}t: {kind}" for name, _, _, kind in INPUTS)
        kinds = ", ".join(kind for _, _, kind, _ in INPUTS)
        body = "\n".join(self.lines)
        return f"""
func.func @main({arguments}, %s0: {STATE}) -> ({OUTPUT}, {STATE}) {{
  %o:2 = attn.scan inputs({inputs}) state(%s0) over "hdv" {{
  ^bb0(%s: {MATRIX}, {block}):
{body}
    attn.yield %{state}, %{output} : {MATRIX}, {VECTOR}
  }} -> "hnv", state : ({kinds}, {STATE}) -> ({OUTPUT}, {STATE})
  return %o#0, %o#1 : {OUTPUT}, {STATE}
}}
"""


def call(*command):
    return subprocess.run(command, capture_output=True, text=True)


def main():
    parser = argparse.ArgumentParser()
    for name in ("opt", "run", "dir"):
        parser.add_argument("--" + name, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--count", type=int, required=True)
    options = parser.parse_args()
    os.makedirs(options.dir, exist_ok=True)

    def path(name):
        return os.path.join(options.dir, name)

    accepted = failed = 0
    for seed in range(options.seed, options.seed + options.count):
        with open(path("scan.mlir"), "w") as file:
            file.write(Region(seed).text())
        made = call(
            options.opt, path("scan.mlir"), "--attn-analyze-scans",
            "-o", path("recurrence.mlir"),
        )
        if made.returncode:
            refused = "this scan has no form as a recurrence" in made.stderr
            if made.returncode < 0 or not refused:
                failed += 1
                print(f"seed {seed}: {made.stderr}")
            continue
        accepted += 1
        arguments = ["--random=3", "--target=reference"]
        results = path("o.npy") + "," + path("s.npy")
        for step in (
            [path("scan.mlir"), "--outputs=" + results],
            [path("recurrence.mlir"), "--check=" + results, "--tol=1e-6"],
        ):
            ran = call(options.run, *step, *arguments)
            if ran.returncode:
                failed += 1
                print(f"seed {seed}: {ran.stdout}{ran.stderr}")
                break
    print(f"{accepted} of {options.count} accepted, {failed} failed")
    sys.exit(failed != 0 or accepted == 0)


main()
