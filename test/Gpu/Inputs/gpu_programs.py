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
kernels' PTX in it, a program in C++, inputs, the expected output. There,

  python3 FOLDER/check.py ROOT [--sanitize] [--report=FILE]

compiles, runs and compares all of them; ROOT is the root of this repository.
"""

import json
import os
import shutil
import subprocess
import sys

here = os.path.dirname(os.path.abspath(__file__))
code_gen = os.path.join(here, "..", "..", "CodeGen", "Inputs")
sys.path[:0] = [here, os.path.join(here, "..", "..", "Numerics", "Inputs"),
                code_gen]
from forms import EXP_HEAVY, Harness  # noqa: E402
from npy import read_npy  # noqa: E402
from programs import TOKENS, describe_call, write_floats  # noqa: E402
from targets import TARGETS, assemble, run  # noqa: E402

PROGRAM = """\
#include "runtime/gpu/CudaDriver.h"
#include "runtime/gpu/GpuRuntime.h"
#include <cstdio>
#include <cstdlib>
#include <vector>
%(types)s
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
int main(int argc, char **argv) {
  std::string error;
  driver = attn::gpu::CudaDriver::get(error);
  if (!driver)
    fail(error.c_str());
  void *context;
  check(driver->cuDevicePrimaryCtxRetain(&context, 0));
  check(driver->cuCtxSetCurrent(context));
%(arguments)s
  T%(result)d result;
  _mlir_ciface_graph(&result, %(names)s);
  if (const char *text = attn_gpu_take_error())
    fail(text);
  int64_t count = 1;
  for (int64_t size : result.sizes)
    count *= size;
  std::vector<float> host(count);
  check(driver->cuMemcpyDtoHAsync(
      host.data(), reinterpret_cast<uint64_t>(result.data + result.offset),
      count * 4, nullptr));
  check(driver->cuStreamSynchronize(nullptr));
  FILE *file = std::fopen(argv[argc - 1], "wb");
  std::fwrite(host.data(), 4, count, file);
  std::fclose(file);
  return 0;
}
"""

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
    programs, work = [], os.path.join(folder, "work")
    for path in graphs:
        harness = Harness(attn_run, path, os.path.join(work, "x"))
        graph, name = harness.graph, harness.name
        exact = read_npy(harness.find_exact(graph.text, TOKENS))[1]
        lowered = run([attn_opt, f"--attn-gpu-pipeline=chip={chip}"],
                      graph.text.replace("@main", "@graph"))
        stem = os.path.join(folder, name)
        with open(stem + ".s", "w", encoding="utf-8") as file:
            file.write(assemble(llvm, TARGETS["avx2"], lowered))
        with open(stem + ".cpp", "w", encoding="utf-8") as file:
            file.write(PROGRAM % describe_call(graph))
        write_floats(stem + ".exact", exact)
        inputs = []
        for i, npy in enumerate(harness.get_inputs(TOKENS)):
            inputs.append(f"{name}.{i}.in")
            write_floats(os.path.join(folder, inputs[-1]), read_npy(npy)[1])
        programs.append({"name": name, "inputs": inputs,
                         "expected": name + ".exact",
                         "bound": 1e-4 if name in EXP_HEAVY else 1e-5})
        print(f"{name}: written")
    shutil.rmtree(work, ignore_errors=True)
    with open(os.path.join(folder, "programs.json"), "w",
              encoding="utf-8") as file:
        json.dump({"programs": programs, "chip": chip, "tokens": TOKENS,
                   "commit": get_commit()}, file)
    for source in (os.path.join(here, "check.py"),
                   os.path.join(code_gen, "programs.py")):
        shutil.copy(source, folder)
    return not programs


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
