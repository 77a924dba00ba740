"""DLPack under PyTorch's names: torch.utils.dlpack."""

from tandem.exchange import from_dlpack

__all__ = ["from_dlpack", "to_dlpack"]


def to_dlpack(tensor):
    """The tensor's memory as a DLPack capsule in the form before version 1, for one call of a from_dlpack."""
    return tensor.__dlpack__()
