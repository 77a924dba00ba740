#!/usr/bin/env python3
"""Runs the examples of the docstrings (python/tandem/examples) with PyTorch in Tandem's place and lists what differs.

    tests/tools/examples_against_torch.py [PATTERN]

What PyTorch has not, or has in another form, is counted and with -v named. Needs PyTorch alone; no test needs it.
"""

import argparse
import doctest
import pathlib
import re
import warnings

import torch

EXAMPLES = pathlib.Path(__file__).resolve().parents[2] / "python" / "tandem" / "examples"


def sections():
    for path in sorted(EXAMPLES.glob("*.txt")):
        for name, body in re.findall(r"^\[(.+)\]\n((?:(?!\[\S+\]$).*\n?)*)", path.read_text("utf-8"), re.M):
            yield name, body[body.find(">>>") :].replace("tandem", "torch")


def outcome(name, text):
    """"same", or what PyTorch gave instead, or "absent" where it raised an error."""
    test = doctest.DocTestParser().get_doctest(text, {"torch": torch, "inf": float("inf")}, name, None, 0)
    report = []
    doctest.DocTestRunner(verbose=False).run(test, out=report.append)
    if not report:
        return "same"
    return "absent" if any("Exception raised" in part for part in report) else "".join(report)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("pattern", nargs="?", default="")
    parser.add_argument("-v", "--verbose", action="store_true")
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    found = {name: outcome(name, text) for name, text in sections() if re.search(args.pattern, name)}
    for name, result in found.items():
        if result not in ("same", "absent"):
            print(result)
        elif args.verbose and result == "absent":
            print(f"absent: {name}")
    results = list(found.values())
    print(f"{results.count('same')} of {len(results)} the same, {results.count('absent')} that PyTorch has not")


if __name__ == "__main__":
    main()
