"""The linalg and fft extensions of the Python Array API 2024.12: every function, by the standard's own signatures.

The lines of LINALG and FFT are the standard's: `/` and `*` as there. A call is made with every parameter by the
standard's name and its default; results of several parts have the standard's field names.
"""

# lint: oracle table
import re
from pathlib import Path

import numpy as np
import pytest

import tandem
from test_catalogue import declared

LINALG = """
cholesky(x, /, *, upper=False)
cross(x1, x2, /, *, axis=-1)
det(x, /)
diagonal(x, /, *, offset=0)
eigh(x, /) -> eigenvalues eigenvectors
eigvalsh(x, /)
inv(x, /)
matmul(x1, x2, /)
matrix_norm(x, /, *, keepdims=False, ord='fro')
matrix_power(x, n, /)
matrix_rank(x, /, *, rtol=None)
matrix_transpose(x, /)
outer(x1, x2, /)
pinv(x, /, *, rtol=None)
qr(x, /, *, mode='reduced') -> Q R
slogdet(x, /) -> sign logabsdet
solve(x1, x2, /)
svd(x, /, *, full_matrices=True) -> U S Vh
svdvals(x, /)
tensordot(x1, x2, /, *, axes=2)
trace(x, /, *, offset=0, dtype=None)
vecdot(x1, x2, /, *, axis=-1)
vector_norm(x, /, *, axis=None, keepdims=False, ord=2)
"""
FFT = """
fft(x, /, *, n=None, axis=-1, norm='backward')
ifft(x, /, *, n=None, axis=-1, norm='backward')
fftn(x, /, *, s=None, axes=None, norm='backward')
ifftn(x, /, *, s=None, axes=None, norm='backward')
rfft(x, /, *, n=None, axis=-1, norm='backward')
irfft(x, /, *, n=None, axis=-1, norm='backward')
rfftn(x, /, *, s=None, axes=None, norm='backward')
irfftn(x, /, *, s=None, axes=None, norm='backward')
hfft(x, /, *, n=None, axis=-1, norm='backward')
ihfft(x, /, *, n=None, axis=-1, norm='backward')
fftfreq(n, /, *, d=1.0, dtype=None, device=None)
rfftfreq(n, /, *, d=1.0, dtype=None, device=None)
fftshift(x, /, *, axes=None)
ifftshift(x, /, *, axes=None)
"""
EXTENSIONS = {"linalg": LINALG, "fft": FFT}


def functions():
    """(extension, name, [(parameter, kind)], {parameter: default}, fields of the result)"""
    for extension, lines in EXTENSIONS.items():
        for line in lines.split("\n"):
            if not line:
                continue
            form, _, fields = line.partition(" -> ")
            name, parameters = declared(form)
            text = re.search(r"\((.*)\)", form).group(1)
            defaults = {k: eval(v) for k, v in re.findall(r"(\w+)=([^,]+)", text)}
            yield extension, name, parameters, defaults, fields.split()


FUNCTIONS = list(functions())


def arrays(name):
    """Arguments by position."""
    square = np.array([[4.0, 1, 0], [1, 5, 2], [0, 2, 6]]) + np.zeros((2, 1, 1))
    if name in ("fftfreq", "rfftfreq"):
        return [5]
    if name == "outer":
        return [square[0, 0], square[0, 1]]
    if name == "matrix_power":
        return [square, 2]
    if name == "tensordot":
        return [square[0], square[1]]
    if name == "solve":
        return [square, square[:, :, :2]]
    if "rfft" in name and name.startswith("i") or name in ("hfft", "fft", "ifft", "fftn", "ifftn"):
        return [square + 0j]
    return [square, square] if name in ("cross", "matmul", "vecdot") else [square]


def reference(extension, name, given, keywords):
    """NumPy 2 has the standard's functions, and three whose parameters have NumPy's own names."""
    keywords = {k: v for k, v in keywords.items() if v is not None}
    if name in ("outer", "tensordot"):
        return getattr(np, name)(*given, **keywords)
    if name == "matrix_rank" or extension == "fft" and "freq" in name:
        keywords.pop("dtype", None)
    return getattr(getattr(np, extension), name)(*given, **keywords)


@pytest.mark.parametrize("extension, name, parameters, defaults, fields", FUNCTIONS)
def test_call_of_the_standard(extension, name, parameters, defaults, fields):
    assert hasattr(getattr(tandem, extension), name), f"the Array API has {extension}.{name}"
    function = getattr(getattr(tandem, extension), name)
    given = arrays(name)
    assert len(given) == sum(kind == "position" for _, kind in parameters)
    keywords = {p: defaults[p] for p, kind in parameters if kind == "keyword"}
    tensors = [tandem.tensor(g) if isinstance(g, np.ndarray) else g for g in given]
    got = function(*tensors, **keywords)
    want = reference(extension, name, given, keywords)
    if fields:
        assert got._fields == tuple(fields)
        pairs = [(getattr(got, f), w) for f, w in zip(fields, want, strict=True)]
    else:
        pairs = [(got, want)]
    for g, w in pairs:
        assert isinstance(g, tandem.Tensor) and tuple(g.shape) == np.shape(w)
        if name not in ("qr", "svd", "eigh"):  # whose signs are free
            assert np.allclose(g.numpy(), w, rtol=1e-12 if "float64" in str(g.dtype) else 1e-6, atol=1e-12)
    # Each keyword alone too, and none.
    for keyword, value in keywords.items():
        function(*tensors, **{keyword: value})
    function(*tensors)


@pytest.mark.parametrize("extension, name, parameters, defaults, fields", FUNCTIONS)
def test_no_call_takes_what_the_standard_has_not(extension, name, parameters, defaults, fields):
    with pytest.raises(TypeError):
        getattr(getattr(tandem, extension), name)(*arrays(name), nonesuch=1)


def test_values_that_are_not_defaults():
    a = arrays("qr")[0]
    x = tandem.tensor(a)
    assert tandem.linalg.qr(x[:, :, :2], mode="complete").Q.shape == (2, 3, 3)
    assert tandem.linalg.matrix_norm(x, keepdims=True, ord="nuc").shape == (2, 1, 1)
    assert tandem.linalg.vector_norm(x, axis=(0, 2), keepdims=True, ord=float("inf")).shape == (1, 3, 1)
    assert tandem.linalg.matrix_rank(x, rtol=tandem.tensor([1e-3, 0.9])).shape == (2,)
    assert tandem.linalg.pinv(x, rtol=tandem.tensor([1e-3, 1e-3])).shape == (2, 3, 3)
    assert tandem.linalg.tensordot(x, x, axes=((0, 1), (0, 1))).shape == (3, 3)
    got = tandem.fft.fftn(x + 0j, s=(4, 2), axes=(0, 2), norm="ortho").numpy()
    assert np.allclose(got, np.fft.fftn(a, s=(4, 2), axes=(0, 2), norm="ortho"))
    got = tandem.fft.fftshift(x, axes=(1, 2)).numpy()
    assert np.array_equal(got, np.fft.fftshift(a, axes=(1, 2)))
    assert tandem.fft.rfftfreq(6, d=0.5, dtype=tandem.float64, device="cpu").dtype is tandem.float64


def test_the_namespace_has_the_extensions():
    namespace = tandem.ones(2).__array_namespace__()
    assert namespace.linalg is tandem.array_api.linalg and namespace.fft is tandem.array_api.fft


def test_the_page_of_ops_has_a_section_for_each():
    page = (Path(__file__).parents[2] / "docs/ops.md").read_text()
    sections = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", page, re.M | re.S))
    for extension, name, *_ in FUNCTIONS:
        text = sections[extension.capitalize()]
        assert f"`{extension}_{name}`" in text, f"docs/ops.md has no {extension}.{name} in its section"
