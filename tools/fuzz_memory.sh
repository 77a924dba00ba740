#!/usr/bin/env bash
# Fuzzes the memory pools on simulated devices with libFuzzer and the address sanitizer. Needs clang with its
# fuzzer; what it finds is run again by build/PRESET/bin/tests/memory_fuzz FILE.
#
#   tools/fuzz_memory.sh [LIBFUZZER_ARGUMENT...]      default: -max_total_time=600 -max_len=2048
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
out=build/fuzz
mkdir -p "$out/corpus"
clang=$(command -v clang++ || true)
[ -n "$clang" ] || {
  echo "fuzz_memory.sh: expected clang++ with libFuzzer, found none" >&2
  exit 2
}
sources=$(ls runtime/memory/*.cpp tests/memory/sim/*.cpp | grep -v -e /pools.cpp -e /backend_driver.cpp -e /pinned.cpp -e /lend.cpp -e /trace_replay.cpp -e _test.cpp -e /soak.cpp)
# shellcheck disable=SC2086 -- a list of files
"$clang" -std=c++20 -g -O1 -fsanitize=fuzzer,address,undefined -DTANDEM_LIBFUZZER -DTANDEM_BUILDING -I. \
  -Iruntime/include -Ikernels/include $sources runtime/base/device.cpp runtime/base/trace.cpp -o "$out/memory" -lfmt -lpthread
[ $# -gt 0 ] || set -- -max_total_time=600 -max_len=2048
exec "$out/memory" "$out/corpus" -artifact_prefix="$out/" "$@"
