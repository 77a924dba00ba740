#!/usr/bin/env bash
# Builds a wheel that installs on any Linux with this machine's C library or a later one: `pip wheel`, then auditwheel,
# which puts the libraries that are not part of such a system into it. CUDA's are never among them: they are opened
# where a machine has them.
#
#   tools/wheel.sh [--cpu] [--out DIR] [NAME=VALUE...]
#
#   --cpu        without the CUDA backend, which is built where a toolkit is found
#   --out DIR    where the wheel is put (dist); its contents are listed at the end
#   NAME=VALUE   more variables for CMake
set -euo pipefail
out=dist defines=() cuda=AUTO
while [ $# -gt 0 ]; do
  case $1 in
    --cpu) cuda=OFF ;;
    --out) out=$2 && shift ;;
    *=*) defines+=("--config-settings=cmake.define.$1") ;;
    *)
      sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "$0"
      exit 2
      ;;
  esac
  shift
done
mkdir -p "$out"
out=$(cd "$out" && pwd)
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
tools/setup.sh wheel

raw=build/wheel-raw
rm -rf "$raw"
[ "$cuda" = OFF ] && folder=build/wheel-cpu || folder=build/wheel
say "pip wheel ($folder)"
CMAKE_BUILD_PARALLEL_LEVEL=$JOBS quietly "$folder/pip.log" "$PYTHON" -m pip wheel --no-build-isolation --no-deps \
  -w "$raw" --config-settings=build-dir="$folder" --config-settings=cmake.define.TANDEM_CUDA="$cuda" "${defines[@]}" .
say "auditwheel"
PATH=$ROOT/.venv/bin:$PATH quietly "$folder/auditwheel.log" "$PYTHON" -m auditwheel repair --only-plat \
  --exclude 'libcuda.so*' --exclude 'libcublas*.so*' --exclude 'libcusolver.so*' --exclude 'libcufft.so*' \
  --exclude 'libnv*.so*' -w "$raw/repaired" "$raw"/tandem-*.whl
for wheel in "$raw/repaired"/tandem-*.whl; do
  "$PYTHON" tools/wheel_contents.py "$wheel"
  mv "$wheel" "$out/"
  echo "$out/$(basename "$wheel")"
done
