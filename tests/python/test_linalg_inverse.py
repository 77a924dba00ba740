# Inverses beside the sizes at which their method changes.
import numpy as np
import pytest

import tandem
from tandem import linalg


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "complex128"])
@pytest.mark.parametrize("n", [33, 63, 64, 65, 97, 229, 230, 279, 280])
def test_inverses_beside_the_bounds_of_their_methods(dtype, n):
    """On several threads, and on one a matrix; the one that is singular is named, the rest is inverted."""
    rng = np.random.default_rng(n)
    a = rng.standard_normal((3, n, n)).astype(dtype)
    if a.dtype.kind == "c":
        a = a + 1j * rng.standard_normal((3, n, n)).astype(a.real.dtype)
    eps = np.finfo(dtype).eps
    before = tandem.get_num_threads()
    try:
        for threads in (1, 2, 3):
            tandem.set_num_threads(threads)
            for x in (a[0], a):
                got = linalg.inv(tandem.tensor(x)).numpy().astype("complex128")
                sizes = np.linalg.norm(x, axis=(-2, -1)) * np.linalg.norm(got, axis=(-2, -1))
                off = np.abs(x.astype("complex128") @ got - np.eye(n)).max(axis=(-2, -1))
                assert np.all(off <= n * eps * sizes)
            singular = a.copy()
            singular[1, :, 7] = singular[1, 7] = 0
            got, info = linalg.inv_ex(tandem.tensor(singular))
            assert info.numpy().tolist() == [0, 8, 0]
            off = np.abs(a[2].astype("complex128") @ got.numpy()[2] - np.eye(n)).max()
            assert off <= n * eps * sizes[2]
    finally:
        tandem.set_num_threads(before)
