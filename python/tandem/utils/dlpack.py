"""DLPack under PyTorch's names: torch.utils.dlpack."""

from __future__ import annotations

from tandem.exchange import from_dlpack

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tandem import Tensor

__all__ = ["from_dlpack", "to_dlpack"]


def to_dlpack(tensor: Tensor) -> object:
    """The tensor's memory as a DLPack capsule in the form before version 1, for one call of a from_dlpack.

    >>> x = tandem.tensor([1, 2])
    >>> tandem.from_dlpack(tandem.to_dlpack(x))[0] = 9
    >>> x
    tensor([9, 2])
    """
    return tensor.__dlpack__()
