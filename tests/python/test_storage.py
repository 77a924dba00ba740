# Storages: one object each, element access, sharing.
import gc
import threading

import pytest

import tandem as td


def points():
    return td.tensor([[4.0, 1.0], [5.0, 3.0], [2.0, 1.0]])


def test_elements():
    p = points()
    s = p.storage()
    assert len(s) == s.size() == 6 and s[0] == 4.0 and s[-1] == 1.0
    assert list(s) == s.tolist() == [4, 1, 5, 3, 2, 1]
    assert repr(s) == " 4.0\n 1.0\n 5.0\n 3.0\n 2.0\n 1.0\n[tandem.FloatStorage of size 6]"
    s[0] = 2.0
    assert p[0, 0].item() == 2.0
    s[1:3] = 9
    assert p.tolist() == [[2, 9], [9, 3], [2, 1]]
    assert (s.dtype, s.device, s.element_size(), s.nbytes()) == (td.float32, td.device("cpu"), 4, 24)
    assert td.is_storage(s) and not td.is_storage(p)
    for bad in (6, -7):
        with pytest.raises(IndexError, match=f"index {bad} out of range for storage of size 6"):
            s[bad]
    with pytest.raises(TypeError):
        s[0:2]
    with pytest.raises(TypeError):
        s[0] = "x"


def test_titles_come_from_the_dtype():
    for dtype in td.dtypes:
        assert repr(td.zeros(0, dtype=dtype).storage()).endswith("Storage of size 0]")
    assert "LongStorage" in repr(td.zeros(1, dtype=td.int64).storage())


def test_one_object_a_storage():
    p = points()
    assert id(p.storage()) == id(p.t().storage())
    held = p.storage()
    assert held is p[1].storage() and held is p.storage()
    known = id(held)
    del held
    gc.collect()
    filler = [td.ones(2).storage() for _ in range(50)]
    assert id(p.storage()) == known and len(filler) == 50
    assert p.clone().storage() is not p.storage()
    assert p.storage().data_ptr() == p.t().storage().data_ptr() == p.data_ptr()


def test_a_storage_outlives_its_tensors():
    p = points()
    s = p.storage()
    del p
    gc.collect()
    filler = [td.zeros(6) for _ in range(10)]
    assert s.tolist() == [4, 1, 5, 3, 2, 1] and len(filler) == 10


def test_objects_come_and_go_without_end():
    p = points()
    for _ in range(10_000):
        p.storage()
    for _ in range(10_000):
        points().storage()
    held = [points().storage() for _ in range(100)]
    assert all(s.tolist()[0] == 4 for s in held)


def test_the_last_tensor_may_go_on_another_thread():
    for _ in range(100):
        box = [points()]
        box[0].storage()
        thread = threading.Thread(target=box.clear)
        thread.start()
        thread.join()


def test_views_share_and_copies_do_not():
    p = points()
    row = p[1]
    assert row.storage_offset() == 2 and len(row.storage()) == 6
    row[0] = 10.0
    assert p[1, 0].item() == 10.0
    copy = p[1].clone()
    copy[0] = 99.0
    assert p[1, 0].item() == 10.0 and len(copy.storage()) == 2
    assert row._base is not None and p._base is None


def test_no_storage_on_meta():
    s = td.zeros(3, device="meta").storage()
    assert len(s) == 3
    with pytest.raises(NotImplementedError, match="meta"):
        s[0]
