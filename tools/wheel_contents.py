"""Lists what a wheel made by tools/wheel.sh holds and checks it: wheel_contents.py WHEEL.

Every library is a known one; each finds what it needs in the wheel or in the C and C++ libraries of the system, by
paths relative to itself; FFTW (under the GPL) and CUDA's own libraries are not there; every bundled library is in the
notices; the file is at most 40 MB without the CUDA backend.
"""

import io
import re
import sys
import zipfile
from fnmatch import fnmatch
from pathlib import Path

from elftools.elf.elffile import ELFFile

MOST_BYTES = 40_000_000

# Files of the package; what tools/cmake links as archives is inside of them.
OWN = [
    "tandem/*.py",
    "tandem/*.pyi",
    "tandem/py.typed",
    "tandem/examples/*.txt",
    "tandem/_tandem.cpython-*.so",
    "tandem/bin/tandem",
    "tandem/libtandem.so",
    "tandem/libtandem_cuda.so",
    "tandem/libtandem_lapack.so",
    "tandem/libtandem_onednn.so",
    "tandem-*.dist-info/*",
]
# Libraries that auditwheel puts beside it, and the name of each in the notices.
BUNDLED = {"libdnnl": "oneDNN", "libOpenCL": "OpenCL ICD loader", "libfmt": "fmt", "libgomp": "libgomp"}
# Of every Linux that the wheel's platform tag allows.
SYSTEM = re.compile(
    r"(libc|libm|libdl|libpthread|librt|libgcc_s|libstdc\+\+)\.so\.\d+|ld-linux-x86-64\.so\.2|ld-linux-aarch64\.so\.1"
)
FORBIDDEN = re.compile(r"fftw|libcu(da|blas|solver|fft|sparse|rand)[.-]|libcublasLt|libcudart|libnv", re.I)
NOTICES = "tandem-*.dist-info/licenses/python/notices/THIRD_PARTY.txt"


def base_of(name):
    """libdnnl-1f2e3d.so.2.6 -> libdnnl"""
    return re.match(r"[\w+]+", Path(name).name).group()


def dynamic(data):
    """The needed libraries and the search paths of an ELF file."""
    section = ELFFile(io.BytesIO(data)).get_section_by_name(".dynamic")
    needed, paths = [], []
    for tag in section.iter_tags() if section else []:
        if tag.entry.d_tag == "DT_NEEDED":
            needed.append(tag.needed)
        elif tag.entry.d_tag in ("DT_RPATH", "DT_RUNPATH"):
            paths += (tag.rpath if tag.entry.d_tag == "DT_RPATH" else tag.runpath).split(":")
    return needed, [p for p in paths if p]


def check_names(names, notices):
    problems = []
    for name in names:
        if FORBIDDEN.search(name) and name != "tandem/libtandem_cuda.so":
            problems.append(f"{name}: must not be in a wheel")
        elif name.startswith("tandem.libs/"):
            known = BUNDLED.get(base_of(name))
            if known is None:
                problems.append(f"{name}: not a library that is known to be bundled")
            elif known not in notices:
                problems.append(f"{name}: {known} is not in the notices")
        elif not any(fnmatch(name, pattern) for pattern in OWN):
            problems.append(f"{name}: not a known file of the package")
    return problems


def check_links(elf):
    """`elf`: name -> contents."""
    problems = []
    held = {Path(name).name for name in elf}
    for name, data in elf.items():
        needed, paths = dynamic(data)
        problems += [f"{name}: needs {n}, which no system must have" for n in needed if n not in held and not SYSTEM.fullmatch(n)]
        problems += [f"{name}: looks for libraries in {p}" for p in paths if not p.startswith("$ORIGIN")]
    return problems


def check(path):
    """Problems of a wheel, and its sizes: [(bytes in the wheel, bytes unpacked, name)]."""
    with zipfile.ZipFile(path) as wheel:
        entries = [e for e in wheel.infolist() if not e.is_dir()]
        names = [e.filename for e in entries]
        notices = "".join(wheel.read(n).decode() for n in names if fnmatch(n, NOTICES))
        elf = {n: data for n in names if (data := wheel.read(n))[:4] == b"\x7fELF"}
    problems = check_names(names, notices) + check_links(elf)
    for wanted in ("tandem/__init__.py", "tandem/libtandem.so", "tandem/libtandem_lapack.so", "tandem/libtandem_onednn.so"):
        if wanted not in names:
            problems.append(f"{wanted}: missing")
    if not notices:
        problems.append(f"{NOTICES}: missing")
    size = Path(path).stat().st_size
    if "tandem/libtandem_cuda.so" not in names and size > MOST_BYTES:
        problems.append(f"{size} bytes, expected at most {MOST_BYTES} without the CUDA backend")
    return problems, [(e.compress_size, e.file_size, e.filename) for e in entries]


def main():
    problems, sizes = check(sys.argv[1])
    print(f"{'in wheel':>10} {'unpacked':>10}  (MB)")
    small = [s for s in sizes if s[0] < 100_000]
    large = sorted((s for s in sizes if s[0] >= 100_000), reverse=True)
    for packed, unpacked, name in [*large, (sum(s[0] for s in small), sum(s[1] for s in small), f"{len(small)} small files")]:
        print(f"{packed / 1e6:10.2f} {unpacked / 1e6:10.2f}  {name}")
    print(f"{Path(sys.argv[1]).stat().st_size / 1e6:10.2f} {sum(s[1] for s in sizes) / 1e6:10.2f}  {Path(sys.argv[1]).name}")
    for problem in problems:
        print(f"wheel_contents: {problem}", file=sys.stderr)
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
