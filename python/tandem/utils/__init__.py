"""Names that PyTorch has in torch.utils."""

from tandem.utils import dlpack

__all__ = ["dlpack"]
