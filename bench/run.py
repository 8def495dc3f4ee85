#!/usr/bin/env python3
# ===- run.py - Measures what README.md claims ------------------------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===------------------------------------------------------------------------===#
"""Runs attn-bench over sizes; tables and plots to the terminal and to files.

Fails if a claim does not hold. bench/run.sh builds first.
"""

import argparse
import json
import math
import os
import subprocess
import sys

import machine
from plots import Plot
from tables import format_ratio, format_seconds, format_table, format_tokens, say

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
GRAPH = os.path.join(ROOT, "examples", "linear_transformer.mlir")
NAME = "linear-attention"

SCALING = [2**k for k in range(14, 21)]
ORDERS = [8, 16, 32, 64, 96, 128, 192, 256, 512, 1024, 2048, 4096]
# The claims.
MAX_MEMORY = 1.25
SLOPE = (0.85, 1.15)
MIN_SPEEDUP = 10
MAX_ERROR = 1e-5
# Closer than this, in the model or on the clock, neither order is the winner.
TIE = 1.25


class Failure(Exception):
    pass


# ---- Measurements ----


class Runner:
    def __init__(self, args):
        self.args = args
        self.load = 0

    def run(self, mode, tokens, seconds):
        """The quietest measurement, of several while others disturb."""
        row = machine.run_quietest(lambda: self.run_once(mode, tokens, seconds),
                                   self.args.retries)
        self.load = max(self.load, row["other_load"])
        return row

    def run_once(self, mode, tokens, seconds):
        """One process, one size."""
        machine.wait_until_idle(self.args.wait_idle)
        say(f"  {mode}, N = {tokens:,} ...", end="", flush=True)
        load = machine.OtherLoad()
        command = [
            self.args.bench,
            GRAPH,
            f"--mode={mode}",
            f"--tokens={tokens}",
            f"--seconds={seconds}",
        ]
        try:
            result = subprocess.run(command, capture_output=True, text=True)
        except OSError as error:
            raise Failure(f"{self.args.bench}: {error.strerror}") from error
        if result.returncode:
            raise Failure(
                f"attn-bench ended with status {result.returncode}: "
                + result.stderr.strip()
            )
        row = json.loads(result.stdout)
        row["other_load"] = load.get()
        shown = row if mode == "scaling" else row["automatic"]
        busy = row["other_load"] > machine.BUSY
        say(f" {format_seconds(shown['median_s'])}" + (
            f", others took {100 * row['other_load']:.0f} % of the cores"
            if busy else ""))
        return row


def measure_scaling(runner, sizes, seconds):
    rows = []
    for tokens in sizes:
        need = 4 * 8 * tokens * 64 * 4 * MAX_MEMORY + 400e6
        if machine.get_available_memory() < need:
            say(f"  scaling, N = {tokens:,}: left out, {need / 2**30:.1f} GiB "
                "of memory are not free")
            continue
        rows.append(runner.run("scaling", tokens, seconds))
    return rows


# ---- Evaluation ----


def get_slope(rows):
    """Least squares of log(time) over log(N)."""
    xs = [math.log(row["tokens"]) for row in rows]
    ys = [math.log(row["median_s"]) for row in rows]
    x, y = sum(xs) / len(xs), sum(ys) / len(ys)
    return sum((a - x) * (b - y) for a, b in zip(xs, ys)) / sum(
        (a - x) ** 2 for a in xs
    )


def get_ratios(row):
    """How many times the written order costs what the linear one does."""
    measured = row["written"]["median_s"] / row["linear"]["median_s"]
    predicted = row["predicted"]["written"] / row["predicted"]["linear"]
    return predicted, measured


def get_verdict(row):
    predicted, measured = get_ratios(row)
    faster = "linear" if measured > 1 else "written"
    if row["predicted"]["chosen"] == faster:
        return "right"
    if max(predicted, 1 / predicted) < TIE or max(measured, 1 / measured) < TIE:
        return "tie"
    return "WRONG"


def get_crossover(rows, index):
    """Where a ratio of get_ratios passes 1 for good, between two sizes."""
    for low, high in reversed(list(zip(rows, rows[1:]))):
        a, b = (math.log(get_ratios(row)[index]) for row in (low, high))
        if a <= 0 < b:
            part = a / (a - b)
            return low["tokens"] * (high["tokens"] / low["tokens"]) ** part
    return None


def check_claims(scaling, orders):
    """Rows (claim, limit, measured, holds)."""
    claims = []
    largest = scaling[-1]
    ratio = largest["peak_bytes"] / largest["io_bytes"]
    claims.append((
        f"peak memory of the process / bytes of q, k, v and o, N = {SCALING[-1]:,}",
        f"at most {MAX_MEMORY}",
        f"{ratio:.3f}" + ("" if largest["tokens"] == SCALING[-1]
                          else f" (N = {largest['tokens']:,} only)"),
        largest["tokens"] == SCALING[-1] and ratio <= MAX_MEMORY,
    ))
    slope = get_slope(scaling)
    claims.append((
        f"time grows as N^s, N = {scaling[0]['tokens']:,} to "
        f"{largest['tokens']:,}",
        f"s from {SLOPE[0]} to {SLOPE[1]}",
        f"s = {slope:.3f}",
        SLOPE[0] <= slope <= SLOPE[1],
    ))
    last = orders[-1]
    speedup = last["written"]["median_s"] / last["automatic"]["median_s"]
    claims.append((
        f"time as written / time as compiled, N = {last['tokens']:,}",
        f"at least {MIN_SPEEDUP}",
        f"{speedup:.1f}",
        speedup >= MIN_SPEEDUP,
    ))
    verdicts = [get_verdict(row) for row in orders]
    sides = {row["predicted"]["chosen"] for row in orders
             if get_verdict(row) == "right"}
    claims.append((
        "the plan names the faster order, on both sides of the crossover",
        "no size wrong",
        ", ".join(f"{verdicts.count(v)} {v}" for v in ("right", "tie", "WRONG")),
        "WRONG" not in verdicts and sides == {"written", "linear"},
    ))
    return claims


def get_worst_error(scaling, orders):
    results = scaling + [
        row[name] for row in orders for name in ("written", "linear", "automatic")
    ]
    return max(
        (r["rel_err"] if math.isfinite(r["rel_err"]) else math.inf) for r in results
    )


# ---- Text ----


def format_spread(times):
    return (f"{format_seconds(times['min_s'])} to {format_seconds(times['max_s'])}, "
            f"{times['samples']}")


def scaling_table(rows):
    return format_table(
        ["N", "time", "range, samples", "Mtokens/s", "q, k, v, o", "peak memory",
         "peak / q, k, v, o", "rel_err", "others"],
        [(f"{r['tokens']:,}", format_seconds(r["median_s"]), format_spread(r),
          f"{r['tokens'] / r['median_s'] / 1e6:.3f}",
          f"{r['io_bytes'] / 2**20:.0f} MiB", f"{r['peak_bytes'] / 2**20:.0f} MiB",
          f"{r['peak_bytes'] / r['io_bytes']:.3f}", f"{r['rel_err']:.1e}",
          f"{100 * r['other_load']:.0f} %")
         for r in rows],
    )


def orders_table(rows):
    def cells(row):
        predicted, measured = get_ratios(row)
        verdict = get_verdict(row)
        return (
            f"{row['tokens']:,}",
            *(format_seconds(row[name]["median_s"])
              for name in ("written", "linear", "automatic")),
            format_ratio(measured), format_ratio(predicted),
            "linear" if measured > 1 else "written",
            row["predicted"]["chosen"], verdict,
            f"{100 * row['other_load']:.0f} %",
        )

    return format_table(
        ["N", "(Q K^T) V", "Q (K^T V)", "as compiled", "measured ratio",
         "predicted ratio", "faster", "chosen", "choice", "others"],
        [cells(row) for row in rows],
    )


def make_plots(scaling, orders):
    time = Plot("Linear attention (elu+1), 8 heads, d = 64, f32: time of a call",
                "tokens", "time", format_tokens, format_seconds)
    time.add("as compiled", [(r["tokens"], r["automatic"]["median_s"])
                             for r in orders]
             + [(r["tokens"], r["median_s"]) for r in scaling
                if r["tokens"] > orders[-1]["tokens"]])
    time.add("(Q K^T) V, as written",
             [(r["tokens"], r["written"]["median_s"]) for r in orders])
    ratio = Plot("Time of (Q K^T) V over time of Q (K^T V)", "tokens", "ratio",
                 format_tokens, lambda y: f"{y:.3g}")
    ratio.add("measured", [(r["tokens"], get_ratios(r)[1]) for r in orders])
    ratio.add("predicted", [(r["tokens"], get_ratios(r)[0]) for r in orders])
    ratio.add("equal", [(r["tokens"], 1) for r in orders], dashed=True)
    return {"time": time, "orders": ratio}


def make_report(args, runner, scaling, orders, claims, error):
    facts = machine.describe(ROOT, args.build)
    load = f"at most {100 * runner.load:.0f} % of the cores during a measurement"
    facts.append(("Other processes", load))
    parts = [
        "# Linear attention: time, memory and the choice of the order",
        "O = normalize(phi(Q) phi(K)^T) V with phi = elu + 1, not causal, 8 heads,\n"
        "d = 64, f32, standard normal input: examples/linear_transformer.mlir.\n"
        "Written by bench/run.sh; bench/README.md says what is measured and how.",
        format_table(["", ""], facts),
    ]
    if claims:
        parts += ["## Claims", format_table(
            ["claim", "limit", "measured", "holds"],
            [(*c[:3], "yes" if c[3] else "NO") for c in claims])]
    parts += [
        "## Time and memory of the compiled graph",
        scaling_table(scaling),
        f"![time]({NAME}-time.svg)",
        "## Both orders, forced, and the choice",
        orders_table(orders),
    ]
    crossings = [get_crossover(orders, i) for i in (1, 0)]
    if all(crossings):
        parts.append("The orders cost the same at about N = {:.0f} by the clock "
                     "and N = {:.0f} by the cost model.".format(*crossings))
    parts += [
        f"![orders]({NAME}-orders.svg)",
        f"Largest relative error against f64, 16 rows of each result: {error:.1e}.",
    ]
    return "\n\n".join(parts) + "\n"


# ---- Main ----


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    build = os.path.join(ROOT, "build", "release", "bin", "attn-bench")
    parser.add_argument("--bench", default=build, help="the program attn-bench")
    parser.add_argument("--build", default="release", help="its build, for the report")
    parser.add_argument("--results", default=os.path.join(ROOT, "bench", "results"),
                        help="the folder that the results go to")
    parser.add_argument("--quick", action="store_true",
                        help="small sizes: results are checked, but no claim on time")
    parser.add_argument("--wait-idle", type=float, default=0, metavar="SECONDS",
                        help="before each measurement, wait at most so long until "
                        "other processes are idle")
    args = parser.parse_args()
    args.retries = 0 if args.quick else 2
    if args.quick and args.results == parser.get_default("results"):
        # Results of small sizes are not kept in place of real ones.
        args.results = os.path.join(ROOT, "build", "bench-quick")
    return args


def main():
    args = parse_arguments()
    runner = Runner(args)
    say("Measuring")
    scaling_sizes = [256, 512, 1024] if args.quick else SCALING
    order_sizes = [8, 64, 256] if args.quick else ORDERS
    orders = [runner.run("orders", n, 0.1 if args.quick else 5)
              for n in order_sizes]
    scaling = measure_scaling(runner, scaling_sizes, 0.1 if args.quick else 15)
    if not scaling:
        raise Failure("too little memory for any size")
    claims = [] if args.quick else check_claims(scaling, orders)
    error = get_worst_error(scaling, orders)
    claims.append(("relative error against f64", f"at most {MAX_ERROR:g}",
                   f"{error:.1e}", error <= MAX_ERROR))

    report = make_report(args, runner, scaling, orders, claims, error)
    plots = make_plots(scaling, orders)
    os.makedirs(args.results, exist_ok=True)
    files = {f"{NAME}.md": report}
    for name, plot in plots.items():
        files[f"{NAME}-{name}.svg"] = plot.svg()
    for name, text in files.items():
        with open(os.path.join(args.results, name), "w", encoding="utf-8") as file:
            file.write(text)
    say("\n" + report)
    for plot in plots.values():
        say(plot.text() + "\n")
    say("Written: " + ", ".join(os.path.join(args.results, name) for name in files))
    return 0 if all(claim[3] for claim in claims) else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failure as failure:
        sys.exit(f"error: {failure}")
    except KeyboardInterrupt:
        sys.exit("error: interrupted")
