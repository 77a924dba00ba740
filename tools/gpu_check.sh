#!/usr/bin/env bash
# What only a machine with an NVIDIA GPU can show: builds for its architecture, runs the tests on the device, looks
# for bad memory accesses and races, measures beside PyTorch, and profiles the slowest rows. Results are files
# GPU-DATE.* in perf/results. Changes no setting of the GPU.
#
#   tools/gpu_check.sh [OPTION...] [STEP...]
#
#   build      configure and build the preset cuda for this GPU
#   test       the whole test suite; a test that finds no GPU fails
#   sanitize   the parity tests under compute-sanitizer: memcheck, and racecheck on those that share memory
#   bench      perf/peers.py --device cuda, with what is installed of PyTorch
#   profile    ncu on the rows of `bench` that reach the least share of the copy rate
#
#   --binaries DIR   use the programs of a build folder that was made elsewhere: no build, no CMake
#   --out DIR        where results go
#   --rows REGEX     the rows that are measured; all, and the targets, by default
#   --worst N        how many rows are profiled (6)
#   --limit SECONDS  the most that one step may take (build 7200, others 1800)
#
# All steps by default. Exit status 0: what ran passed (a missed target is printed, no failure); 1: something
# failed; 2: no GPU, or wrong arguments. TANDEM_PEERS_PYTHON names the Python that has PyTorch.
set -uo pipefail
CALLED_FROM=$PWD
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
set +e # a step that fails does not keep the next one from running

ALL_STEPS=(build test sanitize bench profile)
# Tests that open a library of their own by the path it was built at.
BOUND_TO_BUILD=" cuda.loader_test dispatch.backend_calls_test dispatch.backend_streams_test "
LEAST_BYTES=50000000 # rows below are bounded by their launch, not by memory

refuse() {
  printf 'gpu_check.sh: %s\n' "$*" >&2
  exit 2
}

# A path of the caller's, who may be in another folder.
path_of() { case $1 in /*) printf '%s\n' "$1" ;; *) printf '%s\n' "$CALLED_FROM/$1" ;; esac; }

binaries='' out=perf/results rows='' worst=6 limit='' steps=()
while [ $# -gt 0 ]; do
  case $1 in
    --binaries | --out | --rows | --worst | --limit) [ $# -gt 1 ] || refuse "expected a value after $1" ;;&
    --binaries) binaries=$(path_of "$2") && shift ;;
    --out) out=$(path_of "$2") && shift ;;
    --rows) rows=$2 && shift ;;
    --worst) worst=$2 && shift ;;
    --limit) limit=$2 && shift ;;
    -h | --help) sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "$ROOT/tools/gpu_check.sh" && exit ;;
    *)
      [[ " ${ALL_STEPS[*]} " == *" $1 "* ]] || refuse "expected a step of ${ALL_STEPS[*]}, got $1"
      steps+=("$1")
      ;;
  esac
  shift
done
for number in "$worst" "${limit:-1}"; do
  [[ $number =~ ^[1-9][0-9]*$ ]] || refuse "expected a positive number, got $number"
done
[ "${#steps[@]}" -gt 0 ] || steps=("${ALL_STEPS[@]}")

gpu_field() { nvidia-smi -i 0 --query-gpu="$1" --format=csv,noheader 2>/dev/null; }
command -v nvidia-smi >/dev/null || refuse "no NVIDIA GPU here: nvidia-smi is not installed"
name=$(gpu_field name) && [ -n "$name" ] || refuse "no NVIDIA GPU here: $(nvidia-smi -L 2>&1 | head -n 1)"

# A tool of the CUDA toolkit, on the PATH or where the toolkit usually is.
cuda_tool() {
  command -v "$1" && return
  local folder
  for folder in "${CUDA_HOME:-/usr/local/cuda}" /usr/local/cuda /opt/nvidia/nsight-compute/*; do
    [ -x "$folder/bin/$1" ] && printf '%s\n' "$folder/bin/$1" && return
    [ -x "$folder/$1" ] && printf '%s\n' "$folder/$1" && return
  done
  return 1
}

# The Python to run the peers with: the first that has PyTorch, else any.
peers_python() {
  local python
  for python in "${TANDEM_PEERS_PYTHON:-}" "$PYTHON" python3; do
    [ -n "$python" ] && "$python" -c 'import torch' 2>/dev/null && printf '%s\n' "$python" && return
  done
  command -v "${TANDEM_PEERS_PYTHON:-python3}" || command -v "$PYTHON"
}

mkdir -p "$out" || exit 1
base=$out/$(printf '%s' "$name" | tr '[:upper:]' '[:lower:]' | tr -cs '[:lower:][:digit:]' '-' | sed 's/^-//;s/-$//')-$(date +%F)
folder=${binaries:-$ROOT/build/cuda}
programs=$folder/bin
deadline=0 running=''

# timeout puts a command into a group of its own, which an interrupt from the keyboard would not reach.
trap 'kill "$running" 2>/dev/null; exit 130' INT TERM

# Runs a command within what is left of the step's time; status 124 when that is over.
limited() {
  local left=$((deadline - SECONDS))
  [ "$left" -gt 0 ] || return 124
  timeout -k 10 "$left" "$@" &
  running=$!
  wait "$running"
}

need_program() {
  [ -x "$programs/$1" ] && return
  note="expected $programs/$1: build first"
  return 1
}

# ---- the steps: each sets `note` for the table, and returns 0 passed, 1 failed, 3 skipped

step_build() {
  [ -z "$binaries" ] || { note="with the programs of $binaries" && return 3; }
  local architecture python=$PYTHON
  architecture=$(gpu_field compute_cap | tr -d '. ')  # with its PTX, which tests read
  [ -x "$python" ] || python=$(command -v python3)
  say "configure and build for $architecture"
  limited cmake --preset cuda -DCMAKE_CUDA_ARCHITECTURES="$architecture" -DPython_EXECUTABLE="$python" &&
    limited cmake --build --preset cuda -j "$JOBS" || {
    note="see $base.build.txt; tools/setup.sh test installs what may be missing"
    return 1
  }
  note="for $architecture"
}

# The programs one by one, for a folder that CTest's files do not describe.
run_programs() {
  local program bad=0 count=0
  for program in "$programs"/tests/*_test; do
    [[ $BOUND_TO_BUILD == *" ${program##*/} "* ]] && printf 'left out: %s\n' "${program##*/}" && continue
    count=$((count + 1))
    printf '\n-- %s\n' "${program##*/}"
    TANDEM_SOURCE_DIR=$ROOT limited "$program" --gtest_brief=1 || {
      printf 'FAILED: %s\n' "${program##*/}"
      bad=$((bad + 1))
    }
  done
  note="$((count - bad)) of $count programs passed"
  [ "$bad" = 0 ] && [ "$count" -gt 0 ]
}

step_test() {
  export TANDEM_REQUIRE_GPU=1
  [ -d "$programs/tests" ] || { note="expected $programs/tests: build first" && return 1; }
  if [ -n "$binaries" ]; then
    run_programs
    return
  fi
  limited ctest --test-dir "$folder" --output-on-failure -j "$JOBS" --no-tests=error
}

step_sanitize() {
  local sanitizer tool filter status=0
  sanitizer=$(cuda_tool compute-sanitizer) || { note="compute-sanitizer is not installed" && return 3; }
  need_program tests/cuda.parity_test || return 1
  export TANDEM_REQUIRE_GPU=1
  note=''
  for tool in memcheck racecheck; do
    filter='*'
    [ "$tool" = racecheck ] && filter='Parity.CopiesInEveryLayout:Parity.ColumnsOfSeveralTiles:Parity.IrregularReductions'
    say "$tool"
    # Every allocation of its own, so that memcheck sees where it ends.
    TANDEM_POOL=direct limited "$sanitizer" --tool "$tool" --error-exitcode 1 "$programs/tests/cuda.parity_test" \
      --gtest_brief=1 --gtest_filter="$filter"
    case $? in
      0) note+="$tool clean; " ;;
      124 | 137) note+="$tool ran out of time; " && status=1 ;;
      *) note+="$tool FAILED; " && status=1 ;;
    esac
  done
  note=${note%; }
  return "$status"
}

step_bench() {
  local python
  need_program tandem_bench || return 1
  python=$(peers_python) || { note="no Python" && return 1; }
  [ ! -x "$programs/tandem" ] || limited "$programs/tandem" info
  limited "$python" perf/peers.py --device cuda --bench "$programs/tandem_bench" --json "$base.json" \
    ${rows:+"$rows"} || {
    note="see $base.bench.txt"
    return 1
  }
}

# What a step's output says of it, once the output is whole.
note_from_output() {
  local file=$base.$1.txt
  case $1 in
    test) grep -E 'tests passed' "$file" | tail -n 1 ;;
    bench)
      grep -E '^  [0-9]+ of [0-9]+ met$' "$file" | sed 's/^ */targets: /'
      grep -qE '^  [0-9]+ of' "$file" || printf '%d rows\n' "$(grep -c '"ns"' "$base.json")"
      ;;
  esac
}

# Names of the large rows with the least share of the copy rate.
worst_rows() {
  "$1" - "$base.json" "$LEAST_BYTES" "$worst" <<'PYTHON'
import json
import sys

path, least, count = sys.argv[1], float(sys.argv[2]), int(sys.argv[3])
rows = [row for row in json.load(open(path))["rows"] if row.get("bytes", 0) >= least and "of_copy" in row]
for row in sorted(rows, key=lambda row: row["of_copy"])[:count]:
    print(row["name"])
PYTHON
}

step_profile() {
  local ncu python row done=0 names
  ncu=$(cuda_tool ncu) || { note="ncu is not installed" && return 3; }
  need_program tandem_bench || return 1
  python=$(peers_python) && [ -f "$base.json" ] || { note="expected $base.json: run the step bench first" && return 1; }
  mapfile -t names < <(worst_rows "$python")
  [ "${#names[@]}" -gt 0 ] || { note="no row of at least $LEAST_BYTES bytes in $base.json" && return 3; }
  for row in "${names[@]}"; do
    say "$row"
    # The clocks are left alone, so durations here are no measurements; the first kernel fills caches.
    limited "$ncu" --clock-control none --launch-skip 1 --launch-count 3 \
      --section LaunchStats --section Occupancy --section SpeedOfLight --section MemoryWorkloadAnalysis \
      "$programs/tandem_bench" --device cuda --batch 4 --repetitions 1 --min-time 0.000001 --rate-mib 16 \
      "^$row\$" && done=$((done + 1))
  done
  note="$done of ${#names[@]} rows"
  [ "$done" = "${#names[@]}" ]
}

# ---- all of them, and the table

{
  printf '%s\ndriver %s, %s, compute capability %s, %s\n' "$name" "$(gpu_field driver_version)" \
    "$(gpu_field memory.total)" "$(gpu_field compute_cap)" "$(date -u '+%F %H:%M UTC')"
  git -C "$ROOT" log -1 --format='commit %h %s' 2>/dev/null
} | tee "$base.txt"
failed=0 table='' outcomes=()
for step in "${steps[@]}"; do
  say "$step"
  began=$SECONDS note=''
  default_limit=1800
  [ "$step" = build ] && default_limit=7200
  deadline=$((SECONDS + ${limit:-$default_limit}))
  # Not in a pipe, which would lose what the step says of itself.
  exec 3>&1 4>&2 > >(tee "$base.$step.txt") 2>&1
  writer=$!
  "step_$step"
  status=$?
  exec 1>&3 2>&4 3>&- 4>&-
  wait "$writer"
  [ -n "$note" ] || note=$(note_from_output "$step")
  [ "$SECONDS" -lt "$deadline" ] || note+=" (out of time)"
  case $status in
    0) word=passed ;;
    3) word=skipped && rm -f "$base.$step.txt" ;;
    *) word=FAILED && failed=1 ;;
  esac
  outcomes+=("$step=$word")
  table+=$(printf '  %-9s %-8s %6d s  %s' "$step" "$word" "$((SECONDS - began))" "$note")$'\n'
done
printf '\n%s' "$table" | tee -a "$base.txt"
# One file with everything: the machine, what passed, and the figures of the benchmark.
"$(command -v "$PYTHON" || command -v python3)" - "$base.json" "$name" "$(gpu_field driver_version)" \
  "$(git -C "$ROOT" rev-parse --short HEAD 2>/dev/null)" "${outcomes[@]}" <<'PYTHON'
import datetime
import json
import pathlib
import sys

path, gpu, driver, commit, *outcomes = sys.argv[1:]
file = pathlib.Path(path)
results = json.loads(file.read_text()) if file.exists() else {}
results["check"] = {
    "gpu": gpu,
    "driver": driver,
    "commit": commit,
    "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d"),
    "steps": dict(outcome.split("=") for outcome in outcomes),
}
file.write_text(json.dumps(results, indent=1) + "\n")
PYTHON
printf '\nresults: %s.*; tools/lint/check_device_runs.py --write puts the date into docs/numerics.md\n' "$base"
exit "$failed"
