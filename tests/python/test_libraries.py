"""Libraries that are opened at first use: what a process has loaded by when, and what it does without them."""

import os
import subprocess
import sys

import pytest

import tandem as torch

PLUGINS = ("libtandem_lapack", "libtandem_onednn", "libtandem_fftw", "libtandem_cuda")

# Its `loaded()`: the plug-ins mapped into this process, and the libraries behind them.
PRELUDE = f"""
import re
import tandem as torch

def loaded():
    names = re.findall(r"/([^/\\n]+\\.so[^/\\n]*)$", open("/proc/self/maps").read(), re.M)
    return sorted({{p for p in {PLUGINS + ("libdnnl", "libcuda.so", "libcublas")!r} for n in names if n.startswith(p)}})

def expect(want):
    assert loaded() == sorted(want), loaded()
"""


def run(code, **environment):
    """The output of `code` in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", PRELUDE + code], env=os.environ | environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_import_opens_none():
    run("expect([])\n(torch.ones(3, 3) + 1).sum().item()\nexpect([])")


def test_each_is_opened_by_what_needs_it():
    run(
        """
x = torch.ones(200, 200)
assert (x @ x)[3, 4].item() == 200
expect(["libtandem_onednn", "libdnnl"])
y = torch.linalg.inv(2 * torch.eye(50, dtype=torch.float64))
assert y[7, 7].item() == 0.5
expect(["libtandem_onednn", "libdnnl", "libtandem_lapack"])
"""
    )


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "bfloat16"])
def test_products_do_without(dtype):
    """Our own kernel gives the same integers."""
    code = f"""
x = (torch.arange(70 * 90) % 5).reshape(70, 90).to(torch.{dtype})
print((x @ x.T).real.to(torch.int64).sum().item() if x.is_complex() else (x @ x.T).to(torch.int64).sum().item())
print(loaded())
"""
    without = run(code, TANDEM_ONEDNN_LIBRARY="", TANDEM_LAPACK_LIBRARY="").splitlines()
    assert without == [run(code).splitlines()[0], "[]"]


def test_factorisations_say_what_is_missing():
    code = """
try:
    torch.linalg.inv(torch.eye(40))
except RuntimeError as e:
    print(e)
"""
    message = run(code, TANDEM_LAPACK_LIBRARY="")
    assert message.startswith("[linalg_inv] expected the library libtandem_lapack beside libtandem, got none: switched off")
    message = run(code, TANDEM_LAPACK_LIBRARY="/nowhere/lapack.so")
    assert "/nowhere/lapack.so" in message


def test_another_library_is_refused():
    """The module itself has no entry point of a plug-in."""
    message = run(
        "try:\n    torch.linalg.inv(torch.eye(40))\nexcept RuntimeError as e:\n    print(e)",
        TANDEM_LAPACK_LIBRARY=torch._tandem.__file__,
    )
    assert "libtandem_lapack is of another version of Tandem" in message


USES = {
    "tandem": """
import tandem
x = tandem.arange(90000.0).reshape(300, 300) % 7
wide = x.to(tandem.float64) + 300 * tandem.eye(300, dtype=tandem.float64)
assert (x @ x == x.to(tandem.int64) @ x.to(tandem.int64)).all().item()
assert ((tandem.linalg.inv(wide) @ wide) - tandem.eye(300, dtype=tandem.float64)).abs().max().item() < 1e-10
""",
    "scipy.linalg": """
import numpy, scipy.linalg
a = numpy.arange(90000.0).reshape(300, 300) % 7
assert (a @ a == a.astype(numpy.int64) @ a.astype(numpy.int64)).all()
b = a + 300 * numpy.eye(300)
assert abs(scipy.linalg.inv(b) @ b - numpy.eye(300)).max() < 1e-10
""",
    "torch": """
import torch as peer
p = peer.arange(90000.0).reshape(300, 300) % 7
assert (p @ p == p.long() @ p.long()).all().item()
q = p.double() + 300 * peer.eye(300).double()
assert (peer.linalg.inv(q) @ q - peer.eye(300)).abs().max() < 1e-10
""",
}


# Each brings a BLAS, and PyTorch an OpenMP, of its own.
@pytest.mark.parametrize("other", ["scipy.linalg", "torch"])
@pytest.mark.parametrize("tandem_first", [True, False])
def test_beside_others(other, tandem_first):
    """Products and factorisations of both in one process, whichever was imported and used first."""
    if subprocess.run([sys.executable, "-c", f"import {other}"], capture_output=True).returncode != 0:
        pytest.skip(f"{other} is not installed")
    order = ["tandem", other] if tandem_first else [other, "tandem"]
    code = "".join(USES[name] for name in order * 2)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
