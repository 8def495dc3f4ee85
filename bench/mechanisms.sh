#!/usr/bin/env bash
#===- bench/mechanisms.sh - Every mechanism beside its peers ----------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===------------------------------------------------------------------------===#
#
#   bench/mechanisms.sh [options]     --help lists the options
#
# Installs and builds what is needed, peers among them, measures, and writes
# tables and plots to bench/results. Fails if a result is wrong. --torch also
# installs PyTorch, into build/torch.

set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
preset=${ATTN_PRESET:-release}

ATTN_EXTRA_PACKAGES="libopenblas-dev libdnnl-dev" \
  "$root/tools/setup.sh" attn-bench-mechanisms

if [[ " $* " == *" --torch "* ]]; then
  torch=$root/build/torch
  if ! "$torch/bin/python" -c 'import torch, numpy' 2>/dev/null; then
    echo "installing PyTorch (log: build/torch.log)"
    { python3 -m venv "$torch" &&
      "$torch/bin/python" -m pip install torch numpy; } \
      >"$root/build/torch.log" 2>&1 || echo "PyTorch cannot be installed"
  fi
  # Without it the peer says that it serves nothing.
  [[ ! -x $torch/bin/python ]] || export ATTN_BENCH_TORCH=$torch/bin/python
fi
exec python3 "$root/bench/mechanisms/run.py" --build="$preset" \
  --bench="$root/build/$preset/bin/attn-bench-mechanisms" "$@"
