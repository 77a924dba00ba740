"""Checks that nothing but libtandem_cuda loads a CUDA library: the rest must start on any machine."""

import re
import subprocess
from pathlib import Path

import tree

CUDA_LIBRARY = re.compile(r"lib(cuda|cudart|cublas|cublasLt|cufft|cusolver|cusparse|nvrtc|nccl|nvidia-\w+)\.so")


def cuda_libraries(listing):
    """The CUDA libraries in ldd's output."""
    return sorted({m.group() for m in map(CUDA_LIBRARY.search, listing.splitlines()) if m})


def programs(build):
    """The command, the core library, the Python module and the programs of tests and benchmark."""
    build = Path(build)
    found = [p for p in (build / "bin").rglob("*") if p.is_file() and p.stat().st_mode & 0o100]
    found += (build / "lib").glob("libtandem.so*")
    found += (build / "python").rglob("*.so") if (build / "python").is_dir() else []
    # A test of the CUDA backend itself is a CUDA program.
    return sorted({p.resolve() for p in found if "cuda" not in p.name})


def check(root, build=None):
    if build is None:
        return ["--build is needed: the programs to look at"]
    problems = []
    found = programs(build)
    for path in found:
        done = subprocess.run(["ldd", str(path)], capture_output=True, text=True)
        if done.returncode != 0:
            continue  # a script, not a program
        for library in cuda_libraries(done.stdout):
            problems.append(f"{path.name} loads {library}; only libtandem_cuda may")
    if not any(p.name.startswith("libtandem.so") for p in found):
        problems.append(f"{build}: no libtandem.so found")
    return problems


if __name__ == "__main__":
    tree.run(check, __doc__)
