#!/usr/bin/env python3
# ===- differential.py - Random graphs against the f64 evaluation ----------=== #
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===------------------------------------------------------------------------=== #
"""Runs random graphs of attention through attn-run --verify.

  differential.py ATTN_RUN FOLDER FIRST COUNT [OPTION..]

Case number i is drawn from the seed i, so that one case can be run again by
itself: FIRST=i COUNT=1 leaves its graph in FOLDER. A case that fails is
printed with its graph and its command.
"""

import os
import random
import struct
import subprocess
import sys

SIZES = [0, 1, 2, 7, 63, 64, 65, 100, 130]
# Letters of the subscripts for queries, keys and values, in the order in which
# the layout has their dimensions. `h` stands for the heads.
LAYOUTS = {"BHND": "bhtd", "BNHD": "bthd", "HND": "htd", "ND": "td"}
MAPS = [
    "none", "identity", "elu1", "relu", "exp", "squared_relu", "hedgehog",
    "favor", "cosformer", "taylor2", "region",
]
# A row sum of these does not cancel, so that division by it is well
# conditioned.
POSITIVE = [name for name in MAPS if name not in ("none", "identity")]
MASKS = [
    "none", "none", "causal", "offset", "strictly_causal", "sliding_window",
    "packed", "dense", "causal+packed", "causal+dense",
]


def write_npy(path, dtype, shape, values):
    code = {"i4": "i", "i8": "q", "b1": "?"}[dtype]
    order = "|" if dtype == "b1" else "<"
    header = str({"descr": order + dtype, "fortran_order": False,
                  "shape": tuple(shape)})
    header = header.ljust(-(-(len(header) + 11) // 64) * 64 - 11) + "\n"
    with open(path, "wb") as file:
        file.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)))
        file.write(header.encode())
        file.write(struct.pack(f"<{len(values)}{code}", *values))


class Case:
    """One graph, its arguments and the command that checks it."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.seed = seed
        self.arguments, self.inputs, self.body = [], [], []
        self.files = {}
        self.draw()
        self.write()

    def draw(self):
        choose = self.random.choice
        self.layout = choose(list(LAYOUTS))
        self.heads, self.groups = choose([(1, 1), (2, 2), (4, 2), (8, 2), (4, 1)])
        if self.layout == "ND":
            self.heads = self.groups = 1
        self.batch = choose([1, 2])
        self.features = choose([4, 8, 16])
        self.values = choose([1, 5, 8, 24, self.features])
        self.n = choose(SIZES)
        self.m = self.n if choose([True, True, False]) else choose(SIZES)
        self.element = choose(["f32", "f32", "f64", "f16", "bf16"])
        self.wide = "f64" if self.element == "f64" else "f32"
        self.dynamic = choose([True, False])
        self.keep_order = choose([True, False])
        self.mechanism = choose(["softmax", "normalised", "normalised",
                                 "unnormalised"])
        if self.mechanism == "softmax":
            self.map = "none"
        elif self.mechanism == "normalised":
            self.map = choose(POSITIVE)
        else:
            self.map = choose(MAPS)
        if self.map == "taylor2":
            self.features = 4
        self.eps = choose([0, 1e-6])
        self.masks = choose(MASKS).replace("none", "").split("+")
        self.masks = [mask for mask in self.masks if mask]

    # Types.

    def shape(self, letters, tokens, last, heads):
        sizes = {"b": self.batch, "h": heads, "t": tokens, "d": last}
        dynamic = "bt" if self.dynamic else ""
        return [("?" if letter in dynamic else str(sizes[letter]))
                for letter in letters]

    def tensor(self, shape, element):
        return f"tensor<{'x'.join(map(str, shape))}x{element}>"

    def add(self, name, type, file="", axes=""):
        attribute = f' {{attn.axes = "{axes}"}}' if axes else ""
        self.arguments.append(f"%{name}: {type}{attribute}")
        self.inputs.append(file)

    def emit(self, text):
        self.body.append("  " + text)

    # The parts of a graph.

    def feature_map(self, name, type, letters, tokens, heads):
        """phi(x) and the number of its features."""
        if self.map == "none":
            return name, type, self.features
        count, operand = self.features, ""
        if self.map in ("hedgehog", "favor"):
            projected = 6
            count = {"hedgehog": 12, "favor": 6}[self.map]
            matrix = self.tensor([projected, self.features], self.element)
            if "h" in letters and self.random.choice([True, False]):
                matrix = self.tensor([heads, projected, self.features],
                                     self.element)
            self.add(f"w{name[1:]}", matrix)
            operand = f"(%w{name[1:]} : {matrix})"
        elif self.map == "taylor2":
            count = 1 + self.features + self.features**2
        elif self.map == "cosformer":
            count, operand = 2 * self.features, "<max_len = 150>"
        result = self.tensor(self.shape(letters, tokens, count, heads), self.wide)
        dimension = letters.index("t")
        where = "" if dimension == len(letters) - 2 else f" token_dim = {dimension}"
        if self.map == "region":
            self.emit(f"%f{name[1:]} = attn.feature_map {name} {{")
            self.emit(f"^bb0(%e: {self.wide}):")
            self.emit(f"  %y = math.exp2 %e : {self.wide}")
            self.emit(f"  attn.yield %y : {self.wide}")
            self.emit(f"}}{where} : {type} -> {result}")
        else:
            self.emit(f"%f{name[1:]} = attn.feature_map {name}, "
                      f"#attn.{self.map}{operand}{where} : {type} -> {result}")
        return f"%f{name[1:]}", result, count

    def subscripts(self):
        """Of the score and of the apply, written out where they must be."""
        if self.layout != "BNHD":
            return "", ""
        if self.heads == self.groups:
            return (' subscripts "bnhd,bmhd->bhnm"', ' subscripts "bhnm,bmhv->bnhv"')
        return (' subscripts "bn(gr)d,bmgd->b(gr)nm"',
                ' subscripts "b(gr)nm,bmgv->bn(gr)v"')

    def segments(self, tokens, count):
        ends = sorted(self.random.randint(0, tokens) for _ in range(count - 1))
        return [0] + ends + [tokens]

    def mask(self, kind, name, scores, fill):
        choose = self.random.choice
        operand = ""
        if kind == "causal":
            attribute = "causal"
        elif kind == "offset":
            attribute = f"causal<offset = {choose([-3, -1, 1, 5, 70])}>"
        elif kind == "sliding_window":
            attribute = (f"sliding_window<left = {choose([0, 1, 10, 80])}, "
                         f"right = {choose([0, 3, 66])}>")
        elif kind == "packed":
            attribute = "packed"
            count = choose([1, 2, 5])
            names, element = ["cq"], choose(["i4", "i8"])
            if self.m != self.n:
                names.append("ck")
            size = "?" if self.dynamic else count + 1
            type = f"tensor<{size}x{'i32' if element == 'i4' else 'i64'}>"
            for cu, tokens in zip(names, (self.n, self.m)):
                self.files[cu] = (element, [count + 1],
                                  self.segments(tokens, count))
                self.add(cu, type, cu)
            operand = (f"({', '.join('%' + cu for cu in names)} : "
                       f"{', '.join(type for _ in names)})")
        elif kind == "dense":
            attribute = "dense"
            sizes = {"b": self.batch, "h": self.heads, "n": self.n, "m": self.m}
            letters = {"ND": "nm", "HND": "hnm"}.get(self.layout, "bhnm")
            letters = letters[self.random.randint(0, len(letters) - 2):]
            ones = [choose([False, False, True]) for _ in letters]
            shape = [1 if one else sizes[x] for x, one in zip(letters, ones)]
            text = ["?" if self.dynamic and not one and x != "h" else str(size)
                    for x, one, size in zip(letters, ones, shape)]
            count = 1
            for size in shape:
                count *= size
            self.files["b"] = ("b1", shape,
                               [self.random.random() < 0.7 for _ in range(count)])
            type = f"tensor<{'x'.join(text)}xi1>"
            self.add("b", type, "b")
            operand = f"(%b : {type})"
        else:
            attribute = kind
        result = f"%m{len(self.body)}"
        self.emit(f"{result} = attn.mask {name}, #attn.{attribute}{operand} "
                  f"else {fill} : {scores}")
        return result

    def write(self):
        letters = LAYOUTS[self.layout]
        q_type = self.tensor(
            self.shape(letters, self.n, self.features, self.heads), self.element)
        k_type = self.tensor(
            self.shape(letters, self.m, self.features, self.groups), self.element)
        v_type = self.tensor(
            self.shape(letters, self.m, self.values, self.groups), self.element)
        o_type = self.tensor(
            self.shape(letters, self.n, self.values, self.heads), self.wide)
        # Equal letters are equal sizes. Heads of queries and keys may differ.
        self.key_letter = "n" if self.n == self.m else "m"
        key_axes = letters.replace("t", self.key_letter).replace("h", "g")
        self.add("q", q_type, axes=letters.replace("t", "n"))
        self.add("k", k_type, axes=key_axes)
        self.add("v", v_type, axes=key_axes.replace("d", "v"))
        score_letters = {"ND": "nm", "HND": "hnm"}.get(self.layout, "bhnm")
        sizes = {"b": self.batch, "h": self.heads, "n": self.n, "m": self.m}
        scores = self.tensor(
            ["?" if self.dynamic and x != "h" else sizes[x]
             for x in score_letters], self.wide)

        q, q_type, _ = self.feature_map("%q", q_type, letters, self.n, self.heads)
        k, k_type, _ = self.feature_map("%k", k_type, letters, self.m, self.groups)
        score_subscripts, apply_subscripts = self.subscripts()
        self.emit(f"%s = attn.score {q}, {k}{score_subscripts} : "
                  f"{q_type}, {k_type} -> {scores}")
        name = "%s"
        if self.mechanism == "softmax" or self.random.choice([True, False]):
            self.emit(f"%c = attn.scale {name} by 0.25 : {scores} -> {scores}")
            name = "%c"
        fill = "-inf" if self.mechanism == "softmax" else "0.0"
        for kind in self.masks:
            name = self.mask(kind, name, scores, fill)
        if self.mechanism == "softmax":
            self.emit(f"%p = attn.softmax {name} : {scores}")
            name = "%p"
        elif self.mechanism == "normalised":
            eps = f" eps {self.eps:.6e}" if self.eps else ""
            self.emit(f"%p = attn.normalize {name}{eps} : {scores}")
            name = "%p"
        self.emit(f"%o = attn.apply {name}, %v{apply_subscripts} : "
                  f"{scores}, {v_type} -> {o_type}")
        self.emit(f"return %o : {o_type}")
        header = f"func.func @main({', '.join(self.arguments)}) -> {o_type} {{"
        self.graph = "\n".join([header, *self.body, "}", ""])

    def command(self, attn_run, folder):
        prefix = os.path.join(folder, f"{self.seed}")
        with open(prefix + ".mlir", "w", encoding="utf-8") as file:
            file.write(self.graph)
        for name, (dtype, shape, values) in self.files.items():
            write_npy(f"{prefix}.{name}.npy", dtype, shape, values)
        command = [attn_run, prefix + ".mlir", f"--random={self.seed + 1}",
                   "--verify"]
        if any(self.inputs):
            paths = [f"{prefix}.{name}.npy" if name else "" for name in self.inputs]
            command.append("--inputs=" + ",".join(paths))
        if self.dynamic:
            command.append(f"--dim=n={self.n}")
            if self.key_letter == "m":
                command.append(f"--dim=m={self.m}")
            if "b" in LAYOUTS[self.layout]:
                command.append(f"--dim=b={self.batch}")
        if self.keep_order:
            command.append("--keep-order")
        # Graphs compute in f32 from 16 bits: f32's bound holds for them, too.
        if self.element in ("f16", "bf16"):
            command.append("--tol=1e-5")
        return command


def main():
    attn_run, folder, first, count, *options = sys.argv[1:]
    os.makedirs(folder, exist_ok=True)
    failed = 0
    for seed in range(int(first), int(first) + int(count)):
        case = Case(seed)
        command = case.command(attn_run, folder) + options
        run = subprocess.run(command, capture_output=True, text=True, check=False)
        if run.returncode == 0 and "rel_err=" in run.stdout:
            continue
        failed += 1
        print(f"case {seed} failed with status {run.returncode}:",
              " ".join(command), case.graph, run.stdout, run.stderr[:2000],
              sep="\n")
    print(f"{count} graphs, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
