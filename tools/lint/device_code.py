"""Reads the device code of a CUDA library or object: the PTX and the resources of each kernel.

What nvcc embeds is a "fatbin": a header and entries, of which kind 1 is PTX text and kind 2 an ELF image for one
architecture. Layouts after the public headers fatbinary_section.h and cuda_elf of the toolkit's documentation; the
resources are in the image's .nv.info section (EIATTR records) and in the size of .nv.shared.<kernel>. PTX must not be
compressed: configure with -DTANDEM_CUDA_COMPRESS=OFF.
"""

import re
import struct
import subprocess
from dataclasses import dataclass

SOURCES = ("kernels/**/*.cu", "kernels/cuda/*.h", "runtime/include/tandem/cuda/*.h", "runtime/include/tandem/cuda.h")
DECLARED = re.compile(r"__global__\s+void\s+(?:__launch_bounds__\([^)]*\)\s+)?(\w+)\(")
FATBIN_MAGIC = 0xBA55ED50
PTX_ENTRY, ELF_ENTRY = 1, 2
REGISTERS, FRAME = 0x2F, 0x11  # EIATTR_REGCOUNT, EIATTR_FRAME_SIZE
RESERVED_SHARED = 1024  # of every block since sm_80, counted in .nv.shared
ENTRY = re.compile(r"^\s*(?:\.visible\s+|\.weak\s+)?\.entry\s+(\w+)", re.MULTILINE)
DIRECTIVE = re.compile(r"^\.(?:visible|weak|entry|func|extern|common)\b", re.MULTILINE)


@dataclass
class Kernel:
    """One kernel: its mangled and readable name, PTX (empty where none is embedded) and resources."""

    symbol: str
    name: str
    ptx: str = ""
    registers: int = 0
    frame: int = 0  # bytes of local memory a thread
    shared: int = 0  # bytes of static shared memory a block


def sources(root):
    """The files in which kernels may be declared."""
    return [path for pattern in SOURCES for path in sorted(root.glob(pattern))]


def sections(elf):
    """(name, type, data) of every section of a 64-bit little-endian ELF image."""
    (offset,) = struct.unpack_from("<Q", elf, 0x28)
    size, count, names = struct.unpack_from("<HHH", elf, 0x3A)
    table = [struct.unpack_from("<IIQQQQIIQQ", elf, offset + i * size) for i in range(count)]
    strings = table[names][4]
    for name, kind, _, _, start, length, *_ in table:
        text = elf[strings + name : elf.index(b"\0", strings + name)].decode()
        data = b"" if kind == 8 else elf[start : start + length]
        yield text, kind, data, length


def entries(data):
    """(kind, payload) of every entry of the fatbins in a section."""
    at = data.find(struct.pack("<I", FATBIN_MAGIC))
    while at >= 0:
        _, _, header, length = struct.unpack_from("<IHHQ", data, at)
        inner, end = at + header, at + header + length
        while inner < end:
            kind, _, head, size = struct.unpack_from("<HHIQ", data, inner)
            yield kind, data[inner + head : inner + head + size]
            inner += head + size
        at = data.find(struct.pack("<I", FATBIN_MAGIC), end)


def records(info):
    """(attribute, words) of the .nv.info records that carry words."""
    at = 0
    while at + 4 <= len(info):
        form, attribute, size = struct.unpack_from("<BBH", info, at)
        at += 4
        if form == 4:  # the size counts; other forms hold their value in its place
            yield attribute, struct.unpack_from(f"<{size // 4}I", info, at)
            at += size


def resources(image):
    """Symbol -> (registers, frame, shared) of the kernels of an ELF image for the device."""
    symbols, texts, info, shared = [], b"", b"", {}
    kernels = set()
    for name, kind, data, length in sections(image):
        if name == ".symtab":
            symbols = [struct.unpack_from("<IBBHQQ", data, i)[0] for i in range(0, len(data), 24)]
        elif name == ".strtab":
            texts = data
        elif name == ".nv.info":
            info = data
        elif name.startswith(".nv.info."):
            kernels.add(name[len(".nv.info.") :])
        elif name.startswith(".nv.shared."):
            shared[name[len(".nv.shared.") :]] = max(0, length - RESERVED_SHARED)
    name_of = [texts[s : texts.index(b"\0", s)].decode() for s in symbols]
    found = {k: [0, 0, shared.get(k, 0)] for k in kernels}
    for attribute, words in records(info):
        if attribute in (REGISTERS, FRAME) and name_of[words[0]] in found:
            found[name_of[words[0]]][attribute == FRAME] = words[1]
    return found


def ptx_kernels(text):
    """(symbol, text) of every kernel, from its name to the next top-level directive."""
    for match in ENTRY.finditer(text):
        after = DIRECTIVE.search(text, match.end())
        yield match.group(1), text[match.start() : after.start() if after else len(text)]


def readable(symbols):
    """Demangled names, by the binutils' c++filt."""
    symbols = list(symbols)
    if not symbols:
        return {}
    done = subprocess.run(["c++filt"], input="\n".join(symbols), text=True, capture_output=True, check=True)
    return dict(zip(symbols, done.stdout.splitlines()))


def read(path):
    """The kernels of a library or object, and the PTX texts as they are embedded."""
    data = path.read_bytes()
    code = b"".join(body for name, _, body, _ in sections(data) if name == ".nv_fatbin")
    found, ptx, texts = {}, {}, []
    for kind, payload in entries(code):
        if kind == ELF_ENTRY and payload.startswith(b"\x7fELF"):
            found.update(resources(payload))
        elif kind == PTX_ENTRY and b".version" in payload[:200]:
            text = payload.rstrip(b"\0").decode()
            texts.append(text)
            ptx.update(ptx_kernels(text))
    names = readable(found.keys() | ptx.keys())
    kernels = [
        Kernel(symbol, names[symbol], ptx.get(symbol, ""), *found.get(symbol, (0, 0, 0))) for symbol in sorted(names)
    ]
    return kernels, texts
