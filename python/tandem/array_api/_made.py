"""The functions that are one op: made from the table of the standard (kernels/include/tandem/ops/array_api.def).

Such a function has the standard's own signature. It looks at its arrays' dtypes, has two of them promoted, and calls the
op, which knows the standard's words for its parameters. The elementwise ones are C++ (python/src/strict.cpp).
"""

import inspect

from tandem import _docs, _tandem
from tandem._tandem import Tensor
from tandem.array_api import _kinds

ROWS = _tandem._array_api_functions()
ACCEPTED = {(part, name): _kinds.KINDS[kinds] for part, name, _, kinds, _ in ROWS}
EXTENSIONS = ("linalg", "fft")

_ONE = """
def {name}({parameters}):
    if not isinstance(x, _Tensor) or x.dtype not in _dtypes:
        _refuse("{name}", x, _dtypes){check}
    return _op({call})
"""
_CHECK = """
    _check_dtype("{name}", dtype, _dtypes)"""
_OVER_NONE = """
    if axis == ():
        x, axis, keepdims = _over_none(x)"""
_BOTH = """
def {name}({parameters}):
    x1, x2 = _same_dtype("{name}", x1, x2, _dtypes)
    return _op({call})
"""
_NONE = """
def {name}({parameters}):{check}
    return _op({call})
"""


def op_of(name):
    """The op's function in Python: linalg_inv is inv of the module linalg."""
    for module in EXTENSIONS:
        if name.startswith(module + "_"):
            return getattr(getattr(_tandem, "_" + module), name.removeprefix(module + "_"))
    return getattr(_tandem, name)


def _call(parameters):
    """The arguments of the op: what may be given by position goes so, the rest by its name."""
    names, keyword = [], False
    for part in [part.strip() for part in parameters.split(",")]:
        keyword = keyword or part == "*"
        if part not in "/*":
            word = part.partition("=")[0]
            names.append(f"{word}={word}" if keyword else word)
    return ", ".join(names)


def make(part, name, op, parameters, example):
    """The function of a row that is one op."""
    what = op_of(op)._described[0].replace("alpha * ", "")
    doc = f"{what}\n\nThe Array API's: arrays of {_kinds.words_of(ACCEPTED[part, name])}."
    if part == "elementwise":  # but for those that are written by hand
        return _tandem._strict_elementwise(name, op, tuple(ACCEPTED[part, name]), doc)
    template = _BOTH if parameters.startswith("x1, x2") else _ONE if parameters.startswith("x,") else _NONE
    scope = {
        "_Tensor": Tensor,
        "_op": op_of(op),
        "_dtypes": ACCEPTED[part, name],
        "_refuse": _kinds.refuse,
        "_same_dtype": _kinds.same_dtype,
        "_check_dtype": _kinds.check_dtype,
        "_over_none": _kinds.over_none,
    }
    check = _CHECK.format(name=name) if "dtype=None" in parameters else ""
    if "axis=None" in parameters and "keepdims" in parameters and not name.startswith("arg"):  # which have one axis
        check += _OVER_NONE
    text = template.format(name=name, parameters=parameters, call=_call(parameters), check=check)
    exec(compile(text, f"<tandem.array_api.{name}>", "exec"), scope)
    made = scope[name]
    made.__doc__ = f"{doc}\n\n{example}".rstrip()
    return made


def example_of(part, name, op):
    """The example of tandem's function of the name, or of the op."""
    extension = f"{part}." if part in EXTENSIONS else ""
    for key in (f"{extension}{name}", name, op.replace("_", ".", 1) if op.startswith(EXTENSIONS) else op):
        if example := _docs.sections().get(key, ({}, ""))[1]:
            return example
    import tandem

    own = getattr(tandem, name, None).__doc__ or ""  # written in Python
    return inspect.cleandoc(own[own.index(">>>") :]) if ">>>" in own else ""


def fill(module, part_of_it, written):
    """Puts the functions of some parts of the standard into a module: those written by hand, and the others made."""
    names = []
    for part, name, op, _, parameters in ROWS:
        if not part_of_it(part):
            continue
        made = getattr(written, name, None)
        example = example_of(part, name, op or name)
        if made is None:
            made = make(part, name, op or name, parameters, example)
        elif ">>>" not in (made.__doc__ or ""):
            made.__doc__ = f"{made.__doc__ or ''}\n\n{example}".strip()
        if part != "elementwise" or hasattr(written, name):
            made.__module__, made.__qualname__ = module["__name__"], name
        module[name] = made
        names.append(name)
    return names
