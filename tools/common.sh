# Shared by demo.sh, test.sh and container_check.sh (sourced): where things are, and how a step is shown.
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$ROOT"
JOBS=${TANDEM_JOBS:-$(nproc)}
PYTHON=$ROOT/.venv/bin/python

say() { printf '\n== %s\n' "$*"; }

# Runs a command with its output in a log, of which the end is shown only where the command fails.
quietly() {
  local log=$1
  shift
  mkdir -p "$(dirname "$log")"
  if ! "$@" >"$log" 2>&1; then
    tail -n 60 "$log" >&2
    printf 'failed: %s (the whole output is in %s)\n' "$*" "$log" >&2
    return 1
  fi
}

# The preset for this machine: both backends where a CUDA toolkit is found.
machine_preset() {
  if command -v nvcc >/dev/null || [ -x /usr/local/cuda/bin/nvcc ]; then echo cuda; else echo cpu; fi
}

# Configures a preset; further arguments go to cmake. Takes a second when nothing has changed.
configure() {
  local preset=$1
  shift
  # CMake's own rerun keeps the build current; a second configuration is needed only for other arguments.
  local want="$preset $*" stamp=build/$preset/tandem-configured.txt
  [ -f "build/$preset/build.ninja" ] && [ CMakePresets.json -ot "$stamp" ] &&
    [ "$(cat "$stamp" 2>/dev/null)" = "$want" ] && return
  say "configure ($preset)"
  quietly "build/$preset/configure.log" cmake --preset "$preset" "$@"
  printf '%s\n' "$want" >"$stamp"
}

# Builds targets of a preset, showing one line of progress; warnings and errors are shown.
build() {
  local preset=$1
  shift
  say "build ($preset: ${*:-all})"
  if [ -t 1 ]; then
    cmake --build --preset "$preset" -j "$JOBS" ${1:+--target "$@"}
  else
    quietly "build/$preset/build.log" cmake --build --preset "$preset" -j "$JOBS" ${1:+--target "$@"}
    tail -n 1 "build/$preset/build.log"
  fi
}
