#!/usr/bin/env bash
# From a fresh clone to a passed test suite: installs what is missing, builds both backends where a CUDA
# toolkit is found, and runs every check. A step that passed is not run again while nothing in the tree, the
# compilers and the GPU has changed; --again runs it all the same.
#
#   tools/test.sh [--again] [STEP...]      steps: build suite python lint tidy package, and on demand asan tsan
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

ALL_STEPS=(build suite python lint tidy package asan tsan)
DEFAULT_STEPS=(build suite python lint tidy package)
again=
steps=()
for argument in "$@"; do
  case $argument in
    --again) again=1 ;;
    -h | --help) sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "$0"; exit ;;
    *)
      [[ " ${ALL_STEPS[*]} " == *" $argument "* ]] || {
        echo "test.sh: expected a step of ${ALL_STEPS[*]}, got $argument" >&2
        exit 2
      }
      steps+=("$argument")
      ;;
  esac
done
[ "${#steps[@]}" -gt 0 ] || steps=("${DEFAULT_STEPS[@]}")

tools/setup.sh test
preset=$(machine_preset)
logs=build/test-logs
mkdir -p "$logs"

# Everything a step's result can depend on.
fingerprint() {
  {
    git ls-files -z --cached --others --exclude-standard | xargs -0 sha256sum 2>/dev/null || true
    g++ --version
    [ "$preset" = cuda ] && { nvcc --version || /usr/local/cuda/bin/nvcc --version; }
    nvidia-smi -L || true
    cat .venv/tandem-*.sha256
  } 2>/dev/null | sha256sum | cut -d' ' -f1
}

step_build() {
  # Named one by one: demo.sh may have configured the folder without them.
  configure "$preset" -DTANDEM_TESTS=ON -DTANDEM_BENCH=ON -DTANDEM_TOOLS=ON -DTANDEM_PYTHON=ON \
    -DPython_EXECUTABLE="$PYTHON"
  build "$preset"
}

run_ctest() {
  local which=$1
  shift
  ctest --preset "$which" -j "$JOBS" "$@"
}

step_suite() {
  step_build
  say "test suite ($preset)"
  run_ctest "$preset"
  say "a million steps on the memory pools"  # with counters, which CTest would hide
  "build/$preset/bin/tests/memory_soak" 1000000 "${TANDEM_SOAK_SEED:-1}"
}

run_pytest() {
  PYTHONPATH="$ROOT/build/$preset/python" "$PYTHON" -m pytest -q -p no:cacheprovider -rs "$@"
}

step_python() {
  step_build
  say "Python tests"
  run_pytest tests
}

step_lint() {
  say "clang-format"
  "$PYTHON" tools/lint/check_format.py
}

step_tidy() {
  say "clang-tidy"
  "$PYTHON" tools/lint/run_tidy.py --build "build/$preset" -j "$JOBS"
}

step_asan() {
  configure asan -DPython_EXECUTABLE="$PYTHON"
  build asan
  say "test suite (asan)"
  run_ctest asan
}

step_tsan() {
  configure tsan -DPython_EXECUTABLE="$PYTHON"
  build tsan
  say "test suite (tsan)"
  run_ctest tsan
}

# A variable of the cache of the build above.
cached() { sed -n "s/^$1:[A-Z]*=//p" "build/$preset/CMakeCache.txt" 2>/dev/null || true; }

# `pip install .` into a fresh virtual environment, the package's tests there, then the wheel for other machines. The
# objects come from the compiler cache, since compilers and flags are those of the build above; so does nanobind, by
# its path.
step_package() {
  local cuda=OFF defines name setting constraints venv=$ROOT/build/package/venv
  [ "$preset" = cuda ] && cuda=ON
  defines=(TANDEM_CUDA=$cuda TANDEM_WERROR="$(cached TANDEM_WERROR)" CMAKE_CUDA_ARCHITECTURES=90 TANDEM_CUDA_COMPRESS=OFF
    nanobind_ROOT="$("$PYTHON" -m nanobind --cmake_dir)")
  CC=$(cached CMAKE_C_COMPILER) CXX=$(cached CMAKE_CXX_COMPILER)
  export CC CXX CMAKE_BUILD_PARALLEL_LEVEL=$JOBS
  say "pip install . (CUDA backend: $cuda) in a fresh virtual environment"
  rm -rf build/package
  mkdir -p build/package/empty
  "$PYTHON" -m venv "$venv"
  constraints=(-c tools/requirements.txt -c tools/requirements-test.txt)
  quietly "$logs/pip-backend.log" "$venv/bin/python" -m pip install "${constraints[@]}" scikit-build-core
  setting=(--config-settings=build-dir=build/wheel)
  for name in "${defines[@]}"; do setting+=("--config-settings=cmake.define.$name"); done
  quietly "$logs/pip.log" "$venv/bin/python" -m pip install --no-build-isolation "${constraints[@]}" "${setting[@]}" '.[test]'
  in_package installed.py
  say "the package's tests"
  # From a folder from which neither the sources nor the build tree can be imported.
  (cd build/package/empty && env -u PYTHONPATH "$venv/bin/python" -m pytest -q -p no:cacheprovider -n "$JOBS" \
    "$ROOT/tests/python")
  say "the wheel for other machines, in its place"
  tools/wheel.sh --out build/package "${defines[@]}"
  quietly "$logs/pip-wheel.log" "$venv/bin/python" -m pip install --no-deps --force-reinstall build/package/tandem-*.whl
  in_package installed.py --bundled
  (cd build/package/empty && env -u PYTHONPATH TANDEM_COMMAND="$venv/bin/tandem" "$venv/bin/python" -m pytest -q \
    -p no:cacheprovider -n "$JOBS" "$ROOT"/tests/python/test_{libraries,io}.py "$ROOT/tests/tools/test_command.py")
}

# A script of tests/package with the fresh interpreter.
in_package() {
  (cd build/package/empty && env -u PYTHONPATH "$ROOT/build/package/venv/bin/python" "$ROOT/tests/package/$1" "${@:2}")
}

# Counts the closing lines of CTest, pytest and the lints: passed, failed, skipped.
count() {
  awk '
    { line = $0; gsub(/\033\[[0-9;]*m/, "", line) }
    line ~ /tests passed, [0-9]+ tests? failed out of/ {
      match(line, /[0-9]+ tests? failed out of [0-9]+/); split(substr(line, RSTART, RLENGTH), f, " ")
      failed += f[1]; passed += f[6] - f[1]
    }
    line ~ /\(Skipped\)$/ { skipped++; passed-- }
    line ~ /(passed|failed|skipped|error).* in [0-9.]+s/ || line ~ /^lint: / {
      n = split(line, w, /[ ,=]+/)
      for (i = 2; i <= n; i++) {
        if (w[i] == "passed") passed += w[i - 1]
        if (w[i] == "failed" || w[i] ~ /^errors?$/) failed += w[i - 1]
        if (w[i] == "skipped") skipped += w[i - 1]
      }
    }
    END { printf "%d %d %d\n", passed, failed, skipped }' "$1"
}

# Outside a git checkout nothing tells what has changed.
git rev-parse --git-dir >/dev/null 2>&1 || again=1
key=$(fingerprint)
passed=0 failed=0 skipped=0 broken=() summary=
started=$SECONDS
for step in "${steps[@]}"; do
  log=$logs/$step.log stamp=$logs/$step.passed
  began=$SECONDS
  if [ -z "$again" ] && [ "$(cat "$stamp" 2>/dev/null)" = "$key" ] && [ -f "$log" ]; then
    note="passed on this very tree at $(date -r "$stamp" '+%F %H:%M')"
  else
    rm -f "$stamp"
    # Not in a condition, where -e would have no effect inside the step.
    set +e
    (
      set -e
      "step_$step"
    ) 2>&1 | tee "$log"
    status=${PIPESTATUS[0]}
    set -e
    if [ "$status" = 0 ]; then
      printf '%s\n' "$key" >"$stamp"
      note="passed in $((SECONDS - began)) s"
    else
      note="FAILED"
      broken+=("$step")
    fi
  fi
  read -r p f s < <(count "$log")
  [[ "$note" == FAILED ]] && [ "$f" = 0 ] && f=1
  passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
  summary+=$'\n'$(printf '  %-8s %s (%d passed, %d failed, %d skipped)' "$step" "$note" "$p" "$f" "$s")
  [ "$step" = build ] && [[ "$note" == FAILED ]] && break
done

say "summary ($preset, $((SECONDS - started)) s)$summary"
printf '\ntotal: %d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
[ "${#broken[@]}" = 0 ]
