#!/usr/bin/env python3
# ===- recurrences.py - Graphs against their recurrences -------------------=== #
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===------------------------------------------------------------------------=== #
"""recurrences.py ATTN_RUN EXAMPLES FOLDER

The f64 evaluation of each graph against the recurrence that its comment states,
token by token: S~ = decay * S, S = S~ + sum k u^T, o = S^T q.
"""

import math
import os
import struct
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from forms import Inputs  # noqa: E402
from forms_text import Graph  # noqa: E402
from npy import read_npy  # noqa: E402

TOKENS, HEADS, K, SCALE = 7, 8, 64, 1 / 8


def scaled(factor, x):
    return [factor * a for a in x]


def times(x, y):
    return [a * b for a, b in zip(x, y)]


def minus(x, y):
    return [a - b for a, b in zip(x, y)]


def exp(x):
    return [math.exp(a) for a in x]


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


def unit(x):
    return scaled(1 / math.sqrt(sum(a * a for a in x) + 1e-6), x)


def elu1(x):
    return [a + 1 if a > 0 else math.exp(a) for a in x]


def read(state, q):
    """S^T q"""
    return [sum(map(float.__mul__, q, column)) for column in zip(*state)]


def write(state, decay, *pairs):
    """diag(decay) S + sum k u^T"""
    rows = []
    for d, row in enumerate(state):
        row = scaled(decay[d], row)
        for k, u in pairs:
            row = [s + k[d] * x for s, x in zip(row, u)]
        rows.append(row)
    return rows


class Token:
    """What the arguments have for one token of one head."""

    def __init__(self, graph, arrays, head, index):
        self.graph, self.arrays, self.head, self.index = graph, arrays, head, index

    def __getitem__(self, name):
        shape, values = self.arrays[name]
        index, position = self.index, self.head
        if self.graph.get_token_dim(name) is not None:
            if self.graph.get_steps(name) == 1:
                index //= self.graph.get_steps_of_scores()
            position = self.head * shape[2] + index
        if shape[-1] == K:  # a row
            return values[position * K : (position + 1) * K]
        return values[position]


# step(token, S) -> S', o

ONES = [1.0] * K


def linear(decay, key=lambda t: t["k"], query=lambda t: scaled(SCALE, t["q"])):
    def step(t, state):
        state = write(state, decay(t), (key(t), t["v"]))
        return state, read(state, query(t))

    return step


def delta(decay, key=lambda t: unit(t["k"])):
    """S~ = decay * S, S = S~ + k beta (v - S~^T k)^T"""

    def step(t, state):
        k = key(t)
        state = write(state, decay(t))
        u = scaled(t["beta"], minus(t["v"], read(state, k)))
        state = write(state, ONES, (k, u))
        return state, read(state, scaled(SCALE, t["q"]))

    return step


def scalar(t):
    return [math.exp(t["g"])] * K


def vector(t):
    return exp(t["g"])


def comba(t, state):
    k = t["k"]
    u = scaled(t["beta"], minus(t["v"], read(state, scaled(t["c"], k))))
    state = write(state, scalar(t), (k, u))
    return state, read(state, minus(scaled(SCALE, t["q"]), scaled(t["d"], k)))


def gdn2(t, state):
    k = t["k"]
    state = write(state, vector(t))
    u = minus(times(t["w"], t["v"]), read(state, times(t["b"], k)))
    state = write(state, ONES, (k, u))
    return state, read(state, scaled(SCALE, t["q"]))


def predictor(t, state):
    k, q = unit(elu1(t["k"])), unit(elu1(t["q"]))
    u = scaled(t["beta"], minus(t["v"], read(state, k)))
    return write(state, vector(t), (k, u)), read(state, q)


def bonus(t, state):
    pair = write(state, ONES, (times(t["u"], t["k"]), t["v"]))
    decay = exp([-math.exp(w) for w in t["w"]])
    return write(state, decay, (t["k"], t["v"])), read(pair, t["r"])


def low_rank(t, state):
    u = read(state, t["a"])
    state = write(state, exp(t["w"]), (t["b"], u), (t["k"], t["v"]))
    return state, read(state, t["r"])


STEPS = {
    "comba": comba,
    "deltanet": delta(lambda t: ONES),
    "deltaproduct": delta(scalar, lambda t: t["k"]),
    "gated_deltanet": delta(scalar),
    "gdn2": gdn2,
    "gla": linear(vector),
    "hgrn2": linear(vector, lambda t: [-math.expm1(g) for g in t["g"]],
                    lambda t: t["q"]),
    "kda": delta(vector),
    "lightning": linear(scalar),
    "mlstm_sigmoid": linear(lambda t: [sigmoid(t["f"])] * K,
                            lambda t: scaled(sigmoid(t["i"]), t["k"])),
    "predictor": predictor,
    "retnet": linear(lambda t: [1 - 2.0 ** (-5 - t.head)] * K),
    "rwkv5": bonus,
    "rwkv6": bonus,
    "rwkv7": low_rank,
    "simple_gla": linear(scalar),
}


def to_f32(values):
    return list(struct.unpack(f"{len(values)}f", struct.pack(f"{len(values)}f",
                                                             *values)))


def main():
    attn_run, examples, folder = sys.argv[1:]
    os.makedirs(folder, exist_ok=True)
    failed = 0
    for name, step in STEPS.items():
        path = os.path.join(examples, name + ".mlir")
        graph = Graph(path)
        inputs = Inputs(graph, TOKENS)
        paths = inputs.write(os.path.join(folder, name))
        output = os.path.join(folder, name + ".npy")
        subprocess.run([attn_run, path, "--target=reference",
                        "--inputs=" + ",".join(paths), "--outputs=" + output],
                       check=True, stdout=subprocess.DEVNULL)
        arrays = {argument: (shape, to_f32(values))
                  for argument, (shape, values) in inputs.arrays.items()}
        steps, expected = graph.get_steps_of_scores(), []
        for head in range(HEADS):
            state = [[0.0] * K for _ in range(K)]
            for index in range(TOKENS * steps):
                state, out = step(Token(graph, arrays, head, index), state)
                if index % steps == steps - 1:
                    expected += out
        difference = minus(read_npy(output)[1], expected)
        error = math.hypot(*difference) / math.hypot(*expected)
        # Constants of a graph are f32.
        if not error < (1e-8 if name == "retnet" else 1e-14):
            failed += 1
            print(f"{name}: {error:.1e} from its recurrence")
    print(f"{len(STEPS)} graphs, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
