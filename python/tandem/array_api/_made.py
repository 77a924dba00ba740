"""The functions that are one op: made from the table of the standard (kernels/include/tandem/ops/array_api.def).

Such a function has the standard's own signature. It looks at its arrays' dtypes, has two of them promoted, and calls the
op, which knows the standard's words for its parameters.
"""

from tandem import _tandem
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
_TWO = """
def {name}({parameters}):
    pair = (x1.dtype if isinstance(x1, _Tensor) else x1.__class__, x2.dtype if isinstance(x2, _Tensor) else x2.__class__)
    dtype = _seen.get(pair)
    if dtype is None:
        dtype = _seen[pair] = _rule("{name}", x1, x2, _dtypes)
    if dtype and (x1.ndim == 0) != (x2.ndim == 0):
        x1, x2 = _cast(x1, dtype), _cast(x2, dtype)
    return _op({call})
"""
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


def make(part, name, op, kinds, parameters):
    """The function of a row that is one op."""
    template = _ONE if parameters.startswith("x,") else _NONE
    if parameters.startswith("x1, x2"):
        template = _TWO if part == "elementwise" else _BOTH
    scope = {
        "_Tensor": Tensor,
        "_op": op_of(op),
        "_dtypes": ACCEPTED[part, name],
        "_refuse": _kinds.refuse,
        "_seen": {},  # pairs of dtypes, or of a dtype and a type of numbers, that _rule let pass
        "_rule": _kinds.rule,
        "_cast": _kinds.cast,
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
    what = (op_of(op).__doc__ or "").partition("\n\n")[2]
    made.__doc__ = f"{what}\n\nThe Array API's: arrays of {_kinds.words_of(ACCEPTED[part, name])}."
    return made


def fill(module, part_of_it, written):
    """Puts the functions of some parts of the standard into a module: those written by hand, and the others made."""
    names = []
    for part, name, op, kinds, parameters in ROWS:
        if not part_of_it(part):
            continue
        if name == "from_dlpack" and not hasattr(written, name):
            continue  # tandem has none yet
        made = getattr(written, name, None) or make(part, name, op or name, kinds, parameters)
        made.__module__ = module["__name__"]
        made.__qualname__ = name
        module[name] = made
        names.append(name)
    return names
