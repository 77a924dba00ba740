# Tensors over read-only memory: every method that writes refuses, by whatever arguments, and nothing changes.
import numpy as np
import pytest

import tandem as td

F = td.ones(3, 3, dtype=td.float64)
ROW = td.ones(1, 3, dtype=td.float64)
VECTOR = td.ones(3, dtype=td.float64)
BATCH = td.ones(2, 3, 3, dtype=td.float64)
MASK = td.ones(3, 3, dtype=td.bool)
FIRST, FIRST_ROW = td.tensor([0]), td.zeros(1, 3, dtype=td.int64)
# Each in-place method takes one of these.
ARGUMENTS = [
    (),
    (0,),
    (2,),
    (0.5,),
    (F,),
    (td.ones(3, 3, dtype=td.int64),),
    (0.1, 0.9),
    (F, F),
    (F, VECTOR),
    (1, 0, 2.0),
    (BATCH, BATCH),
    (VECTOR, VECTOR),
    (MASK, 2.0),
    (MASK, F),
    (0, FIRST, ROW),
    (0, FIRST, ROW, "mean"),
    (0, FIRST, 2.0),
    (0, FIRST_ROW, ROW),
    (0, FIRST_ROW, 1.0),
    (0, FIRST_ROW, ROW, "sum"),
    ((FIRST,), td.tensor(1.0, dtype=td.float64)),
    (FIRST, td.ones(1, dtype=td.float64)),
]
VALUES = [
    np.arange(1, 10, dtype=np.float64).reshape(3, 3) / 10,
    np.arange(1, 10).reshape(3, 3),
    np.eye(3, dtype=bool),
    np.arange(1, 10).reshape(3, 3) * (1 + 1j),
    np.arange(1, 4, dtype=np.float64),
    np.ones((2, 3, 3)),
]
# They change what the tensor is a view of, not the memory.
VIEWS = {"rename", *(n for row in td.op_rows() if row["view"] for n in (row["name"], *row["aliases"]))}
IN_PLACE = [n for n in dir(td.Tensor) if n.endswith("_") and not n.endswith("__") and n[:-1] not in VIEWS]


def read_only(values):
    values = np.array(values)
    values.flags.writeable = False
    return values, td.from_numpy(values)


def refuses(call):
    """Whether the call is refused because of the memory, not for its arguments."""
    try:
        call()
    except ValueError as e:
        return "read-only" in str(e)
    except (TypeError, RuntimeError, IndexError):
        return False
    return False


@pytest.mark.parametrize("name", IN_PLACE)
def test_every_method_in_place(name):
    refused = 0
    for before in VALUES:
        for arguments in ARGUMENTS:
            values, t = read_only(before)
            refused += refuses(lambda: getattr(t, name)(*arguments))
            np.testing.assert_array_equal(values, before)
    assert refused, "no argument list fits the method: add one"


OPERATORS = "add sub mul truediv floordiv mod pow and or xor lshift rshift".split()


@pytest.mark.parametrize("name", OPERATORS)
def test_operators_in_place(name):
    refused = 0
    for before in VALUES:
        values, t = read_only(before)
        refused += refuses(lambda: getattr(t, f"__i{name}__")(td.ones_like(t)))
        np.testing.assert_array_equal(values, before)
    assert refused


@pytest.mark.parametrize(
    "write",
    [
        lambda t: t.__setitem__(0, 1),
        lambda t: t.__setitem__(..., F),
        lambda t: t.__setitem__((slice(None), 1), VECTOR),
        lambda t: t.__setitem__(FIRST, 1),
        lambda t: t.__setitem__(MASK, 1),
        lambda t: t.T.__setitem__(0, 1),
        lambda t: t.view(9).fill_(1),
        lambda t: t[::-1].zero_(),
        lambda t: t.storage().__setitem__(0, 1),
        lambda t: t.storage().__setitem__(slice(None), 1),
        lambda t: td.add(F, F, out=t),
        lambda t: td.matmul(F, F, out=t),
        lambda t: td.sum(BATCH, 0, out=t),
        lambda t: td.cumsum(F, 0, out=t),
        lambda t: td.sort(F, out=(t, td.zeros(3, 3, dtype=td.int64))),
        lambda t: td.cat([ROW, ROW, ROW], out=t),
        lambda t: td.linalg.inv(F + td.eye(3, dtype=td.float64), out=t),
    ],
)
def test_other_ways_to_write(write):
    values, t = read_only(VALUES[0])
    with pytest.raises(ValueError, match="read-only"):
        write(t)
    np.testing.assert_array_equal(values, VALUES[0])


def test_the_message_names_the_op_and_the_way_out():
    _, t = read_only(VALUES[0])
    with pytest.raises(ValueError, match=r"^\[mul\] .*read-only memory; clone\(\) makes a copy$"):
        t.mul_(2)


def test_views_of_it_may_change_their_shape():
    values, t = read_only(VALUES[0])
    t.t_()
    assert t.tolist() == values.T.tolist() and t.rename_("a", "b").names == ("a", "b")
