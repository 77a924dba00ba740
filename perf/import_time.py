#!/usr/bin/env python3
"""Import time in fresh processes: import_time.py [--runs N] [MODULE...]

For each module (tandem, and torch where it is installed) the median of what its import takes after NumPy's, with the
least of the runs; NumPy's own beside it, as a measure of how busy the machine is. First one import that is not counted,
which writes byte code and fills the page cache. Run it with the interpreter whose packages are meant; the target of
tandem is 60 ms (perf/NOTES.md has recorded values).
"""

import argparse
import importlib.util
import statistics
import subprocess
import sys

CODE = """
import time
start = time.perf_counter()
import numpy
between = time.perf_counter()
import {module}
print(between - start, time.perf_counter() - between)
"""


def measure(module):
    """Seconds of NumPy's import and of the module's after it."""
    done = subprocess.run([sys.executable, "-c", CODE.format(module=module)], check=True, capture_output=True, text=True)
    return tuple(map(float, done.stdout.split()))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("modules", nargs="*")
    parser.add_argument("--runs", type=int, default=20)
    options = parser.parse_args()
    modules = options.modules or [m for m in ("tandem", "torch") if importlib.util.find_spec(m)]
    print(f"{'ms, median (least)':20} {'numpy':>16} {'after it':>16}")
    for module in modules:
        measure(module)
        runs = [measure(module) for _ in range(options.runs)]
        columns = [f"{statistics.median(c) * 1e3:.1f} ({min(c) * 1e3:.1f})" for c in zip(*runs)]
        print(f"{module:20} {columns[0]:>16} {columns[1]:>16}")


if __name__ == "__main__":
    main()
