# ===- report.py - Tables and plots of all mechanisms -----------------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===------------------------------------------------------------------------===#
"""What run.py measured, as Markdown and as SVG files."""

import math

from plots import Bars, Plot
from tables import (format_ratio, format_seconds, format_table, format_tokens)

NAME = "mechanisms-cpu"
NOTHING = "-"


# ---- One measurement ----


def find(result, name, kind="f32"):
    """An entry that has a time; wrong results have no speed."""
    for entry in result["entries"]:
        if (entry["name"], entry["type"]) == (name, kind):
            return entry if "median_s" in entry and "error" not in entry else None
    return None


def find_peers(result):
    """The right ones, the fastest first."""
    peers = [entry for entry in result["entries"]
             if entry["name"] != "ours" and "median_s" in entry
             and "error" not in entry]
    return sorted(peers, key=lambda entry: entry["median_s"])


def get_ratio(result):
    """The best peer's time over ours; above 1 ours is faster."""
    ours, peers = find(result, "ours"), find_peers(result)
    return peers[0]["median_s"] / ours["median_s"] if ours and peers else None


def get_bound(result):
    """Thousand tokens a second that the machine's peaks allow: multiply-adds
    of chunks of 16 tokens, or bytes of inputs and results."""
    flops = result["peaks"]["fma"] / result["bound_flops_per_token"]
    count = result["batch"] * result["tokens"]
    return min(flops, result["peaks"]["copy"] * count / result["io_bytes"]) / 1e3


def get_rate(result, seconds):
    """Thousand tokens a second."""
    return result["batch"] * result["tokens"] / seconds / 1e3


# ---- Numbers ----


def number(value):
    if value is None:
        return NOTHING
    return f"{value:.3g}" if value < 1000 else f"{value:.0f}"


def percent(value):
    return NOTHING if value is None else f"{100 * value:.0f} %"


def ratio(value):
    return NOTHING if value is None else format_ratio(value)


def spread(entry):
    """Half of the samples lie within so much of the median."""
    wide = max(entry["high_s"] - entry["median_s"],
               entry["median_s"] - entry["low_s"])
    return f"± {100 * wide / entry['median_s']:.1f} %"


def name_peer(entry):
    choice = f" ({entry['choice']})" if entry.get("choice") else ""
    return entry["name"] + choice


def select(results, width, threads):
    return [r for r in results
            if (r["width"], r["threads"]) == (width, threads)]


def list_sizes(results):
    return sorted({(r["width"], r["threads"]) for r in results})


# ---- Tables ----


def prefill_table(results):
    def cells(result):
        fma, copy = result["peaks"]["fma"], result["peaks"]["copy"]
        bound = get_bound(result)
        ours, peers = find(result, "ours"), find_peers(result)
        peer = [name_peer(peers[0]),
                number(get_rate(result, peers[0]["median_s"]))] if peers else [
                    NOTHING, NOTHING]
        if not ours:
            return [result["row"], "failed", "", number(bound), *(7 * [""]),
                    *peer, NOTHING]
        seconds = ours["median_s"]
        tokens = result["batch"] * result["tokens"]
        flops = result["flops_per_token"] * tokens / seconds
        bytes_per_second = result["io_bytes"] / seconds
        narrow = find(result, "ours", "bf16")
        return [
            result["row"],
            number(get_rate(result, seconds)), spread(ours), number(bound),
            number(flops / 1e9), percent(flops / fma),
            number(bytes_per_second / 1e9), percent(bytes_per_second / copy),
            number(ours["peak_bytes"] / 2**20 if "peak_bytes" in ours else None),
            number(narrow and get_rate(result, narrow["median_s"])),
            ratio(narrow and seconds / narrow["median_s"]),
            *peer, ratio(get_ratio(result)),
        ]

    return format_table(
        ["row", "k tokens/s", "spread", "bound", "GFLOP/s", "of FMA peak", "GB/s",
         "of copy", "peak MiB", "bf16", "bf16 / f32", "best peer", "its", "ours / peer"],
        [cells(result) for result in results])


def peers_table(results):
    """All peers side by side, of all sizes."""
    names = sorted({entry["name"] for result in results
                    for entry in find_peers(result)})

    def cells(result):
        ours = find(result, "ours")
        out = [result["row"], result["width"], result["threads"],
               number(ours and get_rate(result, ours["median_s"]))]
        for name in names:
            entry = find(result, name)
            if not entry:
                out.append(NOTHING)
                continue
            rate = number(get_rate(result, entry["median_s"]))
            choice = f", {entry['choice']}" if entry.get("choice") else ""
            out.append(f"{rate}{choice}")
        return out

    return format_table(["row", "D", "threads", "ours", *names],
                        [cells(r) for r in results if find_peers(r)])


def threads_table(results):
    """All threads against one."""
    rows = []
    most = max(r["threads"] for r in results)
    for one in results:
        for many in results:
            if (one["threads"] == 1 and many["threads"] == most > 1
                    and (one["row"], one["width"]) == (many["row"], many["width"])):
                pair = find(one, "ours"), find(many, "ours")
                if all(pair):
                    rows.append((one["row"], one["width"],
                                 ratio(pair[0]["median_s"] / pair[1]["median_s"])))
    return format_table(["row", "D", f"{most} threads / 1"], rows) if rows else None


def decode_table(results):
    def cells(result):
        ours, peers = find(result, "ours"), find_peers(result)
        if not ours:
            return [result["row"], result["width"], result["batch"],
                    result["threads"], "failed"] + 7 * [""]
        speed = 2 * result["state_bytes"] / ours["median_s"]
        update = result["peaks"]["update"]
        return [
            result["row"], result["width"], result["batch"], result["threads"],
            format_seconds(ours["median_s"]), spread(ours),
            f"{result['state_bytes'] / 1024:.0f}", number(speed / 1e9),
            number(update / 1e9), percent(speed / update),
            format_seconds(peers[0]["median_s"]) if peers else NOTHING,
            ratio(get_ratio(result)),
        ]

    return format_table(
        ["row", "D", "batch", "threads", "a call", "spread", "state KiB", "GB/s",
         "update GB/s", "share", "peer", "ours / peer"],
        [cells(result) for result in results])


def errors_table(results):
    """The largest relative errors of a row, over all sizes."""
    columns = ["f32, prefix to f64", "bf16, prefix to f64", "bf16 to f32",
               "f32 to one by one", "peers, prefix to f64", "peers to ours"]
    rows = {}

    def note(row, column, error):
        if error is not None:
            worst = rows.setdefault(row, {})
            worst[column] = max(worst.get(column, 0.0), error)

    for result in results:
        for entry in result["entries"]:
            who = entry["type"] if entry["name"] == "ours" else "peers"
            note(result["row"], f"{who}, prefix to f64", entry.get("rel_err"))
            note(result["row"], "bf16 to f32" if who == "bf16"
                 else "peers to ours", entry.get("rel_err_to_ours"))
            note(result["row"], "f32 to one by one",
                 entry.get("rel_err_to_recurrent"))
    return format_table(["row", *columns], [
        [row, *(f"{worst[c]:.1e}" if c in worst else NOTHING for c in columns)]
        for row, worst in rows.items()])


def flops_table(rows):
    return format_table(
        ["row", "flops a head and token, K = V = D", "at D = 64",
         "with chunks of 16"],
        [(row["row"], row["formula"], f"{row['flops_64']:,.0f}",
          f"{row['bound_flops_64']:,.0f}") for row in rows])


def scaling_table(curves):
    rows = []
    for name, results in curves.items():
        for result in results:
            ours, peers = find(result, "ours"), find_peers(result)
            rows.append((name, f"{result['tokens']:,}",
                         format_seconds(ours["median_s"]) if ours else "failed",
                         number(ours["peak_bytes"] / 2**20)
                         if ours and "peak_bytes" in ours else NOTHING,
                         name_peer(peers[0]) if peers else NOTHING,
                         format_seconds(peers[0]["median_s"]) if peers
                         else NOTHING))
    return format_table(["row", "N", "ours", "peak MiB", "best peer", "its"], rows)


def get_points(results):
    return [(r["tokens"], find(r, "ours")["median_s"]) for r in results
            if find(r, "ours")]


def get_crossover(slow, fast):
    """The N from which on `fast` is faster for good, between measured sizes."""
    common = sorted(set(dict(slow)) & set(dict(fast)))
    logs = [(n, math.log(dict(slow)[n] / dict(fast)[n])) for n in common]
    for (low, a), (high, b) in reversed(list(zip(logs, logs[1:]))):
        if a <= 0 < b:
            return low * (high / low) ** (a / (a - b))
    return None


def say_crossover(curves):
    slow, fast = (get_points(curves.get(name, []))
                  for name in ("softmax", "linear_transformer"))
    crossover = get_crossover(slow, fast)
    if crossover:
        return f"Causal linear attention is faster from N = {crossover:.0f} on."
    common = dict(slow).keys() & dict(fast).keys()
    if not common:
        return "There is no common N."
    first = min(common)
    sooner = dict(slow)[first] > dict(fast)[first]
    return ("Causal linear attention is faster at every N measured."
            if sooner else "No crossover was measured.")


# ---- Plots ----


def scaling_plot(curves):
    plot = Plot("Causal attention, 8 heads, D = 64, f32, all cores: time of a call",
                "tokens", "time", format_tokens, format_seconds)
    for name, results in curves.items():
        plot.add(name, get_points(results))
        best = [(r["tokens"], find_peers(r)[0]["median_s"]) for r in results
                if find_peers(r)]
        if best:
            plot.add(f"{name}, best peer", best)
    return plot


def rates_plot(results, width, threads):
    cores = "1 core" if threads == 1 else f"{threads} cores"
    bars = Bars(f"8 heads, D = {width}, f32, {cores}", "thousand tokens a second",
                ["ours", "ours, bf16", "best peer", "bound"], number)
    for result in results:
        ours, narrow = find(result, "ours"), find(result, "ours", "bf16")
        peers = find_peers(result)
        bars.add(result["row"], [
            get_rate(result, ours["median_s"]) if ours else None,
            get_rate(result, narrow["median_s"]) if narrow else None,
            get_rate(result, peers[0]["median_s"]) if peers else None,
            get_bound(result),
        ])
    return bars


# ---- All ----


def make_files(facts, rows, prefill, decode, scaling, failures, args):
    """Texts by the names of files."""
    files = {}
    parts = [
        "# All mechanisms on the CPU",
        "Written by bench/mechanisms.sh; bench/mechanisms/README.md says what is\n"
        "measured and how. 8 heads, one sequence, f32 unless said otherwise.",
        format_table(["", ""], facts),
    ]
    if failures:
        parts += ["## What failed", format_table(["measurement", "reason"], [
            (where, why.replace("\n", " ").replace("|", "/"))
            for where, why in failures])]
    for width, threads in list_sizes(prefill):
        some = select(prefill, width, threads)
        fma = max(r["peaks"]["fma"] for r in some) / 1e9
        copy = max(r["peaks"]["copy"] for r in some) / 1e9
        plot = f"{NAME}-d{width}-t{threads}.svg"
        files[plot] = rates_plot(some, width, threads).svg()
        parts += [
            f"## N = {args.tokens}, D = {width}, {threads} thread"
            + ("s" if threads > 1 else ""),
            f"FMA peak {fma:.0f} GFLOP/s, copy {copy:.1f} GB/s.",
            prefill_table(some), f"![rates]({plot})"]
    if prefill:
        parts += ["## Peers", "Thousand tokens a second.", peers_table(prefill)]
        table = threads_table(prefill)
        parts += ["## Threads", table] if table else []
    if decode:
        parts += ["## One token a call", decode_table(decode)]
    if any(get_points(results) for results in scaling.values()):
        plot = f"{NAME}-time.svg"
        files[plot] = scaling_plot(scaling).svg()
        parts += ["## Time against N", scaling_table(scaling),
                  say_crossover(scaling), f"![time]({plot})"]
    parts += ["## Flops", flops_table(rows)]
    everything = prefill + decode + [r for c in scaling.values() for r in c]
    parts += ["## Errors", errors_table(everything)]
    files[f"{NAME}.md"] = "\n\n".join(parts) + "\n"
    return files
