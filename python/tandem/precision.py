"""How products are computed: exact mode of a thread."""

from tandem import _tandem


class exact:
    """Exact mode inside `with`, for this thread: matrix products and transforms by Tandem's own kernels in a fixed
    order, the same bits on the CPU and the GPU. `exact(False)` leaves it for a block."""

    def __init__(self, on=True):
        self.on = bool(on)
        self.before = []

    def __enter__(self):
        self.before.append(_tandem.is_exact())
        _tandem.set_exact(self.on)

    def __exit__(self, *error):
        _tandem.set_exact(self.before.pop())
