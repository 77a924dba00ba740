"""Writes SciPy's answers for convolutions and correlations, of small numbers so that the file is short:
record_convolve.py tests/data/convolve.json."""
import json
import sys

import numpy as np
from scipy import signal

random = np.random.default_rng(11)
SHAPES = [((9,), (4,)), ((4,), (9,)), ((5,), (5,)), ((1,), (6,)), ((4, 5), (3, 2)), ((2, 5), (3, 4)), ((1, 5), (4, 3))]
AXES = [((1, 7), (4, 3), 1), ((4, 7), (1, 3), 1), ((1, 3), (4, 7), 1), ((3, 1, 4), (1, 5, 2), -1), ((5, 2), (3, 2), 0)]


def fits(one, two):
    return all(np.greater_equal(one, two)) or all(np.greater_equal(two, one))


def recorded(function, one, two, dtypes, is_complex, args):
    given = [random.integers(-9 if t != "uint8" else 0, 9, s).astype(t) for s, t in zip((one, two), dtypes)]
    a, b = given
    if is_complex:
        a, b = a + 1j * a[..., ::-1], b - 2j * b[..., ::-1]
    out = getattr(signal, function)(a, b, *args)
    plain = np.round(np.ascontiguousarray(out.astype(complex if is_complex else float)), 9)
    values = (plain.view(float) if is_complex else plain).ravel().tolist()
    return {"function": function, "in1": [given[0].tolist(), dtypes[0]], "in2": [given[1].tolist(), dtypes[1]],
            "complex": is_complex, "args": args, "dtype": None if is_complex else str(out.dtype),
            "shape": out.shape, "values": [int(v) if v == int(v) else v for v in values]}


cases = []
for one, two in SHAPES:
    for mode in ("full", "same", "valid"):
        if mode == "valid" and not fits(one, two):
            continue
        for function in ("convolve", "correlate"):
            for method in ("direct", "fft"):
                cases.append(recorded(function, one, two, ("int16", "int32"), False, (mode, method)))
                cases.append(recorded(function, one, two, ("float64", "float64"), True, (mode, method)))
            cases.append(recorded(function, one, two, ("uint8", "uint8"), False, (mode, "direct")))
for one, two, axes in AXES:
    for mode in ("full", "same", "valid"):
        for function in ("fftconvolve", "oaconvolve"):
            cases.append(recorded(function, one, two, ("float64", "float64"), False, (mode, axes)))
with open(sys.argv[1], "w") as f:
    f.write("[\n" + ",\n".join(json.dumps(c) for c in cases) + "\n]\n")
