#!/usr/bin/env bash
#===- examples/text/run.sh - Attention over a whole book --------------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===------------------------------------------------------------------------===#
#
#   examples/text/run.sh [TEXT] [options]     --help lists the options
#
# Installs and builds what is needed, then runs attention over Newton's Opticks
# or over the text that is given.

set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
preset=${ATTN_PRESET:-release}

"$root/tools/setup.sh" attn-text
exec "$root/build/$preset/bin/attn-text" --folder="$here" "$@"
