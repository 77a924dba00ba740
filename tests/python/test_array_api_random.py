"""tandem.array_api against array-api-strict on random calls: shapes of 0 to 4 dimensions, empty ones too, slices of either
direction, axes and keywords drawn from a seed."""

# lint: oracle table
import numpy as np
import pytest

from test_array_api import compare, values
from test_catalogue import DTYPES

ROUNDS = 60


def shape_of(rng, least=0, most=4):
    count = rng.integers(least, most, endpoint=True)
    return tuple(int(n) for n in rng.choice(5, size=count, p=[0.1, 0.2, 0.3, 0.3, 0.1]))


def axis_of(rng, n):
    return int(rng.integers(-n, n))


def axes_of(rng, n):
    """None, an axis, or several, which may be none."""
    some = tuple(int(a) - n * int(rng.integers(2)) for a in rng.permutation(n)[: rng.integers(0, n, endpoint=True)])
    return [None, some, some, axis_of(rng, n) if n else None][rng.integers(4)]


def slices(rng, n):
    """Text of an index: slices with steps of either sign."""
    chosen = [str(s) for s in rng.choice(["::-1", "::2", ":", "::-2"], size=n)]
    return f"[{', '.join(chosen)}]" if n and rng.random() < 0.6 else ""


def reduction(rng, x):
    word = rng.choice(["sum", "prod", "max", "min", "mean", "std", "var", "any", "all", "count_nonzero"])
    return f"xp.{word}(x, axis={axes_of(rng, x.ndim)}, keepdims={bool(rng.integers(2))})"


def place(rng, x):
    axis = axis_of(rng, x.ndim) if x.ndim and rng.random() < 0.8 else None
    return f"xp.{rng.choice(['argmax', 'argmin'])}(x, axis={axis}, keepdims={bool(rng.integers(2))})"


def along(rng, x):
    axis = axis_of(rng, x.ndim)
    yes = bool(rng.integers(2))
    return rng.choice(
        [
            f"xp.sort(x, axis={axis}, descending={yes})",
            f"xp.argsort(x, axis={axis}, descending={yes})",
            f"xp.cumulative_sum(x, axis={axis}, include_initial={yes})",
            f"xp.cumulative_prod(x, axis={axis}, include_initial={yes})",
            f"xp.diff(x, axis={axis}, n={rng.integers(1, 3)})",
            f"xp.flip(x, axis={axis})",
            f"xp.roll(x, {rng.integers(-5, 6)}, axis={axis})",
            f"xp.unstack(x, axis={axis})",
            f"xp.repeat(x, {rng.integers(0, 4)}, axis={axis})",
            f"xp.concat([x, x, x], axis={axis})",
            f"xp.squeeze(x, {axis})",
            f"xp.fft.fft(x, axis={axis}, n={rng.integers(1, 7)})",
            f"xp.fft.rfft(x, axis={axis})",
            f"xp.fft.irfft(x, axis={axis}, norm='ortho')",
            f"xp.fft.fftshift(x, axes={axis})",
            f"xp.vecdot(x, x, axis={axis})",
            f"xp.take(x, xp.asarray([0, -1, 0][:{3 * x.shape[axis]}], dtype=xp.int32, device=x.device), axis={axis})",
        ]
    )


def arrangement(rng, x):
    order = tuple(int(a) for a in rng.permutation(x.ndim))
    new = axis_of(rng, x.ndim + 1)
    return rng.choice(
        [
            f"xp.flip(x, axis={axes_of(rng, x.ndim)})",
            f"xp.permute_dims(x, {order})",
            f"xp.expand_dims(x, axis={new})",
            f"xp.stack([x, x], axis={new})",
            "xp.reshape(x, (-1,))" if x.size else "xp.reshape(x, (0,))",
            f"xp.tile(x, {shape_of(rng, 0, 3)})",
            f"xp.broadcast_to(x, {shape_of(rng, 0, 2) + x.shape})",
            "xp.concat([x, x[..., None]], axis=None)",
            f"xp.roll(x, {rng.integers(-5, 6)})",
            f"xp.repeat(x, {rng.integers(0, 4)})",
            "xp.nonzero(x)",
            "xp.unique_all(x)",
            "xp.astype(x, xp.float64)",
            "xp.matrix_transpose(x)",
            f"xp.tril(x, k={rng.integers(-3, 4)})",
            f"xp.triu(x, k={rng.integers(-3, 4)})",
            "xp.linalg.diagonal(x)",
            "xp.linalg.vector_norm(x)",
            f"xp.moveaxis(x, {axis_of(rng, x.ndim)}, {axis_of(rng, x.ndim)})" if x.ndim else "xp.expand_dims(x, axis=0)",
        ]
    )


def two(rng, x):
    word = rng.choice(["add", "multiply", "equal", "maximum", "less", "copysign", "bitwise_and", "matmul", "where", "outer"])
    if word == "outer":
        return "xp.linalg.outer(x, y)"
    return "xp.where(y == y, x, y)" if word == "where" else f"xp.{word}(x, y)"


@pytest.mark.parametrize("draw", [reduction, place, along, arrangement, two])
@pytest.mark.parametrize("dtype", DTYPES)
def test_random_calls(draw, dtype):
    rng = np.random.default_rng([20240817, DTYPES.index(dtype), len(draw.__name__)])
    ran = 0
    for _ in range(ROUNDS):
        x = values(dtype, shape_of(rng, least=int(draw is along)), int(rng.integers(9)))
        y = values(dtype, x.shape[int(rng.integers(0, x.ndim + 1)) :] if rng.random() < 0.8 else shape_of(rng), 3)
        index = slices(rng, x.ndim)
        text = draw(rng, x[eval(f"np.s_{index}")] if index else x)
        text = text.replace("(x", f"(x{index}", 1).replace("[x", f"[x{index}", 1) if index else text
        ran += compare(text, {"x": x, "y": y})
    assert ran > 5 or dtype == "bool" or draw is place
