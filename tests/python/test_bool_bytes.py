# Memory of bool that holds other bytes than 0 and 1: from buffers, views and other libraries. Every row of the table is
# walked in tests/parity/bool_bytes_test.cpp; here is where such memory comes from and how single elements leave.
import numpy as np
import pytest

import tandem as td

BYTES = [0, 1, 2, 3, 128, 255, 0]
TRUTH = [b != 0 for b in BYTES]


def from_a_view():
    return td.tensor(BYTES, dtype=td.uint8).view(td.bool)


def from_a_buffer():
    return td.frombuffer(bytearray(BYTES), dtype=td.bool)


def from_numpy():
    return td.from_numpy(np.array(BYTES, dtype=np.uint8).view(np.bool_))


def from_dlpack():
    return td.from_dlpack(np.array(BYTES, dtype=np.uint8).view(np.bool_))


@pytest.mark.parametrize("make", [from_a_view, from_a_buffer, from_numpy, from_dlpack])
def test_every_byte_but_zero_is_true(make):
    x = make()
    assert x.tolist() == TRUTH and [bool(e) for e in x] == TRUTH and [e.item() for e in x] == TRUTH
    assert [int(e) for e in x] == [int(t) for t in TRUTH] and str(x) == str(td.tensor(TRUTH))
    assert x.sum().item() == td.count_nonzero(x).item() == td.cat([x, x]).sum().item() // 2 == sum(TRUTH)
    assert x.int().tolist() == x.cumsum(0).diff(prepend=td.tensor([0])).tolist() == [int(t) for t in TRUTH]
    assert x.float().mean().item() == pytest.approx(sum(TRUTH) / len(TRUTH))
    assert x.argmax().item() == 1 and x.argmin().item() == 0 and (x == True).tolist() == TRUTH  # noqa: E712
    assert x.any().item() and not x.all().item() and x[1:6].all().item()
    assert x.unique().tolist() == [False, True] and td.bincount(x.int()).tolist() == [2, 5]
    numbers = td.arange(7)
    chosen = [i for i, t in enumerate(TRUTH) if t]
    assert numbers[x].tolist() == td.masked_select(numbers, x).tolist() == x.nonzero().flatten().tolist() == chosen
    assert td.where(x, numbers, -1).tolist() == [i if t else -1 for i, t in enumerate(TRUTH)]
    assert (x & x).tolist() == (x | x).tolist() == (~~x).tolist() == TRUTH and (x ^ td.tensor([True] * 7)).tolist() == [not t for t in TRUTH]
    values, order = x.sort()
    assert values.tolist() == sorted(TRUTH) and order.tolist() == [0, 6, 1, 2, 3, 4, 5]
    assert td.equal(x, td.tensor(TRUTH))
    td.testing.assert_close(x, td.tensor(TRUTH))


def test_what_computes_gives_zeros_and_ones():
    x = from_a_view()
    for y in (x | x, x & x, ~~x, td.where(x, x, x), x == x, x.logical_not().logical_not()):
        assert set(y.view(td.uint8).tolist()) <= {0, 1}


def test_files_hold_zeros_and_ones(tmp_path):
    h5py = pytest.importorskip("h5py")
    td.save_hdf5(tmp_path / "a.h5", {"x": from_a_view()})
    with h5py.File(tmp_path / "a.h5") as f:
        assert f["x"][:].view(np.uint8).tolist() == [int(t) for t in TRUTH]


def test_kernels_from_source(tmp_path, monkeypatch):
    monkeypatch.setenv("TANDEM_CACHE_DIR", str(tmp_path))
    f = td.elementwise_kernel("int number(bool x) { return int(x); }", result=td.int32)
    assert f(from_a_view()).tolist() == f(td.tensor([[b] * 7 for b in BYTES], dtype=td.uint8).view(td.bool).t())[0].tolist() == [int(t) for t in TRUTH]
