#!/usr/bin/env python3
"""Writes the type stubs of what is made in C++ (python/tandem/*.pyi) from the package as it is when imported.

    PYTHONPATH=build/cpu/python tools/stubs.py           # writes
    PYTHONPATH=build/cpu/python tools/stubs.py --check   # exits with 1 where a file is not what would be written

Functions and methods of the op table come from their parameters and results, other members from nanobind's signatures.
What neither can say is in the tables below: results that depend on arguments, words that a str may be. Functions
written in Python are annotated where they are written and are re-exported.
"""

import argparse
import importlib
import inspect
import keyword as keyword_module
import pathlib
import pkgutil
import re
import sys
import textwrap
import types

import tandem
import tandem.errors
import tandem.signal
from tandem import _docs

PLACE = pathlib.Path(__file__).resolve().parent.parent / "python" / "tandem"
Function = type(tandem.add)

# Types by the schemas' words; those of arguments are in _types.pyi.
TYPES = {
    "Tensor": "TensorLike",
    "Arg": "Arg",
    "Tensor[]": "Sequence[TensorLike]",
    "Scalar": "Number",
    "int": "SupportsIndex",
    "float": "builtins.float",
    "bool": "builtins.bool",
    "str": "str",
    "str[]": "Sequence[str]",
    "ints": "Ints",
    "axis": "Axis",
    "axes": "Axes",
    "dtype": "DTypeLike",
    "device": "DeviceLike",
    "names": "Names",
    "shape": "Ints | _dtype",
    "floats": "Sequence[builtins.float]",
    "value": "Arg | str | Sequence[SupportsIndex]",
    "object": "Any",
    "generator": "Generator",
    "Tensor?[]": "Sequence[TensorLike | None]",
    "spacing": "Arg | Sequence[Arg]",
    "pairs": "SupportsIndex | Sequence[Axis | Sequence[Axis]]",
    "bins": "SupportsIndex | Sequence[SupportsIndex] | Sequence[TensorLike]",
}
# Of a list that is the last positional parameter: its items may be given one by one.
ITEMS = {
    "ints": "SupportsIndex",
    "axes": "Axis",
    "Tensor[]": "TensorLike",
    "names": "str | None",
    "str[]": "str",
    "shape": "SupportsIndex",
}

# What a str may be, by parameter, or by function and parameter.
WORDS = {
    "rounding_mode": "trunc floor",
    "indexing": "ij xy",
    "side": "left right",
    "interpolation": "linear lower higher midpoint nearest",
    "UPLO": "L U",
    "norm": "backward forward ortho",
    "linalg.qr.mode": "reduced complete r",
    "signal.fftconvolve.mode": "full same valid",
    "signal.oaconvolve.mode": "full same valid",
    "signal.convolve.mode": "full same valid",
    "signal.convolve.method": "auto direct fft",
    "signal.correlate.mode": "full same valid",
    "signal.correlate.method": "auto direct fft",
    "signal.correlation_lags.mode": "full same valid",
    "scatter.reduce": "add multiply",
    "scatter_.reduce": "add multiply",
    "scatter_reduce.reduce": "sum prod mean amax amin",
    "scatter_reduce_.reduce": "sum prod mean amax amin",
    "index_reduce.reduce": "prod mean amax amin",
    "index_reduce_.reduce": "prod mean amax amin",
}

# Forms whose result depends on the arguments: by name in examples/; {x} is the tensor (self of a method).
_BY_DIM = [
    "({x}, dim: None = None, keepdim: builtins.bool = False) -> Tensor",
    "({x}, dim: builtins.int | str, keepdim: builtins.bool = False, *, out: Sequence[Tensor] | None = None)"
    " -> return_types.{name}",
    "({x}, *, axis: Axis, keepdims: builtins.bool = False) -> return_types.{name}",
]
_BY_OTHER = [*_BY_DIM, "({x}, other: TensorLike, *, out: Tensor | None = None) -> Tensor"]
_ATLEAST = [
    "({x}, /) -> Tensor",
    "({x}, second: TensorLike, /, *rest: TensorLike) -> tuple[Tensor, ...]",
    "(tensors: Sequence[TensorLike], /) -> tuple[Tensor, ...]",
]
_NO_PARTS = "return_inverse: Literal[False] = False, return_counts: Literal[False] = False, dim: Axis | None = None"
_PARTS = "return_inverse: builtins.bool = False, return_counts: builtins.bool = False, dim: Axis | None = None"
_UNIQUE = [
    "({x}, {sorted}" + _NO_PARTS + ") -> Tensor",
    "({x}, {sorted}" + _PARTS + ") -> Tensor | tuple[Tensor, ...]",
]
_MOVE = "non_blocking: builtins.bool = False, copy: builtins.bool = False"
FORMS = {
    **dict.fromkeys("max min".split(), _BY_OTHER),
    **dict.fromkeys("median nanmedian".split(), _BY_DIM),
    **dict.fromkeys("atleast_1d atleast_2d atleast_3d".split(), _ATLEAST),
    "unique": [form.replace("{sorted}", "sorted: builtins.bool = True, ") for form in _UNIQUE],
    "unique_consecutive": [form.replace("{sorted}", "") for form in _UNIQUE],
    "nonzero": [
        "({x}, *, as_tuple: Literal[False] = False) -> Tensor",
        "({x}, *, as_tuple: Literal[True]) -> tuple[Tensor, ...]",
    ],
    "where": [
        "(condition: TensorLike, x: Arg, y: Arg, *, out: Tensor | None = None) -> Tensor",
        "(condition: TensorLike) -> tuple[Tensor, ...]",
    ],
    "to": [
        f"({{x}}, dtype: DTypeLike, {_MOVE}) -> Tensor",
        f"({{x}}, device: DeviceLike | None = None, dtype: DTypeLike | None = None, {_MOVE}) -> Tensor",
        f"({{x}}, other: Tensor, {_MOVE}) -> Tensor",
    ],
    "type": ["({x}, dtype: None = None) -> str", "({x}, dtype: DTypeLike) -> Tensor"],
    "size": ["({x}, dim: None = None) -> Size", "({x}, dim: Axis) -> builtins.int"],
    "stride": ["({x}, dim: None = None) -> tuple[builtins.int, ...]", "({x}, dim: Axis) -> builtins.int"],
    "view": [
        "({x}, shape: Ints | _dtype) -> Tensor",
        "({x}, *shape: SupportsIndex) -> Tensor",
        "({x}, *, dtype: _dtype) -> Tensor",
    ],
}
# Types of parameters that a schema calls objects, and results of functions written by hand.
PARAMETERS = {
    "var.dim": "Axes | builtins.bool",
    "std.dim": "Axes | builtins.bool",
    "var_mean.dim": "Axes | builtins.bool",
    "std_mean.dim": "Axes | builtins.bool",
    "to_device.stream": "None",
    "from_numpy.ndarray": "npt.NDArray[Any]",
}
RESULTS = {
    "var_mean": "tuple[Tensor, Tensor]",
    "std_mean": "tuple[Tensor, Tensor]",
    "equal": "builtins.bool",
    "allclose": "builtins.bool",
    "numel": "builtins.int",
    "storage": "Storage",
    "numpy": "npt.NDArray[Any]",
    "einsum_path": "tuple[tuple[builtins.int, ...], str]",
    "__array__": "npt.NDArray[Any]",
    "__array_namespace__": "Any",
}
FIELDS = {"histogramdd.bin_edges": "tuple[Tensor, ...]"}

# Members whose arguments or results nanobind knows as objects.
MEMBERS = {
    "Tensor.shape": "Size",
    "Tensor.dtype": "_dtype",
    "Tensor.ndim": "builtins.int",
    "Tensor.real": ("Tensor", "Arg"),
    "Tensor.imag": ("Tensor", "Arg"),
    "Tensor.names": ("tuple[str | None, ...]", "Names | None"),
    "Tensor.item": "(self) -> Any",
    "Tensor.tolist": "(self) -> Any",
    "Tensor.refine_names": "(self, *names: str | EllipsisType | None) -> Tensor",
    "Tensor.rename": "(self, *names: str | None, **changes: str | None) -> Tensor",
    "Tensor.rename_": "(self, *names: str | None, **changes: str | None) -> Tensor",
    "Tensor.align_to": "(self, *names: str | EllipsisType) -> Tensor",
    "Tensor.flatten": "(self, start_dim: Axis | Sequence[Axis] = 0, end_dim: Axis = -1, out_dim: str | None = None)"
    " -> Tensor",
    "Tensor.unflatten": "(self, dim: Axis, sizes: Sequence[SupportsIndex] | Sequence[tuple[str, SupportsIndex]],"
    " names: Names | None = None) -> Tensor",
    "Tensor.__getitem__": "(self, index: Any, /) -> Tensor",
    "Tensor.__setitem__": "(self, index: Any, value: Arg | Sequence[Any], /) -> None",
    "Tensor.__delitem__": None,
    "Tensor.__iter__": "(self) -> Iterator[Tensor]",
    "Tensor.__float__": "(self) -> builtins.float",
    "Tensor.__int__": "(self) -> builtins.int",
    "Tensor.__complex__": "(self) -> builtins.complex",
    "Tensor.__index__": "(self) -> builtins.int",
    "Tensor.__format__": "(self, spec: str, /) -> str",
    "Tensor.__pos__": "(self) -> Tensor",
    "Tensor.__copy__": "(self) -> Tensor",
    "Tensor.__deepcopy__": "(self, memo: Any, /) -> Tensor",
    "Tensor.__init__": None,
    "Tensor.__array_priority__": "builtins.float",
    "Tensor.__array__": "(self, dtype: npt.DTypeLike | None = None, copy: builtins.bool | None = None)"
    " -> npt.NDArray[Any]",
    "device.__init__": "(self, type: str | builtins.int | device, index: builtins.int | None = None) -> None",
    "device.__eq__": "(self, other: object, /) -> builtins.bool",
    "Generator.__init__": "(self, device: DeviceLike | None = None) -> None",
    "Generator.manual_seed": "(self, seed: builtins.int) -> Generator",
    "Generator.get_state": "(self) -> Tensor",
    "Generator.set_state": "(self, new_state: Tensor) -> Generator",
    "Generator.clone_state": "(self) -> Generator",
    "Generator.clone": "(self) -> Generator",
    "Generator.stream": "(self, i: builtins.int) -> Generator",
    "Generator.set_offset": "(self, offset: builtins.int) -> None",
    "Generator.device": "_device",
    "Generator.__getstate__": None,
    "Generator.__setstate__": None,
    "Storage.tolist": "(self) -> list[Any]",
    "Storage.size": "(self) -> builtins.int",
    "Storage.nbytes": "(self) -> builtins.int",
    "Storage.data_ptr": "(self) -> builtins.int",
    "Storage.element_size": "(self) -> builtins.int",
    "Storage.device": "_device",
    "Storage.dtype": "_dtype",
    "Storage.__len__": "(self) -> builtins.int",
    "Storage.__iter__": "(self) -> Iterator[Any]",
    "Storage.__getitem__": "(self, index: SupportsIndex, /) -> Any",
    "Storage.__setitem__": "(self, index: SupportsIndex | builtins.slice, value: Number, /) -> None",
    "Storage.__delitem__": None,
    "Size.numel": "(self) -> builtins.int",
    "Size.__getitem__": [
        "(self, index: SupportsIndex, /) -> builtins.int",
        "(self, index: builtins.slice, /) -> Size",
    ],
    "Size.__add__": "(self, other: tuple[Any, ...], /) -> Size",
    "Size.__mul__": "(self, times: SupportsIndex, /) -> Size",
    "Size.__rmul__": "(self, times: SupportsIndex, /) -> Size",
    "ElementwiseKernel.__call__": "(self, *tensors: TensorLike, **numbers: Number) -> Tensor",
    "ElementwiseKernel.__init__": None,
    "ElementwiseKernel.__copy__": None,
    "ElementwiseKernel.__deepcopy__": None,
    "elementwise_kernel": "(source: str, *, function: str | None = None, result: DTypeLike | None = None,"
    " **numbers: Number) -> ElementwiseKernel",
    "set_default_device": "(device: DeviceLike | None) -> None",
    "device.__enter__": "(self) -> device",
    "device.__exit__": "(self, *error: object) -> None",
    "op_rows": "() -> list[dict[str, Any]]",
    "set_printoptions": "(precision: builtins.int | None = None, threshold: builtins.float | None = None,"
    " edgeitems: builtins.int | None = None, linewidth: builtins.int | None = None,"
    " profile: Literal['default', 'short', 'full'] | None = None, sci_mode: builtins.bool | None = None) -> None",
    "set_num_threads": "(n: builtins.int) -> None",
    "set_default_dtype": "(d: DTypeLike) -> None",
    "get_default_dtype": "() -> _dtype",
    "promote_types": "(type1: DTypeLike, type2: DTypeLike) -> _dtype",
    "result_type": "(*args: Arg | _dtype) -> _dtype",
    "can_cast": "(from_: DTypeLike | Tensor, to: DTypeLike) -> builtins.bool",
    "io.list_hdf5": "(path: str | PathLike[str]) -> list[dict[str, Any]]",
    "io.load_all_hdf5": "(path: str | PathLike[str], *, device: DeviceLike | None = None) -> dict[str, Tensor]",
    "io.load_hdf5": "(path: str | PathLike[str], dataset: str = '', index: Any = None, *,"
    " device: DeviceLike | None = None) -> Tensor",
    "io.read_image": "(path: str | PathLike[str]) -> Tensor",
    "io.save_hdf5": "(path: str | PathLike[str], data: Tensor | dict[str, Tensor], *, gzip: builtins.int = 0,"
    " chunks: Ints | None = None) -> None",
    "io.write_image": "(path: str | PathLike[str], picture: Tensor) -> None",
    "io.write_jpeg": "(path: str | PathLike[str], picture: Tensor, quality: builtins.int = 90) -> None",
    "io.write_png": "(path: str | PathLike[str], picture: Tensor, level: builtins.int = 1) -> None",
}
GENERAL = "__module__ __doc__ __new__ __reduce__ __repr__ __str__ __dict__ __weakref__ __annotations__".split()
HEADER = """\
# Written by tools/stubs.py; do not edit.
"""


def is_error(o):
    return isinstance(o, type) and issubclass(o, tandem.Error)


def literal(words):
    return f"Literal[{', '.join(map(repr, words.split()))}]"


def type_of(key, parameter):
    """The annotation of a parameter, without None."""
    name, word, *_ = parameter
    for known in (f"{key}.{name}", name):
        if word == "str" and known in WORDS:
            return literal(WORDS[known])
    return PARAMETERS.get(f"{key}.{name}", TYPES[word])


def default_of(text):
    """A default as it may stand in a stub."""
    if re.fullmatch(r"None|True|False|-?[0-9.]+(e-?[0-9]+)?|'[^']*'", text or "None"):
        return text or "None"
    return "..."


def parameter_text(key, parameter):
    name, _, _, required, _, default = parameter
    kind = type_of(key, parameter)
    if required:
        return f"{name}: {kind}"
    value = default_of(default)
    return f"{name}: {kind}{' | None' if value == 'None' and kind not in ('Any', 'None') else ''} = {value}"


def joined(positional, keyword):
    star = [] if not keyword or any(p.startswith("*") for p in positional) else ["*"]
    return ", ".join(positional + star + keyword)


def result_of(function, key):
    row = _docs.row_of(function)
    if key in RESULTS:
        return RESULTS[key]
    if row is None or _docs.is_in_place(function):
        return "Tensor"
    if row["results"]:
        return f"return_types.{row['name']}"
    return {"Tensor": "Tensor", "Tensor[]": "tuple[Tensor, ...]", "bool": "builtins.bool"}[row["returns"]]


def operator_forms(name, function):
    n = len(function._described[1])
    if n == 1:
        return ["(self) -> Tensor"]
    return [f"(self, other: {'Number' if re.match('__r(?!shift)', name) else 'Arg'}, /) -> Tensor"]


def function_forms(name, function, method):
    """The parameter lists and results of a Function, as `(...) -> ...`."""
    key = _docs.key_of(function)
    _, parameters, n_out, form = function._described
    if "operator" in form:
        return operator_forms(name, function)
    if key in FORMS and not _docs.is_in_place(function) and not (key == "where" and method):
        x = "self" if method else f"{parameters[0][0]}: TensorLike"
        return [f.replace("{x}", x).replace("{name}", function.__name__) for f in FORMS[key]]
    result = result_of(function, key)
    first = ["self"] if method else []
    rest = parameters[1:] if method else parameters
    positional = [p for p in rest if not p[4]]
    keyword = [parameter_text(key, p) for p in rest if p[4]]
    if {"dtype", "device"} <= {p[0] for p in rest if p[4]}:
        # PyTorch's words that change nothing here, and where the memory is.
        keyword += ["pin_memory: builtins.bool = False", "requires_grad: Literal[False] = False"]
    if n_out:
        keyword.append(f"out: {'Tensor' if n_out == 1 else 'Sequence[Tensor]'} | None = None")
    texts = [parameter_text(key, p) for p in positional]
    for i in [i for i, p in enumerate(positional) if keyword_module.iskeyword(p[0])]:
        texts[i : i + 1] = [texts[i].replace(":", "_:", 1), "/"]  # can be given by its place alone
    forms = [f"({joined(first + texts, keyword)}) -> {result}"]
    if positional and positional[-1][1] in ITEMS:
        item = f"*{positional[-1][0]}: {ITEMS[positional[-1][1]]}"
        forms.append(f"({joined([*first, *texts[:-1], item], keyword)}) -> {result}")
    if {"dim", "keepdim"} <= {p[0] for p in positional}:
        # NumPy's words, which a keyword may be too.
        numpy = {"dim": "axis", "keepdim": "keepdims"}
        before = [parameter_text(key, p) for p in positional if p[0] not in numpy]
        named = [parameter_text(key, p).replace(p[0], numpy[p[0]], 1) for p in positional if p[0] in numpy]
        named[0] = re.sub(r" = .*", "", named[0])
        forms.append(f"({joined(first + before, named + keyword)}) -> {result}")
    return forms


def nanobind_type(text):
    """A type in the words of nanobind's signatures."""
    text = re.sub(r"\btandem\.(?:_tandem\.)?(\w+)", r"\1", text)
    text = re.sub(r"\b(int|float|bool|complex)\b", r"builtins.\1", text)
    text = re.sub(r"\b(dtype|device)\b(?!:)", r"_\1", text)
    return re.sub(r"\blist\b(?!\[)", "list[Any]", re.sub(r"\bdict\b(?!\[)", "dict[str, Any]", text))


def nanobind_forms(o):
    """Of a function or method that nanobind made."""
    forms = []
    for signature, _, defaults in o.__nb_signature__:
        text = signature[signature.index("(") :]
        for i, default in enumerate(defaults or ()):
            plain = isinstance(default, (int, float, str, type(None)))
            text = text.replace(f"\\{i}", repr(default) if plain else "...")
        head, _, given = text.rpartition(" -> ")
        forms.append(f"{nanobind_type(head)} -> {nanobind_type(given)}")
    return forms


def in_stub(annotation):
    """An annotation where int is a dtype or a method."""
    return re.sub(r"(?<![\w.\"'])(int|float|bool|complex)\b", r"builtins.\1", annotation)


def python_form(o, method):
    """Of a function written in Python; it is annotated there."""
    signature = inspect.signature(o)
    parameters = list(signature.parameters.values())
    texts, star = ["self"] * method, False
    for p in parameters[method:]:
        if p.kind is p.KEYWORD_ONLY and not star:
            texts.append("*")
        star = star or p.kind in (p.KEYWORD_ONLY, p.VAR_POSITIONAL)
        marks = {p.VAR_POSITIONAL: "*", p.VAR_KEYWORD: "**"}.get(p.kind, "")
        kind = "Any" if p.annotation is p.empty else in_stub(p.annotation)
        texts.append(f"{marks}{p.name}: {kind}" + ("" if p.default is p.empty else f" = {p.default!r}"))
    given = "Any" if signature.return_annotation is signature.empty else in_stub(signature.return_annotation)
    return f"({', '.join(texts)}) -> {given}"


def definition(name, forms, indent="", decorator="", comment=""):
    lines = []
    for form in forms:
        if len(forms) > 1:
            lines.append("@overload")
        if decorator:
            lines.append(decorator)
        lines.append(f"def {name}{form}: ...{comment}")
    return textwrap.indent("\n".join(lines), indent)


def member(cls, name, o):
    """The lines of a class's member."""
    known = MEMBERS.get(f"{cls.__name__}.{name}", "")
    if known is None:
        return ""
    if known and isinstance(o, (property, types.GetSetDescriptorType)):
        read, write = known if isinstance(known, tuple) else (known, None)
        lines = definition(name, [f"(self) -> {read}"], "    ", "@property")
        if write:
            lines += "\n" + definition(name, [f"(self, value: {write}) -> None"], "    ", f"@{name}.setter")
        return lines
    if known:
        if "(" not in str(known):
            return f"    {name}: {known}"
        return definition(name, known if isinstance(known, list) else [known], "    ")
    if isinstance(o, property):
        (form,) = nanobind_forms(o.fget)
        return definition(name, [form], "    ", "@property")
    if isinstance(o, Function):
        comment = "  # type: ignore[override]" if name in ("__eq__", "__ne__") else ""
        return definition(name, function_forms(name, o, True), "    ", comment=comment)
    if hasattr(o, "__nb_signature__"):
        return definition(name, nanobind_forms(o), "    ")
    if inspect.isfunction(o):
        return definition(name, [python_form(o, True)], "    ")
    return ""


def class_text(cls, base=""):
    body = [member(cls, name, o) for name, o in vars(cls).items() if name not in GENERAL]
    body = [text for text in body if text] or ["    ..."]
    return f"class {cls.__name__}{base}:\n" + "\n".join(body) + "\n"


def functions(module, prefix, names):
    """Definitions of what is made in C++; other names are re-exported from where they are written."""
    made, exported = [], []
    for name in names:
        o = getattr(module, name)
        if isinstance(o, Function):
            made.append(definition(name, function_forms(name, o, False)))
        elif f"{prefix}{name}" in MEMBERS:
            made.append(definition(name, [MEMBERS[f"{prefix}{name}"]]))
        elif hasattr(o, "__nb_signature__"):
            made.append(definition(name, nanobind_forms(o)))
        elif isinstance(o, tandem.dtype):
            made.append(f"{name}: Final[_dtype]")
        elif isinstance(o, (float, str)):
            made.append(f"{name}: Final[{'builtins.' * isinstance(o, float)}{type(o).__name__}]")
        elif o is None:
            made.append(f"{name}: None")
        elif isinstance(o, tandem.Generator):
            made.append(f"{name}: Final[Generator]")
        elif isinstance(o, tuple) and not isinstance(o, type):
            made.append(f"{name}: Final[tuple[_dtype, ...]]")
        elif is_error(o):
            exported.append(("tandem.errors", name, name))
        elif isinstance(o, types.ModuleType):
            if o.__name__ == f"tandem.{name}":
                exported.append(("tandem", name, name))
        elif getattr(o, "__module__", "").startswith("tandem.") and o.__module__ != f"tandem.{prefix.rstrip('.')}":
            exported.append((o.__module__, o.__name__, name))
    imports = [f"from {place} import {own} as {name}" for place, own, name in sorted(set(exported))]
    return "\n".join([*imports, ""]), "\n".join([*made, ""])


IMPORTS = """\
import builtins
from collections.abc import Iterator, Sequence
from os import PathLike
from types import EllipsisType
from typing import Any, Final, Literal, NamedTuple, SupportsIndex, TypeAlias, overload

import numpy.typing as npt

"""
ARGUMENTS = "Arg, Axes, Axis, DeviceLike, DTypeLike, Ints, Names, Number, TensorLike"


def tidy(text):
    """Without imports that are not used; long lines broken at commas."""
    lines = text.splitlines()
    out = []
    for line in lines:
        names = re.match(r"from (\S+) import (.*)$", line)
        if names and " as " not in line:
            used = [n for n in names[2].split(", ") if len(re.findall(rf"(?<![\w.]){n}\b", text)) > 1]
            line = f"from {names[1]} import {', '.join(used)}" if used else None
        elif alone := re.match(r"import \S+ as (\w+)$|import (\w+)$", line):
            if not re.search(rf"\b{alone[1] or alone[2]}\.", text):
                line = None
        if line is not None:
            out.append(line)
    return re.sub(r"\n{4,}", "\n\n\n", "\n".join(out)) + "\n"


def public(module, extra=()):
    """Names that do not begin with _; of the package all its modules, imported or not."""
    listed = [name for name, o in vars(module).items() if name[0] != "_" and not isinstance(o, types.ModuleType)]
    if module is tandem:
        parts = [m.name for m in pkgutil.iter_modules(tandem.__path__) if not m.name.startswith(("_", "lib"))]
        for part in parts:
            importlib.import_module(f"tandem.{part}")
        listed += parts
    return sorted({*listed, *extra})


def main_stub():
    names = public(tandem, ("__version__", "__array_api_version__", "__array_namespace_info__", "_int_mm"))
    objects = [getattr(tandem, name) for name in names]
    classes = [o for o in objects if isinstance(o, type) and o.__module__ == "tandem" and not is_error(o)]
    texts = [class_text(cls, "(tuple[builtins.int, ...])" if cls is tandem.Size else "") for cls in classes]
    aliases = "_dtype: TypeAlias = dtype\n_device: TypeAlias = device\n"
    exported, made = functions(tandem, "", names)
    imports = f"from tandem.cuda import Stream\nfrom tandem._types import {ARGUMENTS}\n"
    return HEADER + IMPORTS + exported + imports + "\n" + aliases + "\n" + made + "\n" + "\n".join(texts)


def part_stub(module, prefix):
    imports = "from tandem import Generator, Tensor, return_types\nfrom tandem import dtype as _dtype\n"
    written = [
        name
        for name in public(module)
        if inspect.getmodule(getattr(module, name)) is module and not is_error(getattr(module, name))
    ]
    exported, body = functions(module, prefix, [n for n in public(module) if n not in written])
    for name in written:
        o = getattr(module, name)
        if inspect.isfunction(o):
            body += definition(name, [python_form(o, False)]) + "\n"
        elif isinstance(o, type):
            own = [n for n, f in vars(o).items() if inspect.isfunction(f)]
            lines = [definition(n, [python_form(getattr(o, n), True)], "    ") for n in own]
            body += f"class {name}:\n" + "\n".join(lines) + "\n"
    return HEADER + IMPORTS + imports + f"from tandem._types import {ARGUMENTS}\n" + exported + "\n" + body


def return_types_stub():
    text = HEADER + IMPORTS + "from tandem import Tensor\n"
    for name, row in sorted(_docs.rows().items()):
        if row["results"]:
            fields = [f"    {f}: {FIELDS.get(f'{name}.{f}', 'Tensor')}" for f in row["results"]]
            text += f"\nclass {name}(NamedTuple):\n" + "\n".join(fields) + "\n"
    return text


# Types in the namespace of the Array API by the standard's parameters; others are Any.
STANDARD = {
    "x": "Tensor",
    "x1": "Tensor | Number",
    "x2": "Tensor | Number",
    "axis": "builtins.int | tuple[builtins.int, ...]",
    "axes": "Sequence[builtins.int]",
    "keepdims": "builtins.bool",
    "dtype": "_dtype",
    "device": "DeviceLike",
    "shape": "builtins.int | tuple[builtins.int, ...]",
    "copy": "builtins.bool",
    "norm": literal(WORDS["norm"]),
    "n": "builtins.int",
    "s": "Sequence[builtins.int]",
    **dict.fromkeys("start stop step fill_value min max".split(), "Number | Tensor"),
    **dict.fromkeys("n_rows n_cols num k offset".split(), "builtins.int"),
    **dict.fromkeys("endpoint descending stable include_initial upper full_matrices".split(), "builtins.bool"),
    **dict.fromkeys("indices prepend append condition sorter".split(), "Tensor"),
    **dict.fromkeys("source destination shift".split(), "builtins.int | tuple[builtins.int, ...]"),
    **dict.fromkeys("correction d".split(), "builtins.float"),
    **dict.fromkeys("from_ to type".split(), "_dtype | Tensor"),
    "repeats": "builtins.int | Tensor",
    "repetitions": "tuple[builtins.int, ...]",
    "rtol": "builtins.float | Tensor",
    "arrays": "Sequence[Tensor]",
    "arrays_and_dtypes": "Tensor | Number | _dtype",
    **{name: literal(WORDS[name]) for name in ("indexing", "side")},
    "mode": literal("reduced complete"),
    "tensordot.axes": "builtins.int | tuple[Sequence[builtins.int], Sequence[builtins.int]]",
    "from_dlpack.x": "Any",
}
STANDARD_RESULTS = {
    **dict.fromkeys("meshgrid broadcast_arrays".split(), "list[Tensor]"),
    **dict.fromkeys("can_cast isdtype".split(), "builtins.bool"),
    **dict.fromkeys("finfo iinfo unique_all unique_counts unique_inverse qr".split(), "Any"),
    "nonzero": "tuple[Tensor, ...]",
    "result_type": "_dtype",
}


def standard_form(o, result):
    """Of a function of the Array API, whose signature is the standard's."""
    texts, last = [], None
    for p in inspect.signature(o).parameters.values():
        if last is p.POSITIONAL_ONLY and p.kind is not last:
            texts.append("/")
        if p.kind is p.KEYWORD_ONLY and last not in (p.KEYWORD_ONLY, p.VAR_POSITIONAL):
            texts.append("*")
        last = p.kind
        kind = STANDARD.get(f"{o.__name__}.{p.name}") or STANDARD.get(p.name, "Any")
        if p.kind is p.VAR_POSITIONAL:
            kind = re.sub(r"Sequence\[(.*)\]", r"\1", kind)
        if p.default is None and kind != "Any":
            kind += " | None"
        default = "" if p.default is p.empty else f" = {p.default!r}"
        texts.append(f"{'*' * (p.kind is p.VAR_POSITIONAL)}{p.name}: {kind}{default}")
    if last is inspect.Parameter.POSITIONAL_ONLY:
        texts.append("/")
    return f"({', '.join(texts)}) -> {result}"


def standard_stubs():
    """Of tandem.array_api, whose functions are made when it is imported."""
    names = ("array_api", "array_api.linalg", "array_api.fft")
    modules = [importlib.import_module(f"tandem.{name}") for name in names]
    texts = {}
    for module in modules:
        made = {name: op or name for part, name, op, *_ in modules[0]._made.ROWS}
        lines, plain = [], []
        for name in module.__all__:
            o = getattr(module, name)
            if not callable(o) or isinstance(o, type):
                plain.append(name)
                continue
            function = modules[0]._made.op_of(made[name]) if o.__doc__ and "The Array API's: " in o.__doc__ else None
            key = _docs.key_of(function) if function else ""
            result = "Tensor" if function is None or key in FORMS else result_of(function, key)
            result = STANDARD_RESULTS.get(name, result)
            lines.append(definition(name, [standard_form(o, result)]))
        exported, constants = functions(module, "", [n for n in plain if n not in ("linalg", "fft")])
        parts = "from tandem.array_api import fft as fft\nfrom tandem.array_api import linalg as linalg\n"
        head = "from tandem import Tensor, return_types\nfrom tandem import dtype as _dtype\n"
        head += f"from tandem._types import {ARGUMENTS}\n" + (parts if module is modules[0] else "") + exported
        name = module.__name__.removeprefix("tandem.array_api").lstrip(".") or "__init__"
        texts[f"array_api/{name}.pyi"] = HEADER + IMPORTS + head + "\n" + constants + "\n".join([*lines, ""])
    return texts


def stubs():
    """{file name: text}"""
    exported = [*(name for name in public(tandem.signal) if callable(getattr(tandem.signal, name))), "windows"]
    signal = part_stub(tandem.signal, "signal.") + f"\nfrom tandem import _windows as windows\n\n__all__ = {exported}\n"
    texts = {
        "__init__.pyi": main_stub(),
        "linalg.pyi": part_stub(tandem.linalg, "linalg."),
        "fft.pyi": part_stub(tandem.fft, "fft."),
        "signal.pyi": signal,
        "_windows.pyi": part_stub(tandem.signal.windows, "signal.windows."),
        "cuda.pyi": part_stub(tandem.cuda, "cuda."),
        "io.pyi": part_stub(tandem.io, "io."),
        "return_types.pyi": return_types_stub(),
    }
    texts |= standard_stubs()
    return {name: tidy(text) for name, text in texts.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing")
    check = parser.parse_args().check
    old = []
    for name, text in stubs().items():
        path = PLACE / name
        if not path.exists() or path.read_text("utf-8") != text:
            old.append(name)
            if not check:
                path.write_text(text, "utf-8")
    if check and old:
        print(f"not what the package has now: {', '.join(old)}; run tools/stubs.py", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
