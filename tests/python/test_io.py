# tandem.io: HDF5 files that h5py reads, partial reads, pictures.
import pathlib

import h5py
import numpy as np
import pytest

import tandem as td
from conftest import same, short


@pytest.mark.parametrize("dtype", td.dtypes, ids=short)
def test_every_dtype_comes_back(dtype, tmp_path):
    t = td.tensor([[0, 1, 2], [3, 4, 5]], dtype=dtype)
    td.io.save_hdf5(tmp_path / "a.h5", t)
    back = td.io.load_hdf5(tmp_path / "a.h5")
    assert back.dtype is dtype and back.tolist() == t.tolist()


def test_names_and_partial_reads(tmp_path):
    path = tmp_path / "a.h5"
    t = td.arange(2 * 3 * 4).reshape(2, 3, 4).refine_names("c", "h", "w")
    td.io.save_hdf5(path, {"image": t, "group/weights": td.ones(2, names=["c"])}, gzip=4)
    assert same(td.io.load_hdf5(path, "image"), t) and td.io.load_hdf5(path, "image").names == t.names
    part = td.io.load_hdf5(str(path), "image", (0, slice(None, None, -1), slice(1, 3)))
    assert same(part, t[0, ::-1, 1:3]) and part.names == ("h", "w")
    assert td.io.load_hdf5(path, "image", 1).shape == (3, 4)
    picked = td.io.load_hdf5(path, "image", (slice(1, None), [2, 0], td.tensor([True, False, True, False])))
    assert same(picked, t[1:, [2, 0], [0, 2]])
    entries = {e["name"]: e for e in td.io.list_hdf5(path)}
    assert set(entries) == {"image", "group/weights"}
    assert entries["image"]["shape"] == (2, 3, 4) and entries["image"]["dtype"] is td.int64
    assert entries["image"]["names"] == ("c", "h", "w")
    loaded = td.io.load_all_hdf5(path)
    assert set(loaded) == set(entries) and loaded["group/weights"].names == ("c",)
    with h5py.File(path) as f:
        assert f["image"].shape == (2, 3, 4) and [d.label for d in f["image"].dims] == ["c", "h", "w"]
        np.testing.assert_array_equal(f["image"][...], t.numpy())


def test_files_of_h5py(tmp_path):
    path = tmp_path / "b.h5"
    with h5py.File(path, "w") as f:
        f.create_dataset("coords", data=np.arange(6.0).reshape(3, 2))
    assert td.io.load_hdf5(path).tolist() == [[0, 1], [2, 3], [4, 5]]


def test_bad_files(tmp_path):
    with pytest.raises(OSError, match="missing.h5") as caught:
        td.io.load_hdf5(tmp_path / "missing.h5")
    assert isinstance(caught.value, td.FileError)
    (tmp_path / "no.h5").write_text("this is no HDF5")
    with pytest.raises(OSError):
        td.io.load_hdf5(tmp_path / "no.h5")
    with pytest.raises(TypeError):
        td.io.save_hdf5(tmp_path / "x.h5", [1, 2])
    with pytest.raises(TypeError):
        td.io.save_hdf5(tmp_path / "x.h5", {"a": 1})
    with pytest.raises(TypeError):
        td.io.load_hdf5(3)
    assert not (tmp_path / "x.h5").exists()


def test_pictures(tmp_path):
    t = td.tensor([[[255, 0, 0], [0, 255, 0]], [[0, 0, 255], [9, 9, 9]]], dtype=td.uint8)
    td.io.write_image(tmp_path / "a.png", t)
    back = td.io.read_image(tmp_path / "a.png")
    assert back.tolist() == t.tolist() and back.dtype is td.uint8 and len(back.names) == 3 and back.has_names()
    td.io.write_jpeg(tmp_path / "a.jpg", t, quality=100)
    assert td.io.read_image(tmp_path / "a.jpg").shape == (2, 2, 3)
    photo = next((pathlib.Path(__file__).parents[2] / "docs" / "photo").glob("*.jpg"))
    picture = td.io.read_image(photo)
    assert picture.shape[2] == 3 and picture.shape[0] * picture.shape[1] >= 1_000_000
