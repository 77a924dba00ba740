"""Checks that libraries export nothing but what is Tandem's: check_exports.py LIBRARY...

A weak symbol of a template of the standard library, or of a dependency, would be shared with other libraries of the
process that were built otherwise.
"""

import re
import subprocess
import sys
from pathlib import Path

ALLOWED = {
    "libtandem.so": re.compile(r"tandem_\w+|_Z(N|NK|TVN|TSN|TIN)6tandem\w+"),
    "libtandem_cuda.so": re.compile(r"tandem_backend_(open|source_kernel)"),
    "libtandem_lapack.so": re.compile(r"tandem_lapack_open"),
    "libtandem_onednn.so": re.compile(r"tandem_onednn_open"),
    "libtandem_fftw.so": re.compile(r"tandem_fftw_open"),
    "_tandem": re.compile(r"PyInit__tandem"),
}


def exported(library):
    listing = subprocess.run(
        ["nm", "--dynamic", "--defined-only", str(library)], check=True, capture_output=True, text=True
    ).stdout
    return [line.split()[-1].split("@")[0] for line in listing.splitlines()]


def main():
    problems = []
    for argument in sys.argv[1:]:
        library = Path(argument)
        allowed = next(pattern for name, pattern in ALLOWED.items() if library.name.startswith(name))
        names = exported(library)
        problems += [f"{library.name}: {name}" for name in names if not allowed.fullmatch(name)]
        if not names:
            problems.append(f"{library.name}: exports nothing")
        print(f"{library.name}: {len(names)} names")
    print("\n".join(problems))
    sys.exit(1 if problems or len(sys.argv) < 2 else 0)


if __name__ == "__main__":
    main()
