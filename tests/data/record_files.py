# Makes the files of other programs that tests/io reads: foreign.h5 with h5py, pictures.json with a PNG encoder of
# its own. Run by hand: python tests/data/record_files.py
import json
import pathlib
import struct
import zlib

import h5py
import numpy as np

HERE = pathlib.Path(__file__).parent


def write_hdf5(path):
    rng = np.random.default_rng(5)
    with h5py.File(path, "w", libver="earliest") as f:
        f["plain"] = np.arange(24, dtype="<f4").reshape(2, 3, 4)
        f.create_dataset("chunked", data=np.arange(300, dtype="<i4").reshape(20, 15), chunks=(7, 4))
        f.create_dataset("packed", data=np.arange(1000, dtype="<i8").reshape(10, 100) % 7, chunks=(5, 50),
                         compression="gzip", shuffle=True, fletcher32=True)
        f.create_dataset("group/inner/big_endian", data=np.array([1.5, -2.25, 1e300], dtype=">f8"))
        f["big_integer"] = np.array([[1, -2], [300, -70000]], dtype=">i4")
        f["big_half"] = np.array([1.5, -2.0, np.inf], dtype=">f2")
        f["bool"] = np.array([True, False, True])
        f["complex64"] = np.array([1 + 2j, -3.5j], dtype="<c8")
        f["complex128"] = np.array([[1e300 - 1j]], dtype=">c16")
        f["uint64"] = np.array([2**64 - 1, 1], dtype="<u8")
        f["scalar"] = np.float32(2.5)
        f["none"] = h5py.Empty("f4")
        f["no_rows"] = np.zeros((0, 3), dtype="<f8")
        f["text"] = np.array(["a", "bc"], dtype=h5py.string_dtype())
        f["fixed_text"] = np.array([b"ab", b"c"])
        f["records"] = np.array([(1, 2.0)], dtype=[("a", "<i4"), ("b", "<f8")])
        f["lists"] = np.array([np.arange(2), np.arange(3)], dtype=object).astype(h5py.vlen_dtype(np.int32))
        f["colours"] = np.array([0, 2], dtype=h5py.enum_dtype({"RED": 0, "BLUE": 2}, basetype="u1"))
        f["filled"] = np.zeros(0)
        del f["filled"]
        f.create_dataset("filled", shape=(4, 5), dtype="<i2", chunks=(2, 2), fillvalue=7)
        f["labelled"] = rng.integers(0, 9, (2, 3)).astype("<i2")
        f["labelled"].dims[0].label = "rows"
        f["labelled"].dims[1].label = "not a name"
        for name, n in (("y", 2), ("x", 3)):
            f[name] = np.arange(n, dtype="<f8")
            f[name].make_scale(name)
        f["scaled"] = np.ones((2, 3), dtype="<f4")
        f["scaled"].dims[0].attach_scale(f["y"])
        f["scaled"].dims[1].attach_scale(f["x"])
        f["soft"] = h5py.SoftLink("/plain")
        f["outside"] = h5py.ExternalLink("other.h5", "/plain")


# ---- PNG, written out by hand: every colour type, depth and interlacing

CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
PASSES = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1))


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def pack_row(row, depth):
    values = row.reshape(-1).tolist()
    if depth == 16:
        return struct.pack(f">{len(values)}H", *values)
    if depth == 8:
        return bytes(values)
    bits = "".join(format(v, f"0{depth}b") for v in values)
    bits += "0" * (-len(bits) % 8)
    return bytes(int(bits[i : i + 8], 2) for i in range(0, len(bits), 8))


def filtered(rows, bpp, kind):
    """Rows of bytes with a filter of PNG: 0 none, 1 sub, 2 up."""
    out, above = b"", None
    for row in rows:
        above = above if above is not None and len(above) == len(row) else bytes(len(row))
        left = bytes(bpp) + row[:-bpp] if len(row) > bpp else bytes(len(row))
        other = {0: bytes(len(row)), 1: left, 2: above}[kind]
        out += bytes([kind]) + bytes((a - b) & 255 for a, b in zip(row, other))
        above = row
    return out


def png(samples, colour, depth, interlaced, extra=b"", filter_kind=0):
    rows, columns, _ = samples.shape
    bpp = max(1, CHANNELS[colour] * depth // 8)
    passes = PASSES if interlaced else ((0, 0, 1, 1),)
    raw = b""
    for y, x, dy, dx in passes:
        part = samples[y::dy, x::dx]
        if part.size:
            raw += filtered([pack_row(r, depth) for r in part], bpp, filter_kind)
    header = struct.pack(">IIBBBBB", columns, rows, depth, colour, 0, 0, int(interlaced))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra + chunk(b"IDAT", zlib.compress(raw))
            + chunk(b"IEND", b""))


def expected(samples, colour, depth, palette):
    if colour == 3:
        return palette[samples[..., 0]]
    if depth < 8:
        return samples * (255 // (2**depth - 1))
    return samples


def pictures():
    rng = np.random.default_rng(11)
    out = []

    def add(what, file, pixels, wide):
        out.append({"what": what, "file": file.hex(), "dtype": "uint16" if wide else "uint8",
                    "shape": list(pixels.shape), "pixels": pixels.reshape(-1).tolist()})

    for colour, depths in DEPTHS.items():
        for depth in depths:
            for interlaced in (False, True):
                rows, columns = (9, 11) if interlaced else (4, 5)
                samples = rng.integers(0, 2**depth, (rows, columns, CHANNELS[colour]))
                palette = rng.integers(0, 256, (2**depth, 3)) if colour == 3 else None
                extra = chunk(b"PLTE", bytes(palette.reshape(-1).tolist())) if colour == 3 else b""
                file = png(samples, colour, depth, interlaced, extra, filter_kind=depth % 3)
                add(f"colour {colour} depth {depth} interlaced {interlaced}", file,
                    expected(samples, colour, depth, palette), depth == 16)
    # Transparency by a chunk becomes a channel.
    samples = np.array([[[0], [1]], [[2], [3]]])
    palette = np.array([[1, 2, 3], [4, 5, 6], [7, 8, 9], [10, 11, 12]])
    extra = chunk(b"PLTE", bytes(palette.reshape(-1).tolist())) + chunk(b"tRNS", bytes([0, 128]))
    alpha = np.array([0, 128, 255, 255])
    pixels = np.concatenate([palette[samples[..., 0]], alpha[samples]], axis=-1)
    add("palette with alpha", png(samples, 3, 2, False, extra), pixels, False)
    return out


if __name__ == "__main__":
    write_hdf5(HERE / "foreign.h5")
    with open(HERE / "pictures.json", "w") as file:
        file.write("[\n" + ",\n".join(json.dumps(p) for p in pictures()) + "\n]\n")
