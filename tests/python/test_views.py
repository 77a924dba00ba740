# Views against NumPy, in PyTorch's call forms.
import numpy as np
import pytest

import tandem as td
from conftest import same

ARRAY = np.arange(2 * 3 * 4).reshape(2, 3, 4)


def tensor():
    return td.from_numpy(ARRAY)


@pytest.mark.parametrize(
    "view, expected",
    [
        (lambda t: t.transpose(0, 2), ARRAY.transpose(2, 1, 0)),
        (lambda t: td.transpose(t, 0, -1), ARRAY.transpose(2, 1, 0)),
        (lambda t: t.transpose(dim0=0, dim1=1), ARRAY.transpose(1, 0, 2)),
        (lambda t: t.permute(2, 0, 1), ARRAY.transpose(2, 0, 1)),
        (lambda t: t.permute((2, 0, 1)), ARRAY.transpose(2, 0, 1)),
        (lambda t: td.permute(t, dims=[2, 0, 1]), ARRAY.transpose(2, 0, 1)),
        (lambda t: t.movedim(0, 2), np.moveaxis(ARRAY, 0, 2)),
        (lambda t: t.movedim((0, 1), (1, 2)), np.moveaxis(ARRAY, (0, 1), (1, 2))),
        (lambda t: t.reshape(6, 4), ARRAY.reshape(6, 4)),
        (lambda t: t.reshape((6, -1)), ARRAY.reshape(6, 4)),
        (lambda t: td.reshape(t, (-1,)), ARRAY.reshape(-1)),
        (lambda t: t.view(4, 6), ARRAY.reshape(4, 6)),
        (lambda t: t.view(-1), ARRAY.reshape(-1)),
        (lambda t: t.view(td.Size([24])), ARRAY.reshape(-1)),
        (lambda t: t.view_as(td.zeros(4, 6)), ARRAY.reshape(4, 6)),
        (lambda t: t[0].t(), ARRAY[0].T),
        (lambda t: t.unsqueeze(0), ARRAY[None]),
        (lambda t: t.unsqueeze(-1), ARRAY[..., None]),
        (lambda t: t.unsqueeze(1).squeeze(), ARRAY),
        (lambda t: t.unsqueeze(1).squeeze(1), ARRAY),
        (lambda t: t.squeeze(1), ARRAY),
        (lambda t: t[:, :1].expand(2, 3, 4), np.broadcast_to(ARRAY[:, :1], (2, 3, 4))),
        (lambda t: t[:, :1].expand(-1, 3, -1), np.broadcast_to(ARRAY[:, :1], (2, 3, 4))),
        (lambda t: td.broadcast_to(t[0], (5, 3, 4)), np.broadcast_to(ARRAY[0], (5, 3, 4))),
        (lambda t: t[:, :1].expand_as(t), np.broadcast_to(ARRAY[:, :1], (2, 3, 4))),
        (lambda t: t.diagonal(), np.diagonal(ARRAY)),
        (lambda t: t.diagonal(1, 1, 2), np.diagonal(ARRAY, 1, 1, 2)),
        (lambda t: t.diagonal(offset=-1, dim1=2, dim2=1), np.diagonal(ARRAY, -1, 2, 1)),
        (lambda t: t.unfold(2, 2, 1), np.lib.stride_tricks.sliding_window_view(ARRAY, 2, axis=2)),
        (lambda t: t.select(1, 2), ARRAY[:, 2]),
        (lambda t: t.narrow(2, 1, 2), ARRAY[:, :, 1:3]),
        (lambda t: t.flatten(), ARRAY.reshape(-1)),
        (lambda t: t.flatten(1), ARRAY.reshape(2, 12)),
        (lambda t: t.unflatten(2, (2, 2)), ARRAY.reshape(2, 3, 2, 2)),
        (lambda t: t.unflatten(-1, (-1, 2)), ARRAY.reshape(2, 3, 2, 2)),
        (lambda t: t.as_strided((2, 2), (4, 1), 1), np.lib.stride_tricks.as_strided(ARRAY.reshape(-1)[1:], (2, 2), (32, 8))),
        (lambda t: t.T, ARRAY.T),
        (lambda t: t.mT, ARRAY.swapaxes(-1, -2)),
    ],
)
def test_views_share_memory_and_equal_numpys(view, expected):
    t = tensor()
    v = view(t)
    assert v.shape == expected.shape and v.tolist() == expected.tolist()
    assert v.storage() is t.storage()


def test_lists_of_views():
    t = tensor()
    assert [p.tolist() for p in t.unbind(1)] == [ARRAY[:, i].tolist() for i in range(3)]
    assert [p.shape for p in t.split(2, 2)] == [(2, 3, 2)] * 2
    assert [p.shape for p in td.split(t, 2, dim=1)] == [(2, 2, 4), (2, 1, 4)]
    assert [p.shape for p in t.split([1, 3], dim=2)] == [(2, 3, 1), (2, 3, 3)]
    assert [p.shape for p in td.arange(5).chunk(4)] == [(2,), (2,), (1,)]
    assert isinstance(t.split(2, 2), tuple) and isinstance(t.unbind(), tuple)
    with pytest.raises(RuntimeError):
        t.split([1, 2], dim=2)


def test_contiguous_and_clone():
    t = tensor()
    turned = t.transpose(0, 2)
    assert t.contiguous() is t and t.is_contiguous() and not turned.is_contiguous()
    dense = turned.contiguous()
    assert dense.stride() == (6, 2, 1) and same(dense, turned) and dense.storage() is not t.storage()
    assert turned.clone().stride() == turned.stride()
    assert turned.reshape(-1).tolist() == ARRAY.transpose(2, 1, 0).reshape(-1).tolist()
    with pytest.raises(RuntimeError, match="reshape"):
        turned.view(-1)


def test_bytes_as_another_dtype():
    t = td.tensor([1.0, -2.0])
    assert t.view(td.int32).tolist() == np.array([1.0, -2.0], np.float32).view(np.int32).tolist()
    assert t.view(td.uint8).shape == (8,) and t.view(td.uint8).view(td.float32).tolist() == [1, -2]
    with pytest.raises(RuntimeError):
        td.zeros(3, dtype=td.uint8).view(td.float32)


@pytest.mark.parametrize(
    "call, error",
    [
        (lambda t: t.transpose(0, 3), IndexError),
        (lambda t: t.permute(0, 1), RuntimeError),
        (lambda t: t.permute(0, 0, 1), RuntimeError),
        (lambda t: t.view(5, 5), RuntimeError),
        (lambda t: t.view(-1, -1), RuntimeError),
        (lambda t: t.t(), RuntimeError),
        (lambda t: t.unsqueeze(4), IndexError),
        (lambda t: t.expand(2, 3, 5), RuntimeError),
        (lambda t: t.narrow(0, 1, 2), RuntimeError),
        (lambda t: t.select(0, 2), IndexError),
        (lambda t: t.reshape("a"), TypeError),
        (lambda t: t.transpose(0), TypeError),
        (lambda t: t.transpose(0.5, 1), TypeError),
        (lambda t: t.permute(), TypeError),
    ],
)
def test_wrong_arguments(call, error):
    with pytest.raises(error) as caught:
        call(tensor())
    assert isinstance(caught.value, td.Error)
