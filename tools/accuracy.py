"""Measures the accuracy of every float row of the op table and writes docs/accuracy.md.

  tools/accuracy.py --program build/cpu/bin/tests/accuracy_rows            all of it: hours on two cores
  tools/accuracy.py --program ... --part float32 --row exp                 some of it
  tools/accuracy.py --program ... --quick                                  a stratified part, for CI; writes nothing
  tools/accuracy.py --write                                                docs/accuracy.md from what was measured
  tools/accuracy.py --check --program ...                                  whether the page is current and within its budget;
                                                                           with --complete: and nothing is left to measure

What is found goes into docs/accuracy.json, a line a part of a row; a run goes on where the last one stopped, and
measures again what --again names. float32 functions of one input are measured over all 2^32 of them against libm in
double, float64 by samples against MPFR, the half types over all inputs, functions of several inputs by samples, named
special values crossed in every dtype, sums against exact ones. Exit status 1 if a row is beyond its budget.
"""

import argparse
import concurrent.futures
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT / "docs/accuracy.json"
PAGE = ROOT / "docs/accuracy.md"
WHOLE = ["--samples", "10000000"]
QUICK = ["--stride", "40009", "--samples", "20000"]
DTYPES = ["float32", "float64", "float16", "bfloat16"]
# Found beyond their budget and still to be mended; the page shows them as such. One that is mended is an error here.
TO_MEND = set()
# Inputs where a function was once beyond its budget: CI looks at the floats about them, and about the worst of the page.
ONCE_BEYOND = {("float32", "log10"): ["0x1.5556cep+0"]}


def load():
    if not DATA.exists():
        return {}
    lines = [json.loads(line) for line in DATA.read_text().splitlines() if line.strip()]
    return {(line["part"], line["row"]): line for line in lines}


def save(found):
    order = sorted(found.values(), key=lambda line: (line["row"], line["part"]))
    DATA.write_text("".join(json.dumps(line) + "\n" for line in order))


def tasks_of(program, part, row):
    lines = subprocess.run([program, "--list"], stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()
    tasks = [tuple(line.split()) for line in lines]
    return [t for t in tasks if (part is None or t[0] == part) and (row is None or t[1] == row)]


def near(task, recorded):
    """Options for the inputs that a quick run is not to miss."""
    inputs = list(ONCE_BEYOND.get(task, []))
    if recorded and task[0] == "float32" and ", " not in recorded.get("at", ", "):
        inputs.append(recorded["at"].split("(")[1].rstrip(")"))
    return [word for x in inputs for word in ("--near", x)]


def measure(program, task, effort):
    environment = dict(os.environ, OMP_NUM_THREADS="1")
    start = time.monotonic()
    done = subprocess.run(
        [program, *task, *effort, "--threads", "1"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=environment,
    )
    if not done.stdout.startswith("{"):
        return {"part": task[0], "row": task[1], "ok": False, "note": done.stderr.strip() or f"exit {done.returncode}"}
    line = json.loads(done.stdout)
    line["seconds"] = round(time.monotonic() - start, 1)
    return line


def compare(line, recorded, same_worst):
    """A quick run that takes all inputs, or the worst of a whole run, finds what that found, or the row is another now."""
    known = "worst" in line and "worst" in recorded and (same_worst or line["count"] == recorded["count"])
    if known and abs(line["worst"] - recorded["worst"]) > 0.001 * max(1, recorded["worst"]):
        line["ok"] = False
        line["note"] += f"docs/accuracy.json has {recorded['worst']:g} for it: measure the row --again"


def describe(line):
    if "worst" not in line:
        return f"{line['part']} {line['row']}: {line['note']}"
    return (
        f"{line['part']} {line['row']}: {line['worst']:g} of {line['budget']:g} at {line['at']}, "
        f"got {line['got']}, expected {line['expected']} {line['note']}"
    )


def run(args):
    """Measures what is missing; the number of rows beyond their budget."""
    recorded = load()
    found = {} if args.quick else recorded
    tasks = tasks_of(args.program, args.part, args.row)
    if not tasks:
        sys.exit("no such part or row: see --list of the program")
    missing = [t for t in tasks if t not in found or args.again]
    lock = threading.Lock()

    def one(task):
        hard = near(task, recorded.get(task)) if args.quick else []
        line = measure(args.program, task, QUICK + hard if args.quick else WHOLE)
        if args.quick and task in recorded:
            compare(line, recorded[task], bool(hard))
        with lock:
            if not args.quick:
                # Another run may have written meanwhile.
                merged = load()
                merged[task] = line
                save(merged)
            found[task] = line
            if not args.quick or not line["ok"]:
                print(describe(line) + ("" if line["ok"] else "  BEYOND THE BUDGET"), flush=True)

    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        list(pool.map(one, missing))
    bad = sum(not found[t]["ok"] for t in tasks)
    print(f"{len(tasks)} parts of rows, {len(missing)} measured now, {bad} beyond their budget")
    return bad


# ---- the page

INTRODUCTION = """# Accuracy

Written by `tools/accuracy.py --write` from `docs/accuracy.json`; do not edit. Measured by

    tools/accuracy.py --program build/cpu/bin/tests/accuracy_rows

which takes up again where it stopped; CI runs a stratified part of it (`--quick`), of every row. A row that is missing here,
or an empty cell of a dtype that it has, was not measured in full yet. Errors are in units of the last
place (ulp) of the result's dtype: the greatest that was seen, and the input where. "exact" is a row whose every result
is the exact one or, where there is rounding, the correctly rounded one, to the bit.

* float32, functions of one input: **all 2^32 inputs**, against libm in double.
* float64, functions of one and two inputs: at least 10 million samples, stratified (by magnitude, over all bits,
  subnormal, about 0 and 1, in the test domain of the row, about the function's hard points), against MPFR; rows that
  are exact against the processor's own operations.
* float16 and bfloat16, functions of one input: all 65536 of them, in ulp of their own, against long double.
* Functions of several inputs: 10 million samples (any bits, in the domain, near each other, near 1, small integers).
* Special values: NaN, infinities, zeros of both signs, least and greatest subnormals, least normal, greatest number and
  small integers, crossed; kind of value, sign of zero and bound must be right.
* Sums: against exact ones (MPFR with 2300 bits), of elements of one sign, of both, of many magnitudes, and cancelling;
  in units of the error that the tree's depth allows (docs/numerics.md, "Reductions"): depth * 2^-digits * sum of |x|.
"""


def number(line):
    if line is None:
        return ""
    if "worst" not in line:
        return "not measured"
    if line["budget"] == 0 and line["ok"]:
        return "exact"
    return f"{line['worst']:.3f}" + ("" if line["ok"] else " **beyond**")


def budget(line):
    return "" if line is None or line.get("budget") in (None, 0) else f"{line['budget']:g}"


def short(at):
    """The inputs without their hexadecimal forms."""
    return ", ".join(part.split(" (")[0] for part in at.split("), "))


def table(header, rows):
    return "\n".join(["| " + " | ".join(header) + " |", "|" + "---|" * len(header), *("| " + " | ".join(r) + " |" for r in rows)])


def page(found):
    rows = sorted({row for part, row in found if not part.startswith("sums.")})
    get = lambda part, row: found.get((part, row))
    functions, exact = [], []
    for row in rows:
        lines = [get(t, row) for t in DTYPES]
        specials = [get(f"special.{t}", row) for t in DTYPES]
        good = all(line is None or line["ok"] for line in specials)
        if all(line is None or (line.get("budget") == 0 and line["ok"]) for line in lines) and good:
            exact.append(f"`{row}`")
            continue
        cells = [f"`{row}`"]
        for line in lines:
            cells += [number(line)] + ([budget(line)] if line is None or line["part"] in DTYPES[:2] else [])
        single = lines[0]
        cells += [short(single["at"]) if single and "at" in single else "", "yes" if good else "**no**"]
        functions.append(cells)
    header = ["row", "float32", "bound", "float64", "bound", "float16", "bfloat16", "float32 worst at", "specials"]
    parts = [INTRODUCTION, "## Functions\n", table(header, functions), "\n## Exact\n", ", ".join(exact) + "."]
    summed = sorted({row for part, row in found if part.startswith("sums.")})
    cells = [[f"`{row}`", *(number(get(f"sums.{t}", row)) for t in DTYPES)] for row in summed]
    parts += ["\n## Sums, in units of the tree's bound\n", table(["row", *DTYPES], cells)]
    worst = [line for line in found.values() if not line["ok"]]
    parts.append("\n## Beyond the budget\n")
    parts.append("\n".join("* " + describe(line) for line in sorted(worst, key=describe)) or "Nothing.")
    counts = [line["count"] for line in found.values() if "count" in line]
    parts.append(f"\n{len(found)} parts of rows, {sum(counts) / 1e9:.1f} billion results compared.\n")
    return "\n".join(parts)


def check(args):
    """Whether the page is that of the data and the data are of this table."""
    found = load()
    problems = [] if PAGE.read_text() == page(found) else ["docs/accuracy.md is not that of docs/accuracy.json: tools/accuracy.py --write"]
    tasks = tasks_of(args.program, None, None)
    left = [f"not measured: {part} {row}" for part, row in tasks if (part, row) not in found]
    problems += left if args.complete else []
    beyond = {key for key, line in found.items() if not line["ok"]}
    problems += [f"beyond its budget: {describe(found[key])}" for key in sorted(beyond - TO_MEND)]
    problems += [f"mended: take {key} out of TO_MEND" for key in sorted(TO_MEND - beyond)]
    problems += [f"no such row: {part} {row}" for part, row in found if (part, row) not in set(tasks)]
    print("\n".join(problems) or f"docs/accuracy.md is current; {len(left)} of {len(tasks)} parts of rows are left to measure")
    return len(problems)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default=str(ROOT / "build/cpu/bin/tests/accuracy_rows"))
    parser.add_argument("--part")
    parser.add_argument("--row")
    parser.add_argument("--again", action="store_true", help="measure what is there already")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--complete", action="store_true")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    args = parser.parse_args()
    if args.check:
        sys.exit(1 if check(args) else 0)
    bad = 0 if args.write else run(args)
    if args.write or not (args.quick or args.part or args.row):
        PAGE.write_text(page(load()))
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
