#!/usr/bin/env python3
"""What calls from Python cost, beside NumPy and PyTorch, and what importing does.

    perf/python_calls.py [--peers PYTHON] [--rounds N] [--json FILE]

Runs with a Python that imports tandem and numpy; PyTorch is measured where that Python or `--peers` has it
(default: TANDEM_PEERS). The libraries take turns in processes of their own, so that a change of the machine's
speed meets all of them; a figure is the least of all rounds. Times in ns a call, without the loop's own.
"""

import argparse
import json
import os
import subprocess
import sys

TENSORS = "a = torch.ones(16); b = torch.ones(16); c = torch.ones(16); m = torch.ones(5, 6)"
SETUPS = {
    "tandem": f"import tandem as torch; {TENSORS}",
    "numpy": "import numpy as np; a = np.ones(16, 'f4'); b = np.ones(16, 'f4'); c = np.ones(16, 'f4'); m = np.ones((5, 6), 'f4')",
    "torch": f"import torch; {TENSORS}",
}
# Each call, what NumPy calls it where that differs (None: it has no such), and the least times NumPy and PyTorch.
CALLS = [
    ("a + b", ..., 1, 1),
    ("a * 2", ..., None, None),
    ("a.add_(b)", "np.add(a, b, out=a)", None, None),
    ("a[1, 2]", "m[1, 2]", None, 1.5),
    ("a[1:3]", ..., None, 1.5),
    ("a.t()", "m.T", None, 1.5),
    ("a.shape", ..., None, 1.5),
    ("float(a[0])", ..., None, 1.5),
    ("a.shape[0]", ..., None, None),
    ("a.sum()", ..., None, None),
    ("a > b", ..., None, None),
    ("m[:, 1]", ..., None, None),
    ("a.reshape(4, 4)", ..., None, None),
    ("torch.add(a, b, out=c)", "np.add(a, b, out=c)", None, None),
    ("torch.ones(16)", "np.ones(16, 'f4')", None, None),
]
MATRIX = {"a[1, 2]": "m[1, 2]", "a.t()": "m.t()"}  # the calls that are made on a matrix
MOST_NS = {"a + b": 350}
MOST_IMPORT_MS = 60

CHILD = """
import json, sys, timeit
setup, calls = json.loads(sys.argv[1])
space = {}
exec(setup, space)
def least(call, n=20000):
    return min(timeit.repeat(call, globals=space, number=n, repeat=7)) / n * 1e9
loop = least("pass")
print(json.dumps([least(call) - loop for call in calls]))
"""
IMPORT = "import numpy, time; t = time.perf_counter(); import tandem; print(time.perf_counter() - t)"


def call_of(library, row):
    call, numpy_call = row[0], row[1]
    if library == "numpy" and numpy_call is not ...:
        return numpy_call
    return MATRIX.get(call, call)


def child(python, *arguments):
    run = subprocess.run([python, "-c", *arguments], capture_output=True, text=True)
    if run.returncode != 0:
        sys.exit(f"python_calls.py: {run.stderr.strip().splitlines()[-1]}")
    return json.loads(run.stdout)


def has_torch(python):
    return subprocess.run([python, "-c", "import torch"], capture_output=True).returncode == 0


def measure(pythons, rounds):
    least = {library: [float("inf")] * len(CALLS) for library in pythons}
    imports = []
    for _ in range(rounds):
        for library, python in pythons.items():
            job = json.dumps([SETUPS[library], [call_of(library, row) for row in CALLS]])
            least[library] = list(map(min, least[library], child(python, CHILD, job)))
        imports.append(child(sys.executable, IMPORT) * 1e3)
    return least, min(imports)


def verdicts(least, import_ms):
    """(text, value, limit, met) of each target."""
    out = []
    for i, (call, _, numpy_times, torch_times) in enumerate(CALLS):
        own = least["tandem"][i]
        if call in MOST_NS:
            out.append((f"{call}: ns", own, f"at most {MOST_NS[call]}", own <= MOST_NS[call]))
        for peer, limit in (("numpy", numpy_times), ("torch", torch_times)):
            if limit is None or peer not in least:
                continue
            value = least[peer][i] / own
            out.append((f"{call}: times {peer}", value, f"at least {limit}", value >= limit))
    out.append(("import after NumPy's: ms", import_ms, f"at most {MOST_IMPORT_MS}", import_ms <= MOST_IMPORT_MS))
    return out


def main():
    o = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    o.add_argument("--peers", metavar="PYTHON", default=os.environ.get("TANDEM_PEERS"), help="a Python that has PyTorch")
    o.add_argument("--rounds", type=int, default=3)
    o.add_argument("--json", metavar="FILE")
    o = o.parse_args()
    pythons = {"tandem": sys.executable, "numpy": sys.executable}
    torch_python = next((p for p in (o.peers, sys.executable) if p and has_torch(p)), None)
    if torch_python:
        pythons["torch"] = torch_python
    least, import_ms = measure(pythons, o.rounds)
    print(f"{'ns a call':24}" + "".join(f"{library:>10}" for library in pythons) + "".join(f"{'x ' + p:>10}" for p in list(pythons)[1:]))
    for i, row in enumerate(CALLS):
        times = [least[library][i] for library in pythons]
        print(f"{row[0]:24}" + "".join(f"{t:10.0f}" for t in times) + "".join(f"{t / times[0]:10.2f}" for t in times[1:]))
    judged = verdicts(least, import_ms)
    print("\ntargets")
    for text, value, limit, met in judged:
        print(f"  {'pass' if met else 'MISS'}  {text:32} {value:8.2f}  ({limit})")
    if o.json:
        with open(o.json, "w") as file:
            json.dump({"calls": [row[0] for row in CALLS], "ns": least, "import_ms": import_ms}, file, indent=1)


if __name__ == "__main__":
    main()
