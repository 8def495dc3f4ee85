#!/usr/bin/env python3
# ===- run.py - Times the rows and their peers on a GPU --------------------=== #
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===------------------------------------------------------------------------=== #
"""run.py ROOT FOLDER [--peers PATH] [--rows ..] [--shapes ..] [--report FILE]

Runs what build.py wrote in FOLDER. Needs PyTorch, g++ and an NVIDIA driver, and
for --peers the folder with flash-linear-attention's Python packages. Ours and
the peer run in turn in one process on the same fresh inputs; times are of the
GPU, medians of graphs of calls. The share is that of the bandwidth of a copy,
measured between the rows, counting inputs read once, the output written once,
and where a call takes one token its state read and written."""

import argparse
import ctypes
import datetime
import json
import os
import re
import statistics
import subprocess
import sys
import time

import torch
import torch.nn.functional as F

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from rows import DECODE_SHAPES, ROWS, SHAPES  # noqa: E402

ALL_SHAPES = {**SHAPES, **DECODE_SHAPES}

CALLS, ROUNDS, CHECKED = 8, 7, 320


def descriptor(rank):
    return type(f"D{rank}", (ctypes.Structure,), {"_fields_": [
        ("allocated", ctypes.c_void_p), ("data", ctypes.c_void_p),
        ("offset", ctypes.c_int64), ("sizes", ctypes.c_int64 * rank),
        ("strides", ctypes.c_int64 * rank)]})


D = {rank: descriptor(rank) for rank in range(1, 6)}


def describe(tensor):
    rank = tensor.dim()
    return D[rank](tensor.data_ptr(), tensor.data_ptr(), 0,
                   (ctypes.c_int64 * rank)(*tensor.shape),
                   (ctypes.c_int64 * rank)(*tensor.stride()))


class Ours:
    """A compiled graph, called on PyTorch's tensors and stream."""

    def __init__(self, root, folder, key):
        stem, runtime = os.path.join(folder, key), f"{root}/runtime/gpu"
        subprocess.run(["g++", "-shared", "-fPIC", "-std=c++17", "-O1",
                        f"-I{root}", stem + ".s", f"{runtime}/CudaDriver.cpp",
                        f"{runtime}/GpuRuntime.cpp", "-ldl", "-o", stem + ".so"],
                       check=True)
        self.library = ctypes.CDLL(stem + ".so")
        self.library.attn_gpu_take_error.restype = ctypes.c_char_p
        self.library.attn_gpu_set_stream.argtypes = [ctypes.c_void_p]

    def __call__(self, arguments):
        """The last arguments are the output and states, which are written."""
        stream = torch.cuda.current_stream().cuda_stream
        self.library.attn_gpu_set_stream(stream)
        given = [describe(x) for x in arguments]
        self.library._mlir_ciface_graph(*[ctypes.byref(x) for x in given])
        error = self.library.attn_gpu_take_error()
        if error:
            raise RuntimeError(error.decode())


driver = ctypes.CDLL("libcuda.so.1")
def keep_pool():
    """The driver gives memory back at each synchronisation unless told not to."""
    pool, most = ctypes.c_void_p(), ctypes.c_uint64(2**64 - 1)
    driver.cuDeviceGetDefaultMemPool(ctypes.byref(pool), 0)
    driver.cuMemPoolSetAttribute(pool, 4, ctypes.byref(most))


def make_input(kind, name, size, generator):
    def normal():
        return torch.randn(size, device="cuda", generator=generator)

    if kind == "wide":
        return normal().bfloat16()
    if kind == "small":
        return (normal() - 2).bfloat16()
    if kind == "gate":
        return torch.sigmoid(normal())
    if kind == "decay":
        return F.logsigmoid(normal())
    if kind == "decays":
        return (F.logsigmoid(normal()) / 4).bfloat16()
    if kind == "decays32":
        return F.logsigmoid(normal()) / 4
    if kind == "bonus":
        return normal()
    unit = F.normalize(normal(), dim=-1)
    return (unit if kind == "unit" else unit * 0.5).bfloat16()


def recurrence(q, writes, decay=None, erase=None, read="current", bonus=None,
               normalize=False, state=None):
    """The first tokens, one by one, in f64: their output and the state then. A
    normaliser is the last value channel of the state."""
    if normalize:
        writes = [(k, F.pad(v, (0, 1), value=1)) for k, v in writes]
    if state is None:
        values = writes[0][1].shape[-1] if writes else erase[2].shape[-1]
        state = q.new_zeros(*q.shape[:2], q.shape[-1], values)
    out = []
    for t in range(min(q.shape[2], CHECKED)):
        before = state
        if decay is not None:
            g = decay[:, :, t].exp()
            state = state * (g[..., None, None] if g.dim() == 2
                             else g[..., None])
        aged = state
        if erase is not None:
            p, b, r, when = erase
            source = before if when == "previous" else aged
            u = -torch.einsum("bhd,bhdv->bhv", p[:, :, t], source)
            if r is not None:
                u = u + r[:, :, t]
            state = state + b[:, :, t, :, None] * u[:, :, None]
        for k, v in writes:
            state = state + k[:, :, t, :, None] * v[:, :, t, None]
        source = before if read == "previous" else state
        o = torch.einsum("bhd,bhdv->bhv", q[:, :, t], source)
        if bonus is not None:
            own = (q[:, :, t] * bonus * writes[0][0][:, :, t]).sum(-1)
            o = o + own[..., None] * writes[0][1][:, :, t]
        out.append(o[..., :-1] / o[..., -1:] if normalize else o)
    return torch.stack(out, 2), state


def batch_first(state, query):
    """States have the axes of their gate first, such as the head's."""
    if state.shape[:2] == query.shape[:2]:
        return state
    return state.transpose(0, 1)


def get_error(got, exact):
    got = got.double()
    return ((got - exact).norm() / exact.norm()).item()


def capture(call):
    """A function that makes CALLS calls on the GPU."""
    for _ in range(3):
        call()
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        for _ in range(CALLS):
            call()
    return graph.replay


def measure(functions):
    """Milliseconds of one call of each, medians of interleaved rounds."""
    times = [[] for _ in functions]
    for round_ in range(ROUNDS + 1):
        for function, list_ in zip(functions, times):
            begin, end = (torch.cuda.Event(enable_timing=True) for _ in "be")
            begin.record()
            function()
            end.record()
            end.synchronize()
            if round_:
                list_.append(begin.elapsed_time(end) / CALLS)
    return [statistics.median(list_) for list_ in times]


class Peer:
    """flash-linear-attention's operations."""

    def __init__(self, path):
        sys.path.insert(0, path)
        import importlib

        self.load = importlib.import_module

    def __getattr__(self, name):
        return self.load(f"fla.ops.{name}")

    @staticmethod
    def elu1(x):
        return F.elu(x) + 1

    @staticmethod
    def attention(q, k, v):
        """PyTorch's, of heads before tokens."""
        q, k, v = (x.transpose(1, 2) for x in (q, k, v))
        return F.scaled_dot_product_attention(
            q, k, v, is_causal=True).transpose(1, 2)

    @staticmethod
    def unit(x):
        return F.normalize(x.float(), dim=-1).to(x.dtype)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("root")
    parser.add_argument("folder")
    parser.add_argument("--peers")
    parser.add_argument("--rows", default=",".join(ROWS))
    parser.add_argument("--shapes", default=",".join(ALL_SHAPES))
    parser.add_argument("--peer-rows", default=",".join(ROWS),
                        help="rows whose peer runs: each is compiled for a minute")
    parser.add_argument("--peer-shapes", default=",".join(ALL_SHAPES))
    parser.add_argument("--peer-seconds", type=float, default=float("inf"),
                        help="when this time has passed, peers run no more")
    parser.add_argument("--report")
    options = parser.parse_args()
    with open(os.path.join(options.folder, "programs.json"),
              encoding="utf-8") as file:
        content = json.load(file)
    keep_pool()
    peer = Peer(options.peers) if options.peers else None
    block = torch.empty(2**28, dtype=torch.int32, device="cuda")
    other = torch.empty_like(block)
    generator = torch.Generator("cuda").manual_seed(int(time.time()))
    print(f"inputs of seed {generator.initial_seed()}")

    def copy_block():
        for _ in range(CALLS):
            other.copy_(block)

    results, failed, start = [], 0, time.time()
    for key, program in content["programs"].items():
        name = program["row"]
        row = ROWS[name]
        if name not in options.rows.split(","):
            continue
        ours = Ours(options.root, options.folder, key)
        for shape in program["shapes"]:
            if shape not in options.shapes.split(","):
                continue
            torch.cuda.empty_cache()
            tokens = ALL_SHAPES[shape][2]
            inputs = {}
            for argument, type_ in program["arguments"]:
                *size, _ = type_.split("x")
                size = [tokens if s == "?" else int(s) for s in size]
                inputs[argument] = make_input(
                    row.inputs[argument], argument, size, generator)
            query = inputs.get("q", inputs.get("r"))
            states = [torch.randn([int(s) for s in type_.split("x")[:-1]],
                                  device="cuda", generator=generator)
                      for type_ in program["states"]]
            first = {n: x[:, :, :CHECKED].double() if x.dim() > 2 else x.double()
                     for n, x in inputs.items()}
            exact_state = None
            if row.exact:
                exact = row.exact(first)
            else:
                exact, exact_state = recurrence(
                    **row.terms(first),
                    **({"state": batch_first(states[0], query).double()}
                       if states else {}))
            # What is not written stays no number.
            output = torch.full_like(query, torch.nan)
            initial = [batch_first(state, query).clone(
                memory_format=torch.contiguous_format) for state in states]
            arguments = [*inputs.values(), output, *states]
            ours(arguments)
            error = get_error(output[:, :, : exact.shape[2]], exact)
            if states:
                got = batch_first(states[0], query)
                error = max(error, get_error(got, exact_state))
            functions = [copy_block, capture(lambda: ours(arguments))]
            peer_error = cold = None
            call = row.step if states else row.peer
            if (peer and call
                    and time.time() - start < options.peer_seconds
                    and name in options.peer_rows.split(",")
                    and shape in options.peer_shapes.split(",")):
                theirs = {n: x.transpose(1, 2).contiguous()
                          if x.dim() > 2 else x.to(torch.bfloat16)
                          for n, x in inputs.items()}
                try:
                    begin = time.time()
                    with torch.no_grad():
                        out, *_ = call(peer, theirs, *initial)
                        torch.cuda.synchronize()
                        cold = time.time() - begin
                        out = out.transpose(1, 2)[:, :, : exact.shape[2]]
                        peer_error = get_error(out, exact)
                        functions.append(
                            capture(lambda: call(peer, theirs, *initial)))
                except Exception as problem:  # noqa: BLE001
                    print(f"{name} {shape}: the peer fails: "
                          f"{str(problem)[:200]}")
            times = measure(functions)
            moved = sum(x.numel() * x.element_size()
                        for x in [*inputs.values(), output, *states, *states])
            bandwidth = 2 * block.numel() * 4 / times[0]
            share = moved / times[1] / bandwidth
            line = [name, shape, times[1], share, error]
            if len(times) > 2:
                line += [times[2], moved / times[2] / bandwidth, peer_error,
                         cold]
            results.append(line)
            failed += not error < 1e-2
            print(name, shape, f"copy {bandwidth / 1e6:.0f} GB/s,",
                  f"ours {times[1]:.4f} ms {100 * share:.0f} % {error:.1e}",
                  f"peer {times[2]:.4f} ms {100 * line[6]:.0f} %"
                  f" {peer_error:.1e}, {times[2] / times[1]:.1f} times"
                  if len(times) > 2 else "", flush=True)
            del inputs, first, exact, exact_state, output, states, initial
            del arguments, functions
    if options.report:
        write_report(options.report, content, results)
    print(f"{len(results)} rows, {failed} failed")
    return bool(failed or not results)


def write_report(path, content, results):
    query = subprocess.run(
        ["nvidia-smi", "--query-gpu=name,driver_version",
         "--format=csv,noheader"], capture_output=True, text=True,
        check=False).stdout.strip().split("\n")[0]
    import triton

    with open(path, "w", encoding="utf-8") as file:
        file.write("# Mechanisms on a GPU beside their peer\n\n"
                   "Written by bench/gpu/run.py, whose text says what is "
                   "measured. bf16 in and out.\nThe peer is "
                   "flash-linear-attention's Triton kernels, forward.\n\n")
        for key, value in (
                ("GPU, driver", query),
                ("PyTorch, Triton", f"{torch.__version__}, "
                                    f"{triton.__version__}"),
                ("Date", datetime.date.today().isoformat()),
                ("Commit", content["commit"])):
            file.write(f"- {key}: {value}\n")
        for shape, (batch, heads, tokens, channels) in ALL_SHAPES.items():
            rows = [r for r in results if r[1] == shape]
            if not rows:
                continue
            file.write(f"\n## {shape}: B {batch}, H {heads}, N {tokens}, "
                       f"D {channels}\n\n| mechanism | ms | of copy | error |"
                       " peer, ms | of copy | error | ours is faster |\n"
                       "|---|---|---|---|---|---|---|---|\n")
            for row in rows:
                text = [row[0], f"{row[2]:.4f}", f"{100 * row[3]:.0f} %",
                        f"{row[4]:.1e}"]
                text += ([f"{row[5]:.4f}", f"{100 * row[6]:.0f} %",
                          f"{row[7]:.1e}", f"{row[5] / row[2]:.2f} times"]
                         if len(row) > 5 else ["-"] * 4)
                file.write("| " + " | ".join(text) + " |\n")


if __name__ == "__main__":
    sys.exit(main())
