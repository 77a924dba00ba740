"""Runs tandem_bench for a moment: every kind of row measures something, a bad argument is refused, a failed write
leaves no file. Says nothing about speed."""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

QUICK = ["--min-time", "0.000001", "--repetitions", "1", "--rate-mib", "2", "--threads", "2"]
# Small rows of each kind, and one of the large ones.
FILTER = "/16/|/4x4/|/256x256/|/view$|^sum/.*/full$|^empty/"


def run(bench, *arguments):
    return subprocess.run([bench, *QUICK, *arguments], capture_output=True, text=True)


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


def main():
    with tempfile.TemporaryDirectory() as folder:
        problems = check(sys.argv[1], Path(folder))
    for problem in problems:
        print(problem)
    return bool(problems)


if __name__ == "__main__":
    sys.exit(main())
