"""Files: tensors in HDF5 with their dimension names, and pictures in PNG and JPEG."""

from tandem._tandem._io import (
    list_hdf5,
    load_all_hdf5,
    load_hdf5,
    read_image,
    save_hdf5,
    write_image,
    write_jpeg,
    write_png,
)
