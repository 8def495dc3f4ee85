#!/usr/bin/env bash
#===- bench/stream.sh - Memory of long inputs in pieces ---------------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===------------------------------------------------------------------------===#
#
#   bench/stream.sh        after tools/setup.sh
#
# Claim: a recurrence streams any number of tokens in the same memory. Prints a
# row for 16,384 and for 1,048,576 tokens, 1024 a call: what the run added to the
# process at its peak. Fails if the long run takes a quarter more.

set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
run=$root/build/${ATTN_PRESET:-release}/bin/attn-run

printf '| graph | tokens | peak, MiB | seconds |\n|---|---|---|---|\n'
status=0
for graph in gated_deltanet gla; do
  first=
  for tokens in 16384 1048576; do
    start=$SECONDS
    text=$("$run" "$root/examples/mechanisms/$graph.mlir" --random=1 \
      --dim=n=$tokens --stream=1024)
    peak=$(sed -n 's/.*added \([0-9.]*\) MiB.*/\1/p' <<<"$text")
    printf '| %s | %d | %s | %d |\n' "$graph" "$tokens" "$peak" \
      $((SECONDS - start))
    first=${first:-$peak}
    awk -v a="$first" -v b="$peak" 'BEGIN { exit !(b <= 1.25 * a) }' || status=1
  done
done
exit $status
