"""Checks that the table of device kernels in docs/numerics.md is complete and says which were run on a device, and when.

    check_device_runs.py [--root DIR] [--write]

The kernels are those declared in the sources; the dates come from perf/results/*.json, where tools/gpu_check.sh leaves
them. --write, after a run, puts the dates into the page; a kernel that is newer than the last run says "GPU run pending".
"""

import argparse
import json
import re
import sys
from pathlib import Path

import device_code

PAGE = "docs/numerics.md"
ROW = re.compile(r"^\| (.*) \| ([^|]*) \|$")
HEAD = "| kernel | what it does | bits | device run |"
PENDING = "GPU run pending"  # of a kernel that is newer than the last run
NOT_LISTED = {"probe_kernel"}  # never run: it is asked for to see whether code can be loaded


def device_run(root):
    """The newest run of the tests on a device, in words."""
    newest = None
    for path in sorted(root.glob("perf/results/*.json")):
        check = json.loads(path.read_text()).get("check", {})
        if check.get("steps", {}).get("test") == "passed":
            run = (check["date"], check["gpu"])
            newest = max(newest, run) if newest else run
    return f"{newest[0]}, {newest[1]}" if newest else "pending"


def kernels(root):
    texts = [path.read_text() for path in device_code.sources(root)]
    return {name for text in texts for name in device_code.DECLARED.findall(text)} - NOT_LISTED


def check(root, write=False):
    """Problems of the table; with `write` the dates are put in."""
    page = root / PAGE
    lines = page.read_text().splitlines()
    if HEAD not in lines:
        return [f"{PAGE}: no table {HEAD!r}"]
    wanted, problems, listed = device_run(root), [], set()
    at = lines.index(HEAD) + 2
    while at < len(lines) and (row := ROW.match(lines[at])):
        listed |= set(re.findall(r"`(\w+_kernel)`", row[1]))
        if row[2] != wanted:
            if write:
                lines[at] = f"| {row[1]} | {wanted} |"
            elif row[2] != PENDING:
                problems.append(f"{PAGE}:{at + 1}: expected device run {wanted!r}, got {row[2]!r} (run with --write)")
        at += 1
    if write:
        page.write_text("\n".join(lines) + "\n")
    declared = kernels(root)
    problems += [f"{PAGE}: {name} is not in the table of device kernels" for name in sorted(declared - listed)]
    problems += [f"{PAGE}: {name} is in the table but in no source" for name in sorted(listed - declared)]
    return problems


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", type=Path, default=Path(__file__).resolve().parents[2])
    parser.add_argument("--build")  # as every lint
    parser.add_argument("--write", action="store_true")
    args = parser.parse_args()
    problems = check(args.root, args.write)
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
