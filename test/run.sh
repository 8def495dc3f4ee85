#!/usr/bin/env bash
#===- test/run.sh - Builds everything and runs the whole suite --------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===------------------------------------------------------------------------===#
#
#   test/run.sh [lit options]     e.g. test/run.sh --filter=Dialect
#
# The last line is "N passed, N failed[, N skipped]", counted from lit's own
# results. Fails if a test failed or none ran.

set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
preset=${ATTN_PRESET:-release}
results=$root/build/test-results-$preset.json

# Code for other CPUs is linked and emulated; PoCL is an OpenCL device.
ATTN_EXTRA_PACKAGES="gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user \
pocl-opencl-icd ocl-icd-libopencl1" \
  "$root/tools/setup.sh" all
export TMPDIR=$root/build/tmp
rm -f "$results"
status=0
LIT_OPTS="${LIT_OPTS:-} $* --output=$results" \
  ninja -C "$root/build/$preset" check-attn || status=$?

python3 - "$results" "$status" <<'END'
import collections, json, sys

path, status = sys.argv[1], int(sys.argv[2])
try:
    with open(path) as file:
        tests = json.load(file)["tests"]
except OSError:
    sys.exit("error: the suite did not run: lit left no results")
kinds = {"PASS": "passed", "FLAKYPASS": "passed", "XFAIL": "passed",
         "UNSUPPORTED": "skipped", "SKIPPED": "skipped", "EXCLUDED": "skipped"}
count = collections.Counter(kinds.get(t["code"], "failed") for t in tests)
for test in tests:
    if test["code"] not in kinds:
        print(f'{test["code"]}: {test["name"]}')
line = f'{count["passed"]} passed, {count["failed"]} failed'
if count["skipped"]:
    line += f', {count["skipped"]} skipped'
print(line)
sys.exit(1 if count["failed"] or not count["passed"] or status else 0)
END
