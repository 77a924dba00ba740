"""CUDA devices: whether there are any, and waiting for them."""

from tandem import _tandem


def is_available():
    """Whether a CUDA device can be used."""
    return _tandem._cuda_is_available()


def device_count():
    """Number of CUDA devices that can be used."""
    return _tandem._cuda_device_count()


def status():
    """Why CUDA is or is not in use, in words."""
    return _tandem._cuda_status()


def synchronize(device=None):
    """Waits for all work on a device."""
    _tandem._cuda_synchronize(device)
