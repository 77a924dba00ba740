"""tools/gpu_check.sh with stand-ins for nvidia-smi, the profiler and the programs: what it runs, what it writes and its
exit status. That the real ones do their work is seen where there is a GPU."""

import json
import os
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "tools/gpu_check.sh"
SMI = """case "$*" in
  *=name*) echo "NVIDIA Test 1" ;;
  *compute_cap*) echo 9.0 ;;
  *) echo 580.1 ;;
esac"""
NO_DEVICE = """echo "No devices were found"; exit 6"""


def program(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


@pytest.fixture
def machine(tmp_path):
    program(tmp_path / "path/nvidia-smi", SMI)
    program(tmp_path / "path/ncu", 'echo "ncu $*"')
    program(tmp_path / "path/compute-sanitizer", 'echo "$2 of $5"')
    program(tmp_path / "build/bin/tandem_bench", "exit 0")
    program(tmp_path / "build/bin/tests/cuda.parity_test", 'echo "required: $TANDEM_REQUIRE_GPU"')
    program(tmp_path / "build/bin/tests/cuda.loader_test", "exit 1")  # would open what lies beside it
    return tmp_path


def check(machine, *arguments):
    environment = os.environ | {"PATH": f"{machine}/path:{os.environ['PATH']}"}
    words = [SCRIPT, "--binaries", "build", "--out", "out", *arguments]
    return subprocess.run(words, capture_output=True, text=True, cwd=machine, env=environment, timeout=60)


def written(machine, ending):
    (path,) = machine.glob(f"out/nvidia-test-1-????-??-??.{ending}")
    return path.read_text()


def test_no_gpu(machine):
    program(machine / "path/nvidia-smi", NO_DEVICE)
    done = check(machine)
    assert done.returncode == 2
    assert done.stderr == "gpu_check.sh: no NVIDIA GPU here: No devices were found\n" and not done.stdout
    assert not (machine / "out").exists()


@pytest.mark.parametrize("arguments", [["everything"], ["--limit", "soon"], ["--worst", "0"], ["--rows"]])
def test_wrong_arguments(machine, arguments):
    done = check(machine, *arguments)
    assert done.returncode == 2 and done.stderr.startswith("gpu_check.sh: expected"), done


def test_programs_and_the_table(machine):
    done = check(machine, "build", "test")
    assert done.returncode == 0, done
    assert "required: 1" in written(machine, "test.txt")
    table = written(machine, "txt")
    assert "NVIDIA Test 1" in table and "1 of 1 programs passed" in table
    program(machine / "build/bin/tests/print.print_test", "exit 1")
    done = check(machine, "test")
    assert done.returncode == 1 and "1 of 2 programs passed" in done.stdout
    assert "FAILED: print.print_test" in written(machine, "test.txt")


def test_sanitizer(machine):
    assert check(machine, "sanitize").returncode == 0
    log = written(machine, "sanitize.txt")
    assert f"memcheck of {machine}/build/bin/tests/cuda.parity_test" in log and "racecheck of" in log
    program(machine / "path/compute-sanitizer", '[ "$2" = memcheck ]')
    done = check(machine, "sanitize")
    assert done.returncode == 1 and "memcheck clean; racecheck FAILED" in done.stdout


def test_time_limit(machine):
    program(machine / "path/compute-sanitizer", "sleep 30")
    done = check(machine, "--limit", "1", "sanitize")
    assert done.returncode == 1 and "memcheck ran out of time; racecheck ran out of time" in done.stdout


def test_profiles_the_worst_rows(machine):
    done = check(machine, "profile")
    assert done.returncode == 1 and "run the step bench first" in done.stdout
    shares = {"good/x": 0.99, "worst/x": 0.2, "small/x": 0.1, "bad/x": 0.5}
    rows = [{"name": n, "bytes": 1e6 if n == "small/x" else 1e8, "of_copy": s} for n, s in shares.items()]
    (log,) = machine.glob("out/nvidia-test-1-????-??-??.txt")
    log.with_suffix(".json").write_text(json.dumps({"rows": [*rows, {"name": "failed/x", "error": "why"}]}))
    done = check(machine, "--worst", "2", "profile")
    assert done.returncode == 0, done
    profiled = [line.split()[-1] for line in written(machine, "profile.txt").splitlines() if line.startswith("ncu ")]
    assert profiled == ["^worst/x$", "^bad/x$"]
