#!/usr/bin/env python3
"""Runs tandem_bench and then the same shapes with PyTorch and NumPy, where installed; prints what is how many
times faster, geometric means, and whether the targets are met.

    perf/peers.py                      everything, then the targets
    perf/peers.py matmul fft linalg    rows whose names match one of the regular expressions, and their targets
    perf/peers.py --targets-only       the rows that have targets
    perf/peers.py --device cuda        Tandem and PyTorch on a GPU

Targets are ratios within one run. Their rows are measured in several rounds, Tandem and PyTorch in turn, and the
median of the rounds counts. A missed target is printed, not an error: other programs on the machine count as well.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from peer_calls import Torch, load_peers
from targets import TARGET_PATTERN, geometric_mean, overall, targets

ROOT = Path(__file__).resolve().parents[1]


# ---- Tandem


def find_bench(given):
    """The benchmark program: given, or the newest one below build/."""
    if given:
        return Path(given)
    built = [p for p in ROOT.glob("build*/**/tandem_bench") if os.access(p, os.X_OK)]
    if not built:
        sys.exit("peers.py: expected tandem_bench below build/, got none; build it or name it with --bench")
    return max(built, key=lambda p: p.stat().st_mtime)


def run_bench(bench, arguments, quiet=False):
    """Rows and rates of one run of tandem_bench."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.json"
        done = subprocess.run(
            [str(bench), *arguments, "--json", str(path)], stdout=subprocess.DEVNULL if quiet else None
        )
        if done.returncode not in (0, 1):  # 1: some rows failed, and say so
            sys.exit(done.returncode)
        return json.loads(path.read_text())


def rows_with_targets(bench, filters):
    """The names of the rows that have targets and match one of the filters, if there are any."""
    listed = subprocess.run([str(bench), "--list", TARGET_PATTERN], stdout=subprocess.PIPE, text=True, check=True)
    names = listed.stdout.split()
    return [name for name in names if any(re.search(f, name) for f in filters)] if filters else names


# ---- results


def group_of(row):
    """Which geometric mean a row counts in."""
    if len(row["shape"]) == 1 and row["form"] in ("fresh", "out"):
        size = row["name"].split("/")[2]
        return f"{size} elements, {'fresh output' if row['form'] == 'fresh' else 'existing output'}"
    return "views and small calls" if row["bytes"] < 1e6 and "gflops" not in row else "larger rows"


def compare(rows, peers, o):
    """Adds each peer's time to the rows and prints the table."""
    print(f"\n{'':44} {'Tandem':>12}" + "".join(f" {p.name:>20} {'times':>7}" for p in peers))
    progress = sys.stderr.isatty()
    for done, row in enumerate(rows):
        if "ns" not in row:
            continue
        line = f"{row['name']:44} {time_text(row['ns']):>12}"
        for peer in peers:
            if progress:
                note = f"\r\033[K[{done}/{len(rows)}] {peer.name}: {row['name']}"
                print(note, end="", file=sys.stderr, flush=True)
            ns = peer.nanoseconds(row, o)
            if ns is None:
                line += f" {'':>20} {'':>7}"
                continue
            row.setdefault("peers", {})[peer.name] = ns
            line += f" {time_text(ns):>20} {ns / row['ns']:>7.2f}"
        if progress:
            print("\r\033[K", end="", file=sys.stderr, flush=True)
        print(line, flush=True)


def print_means(rows, peers):
    for peer in peers:
        groups = {}
        for row in rows:
            if peer.name in row.get("peers", {}):
                groups.setdefault(group_of(row), []).append((row["peers"][peer.name] / row["ns"], row["name"]))
        print(f"\ntimes faster than {peer.name}, geometric mean (least)")
        for name, found in groups.items():
            least = min(found)
            print(f"  {name:36} {geometric_mean([f[0] for f in found]):6.2f}  of {len(found):3} rows"
                  f"  ({least[0]:.2f} {least[1]})")


def time_text(ns):
    for limit, divisor, unit in ((1e4, 1, "ns"), (1e7, 1e3, "us")):
        if ns < limit:
            return f"{ns / divisor:.1f} {unit}"
    return f"{ns / 1e6:.2f} ms"


# ---- targets


def run_targets(bench, o, torch, out):
    """The verdicts; what the runs tell of the machine goes into `out` where it is not there yet."""
    names = rows_with_targets(bench, o.filters)
    if not names:
        return []
    pattern = "^(" + "|".join(map(re.escape, names)) + ")$"
    rounds = []
    for index in range(o.rounds):
        print(f"targets: round {index + 1} of {o.rounds}", file=sys.stderr, flush=True)
        result = run_bench(bench, [*o.bench_arguments, pattern], quiet=True)
        rows = {row["name"]: row for row in result["rows"] if "ns" in row}
        for row in rows.values():
            row["torch"] = torch.nanoseconds(row, o) if torch else None
        rounds.append({"rates": result["rates"], "rows": rows, "transforms": result["machine"].get("transforms")})
        for what in ("machine", "rates"):
            out.setdefault(what, result[what])
    return targets(rounds, o.device != "cpu")


def print_targets(verdicts, rounds):
    print(f"\ntargets (median of {rounds} rounds)")
    for v in verdicts:
        value, limit = (f"{x:.0f}" if v["unit"] else f"{x:.2f}" for x in (v["value"], v["limit"]))
        print(f"  {'pass' if v['met'] else 'MISS'}  {v['target']:60} {value:>6}{v['unit']}  ({v['bound']} {limit})")
    print(f"  {sum(v['met'] for v in verdicts)} of {len(verdicts)} met")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("filters", nargs="*", metavar="FILTER", help="regular expressions for the names of rows")
    parser.add_argument("--bench", help="the program tandem_bench; the newest one below build/ by default")
    parser.add_argument("--json", help="write rows, rates and verdicts to this file")
    parser.add_argument("--dtypes", default="float32", help="all, or names with commas between")
    parser.add_argument("--threads", type=int, help="threads of every library")
    parser.add_argument("--device", default="cpu", help="cpu, cuda or cuda:INDEX")
    parser.add_argument("--batch", type=int, default=32, help="calls before a wait, on a device")
    parser.add_argument("--min-time", type=float, default=0.02, help="seconds a repetition takes at least")
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=3, help="of the rows with targets")
    parser.add_argument("--targets-only", action="store_true")
    o, for_benchmark = parser.parse_known_args()
    if unknown := [word for word in for_benchmark if not word.startswith("--benchmark_")]:
        parser.error(f"unknown arguments: {' '.join(unknown)}")
    for pattern in o.filters:
        try:
            re.compile(pattern)
        except re.error as e:
            parser.error(f"expected a regular expression, got '{pattern}': {e}")
    bench = find_bench(o.bench)
    if o.json:
        Path(o.json).parent.mkdir(parents=True, exist_ok=True)  # now, not after minutes
    common = ["--min-time", str(o.min_time), "--repetitions", str(o.repetitions)]
    o.bench_arguments = common + (["--threads", str(o.threads)] if o.threads else [])
    o.bench_arguments += ["--device", o.device, "--batch", str(o.batch), *for_benchmark]

    began, out = time.monotonic(), {"rows": []}
    peers = load_peers(o.threads or os.cpu_count(), o.device)
    if not o.targets_only:
        out = run_bench(bench, [*o.bench_arguments, "--dtypes", o.dtypes, *o.filters])
        if not o.threads and isinstance(peers[0] if peers else None, Torch):
            peers[0].lib.set_num_threads(out["machine"]["threads"])
        compare(out["rows"], peers, o)
        print_means(out["rows"], peers)
    torch = next((p for p in peers if isinstance(p, Torch)), None)
    out["targets"] = run_targets(bench, o, torch, out)
    if o.device != "cpu" and torch and not o.filters:
        out["targets"] += overall(out["rows"], torch.name)
    if out["targets"]:
        print_targets(out["targets"], o.rounds)
    out["peers"] = [p.name for p in peers]
    if o.json:
        Path(o.json).write_text(json.dumps(out, indent=1) + "\n")
    print(f"\n{time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
