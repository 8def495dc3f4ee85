#!/usr/bin/env python3
# ===- forms.py - A graph in every form against the f64 evaluation ---------=== #
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===------------------------------------------------------------------------=== #
"""forms.py ATTN_RUN GRAPH FOLDER [CHECK...]

Runs one of examples/mechanisms on inputs that suit it. The checks:

  forms    every form, chunk and length has the bound on the error to f64, from
           f32 and from bf16; chunks err at most twice as much as single steps
  harsh    log decays from -1e4 to 0, both included: the same bound, all finite
  stream   a run in pieces is the whole run; pieces of one token are decoding
  packed   packed sequences are separate runs
"""

import math
import os
import random
import re
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from forms_text import Graph  # noqa: E402
from npy import read_npy, write_npy  # noqa: E402

# ===------------------------------------------------------------------------=== #
# Inputs
# ===------------------------------------------------------------------------=== #

# Rows of length 1, factors from 0 to 1, log decays, and what becomes one:
# -exp(w), log_sigmoid(f), -exp(a) dt. All else is standard normal.
KINDS = {
    "predictor": {"beta": "factor", "g": "decay"},
    "comba": {"k": "unit", "g": "decay", "beta": "factor", "c": "factor",
              "d": "factor"},
    "deltanet": {"beta": "factor"},
    "deltaproduct": {"k": "unit", "g": "decay", "beta": "factor"},
    "gated_deltanet": {"g": "decay", "beta": "factor"},
    "gdn2": {"k": "unit", "g": "decay", "b": "factor", "w": "factor"},
    "gla": {"g": "decay"},
    "hgrn": {"g": "decay"},
    "hgrn2": {"g": "decay"},
    "kda": {"g": "decay", "beta": "factor"},
    "lightning": {"g": "decay"},
    "mamba1": {"delta": "step", "a": "log_decay"},
    "mamba2": {"delta": "step", "a": "log_decay"},
    "mlstm": {"f": "forget"},
    "mlstm_sigmoid": {"f": "forget"},
    "rwkv4": {"w": "log_decay"},
    "rwkv5": {"w": "log_decay"},
    "rwkv6": {"w": "log_decay"},
    "rwkv7": {"a": "unit", "b": "erase", "w": "decay"},
    "simple_gla": {"g": "decay"},
}
DECAYS = ("decay", "log_decay", "forget")
# An exponential feeds a division.
EXP_HEAVY = ("based", "hedgehog", "mlstm", "performer", "rwkv4", "softmax")
# No form made of matrix products: single steps alone.
STEPS_ONLY = ("hgrn", "mamba1", "rwkv4")
NO_RECURRENCE = ("softmax",)


def draw_decay(generator, harsh):
    """A log decay: of everyday size, or log-uniform with both ends."""
    if not harsh:
        return -0.1 * math.exp(generator.gauss(0, 1))
    choice = generator.random()
    if choice < 0.1:
        return 0.0
    if choice < 0.2:
        return -1e4
    return -(10 ** generator.uniform(-3, 4))


def draw(kind, generator, harsh):
    if kind == "factor":
        return 1 / (1 + math.exp(-generator.gauss(0, 1)))
    if kind == "step":
        return generator.gauss(-1, 1)
    if kind in DECAYS:
        decay = draw_decay(generator, harsh)
        if kind == "decay":
            return decay
        if kind == "log_decay":  # -exp(x) = decay
            return math.log(-decay) if decay else -1e4
        # log_sigmoid(x) = decay
        if decay == 0:
            return 1e4
        return decay if decay < -30 else -math.log(math.expm1(-decay))
    return generator.gauss(0, 1)


def normalize_rows(values, width):
    for start in range(0, len(values), width):
        row = values[start : start + width]
        norm = math.sqrt(sum(x * x for x in row))
        values[start : start + width] = [x / norm for x in row]


class Inputs:
    """The arrays of all arguments for N tokens."""

    def __init__(self, graph, tokens, harsh=False):
        generator = random.Random(f"{graph.name} {tokens} {harsh}")
        kinds = KINDS.get(graph.name, {})
        self.arrays = {}
        for argument in graph.arguments:
            shape = graph.get_shape(argument, tokens)
            kind = kinds.get(argument, "normal")
            count = math.prod(shape)
            if kind == "erase":  # b = -a * factor, a channel
                values = [-x * draw("factor", generator, False)
                          for x in self.arrays["a"][1]]
            else:
                values = [draw(kind, generator, harsh) for _ in range(count)]
            if kind == "unit":
                normalize_rows(values, shape[-1])
            self.arrays[argument] = (shape, values)

    def cut(self, graph, begin, end):
        """The inputs of the tokens begin to end - 1."""
        part = object.__new__(Inputs)
        part.arrays = {}
        for name, (shape, values) in self.arrays.items():
            dim = graph.get_token_dim(name)
            if dim is None:
                part.arrays[name] = (shape, values)
                continue
            steps = graph.get_steps(name)
            part.arrays[name] = cut_array(shape, values, dim, begin * steps,
                                          end * steps)
        return part

    def write(self, prefix):
        paths = []
        for name, (shape, values) in self.arrays.items():
            paths.append(f"{prefix}.{name}.npy")
            write_npy(paths[-1], "f4", shape, values)
        return paths


def cut_array(shape, values, dim, begin, end):
    inner = math.prod(shape[dim + 1 :])
    outer = math.prod(shape[:dim])
    out = []
    for i in range(outer):
        base = i * shape[dim] * inner
        out += values[base + begin * inner : base + end * inner]
    return shape[:dim] + (end - begin,) + shape[dim + 1 :], out


# ===------------------------------------------------------------------------=== #
# Runs
# ===------------------------------------------------------------------------=== #


class Harness:
    def __init__(self, attn_run, path, folder):
        self.attn_run, self.folder = attn_run, folder
        os.makedirs(folder, exist_ok=True)
        self.graph = Graph(path)
        self.name = self.graph.name
        self.bound = 1e-4 if self.name in EXP_HEAVY else 1e-5
        self.failures = 0
        self.paths, self.exact = {}, {}

    def get_inputs(self, tokens, harsh=False):
        key = (tokens, harsh)
        if key not in self.paths:
            prefix = os.path.join(self.folder, f"n{tokens}{'h' if harsh else ''}")
            self.paths[key] = Inputs(self.graph, tokens, harsh).write(prefix)
        return self.paths[key]

    def find_exact(self, text, tokens, harsh=False):
        """The f64 evaluation, once for each graph and length."""
        key = (text, tokens, harsh)
        if key not in self.exact:
            name = f"exact{len(self.exact)}.npy"
            self.run(text, self.get_inputs(tokens, harsh), "--target=reference",
                     output=name)
            self.exact[key] = os.path.join(self.folder, name)
        return self.exact[key]

    def compare(self, text, tokens, bound, *options, harsh=False):
        """The error to the f64 evaluation, or None after a failure."""
        exact = self.find_exact(text, tokens, harsh)
        return self.run(text, self.get_inputs(tokens, harsh), f"--check={exact}",
                        f"--tol={bound}", *options)

    def run(self, text, paths, *options, output="o.npy"):
        """The largest error that attn-run prints, or None after a failure."""
        graph = os.path.join(self.folder, "graph.mlir")
        with open(graph, "w", encoding="utf-8") as file:
            file.write(text)
        target = os.path.join(self.folder, output)
        if os.path.exists(target):
            os.remove(target)
        command = [self.attn_run, graph, "--inputs=" + ",".join(paths),
                   "--outputs=" + target, *options]
        run = subprocess.run(command, capture_output=True, text=True, check=False)
        errors = [float(x) for x in re.findall(r"rel_err=(\S+)", run.stdout)]
        if run.returncode != 0 or not os.path.exists(target):
            self.fail("failed:", " ".join(command), run.stdout, run.stderr[:2000])
            return None
        return max(errors, default=0.0)

    def fail(self, *text):
        self.failures += 1
        print(f"{self.name}:", *text)

    def read(self, output="o.npy"):
        return read_npy(os.path.join(self.folder, output))

    # The forms and chunks that the graph has, with lengths below a chunk, at its
    # end and past it.
    def get_forms(self):
        if self.name in NO_RECURRENCE:
            return [("auto", 0, (1, 77, 200))]
        steps = [("recurrent", 0, (1, 77, 128, 200))]
        if self.name in STEPS_ONLY:
            return steps + [("auto", 0, (200,))]
        return steps + [
            ("quadratic", 0, (1, 77, 128)),
            ("chunkwise", 16, (77, 128)),
            ("chunkwise", 64, (1, 128, 200)),
            ("chunkwise", 100, (77, 128, 200)),
        ]

    @staticmethod
    def get_options(form, chunk):
        return [f"--form={form}"] + ([f"--chunk={chunk}"] if chunk else [])

    # The checks.

    def check_forms(self):
        self.sweep(False)
        text = self.graph.get_narrow_text()
        for form, chunk, _ in self.get_forms():
            self.compare(text, 128, 1e-2, *self.get_options(form, chunk))

    def check_harsh(self):
        kinds = KINDS.get(self.name, {}).values()
        if not any(kind in DECAYS for kind in kinds):
            return
        self.sweep(True)

    def sweep(self, harsh):
        errors = {}
        for form, chunk, sizes in self.get_forms():
            for tokens in (128,) if harsh else sizes:
                error = self.compare(self.graph.text, tokens, self.bound,
                                     *self.get_options(form, chunk), harsh=harsh)
                if error is None:
                    continue
                if not all(map(math.isfinite, self.read()[1])):
                    self.fail(f"{form} {chunk} N={tokens}: not finite")
                errors[form, chunk, tokens] = error
                print(f"{self.name} {form} {chunk or ''} N={tokens}"
                      f"{' harsh' if harsh else ''}: {error:.1e}")
        for (form, chunk, tokens), error in errors.items():
            exact = errors.get(("recurrent", 0, tokens))
            if form == "chunkwise" and exact is not None:
                if error > max(2 * exact, 2e-7):
                    self.fail(f"chunks of {chunk} err {error:.1e}, "
                              f"single steps {exact:.1e}")

    def check_stream(self):
        # A softmax has no state.
        if self.name in NO_RECURRENCE:
            return
        text, paths = self.graph.text, self.get_inputs(128)
        if self.run(text, paths, "--form=recurrent", output="whole.npy") is None:
            return
        whole = os.path.join(self.folder, "whole.npy")
        for piece in (1, 7, 64, 100, 128):
            error = self.run(text, paths, f"--stream={piece}", f"--check={whole}",
                             f"--tol={self.bound}")
            if error is not None:
                print(f"{self.name} stream {piece}: {error:.1e}")

    def check_packed(self):
        graph, tokens = self.graph, 128
        ends = [0, 1, 50, 50, 128]
        inputs = Inputs(graph, tokens)
        cu = os.path.join(self.folder, "cu.npy")
        scale = graph.get_steps_of_scores()
        write_npy(cu, "i4", (len(ends),), [scale * end for end in ends])
        parts = []
        for i, (begin, end) in enumerate(zip(ends, ends[1:])):
            if begin == end:
                continue
            paths = inputs.cut(graph, begin, end).write(
                os.path.join(self.folder, f"s{i}"))
            if self.run(graph.text, paths, "--target=reference") is None:
                return
            parts.append((begin, end, self.read()[1]))
        paths = inputs.write(os.path.join(self.folder, "p")) + [cu]
        for form, chunk, _ in self.get_forms():
            if form == "quadratic":
                continue  # the lengths of segments are read at run time
            if self.run(graph.get_packed_text(), paths,
                        *self.get_options(form, chunk)) is None:
                continue
            shape, values = self.read()
            difference = total = 0.0
            for begin, end, part in parts:
                _, own = cut_array(shape, values, graph.result_token_dim, begin,
                                   end)
                difference += sum((x - y) ** 2 for x, y in zip(own, part))
                total += sum(y * y for y in part)
            error = math.sqrt(difference / total)
            print(f"{self.name} packed {form} {chunk or ''}: {error:.1e}")
            if not error <= self.bound:
                self.fail(f"packed {form} {chunk}: {error:.1e} from separate runs")


def main():
    attn_run, path, folder, *checks = sys.argv[1:]
    harness = Harness(attn_run, path, folder)
    for check in checks or ["forms", "harsh", "stream", "packed"]:
        getattr(harness, "check_" + check)()
    print(f"{harness.name}: {harness.failures} failed")
    return 1 if harness.failures else 0


if __name__ == "__main__":
    sys.exit(main())
