#!/usr/bin/env bash
#===- bench/run.sh - Measures what README.md claims --------------------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===------------------------------------------------------------------------===#
#
#   bench/run.sh [options]     --help lists the options
#
# Installs and builds what is needed, measures, prints tables and plots, and
# writes them to bench/results. Fails if a claim does not hold.

set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
preset=${ATTN_PRESET:-release}

"$root/tools/setup.sh" attn-bench
exec python3 "$root/bench/run.py" --bench="$root/build/$preset/bin/attn-bench" \
  --build="$preset" "$@"
