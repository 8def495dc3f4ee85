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

import array
import json
import math
import os
import re
import shutil
import subprocess
import sys

here = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [here, os.path.join(here, "..", "..", "Numerics", "Inputs"),
                os.path.join(here, "..", "..", "CodeGen", "Inputs")]
from forms import EXP_HEAVY, Harness  # noqa: E402
from npy import read_npy  # noqa: E402
from targets import TARGETS, assemble, run  # noqa: E402

TOKENS = 77

PROGRAM = """\
#include "runtime/gpu/CudaDriver.h"
#include "runtime/gpu/GpuRuntime.h"
#include <cstdio>
#include <cstdlib>
#include <vector>
template <int R> struct T {
  float *allocated, *data;
  int64_t offset, sizes[R], strides[R];
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
int main(int argc, char **argv) {
  std::string error;
  driver = attn::gpu::CudaDriver::get(error);
  if (!driver)
    fail(error.c_str());
  void *context;
  check(driver->cuDevicePrimaryCtxRetain(&context, 0));
  check(driver->cuCtxSetCurrent(context));
%(arguments)s
  T<%(result)d> result;
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

CHECK = '''\
#!/usr/bin/env python3
"""Compiles, runs and compares what gpu_programs.py wrote."""
import argparse
import array
import concurrent.futures
import datetime
import json
import math
import os
import subprocess
import sys

parser = argparse.ArgumentParser()
parser.add_argument("root", help="of the repository")
parser.add_argument("--sanitize", action="store_true",
                    help="run compute-sanitizer's memcheck and racecheck too")
parser.add_argument("--report", help="write a table to this file")
options = parser.parse_args()
folder = os.path.dirname(os.path.abspath(__file__))
with open(os.path.join(folder, "programs.json"), encoding="utf-8") as file:
    content = json.load(file)
programs = content["programs"]


def read(name):
    values = array.array("f")
    with open(os.path.join(folder, name), "rb") as file:
        values.frombytes(file.read())
    return values


def build(program):
    stem = os.path.join(folder, program["name"])
    runtime = os.path.join(options.root, "runtime", "gpu")
    return subprocess.run(
        ["g++", "-std=c++17", "-O1", f"-I{options.root}", stem + ".cpp",
         stem + ".s", f"{runtime}/CudaDriver.cpp", f"{runtime}/GpuRuntime.cpp",
         "-ldl", "-o", stem], capture_output=True, text=True, check=False)


def run(program, *wrapper):
    name = program["name"]
    files = [os.path.join(folder, f) for f in program["inputs"]]
    return subprocess.run(
        [*wrapper, os.path.join(folder, name), *files,
         os.path.join(folder, name + ".raw")],
        capture_output=True, text=True, check=False)


def check(program, built):
    if built.returncode:
        print(built.stderr[-2000:])
        return math.inf
    ran = run(program)
    if ran.returncode:
        print(ran.stdout[-1000:], ran.stderr[-1000:])
        return math.inf
    got, exact = read(program["name"] + ".raw"), read(program["expected"])
    difference = sum((x - y) ** 2 for x, y in zip(got, exact))
    return math.sqrt(difference / sum(y * y for y in exact))


def sanitize(program, tool):
    ran = run(program, "compute-sanitizer", "--tool", tool, "--error-exitcode=9")
    return "clean" if ran.returncode == 0 else "errors"


with concurrent.futures.ThreadPoolExecutor() as pool:
    builds = list(pool.map(build, programs))
rows, failed = [], 0
for program, built in zip(programs, builds):
    row = [program["name"], f"{check(program, built):.1e}"]
    good = float(row[1]) <= program["bound"]
    if options.sanitize and good:
        for tool in ("memcheck", "racecheck"):
            row.append(sanitize(program, tool))
            good &= row[-1] == "clean"
    print(*row)
    rows.append(row)
    failed += not good
print(f"{len(programs)} graphs, {failed} failed")
if options.report:
    device = subprocess.run(
        ["nvidia-smi", "--query-gpu=name,driver_version",
         "--format=csv,noheader"], capture_output=True, text=True,
        check=False).stdout.strip()
    head = ["mechanism", "error to f64"]
    if options.sanitize:
        head += ["memcheck", "racecheck"]
    with open(options.report, "w", encoding="utf-8") as file:
        file.write("# All mechanisms on a GPU\\n\\n"
                   "Written by test/Gpu/Inputs/gpu_programs.py and its check.py: "
                   f"f32, {content['tokens']} tokens,\\n"
                   f"compiled for {content['chip']}.\\n\\n")
        for key, value in (("GPU, driver", device),
                           ("Date", datetime.date.today().isoformat()),
                           ("Commit", content["commit"])):
            file.write(f"- {key}: {value}\\n")
        file.write("\\n| " + " | ".join(head) + " |\\n|")
        file.write("---|" * len(head) + "\\n")
        for row in rows:
            file.write("| " + " | ".join(row) + " |\\n")
sys.exit(bool(failed or not programs))
'''


def write_program(graph, path):
    shapes = {name: graph.get_shape(name, TOKENS) for name in graph.arguments}
    signature = graph.text[: graph.text.index(" {\n")]
    result = len(re.search(r"-> tensor<(.*)xf32>$", signature)[1].split("x"))
    lines, names = [], []
    for i, shape in enumerate(shapes.values()):
        strides = [math.prod(shape[d + 1 :]) for d in range(len(shape))]
        lines.append(f"  float *p{i} = read_floats(argv[{i + 1}], "
                     f"{math.prod(shape)});")
        lines.append(f"  T<{len(shape)}> a{i} = {{p{i}, p{i}, 0, "
                     f"{{{', '.join(map(str, shape))}}}, "
                     f"{{{', '.join(map(str, strides))}}}}};")
        names.append(f"&a{i}")
    parameters = [f"T<{result}> *"] + [f"T<{len(s)}> *"
                                       for s in shapes.values()]
    with open(path, "w", encoding="utf-8") as file:
        file.write(PROGRAM % {
            "parameters": ", ".join(parameters),
            "arguments": "\n".join(lines),
            "names": ", ".join(names),
            "result": result,
        })


def write_floats(path, values):
    with open(path, "wb") as file:
        array.array("f", values).tofile(file)


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
        write_program(graph, stem + ".cpp")
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
    with open(os.path.join(folder, "check.py"), "w", encoding="utf-8") as file:
        file.write(CHECK)
    return not programs


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
