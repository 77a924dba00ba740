# stft, istft and convolution by transforms against NumPy's formulas and PyTorch's recorded answers. lint: oracle table
import json
from pathlib import Path

import numpy as np
import pytest

import tandem as td

RECORDED = json.loads((Path(__file__).parents[1] / "data" / "stft.json").read_text())


def signals():
    x = (np.arange(50) * 7 % 11 - 5) / 4.0
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(16) / 16)
    w7 = 0.54 - 0.46 * np.cos(2 * np.pi * np.arange(7) / 6)
    return {"x": x, "z": x + 0.5j * x[::-1], "w": hann, "w7": w7, "cw": hann * (1 + 0.5j)}


def recorded_call(function, first, case):
    given = {k: td.tensor(v) for k, v in signals().items()}
    words = {k: given.get(v, v) if isinstance(v, str) else v for k, v in case.items()}
    for k in ("x", "stft", "shape", "complex", "values"):
        words.pop(k, None)
    return function(first, **words)


def want(case):
    values = np.array(case["values"])
    if case["complex"]:
        values = values.view(np.complex128)
    return values.reshape(case["shape"])


@pytest.mark.parametrize("case", RECORDED["stft"])
def test_stft_is_that_of_pytorch(case):
    got = recorded_call(td.stft, td.tensor(signals()[case.get("x", "x")]), case)
    assert tuple(got.shape) == tuple(case["shape"])
    np.testing.assert_allclose(got.numpy(), want(case), atol=2e-12, rtol=0)


@pytest.mark.parametrize("case", RECORDED["istft"])
def test_istft_is_that_of_pytorch(case):
    bins = td.tensor(want(RECORDED["stft"][case["stft"]]))
    got = recorded_call(td.istft, bins, case)
    # The recorded bins are rounded to 12 digits, and the sums of squares are as small as 0.005.
    np.testing.assert_allclose(got.numpy(), want(case), atol=1e-9, rtol=0)


def frames(x, n, hop):
    return np.lib.stride_tricks.sliding_window_view(x, n, axis=-1)[..., ::hop, :]


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "complex128"])
@pytest.mark.parametrize("hop", [1, 3, 8, 20, 33])
@pytest.mark.parametrize("n", [5, 16, 31, 37])
def test_frames_of_strided_batches(dtype, hop, n):
    rng = np.random.default_rng(n * hop)
    x = rng.standard_normal((2, 150, 3)).astype(dtype)
    if dtype.startswith("c"):
        x = x + 1j * rng.standard_normal(x.shape).astype(x.real.dtype)
    w = rng.standard_normal(n).astype(x.real.dtype)
    t = td.tensor(x).transpose(1, 2).flip(2)
    got = td.stft(t, n, hop, window=td.tensor(w), center=False, return_complex=True).numpy()
    line = x.transpose(0, 2, 1)[..., ::-1].astype(np.complex128)
    full = np.fft.fft(frames(line, n, hop) * w.astype(np.float64)).swapaxes(-1, -2)
    if not dtype.startswith("c"):
        full = full[..., : n // 2 + 1, :]
    assert got.shape == full.shape
    eps = np.finfo(dtype).eps
    assert np.linalg.norm(got - full) <= 3 * eps * (np.log2(n) + 4) * np.linalg.norm(full)
    plain = td.stft(t, n, hop, center=False, return_complex=True).numpy()
    full = np.fft.fft(frames(line, n, hop)).swapaxes(-1, -2)[..., : plain.shape[-2], :]
    assert np.linalg.norm(plain - full) <= 3 * eps * (np.log2(n) + 3) * np.linalg.norm(full)


@pytest.mark.parametrize("mode", ["reflect", "replicate", "circular", "constant"])
@pytest.mark.parametrize("n, hop", [(16, 4), (15, 4), (64, 5), (2, 1), (1, 1)])
def test_centered_frames_and_back(mode, n, hop):
    rng = np.random.default_rng(n)
    x = rng.standard_normal((2, 3, 101))
    w = rng.random(n) + 0.5
    edge = {"reflect": "reflect", "replicate": "edge", "circular": "wrap", "constant": "constant"}[mode]
    padded = np.pad(x, [(0, 0), (0, 0), (n // 2, n // 2)], mode=edge)
    full = np.fft.rfft(frames(padded, n, hop) * w).swapaxes(-1, -2)
    got = td.stft(td.tensor(x), n, hop, window=td.tensor(w), pad_mode=mode, return_complex=True)
    np.testing.assert_allclose(got.numpy(), full, atol=1e-12 * n)
    back = td.istft(got, n, hop, window=td.tensor(w), onesided=True)
    size = (full.shape[-1] - 1) * hop + n % 2
    np.testing.assert_allclose(back.numpy(), x[..., :size], atol=1e-13 * n)
    long = td.istft(got, n, hop, window=td.tensor(w), onesided=True, length=x.shape[-1] + 70)
    assert long.shape[-1] == 171 and np.all(long.numpy()[..., 102 + n // 2 :] == 0)


def test_stft_names_meta_and_dtypes():
    x = td.ones(2, 40, names=("b", "t"))
    y = td.stft(x, 8, return_complex=True)
    assert y.names == ("b", None, "t") and y.dtype == td.complex64
    assert td.stft(x, 8, return_complex=False).names == ("b", None, "t", None)
    back = td.istft(y, 8)
    assert back.names == ("b", "t") and back.dtype == td.float32 and tuple(back.shape) == (2, 40)
    assert td.stft(x, 8, window=td.ones(8, dtype=td.float64), return_complex=True).dtype == td.complex128
    assert td.stft(x.to(td.float16), 8, return_complex=True).dtype == td.complex64
    m = td.empty(2, 40, device="meta")
    s = td.stft(m, 8, return_complex=True)
    assert s.device.type == "meta" and tuple(s.shape) == (2, 5, 21) and s.stride() == y.stride()
    assert tuple(td.istft(s, 8, length=33).shape) == (2, 33)
    assert tuple(td.stft(td.ones(0, 40), 8, return_complex=True).shape) == (0, 5, 21)
    assert tuple(td.istft(td.stft(td.ones(0, 40), 8, return_complex=True), 8).shape) == (0, 40)
    assert tuple(td.istft(y[..., :1], 8).shape) == (2, 0)
    assert tuple(td.istft(y, 8, length=0).shape) == (2, 0)


@pytest.mark.parametrize(
    "words, error, text",
    [
        ({}, ValueError, "return_complex"),
        ({"n_fft": 0, "return_complex": True}, td.ShapeError, "n_fft"),
        ({"n_fft": 3, "return_complex": True}, td.ShapeError, "hop_length"),
        ({"win_length": 17, "return_complex": True}, td.ShapeError, "win_length"),
        ({"window": td.ones(15), "return_complex": True}, td.ShapeError, "window"),
        ({"window": td.ones(16, dtype=td.int32), "return_complex": True}, TypeError, "window"),
        ({"window": td.ones(16, dtype=td.complex64), "onesided": True}, ValueError, "onesided"),
        ({"align_to_window": True, "return_complex": True}, ValueError, "align_to_window"),
        ({"n_fft": 51, "center": False, "return_complex": True}, td.ShapeError, "at least 51"),
        ({"n_fft": 100, "return_complex": True}, td.ShapeError, "at least 51"),
        ({"pad_mode": "edge", "return_complex": True}, ValueError, "pad_mode"),
        ({"x": td.ones(50, dtype=td.int64), "return_complex": True}, TypeError, "float or complex"),
        ({"x": td.ones(()), "return_complex": True}, td.ShapeError, "dimensions"),
    ],
)
def test_stft_refuses(words, error, text):
    with pytest.raises(error, match=rf"\[stft\].*{text}"):
        td.stft(**({"x": td.ones(50), "n_fft": 16} | words))


@pytest.mark.parametrize(
    "words, error, text",
    [
        ({"x": td.ones(9, 5)}, TypeError, "complex"),
        ({"x": td.ones(9, dtype=td.complex64)}, td.ShapeError, "bins, frames"),
        ({"x": td.ones(8, 5, dtype=td.complex64)}, td.ShapeError, "9 bins"),
        ({"onesided": False}, td.ShapeError, "16 bins"),
        ({"x": td.ones(9, 0, dtype=td.complex64)}, td.ShapeError, "one frame"),
        ({"hop_length": 17}, td.ShapeError, "hop_length"),
        ({"length": -1}, td.ShapeError, "length"),
        ({"return_complex": True}, ValueError, "onesided"),
        ({"window": td.ones(16, dtype=td.complex64)}, TypeError, "window"),
        ({"window": td.hann_window(16), "center": False}, ValueError, "sum of squares"),
        ({"window": td.hann_window(16), "hop_length": 16}, ValueError, "sum of squares"),
    ],
)
def test_istft_refuses(words, error, text):
    with pytest.raises(error, match=rf"\[istft\].*{text}"):
        td.istft(**({"x": td.ones(9, 5, dtype=td.complex64), "n_fft": 16} | words))


# ---- convolution


def direct(a, b, axes):
    """By sums over shifted products, in double precision."""
    wide = np.complex128 if np.iscomplexobj(a) or np.iscomplexobj(b) else np.float64
    shape = [
        a.shape[d] + b.shape[d] - 1 if d in axes else max(a.shape[d], b.shape[d]) for d in range(a.ndim)
    ]
    out = np.zeros(shape, wide)
    for place in np.ndindex(*[b.shape[d] if d in axes else 1 for d in range(a.ndim)]):
        take = tuple(slice(p, p + 1) if d in axes else slice(None) for d, p in enumerate(place))
        put = tuple(slice(p, p + a.shape[d]) if d in axes else slice(None) for d, p in enumerate(place))
        out[put] += a.astype(wide) * b[take].astype(wide)
    return out


def cropped(full, a, b, axes, mode):
    if mode == "valid" and any(a.shape[d] < b.shape[d] for d in axes if 1 not in (a.shape[d], b.shape[d])):
        a, b = b, a
    for d in range(full.ndim) if mode == "same" else axes:
        n1, n2 = a.shape[d], b.shape[d]
        size = {"full": full.shape[d], "same": n1, "valid": abs(n1 - n2) + 1}[mode]
        start = (full.shape[d] - size) // 2
        full = full.take(range(start, start + size), axis=d)
    return full


SHAPES = [
    ((50,), (7,), None),
    ((7,), (50,), None),
    ((1000,), (9,), None),
    ((3, 400), (1, 11), (1,)),
    ((5, 1, 300), (1, 4, 6), (-1,)),
    ((30, 40), (5, 7), None),
    ((200, 3, 260), (9, 3, 4), (0, 2)),
    ((1, 20), (6, 1), None),
    ((6, 6), (6, 6), None),
    ((4,), (1,), None),
    ((2, 129, 65), (2, 3, 3), (2, 1)),
    ((1, 30), (4, 6), (1,)),
    ((1, 1, 9), (5, 6, 200), (2,)),
]


@pytest.mark.parametrize("function", ["fftconvolve", "oaconvolve"])
@pytest.mark.parametrize("mode", ["full", "same", "valid"])
@pytest.mark.parametrize("dtypes", ["ff", "dd", "fF", "Dd", "ii", "be"])
@pytest.mark.parametrize("one, two, axes", SHAPES)
def test_convolution_is_the_sum(function, mode, dtypes, one, two, axes):
    rng = np.random.default_rng(len(one) + sum(two))
    a, b = (np.round(rng.standard_normal(s) * 9).astype(t) for s, t in zip((one, two), dtypes))
    if "F" in dtypes or "D" in dtypes:
        a, b = (x + 1j * np.round(x[::-1] * 3) if x.dtype.kind == "c" else x for x in (a, b))
        a, b = a.astype(dtypes[0]), b.astype(dtypes[1])
    along = range(a.ndim) if axes is None else [d % a.ndim for d in axes]
    full = direct(a, b, list(along))
    want = cropped(full, a, b, list(along), mode)
    got = getattr(td.signal, function)(td.tensor(a), td.tensor(b), mode, axes)
    assert tuple(got.shape) == want.shape
    kept = {"ff": "float32", "fF": "complex64", "Dd": "complex128", "be": "float32"}
    assert str(got.dtype) == "tandem." + kept.get(dtypes, "float64")
    # Transforms of a, b and their product: each errs by 3 eps (log2 n + 3) of its norm.
    eps = np.finfo(got.numpy().dtype).eps
    n = max(full.shape)
    scale = np.linalg.norm(a.astype(complex).ravel()) * np.linalg.norm(b.astype(complex).ravel())
    assert np.abs(got.numpy() - want).max() <= 9 * eps * (np.log2(2 * n) + 3) * scale


def test_convolution_of_views_names_meta_and_no_elements():
    x = td.arange(60, dtype=td.float64).reshape(6, 10).t().flip(0)
    y = td.arange(8, dtype=td.float64).reshape(2, 4)[:, ::2]
    want = direct(x.numpy(), y.numpy(), [0, 1])
    for f in (td.signal.fftconvolve, td.signal.oaconvolve):
        np.testing.assert_allclose(f(x, y).numpy(), want, atol=1e-10)
        named = f(x.rename("a", "b"), y.rename(None, "b"), "same", ["a", "b"])
        assert named.names == ("a", "b") and tuple(named.shape) == (10, 6)
        m = f(td.empty(5, 700, device="meta"), td.empty(5, 3, device="meta"), axes=[1])
        assert tuple(m.shape) == (5, 702) and m.device.type == "meta"
        assert tuple(f(td.ones(0), td.ones(4)).shape) == (0,)
        assert tuple(f(td.ones(0, 5), td.ones(1, 4), axes=1).shape) == (0, 8)
        assert f(td.tensor(3.0), td.tensor(2.0)).item() == 6.0


@pytest.mark.parametrize(
    "a, b, mode, axes, error, text",
    [
        ((4,), (2, 2), "full", None, td.ShapeError, "as many dimensions"),
        ((4,), (2,), "wrap", None, ValueError, "mode"),
        ((4, 3), (2, 2), "full", [0], td.ShapeError, "broadcast"),
        ((4, 2), (2, 3), "valid", None, td.ShapeError, "valid"),
        ((4, 2), (2, 3), "full", [0, 0], ValueError, "twice"),
        ((4, 2), (2, 3), "full", [], ValueError, "at least one"),
        ((4, 2), (2, 3), "full", [2], IndexError, "2"),
    ],
)
def test_convolution_refuses(a, b, mode, axes, error, text):
    for f in (td.signal.fftconvolve, td.signal.oaconvolve):
        with pytest.raises(error, match=text):
            f(td.ones(*a), td.ones(*b), mode, axes)
