# Prints the datasets of an HDF5 file with their dimension names, as h5py sees them.
import sys

import h5py


def show(name, item):
    if isinstance(item, h5py.Dataset):
        names = [dim.label or "-" for dim in item.dims]
        print(f"{name}: {item.dtype} {item.shape} names {tuple(names)}")


if __name__ == "__main__":
    for path in sys.argv[1:]:
        with h5py.File(path, "r") as file:
            file.visititems(show)
