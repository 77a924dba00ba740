"""Runs tandem_bench for a moment: every kind of row measures something, a bad argument is refused, a failed write
leaves no file. With a backend library as second argument: the same on its device. Says nothing about speed."""

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

QUICK = ["--min-time", "0.000001", "--repetitions", "1", "--rate-mib", "2", "--threads", "2"]
# Small rows of each kind, and one of the large ones.
FILTER = "/16/|/4x4/|/256x256/|/view$|^sum/.*/full$|^empty/"


# On a device that is simulated: what has few elements.
DEVICE_FILTER = "^(add|sin|where).*/16/|/4x4/|/view$|^empty/"


def run(bench, *arguments, **options):
    return subprocess.run([bench, *QUICK, *arguments], capture_output=True, text=True, **options)


def check(bench, folder):
    problems = []

    def expect(ok, what):
        if not ok:
            problems.append(what)

    listed = subprocess.run([bench, "--list", FILTER], capture_output=True, text=True).stdout.split()
    path = folder / "rows.json"
    done = run(bench, FILTER, "--json", str(path))
    expect(done.returncode == 0, f"exit status {done.returncode}: {done.stderr}{done.stdout}")
    result = json.loads(path.read_text())
    rows = {row["name"]: row for row in result["rows"]}
    expect(list(rows) == listed, f"{len(rows)} rows measured, {len(listed)} listed")
    for form in ("fresh", "out", "view", "full", "in_place", "scalar"):
        expect(any(row["form"] == form for row in rows.values()), f"no row of the form {form}")
    for row in rows.values():
        expect(0 < row.get("best_ns", 0) <= row["ns"], f"{row['name']}: no time in {row}")
    for threads in ("one", "all"):
        rates = result["rates"][threads]
        expect(all(rates[what] > 0 for what in ("write", "copy", "add", "read")), f"rates: {rates}")
    add, total = rows["add/float32/16/fresh"], rows["sum/float32/4096x4096/full"]
    expect(add["bytes"] == 3 * 4 * 16, f"add moves {add['bytes']} bytes")
    expect(abs(total["gbps"] - 4 * 4096**2 / total["ns"]) < 1e-6 * total["gbps"], f"GB/s of sum: {total}")
    printed = re.search(r"^sum/float32/4096x4096/full +[\d.]+ \ws +[\d.]+ +\d+%$", done.stdout, re.MULTILINE)
    expect(printed, f"no row of sum in:\n{done.stdout}")

    for arguments in (["no such row"], ["("], ["--dtypes", "float31"], ["--threads", "0"], ["--nonsense"]):
        done = run(bench, *arguments)
        expect(done.returncode == 2, f"{arguments}: exit status {done.returncode}, expected 2")
        expect(done.stderr.strip(), f"{arguments}: no message")
    done = run(bench, "^empty/", "--json", str(folder / "none" / "rows.json"))
    expect(done.returncode == 2 and "none/rows.json" in done.stderr, f"unwritable file: {done}")
    expect(sorted(p.name for p in folder.iterdir()) == ["rows.json"], f"left behind: {list(folder.iterdir())}")
    return problems


def check_device(bench, library, folder):
    problems = []

    def expect(ok, what):
        if not ok:
            problems.append(what)

    def on(device, *arguments, backend=library):
        environment = os.environ | {"TANDEM_CUDA_LIBRARY": backend}
        return run(bench, "--device", device, "--batch", "2", *arguments, env=environment)

    path = folder / "rows.json"
    done = on("cuda", DEVICE_FILTER, "--json", str(path))
    expect(done.returncode == 0, f"exit status {done.returncode}: {done.stderr}{done.stdout}")
    result = json.loads(path.read_text())
    device, rows = result["machine"]["device"], result["rows"]
    expect(device["name"] == "cuda:0" and device["model"] and device["batch"] == 2, f"device: {device}")
    expect(all(result["rates"][what] > 0 for what in ("write", "copy", "launch_ns")), f"rates: {result['rates']}")
    for form in ("fresh", "out", "view", "in_place", "scalar"):
        expect(any(row["form"] == form for row in rows), f"no row of the form {form}")
    for row in rows:
        expect(0 < row.get("queued_ns", 0) <= row["ns"], f"{row['name']}: no times in {row}")
    expect(re.search(r"^add/float32/16/out +[\d.]+ \ws +[\d.]+ \ws$", done.stdout, re.MULTILINE), done.stdout)

    done = on("cuda:1", "/4x4/", "--json", str(path))
    expect(json.loads(path.read_text())["machine"]["device"]["name"] == "cuda:1", f"second device: {done}")
    for name, backend in (("cuda:3", library), ("meta", library), ("gpu", library), ("cuda", "")):
        done = on(name, "/4x4/", backend=backend)
        expect(done.returncode == 2, f"{name}: exit status {done.returncode}, expected 2")
        expect(done.stderr.strip(), f"{name}: no message")
    return problems


def main():
    with tempfile.TemporaryDirectory() as folder:
        bench, *library = sys.argv[1:]
        problems = check_device(bench, *library, Path(folder)) if library else check(bench, Path(folder))
    for problem in problems:
        print(problem)
    return bool(problems)


if __name__ == "__main__":
    sys.exit(main())
