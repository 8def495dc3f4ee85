#!/usr/bin/env python3
# ===- gpu_programs.py - Mechanisms as programs for a machine with a GPU ---=== #
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===------------------------------------------------------------------------=== #
"""gpu_programs.py LLVM_BIN ATTN_OPT ATTN_RUN CHIP FOLDER GRAPH...

Writes for each graph what a machine with a GPU, a C++ compiler and Python needs
to run it and compare it with f64, and nothing else: the host's assembly with the
kernels' PTX in it, a program in C++, inputs, the expected output. A graph that is
a recurrence is there twice: all tokens in one call, and decoding, a token a call
with the state updated in place. There,

  python3 FOLDER/check.py ROOT [--sanitize] [--report=FILE]

compiles, runs and compares all of them; ROOT is the root of this repository.
"""

import json
import math
import os
import re
import shutil
import subprocess
import sys

here = os.path.dirname(os.path.abspath(__file__))
code_gen = os.path.join(here, "..", "..", "CodeGen", "Inputs")
sys.path[:0] = [here, os.path.join(here, "..", "..", "Numerics", "Inputs"),
                code_gen]
from forms import NO_RECURRENCE, Harness, cut_array  # noqa: E402
from npy import read_npy  # noqa: E402
from programs import TOKENS, write_floats  # noqa: E402
from targets import TARGETS, assemble, run  # noqa: E402

PROGRAM = """\
#include "runtime/gpu/CudaDriver.h"
#include "runtime/gpu/GpuRuntime.h"
#include <cstdio>
#include <cstdlib>
#include <vector>
template <int rank> struct Array {
  float *allocated, *data;
  int64_t offset, sizes[rank], strides[rank];
};
extern "C" void _mlir_ciface_graph(%(parameters)s);
static const attn::gpu::CudaDriver *driver;
static void fail(const char *text) {
  std::fprintf(stderr, "%%s\\n", text);
  std::exit(1);
}
static void check(int result) {
  if (result)
    fail(driver->describe("driver", result).c_str());
}
static float *read_floats(const char *path, size_t count) {
  std::vector<float> host(count);
  FILE *file = std::fopen(path, "rb");
  if (!file || std::fread(host.data(), 4, count, file) != count)
    fail(path);
  std::fclose(file);
  uint64_t memory;
  check(driver->cuMemAllocAsync(&memory, count * 4, nullptr));
  check(driver->cuMemcpyHtoDAsync(memory, host.data(), count * 4, nullptr));
  check(driver->cuStreamSynchronize(nullptr));
  return reinterpret_cast<float *>(memory);
}
static float *make_zeros(size_t count) {
  uint64_t memory;
  check(driver->cuMemAllocAsync(&memory, count * 4, nullptr));
  std::vector<float> host(count);
  check(driver->cuMemcpyHtoDAsync(memory, host.data(), count * 4, nullptr));
  check(driver->cuStreamSynchronize(nullptr));
  return reinterpret_cast<float *>(memory);
}
int main(int argc, char **argv) {
  std::string error;
  driver = attn::gpu::CudaDriver::get(error);
  if (!driver)
    fail(error.c_str());
  void *context;
  check(driver->cuDevicePrimaryCtxRetain(&context, 0));
  check(driver->cuCtxSetCurrent(context));
%(arguments)s
  std::vector<float> host(%(count)d * size_t(%(calls)d));
  for (size_t call = 0; call < %(calls)d; ++call) {
%(advance)s
    Array<%(rank)d> result;
    _mlir_ciface_graph(&result, %(names)s);
    if (const char *text = attn_gpu_take_error())
      fail(text);
    check(driver->cuMemcpyDtoHAsync(
        &host[call * %(count)d],
        reinterpret_cast<uint64_t>(result.data + result.offset),
        %(count)d * 4, nullptr));
    mgpuMemFree(result.allocated, nullptr);
  }
  check(driver->cuStreamSynchronize(nullptr));
  FILE *file = std::fopen(argv[argc - 1], "wb");
  std::fwrite(host.data(), 4, host.size(), file);
  std::fclose(file);
  return 0;
}
"""

# The position of a token is a number on the host.
POSITIONS = ("cosformer",)
EXPOSE_STATES = ("builtin.module(func.func(attn-analyze-scans,attn-linearize,"
                 "attn-expose-state))")


def describe(shapes, counts, result, calls):
    """The parts of a program. The arrays of `counts` elements are read from
    files, the others are states and zero at first."""
    arguments, advance = [], []
    for i, shape in enumerate(shapes):
        size, rank = math.prod(shape), max(len(shape), 1)
        strides = [math.prod(shape[d + 1 :]) for d in range(len(shape))]
        source = (f"read_floats(argv[{i + 1}], {counts[i]})" if i < len(counts)
                  else f"make_zeros({size})")
        arguments.append(f"  float *p{i} = {source};\n"
                         f"  Array<{rank}> a{i} = {{p{i}, p{i}, 0, "
                         f"{{{', '.join(map(str, shape))}}}, "
                         f"{{{', '.join(map(str, strides))}}}}};")
        if i < len(counts) and counts[i] > size:
            advance.append(f"    a{i}.data = p{i} + call * {size};")
    return {"parameters": ", ".join(
                f"Array<{max(len(shape), 1)}> *" for shape in (result, *shapes)),
            "arguments": "\n".join(arguments), "advance": "\n".join(advance),
            "names": ", ".join(f"&a{i}" for i in range(len(shapes))),
            "count": math.prod(result), "rank": len(result), "calls": calls}


def by_token(array, dim):
    """The part of each token, one after the other."""
    shape, values = array
    if dim is None:
        return values
    out = []
    for token in range(shape[dim]):
        out += cut_array(shape, values, dim, token, token + 1)[1]
    return out


class Writer:
    def __init__(self, llvm, attn_opt, chip, folder):
        self.llvm, self.attn_opt = llvm, attn_opt
        self.chip, self.folder = chip, folder
        self.programs = []

    def write(self, name, text, shapes, inputs, exact, result, calls, bound):
        lowered = run([self.attn_opt, f"--attn-gpu-pipeline=chip={self.chip}"],
                      text.replace("@main", "@graph"))
        stem = os.path.join(self.folder, name)
        with open(stem + ".s", "w", encoding="utf-8") as file:
            file.write(assemble(self.llvm, TARGETS["avx2"], lowered))
        with open(stem + ".cpp", "w", encoding="utf-8") as file:
            file.write(PROGRAM % describe(shapes, [len(x) for x in inputs],
                                          result, calls))
        write_floats(stem + ".exact", exact)
        files = [f"{name}.{i}.in" for i in range(len(inputs))]
        for file, values in zip(files, inputs):
            write_floats(os.path.join(self.folder, file), values)
        self.programs.append({"name": name, "inputs": files,
                              "expected": name + ".exact", "bound": bound})
        print(f"{name}: written", flush=True)

    def write_graph(self, harness):
        graph = harness.graph
        exact = read_npy(harness.find_exact(graph.text, TOKENS))
        arrays = [read_npy(npy) for npy in harness.get_inputs(TOKENS)]
        shapes = [shape for shape, _ in arrays]
        self.write(harness.name, graph.text, shapes,
                   [values for _, values in arrays], exact[1], exact[0], 1,
                   harness.bound)
        # A call takes one token of each step.
        steps = {name: graph.get_steps(name) for name in graph.arguments}
        text = graph.text
        if (harness.name in NO_RECURRENCE or harness.name in POSITIONS
                or max(steps.values()) > 1):
            return
        text = run([self.attn_opt, f"--pass-pipeline={EXPOSE_STATES}"],
                   text.replace("x?x", "x1x"))
        states = [tuple(int(n) for n in sizes.split("x")[:-1])
                  for sizes in re.findall(
                      r"tensor<([^>]*)f32> {attn.state}", text)]
        dim = graph.result_token_dim
        self.write(
            harness.name + "-decode", text,
            [graph.get_shape(name, 1) for name in graph.arguments] + states,
            [by_token(array, graph.get_token_dim(name))
             for name, array in zip(graph.arguments, arrays)],
            by_token(exact, dim), exact[0][:dim] + (1,) + exact[0][dim + 1 :],
            TOKENS, harness.bound)


def get_commit():
    """The state of the tree that made the programs."""
    git = ["git", "-C", here]
    try:
        text = run([*git, "rev-parse", "--short=12", "HEAD"]).strip()
        if run([*git, "status", "--porcelain"]):
            text += " with local changes"
    except (OSError, subprocess.CalledProcessError):
        text = "unknown"
    return text


def main(llvm, attn_opt, attn_run, chip, folder, *graphs):
    os.makedirs(folder, exist_ok=True)
    work = os.path.join(folder, "work")
    writer = Writer(llvm, attn_opt, chip, folder)
    for path in graphs:
        writer.write_graph(Harness(attn_run, path, os.path.join(work, "x")))
    shutil.rmtree(work, ignore_errors=True)
    with open(os.path.join(folder, "programs.json"), "w",
              encoding="utf-8") as file:
        json.dump({"programs": writer.programs, "chip": chip, "tokens": TOKENS,
                   "commit": get_commit()}, file)
    for source in (os.path.join(here, "check.py"),
                   os.path.join(code_gen, "programs.py")):
        shutil.copy(source, folder)
    return not writer.programs


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
