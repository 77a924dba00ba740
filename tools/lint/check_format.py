"""Checks C++ and CUDA files against .clang-format; --fix rewrites them.

The formatter is the one of .venv, so that every machine has the same version.
"""

import argparse
import subprocess
import sys
from pathlib import Path

import tree

SUFFIXES = {".h", ".c", ".cpp", ".cu", ".cuh"}


def formatter(root):
    own = root / ".venv/bin/clang-format"
    return str(own) if own.exists() else "clang-format"


def badly_formatted(root, paths):
    """The paths that the formatter would change, with its first complaint about each."""
    if not paths:
        return []
    done = subprocess.run(
        [formatter(root), "--dry-run", "--style=file", *map(str, paths)], capture_output=True, text=True
    )
    if done.returncode:
        return [done.stderr.strip()]
    complaints = {}
    for line in done.stderr.splitlines():
        if "[-Wclang-format-violations]" in line:
            place = line.split(": warning:")[0]
            complaints.setdefault(place.rsplit(":", 2)[0], place)
    return [f"{place}: not as .clang-format wants it (tools/lint/check_format.py --fix)" for place in complaints.values()]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fix", action="store_true")
    parser.add_argument("--root", type=Path, default=Path(__file__).resolve().parents[2])
    parser.add_argument("paths", nargs="*", type=Path)
    arguments = parser.parse_args()
    paths = arguments.paths or tree.files(arguments.root, SUFFIXES)
    if arguments.fix:
        sys.exit(subprocess.run([formatter(arguments.root), "-i", "--style=file", *map(str, paths)]).returncode)
    problems = badly_formatted(arguments.root, paths)
    print("\n".join([*problems, f"lint: {len(paths) - len(problems)} passed, {len(problems)} failed (format)"]))
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
