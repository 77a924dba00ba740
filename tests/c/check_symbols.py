"""Checks that libtandem exports the functions that tandem/c.h declares, and no other C symbol of its own."""

import argparse
import re
import subprocess
import sys
from pathlib import Path


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--header", type=Path, required=True)
    parser.add_argument("--library", type=Path, required=True)
    arguments = parser.parse_args()
    declared = set(re.findall(r"^TANDEM_API [\w* ]*?\b(tandem_\w+)\(", arguments.header.read_text(), re.MULTILINE))
    listing = subprocess.run(
        ["nm", "--dynamic", "--defined-only", str(arguments.library)], check=True, capture_output=True, text=True
    ).stdout
    exported = {line.split()[-1].split("@")[0] for line in listing.splitlines() if line.split()[-2] in "TDBRVW"}
    plain = {name for name in exported if name.startswith("tandem")}
    problems = [f"declared, not exported: {name}" for name in sorted(declared - plain)]
    problems += [f"exported, not declared: {name}" for name in sorted(plain - declared)]
    print("\n".join([*problems, f"{len(declared)} functions"]))
    sys.exit(1 if problems or not declared else 0)


if __name__ == "__main__":
    main()
