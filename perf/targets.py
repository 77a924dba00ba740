"""Which ratios Tandem is held to, and the verdicts on them: of rows and rates that perf/peers.py measured."""

import math
import re
import statistics


def geometric_mean(values):
    return math.exp(statistics.fmean(map(math.log, values)))


# Functions with a target of their own, in both sizes, into existing outputs.
FUNCTIONS = ("exp", "log", "sin", "tanh")
FUNCTION_ROWS = [f"{f}/float32/{size}/out" for f in FUNCTIONS for size in ("1M", "16M")]
MATRIX = "sum/float32/4096x4096/"
ALLOCATE = {what: f"allocate/uint8/{size}/" for what, size in (("small", 64), ("middle", 307200), ("large", "3M"), ("huge", "64M"))}
TRANSPOSED = "copy_/float32/4096x4096/out_transposed"
CASTS = ("float16", "bfloat16", "float64", "uint8")
# Rows of the host whose target is a multiple of PyTorch's speed: at least 1 into existing outputs, more where outputs are
# fresh (PyTorch pays for new pages there) or where there is more to win.
MULTIPLES = {
    "cumsum/float32/16M/dim0": 3,
    "cumsum/float32/4096x4096/dim0": 15,
    "argmax/float32/4096x4096/dim0": 8,
    "softmax/float32/4096x4096/dim0": 2,
    "softmax/float32/4096x4096/dim1": 2,
    MATRIX + "dim0": 1,
    MATRIX + "dim1": 1,
    "sort/float32/1M/fresh": 4,
    "sort/float32/16M/fresh": 4,
    "rand/float32/16M/fresh": 8,
    "randn/float32/16M/fresh": 5,
    "where/float32/16M/fresh": 3,
    "where/float32/16M/out": 1,
    "masked_select/float32/16M/half": 4,
    "nonzero/float32/16M/half": 4,
    "index_select/float32/4096x4096/rows": 1.5,
    "index_select/float32/16M/elements": 1.5,
    "cat/float32/16M/fresh": 1.5,
    **{f"to/float32/16M/fresh_{t}": 1.5 for t in CASTS},
    **{f"to/float32/16M/out_{t}": 1 for t in CASTS},
    "clone/float32/4096x4096/fresh_transposed": 1.5,
    TRANSPOSED: 1,
}
# Families of rows of the host with one target: the least of them, in times PyTorch. A row counts in the first that it matches.
FAMILIES = {
    "products": (r"^matmul/(float32|float64|bfloat16)/", 1),
    "einsum": (r"^einsum/", 1.5),
    "a transform of 1,000,003 points": (r"^fft_fft/complex64/1000003/", 2),
    "transforms": (r"^(fft_|stft/|istft/|signal_)", 0.5),  # by the built-in provider; FFTW is held to 1
    "factorisations": (r"^linalg_", 1),
}
TARGET_ROWS = [
    "add/float32/16M/fresh", "add/float32/16/fresh", "select/float32/16x16/view", MATRIX + "full",
    "einsum/float32/2x3x2160x3840/luma", "copy_/float32/33177600/luma_bytes", "add/float32/16M/out",
    *(name + form for name in ALLOCATE.values() for form in ("pair", "pair_2_threads")), ALLOCATE["small"] + "1000_at_once",
    *MULTIPLES, *FUNCTION_ROWS,
]  # fmt: skip


# The rows that have targets, by name.
TARGET_PATTERN = "|".join([f"^({'|'.join(TARGET_ROWS)})$", *(pattern for pattern, _ in FAMILIES.values())])


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


def two_threads(what):
    """What two threads do in a time, of what one does."""
    name = ALLOCATE[what] + "pair"
    return lambda rows, rates: 2 * rows[name]["ns"] / rows[name + "_2_threads"]["ns"]


def fresh_of_existing(rows, rates):
    return rows["add/float32/16M/fresh"]["ns"] / rows["add/float32/16M/out"]["ns"]


LUMA = ("luma: of the time of copying as many bytes", luma_of_moved, 1.3, False, "")


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
        ("memory from the thread's cache and back", ns(ALLOCATE["small"] + "pair"), 25, False, " ns"),
        ("small blocks from the pool and back", ns(ALLOCATE["small"] + "1000_at_once"), 120, False, " ns"),
        ("large blocks from the pool and back", ns(ALLOCATE["huge"] + "pair"), 120, False, " ns"),
        ("64 bytes and back, two threads: of what one does", two_threads("small"), 1.6, True, ""),
        ("300 KiB and back, two threads: of what one does", two_threads("middle"), 1.6, True, ""),
        ("3 MiB and back, two threads: of what one does", two_threads("large"), 1.6, True, ""),
        ("add of 16M, fresh output: of the time into an existing one", fresh_of_existing, 1.1, False, ""),
        ("host's pool: resident beside its blocks", lambda rows, rates: 100 * rates["pool_overhead"], 3, False, " %"),
    ]  # fmt: skip
    both = {**MULTIPLES, **dict.fromkeys(FUNCTION_ROWS, 1)}
    return wanted + [(f"{name}: times PyTorch", times(name), limit, True, "") for name, limit in both.items()]


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


def family_of(name):
    return next((family for family, (pattern, _) in FAMILIES.items() if re.search(pattern, name)), None)


def least_of_families(middle, names, fftw):
    """A verdict for each family, on the row that is slowest beside PyTorch."""
    found = {}
    for name in names:
        family = family_of(name)
        if family and (ratio := middle(times(name))) is not None:
            found.setdefault(family, []).append((ratio, name))
    for family, (_, limit) in FAMILIES.items():
        if family in found:
            limit = 1 if family == "transforms" and fftw else limit
            ratio, name = min(found[family])
            text = f"{family}, the least of {len(found[family])}, {name}: times PyTorch"
            yield judge(text, ratio, limit, True)


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
    if not on_device:
        names = dict.fromkeys(name for one in rounds for name in one["rows"])
        verdicts += least_of_families(middle, names, any(one.get("transforms") == "fftw" for one in rounds))
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
