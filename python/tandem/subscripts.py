"""einsum in both of its call forms."""

import string

from tandem import _tandem, errors


def _letters(sublist):
    """The subscripts of an operand given as a list of numbers and Ellipsis."""
    text = ""
    for index in sublist:
        if index is Ellipsis:
            text += "..."
        elif isinstance(index, int) and 0 <= index < 52:
            text += string.ascii_letters[index]
        else:
            raise errors.ValueError(f"[einsum] expected subscripts from 0 to 51 or ..., got {index!r}")
    return text


def einsum(equation, *operands):
    """Einstein summation: einsum('ij,jk->ik', a, b), or einsum(a, [0, 1], b, [1, 2], [0, 2])."""
    if isinstance(equation, str):
        return _tandem.einsum(equation, *operands)
    parts = (equation, *operands)
    tensors, lists = parts[: len(parts) // 2 * 2 : 2], parts[1::2]
    if not all(isinstance(t, _tandem.Tensor) for t in tensors) or not all(isinstance(s, (list, tuple)) for s in lists):
        raise errors.TypeError("[einsum] expected an equation (str), or tensors and lists of subscripts in turn")
    text = ",".join(map(_letters, lists))
    if len(parts) % 2 == 1:
        text += "->" + _letters(parts[-1])
    return _tandem.einsum(text, list(tensors))
