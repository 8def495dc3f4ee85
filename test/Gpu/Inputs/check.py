#!/usr/bin/env python3
# ===- check.py - Runs what gpu_programs.py wrote, on a GPU ---------------=== #
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===------------------------------------------------------------------------=== #
"""Compiles, runs and compares what gpu_programs.py wrote."""
import argparse
import concurrent.futures
import datetime
import json
import math
import os
import subprocess
import sys

from programs import get_error, read_floats

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


def build(program):
    stem = os.path.join(folder, program["name"])
    runtime = os.path.join(options.root, "runtime", "gpu")
    return subprocess.run(
        ["g++", "-std=c++17", "-O1", f"-I{options.root}", stem + ".cpp",
         stem + ".s", f"{runtime}/CudaDriver.cpp", f"{runtime}/GpuRuntime.cpp",
         "-ldl", "-o", stem], capture_output=True, text=True, check=False)


def run(program, *wrapper, output=".raw"):
    name = program["name"]
    files = [os.path.join(folder, f) for f in program["inputs"]]
    return subprocess.run(
        [*wrapper, os.path.join(folder, name), *files,
         os.path.join(folder, name + output)],
        capture_output=True, text=True, check=False)


def check(program, built):
    if built.returncode:
        print(built.stderr[-2000:])
        return math.inf
    ran = run(program)
    if ran.returncode:
        print(ran.stdout[-1000:], ran.stderr[-1000:])
        return math.inf
    return get_error(*(read_floats(os.path.join(folder, file)) for file in
                       (program["name"] + ".raw", program["expected"])))


def sanitize(program, tool):
    ran = run(program, "compute-sanitizer", "--tool", tool, "--error-exitcode=9",
              output="." + tool)
    return "clean" if ran.returncode == 0 else "errors"


tools = ("memcheck", "racecheck") if options.sanitize else ()
with concurrent.futures.ThreadPoolExecutor() as pool:
    builds = list(pool.map(build, programs))
errors = [check(program, built) for program, built in zip(programs, builds)]
with concurrent.futures.ThreadPoolExecutor(8) as pool:
    found = [[pool.submit(sanitize, program, tool) for tool in tools]
             for program in programs]
    found = [[future.result() for future in futures] for futures in found]
rows, failed = [], 0
for program, error, words in zip(programs, errors, found):
    row = [program["name"], f"{error:.1e}", *words]
    good = error <= program["bound"] and words.count("clean") == len(tools)
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
        file.write("# All mechanisms on a GPU\n\n"
                   "Written by test/Gpu/Inputs/gpu_programs.py and its check.py: "
                   f"f32, {content['tokens']} tokens,\n"
                   f"compiled for {content['chip']}.\n\n")
        for key, value in (("GPU, driver", device),
                           ("Date", datetime.date.today().isoformat()),
                           ("Commit", content["commit"])):
            file.write(f"- {key}: {value}\n")
        file.write("\n| " + " | ".join(head) + " |\n|")
        file.write("---|" * len(head) + "\n")
        for row in rows:
            file.write("| " + " | ".join(row) + " |\n")
sys.exit(bool(failed or not programs))
