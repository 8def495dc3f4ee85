#!/usr/bin/env python3
# ===- torch_peer.py - PyTorch on the CPU -----------------------------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===------------------------------------------------------------------------===#
"""torch_peer.py eager|compiled

A peer for attn-bench-mechanisms --process; Process.cpp says what lines it reads
and answers. The forms that a user of PyTorch writes: chunks of matrix products
for linear rows and scalar decays, scaled_dot_product_attention for softmax.
"""

import os
import sys
import time

try:
    import numpy
    import torch
except ImportError:
    torch = None

ROWS = ("linear_noncausal", "linear_transformer", "retnet", "lightning",
        "simple_gla", "softmax")
CHUNKS = (32, 64, 128)


def phi(x):
    return torch.nn.functional.elu(x) + 1


def whole(q, k, v):
    q, k = phi(q), phi(k)
    norm = q @ k.sum(-2, keepdim=True).transpose(-1, -2)
    return (q @ (k.transpose(-1, -2) @ v)) / norm


def softmax(q, k, v):
    return torch.nn.functional.scaled_dot_product_attention(q, k, v,
                                                            is_causal=True)


def chunkwise(q, k, v, g, chunk, normalizes):
    """Causal, with a log decay of tokens or None; states by a loop over chunks,
    all else for all chunks at once."""
    batch, heads, tokens, width = q.shape
    count = tokens // chunk
    q, k, v = (x.reshape(batch, heads, count, chunk, -1) for x in (q, k, v))
    scores = q @ k.transpose(-1, -2)
    if g is None:
        scores, key, query, last = scores.tril(), k, q, None
    else:
        c = g.reshape(batch, heads, count, chunk).cumsum(-1)
        difference = c.unsqueeze(-1) - c.unsqueeze(-2)
        ones = torch.ones(chunk, chunk, dtype=torch.bool).tril()
        scores = scores * difference.masked_fill(~ones, -torch.inf).exp()
        query = q * c.exp().unsqueeze(-1)
        key = k * (c[..., -1:] - c).exp().unsqueeze(-1)
        last = c[..., -1].exp()
    added = key.transpose(-1, -2) @ v
    if g is None:
        before = added.cumsum(2) - added
    else:
        state, states = torch.zeros_like(added[:, :, 0]), []
        for i in range(count):
            states.append(state)
            state = last[:, :, i, None, None] * state + added[:, :, i]
        before = torch.stack(states, 2)
    out = scores @ v + query @ before
    if normalizes:
        sums = k.sum(-2, keepdim=True)
        sums = (sums.cumsum(2) - sums).transpose(-1, -2)
        out = out / (scores.sum(-1, keepdim=True) + q @ sums)
    return out.reshape(batch, heads, tokens, -1)


class Problem:
    def __init__(self, words, mode):
        row, batch, heads, tokens, width, threads, self.output = words[:7]
        batch, heads, tokens, width, threads = map(
            int, (batch, heads, tokens, width, threads))
        # What the program that measures is bound to is inherited.
        cores = range(os.cpu_count()) if threads > 1 else os.sched_getaffinity(0)
        os.sched_setaffinity(0, cores)
        torch.set_num_threads(threads)
        x = {}
        for word in words[7:]:
            name, path = word.split("=", 1)
            x[name] = torch.from_numpy(numpy.load(path))
        self.choice = ""
        candidates = {}
        if row == "softmax":
            candidates[""] = lambda: softmax(x["q"], x["k"], x["v"])
        elif row == "linear_noncausal":
            candidates[""] = lambda: whole(x["q"], x["k"], x["v"])
        else:
            g = self.make_decay(row, x, batch, heads, tokens)
            for chunk in CHUNKS:
                if tokens % chunk:
                    continue

                def run(chunk=chunk):
                    if row == "linear_transformer":
                        return chunkwise(phi(x["q"]), phi(x["k"]), x["v"], None,
                                         chunk, True)
                    return chunkwise(x["q"] * width**-0.5, x["k"], x["v"], g(),
                                     chunk, False)

                candidates[f"chunk {chunk}"] = run
        self.choose(candidates, mode)

    @staticmethod
    def make_decay(row, x, batch, heads, tokens):
        shape = (batch, heads, tokens)
        if row == "retnet":
            heads_first = torch.log1p(-torch.exp2(-5.0 - torch.arange(heads)))
            return lambda: heads_first[None, :, None].expand(shape)
        if row == "lightning":
            return lambda: x["g"][None, :, None].expand(shape)
        return lambda: x.get("g")

    def choose(self, candidates, mode):
        best = None
        for choice, run in candidates.items():
            if mode == "compiled":
                run = torch.compile(run)
            with torch.inference_mode():
                run()
                begin = time.perf_counter()
                run()
                seconds = time.perf_counter() - begin
            if best is None or seconds < best:
                best, self.choice, self.function = seconds, choice, run

    def run(self):
        with torch.inference_mode():
            self.result = self.function()

    def write(self):
        numpy.save(self.output, numpy.ascontiguousarray(self.result.numpy()))


def answer(line, mode, problem):
    words = line.split()
    if words[0] == "prepare":
        if torch is None or words[1] not in ROWS:
            return "none", None
        problem = Problem(words[1:], mode)
        if not hasattr(problem, "function"):
            return "none", None
        return f"ready {problem.choice}".strip(), problem
    if words[0] == "run":
        problem.run()
    elif words[0] == "result":
        problem.write()
    return "done", problem


def main():
    mode = sys.argv[1]
    # Answers alone go to the standard output.
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    problem = None
    for line in sys.stdin:
        try:
            text, problem = answer(line, mode, problem)
        except Exception as error:  # noqa: BLE001
            text = "error " + " ".join(str(error).split())[:300]
        print(text, file=out, flush=True)


if __name__ == "__main__":
    main()
