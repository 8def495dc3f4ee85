#!/usr/bin/env bash
#===- tools/setup.sh - From a fresh Debian 12 to a built tree ---------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===------------------------------------------------------------------------===#
#
#   tools/setup.sh [ninja targets]        everything by default
#
# Installs the Debian packages that are missing, configures and builds into
# build/<preset>. Asks for root only if a package is missing. The second run
# takes a second. ATTN_PRESET chooses another preset than release. Halide, for the
# target halide, goes to build/halide; ATTN_HALIDE=0 leaves it out.

set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
preset=${ATTN_PRESET:-release}
build=$root/build/$preset
apt_log=$root/build/apt.log
configure_log=$root/build/configure-$preset.log
build_log=$root/build/build-$preset.log

# libzstd-dev and zlib1g-dev: the package's LLVM names them as link libraries.
# apt replaces libomp-14-dev by libomp-22-dev, which it conflicts with.
packages=(ninja-build cmake g++ python3 python3-pip
          libmlir-22-dev mlir-22-tools llvm-22-dev llvm-22-tools libomp-22-dev
          libgtest-dev libdlpack-dev pkg-config zlib1g-dev libzstd-dev)
# What a caller needs besides, such as the libraries of a benchmark.
read -ra extra <<<"${ATTN_EXTRA_PACKAGES:-}"
packages+=("${extra[@]}")
# CMake looks again for what it did not find before.
installed=0

say() { printf '%s\n' "$*"; }
fail() {
  printf 'error: %s\n' "$1" >&2
  shift
  printf '  %s\n' "$@" >&2
  exit 1
}

# Runs a step quietly: its output goes to a log, whose end is shown on failure.
quietly() {
  local log=$1
  shift
  if ! "$@" >>"$log" 2>&1 </dev/null; then
    tail -n 25 "$log" >&2
    return 1
  fi
}

is_installed() {
  [[ $(dpkg-query -W -f='${db:Status-Abbrev}' "$1" 2>/dev/null) == ?i* ]]
}

install_missing() {
  local missing=() package
  if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    # Not Debian: whoever has the same things from elsewhere may go on.
    for package in cmake ninja c++ python3; do
      command -v "$package" >/dev/null ||
        fail "'$package' is missing, and this system has no apt to install it" \
             "On Debian 12 these packages are needed: ${packages[*]}" \
             "Elsewhere: CMake 3.23, Ninja, a C++17 compiler, Python 3, and" \
             "LLVM and MLIR 22.1 as shared libraries (set MLIR_DIR)."
    done
    say "[1/3] packages: no apt here, taking what is installed"
    return
  fi
  for package in "${packages[@]}"; do
    is_installed "$package" || missing+=("$package")
  done
  if ((${#missing[@]} == 0)); then
    say "[1/3] packages: all installed"
    return
  fi

  local as_root=()
  if (($(id -u) != 0)); then
    # Without a terminal sudo could not ask for a password.
    if command -v sudo >/dev/null && { sudo -n true 2>/dev/null || [[ -t 0 ]]; }
    then
      as_root=(sudo)
    else
      fail "these packages are missing, and installing them needs root:" \
           "${missing[*]}" \
           "Run this once as root:  apt-get update && apt-get install --no-install-recommends ${missing[*]}" \
           "or run this script as root or as a user with sudo."
    fi
  fi
  say "[1/3] packages: installing ${missing[*]} (log: build/apt.log)"
  ((${#as_root[@]} == 0)) || sudo -v || fail "sudo was refused"
  local apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -y
             -o DPkg::Lock::Timeout=300)
  # A source of somebody else's that is down must not stop us: what matters is
  # whether our packages can be had.
  quietly "$apt_log" "${apt[@]}" update ||
    say "      apt-get update had errors, going on"
  local absent=()
  for package in "${missing[@]}"; do
    apt-cache show "$package" >/dev/null 2>&1 || absent+=("$package")
  done
  ((${#absent[@]} == 0)) ||
    fail "apt does not know ${absent[*]}" \
         "LLVM 22 is in Debian 12's security archive: the apt sources need the" \
         "suites bookworm and bookworm-security. This system is:" \
         "$(. /etc/os-release && printf '%s' "$PRETTY_NAME")"
  quietly "$apt_log" "${apt[@]}" install --no-install-recommends "${missing[@]}" ||
    fail "apt-get could not install ${missing[*]}" "log: $apt_log"
  installed=1
}

# The wheel has headers and a library with an LLVM of its own. Without it, for want
# of pip or of a network, everything but the target halide is built.
install_halide() {
  local folder=$root/build/halide version=21.0.0
  [[ ${ATTN_HALIDE:-1} != 0 ]] || return 0
  [[ ! -f $folder/halide/include/Halide.h ]] || return 0
  say "      Halide $version: into build/halide (log: build/halide.log)"
  if python3 -m pip install --quiet --no-deps --target "$folder" \
      "halide==$version" >"$root/build/halide.log" 2>&1 </dev/null; then
    installed=1
  else
    say "      cannot be had, going on without the target halide"
  fi
}

configure() {
  local cache=$build/CMakeCache.txt fresh=()
  if ((!installed)) && [[ -f $build/build.ninja && $cache -nt $root/CMakePresets.json ]] &&
     grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=$root" "$cache"; then
    say "[2/3] configure: done before"  # ninja sees changed CMakeLists itself
    return
  fi
  # The tree was moved, or an earlier try stopped half-way.
  [[ ! -f $cache ]] || fresh=(--fresh)
  say "[2/3] configure: preset $preset (log: build/configure-$preset.log)"
  : >"$configure_log"
  (cd "$root" && quietly "$configure_log" cmake "${fresh[@]}" --preset "$preset") ||
    fail "cmake failed" "log: $configure_log" "packages needed: ${packages[*]}"
}

# As many jobs as cores, but each may need 1.5 GB.
jobs() {
  local cores memory limit
  cores=$(nproc)
  memory=$(awk '/^MemAvailable/ {print int($2 / 1024)}' /proc/meminfo)
  limit=$(cat /sys/fs/cgroup/memory.max 2>/dev/null || echo max)
  [[ $limit == max ]] || ((limit / 1048576 > memory)) || memory=$((limit / 1048576))
  local fit=$((memory / 1500))
  ((fit < cores)) || fit=$cores
  echo $((fit > 0 ? fit : 1))
}

# Ninja's [done/total] in place on a terminal, nothing elsewhere.
progress() {
  if [[ -t 1 ]]; then
    awk 'match($0, /^\[[0-9]+\/[0-9]+\]/) {
           printf "\r      %s ", substr($0, 1, RLENGTH); fflush() }
         END { if (NR > 1) printf "\n" }'
  else
    cat >/dev/null
  fi
}

build() {
  say "[3/3] build: ${*:-all} (log: build/build-$preset.log)"
  if ! ninja -C "$build" -j "$(jobs)" "$@" 2>&1 </dev/null |
      tee "$build_log" | progress; then
    grep -m 1 -A 25 '^FAILED:' "$build_log" >&2 || tail -n 25 "$build_log" >&2
    fail "the build failed" "log: $build_log"
  fi
}

{ mkdir -p "$root/build/tmp" 2>/dev/null && [[ -w $root/build && -w $root/build/tmp ]]; } ||
  fail "cannot write to $root/build (built by another user before?)"
# Small containers have a small /tmp; compilers and linkers write there.
export TMPDIR=$root/build/tmp
: >"$apt_log"
start=$SECONDS
install_missing
install_halide
configure
build "$@"
say "      ready after $((SECONDS - start)) s"
