# ===- targets.py - The CPUs that code is checked for ----------------------=== #
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===------------------------------------------------------------------------=== #
"""Graphs compiled ahead of time for a CPU by name, with LLVM's own tools."""

import dataclasses
import os
import subprocess


@dataclasses.dataclass
class Target:
    cpu: str
    triple: str
    # A fused multiply-add on the widest vectors, and their bytes.
    fma: str
    vector_bytes: int
    comment: str
    # As attn-compile names it.
    name: str
    # What links and runs a program.
    compiler: str = "gcc"
    emulator: tuple = ()


X86 = "x86_64-unknown-linux-gnu"
TARGETS = {
    "avx512": Target("skylake-avx512", X86, r"vfn?m(add|sub)\w+\s.*%zmm", 64, "#",
                     "cpu:skylake-avx512"),
    "avx2": Target("haswell", X86, r"vfn?m(add|sub)\w+\s.*%ymm", 32, "#",
                   "cpu:x86_64:haswell"),
    "neon": Target("neoverse-n1", "aarch64-unknown-linux-gnu",
                   r"fml[as]\s+v\d+\.4s", 16, "//",
                   "cpu:aarch64:neoverse-n1", "aarch64-linux-gnu-gcc",
                   ("qemu-aarch64",)),
}


def run(command, text=None):
    return subprocess.run(command, input=text, text=True, check=True,
                          capture_output=True).stdout


def lower(attn_opt, target, text, options=""):
    """The LLVM dialect."""
    machine = f"triple={target.triple} chip={target.cpu}"
    return run([attn_opt, f"--attn-cpu-pipeline={machine} {options}"], text)


def assemble(llvm, target, lowered):
    """The assembly of a module in the LLVM dialect."""
    machine = [f"-mtriple={target.triple}", f"-mcpu={target.cpu}"]
    ir = run([f"{llvm}/mlir-translate", "--mlir-to-llvmir"], lowered)
    best = run([f"{llvm}/opt", "-O3", "-S", *machine], ir)
    return run([f"{llvm}/llc", "-O3", "--relocation-model=pic", *machine], best)


def report(graphs, name, check):
    """Prints what `check` says of each graph: a line, and a list of problems.
    Whether there are any, or no graphs."""
    failed = 0
    for graph in graphs:
        line, problems = check(graph)
        print(f"{os.path.basename(graph)}: {line}")
        for problem in problems:
            print(f"  {problem}")
        failed += bool(problems)
    print(f"{len(graphs)} graphs for {name}, {failed} failed")
    return bool(failed or not graphs)
