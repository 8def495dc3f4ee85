#!/usr/bin/env python3
# ===- start.py - How fast a process starts ---------------------------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===------------------------------------------------------------------------===#
"""Cold starts, cache hits, the cost of a call and ahead-of-time code; tables.

Fails if a claim does not hold. bench/start.sh builds first.
"""

import argparse
import glob
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

import machine
from tables import format_seconds, format_table

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
MECHANISMS = os.path.join(ROOT, "examples", "mechanisms")
GRAPH = os.path.join(MECHANISMS, "gated_deltanet.mlir")
# The claims, in seconds.
COLD, HIT, OVERHEAD, AHEAD = 1.0, 0.05, 2e-6, 1.0
STEPS = ["libraries", "parse", "derive", "lower", "llvm", "load", "cache", "arrays", "call"]


def start(bench, *options, threads=None):
    """What one process measured, and when its first result was there."""
    environment = dict(os.environ)
    if threads:
        environment["OMP_NUM_THREADS"] = str(threads)
    # The clock is the process's as well: CLOCK_MONOTONIC.
    begin = time.monotonic()
    done = subprocess.run(
        [bench, GRAPH, *options], capture_output=True, text=True, env=environment
    )
    if done.returncode:
        sys.exit(f"error: {done.stderr.strip()}")
    answer = json.loads(done.stdout)
    if answer["warnings"]:
        sys.exit(f"error: {answer['warnings']}")
    answer["libraries"] = answer["main"] - begin
    answer["total"] = answer["end"] - begin
    answer["arrays"] = answer["allocate"]
    compiled = sum(answer[step] for step in ("parse", "derive", "lower", "llvm", "load"))
    answer["cache"] = answer["compile"] - compiled
    return answer


def compile_ahead(tool, graph, folder, runs):
    """The seconds that attn-compile takes, and the bytes of its object."""
    path = os.path.join(folder, "code.o")
    seconds = []
    for _ in range(runs):
        begin = time.monotonic()
        done = subprocess.run([tool, graph, "-o", path], capture_output=True, text=True)
        seconds.append(time.monotonic() - begin)
        if done.returncode:
            sys.exit(f"error: {done.stderr.strip()}")
    return statistics.median(seconds), os.path.getsize(path)


def get_medians(answers):
    return {key: statistics.median(a[key] for a in answers) for key in STEPS + ["total"]}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--bench", required=True, help="the program attn-bench-start")
    parser.add_argument("--build", default="release", help="its build, for the report")
    parser.add_argument("--runs", type=int, default=15, help="processes of each kind")
    parser.add_argument("--quick", action="store_true", help="check, not measure")
    parser.add_argument("--results", default=os.path.join(ROOT, "bench", "results"))
    args = parser.parse_args()
    runs = 2 if args.quick else args.runs

    facts = machine.describe(ROOT, args.build)
    form = "--recurrence-form=chunkwise"
    with tempfile.TemporaryDirectory() as folder:
        cold = [
            start(args.bench, form, f"--cache={folder}/{i}") for i in range(runs)
        ]
        hits = [start(args.bench, form, f"--cache={folder}/0") for _ in range(runs)]
    if any(a["origin"] != 0 for a in cold) or any(a["origin"] != 1 for a in hits):
        sys.exit("error: expected compilations, then hits of the cache on disk")
    seconds = 0.05 if args.quick else 10
    calls = start(args.bench, "--state", "--tokens=1", f"--calls={seconds}", threads=1)

    graphs = [GRAPH] if args.quick else sorted(glob.glob(os.path.join(MECHANISMS, "*.mlir")))
    tool = os.path.join(os.path.dirname(args.bench), "attn-compile")
    with tempfile.TemporaryDirectory() as folder:
        ahead = {
            os.path.basename(graph)[:-len(".mlir")]: compile_ahead(
                tool, graph, folder, 1 if args.quick else 3
            )
            for graph in graphs
        }
    slowest = max(seconds for seconds, _ in ahead.values())

    cold, hits = get_medians(cold), get_medians(hits)
    overhead = calls["checked"] - calls["bare"]
    claims = [
        ["cold start", format_seconds(cold["total"]), format_seconds(COLD), cold["total"] <= COLD],
        ["cache hit", format_seconds(hits["total"]), format_seconds(HIT), hits["total"] <= HIT],
        ["call overhead", format_seconds(overhead), format_seconds(OVERHEAD), overhead <= OVERHEAD],
        ["ahead of time", format_seconds(slowest), format_seconds(AHEAD), slowest <= AHEAD],
    ]
    holds = all(claim[3] for claim in claims)
    lines = [
        "# From the start of a process to its first result",
        "",
        "Chunkwise Gated DeltaNet, 8 heads of 64 channels, 256 tokens, f32, on the CPU.",
        "The clock starts before the process does. Medians. Written by bench/start.sh.",
        "",
        format_table(["", ""], facts),
        "",
        format_table(
            ["claim", "measured", "at most", "holds"],
            [[*claim[:3], "yes" if claim[3] else "NO"] for claim in claims],
        ),
        "",
        "## Steps",
        "",
        "Libraries: the program is loaded, LLVM and MLIR with it. Cache: keys, checksums",
        "and files. Arrays: what the caller allocates and fills.",
        "",
        format_table(
            ["step", "cold start", "cache hit"],
            [[s, format_seconds(cold[s]), format_seconds(hits[s])] for s in STEPS + ["total"]],
        ),
        "",
        "## A call",
        "",
        "One token a call, one thread, the state in place, 6 arguments and 2 results: the",
        "compiled function alone, as a callable, and as one that does not read decays and",
        "gates.",
        "",
        format_table(
            ["", "a call"],
            [[name, format_seconds(calls[name])] for name in ("bare", "checked", "unchecked")],
        ),
        "",
        "## Ahead of time",
        "",
        "attn-compile from its start to its end, for this CPU, one thread; all tokens of",
        "examples/mechanisms.",
        "",
        format_table(
            ["mechanism", "attn-compile", "object"],
            [
                [name, format_seconds(seconds), f"{size / 1000:.0f} kB"]
                for name, (seconds, size) in ahead.items()
            ],
        ),
    ]
    text = "\n".join(lines) + "\n"
    print(text, end="")
    os.makedirs(args.results, exist_ok=True)
    with open(os.path.join(args.results, "start.md"), "w", encoding="utf-8") as file:
        file.write(text)
    return 0 if holds or args.quick else 1


if __name__ == "__main__":
    sys.exit(main())
