#!/usr/bin/env python3
# ===- check_ptx.py - The PTX of mechanisms, assembled ---------------------=== #
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===------------------------------------------------------------------------=== #
"""check_ptx.py ATTN_OPT CHIP PTXAS FOLDER GRAPH...

Compiles graphs to PTX, which calls no library, and assembles it. PTXAS may be
empty: the PTX is then only looked at.
"""

import os
import re
import subprocess
import sys

here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(here, "..", "..", "CodeGen", "Inputs"))
from targets import report  # noqa: E402


def get_ptx(attn_opt, chip, graph):
    """The text of each kernel module, and the host's module."""
    module = subprocess.run([attn_opt, f"--attn-gpu-pipeline=chip={chip}", graph],
                            text=True, check=True, capture_output=True).stdout
    texts = re.findall(r'assembly = "((?:[^"\\]|\\.)*)"', module)
    decode = re.compile(r"\\([0-9A-F]{2}|.)")
    return [decode.sub(lambda m: chr(int(m[1], 16)) if len(m[1]) == 2 else m[1],
                       text) for text in texts], module


def main(attn_opt, chip, ptxas, folder, *graphs):
    os.makedirs(folder, exist_ok=True)

    def check_graph(graph):
        problems = []
        modules, host = get_ptx(attn_opt, chip, graph)
        if "unrealized_conversion_cast" in host:
            problems.append("unrealized casts are left")
        kernels = sum(len(re.findall(r"\.entry", text)) for text in modules)
        if not kernels:
            problems.append("no kernels")
        for i, text in enumerate(modules):
            if re.search(r"__nv_|\.extern \.func", text):
                problems.append("calls a library")
            if re.search(r"\b(ld|st)\.\S*[bus]8\b", text):
                problems.append("moves bytes")
            if not ptxas:
                continue
            path = os.path.join(folder, f"{os.path.basename(graph)}.{i}.ptx")
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
            ran = subprocess.run([ptxas, f"-arch={chip}", path, "-o",
                                  path + ".cubin"], text=True, check=False,
                                 capture_output=True)
            if ran.returncode or ran.stderr.strip():
                problems.append(f"ptxas: {ran.stderr.strip()[:500]}")
        return f"{kernels} kernels", problems

    return report(graphs, chip, check_graph)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
