"""Size: the shape of a tensor."""


class Size(tuple):
    """A tuple of sizes that prints as Size."""

    __slots__ = ()
    __module__ = "tandem"

    def __repr__(self):
        return f"tandem.Size([{', '.join(map(repr, self))}])"

    def __getitem__(self, index):
        item = tuple.__getitem__(self, index)
        return Size(item) if isinstance(index, slice) else item

    def __add__(self, other):
        joined = tuple.__add__(self, other)
        return joined if joined is NotImplemented else Size(joined)

    def __mul__(self, times):
        repeated = tuple.__mul__(self, times)
        return repeated if repeated is NotImplemented else Size(repeated)

    __rmul__ = __mul__

    def numel(self):
        """Number of elements of a tensor of this shape."""
        count = 1
        for size in self:
            count *= size
        return count
