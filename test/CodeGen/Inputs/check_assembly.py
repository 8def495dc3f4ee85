#!/usr/bin/env python3
# ===- check_assembly.py - What the machine code of mechanisms is made of ---=== #
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===------------------------------------------------------------------------=== #
"""check_assembly.py LLVM_BIN ATTN_OPT TARGET GRAPH...

Compiles graphs for a CPU and looks at the assembly:

  - nothing is called but the allocator, memory functions and OpenMP: no libm;
  - some innermost loop multiplies and adds on the widest vectors;
  - such loops do not store whole vectors to the stack, or for less than every
    eighth instruction of that kind (where LLVM has unrolled a short sum and
    keeps one operand), unless they also compute exponentials: accumulators are
    not spilled. Constants may be loaded from there, as from any memory;
  - no allocation has two sizes that only a call knows: no N x N buffer.
"""

import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from targets import TARGETS, assemble, lower, report  # noqa: E402

ALLOWED = re.compile(r"malloc|free|aligned_alloc|mem(cpy|move|set)|__kmpc_\w+"
                     r"|omp_\w+|main(\.\.omp_par(\.\d+)?)?")

# 2^n is made by its bits.
EXPONENT = r"\b(v?pslld|shl)\s.*[$#]23\b"


def get_innermost_loops(assembly, comment):
    """The lines of each loop that llc marks as innermost: of its header, and of
    the blocks that name the header as theirs."""
    loops, label, current = {}, None, None
    for line in assembly.splitlines():
        begins = re.match(r"(\.LBB\w+):|%s %%bb\.\d+:" % comment, line)
        if begins:
            label, current = begins.group(1), None
        if label and re.search(r"=>\s*This Inner Loop Header", line):
            current = label
            loops[current] = []
        member = re.search(r"in Loop: Header=(BB\w+)", line)
        if member and ".L" + member.group(1) in loops:
            current = ".L" + member.group(1)
        if current and not line.lstrip().startswith(comment):
            loops[current].append(line)
    return loops


def check(target, lowered, assembly):
    """The number of loops of products, and what is wrong."""
    problems = []
    for callee in re.findall(r"\t(?:callq?|bl)\s+([\w.$]+)(?:@PLT)?\s*$",
                             assembly, re.M):
        if not ALLOWED.fullmatch(callee):
            problems.append(f"calls {callee}")
    count = 0
    spill = re.compile(rf"\b{target.vector_bytes}-byte.*Spill")
    for label, lines in get_innermost_loops(assembly, target.comment).items():
        products = sum(bool(re.search(target.fma, line)) for line in lines)
        if not products:
            continue
        count += 1
        spills = [line.strip() for line in lines if spill.search(line)]
        has_maps = any(re.search(EXPONENT, line) for line in lines)
        if not has_maps and 8 * len(spills) > products:
            problems += [f"{label}: {line}" for line in spills]
    if not count:
        problems.append("no innermost loop multiplies and adds")
    for shape in re.findall(r"memref\.alloc\w*\(.*\).*: memref<(\S+)x", lowered):
        if shape.count("?") > 1:
            problems.append(f"allocates {shape}")
    return count, problems


def main(llvm, attn_opt, name, *graphs):
    target = TARGETS[name]

    def check_graph(graph):
        with open(graph, encoding="utf-8") as file:
            lowered = lower(attn_opt, target, file.read())
        count, problems = check(target, lowered,
                                assemble(llvm, target, lowered))
        return f"{count} loops of products", problems

    return report(graphs, target.cpu, check_graph)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
