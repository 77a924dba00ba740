"""lint: oracle table. Products of random shapes and strides, k = 0 and zero extents among them, into fresh outputs and into
views, against integer arithmetic: every partial sum is a small integer, so the results are equal, not close."""

import numpy as np
import pytest

import tandem as torch
from conftest import numpy_dtype, strided_integers, tensor_of

DTYPES = [torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.complex64, torch.complex128,
          torch.int8, torch.uint8, torch.int16, torch.int32, torch.int64, torch.uint16, torch.uint32, torch.uint64]  # fmt: skip
DEVICES = ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]


def size(rng):
    """Often small, sometimes none, sometimes over a tile; sums of at most 28 products of 3 and 3 stay below bfloat16's 256."""
    return int(rng.choice([0, 1, 2, 3, 5, 8, 17, 28], p=[0.08, 0.12, 0.1, 0.2, 0.15, 0.15, 0.1, 0.1]))


def batches(rng, count):
    """Batch shapes that broadcast with each other."""
    full = [int(rng.integers(1, 4)) for _ in range(int(rng.integers(0, 3)))]
    if full and rng.random() < 0.1:
        full[0] = 0
    shapes = []
    for _ in range(count):
        own = [1 if rng.random() < 0.25 else n for n in full]
        shapes.append(own[int(rng.integers(0, len(own) + 1)) :] if rng.random() < 0.3 else own)
    return shapes


# For each op the shapes of its tensors, and what it is of their values.


def matmul(rng):
    m, k, n = size(rng), size(rng), size(rng)
    a, b = batches(rng, 2)
    forms = [[[k], [k]], [[*a, m, k], [k]], [[k], [*b, k, n]], [[*a, m, k], [*b, k, n]]]
    return forms[int(rng.integers(0, 4))], torch.matmul, np.matmul


def mm(rng):
    m, k, n = size(rng), size(rng), size(rng)
    return [[m, k], [k, n]], torch.mm, np.matmul


def bmm(rng):
    b, m, k, n = int(rng.integers(0, 4)), size(rng), size(rng), size(rng)
    return [[b, m, k], [b, k, n]], torch.bmm, np.matmul


def mv(rng):
    m, k = size(rng), size(rng)
    return [[m, k], [k]], torch.mv, np.matmul


def dot(rng):
    k = size(rng)
    return [[k], [k]], torch.dot, np.dot


def vdot(rng):
    k = size(rng)
    return [[k], [k]], torch.vdot, np.vdot


def outer(rng):
    return [[size(rng)], [size(rng)]], torch.outer, np.outer


def kron(rng):
    small = lambda: [int(rng.integers(0, 4)) for _ in range(int(rng.integers(1, 4)))]
    return [small(), small()], torch.kron, np.kron


def cross(rng):
    n = int(rng.integers(0, 5))
    return [[n, 3], [n, 3]], lambda a, b, **out: torch.linalg.cross(a, b, dim=-1, **out), np.cross


def inner(rng):
    k = size(rng)
    return [[size(rng), k], [int(rng.integers(1, 4)), k]], torch.inner, np.inner


def tensordot(rng):
    k, l = int(rng.integers(0, 5)), int(rng.integers(1, 5))
    dims = ([0, 2], [1, 0])
    shapes = [[k, int(rng.integers(0, 4)), l], [l, k, int(rng.integers(1, 4))]]
    return shapes, lambda a, b, **out: torch.tensordot(a, b, dims=dims, **out), lambda a, b: np.tensordot(a, b, dims)


def added(name, shapes, product, alpha, beta):
    function = getattr(torch, name)
    return (
        shapes,
        lambda c, a, b, **out: function(c, a, b, alpha=alpha, beta=beta, **out),
        lambda c, a, b: beta * np.broadcast_to(c, product(a, b).shape) + alpha * product(a, b),
    )


def addmm(rng):
    m, k, n = size(rng), size(rng), size(rng)
    c = [[m, n], [n], [1, n], [m, 1], [1]][int(rng.integers(0, 5))]
    return added("addmm", [c, [m, k], [k, n]], np.matmul, int(rng.integers(0, 3)), int(rng.integers(0, 3)))


def addmv(rng):
    m, k = size(rng), size(rng)
    return added("addmv", [[[m], [1]][int(rng.integers(0, 2))], [m, k], [k]], np.matmul, 2, int(rng.integers(0, 2)))


def addr(rng):
    m, n = size(rng), size(rng)
    return added("addr", [[m, n], [m], [n]], np.outer, int(rng.integers(0, 3)), int(rng.integers(0, 3)))


def baddbmm(rng):
    b, m, k, n = int(rng.integers(0, 4)), size(rng), size(rng), size(rng)
    c = [[b, m, n], [m, n], [n], [b, 1, n]][int(rng.integers(0, 4))]
    return added("baddbmm", [c, [b, m, k], [b, k, n]], np.matmul, int(rng.integers(0, 3)), int(rng.integers(0, 3)))


def addbmm(rng):
    b, m, k, n = int(rng.integers(0, 3)), size(rng), int(rng.integers(0, 9)), size(rng)
    return added("addbmm", [[m, n], [b, m, k], [b, k, n]], lambda x, y: np.matmul(x, y).sum(0), 1, int(rng.integers(0, 3)))


def linear(rng):
    (batch,) = batches(rng, 1)
    k, n = size(rng), size(rng)
    return (
        [[*batch, k], [n, k], [n]],
        torch.linear,
        lambda x, w, bias: np.matmul(x, w.T) + bias,
    )


OPS = [matmul, mm, bmm, mv, dot, vdot, outer, kron, cross, inner, tensordot, addmm, addmv, addr, baddbmm, addbmm, linear]


def exact(arrays, dtype):
    """The values in a dtype of NumPy's in which no sum is rounded."""
    return [a.astype(np.complex128 if dtype.is_complex else np.int64) for a in arrays]


def in_dtype(want, dtype):
    """Integers wrap around; the rest holds the values as they are."""
    if dtype.is_complex or dtype.is_floating_point:
        return want
    own = numpy_dtype(dtype)
    return np.asarray(want).astype(own).astype(own if own.itemsize == 8 else np.int64)


def output_view(rng, shape, dtype, device):
    """A tensor of the shape whose axes lie in memory in any order, some backwards."""
    order = [int(d) for d in rng.permutation(len(shape))]
    out = torch.empty([shape[d] for d in order], dtype=dtype, device=device).permute([int(i) for i in np.argsort(order)])
    dims = [d for d in range(len(shape)) if rng.random() < 0.25]
    return out.flip(dims) if dims else out


def check(op, seed, device):
    rng = np.random.default_rng(seed)
    dtype = DTYPES[seed % len(DTYPES)]
    shapes, ours, reference = op(rng)
    base = np.complex64 if dtype.is_complex else np.uint8 if not (dtype.is_floating_point or dtype.is_signed) else np.int8
    arrays = [strided_integers(rng, s, base) for s in shapes]
    tensors = [tensor_of(a) for a in arrays]
    # `to` keeps the order of the axes in memory; a step and a direction come back by views of the result.
    tensors = [restride(rng, t.to(dtype).to(device)) for t in tensors]
    want = in_dtype(reference(*exact(arrays, dtype)), dtype)
    what = f"{op.__name__} {dtype} {shapes}"
    got = ours(*tensors)
    assert got.dtype is dtype and tuple(got.shape) == np.shape(want), what
    np.testing.assert_array_equal(values(got, dtype), want, err_msg=what)
    if op is linear:
        return
    out = output_view(rng, list(got.shape), dtype, device)
    strides = out.stride()
    assert ours(*tensors, out=out) is out and out.stride() == strides, what
    np.testing.assert_array_equal(values(out, dtype), want, err_msg=what + " out")


def restride(rng, t):
    """The same values in every second element of a longer last axis, or backwards in memory."""
    kind = rng.integers(0, 4)
    if t.dim() == 0 or kind < 2:
        return t
    if kind == 2:
        return torch.stack([t, t], -1).flatten(-2)[..., ::2] if t.numel() else t
    return t.flip(-1).clone().flip(-1)


def values(t, dtype):
    t = t.cpu()
    if dtype.is_complex:
        return t.to(torch.complex128).numpy()
    if dtype.is_floating_point:
        return t.to(torch.float64).numpy()
    return t.numpy() if dtype.itemsize == 8 else t.to(torch.int64).numpy()


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("op", OPS, ids=lambda op: op.__name__)
def test_small_integers_are_exact(op, device):
    for seed in range(70):
        check(op, seed, device)
