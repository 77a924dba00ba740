"""examples/photo.py, as a program: what it computes beside NumPy, with matplotlib (headless) and without."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import tandem as td
from tandem import io

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples/photo.py"
PHOTO = ROOT / "docs/photo/dandelions.jpg"
REACH = 24

pytestmark = pytest.mark.skipif(not PHOTO.exists(), reason="the photograph is not here")


def run(folder, photo, start=""):
    """The program's output; its results are in folder. `start` is run first."""
    environment = dict(os.environ, OUT=str(folder), PHOTO=str(photo), DEVICE="cpu", MPLBACKEND="Agg")
    environment["TANDEM_CACHE_DIR"] = str(folder / "kernels")
    (folder / "kernels").mkdir(mode=0o700)
    program = f"{start}\nimport runpy\nrunpy.run_path({str(EXAMPLE)!r}, run_name='__main__')"
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photo")
    text = run(folder, PHOTO)
    names = ("luma", "histogram", "crop", "around", "toned")
    arrays = {name: io.load_hdf5(folder / "photo.h5", name).rename(None).numpy() for name in names}
    yield arrays, io.read_image(folder / "photo.png").rename(None).numpy(), text
    (folder / "photo.h5").unlink()  # 76 MB


def test_luma_and_histogram(results):
    arrays, _, _ = results
    photo = io.read_image(PHOTO).rename(None).numpy()
    luma = arrays["luma"]
    assert luma.shape == photo.shape[:2] == (2988, 5312) and luma.dtype == np.float32
    error = 0
    for rows in range(0, len(photo), 256):  # a band at a time, for memory
        expected = photo[rows : rows + 256] / 255 @ np.array([0.2126, 0.7152, 0.0722])
        error = max(error, np.abs(luma[rows : rows + 256] - expected).max())
    # Three weights, three products and two sums of float32, of numbers up to 1, each rounded; and the pixels.
    assert error <= 9 * 2**-24
    counts = arrays["histogram"]
    assert counts.sum() == luma.size
    exact = np.bincount(np.minimum((luma * np.float32(64)).astype(int), 63).ravel(), minlength=64)
    assert (counts == exact).all()


def test_crop_and_blur(results):
    arrays, _, _ = results
    crop = arrays["luma"][373 : 373 + 1024, 885 : 885 + 1024]
    assert (arrays["crop"] == crop).all()
    gauss = np.exp(-((np.arange(-REACH, REACH + 1) / 8) ** 2))
    gauss /= gauss.sum()
    wide = np.pad(crop.astype(np.float64), REACH, mode="edge")
    down = sum(g * wide[i : i + 1024] for i, g in enumerate(gauss))
    expected = sum(g * down[:, i : i + 1024] for i, g in enumerate(gauss))
    assert expected.shape == arrays["around"].shape
    # The root mean square error of transforms is some eps times log2 of the length; ten times that for the worst pixel.
    assert np.abs(arrays["around"] - expected).max() <= 10 * np.finfo(np.float32).eps * np.log2(wide.size)


def test_tones_and_picture(results):
    arrays, picture, _ = results
    crop, around = arrays["crop"].astype(np.float64), arrays["around"].astype(np.float64)
    expected = np.clip(np.maximum(around, 0) ** 0.8 + 1.5 * (crop - around), 0, 1)
    assert np.abs(arrays["toned"] - expected).max() <= 8 * 2**-24
    assert picture.dtype == np.uint8 and (picture[..., 0] == np.round(arrays["toned"] * np.float32(255))).all()


def test_what_it_prints(results):
    _, _, text = results
    assert text.startswith("tandem.Size([2988, 5312, 3]) ('rows', 'columns', 'channels') tandem.uint8\n")
    assert "read again: tandem.Size([200, 200]) ('rows', 'columns')" in text
    has_matplotlib = importlib.util.find_spec("matplotlib") is not None
    assert ("matplotlib is not installed" in text) != has_matplotlib


@pytest.fixture
def small(tmp_path):
    """A photograph smaller than the crop, with transparency."""
    path = tmp_path / "small.png"
    pixels = np.random.default_rng(3).integers(0, 256, (300, 410, 4), dtype=np.uint8)
    io.write_image(path, td.from_numpy(pixels))
    return path


def test_without_matplotlib(tmp_path, small):
    text = run(tmp_path, small, "import sys; sys.modules['matplotlib'] = None")
    assert text.splitlines()[-1].startswith("matplotlib is not installed, so nothing is shown: pip install matplotlib")
    assert not (tmp_path / "photo_figure.png").exists()


def test_with_matplotlib(tmp_path, small):
    pytest.importorskip("matplotlib")
    assert "not installed" not in run(tmp_path, small)
    figure = io.read_image(tmp_path / "photo_figure.png")
    assert figure.shape[:2] == (720, 880)
