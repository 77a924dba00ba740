"""The default generator: seeding it, saving it, and lending it out."""

from __future__ import annotations

import contextlib

from tandem import _tandem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from tandem import Generator, Tensor
    from tandem._types import DeviceLike

default_generator = _tandem.default_generator


def manual_seed(seed: int) -> Generator:
    """Seeds the default generator, which serves every device, and gives it back. Negative seeds count from 2^64.

    TypeError for what is no integer.

    >>> g = tandem.manual_seed(7)
    >>> x = tandem.rand(3)
    >>> g = tandem.manual_seed(7)
    >>> x.equal(tandem.rand(3))
    True
    """
    return default_generator.manual_seed(seed)


def seed() -> int:
    """Seeds the default generator with a number from the system, which is given back.

    >>> tandem.seed() == tandem.initial_seed()
    True
    """
    return default_generator.seed()


def initial_seed() -> int:
    """The default generator's seed.

    >>> g = tandem.manual_seed(7)
    >>> tandem.initial_seed()
    7
    """
    return default_generator.initial_seed()


def get_rng_state(device: DeviceLike | None = None) -> Tensor:
    """The default generator's state, a uint8 tensor; the same for every device.

    >>> state = tandem.get_rng_state()
    >>> x = tandem.rand(3)
    >>> tandem.set_rng_state(state)
    >>> x.equal(tandem.rand(3))
    True
    """
    return default_generator.get_state()


def set_rng_state(new_state: Tensor, device: DeviceLike | None = None) -> None:
    """Puts the default generator into a state that get_rng_state gave.

    TypeError for what is no tensor, ValueError for one that is no state.

    >>> tandem.set_rng_state(tandem.Generator().manual_seed(7).get_state())
    >>> tandem.initial_seed()
    7
    """
    default_generator.set_state(new_state)


@contextlib.contextmanager
def fork_rng(devices: Any = None, enabled: bool = True, device_type: str = "cuda") -> Iterator[None]:
    """A `with` block that leaves the default generator as it found it. One generator serves all devices, so that
    `devices` and `device_type` change nothing.

    >>> g = tandem.manual_seed(7)
    >>> with tandem.random.fork_rng():
    ...     g = tandem.manual_seed(8)
    >>> tandem.initial_seed()
    7
    """
    saved = get_rng_state() if enabled else None
    try:
        yield
    finally:
        if saved is not None:
            set_rng_state(saved)
