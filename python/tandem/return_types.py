"""The named tuples of ops with several results."""

import collections


def make(name, fields):
    """The result type of the op `name`; made once, while the package is imported."""
    if name in globals():
        return globals()[name]

    def show(self):
        lines = ",\n".join(f"{field}={value!r}" for field, value in zip(self._fields, self))
        return f"tandem.return_types.{name}(\n{lines})"

    base = collections.namedtuple(name, fields, module="tandem.return_types")
    body = {"__slots__": (), "__module__": "tandem.return_types", "__repr__": show}
    kind = type(name, (base,), body)

    globals()[name] = kind
    return kind
