"""einsum and einsum_path in both of their call forms, with NumPy's words for the order of contractions."""

from __future__ import annotations

import string

from tandem import _tandem, errors

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Literal

    from tandem import Tensor

_LETTERS = string.ascii_uppercase + string.ascii_lowercase  # in the order of an output that is not written


def _letters(op, sublist):
    """The subscripts of an operand given as a list of numbers and Ellipsis."""
    text = ""
    for index in sublist:
        if index is Ellipsis:
            text += "..."
        elif isinstance(index, int) and 0 <= index < 52:
            text += _LETTERS[index]
        else:
            raise errors.ValueError(f"[{op}] expected subscripts from 0 to 51 or ..., got {index!r}")
    return text


def _equation(op, parts):
    """An equation and its operands, of either form."""
    if isinstance(parts[0], str):
        operands = parts[1:]
        if len(operands) == 1 and isinstance(operands[0], (list, tuple)):
            operands = operands[0]
        return parts[0], list(operands)
    tensors, lists = parts[: len(parts) // 2 * 2 : 2], parts[1::2]
    if not all(isinstance(t, _tandem.Tensor) for t in tensors) or not all(isinstance(s, (list, tuple)) for s in lists):
        raise errors.TypeError(f"[{op}] expected an equation (str), or tensors and lists of subscripts in turn")
    text = ",".join(_letters(op, s) for s in lists)
    if len(parts) % 2 == 1:
        text += "->" + _letters(op, parts[-1])
    return text, list(tensors)


def _order(optimize):
    """The library's word for `optimize`: True is auto, False left to right; a path is text."""
    if isinstance(optimize, bool):
        return "auto" if optimize else "left"
    if isinstance(optimize, (list, tuple)):
        steps = [step for step in optimize if step != "einsum_path"]
        return ", ".join(f"({', '.join(map(str, step))})" for step in steps) or "auto"
    return optimize


def einsum(equation: str | Tensor, *operands: Any, optimize: Any = "auto", memory_limit: int | None = None) -> Tensor:
    """Einstein summation: einsum('ij,jk->ik', a, b), or einsum(a, [0, 1], b, [1, 2], [0, 2]).

    Names in place of letters: einsum('[row inner], [inner col] -> [row col]', a, b); the operands' own names:
    einsum('-> [row col]', a, b). optimize: 'auto' (or True: the cheapest order up to 8 operands, greedy beyond),
    'optimal', 'greedy', 'left' (or False: left to right), or a path of einsum_path. memory_limit: elements of the
    largest intermediate that is allowed. docs/einsum.md has all of it.

    ValueError for an equation that is none, ShapeError where sizes of one letter differ.

    >>> a, b = tandem.tensor([[1, 2], [3, 4]]), tandem.tensor([[0, 1], [1, 0]])
    >>> tandem.einsum("ij,jk->ik", a, b)
    tensor([[2, 1],
            [4, 3]])
    >>> tandem.einsum("ii", a)
    tensor(5)
    """
    text, tensors = _equation("einsum", (equation, *operands))
    return _tandem.einsum(text, tensors, optimize=_order(optimize), memory_limit=memory_limit)


def einsum_path(
    equation: str | Tensor, *operands: Any, optimize: Any = "auto", memory_limit: int | None = None
) -> tuple[list[Any], str]:
    """The order of contractions that einsum takes with these arguments, as NumPy gives it: a list such as
    ['einsum_path', (1, 2), (0, 1)] and a text to print with the contractions, the operations and the largest
    intermediate. A place is one in the list of operands; those contracted go, the result is added to the end.

    Errors are those of einsum.

    >>> a, b, c = tandem.zeros(2, 100), tandem.zeros(100, 100), tandem.zeros(100, 3)
    >>> tandem.einsum_path("ij,jk,kl->il", a, b, c)[0]
    ['einsum_path', (0, 1), (0, 1)]
    """
    text, tensors = _equation("einsum_path", (equation, *operands))
    places, report = _tandem.einsum_path(text, tensors, optimize=_order(optimize), memory_limit=memory_limit)
    steps = [tuple(places[i : i + 2]) for i in range(0, len(places), 2)]
    return ["einsum_path", *steps], report
