# Fourier transforms against NumPy in double precision. lint: oracle table
import numpy as np
import pytest

import tandem as td


@pytest.fixture(autouse=True, params=["built-in", "fftw", "auto", "measured"])
def provider(request):
    """Each test with each provider of the host; "measured" is FFTW with plans that it has tried out."""
    name = "fftw" if request.param == "measured" else request.param
    if name == "fftw" and td.fft.provider() != "fftw":
        pytest.skip(td.fft.provider_reason())
    if request.param == "measured":
        if not request.node.name.startswith(("test_several_axes", "test_dtypes")):
            pytest.skip("measuring each plan takes minutes")
        td.fft.set_planning("measure")
    with td.fft.use_provider(name):
        yield name
    td.fft.set_planning("estimate")


ROWS = ["fft", "ifft", "rfft", "irfft", "hfft", "ihfft"]
MANY = [name + "n" for name in ROWS]
NORMS = [None, "backward", "ortho", "forward"]
LENGTHS = [*range(1, 301), 509, 1009, 1024, 2047, 2048, 2049, 4096, 4099, 6144, 29791, 30030, 59049, 65536]
LARGE = [100003, 2**20, 1000003]


def numbers(rng, shape, dtype):
    x = rng.standard_normal(shape)
    if np.dtype(dtype).kind == "c":
        x = x + 1j * rng.standard_normal(shape)
    return x.astype(dtype)


def bound(n, dtype):
    """Of the error's norm over the result's. A stage of radix r rounds each number at most 2 + log2(r) times (a plain
    sum over r <= 31 inputs: by sqrt(r) at random), so that c eps log2(n) holds with c = 1; Bluestein's three transforms
    are of a length up to 4 n."""
    eps = np.finfo(dtype).eps
    return eps * 3 * (np.log2(n) + 3)


def relative(got, want):
    scale = np.linalg.norm(want)
    return np.linalg.norm(got - want) / scale if scale else np.linalg.norm(got)


def full(name, x, **kwargs):
    """NumPy's answer to double precision."""
    wide = np.complex128 if x.dtype.kind == "c" else np.float64
    return getattr(np.fft, name)(x.astype(wide), **kwargs)


def many(name, x, s, axes, norm):
    """hfftn and ihfftn, which NumPy has not, by its other functions."""
    if name == "hfftn":
        for i, a in enumerate(axes[:-1]):
            x = np.fft.fft(x, n=None if s is None else s[i], axis=a, norm=norm)
        return np.fft.hfft(x, n=None if s is None else s[-1], axis=axes[-1], norm=norm)
    if name == "ihfftn":
        x = np.fft.ihfft(x, n=None if s is None else s[-1], axis=axes[-1], norm=norm)
        for i, a in enumerate(axes[:-1]):
            x = np.fft.ifft(x, n=None if s is None else s[i], axis=a, norm=norm)
        return x
    return getattr(np.fft, name)(x, s=s, axes=axes, norm=norm)


def dtype_of(name, precision):
    real = name.startswith(("rfft", "ihfft"))
    return {(1, 32): np.float32, (1, 64): np.float64, (0, 32): np.complex64, (0, 64): np.complex128}[real, precision]


@pytest.mark.parametrize("precision", [32, 64])
@pytest.mark.parametrize("name", ["fft", "ifft", "rfft", "irfft"])
def test_every_length(name, precision):
    rng = np.random.default_rng(1)
    dtype = dtype_of(name, precision)
    for n in LENGTHS + (LARGE if name == "fft" else LARGE[:1]):
        bins = n // 2 + 1 if name == "irfft" else n
        x = numbers(rng, bins if n > 4096 else (2, bins), dtype)
        got = getattr(td.fft, name)(td.tensor(x), n).numpy()
        want = full(name, x, n=n)
        assert got.shape == want.shape and got.dtype.itemsize * 2 == want.dtype.itemsize * precision // 32
        assert relative(got, want) <= bound(n, dtype), n


@pytest.mark.parametrize("name", ROWS)
@pytest.mark.parametrize("norm", NORMS)
def test_axes_lengths_and_norms(name, norm):
    rng = np.random.default_rng(2)
    dtype = dtype_of(name, 64)
    x = numbers(rng, (5, 6, 7), dtype)
    views = [x, x.transpose(2, 0, 1), x[::-1, ::2], x[:, :, 1:], np.broadcast_to(x[:1], (4, 6, 7)), x[:0]]
    for v in views:
        t = td.tensor(x)
        t = [t, t.permute(2, 0, 1), t.flip(0)[:, ::2], t[:, :, 1:], t[:1].expand(4, 6, 7), t[:0]][
            [id(u) for u in views].index(id(v))
        ]
        for axis in range(-3, 3):
            for n in [None, 1, 2, 3, 8, 37]:
                if v.shape[axis] == 0:
                    continue
                if v.size == 0:
                    got = getattr(td.fft, name)(t, n, axis, norm)
                    assert got.numel() == 0
                    continue
                want = full(name, v, n=n, axis=axis, norm=norm)
                got = getattr(td.fft, name)(t, n, axis, norm)
                assert got.numpy().shape == want.shape
                assert np.allclose(got.numpy(), want, rtol=0, atol=bound(64, dtype) * np.abs(want).max() * 4)


@pytest.mark.parametrize("name", MANY)
@pytest.mark.parametrize("norm", NORMS)
def test_several_axes(name, norm):
    rng = np.random.default_rng(3)
    dtype = dtype_of(name, 64)
    x = numbers(rng, (4, 6, 5, 3), dtype)
    t = td.tensor(x)
    cases = [(None, (0, 1, 2, 3)), (None, (2, 0)), ((8, 4), (1, 2)), ((3, 7, 2), (0, 3, 1)), ((5,), (-2,))]
    for s, axes in cases:
        want = many(name, x, s, axes, norm)
        got = getattr(td.fft, name)(t, s, axes, norm).numpy()
        assert got.shape == want.shape
        assert relative(got, want) <= bound(1000, dtype)
    whole = getattr(td.fft, name)(t, None, None, norm).numpy()
    assert relative(whole, many(name, x, None, (0, 1, 2, 3), norm)) <= bound(1000, dtype)
    two = getattr(td.fft, name[:-1] + "2")(t, norm=norm).numpy()
    assert relative(two, many(name, x, None, (-2, -1), norm)) <= bound(1000, dtype)
    last = getattr(td.fft, name)(t, (4, 4)).numpy()
    assert relative(last, many(name, x, (4, 4), (2, 3), None)) <= bound(1000, dtype)


def test_round_trips():
    rng = np.random.default_rng(4)
    for n in [1, 2, 3, 10, 37, 1000, 4099, 6000]:
        z = numbers(rng, (3, n), np.complex64)
        assert relative(td.fft.ifft(td.fft.fft(td.tensor(z))).numpy(), z) <= 2 * bound(n, np.complex64)
        x = numbers(rng, (3, n), np.float64)
        assert relative(td.fft.irfft(td.fft.rfft(td.tensor(x)), n).numpy(), x) <= 2 * bound(n, np.float64)
        assert relative(td.fft.hfft(td.fft.ihfft(td.tensor(x)), n).numpy(), x) <= 2 * bound(n, np.float64)


def test_dtypes():
    x = np.arange(12).reshape(3, 4)
    for dtype in [td.bool, td.int8, td.uint16, td.int64, td.float16, td.bfloat16, td.float32]:
        t = td.tensor(x).to(dtype)
        got = td.fft.fft(t)
        assert got.dtype == td.complex64
        assert relative(got.numpy(), np.fft.fft(t.to(td.float64).numpy())) <= bound(4, np.float32)
        assert td.fft.irfft(t).dtype == td.float32
    assert td.fft.rfft(td.tensor(x).double()).dtype == td.complex128
    assert td.fft.hfft(td.tensor(x).double()).dtype == td.float64


def test_frequencies_and_shifts():
    for n in [1, 2, 3, 8, 9]:
        for d in [1, 0.25]:
            assert np.array_equal(td.fft.fftfreq(n, d, dtype=td.float64).numpy(), np.fft.fftfreq(n, d))
            assert np.array_equal(td.fft.rfftfreq(n, d, dtype=td.float64).numpy(), np.fft.rfftfreq(n, d))
    assert td.fft.fftfreq(4).dtype == td.float32
    none = td.fft.fftfreq(0)  # as in PyTorch, whose rfftfreq has one bin of no frequency
    assert tuple(none.shape) == (0,) and none.dtype == td.float32
    assert np.isnan(td.fft.rfftfreq(0, dtype=td.float64).numpy()).tolist() == [True]
    for f in (td.fft.fftfreq, td.fft.rfftfreq):
        with pytest.raises(ValueError, match="argument 'n': expected at least 0, got -1"):
            f(-1)
    x = np.arange(30).reshape(5, 6)
    t = td.tensor(x)
    for dim in [None, 0, -1, (0, 1)]:
        assert np.array_equal(td.fft.fftshift(t, dim).numpy(), np.fft.fftshift(x, dim))
        assert np.array_equal(td.fft.ifftshift(t, dim).numpy(), np.fft.ifftshift(x, dim))


def test_names_are_kept():
    t = td.ones(3, 4, names=("n", "c"))
    assert td.fft.fft(t, dim="n").names == ("n", "c")
    assert td.fft.rfft(t, 5, "c").names == ("n", "c")
    assert td.fft.irfftn(t, (4, 6), ("c", "n")).names == ("n", "c")
    assert td.fft.fftshift(t, "c").names == ("n", "c")


def test_errors():
    x = td.ones(3, 4)
    with pytest.raises(TypeError, match="real input"):
        td.fft.rfft(x.to(td.complex64))
    with pytest.raises(ValueError, match="norm"):
        td.fft.fft(x, norm="other")
    with pytest.raises(IndexError):
        td.fft.fft(x, dim=2)
    with pytest.raises(IndexError):
        td.fft.fft(td.tensor(1.0))
    with pytest.raises(RuntimeError, match="at least one element"):
        td.fft.fft(x, 0)
    with pytest.raises(RuntimeError, match="at least one element"):
        td.fft.irfft(td.ones(3, 1))
    with pytest.raises(ValueError, match="twice"):
        td.fft.fftn(x, dim=(0, 0))
    with pytest.raises(RuntimeError, match="as many lengths"):
        td.fft.fftn(x, (4,), (0, 1))


def test_plans_are_let_go():
    rng = np.random.default_rng(5)
    for n in range(301, 460):  # more than are kept
        x = numbers(rng, n, np.complex128)
        assert relative(td.fft.fft(td.tensor(x)).numpy(), np.fft.fft(x)) <= bound(n, np.complex128)
    x = numbers(rng, 301, np.complex128)
    assert relative(td.fft.fft(td.tensor(x)).numpy(), np.fft.fft(x)) <= bound(301, np.complex128)


def test_dimensions_of_one_element():
    """Their strides may be anything: what is read in pairs is not refused for them."""
    x = np.arange(8.0, dtype=np.float32).reshape(8, 1)
    np.testing.assert_allclose(td.fft.rfft(td.tensor(x), dim=0).numpy(), np.fft.rfft(x, axis=0), atol=1e-5)
    row = td.arange(7.0).as_strided((1, 6), (7, 1))
    np.testing.assert_allclose(td.fft.rfft(row).numpy(), np.fft.rfft(row.numpy()), atol=1e-5)
    np.testing.assert_allclose(td.fft.rfft2(td.tensor(x.T)).numpy(), np.fft.rfft2(x.T), atol=1e-5)
    np.testing.assert_allclose(td.fft.ihfft(td.tensor(x), dim=0).numpy(), np.fft.ihfft(x, axis=0), atol=1e-5)
    deep = td.ones((1,) * 31 + (4,))
    assert td.fft.irfft(deep, n=7).shape == (1,) * 31 + (7,)
    np.testing.assert_allclose(td.fft.irfft(deep, n=7).numpy().ravel(), np.fft.irfft(np.ones(4), 7), atol=1e-6)


@pytest.mark.parametrize("name", ["fftn", "rfftn", "irfftn", "hfftn", "ihfftn"])
def test_no_dimension_has_none_to_transform(name):
    with pytest.raises(IndexError, match=f"fft_{name}.*'dim': expected a tensor with dimensions, got none"):
        getattr(td.fft, name)(td.tensor(3.0), s=(4,), dim=(0,))


def test_the_provider_is_told():
    with td.fft.use_provider("built-in"):
        assert td.fft.provider() == "built-in" and "asked for" in td.fft.provider_reason()
        with td.fft.use_provider("auto"):
            assert td.fft.provider() in ("fftw", "built-in")
        assert td.fft.provider() == "built-in"
    with td.exact():
        assert td.fft.provider() == "built-in" and td.fft.provider_reason() == "exact mode"
    with pytest.raises(ValueError, match="'auto', 'built-in', 'fftw' or 'cufft', got 'mkl'"):
        td.fft.set_provider("mkl")
    with pytest.raises(ValueError, match=r"\[fft.use_provider\] argument 'name': .* got 'mkl'"):
        with td.fft.use_provider("mkl"):
            pass
    with pytest.raises(ValueError, match="'estimate', 'measure' or 'patient', got 'hard'"):
        td.fft.set_planning("hard")
    if not td.cuda.is_available():
        with pytest.raises(RuntimeError, match="expected a provider that can be used, got 'cufft'"):
            td.fft.set_provider("cufft")


def test_views_of_every_kind():
    """Random shapes, strides, axes and lengths, among them those that are larger than a panel."""
    rng = np.random.default_rng(6)
    for _ in range(150):
        name = ROWS[rng.integers(len(ROWS))]
        dtype = dtype_of(name, [32, 64][rng.integers(2)])
        if name in ("fft", "ifft", "irfft") and rng.integers(3) == 0:
            dtype = [np.float32, np.float64][rng.integers(2)]
        shape = tuple(rng.integers(1, [9, 40, 400][rng.integers(3)], size=rng.integers(1, 4)))
        if np.prod(shape) > 200_000:
            shape = shape[:2]
        x = numbers(rng, shape, dtype)
        t = td.tensor(x)
        order = list(rng.permutation(len(shape)))
        x, t = x.transpose(order), t.permute(*[int(d) for d in order])
        for d in range(len(shape)):
            kind = rng.integers(4)
            cut = (slice(None),) * d
            if kind == 1:
                x, t = np.flip(x, d), t.flip(d)
            elif kind == 2 and x.shape[d] > 2:
                x, t = x[cut + (slice(1, None, 2),)], t[cut + (slice(1, None, 2),)]
        axis = int(rng.integers(len(shape)))
        n = [None, int(rng.integers(1, 600))][rng.integers(2)]
        if n is None and name in ("irfft", "hfft") and x.shape[axis] < 2:
            continue
        norm = NORMS[rng.integers(4)]
        got = getattr(td.fft, name)(t, n, axis, norm).numpy()
        want = full(name, x, n=n, axis=axis, norm=norm)
        assert got.shape == want.shape
        assert relative(got, want) <= bound(600, dtype), (name, shape, order, axis, n)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("n", [2, 6, 16, 62, 64, 1000, 4096])
def test_bits_of_a_row_do_not_depend_on_the_batch(n, dtype):
    """Of the built-in provider: the libraries choose their ways by the batch too."""
    with td.fft.use_provider("built-in"):
        rng = np.random.default_rng(n)
        for count in (1, 3, 4, 8, 12, 16, 23, 40):
            x = td.tensor(rng.standard_normal((count, n)).astype(dtype))
            many, outer = td.fft.rfft(x), td.fft.rfft(x.t(), dim=0).t()
            back, there = td.fft.irfft(many), td.fft.irfft(many.t(), dim=0).t()
            full = td.fft.fft(many)
            for i in range(count):
                one = td.fft.rfft(x[i])
                assert td.equal(many[i], one) and td.equal(outer[i], one)
                assert td.equal(back[i], td.fft.irfft(one)) and td.equal(there[i], back[i])
                assert td.equal(full[i], td.fft.fft(one))


@pytest.mark.parametrize("precision", [32, 64])
@pytest.mark.parametrize("columns", [False, True])
def test_blocks_of_rows(precision, columns):
    """Whole blocks of 8 and 16 rows and what is left, of every short length: rows that follow one another, rows apart,
    rows that do not begin on lines of the cache, and columns; cut and filled."""
    rng = np.random.default_rng(3)
    for n in [*range(1, 18), 24, 30, 32, 34, 60, 64, 65, 129, 256, 1009]:
        for rows, apart, skipped in [(16, 0, 0), (19, 0, 1), (35, 5, 2)]:
            for name in ROWS:
                dtype = np.dtype(dtype_of(name, precision))
                bins = n // 2 + 1 if name in ("irfft", "hfft") else n
                memory = numbers(rng, (skipped + rows * (bins + apart),), dtype)
                t = td.tensor(memory)[skipped:].view(rows, bins + apart)[:, :bins]
                x = memory[skipped:].reshape(rows, bins + apart)[:, :bins]
                if columns:
                    t, x = t.t(), x.T
                axis = 0 if columns else 1
                for length in (n, n + 3) if n < 17 else (n,):
                    got = getattr(td.fft, name)(t, length, axis).numpy()
                    want = full(name, x, n=length, axis=axis)
                    # Of each element: not one row may be wrong among many.
                    worst = np.abs(got - want).max(initial=0) / np.abs(want).max(initial=1e-30)
                    assert worst <= 4 * bound(length, dtype), (name, n, rows, apart, length)


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "complex128"])
@pytest.mark.parametrize("n", [2050, 2097, 4096])
def test_columns_have_the_bits_of_rows(n, dtype, provider):
    """Lengths of several passes and a convolution; widths below, of and beyond a block; batches; views."""
    rng = np.random.default_rng(n)
    for width in (2, 7, 16, 37):
        x = numbers(rng, (n, width), dtype)
        got = td.fft.fft(td.tensor(x), dim=0).numpy()
        assert relative(got, full("fft", x, axis=0)) < bound(n, got.real.dtype)
        if provider != "built-in":
            continue
        for view in (x, x[:-1, 1:], x[::-1], x[None, : n // 2 * 2].reshape(2, n // 2, width)):
            axis = view.ndim - 2
            for length in (n, n - 50):
                columns = td.fft.ifft(td.from_numpy(view), n=length, dim=axis).numpy()
                rows = td.fft.ifft(td.tensor(np.ascontiguousarray(view.swapaxes(axis, -1))), n=length).numpy()
                np.testing.assert_array_equal(columns, rows.swapaxes(axis, -1))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("n", [4100, 4202, 8192])
def test_real_columns(n, dtype, provider):
    """Pairs of columns, which are not copied: more and fewer than there are, odd numbers of them, views, batches."""
    rng = np.random.default_rng(n)
    for width in (8, 16, 21):
        x = numbers(rng, (n, width), dtype)
        got = td.fft.rfft(td.tensor(x), dim=0).numpy()
        assert relative(got, full("rfft", x, axis=0)) < bound(n, dtype)
        if provider != "built-in":
            continue
        for view in (x, x[:-1, 1:], x[::-1], x[:-2], np.stack([x, -x])):
            axis = view.ndim - 2
            for length in (n, n - 50):
                columns = td.fft.ihfft(td.from_numpy(view), n=length, dim=axis).numpy()
                rows = td.fft.ihfft(td.tensor(np.ascontiguousarray(view.swapaxes(axis, -1))), n=length).numpy()
                np.testing.assert_array_equal(columns, rows.swapaxes(axis, -1))


@pytest.mark.parametrize("shape", [(3, 2048, 200), (600, 2048, 2), (2, 3, 2500, 2, 9), (2, 70000, 33)])
def test_columns_by_parts(shape, provider):
    """More than fits the caches, in several rows: parts of the rows and of the columns."""
    if provider != "built-in":
        pytest.skip("bits of the built-in transform")
    axis = {3: 1, 5: 2}[len(shape)]
    x = numbers(np.random.default_rng(5), shape, "complex64")
    columns = td.fft.fft(td.tensor(x), dim=axis).numpy()
    rows = td.fft.fft(td.tensor(np.ascontiguousarray(np.moveaxis(x, axis, -1)))).numpy()
    np.testing.assert_array_equal(columns, np.moveaxis(rows, -1, axis))


def test_planes_in_place():
    """Several axes: from the second on in place, by whole blocks."""
    rng = np.random.default_rng(4)
    for shape in [(3, 16, 32), (20, 24, 17), (33, 64, 8)]:
        for dtype in ("complex64", "complex128"):
            x = numbers(rng, shape, dtype)
            got = td.fft.fftn(td.tensor(x)).numpy()
            assert relative(got, np.fft.fftn(x.astype("complex128"))) <= bound(x.size, dtype)
