#!/usr/bin/env bash
# ===- gpu.sh - Compiles the mechanisms that are timed on a GPU ------------=== #
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===------------------------------------------------------------------------=== #
#
#   bench/gpu.sh FOLDER [CHIP [options of build.py]]
#
# Builds what is missing and writes programs for a machine with a GPU into FOLDER,
# by default for sm_90. There, bench/gpu/run.py times them.

set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
preset=${ATTN_PRESET:-release}
folder=$1
chip=${2:-sm_90}
shift $(($# < 2 ? $# : 2))
"$root/tools/setup.sh" attn-opt
python3 "$root/bench/gpu/build.py" "$root/build/$preset/bin/attn-opt" \
  /usr/lib/llvm-22/bin "$chip" "$folder" "$@"
