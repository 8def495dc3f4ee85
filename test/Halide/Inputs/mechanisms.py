#!/usr/bin/env python3
# ===- mechanisms.py - Graphs through Halide against the f64 evaluation -----=== #
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===------------------------------------------------------------------------=== #
"""mechanisms.py ATTN_RUN EXAMPLES FOLDER PART OF [CHECK..]

Every OF-th graph of the folder EXAMPLES, from PART on, through Halide, within the
bounds that the CPU engine has in test/Numerics:

  forms   everyday inputs, from f32 and from bf16
  harsh   log decays from -1e4 to 0, both included: the same bound, all finite
  stream  a run in pieces is the whole run
  packed  packed sequences are separate runs
  device  everyday inputs on an OpenCL device
"""

import glob
import math
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "Numerics", "Inputs"))
from forms import DECAYS, KINDS, NO_RECURRENCE, Harness  # noqa: E402

TOKENS = 77


class HalideHarness(Harness):
    target = "--target=halide"

    def run(self, text, paths, *options, output="o.npy"):
        if not any(option.startswith("--target") for option in options):
            options += (self.target,)
        return super().run(text, paths, *options, output=output)

    def get_forms(self):
        return [("auto", 0, (TOKENS,))]

    def check_forms(self):
        self.compare(self.graph.text, TOKENS, self.bound)
        self.compare(self.graph.get_narrow_text(), TOKENS, 1e-2)

    def check_harsh(self):
        if not any(kind in DECAYS for kind in KINDS.get(self.name, {}).values()):
            return
        self.compare(self.graph.text, TOKENS, self.bound, harsh=True)
        if not all(map(math.isfinite, self.read()[1])):
            self.fail("not finite")

    def check_stream(self):
        if self.name in NO_RECURRENCE:
            return
        text, paths = self.graph.text, self.get_inputs(TOKENS)
        if self.run(text, paths, "--target=reference", output="whole.npy") is None:
            return
        whole = os.path.join(self.folder, "whole.npy")
        self.run(text, paths, "--stream=30", f"--check={whole}",
                 f"--tol={self.bound}")

    def check_device(self):
        self.compare(self.graph.text, 33, self.bound,
                     "--target=halide:host-opencl")


def main():
    attn_run, examples, folder, part, of, *checks = sys.argv[1:]
    paths = sorted(glob.glob(os.path.join(examples, "*.mlir")))
    failures, chosen = 0, paths[int(part)::int(of)]
    for path in chosen:
        name = os.path.splitext(os.path.basename(path))[0]
        harness = HalideHarness(attn_run, path, os.path.join(folder, name))
        for check in checks or ["forms", "harsh", "stream", "packed"]:
            getattr(harness, "check_" + check)()
        failures += harness.failures
    print(f"{len(chosen)} graphs, {failures} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
