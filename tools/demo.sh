#!/usr/bin/env bash
# From a fresh clone to the main job's result: installs what is missing, builds, and computes the luma of the
# photograph docs/photo/dandelions.jpg three ways. Results go to out/. Arguments go to `tandem luma`
# (such as --device cpu).
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

tools/setup.sh demo
preset=$(machine_preset)
# A build folder that test.sh configured serves as it is; a new one leaves out what the demo does not need.
[ -f "build/$preset/build.ninja" ] ||
  configure "$preset" -DPython_EXECUTABLE="$PYTHON" -DTANDEM_TESTS=OFF -DTANDEM_BENCH=OFF
targets=(tandem_command)
# The GPU backend is opened at run time: nothing of the demo's own needs its target.
if grep -q '^build tandem_cuda:' "build/$preset/build.ninja"; then targets+=(tandem_cuda); fi
build "$preset" "${targets[@]}"

mkdir -p out
say "tandem luma docs/photo/dandelions.jpg -o out/luma.png -o out/luma.h5 $*"
"build/$preset/bin/tandem" luma docs/photo/dandelions.jpg -o out/luma.png -o out/luma.h5 "$@"

say "what h5py reads in out/luma.h5"
"$PYTHON" tools/list_h5.py out/luma.h5
say "done: out/luma.png, out/luma.h5"
