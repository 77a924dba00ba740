"""Checks that nothing but libtandem_cuda loads a CUDA library, since the rest must start on any machine, and nothing but
libtandem_fftw loads FFTW, which is under the GPL: that plug-in is installed as its own component, in no wheel and no image.
oneDNN and OpenBLAS are loaded by their plug-ins alone, which are opened at the first use."""

import re
import subprocess
from pathlib import Path

import tree

CUDA_LIBRARY = re.compile(r"lib(cuda|cudart|cublas|cublasLt|cufft|cusolver|cusparse|nvrtc|nccl|nvidia-\w+)\.so")

FFTW_LIBRARY = re.compile(r"libfftw3\w*\.so")
HEAVY_LIBRARY = re.compile(r"lib(dnnl|openblas|lapacke|lapack|blas)\w*\.so")
BLOCK = re.compile(r'^if\((?P<condition>CMAKE_INSTALL_COMPONENT STREQUAL .*)\)$')


def fftw_libraries(listing):
    """FFTW's libraries in ldd's output."""
    return sorted({m.group() for m in map(FFTW_LIBRARY.search, listing.splitlines()) if m})


def heavy_libraries(listing):
    """The libraries in ldd's output that are for plug-ins."""
    return sorted({m.group() for m in map(HEAVY_LIBRARY.search, listing.splitlines()) if m})


def installed_with_others(build):
    """Where a script of CMake's installs the plug-in otherwise than as the component fftw alone."""
    problems = []
    for script in sorted(Path(build).glob("**/cmake_install.cmake")):
        condition = ""
        for line in script.read_text().splitlines():
            block = BLOCK.match(line)
            condition = block.group("condition") if block else condition
            if "libtandem_fftw" in line and condition != 'CMAKE_INSTALL_COMPONENT STREQUAL "fftw"':
                problems.append(f"{script.relative_to(build)}: libtandem_fftw is installed with others: {condition}")
    return sorted(set(problems))


def built_for_others(root):
    """Files that build a wheel or an image without switching the plug-in off."""
    wanted = {"pyproject.toml": 'TANDEM_FFTW = "OFF"', "Dockerfile": "-DTANDEM_FFTW=OFF"}
    return [
        f"{name}: expected {text}"
        for name, text in wanted.items()
        if (Path(root) / name).is_file() and text not in (Path(root) / name).read_text()
    ]


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
    problems = installed_with_others(build) + built_for_others(root)
    found = programs(build)
    for path in found:
        done = subprocess.run(["ldd", str(path)], capture_output=True, text=True)
        if done.returncode != 0:
            continue  # a script, not a program
        for library in cuda_libraries(done.stdout):
            problems.append(f"{path.name} loads {library}; only libtandem_cuda may")
        for library in fftw_libraries(done.stdout):
            problems.append(f"{path.name} loads {library}; only libtandem_fftw may")
        for library in heavy_libraries(done.stdout):
            problems.append(f"{path.name} loads {library}; only libtandem_onednn and libtandem_lapack may")
    if not any(p.name.startswith("libtandem.so") for p in found):
        problems.append(f"{build}: no libtandem.so found")
    return problems


if __name__ == "__main__":
    tree.run(check, __doc__)
