"""out= of rows with several results: a tuple of tensors, by the rules of every out=."""

# lint: oracle table
import inspect

import numpy as np
import threading

import pytest

import tandem as td
from conftest import same

# histogramdd has a list among its results, and no out= in PyTorch either.
ROWS = {row["name"]: row for row in td.op_rows() if "->" in row["schema"] and row["name"] != "histogramdd"}
# What a call has besides a matrix.
ARGUMENTS = {
    "topk": (2,),
    "kthvalue": (2,),
    "cummax": (1,),
    "cummin": (1,),
    "max": (1,),
    "min": (1,),
    "median": (1,),
    "nanmedian": (0,),
    "histogram": (4,),
    "linalg_solve_ex": (td.ones(4, 2),),
    "linalg_lstsq": (td.ones(4, 2),),
    "lu_unpack": (td.tensor([1, 2, 3, 4], dtype=td.int32),),
    "triangular_solve": (td.eye(4),),
}


@pytest.fixture
def x(rng):
    return td.tensor(rng.standard_normal((4, 5)).astype(np.float32)).refine_names("n", "c")


def function(name):
    place = td
    for part in ROWS[name]["python"].split("."):
        place = getattr(place, part)
    return place


def call(name, x, **keywords):
    if name == "histogram":
        x = x.rename(None)
    if name.startswith("linalg_") or name in ("lu_unpack", "triangular_solve"):  # a definite matrix
        x = td.matmul(x.rename(None), x.rename(None).t()).add(td.eye(4)).refine_names("n", "c")
    if name == "linalg_lstsq":
        keywords["driver"] = "gelsd"  # which has every result
    return function(name)(x, *ARGUMENTS.get(name, ()), **keywords)


def fresh(results, **options):
    return tuple(td.full(r.shape, 7, dtype=r.dtype, **options) for r in results)


@pytest.mark.parametrize("name", ROWS)
def test_every_row_with_several_results(name, x):
    expected = call(name, x)
    out = fresh(expected)
    got = call(name, x, out=out)
    assert all(g is o for g, o in zip(got, out, strict=True)) and type(got) in (type(expected), tuple)
    for o, e in zip(out, expected, strict=True):
        assert same(o, e) and o.names == e.names
    grown = [td.empty(0, dtype=e.dtype) for e in expected]
    call(name, x, out=grown)
    assert all(same(g, e) for g, e in zip(grown, expected, strict=True))
    strided = tuple(td.full((*e.shape, 2), 7, dtype=e.dtype)[..., 0] for e in expected)
    call(name, x, out=strided)
    assert all(same(s.contiguous(), e) for s, e in zip(strided, expected, strict=True))
    again = call(name, x, out=expected)  # a named tuple is a tuple
    assert all(a is e for a, e in zip(again, expected, strict=True))
    assert hasattr(td.Tensor, name) or "." in ROWS[name]["python"]
    assert "out" in inspect.signature(function(name)).parameters or "out=None" in function(name).__doc__


@pytest.mark.parametrize("name", ROWS)
def test_a_failed_call_changes_nothing(name, x):
    expected = call(name, x)
    last = len(expected) - 1

    def refused(error, match, replace):
        out = list(fresh(expected))
        out[last] = replace(out)
        before = [o.clone() for o in out if not o.is_meta]
        with pytest.raises(error, match=match):
            call(name, x, out=tuple(out))
        assert all(same(o, b) for o, b in zip([o for o in out if not o.is_meta], before, strict=True))

    shape, dtype = expected[last].shape, expected[last].dtype
    refused(td.ShapeError, f"\\[{name}\\] output with shape", lambda out: td.zeros(3, 3, 3, dtype=dtype))
    refused(TypeError, f"\\[{name}\\] result type", lambda out: td.zeros(shape, dtype=td.bool))
    refused(td.DeviceError, f"\\[{name}\\].*meta", lambda out: td.zeros(shape, dtype=dtype, device="meta"))
    if len(shape) > 0:
        refused(
            td.ShapeError, f"\\[{name}\\].*single memory", lambda out: td.zeros(1, dtype=dtype).expand(expected[last].shape)
        )
    if all(e.shape == shape for e in expected) and all(td.can_cast(e.dtype, td.complex64) for e in expected):
        one = td.full(shape, 7, dtype=td.complex64)
        with pytest.raises(td.ShapeError, match="memory of their own"):
            call(name, x, out=(one,) * len(expected))
        assert same(one, td.full(shape, 7, dtype=td.complex64))
        empty = td.empty(0, dtype=td.complex64)
        with pytest.raises(td.ShapeError, match="memory of their own"):
            call(name, x, out=(empty,) * len(expected))
    with pytest.raises(ValueError, match=f"expected {len(expected)} tensors, got 1"):
        call(name, x, out=expected[0].clone())
    with pytest.raises(TypeError, match="out to be a tensor or a tuple of tensors"):
        call(name, x, out=(expected[0], 3))
    with pytest.raises(TypeError, match="out to be a tensor or a tuple of tensors"):
        call(name, x, out=3)


def test_parts_of_one_memory_are_apart(x):
    memory = td.zeros(2, 5, dtype=td.int64)
    values, indices = td.max(x, 0, out=(memory.double()[0], memory[1]))
    assert same(indices, x.max(0).indices.rename(None)) or indices.names == ("c",)
    whole = td.zeros(2, 4, 5, dtype=td.float64)
    smallest, greatest = td.aminmax(x, dim=0, out=(whole[0, 0], whole[1, 0]))
    assert same(whole[0, 0].float(), x.amin(0).rename(None)) and same(whole[1, 0].float(), x.amax(0).rename(None))
    own = x.rename(None).clone()  # an input may be an output: the results are finished first
    expected = own.sort(1)
    td.sort(own, 1, out=(own, td.empty(0, dtype=td.int64)))
    assert same(own, expected.values)


def test_overloads_with_out(x):
    y = x.rename(None)
    out = td.empty(0)
    assert td.max(y, out=out) is out and out.item() == y.max().item()
    assert td.max(y, -y, out=td.empty(4, 5)).tolist() == td.maximum(y, -y).tolist()
    assert td.min(y, -y, out=td.empty(4, 5)).tolist() == td.minimum(y, -y).tolist()
    assert td.median(y, out=td.empty(())).item() == y.median().item()
    assert td.var(y, 1, out=td.empty(4)).tolist() == y.var(1).tolist()
    assert td.std(y, unbiased=False, out=td.empty(())).item() == y.std(unbiased=False).item()
    with pytest.raises(ValueError, match="expected 1 tensor, got 2"):
        td.max(y, out=(td.empty(4), td.empty(4)))
    with pytest.raises(TypeError, match="out to be a tensor, got tuple"):
        td.add(y, y, out=(td.empty(4, 5),))
    for call in (lambda o: td.max(y, 0, True, out=o), lambda o: td.max(y, dim=0, keepdim=True, out=o)):
        values, indices = call((td.empty(1, 5), td.empty(1, 5, dtype=td.int64)))
        assert same(values, y.amax(0, True)) and same(indices, y.argmax(0, True))
    meta = td.sort(y.to("meta"), out=(td.empty(0, device="meta"), td.empty(0, dtype=td.int64, device="meta")))
    assert meta.values.shape == meta.indices.shape == (4, 5)


# Rows of the modules with one result: a square definite matrix is a call of most of them.
SINGLE = {
    row["name"]: row
    for row in td.op_rows()
    if row["name"].startswith(("linalg_", "fft_"))
    and "->" not in row["schema"]
    and "(n:" not in row["schema"]
    and not row["view"]  # which gives memory of its input
}
MORE = {
    "linalg_matrix_power": lambda x: (3,),
    "linalg_householder_product": lambda x: (x[0],),
    "linalg_lu_solve": lambda x: (td.tensor([1, 2, 3, 4], dtype=td.int32), x),
    "linalg_solve": lambda x: (x,),
    "linalg_solve_triangular": lambda x: (x,),
    "linalg_tensorsolve": lambda x: (x[0],),
    "linalg_tensorinv": lambda x: (1,),
    "linalg_cross": lambda x: (x.flip(0),),
}


def single(name, x, **keywords):
    place = td
    for part in SINGLE[name]["python"].split("."):
        place = getattr(place, part)
    if name == "linalg_solve_triangular":
        keywords["upper"] = True
    first = [x, x] if name == "linalg_multi_dot" else x[:, :3] if name == "linalg_cross" else x
    return place(first, *MORE.get(name, lambda x: ())(first), **keywords)


@pytest.mark.parametrize("name", SINGLE)
def test_views_as_outputs_of_the_modules(name, rng):
    """Transposed, backwards in memory, in every second place, and over an input: the bits of a fresh output."""
    a = td.tensor(rng.standard_normal((4, 4)))
    x = a @ a.t() + 4 * td.eye(4, dtype=td.float64)
    expected = single(name, x)
    swapped = td.full_like(expected, 7).permute(list(range(expected.dim()))[::-1])
    backwards = td.full_like(expected, 7).flip(list(range(expected.dim())))
    spread = td.full((*expected.shape, 2), 7, dtype=expected.dtype)[..., 1]
    for out in (swapped, backwards, spread):
        if out.shape != expected.shape:  # a transpose of another shape
            continue
        strides = out.stride()
        assert single(name, x, out=out) is out and out.stride() == strides
        assert same(out.contiguous(), expected)
    if expected.shape == x.shape and expected.dtype is x.dtype:
        over = x.clone()
        try:
            single(name, over, out=over)
        except td.Error as e:  # refused is as good, if nothing was written
            assert "out" in str(e) or "overlap" in str(e)
            assert same(over, x)
        else:
            assert same(over, expected)


def test_out_of_a_sequence_that_makes_its_items_anew():
    class Fresh:
        def __init__(self):
            self.made = []

        def __len__(self):
            return 2

        def __getitem__(self, i):
            if i > 1:
                raise IndexError
            self.made.append(td.empty(3, dtype=[td.float32, td.int64][i]))
            return self.made[-1]

    outs = Fresh()
    values, index = td.sort(td.tensor([3.0, 1.0, 2.0]), out=outs)
    assert values.tolist() == [1, 2, 3] and index.tolist() == [1, 2, 0]
    assert values is outs.made[0] and index is outs.made[1] and len(outs.made) == 2


def test_out_of_a_list_that_changes_meanwhile():
    x = td.rand(300_000)
    expected = td.sort(x)
    for _ in range(5):
        outs = [td.empty(300_000), td.empty(300_000, dtype=td.int64)]
        thread = threading.Thread(target=outs.clear)
        thread.start()
        try:
            values, index = td.sort(x, out=outs)
        except (TypeError, ValueError):  # cleared before
            assert not outs
        else:
            assert (values == expected[0]).all() and (index == expected[1]).all()
        thread.join()
