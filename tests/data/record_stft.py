"""Writes PyTorch's answers for odd cases of stft and istft (float64): record_stft.py tests/data/stft.json."""
import json
import sys

import torch

x = (torch.arange(50) * 7 % 11 - 5).double() / 4
z = torch.complex(x, x.flip(0) / 2)
w = torch.hann_window(16, dtype=torch.float64)
w7 = torch.hamming_window(7, periodic=False, dtype=torch.float64)
STFT = [
    {"n_fft": 16, "window": "w", "return_complex": True},
    {"n_fft": 15, "hop_length": 4, "return_complex": True},
    {"n_fft": 16, "hop_length": 5, "win_length": 7, "window": "w7", "return_complex": True},
    {"n_fft": 16, "win_length": 9, "return_complex": True, "normalized": True},
    {"n_fft": 60, "pad_mode": "circular", "return_complex": True},
    {"n_fft": 16, "window": "w", "pad_mode": "replicate", "return_complex": False},
    {"n_fft": 9, "pad_mode": "constant", "onesided": False, "return_complex": True},
    {"n_fft": 15, "hop_length": 4, "win_length": 7, "window": "w7", "center": False, "align_to_window": True,
     "return_complex": True},
    {"n_fft": 15, "hop_length": 3, "win_length": 7, "window": "w7", "center": False, "align_to_window": False,
     "return_complex": True},
    {"x": "z", "n_fft": 16, "window": "w"},
    {"n_fft": 16, "window": "cw"},
]
ISTFT = [
    {"stft": 0, "n_fft": 16, "window": "w"},
    {"stft": 0, "n_fft": 16, "window": "w", "length": 50},
    {"stft": 0, "n_fft": 16, "window": "w", "length": 70},
    {"stft": 0, "n_fft": 16, "window": "w", "length": 20},
    {"stft": 1, "n_fft": 15, "hop_length": 4},
    {"stft": 2, "n_fft": 16, "hop_length": 5, "win_length": 7, "window": "w7"},
    {"stft": 3, "n_fft": 16, "win_length": 9, "normalized": True},
    {"stft": 6, "n_fft": 9, "onesided": False, "center": False},
    {"stft": 6, "n_fft": 9, "center": False, "length": 40},
    {"stft": 9, "n_fft": 16, "window": "w"},
    {"stft": 9, "n_fft": 16, "window": "w", "return_complex": True},
    {"stft": 9, "n_fft": 16, "window": "cw", "return_complex": True},
]
tensors = {"x": x, "z": z, "w": w, "w7": w7, "cw": w * (1 + 0.5j)}


def parts(t):
    t = torch.view_as_real(t.resolve_conj()) if t.is_complex() else t
    return [round(v, 12) for v in t.reshape(-1).tolist()]


def record(function, first, case):
    words = {k: tensors.get(v, v) if isinstance(v, str) else v for k, v in case.items() if k not in ("x", "stft")}
    y = function(first, **words)
    return y, case | {"shape": list(y.shape), "complex": y.is_complex(), "values": parts(y)}


spectra, rows = [], {"pytorch": torch.__version__, "stft": [], "istft": []}
for case in STFT:
    y, row = record(torch.stft, tensors[case.get("x", "x")], case)
    spectra.append(y)
    rows["stft"].append(row)
for case in ISTFT:
    rows["istft"].append(record(torch.istft, spectra[case["stft"]], case)[1])
with open(sys.argv[1], "w") as f:
    json.dump(rows, f, separators=(",", ":"))
    f.write("\n")
