#!/usr/bin/env bash
#===- bench/start.sh - Measures how fast a process starts --------------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===------------------------------------------------------------------------===#
#
#   bench/start.sh [options]     --help lists the options
#
# Cold starts, cache hits, the cost of a call and ahead-of-time code, as bench/README.md says.

set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
preset=${ATTN_PRESET:-release}

"$root/tools/setup.sh" attn-bench-start attn-compile
exec python3 "$root/bench/start.py" \
  --bench="$root/build/$preset/bin/attn-bench-start" --build="$preset" "$@"
