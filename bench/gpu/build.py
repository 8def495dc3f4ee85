#!/usr/bin/env python3
# ===- build.py - Compiles the rows for a GPU ------------------------------=== #
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===------------------------------------------------------------------------=== #
"""build.py ATTN_OPT LLVM_BIN CHIP FOLDER [--rows NAME,..] [--shapes NAME,..]

Writes for each row and each number of heads and channels the host's assembly
with the kernels' PTX in it, and what run.py needs to call it on a machine with a
GPU and without LLVM."""

import argparse
import json
import math
import os
import re
import subprocess
import sys
import time

here = os.path.dirname(os.path.abspath(__file__))
root = os.path.join(here, "..", "..")
sys.path[:0] = [here, os.path.join(root, "test", "CodeGen", "Inputs")]
from rows import DECODE_SHAPES, ROWS, SHAPES  # noqa: E402
from targets import TARGETS, assemble, run  # noqa: E402

# Linear attention without a decay or a map has no example of its own.
LINEAR = """\
func.func @main(%q: tensor<1x8x?x64xf32>, %k: tensor<1x8x?x64xf32>,
                %v: tensor<1x8x?x64xf32>) -> tensor<1x8x?x64xf32> {
  %s = attn.scale %q by 0.125 : tensor<1x8x?x64xf32> -> tensor<1x8x?x64xf32>
  %a = attn.causal_score %s, %k : tensor<1x8x?x64xf32>, tensor<1x8x?x64xf32> -> tensor<1x8x?x?xf32>
  %o = attn.apply %a, %v : tensor<1x8x?x?xf32>, tensor<1x8x?x64xf32> -> tensor<1x8x?x64xf32>
  return %o : tensor<1x8x?x64xf32>
}
"""
WIDE = ("wide", "decays", "unit", "eraser", "small")


def get_graph(row, batch, heads, channels):
    """The example at another size, with inputs and output of 16 bits."""
    text = LINEAR
    if row.file != "linear":
        path = os.path.join(root, "examples", "mechanisms", row.file + ".mlir")
        with open(path, encoding="utf-8") as file:
            text = "".join(x for x in file if not x.startswith("//"))
    decays = [math.log1p(-(2.0 ** (-5 - h))) for h in range(heads)]
    text = re.sub(r"dense<\[.*?\]>", f"dense<[{', '.join(map(repr, decays))}]>",
                  text)

    def resize(match):
        size = {"1": batch, "8": heads, "64": channels}
        parts = match[1].split("x")
        return "tensor<" + "x".join(str(size.get(p, p)) for p in parts) + ">"

    text = re.sub(r"tensor<([^>]*)>", resize, text)
    text = text.replace(" by 0.125 ", f" by {channels ** -0.5!r} ")
    # The types of arguments, wherever they are named.
    wide = {name for name, kind in row.inputs.items() if kind in WIDE}
    head, body = text.split(" {\n", 1)
    for name in wide:
        head = re.sub(rf"(%{name}: tensor<[^>]*)xf32>", r"\1xbf16>", head)
    lines = []
    for line in body.split("\n"):
        call, colon, types = line.rpartition(" : ")
        names = re.findall(r"%(\w+)", call.split("=", 1)[-1])
        named = names[: len(re.findall(r"tensor<[^>]*>", types.split("->")[0]))]
        if "=" in call and "causal_score" in call:
            pairs = re.sub(r"%(\w+)( \"\w+\")? : (tensor<[^>]*)xf32>",
                           lambda m: f"%{m[1]}{m[2] or ''} : {m[3]}x"
                           f"{'bf16' if m[1] in wide else 'f32'}>", call)
            call = pairs
        if "=" in call and colon:
            parts = types.split(" -> ")
            given = re.findall(r"tensor<[^>]*>|, ", parts[0])
            tensors = [t for t in given if t != ", "]
            for i, name in enumerate(named):
                if name in wide and i < len(tensors):
                    tensors[i] = tensors[i].replace("xf32>", "xbf16>")
            if tensors:
                parts[0] = ", ".join(tensors)
            types = " -> ".join(parts)
        lines.append(call + colon + types)
    body = "\n".join(lines)
    head = re.sub(r"-> (tensor<[^>]*)xf32>$", r"-> \1xbf16>", head)
    returned = re.search(r"return %(\w+) : (tensor<[^>]*)xf32>", body)
    body = body.replace(
        returned[0], f"%narrow = arith.truncf %{returned[1]} : {returned[2]}xf32>"
        f" to {returned[2]}xbf16>\n  return %narrow : {returned[2]}xbf16>")
    # The output is the caller's: a call allocates nothing.
    output = re.search(r"-> tensor<(.*)>$", head)[1]
    head = head.replace(
        ") -> ", f", %out: memref<{output}> {{attn.output = 0 : i64}}) -> ")
    return (head + " {\n" + body).replace("@main", "@graph")


def get_step(attn_opt, text):
    """A token of the graph, with its states as arguments."""
    passes = "attn-analyze-scans,attn-linearize,attn-expose-state"
    return run([attn_opt, f"--pass-pipeline=builtin.module(func.func({passes}))"],
               text.replace("x?x", "x1x"))


def main():
    parser = argparse.ArgumentParser()
    for name in ("attn_opt", "llvm", "chip", "folder"):
        parser.add_argument(name)
    parser.add_argument("--rows", default=",".join(ROWS))
    parser.add_argument("--shapes", default=",".join([*SHAPES, *DECODE_SHAPES]))
    options = parser.parse_args()
    os.makedirs(options.folder, exist_ok=True)
    programs = {}
    for name in options.rows.split(","):
        row = ROWS[name]
        for shape in options.shapes.split(","):
            if row.exact and not 16 <= {**SHAPES, **DECODE_SHAPES}[shape][2] <= 4096:
                continue
            decodes = shape in DECODE_SHAPES
            batch, heads, _, channels = {**SHAPES, **DECODE_SHAPES}[shape]
            key = f"{row.file}_{batch}_{heads}_{channels}"
            key += "_decode" * decodes
            if key in programs:
                programs[key]["shapes"].append(shape)
                continue
            text = get_graph(row, batch, heads, channels)
            names = re.findall(r"%(\w+): tensor<([^>]*)>", text.split(" {\n")[0])
            if decodes:
                text = get_step(options.attn_opt, text)
            states = re.findall(r"tensor<([^>]*)> {attn.state}", text)
            begin = time.time()
            lowered = run([options.attn_opt,
                           f"--attn-gpu-pipeline=chip={options.chip}"], text)
            seconds = time.time() - begin
            path = os.path.join(options.folder, key + ".s")
            with open(path, "w", encoding="utf-8") as file:
                file.write(assemble(options.llvm, TARGETS["avx2"], lowered))
            programs[key] = {"row": name, "shapes": [shape], "arguments": names,
                             "states": states,
                             "seconds": round(seconds, 2),
                             "kernels": lowered.count("gpu.binary @")}
            print(key, programs[key]["seconds"], "s", flush=True)
    git = ["git", "-C", root]
    commit = subprocess.run([*git, "rev-parse", "--short=12", "HEAD"], text=True,
                            capture_output=True, check=False).stdout.strip()
    if run([*git, "status", "--porcelain", "--", "passes", "dialect", "runtime"]):
        commit += " with local changes"
    with open(os.path.join(options.folder, "programs.json"), "w",
              encoding="utf-8") as file:
        json.dump({"programs": programs, "chip": options.chip,
                   "commit": commit}, file, indent=1)


if __name__ == "__main__":
    main()
