"""Checks an installed package from outside of the source tree: installed.py [--bundled]

Run by tools/test.sh with the interpreter of a fresh virtual environment, in an empty folder. The package, its metadata
and its command are there; reading and writing files, products, factorisations and transforms work; with --bundled, for
a wheel of tools/wheel.sh, no library but those of the C and C++ run time comes from the system.
"""

import argparse
import importlib.metadata
import re
import subprocess
import sys
from pathlib import Path

import numpy

BEFORE = set(re.findall(r"(/\S+\.so[^\s/]*)$", Path("/proc/self/maps").read_text(), re.M))

import tandem as torch  # noqa: E402

SYSTEM = re.compile(r"(ld-linux-.*|libc|libm|libdl|librt|libpthread|libgcc_s|libstdc\+\+)(\.so|-).*")
# What a machine with a GPU opens where it is: never bundled.
OPENED = re.compile(r"lib(cuda|nvidia|cublas|cublasLt|cusolver|cusparse|cufft|nvJitLink|nvrtc)[.-].*")


def use_every_library(folder):
    x = torch.arange(6.0).reshape(2, 3)
    big = torch.ones(256, 256)
    assert (big @ big)[3, 4].item() == 256, "oneDNN"
    assert (big.to(torch.float64) @ big.to(torch.float64))[3, 4].item() == 256, "float64"
    assert torch.linalg.inv(2 * torch.eye(64, dtype=torch.float64))[5, 5].item() == 0.5, "LAPACK"
    assert abs(torch.fft.fft(torch.ones(4096))[0].item() - 4096) < 1e-3, "transforms"
    torch.io.save_hdf5(folder / "x.h5", x, gzip=4)
    assert (torch.io.load_hdf5(folder / "x.h5") == x).all().item(), "HDF5"
    picture = (torch.arange(8 * 8 * 3) % 256).reshape(8, 8, 3).to(torch.uint8)
    torch.io.write_png(folder / "x.png", picture)
    assert (torch.io.read_image(folder / "x.png") == picture).all().item(), "libpng"
    torch.io.write_jpeg(folder / "x.jpg", picture)
    assert tuple(torch.io.read_image(folder / "x.jpg").shape) == (8, 8, 3), "libjpeg"


def mapped():
    now = set(re.findall(r"(/\S+\.so[^\s/]*)$", Path("/proc/self/maps").read_text(), re.M))
    return sorted(now - BEFORE)


def foreign():
    """Libraries that Tandem brought into this process from elsewhere than its own folders."""
    package = Path(torch.__file__).parent
    own = (package, package.parent / "tandem.libs")
    standard = (Path(numpy.__file__).parent, package.parent / "numpy.libs", Path(sys.base_prefix) / "lib/python3")
    out = []
    for name in map(Path, mapped()):
        inside = any(folder in name.parents for folder in (*own, *standard)) or "lib-dynload" in name.parts
        if not inside and not SYSTEM.fullmatch(name.name) and not OPENED.fullmatch(name.name):
            out.append(str(name))
    return out


def command(*arguments):
    return subprocess.run([*arguments], capture_output=True, text=True, check=True, timeout=60).stdout


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bundled", action="store_true")
    bundled = parser.parse_args().bundled
    assert Path(sys.prefix) in Path(torch.__file__).parents, f"{torch.__file__} is not of this environment"
    meta = importlib.metadata.metadata("tandem")
    assert meta["Version"] == torch.__version__, meta["Version"]
    assert meta["License-Expression"] == "Apache-2.0", meta["License-Expression"]
    held = [str(f) for f in importlib.metadata.files("tandem")]
    for notice in ("licenses/LICENSE", "THIRD_PARTY.txt", "GPL-3.txt"):
        assert any(f.endswith(notice) for f in held), f"{notice} is not in the package"
    use_every_library(Path.cwd())
    if bundled:
        assert not foreign(), f"from outside of the wheel: {foreign()}"
    # One program, three ways to it.
    script = str(Path(sys.prefix) / "bin/tandem")
    for arguments in (["info"], ["ops"], ["--version"]):
        outputs = {command(script, *arguments), command(sys.executable, "-m", "tandem", *arguments)}
        assert len(outputs) == 1, f"tandem {arguments}: the script and the module differ"
        assert torch.__version__ in outputs.pop() or arguments == ["ops"]
    refused = subprocess.run([script, "nothing"], capture_output=True, text=True)
    assert refused.returncode == 2 and refused.stderr.startswith("tandem: expected a subcommand"), refused.stderr
    print(f"installed: tandem {torch.__version__} in {Path(torch.__file__).parent}" + (", self-contained" if bundled else ""))


if __name__ == "__main__":
    main()
