#!/usr/bin/env python3
"""Runs tandem_bench and then the same shapes with PyTorch and NumPy, where installed; prints what is how many
times faster, geometric means, and whether the targets are met.

    perf/peers.py                      everything, then the targets
    perf/peers.py '^sum/'              rows whose names match, without the targets
    perf/peers.py --targets-only       the rows that have targets
    perf/peers.py --device cuda        Tandem and PyTorch on a GPU

Targets are ratios within one run. Their rows are measured in several rounds, Tandem and PyTorch in turn, and the
median of the rounds counts. A missed target is printed, not an error: other programs on the machine count as well.
"""

import argparse
import json
import math
import operator
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
NUMPY_MOST = 1 << 20  # elements: NumPy works on one thread and would take most of the time
OWN_NAMES = {"fill": "full"}  # where PyTorch calls a row's function otherwise


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


# ---- the peers


def measure(call, min_time, repetitions):
    """Nanoseconds of a call: the median of repetitions that take at least min_time each."""
    call()
    begin = time.perf_counter()
    call()
    once = max(time.perf_counter() - begin, 1e-7)
    count = max(1, math.ceil(min_time / once))
    times = []
    for _ in range(repetitions):
        begin = time.perf_counter()
        for _ in range(count):
            call()
        times.append((time.perf_counter() - begin) / count * 1e9)
    return statistics.median(times)


def batches(call, wait, size):
    """A call that makes `size` calls and then waits for the device, as tandem_bench times them."""

    def run():
        for _ in range(size):
            call()
        wait()

    return run


class NoDevice(Exception):
    """A peer that is installed but cannot use the device."""


class Torch:
    """PyTorch's form of a row, as a call without arguments, or None where it has none."""

    def __init__(self, threads, device="cpu"):
        import torch

        self.lib = torch
        self.device = torch.device(device)
        self.name = f"PyTorch {torch.__version__}"
        if device != "cpu" and not torch.cuda.is_available():
            raise NoDevice(f"{self.name} sees no GPU")
        torch.set_num_threads(threads)
        self.kept = (None, None)

    def nanoseconds(self, row, o):
        """Of a call of the row; None where PyTorch has no form of it."""
        call = self.call(row)
        if call is None or self.device.type == "cpu":
            return measure(call, o.min_time, o.repetitions) if call else None
        run = batches(call, lambda: self.lib.cuda.synchronize(self.device), o.batch)
        return measure(run, o.min_time, o.repetitions) / o.batch

    def dtype(self, name):
        return getattr(self.lib, name.rstrip("_"))

    def tensor(self, shape, dtype, domain, seed=1):
        """Values as tandem_bench draws them: even in the domain."""
        torch = self.lib
        low, high = domain
        torch.manual_seed(seed)
        if dtype == "bool":
            return (torch.rand(shape) < 0.5).to(self.device)
        block = torch.rand(min(math.prod(shape), 1 << 16), dtype=torch.float64) * (high - low) + low
        full = block.to(self.dtype(dtype)).repeat(-(-math.prod(shape) // len(block)))
        return full[: math.prod(shape)].reshape(shape).clone().to(self.device)

    def inputs(self, row, dtypes):
        key = (tuple(row["shape"]), tuple(dtypes), tuple(row["domain"]))
        if self.kept[0] != key:
            self.kept = (None, None)
            made = [self.tensor(row["shape"], t, row["domain"], i + 1) for i, t in enumerate(dtypes)]
            self.kept = (key, made)
        return self.kept[1]

    def call(self, row):
        torch, form = self.lib, row["form"]
        special = getattr(self, "_" + row["op"].rstrip("_"), None)
        if special:
            return special(row)
        if form == "in_place" and row["op"].endswith("_"):
            return self.draw(row)
        function = getattr(torch, OWN_NAMES.get(row["op"], row["op"]), None)
        if form.startswith("dim") or form == "full":
            (x,) = self.inputs(row, [row["dtype"]])
            return (lambda: function(x)) if form == "full" else (lambda: function(x, dim=int(form[3:])))
        if form == "view":
            return self.view(row)
        if function is None:
            return None
        if form in ("in_place", "scalar"):
            x, y = self.inputs(row, [row["dtype"]] * 2)
            return (lambda: x.add_(y)) if form == "in_place" else (lambda: x + 1.5)
        return self.elementwise(row, function)

    def draw(self, row):
        (x,) = self.inputs(row, [row["dtype"]])
        method = getattr(x, row["op"])
        arguments = (0.25,) if row["op"] == "geometric_" else ()
        return lambda: method(*arguments)

    def view(self, row):
        (x,) = self.inputs(row, [row["dtype"]])
        arguments = {"select": (0, 3), "narrow": (0, 2, 4), "transpose": (0, 1), "view": (4, 64)}
        arguments |= {"unsqueeze": (0,), "expand": (16, 16)}
        method = getattr(x, row["op"])
        return lambda: method(*arguments[row["op"]])

    def elementwise(self, row, function):
        """Into a fresh or an existing output; None for what PyTorch does not take."""
        x = self.inputs(row, [row["dtype"]] * row["inputs"])
        try:
            out = function(*x)
            if row["form"] == "out":
                function(*x, out=out)
        except (TypeError, RuntimeError):
            return None
        return (lambda: function(*x, out=out)) if row["form"] == "out" else (lambda: function(*x))

    # rows whose call differs

    def _where(self, row):
        torch = self.lib
        c, x, y = self.inputs(row, ["bool", row["dtype"], row["dtype"]])
        out = torch.empty_like(x)
        return (lambda: torch.where(c, x, y, out=out)) if row["form"] == "out" else lambda: torch.where(c, x, y)

    def _topk(self, row):
        (x,) = self.inputs(row, [row["dtype"]])
        k = int(row["form"][1:])
        return lambda: self.lib.topk(x, k)

    def _trunc_divide(self, row):
        return self.elementwise(row, lambda x, y, **out: self.lib.div(x, y, rounding_mode="trunc", **out))

    def generator(self, row, *arguments):
        function = getattr(self.lib, OWN_NAMES.get(row["op"], row["op"]))
        options = {"dtype": self.lib.float32}
        if self.device.type != "cpu":
            options["device"] = self.device
        return lambda: function(*arguments, **options)

    def _fill(self, row):
        return self.generator(row, row["shape"], 1.5)

    def _rand(self, row):
        return self.generator(row, row["shape"])

    _randn = _rand

    def _empty(self, row):
        return self.generator(row, row["shape"])

    def _arange(self, row):
        return self.generator(row, 0, row["shape"][0])

    def _linspace(self, row):
        return self.generator(row, 0, row["shape"][0], row["shape"][0])

    _logspace = _linspace

    def _eye(self, row):
        return self.generator(row, row["shape"][0])

    def _cat(self, row):
        (x,) = self.inputs(row, [row["dtype"]])
        function = getattr(self.lib, row["op"])
        return lambda: function([x, x])

    _stack = _cat

    def _matmul(self, row):
        (x,) = self.inputs(row, [row["dtype"]])
        return lambda: self.lib.matmul(x, x)

    def _einsum(self, row):
        (x,) = self.inputs(row, [row["dtype"]])
        weights = self.lib.rand(3).to(self.device)
        return lambda: self.lib.einsum(row["extra"], x, weights)

    def _logsumexp(self, row):
        (x,) = self.inputs(row, [row["dtype"]])
        dim = (0, 1) if row["form"] == "full" else int(row["form"][3:])
        return lambda: self.lib.logsumexp(x, dim)

    def _softmin(self, row):
        (x,) = self.inputs(row, [row["dtype"]])
        return lambda: self.lib.nn.functional.softmin(x, int(row["form"][3:]))

    def _cumulative_sum(self, row):
        return None  # NumPy's word for cumsum

    _cumulative_prod = _cumulative_sum

    def _clone(self, row):
        (x,) = self.inputs(row, [row["dtype"]])
        return (lambda: x.t().contiguous()) if "transposed" in row["form"] else (lambda: x.clone())

    def _copy(self, row):
        (x,) = self.inputs(row, [row["dtype"]])
        out = self.lib.empty_like(x)
        source = x.t() if "transposed" in row["form"] else x
        return lambda: out.copy_(source)

    def _to(self, row):
        (x,) = self.inputs(row, [row["dtype"]])
        target = self.dtype(row["extra"])
        if row["form"].startswith("fresh"):
            return lambda: x.to(target)
        out = self.lib.empty(row["shape"], dtype=target, device=self.device)
        return lambda: out.copy_(x)


    # indexing: the same shapes with random places

    def places(self, shape, below):
        self.lib.manual_seed(7)
        return self.lib.randint(below, shape).to(self.device)

    def _index_select(self, row):
        (x,) = self.inputs(row, [row["dtype"]])
        i = self.places([4096 if row["form"] == "rows" else 1 << 22], x.shape[0])
        return lambda: self.lib.index_select(x, 0, i)

    def _gather(self, row):
        (x,) = self.inputs(row, [row["dtype"]])
        i = self.places(row["shape"], x.shape[1])
        return lambda: self.lib.gather(x, 1, i)

    def masked(self, row, call):
        (x,) = self.inputs(row, [row["dtype"]])
        mask = x > 0
        return lambda: call(x, mask)

    def _masked_select(self, row):
        return self.masked(row, self.lib.masked_select)

    def _nonzero(self, row):
        return self.masked(row, lambda x, mask: self.lib.nonzero(mask))

    def _masked_fill(self, row):
        return self.masked(row, lambda x, mask: self.lib.masked_fill(x, mask, 2))

    def _index_add(self, row):
        (x,) = self.inputs(row, [row["dtype"]])
        i, to = self.places([x.shape[0]], x.shape[0]), x.clone()
        return lambda: to.index_add_(0, i, x)

    def _scatter_add(self, row):
        (x,) = self.inputs(row, [row["dtype"]])
        i, to = self.places(row["shape"], x.shape[0]), x.clone()
        return lambda: to.scatter_add_(0, i, x)

    def _index_put(self, row):
        (x,) = self.inputs(row, [row["dtype"]])
        i, to, accumulate = self.places(row["shape"], x.shape[0]), x.clone(), row["form"] == "accumulated"
        return lambda: to.index_put_((i,), x, accumulate)


class NumPy:
    """NumPy's form of the elementwise rows with fresh outputs and of the reductions."""

    def __init__(self, threads):
        import numpy

        self.lib = numpy
        self.name = f"NumPy {numpy.__version__}"

    def array(self, row, seed):
        np, (low, high) = self.lib, row["domain"]
        values = np.random.default_rng(seed).random(row["shape"], dtype=np.float32) * (high - low) + low
        return values.astype(row["dtype"].rstrip("_"))

    def nanoseconds(self, row, o):
        call = self.call(row)
        return measure(call, o.min_time, o.repetitions) if call else None

    def call(self, row):
        np, form = self.lib, row["form"]
        function = getattr(np, row["op"], None) or getattr(operator, row["op"], None)
        if row["op"] == "div":
            function = operator.truediv
        if function is None or row["dtype"].rstrip("_") not in np.sctypeDict:
            return None
        if form.startswith("dim") or form == "full":
            if row["op"] not in ("sum", "mean", "argmax"):
                return None
            x = self.array(row, 1)
            return (lambda: function(x)) if form == "full" else (lambda: function(x, axis=int(form[3:])))
        if form != "fresh" or len(row["shape"]) != 1 or row["shape"][0] > NUMPY_MOST:
            return None
        x = [self.array(row, i) for i in range(row["inputs"])]
        try:
            result = function(*x)
        except (TypeError, ValueError):
            return None
        return (lambda: function(*x)) if isinstance(result, np.ndarray) else None


def load_peers(threads, device):
    peers = []
    kinds = [lambda: Torch(threads, device)] + ([lambda: NumPy(threads)] if device == "cpu" else [])
    for kind in kinds:
        try:
            peers.append(kind())
        except ImportError as e:
            print(f"{e.name} is not installed; its column is left out")
        except NoDevice as e:
            print(f"{e}; its column is left out")
    return peers


# ---- results


def group_of(row):
    """Which geometric mean a row counts in."""
    if len(row["shape"]) == 1 and row["form"] in ("fresh", "out"):
        size = row["name"].split("/")[2]
        return f"{size} elements, {'fresh output' if row['form'] == 'fresh' else 'existing output'}"
    return "views and small calls" if row["bytes"] < 1e6 and "gflops" not in row else "larger rows"


def geometric_mean(values):
    return math.exp(statistics.fmean(map(math.log, values)))


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

# Functions with a target of their own, in both sizes, into existing outputs.
FUNCTIONS = ("exp", "log", "sin", "tanh")
TARGET_ROWS = [
    "add/float32/16M/fresh", "add/float32/16/fresh", "select/float32/16x16/view", "sum/float32/4096x4096/full",
    "sum/float32/4096x4096/dim0", "sum/float32/4096x4096/dim1", "einsum/float32/2x3x2160x3840/luma",
    "copy_/float32/33177600/luma_bytes", "cumsum/float32/16M/dim0", "cumsum/float32/4096x4096/dim0",
    "argmax/float32/4096x4096/dim0", "softmax/float32/4096x4096/dim0", "softmax/float32/4096x4096/dim1",
    "sort/float32/1M/fresh", "sort/float32/16M/fresh",
] + [f"{f}/float32/{size}/out" for f in FUNCTIONS for size in ("1M", "16M")]  # fmt: skip


def judge(name, value, limit, at_least, unit=""):
    met = value >= limit if at_least else value <= limit
    word = "at least" if at_least else "at most"
    return {"target": name, "value": value, "limit": limit, "bound": word, "unit": unit, "met": met}


# What a target is about, from the rows and the rates of a round.


def share(name, rate):
    return lambda rows, rates: rows[name]["gbps"] / rates[rate]


def times(name):
    return lambda rows, rates: rows[name]["torch"] / rows[name]["ns"]


def ns(name, what="ns"):
    return lambda rows, rates: rows[name][what]


def beyond_launch(name):
    """What a call takes on the calling thread over the driver's smallest command."""
    return lambda rows, rates: rows[name]["queued_ns"] - rates["launch_ns"]


def luma_of_moved(rows, rates):
    return rows["einsum/float32/2x3x2160x3840/luma"]["ns"] / rows["copy_/float32/33177600/luma_bytes"]["ns"]


LUMA = ("luma: of the time of copying as many bytes", luma_of_moved, 1.3, False, "")
FUNCTION_ROWS = [f"{f}/float32/{size}/out" for f in FUNCTIONS for size in ("1M", "16M")]
MATRIX = "sum/float32/4096x4096/"
TRANSPOSED = "copy_/float32/4096x4096/out_transposed"


def host_targets():
    wanted = [
        (
            "add of 16M, fresh output: share of the best streaming rate",
            share("add/float32/16M/fresh", "streaming"), 0.9, True, "",
        ),
        ("sum of all: share of the read rate", share(MATRIX + "full", "read"), 0.9, True, ""),
        LUMA,
        ("add of 16 elements", ns("add/float32/16/fresh"), 150, False, " ns"),
        ("a view", ns("select/float32/16x16/view"), 25, False, " ns"),
    ]  # fmt: skip
    wanted += [
        ("cumsum of 16M: times PyTorch", times("cumsum/float32/16M/dim0"), 3, True, ""),
        ("cumsum along axis 0: times PyTorch", times("cumsum/float32/4096x4096/dim0"), 15, True, ""),
        ("argmax along axis 0: times PyTorch", times("argmax/float32/4096x4096/dim0"), 8, True, ""),
    ]
    wanted += [
        (f"softmax along axis {d}: times PyTorch", times(f"softmax/float32/4096x4096/dim{d}"), 2, True, "")
        for d in (0, 1)
    ]
    wanted += [(f"sum along axis {d}: times PyTorch", times(f"{MATRIX}dim{d}"), 1, True, "") for d in (0, 1)]
    wanted += [(f"sort of {n}: times PyTorch", times(f"sort/float32/{n}/fresh"), 4, True, "") for n in ("1M", "16M")]
    return wanted + [(f"{name}: times PyTorch", times(name), 1, True, "") for name in FUNCTION_ROWS]


def device_targets():
    large = ["add/float32/16M/fresh"] + [f"{f}/float32/16M/out" for f in FUNCTIONS]
    large += [MATRIX + form for form in ("full", "dim0", "dim1")]
    wanted = [(f"{name}: share of the copy rate", share(name, "copy"), 0.97, True, "") for name in large]
    wanted += [
        ("copy of a transpose: share of the copy rate", share(TRANSPOSED, "copy"), 0.85, True, ""),
        LUMA,
        ("add of 16, calling thread, over the least launch", beyond_launch("add/float32/16/fresh"), 300, False, " ns"),
        ("a view, calling thread", ns("select/float32/16x16/view", "queued_ns"), 25, False, " ns"),
    ]
    return wanted + [(f"{name}: times PyTorch", times(name), 1, True, "") for name in [*large, TRANSPOSED]]


def targets(rounds, on_device=False):
    """The verdicts of several rounds: each holds rates and, by name, rows with Tandem's and PyTorch's times."""

    def middle(value):
        """The median over the rounds that have what `value` asks for; None where none has."""
        values = []
        for one in rounds:
            try:
                values.append(value(one["rows"], one["rates"]))
            except (KeyError, TypeError):  # a row left out or failed, or no PyTorch
                continue
        return statistics.median(values) if values else None

    verdicts = []
    for name, value, limit, at_least, unit in device_targets() if on_device else host_targets():
        if (found := middle(value)) is not None:
            verdicts.append(judge(name, found, limit, at_least, unit))
    ratios = [v for name in FUNCTION_ROWS if (v := middle(times(name))) is not None]
    if not on_device and len(ratios) == len(FUNCTION_ROWS):
        verdicts.append(judge("these together, geometric mean: times PyTorch", geometric_mean(ratios), 1.3, True))
    return verdicts


def overall(rows, peer):
    """The verdicts on all rows of a device that the peer has too."""
    ratios = [row["peers"][peer] / row["ns"] for row in rows if peer in row.get("peers", {})]
    if not ratios:
        return []
    return [
        judge(f"all {len(ratios)} rows, geometric mean: times PyTorch", geometric_mean(ratios), 1.5, True),
        judge("the least of them: times PyTorch", min(ratios), 1, True),
    ]


def run_targets(bench, o, torch, out):
    """The verdicts; what the runs tell of the machine goes into `out` where it is not there yet."""
    names = [*TARGET_ROWS, *([TRANSPOSED] if o.device != "cpu" else [])]
    pattern = "^(" + "|".join(names) + ")$"
    rounds = []
    for index in range(o.rounds):
        print(f"targets: round {index + 1} of {o.rounds}", file=sys.stderr, flush=True)
        result = run_bench(bench, [*o.bench_arguments, pattern], quiet=True)
        rows = {row["name"]: row for row in result["rows"] if "ns" in row}
        for row in rows.values():
            row["torch"] = torch.nanoseconds(row, o) if torch else None
        rounds.append({"rates": result["rates"], "rows": rows})
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
    parser.add_argument("filter", nargs="?", default="", help="regular expression for the names of rows")
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
    o = parser.parse_args()
    bench = find_bench(o.bench)
    if o.json:
        Path(o.json).parent.mkdir(parents=True, exist_ok=True)  # now, not after minutes
    common = ["--min-time", str(o.min_time), "--repetitions", str(o.repetitions)]
    o.bench_arguments = common + (["--threads", str(o.threads)] if o.threads else [])
    o.bench_arguments += ["--device", o.device, "--batch", str(o.batch)]

    began, out = time.monotonic(), {"rows": []}
    peers = load_peers(o.threads or os.cpu_count(), o.device)
    if not o.targets_only:
        out = run_bench(bench, [*o.bench_arguments, "--dtypes", o.dtypes, "--benchmark_filter", o.filter])
        if not o.threads and isinstance(peers[0] if peers else None, Torch):
            peers[0].lib.set_num_threads(out["machine"]["threads"])
        compare(out["rows"], peers, o)
        print_means(out["rows"], peers)
    if o.targets_only or not o.filter:
        torch = next((p for p in peers if isinstance(p, Torch)), None)
        out["targets"] = run_targets(bench, o, torch, out)
        if o.device != "cpu" and torch:
            out["targets"] += overall(out["rows"], torch.name)
        print_targets(out["targets"], o.rounds)
    out["peers"] = [p.name for p in peers]
    if o.json:
        Path(o.json).write_text(json.dumps(out, indent=1) + "\n")
    print(f"\n{time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
