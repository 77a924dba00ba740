"""Docstrings of the functions made in C++: from the op table, and the notes and examples in examples/.

Nothing here is loaded before a docstring is asked for.
"""

import functools
import pathlib
import re

from tandem import _tandem

# What the sections of examples/ may say; a docstring has them in this order.
NOTES = ("Shape", "Units", "Dtype", "Note", "Errors")


@functools.cache
def sections():
    """{name: ({note: text}, example)} of all files in examples/."""
    found = {}
    for path in sorted((pathlib.Path(__file__).parent / "examples").glob("*.txt")):
        for name, body in re.findall(r"^\[(.+)\]\n((?:(?!\[\S+\]$).*\n?)*)", path.read_text("utf-8"), re.M):
            notes = dict(re.findall(rf"^({'|'.join(NOTES)}|Argument \w+): (.+)$", body, re.M))
            start = body.find(">>>")
            found[name] = (notes, body[start:].strip() if start >= 0 else "")
    return found


@functools.cache
def rows():
    """The op table by name."""
    return {row["name"]: row for row in _tandem.op_rows()}


@functools.cache
def other_names():
    """The rows by their aliases, under which tandem.array_api has some."""
    return {alias: row for row in rows().values() for alias in row["aliases"]}


def row_of(function):
    """The row that a function stands for, or None."""
    name = function.__name__
    return rows().get(name) or (rows().get(name[:-1]) if name.endswith("_") else None) or other_names().get(name)


def is_in_place(function):
    """Whether it is the form of a row that writes to its first argument."""
    row = row_of(function)
    return "in" in function._described[3].split() or (row is not None and row["name"] + "_" == function.__name__)


def key_of(function):
    """The function's name in examples/: linalg.cholesky for the row linalg_cholesky."""
    name, row = function.__name__, row_of(function)
    if row is not None and (name not in sections() or row["name"] == name):
        return row["python"]
    return name


@functools.cache
def _kinds():
    """The dtypes by kind."""
    kinds = {"bool": [], "integers": [], "floats": [], "complex": []}
    for t in _tandem.dtypes:
        float_kind = "floats" if t.is_floating_point else "integers"
        kind = "bool" if t is _tandem.bool else "complex" if t.is_complex else float_kind
        kinds[kind].append(t)
    return kinds


def _dtype_words(dtypes):
    if len(dtypes) == len(_tandem.dtypes):
        return "any dtype"
    words = []
    for kind, members in _kinds().items():
        have = [t for t in members if t in dtypes]
        if len(have) == len(members):
            words.append(kind)
        else:
            words += [str(t).removeprefix("tandem.") for t in have]
    return " and ".join([", ".join(words[:-1])] * (len(words) > 1) + words[-1:])


_RESULTS = {
    "same": "of the promoted dtype of the inputs",
    "number": "of the promoted dtype of the inputs; bool counts as int64",
    "float": "of the promoted dtype of the inputs; integers and bool become the default dtype",
    "bool": "bool",
    "real": "of the promoted dtype of the inputs, real where that is complex",
    "wide": "int64 of integers and bool, else of the dtype of x",
    "index": "int64",
    "int32": "int32",
    "complex": "complex64, or complex128 of float64",
}


def _dtype_note(row):
    """Of the families whose dtypes the table knows."""
    if row["family"] == "generator":
        return f"{_dtype_words(row['dtypes'])}; the default dtype unless given"
    if row["family"] == "irregular":
        return ""
    return f"computed in {_dtype_words(row['dtypes'])}; the result is {_RESULTS[row['result']]}"


def _shape_note(row, parameters):
    if row["family"] == "elementwise":
        tensors = [name for name, word, *_ in parameters if word in ("Tensor", "Arg")]
        if len(tensors) == 1:
            return f"that of {tensors[0]}"
        return f"{', '.join(tensors[:-1])} and {tensors[-1]} are broadcast against each other"
    if row["family"] == "reduction":
        return "[] without dim; with it that of x without these dimensions, or with size 1 there with keepdim"
    return ""


def _errors(row, function):
    """What all ops of the family refuse."""
    _, parameters, n_out, _ = function._described
    words = [word for _, word, *_ in parameters]
    tensors = [word for word in words if word in ("Tensor", "Arg", "Tensor[]", "Tensor?[]")]
    family = row["family"] if row else ""
    errors = ["TypeError for an argument of another type" + (" or dtype" if tensors else "")]
    if family == "elementwise" and len(tensors) > 1:
        errors.append("ShapeError where the shapes do not broadcast or the names do not match")
    if any(word in ("axis", "axes") for word in words):
        errors.append("IndexError for an axis out of range, ShapeError for a name that no dimension has")
    if len(tensors) > 1 or "Tensor[]" in words:
        errors.append("DeviceError for tensors on different devices")
    if "device" in words:
        errors.append("DeviceError for a device that is not there")
    if "shape" in words or any(name == "size" for name, *_ in parameters):
        errors.append("ValueError for a size below 0")
    if "in" in function._described[3].split():
        errors.append("ShapeError where the tensor has not the result's shape")
        errors.append("TypeError where the result cannot be cast to the tensor's dtype")
    elif n_out:
        errors.append("ShapeError and TypeError where out cannot hold the result")
    return errors


def returns(function):
    """What a call gives, in the words of a signature; empty where it depends on the arguments."""
    row = row_of(function)
    if row is None or is_in_place(function):
        return "Tensor" if row else ""
    if row["results"]:
        return f"({', '.join(row['results'])})"
    return {"Tensor": "Tensor", "Tensor[]": "tuple of Tensor", "bool": "bool"}.get(row["returns"], "")


def _signature(function, name):
    given = returns(function)
    return f"{name}{function.__text_signature__}" + (f" -> {given}" if given else "")


def _parameter_lines(function, notes):
    _, parameters, n_out, _ = function._described
    lines = []
    for name, _, accepted, required, _, default in parameters:
        accepted = notes.get(f"Argument {name}", accepted)
        default = "" if required or "by default" in accepted else f"; by default {default or 'None'}"
        lines.append(f"    {name}: {accepted}{default}")
    if n_out:
        many = ", or a tuple of them" if n_out > 1 else ""
        lines.append(f"    out: a tensor that the result is written to{many}; by default None")
    return ["Parameters:", *lines] if lines else []


def _other_names(row, function):
    if row is None:
        return ""
    name = row["python"].rpartition(".")[2]
    if is_in_place(function):
        return f"Writes to the tensor, which it gives back; as a new tensor: {name}"
    forms = []
    if row["name"].endswith("_"):
        forms.append("a method, which writes to the tensor and gives it back")
    elif row["method"]:
        forms.append("also a method")
    if row["in_place"]:
        forms.append(f"in place as {name}_")
    if row["view"]:
        forms.append("the result is a view: it shares the storage")
    if row["aliases"]:
        names = [re.sub(r"^(linalg|fft)_", r"\1.", alias) for alias in row["aliases"]]
        forms.append("other names: " + ", ".join(names))
    return "; ".join(forms)


def _sentence(text, names=()):
    """With a capital, unless it begins with a formula or a parameter, and a full stop."""
    first = re.match(r"[a-z]{2,}(?=[ ,;])|a(?= [a-z]{2})", text)
    capital = first is not None and first.group() not in [*names, *(rows().keys() - {"all", "any"})]
    return (text[:1].upper() if capital else text[:1]) + text[1:] + ("" if text.endswith(".") else ".")


def text(function):
    """The docstring of a Function."""
    line, parameters, _, form = function._described
    row, key, names = row_of(function), key_of(function), [name for name, *_ in parameters]
    notes, example = sections().get(key, ({}, ""))
    notes = dict(notes)
    if row is not None:
        notes.setdefault("Shape", _shape_note(row, parameters))
        notes.setdefault("Dtype", _dtype_note(row))
    own = notes.get("Errors", "")
    general = [error for error in _errors(row, function) if " ".join(error.split()[:4]) not in own]
    notes["Errors"] = "; ".join([own] * bool(own) + general)
    plain = row is not None and row["name"] == function.__name__ and "operator" not in form
    lines = " ".join(_sentence(part, names) for part in line.split("\n") if part)
    parts = [_signature(function, key if plain else function.__name__), lines]
    parts.append("\n".join(_parameter_lines(function, notes)))
    parts.append("\n".join(f"{note}: {_sentence(notes[note], names)}" for note in NOTES if notes.get(note)))
    parts += [_sentence(other) if (other := _other_names(row, function)) else "", example]
    return "\n\n".join(filter(None, parts))
