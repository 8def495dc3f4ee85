#!/usr/bin/env bash
#===- test/Stress/tsan.sh - Threads under ThreadSanitizer --------------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===------------------------------------------------------------------------===#
#
#   test/Stress/tsan.sh [options of attn-stress]      a minute by default
#
# Builds attn-stress with ThreadSanitizer, passes and dialect with it, and runs it.
# Debian's LLVM, MLIR and OpenMP are not instrumented: what they do with memory is
# not looked at, and Archer, which comes with OpenMP, says how its
# threads wait for each other. Fails at the first report.

set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
ATTN_PRESET=tsan "$root/tools/setup.sh" attn-stress

llvm=$(awk -F= '/^MLIR_DIR:/ {print $2}' "$root/build/tsan/CMakeCache.txt")
export LD_LIBRARY_PATH=${llvm%/cmake/mlir}${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
export OMP_TOOL_LIBRARIES=libarcher.so
export TSAN_OPTIONS="halt_on_error=1:ignore_noninstrumented_modules=1\
${TSAN_OPTIONS:+:$TSAN_OPTIONS}"
exec "$root/build/tsan/bin/attn-stress" "$@"
