"""Checks that the compiler fused no product into a sum that the source does not fuse.

g++ 12 makes vfmaddsub and vfmsubadd of "a*b - c beside d*e + f" in a vectorised loop even under -ffp-contract=off,
so that the bits depend on the SIMD level. No functor asks for these instructions: where one stands in an object of
tandem_isa_LEVEL, write the pair as two sums, with a sign flipped in the bits (docs/numerics.md, "Complex").
"""

import re
import subprocess
from pathlib import Path

import tree

FUNCTION = re.compile(r"^[0-9a-f]+ <(.*)>:$")
FUSED = re.compile(r"\bv?fm(addsub|subadd)\w*")


def fused(listing):
    """(function, instruction) of each such instruction in objdump's output."""
    found, function = [], "?"
    for line in listing.splitlines():
        head = FUNCTION.match(line)
        if head:
            function = head.group(1)
        else:
            match = FUSED.search(line)
            if match:
                found.append((function, match.group()))
    return found


def check(root, build=None):
    if build is None:
        return ["--build is needed: the objects to look at"]
    problems, seen = [], 0
    for folder in sorted(Path(build).glob("**/CMakeFiles/tandem_isa_*.dir")):
        for item in sorted(folder.rglob("*.o")):
            seen += 1
            listing = subprocess.run(
                ["objdump", "-d", "-C", "--no-show-raw-insn", str(item)], check=True, capture_output=True, text=True
            ).stdout
            for function, instruction in sorted(set(fused(listing)))[:5]:
                problems.append(f"{folder.name}/{item.name}: {instruction} in {function[:160]}")
    if seen == 0:
        problems.append(f"{build}: no object of a SIMD level found")
    return problems


if __name__ == "__main__":
    tree.run(check, __doc__)
