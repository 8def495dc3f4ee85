#!/usr/bin/env python3
# ===- run.py - Every mechanism beside its peers ----------------------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===------------------------------------------------------------------------===#
"""Runs attn-bench-mechanisms over rows and sizes; tables and plots to files.

Fails if a result is wrong. bench/mechanisms.sh builds first.
"""

import argparse
import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.dirname(HERE))

import machine  # noqa: E402
import report  # noqa: E402
from tables import format_seconds, format_tokens, say  # noqa: E402

SCALING_ROWS = {"linear_transformer": 2**20, "softmax": 2**16}
# One row of each kind of recurrence.
QUICK_DECODE = ("linear_transformer", "gla", "kda", "rwkv7", "mlstm", "mamba1",
                "deltaproduct")
# A call that would take longer ends the curve of a row.
LONGEST = 10.0


class Failure(Exception):
    pass


class Runner:
    """Measures; keeps what came out and what failed."""

    def __init__(self, args):
        self.args = args
        self.load = 0
        self.failures = []

    def run(self, row, **sizes):
        """The quietest measurement, of several while others disturb; None for
        a row that cannot be measured."""
        best = machine.run_quietest(lambda: self.run_once(row, **sizes),
                                    self.args.retries)
        if best is None:
            return None
        self.load = max(self.load, best["other_load"])
        for entry in best["entries"]:
            if "error" in entry:
                self.failures.append(
                    (f"{self.describe(row, sizes)}, {entry['name']} "
                     f"{entry['type']}", entry["error"]))
        return best

    @staticmethod
    def describe(row, sizes):
        text = f"{row}, D = {sizes['width']}, {sizes['threads']} thread"
        text += "s" if sizes["threads"] > 1 else ""
        if sizes.get("decode"):
            return text + f", decode, batch {sizes.get('batch', 1)}"
        return text + f", N = {format_tokens(sizes['tokens'])}"

    def run_once(self, row, width, threads, tokens=1, batch=1, decode=False,
                 bf16=False, prefix=None, peers=None, input_sets=2):
        args = self.args
        machine.wait_until_idle(args.wait_idle)
        sizes = dict(width=width, threads=threads, tokens=tokens, batch=batch,
                     decode=decode)
        say(f"  {self.describe(row, sizes)} ...", end="", flush=True)
        command = [
            args.bench, row, f"--examples={os.path.join(ROOT, 'examples')}",
            f"--width={width}", f"--tokens={tokens}", f"--batch={batch}",
            f"--thread-count={threads}", f"--seconds={args.seconds}",
            f"--prefix={prefix or args.prefix}", f"--input-sets={input_sets}",
        ]
        command += ["--decode"] if decode else []
        command += ["--bf16"] if bf16 else []
        peers = args.peers or peers
        command += [f"--peers={','.join(peers)}"] if peers else []
        if not decode:
            command += [f"--process={text}" for text in args.process]
        load = machine.OtherLoad()
        try:
            result = subprocess.run(
                command, capture_output=True, text=True, check=False,
                env=self.make_environment(threads),
                preexec_fn=(lambda: os.sched_setaffinity(0, self.get_core()))
                if threads == 1 else None,
            )
        except OSError as error:
            raise Failure(f"{args.bench}: {error.strerror}") from error
        if result.returncode:
            reason = result.stderr.strip().splitlines()
            self.failures.append((
                self.describe(row, sizes),
                f"status {result.returncode}: " + " ".join(reason[-2:])[:300]))
            say(" failed")
            return None
        measured = json.loads(result.stdout.splitlines()[-1])
        measured["other_load"] = load.get()
        self.show(measured)
        return measured

    def make_environment(self, threads):
        environment = dict(os.environ, OMP_NUM_THREADS=str(threads))
        if threads > 1:
            # LLVM's runtime alone reads this. OMP_PROC_BIND would make GCC's,
            # which oneDNN brings along, bind the first thread before LLVM's
            # sees what cores there are.
            environment["KMP_AFFINITY"] = "granularity=core,compact"
        environment.pop("OMP_PROC_BIND", None)
        if self.args.process:
            # Threads that wait for work must not hold the cores of another
            # process.
            environment.update(KMP_BLOCKTIME="0", OMP_WAIT_POLICY="PASSIVE")
        # It names another machine's kernels where it is set.
        environment.pop("OPENBLAS_CORETYPE", None)
        return environment

    @staticmethod
    def get_core():
        """The last of the cores: the first ones serve interrupts."""
        return {max(os.sched_getaffinity(0))}

    @staticmethod
    def show(measured):
        parts = []
        for entry in measured["entries"]:
            name = entry["name"] + (" bf16" if entry["type"] == "bf16" else "")
            if "median_s" in entry:
                name += f" {format_seconds(entry['median_s'])}"
            if "error" in entry:
                name += " WRONG" if "rel_err" in entry else " failed"
            parts.append(name)
        if measured["other_load"] > machine.BUSY:
            parts.append(f"others took {100 * measured['other_load']:.0f} %")
        say(" " + ", ".join(parts))


# ---- What is measured ----


def list_rows(args):
    try:
        text = subprocess.run([args.bench, "--list"], capture_output=True,
                              text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        raise Failure(f"{args.bench}: {error}") from error
    rows = json.loads(text)
    names = [row["row"] for row in rows]
    for name in args.rows or []:
        if name not in names:
            raise Failure(f"there is no row '{name}'; there are "
                          + ", ".join(names))
    return [row for row in rows if not args.rows or row["row"] in args.rows]


def measure_prefill(runner, rows, args):
    results = []
    if args.bf16 is None:
        args.bf16 = [row["row"] for row in rows]
    for row in rows:
        for width in args.dims:
            for threads in args.threads:
                results.append(runner.run(row["row"], width=width,
                                          threads=threads, tokens=args.tokens,
                                          bf16=row["row"] in args.bf16))
    return [result for result in results if result]


def measure_decode(runner, rows, args):
    """One sequence on one core, whose state L2 holds, and many on all."""
    results = []
    for row in rows:
        if not row["decodes"] or (args.quick and row["row"] not in QUICK_DECODE):
            continue
        for width in args.dims:
            for threads in args.threads:
                results.append(runner.run(
                    row["row"], width=width, threads=threads, decode=True,
                    batch=1 if threads == 1 else args.decode_batch))
    return [result for result in results if result]


def measure_scaling(runner, rows, args):
    """Time against N, until a call takes too long or memory is short."""
    curves = {}
    threads = args.threads[-1]
    for row in rows:
        largest = SCALING_ROWS.get(row["row"])
        if largest is None:
            continue
        tokens, before = 64, None
        while tokens <= min(largest, args.longest):
            # q, k, v, and the results of ours, of the check and of peers.
            if machine.get_available_memory() < 9 * 8 * tokens * 64 * 4 + 1e9:
                break
            result = runner.run(row["row"], width=64, threads=threads,
                                tokens=tokens, prefix=64, input_sets=1,
                                peers=["loop", "blas"])
            if result is None:
                break
            curves.setdefault(row["row"], []).append(result)
            times = [e["median_s"] for e in result["entries"] if "median_s" in e]
            growth = max(times, default=LONGEST) / before if before else 2
            before = max(times, default=LONGEST)
            if before * max(growth, 2) > LONGEST:
                break
            tokens *= 2
    return curves


# ---- Main ----


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__.split("\n", 1)[0])
    build = os.path.join(ROOT, "build", "release", "bin", "attn-bench-mechanisms")

    def words(text):
        return [word for word in text.split(",") if word]

    def numbers(text):
        return [int(word) for word in words(text)]

    parser.add_argument("--bench", default=build,
                        help="the program attn-bench-mechanisms")
    parser.add_argument("--build", default="release",
                        help="its build, for the report")
    parser.add_argument("--results", help="the folder that the results go to",
                        default=os.path.join(ROOT, "bench", "results"))
    parser.add_argument("--rows", type=words, help="some of the rows: a,b,...")
    parser.add_argument("--dims", type=numbers, help="D, by default 64,128")
    parser.add_argument("--threads", type=numbers,
                        help="by default 1 and all cores")
    parser.add_argument("--tokens", type=int, help="N, by default 4096")
    parser.add_argument("--seconds", type=float,
                        help="for all samples of a measurement, by default 3")
    parser.add_argument("--peers", type=words,
                        help="some of the peers that are built in")
    parser.add_argument("--process", action="append", default=[],
                        metavar="NAME=COMMAND",
                        help="a peer of another process")
    parser.add_argument("--torch", action="store_true",
                        help="PyTorch as peers, eager and compiled")
    parser.add_argument("--decode-batch", type=int, default=32,
                        help="sequences that all cores decode")
    parser.add_argument("--bf16", type=words, help="the rows that are measured "
                        "from 16 bits as well, by default all")
    parser.add_argument("--no-prefill", action="store_true")
    parser.add_argument("--no-decode", action="store_true")
    parser.add_argument("--no-scaling", action="store_true")
    parser.add_argument("--longest", type=int, default=2**20,
                        help="the largest N of time against N")
    parser.add_argument("--retries", type=int,
                        help="while others disturb, by default 1")
    parser.add_argument("--wait-idle", type=float, default=0, metavar="SECONDS",
                        help="before each measurement, wait at most so long "
                        "until other processes are idle")
    parser.add_argument("--quick", action="store_true",
                        help="tiny sizes: results are checked, times mean nothing")
    args = parser.parse_args()

    def default(name, quick, usual):
        if getattr(args, name) is None:
            setattr(args, name, quick if args.quick else usual)

    cores = machine.get_cores()
    default("dims", [32], [64, 128])
    default("threads", [cores], sorted({1, cores}))
    default("tokens", 96, 4096)
    default("seconds", 0.02, 3.0)
    default("retries", 0, 1)
    args.prefix = 48 if args.quick else 256
    if args.quick:
        args.longest = min(args.longest, 512)
        args.bf16 = args.bf16 or ["gla"]
        args.decode_batch = 2
    # Results of small sizes or of some rows are not kept in place of whole ones.
    is_partial = args.quick or args.rows or args.no_prefill
    if is_partial and args.results == parser.get_default("results"):
        args.results = os.path.join(ROOT, "build", "bench-quick")
    if args.torch:
        script = os.path.join(HERE, "peers", "torch_peer.py")
        python = os.environ.get("ATTN_BENCH_TORCH", sys.executable)
        args.process += [f"torch-{mode}={python} {script} {mode}"
                         for mode in ("eager", "compiled")]
    return args


def main():
    args = parse_arguments()
    rows = list_rows(args)
    runner = Runner(args)
    # The tree as it was built, whatever happens to it meanwhile.
    facts = machine.describe(ROOT, args.build)
    prefill, decode, scaling = [], [], {}
    if not args.no_prefill:
        say("All tokens at once")
        prefill = measure_prefill(runner, rows, args)
    if not args.no_decode:
        say("One token at a time")
        decode = measure_decode(runner, rows, args)
    if not args.no_scaling:
        say("Time against N")
        scaling = measure_scaling(runner, rows, args)
    facts.append(("Other processes", f"at most {100 * runner.load:.0f} % of the "
                  "cores during a measurement"))
    files = report.make_files(facts, rows, prefill, decode, scaling,
                              runner.failures, args)
    os.makedirs(args.results, exist_ok=True)
    for name, text in files.items():
        with open(os.path.join(args.results, name), "w", encoding="utf-8") as file:
            file.write(text)
    say("\n" + files[f"{report.NAME}.md"])
    say("Written: " + ", ".join(os.path.join(args.results, name)
                                for name in files))
    return 1 if runner.failures else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failure as failure:
        sys.exit(f"error: {failure}")
    except KeyboardInterrupt:
        sys.exit("error: interrupted")
