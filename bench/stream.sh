#!/usr/bin/env bash
#===- bench/stream.sh - Memory of long inputs in pieces ---------------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===------------------------------------------------------------------------===#
#
#   bench/stream.sh [options]     --help lists the options
#
# Claim: a recurrence streams any number of tokens in the same memory. Prints a
# row for 16,384 and for 1,048,576 tokens and writes bench/results/streaming.md.
# Fails if the long run takes a quarter more.

set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
preset=${ATTN_PRESET:-release}

"$root/tools/setup.sh" attn-run
exec python3 "$root/bench/stream.py" --run="$root/build/$preset/bin/attn-run" \
  --build="$preset" "$@"
