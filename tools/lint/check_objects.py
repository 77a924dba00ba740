"""Checks that no code compiled for a wider SIMD level can be taken for code of a narrower one.

The linker keeps one copy of an inline function that several objects define. If one of them was compiled for
AVX-512 and that copy won, the program would die on an older machine. So in every object of tandem_isa_LEVEL each
weak or unique symbol must carry its level: lie in, or be an instance on a type of, a namespace named after it.
"""

import re
import subprocess
from pathlib import Path

import tree

# Data that holds no code of a level: type information and its names, guards of local statics.
HARMLESS = re.compile(r"^(typeinfo (name )?for |guard variable for )")


def bad_symbols(listing, level):
    """The weak definitions in nm's output that do not carry the level."""
    bad = []
    own = re.compile(rf"\b{re.escape(level)}(::|\b)")
    for line in listing.splitlines():
        match = re.match(r"^[0-9a-f]+ ([VWuvw]) (.*)$", line.strip())
        if match and not own.search(match.group(2)) and not HARMLESS.match(match.group(2)):
            bad.append(match.group(2))
    return bad


def check(root, build=None):
    if build is None:
        return ["--build is needed: the objects to look at"]
    problems, seen = [], 0
    for folder in sorted(Path(build).glob("**/CMakeFiles/tandem_isa_*.dir")):
        level = folder.name[len("tandem_isa_") : -len(".dir")]
        if level == "baseline":
            continue
        for item in sorted(folder.rglob("*.o")):
            seen += 1
            listing = subprocess.run(
                ["nm", "--demangle", "--defined-only", str(item)], check=True, capture_output=True, text=True
            ).stdout
            for symbol in bad_symbols(listing, level)[:5]:
                problems.append(f"{item.name} ({level}): {symbol[:160]} may replace the baseline's copy")
    if seen == 0:
        problems.append(f"{build}: no object of a SIMD level found")
    return problems


if __name__ == "__main__":
    tree.run(check, __doc__)
