#!/usr/bin/env bash
# pkg_config.sh PREFIX SOURCE PROGRAM: compiles with what pkg-config says.
set -euo pipefail
export PKG_CONFIG_PATH=$1/lib/pkgconfig
read -ra flags <<<"$(pkg-config --cflags --libs attn)"
cc -Werror ${CFLAGS:-} "$2" -o "$3" "${flags[@]}" -lm -Wl,-rpath,"$1/lib"
