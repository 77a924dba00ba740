# %% [markdown]
# # A photograph, from the file to the picture
#
# Cells for a notebook (Jupyter, VS Code, Spyder take the file as it is), or a program: `python examples/photo.py`.
# `DEVICE=cuda` runs the same lines on a GPU, `PHOTO=FILE` takes another photograph, `OUT=FOLDER` another folder
# for the results than `out`. The last cell needs matplotlib, the kernel a C++ compiler (`docs/kernels.md`).

# %%
import os
from pathlib import Path

import tandem as torch
from tandem import io

HERE = Path(__file__).resolve().parents[1] if "__file__" in globals() else Path.cwd()
DEVICE = os.environ.get("DEVICE", "cuda" if torch.cuda.is_available() else "cpu")
PHOTO = Path(os.environ.get("PHOTO", HERE / "docs/photo/dandelions.jpg"))
OUT = Path(os.environ.get("OUT", HERE / "out"))
OUT.mkdir(parents=True, exist_ok=True)

# %% [markdown]
# ## Planes of a picture
#
# A picture comes as bytes, its dimensions named rows, columns and channels. `align_to` is a view with another order,
# `contiguous` copies it into planes: bytes travel to the device, floats are made there.

# %%
photo = io.read_image(PHOTO)
print(photo.shape, photo.names, photo.dtype)
planes = photo[..., :3].to(DEVICE).align_to("channels", "rows", "columns").contiguous() / 255
print(planes.shape, planes.dtype, planes.device)

# %% [markdown]
# ## Luma three ways
#
# The mean of the channels; their weighted sum, the weights aligned by name (Recommendation ITU-R BT.709); and the same
# as one contraction, where what the result does not name is summed.

# %%
weights = torch.tensor([0.2126, 0.7152, 0.0722], names=["channels"], device=DEVICE)
mean = planes.mean("channels")
weighted = (planes * weights.align_as(planes)).sum("channels")
luma = torch.einsum("-> [rows columns]", planes, weights)
print(luma.names, f"mean {luma.mean():.4f}, largest difference {(luma - weighted).abs().max():.1e}")
assert torch.allclose(luma, weighted, atol=1e-6)

# %% [markdown]
# ## A crop is a view
#
# The flower, 1024 rows and columns of it: no pixel is copied.

# %%
top, left = luma.size("rows") // 8, luma.size("columns") // 6
crop = luma[top : top + 1024, left : left + 1024]
assert crop.storage() is luma.storage()
print(crop.shape, "begins at element", crop.storage_offset())

# %% [markdown]
# ## Histogram

# %%
counts = torch.histc(luma, bins=64, min=0, max=1)
print("darkest", luma.min().item(), "median", round(luma.median().item(), 4), "fullest bin", counts.argmax().item())

# %% [markdown]
# ## A blur, by the convolution theorem
#
# A Gaussian along rows and columns is a product of spectra. The edge is repeated first, so that what wraps around is
# cut off again.

# %%
REACH = 24
gauss = torch.exp(-((torch.arange(-REACH, REACH + 1, device=DEVICE) / 8) ** 2))
gauss /= gauss.sum()


def blur(picture):
    wide = torch.pad(picture, (REACH, REACH, REACH, REACH), mode="replicate")
    rows, columns = wide.shape
    response = torch.fft.fft(gauss, rows)[:, None] * torch.fft.rfft(gauss, columns)
    blurred = torch.fft.irfft2(torch.fft.rfft2(wide) * response, s=(rows, columns))
    return blurred[2 * REACH :, 2 * REACH :]


around = blur(crop)
print(around.names, f"{around.shape}, standard deviation {crop.std():.4f} before, {around.std():.4f} after")

# %% [markdown]
# ## Tones, by a kernel of one's own
#
# Surroundings become lighter, what differs from them stronger: one pass over memory, compiled at the first call for the
# host or the GPU. As ops it would be six passes, with the same bits.

# %%
tone = torch.elementwise_kernel(
    """
    template <class T> T tone(T luma, T around, T gamma, T detail) {
      T lifted = pow(max(around, T(0)), gamma);
      return clamp(lifted + detail * (luma - around), T(0), T(1));
    }
    """,
    gamma=0.8,
    detail=1.5,
)
toned = tone(crop, around)
by_ops = torch.clamp(torch.clamp(around, min=0) ** 0.8 + 1.5 * (crop - around), 0, 1)
assert torch.equal(toned, by_ops)
print(f"mean {crop.mean():.4f} before, {toned.mean():.4f} after; names {toned.names}")

# %% [markdown]
# ## Files
#
# PNG for eyes, HDF5 for programs. A part of a data set is read without the rest, names and all.

# %%
io.write_image(OUT / "photo.png", (toned * 255).round().to(torch.uint8).cpu())
io.save_hdf5(
    OUT / "photo.h5",
    {"luma": luma, "histogram": counts, "crop": crop, "around": around, "toned": toned},
)
part = io.load_hdf5(OUT / "photo.h5", "toned", (slice(100, 300), slice(-200, None)), device=DEVICE)
assert torch.equal(part, toned[100:300, -200:])
print("read again:", part.shape, part.names, "of", OUT / "photo.h5")

# %% [markdown]
# ## The picture

# %%
try:
    import matplotlib.pyplot as plt
except ImportError:
    print(f"matplotlib is not installed, so nothing is shown: pip install matplotlib, or look at {OUT / 'photo.png'}")
else:
    figure, axes = plt.subplots(2, 2, figsize=(11, 9), layout="constrained")
    pictures = {"photograph": photo[::8, ::8], "luma, cropped": crop, "tones": toned}
    for place, (title, picture) in zip(axes.flat, pictures.items()):
        place.imshow(picture.cpu().numpy(), cmap="gray", vmin=0, vmax=1)
        place.set_title(title)
        place.axis("off")
    axes[1, 1].stairs(counts.cpu().numpy(), torch.linspace(0, 1, 65).numpy(), fill=True)
    axes[1, 1].set(title="luma of all pixels", xlabel="luma", ylabel="pixels")
    figure.savefig(OUT / "photo_figure.png", dpi=80)
    plt.show()
