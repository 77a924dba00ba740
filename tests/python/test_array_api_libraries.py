"""SciPy's and scikit-learn's functions that accept arrays of the Array API run on tensors and give tensors: the values of
the same calls with NumPy arrays. The calls are in array_api_calls.py."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import tandem

DEVICES = ("cpu", "cuda")


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("library", ("scipy", "sklearn"))
def test_library(library, device):
    pytest.importorskip(library)
    if device == "cuda" and not tandem.cuda.is_available():
        pytest.skip("no CUDA device")
    script = Path(__file__).with_name("array_api_calls.py")
    run = subprocess.run([sys.executable, script, library, device], stdout=subprocess.PIPE, text=True, check=True)
    found = json.loads(run.stdout)
    assert len(found) > 10
    # A vendor's library is absent there.
    problems = [f"{name}: {text}" for name, text in found.items() if text and "simulated device has not" not in text]
    assert not problems, "\n".join(problems)
