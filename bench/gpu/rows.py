# ===- rows.py - The mechanisms that are measured on a GPU -----------------=== #
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===------------------------------------------------------------------------=== #
"""A row is a graph of examples/mechanisms, the kinds of its inputs, what it
means for one token in f64, and the call of the peer that computes the same."""

import dataclasses
from typing import Callable

# (batch, heads, tokens, channels)
SHAPES = {
    "S1": (8, 16, 2048, 64),
    "S2": (4, 32, 4096, 64),
    "S3": (4, 16, 4096, 128),
    "S5": (1, 16, 65536, 128),
    "S6": (1, 8, 131072, 64),
}
# One token a call, the state in place.
DECODE_SHAPES = {
    "D1": (1, 32, 1, 128),
    "D256": (256, 32, 1, 128),
}


@dataclasses.dataclass
class Row:
    file: str
    # wide: bf16 a channel. gate: f32 a token, in [0, 1]. decay: f32 a token,
    # a logarithm. decays: bf16 a channel, decays32: f32. bonus: f32 a channel of a head.
    inputs: dict
    # f64 inputs -> the recurrence's terms (see run.py)
    terms: Callable
    # (the peer's operations, inputs as [B, T, H, D]) -> output, ..
    peer: Callable
    peer_name: str
    # (the peer's operations, inputs, state) -> output, ..: one token
    step: Callable = None
    # f64 inputs -> the output, where no recurrence says it
    exact: Callable = None


def scale(x):
    return x * x.shape[-1] ** -0.5


def unit(x):
    return x / (x.square().sum(-1, keepdim=True) + 1e-6).sqrt()


def plain(i):
    return {"q": scale(i["q"]), "writes": [(i["k"], i["v"])]}


def decayed(i):
    return {**plain(i), "decay": i["g"]}


def erased(i, decay=None):
    k, beta = unit(i["k"]), i["beta"].unsqueeze(-1)
    terms = {"q": scale(i["q"]), "writes": [],
             "erase": (beta * k, k, beta * i["v"], "decayed")}
    if decay is not None:
        terms["decay"] = decay
    return terms


def step(state):
    return {"initial_state": state, "output_final_state": True}


def feature(x):
    return x.clamp(min=0) + x.clamp(max=0).exp()


QKV = {"q": "wide", "k": "wide", "v": "wide"}

ROWS = {
    "linear attention": Row(
        "linear", QKV, plain,
        lambda o, i: o.linear_attn.chunk_linear_attn(
            i["q"], i["k"], i["v"], normalize=False), "chunk_linear_attn",
        lambda o, i, s: o.linear_attn.fused_recurrent_linear_attn(
            i["q"], i["k"], i["v"], normalize=False, **step(s))),
    "RetNet": Row(
        "retnet", QKV,
        lambda i: {**plain(i), "decay": retention(i["q"])},
        lambda o, i: o.retention.chunk_retention(i["q"], i["k"], i["v"]),
        "chunk_retention",
        lambda o, i, s: o.retention.fused_recurrent_retention(
            i["q"], i["k"], i["v"], **step(s))),
    "simple GLA": Row(
        "simple_gla", {**QKV, "g": "decay"}, decayed,
        lambda o, i: o.simple_gla.chunk_simple_gla(
            i["q"], i["k"], i["v"], i["g"]), "chunk_simple_gla",
        lambda o, i, s: o.simple_gla.fused_recurrent_simple_gla(
            i["q"], i["k"], i["v"], i["g"], **step(s))),
    "Linear Transformer": Row(
        "linear_transformer", QKV,
        lambda i: {"q": feature(i["q"]), "writes": [(feature(i["k"]), i["v"])],
                   "normalize": True},
        lambda o, i: o.linear_attn.chunk_linear_attn(
            o.elu1(i["q"]), o.elu1(i["k"]), i["v"], scale=1.0,
            normalize=True), "elu + 1, chunk_linear_attn"),
    "GLA": Row(
        "gla", {**QKV, "g": "decays"}, decayed,
        lambda o, i: o.gla.chunk_gla(i["q"], i["k"], i["v"], i["g"]),
        "chunk_gla",
        lambda o, i, s: o.gla.fused_recurrent_gla(
            i["q"], i["k"], i["v"], gk=i["g"], **step(s))),
    "HGRN2": Row(
        "hgrn2", {"q": "wide", "g": "decays32", "v": "wide"},
        lambda i: {"q": i["q"], "writes": [(-i["g"].expm1(), i["v"])],
                   "decay": i["g"]},
        lambda o, i: o.gla.chunk_gla(i["q"], 1 - i["g"].exp(), i["v"], i["g"],
                                     scale=1.0), "1 - exp, chunk_gla"),
    "RWKV-6": Row(
        "rwkv6", {"r": "wide", "w": "small", "k": "wide", "v": "wide",
                  "u": "bonus"},
        lambda i: {"q": i["r"], "writes": [(i["k"], i["v"])],
                   "decay": -i["w"].exp(), "read": "previous",
                   "bonus": i["u"]},
        lambda o, i: o.rwkv6.chunk_rwkv6(
            i["r"], i["k"], i["v"], -i["w"].exp(), i["u"], scale=1.0),
        "-exp, chunk_rwkv6"),
    "DeltaNet": Row(
        "deltanet", {**QKV, "beta": "gate"}, erased,
        lambda o, i: o.delta_rule.chunk_delta_rule(
            i["q"], o.unit(i["k"]), i["v"], i["beta"].to(i["q"].dtype)),
        "l2_norm, chunk_delta_rule",
        lambda o, i, s: o.delta_rule.fused_recurrent_delta_rule(
            i["q"], o.unit(i["k"]), i["v"], i["beta"].to(i["q"].dtype),
            **step(s))),
    "Gated DeltaNet": Row(
        "gated_deltanet", {**QKV, "g": "decay", "beta": "gate"},
        lambda i: erased(i, i["g"]),
        lambda o, i: o.gated_delta_rule.chunk_gated_delta_rule(
            i["q"], o.unit(i["k"]), i["v"], i["g"], i["beta"]),
        "l2_norm, chunk_gated_delta_rule",
        lambda o, i, s: o.gated_delta_rule.fused_recurrent_gated_delta_rule(
            i["q"], o.unit(i["k"]), i["v"], i["g"], beta=i["beta"],
            **step(s))),
    "KDA": Row(
        "kda", {**QKV, "g": "decays", "beta": "gate"},
        lambda i: erased(i, i["g"]),
        lambda o, i: o.kda.chunk_kda(
            i["q"], o.unit(i["k"]), i["v"], i["g"], i["beta"]),
        "l2_norm, chunk_kda",
        lambda o, i, s: o.kda.fused_recurrent_kda(
            i["q"], o.unit(i["k"]), i["v"], i["g"], i["beta"], **step(s))),
    "RWKV-7": Row(
        "rwkv7", {"r": "wide", "w": "decays", "k": "wide", "v": "wide",
                  "a": "unit", "b": "eraser"},
        lambda i: {"q": i["r"], "writes": [(i["k"], i["v"])], "decay": i["w"],
                   "erase": (-i["a"], i["b"], None, "previous")},
        lambda o, i: o.rwkv7.chunk_rwkv7(
            i["r"], i["w"], i["k"], i["v"], i["a"], i["b"], scale=1.0),
        "chunk_rwkv7"),
}

# Softmax is not linear in the tokens: shapes of up to 4096.
ROWS["softmax"] = Row(
    "softmax", QKV, None,
    lambda o, i: (o.attention(i["q"], i["k"], i["v"]),),
    "scaled_dot_product_attention", exact=lambda i: attention(i))


def attention(i):
    scores = scale(i["q"]) @ i["k"].transpose(-1, -2)
    size = scores.shape[-1]
    mask = scores.new_ones(size, size).triu(1).bool()
    return scores.masked_fill(mask, float("-inf")).softmax(-1) @ i["v"]


def retention(q):
    """log(1 - 2^(-5 - h)) for each head, as the example has it."""
    import torch

    heads = torch.arange(q.shape[1], device=q.device, dtype=torch.float64)
    return torch.log1p(-(2.0 ** (-5 - heads))).view(1, -1, 1).expand(q.shape[:3])
