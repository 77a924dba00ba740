"""How products are computed: exact mode of a thread, TensorFloat-32 on a device."""

from __future__ import annotations

from tandem import _tandem, errors

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal


class exact:
    """Exact mode inside `with`, for this thread: matrix products and transforms by Tandem's own kernels in a fixed
    order, the same bits on the CPU and the GPU. `exact(False)` leaves it for a block.

    >>> with tandem.exact():
    ...     x = tandem.ones(2, 3) @ tandem.ones(3, 2)
    >>> tandem.is_exact()
    False
    """

    def __init__(self, on: bool = True) -> None:
        self.on = bool(on)
        self.before = []

    def __enter__(self) -> None:
        self.before.append(_tandem.is_exact())
        _tandem.set_exact(self.on)

    def __exit__(self, *error: object) -> None:
        _tandem.set_exact(self.before.pop())


def set_float32_matmul_precision(precision: Literal["highest", "high", "medium"]) -> None:
    """'highest' (the default): float32 is multiplied as it is. 'high' and 'medium': as TensorFloat-32 on devices that
    have it; nothing narrower is used. Concerns the whole process, and neither the CPU nor exact mode.

    ValueError for another word.

    >>> tandem.set_float32_matmul_precision("high")
    >>> tandem.get_float32_matmul_precision()
    'high'
    >>> tandem.set_float32_matmul_precision("highest")
    """
    if precision not in ("highest", "high", "medium"):
        raise errors.ValueError(
            f"[set_float32_matmul_precision] expected 'highest', 'high' or 'medium', got {precision!r}"
        )
    _tandem._set_allow_tf32(precision != "highest")


def get_float32_matmul_precision() -> Literal["highest", "high"]:
    """'highest', or 'high' where TensorFloat-32 is allowed.

    >>> tandem.get_float32_matmul_precision()
    'highest'
    """
    return "high" if _tandem._allow_tf32() else "highest"
