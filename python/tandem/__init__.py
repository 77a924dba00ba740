"""Tandem: tensors with the same bits on NVIDIA GPUs and CPUs, with PyTorch's names and call forms.

Ops, their methods and the dtypes come from the op table of the C++ library; `tandem._tandem` is the module
made from it. Some names stand over Python's own (abs, sum, bool, ...), so that nothing but imports is here.
"""

import importlib as _importlib

from tandem import cuda, errors, fft, io, linalg, memory, pickling, random, return_types, signal, testing, utils
from tandem._tandem import *
from tandem._tandem import __version__, _int_mm
from tandem.numpy_forms import (
    __array_api_version__,
    __array_namespace_info__,
    arange,
    asarray,
    astype,
    e,
    eye,
    inf,
    isdtype,
    linspace,
    nan,
    newaxis,
    pi,
    reshape,
)
from tandem.errors import DeviceError, Error, FileError, OutOfMemory, ShapeError
from tandem.exchange import from_dlpack
from tandem.io import load_hdf5, save_hdf5
from tandem.memory import (
    empty_cache,
    memory_pools,
    memory_snapshot,
    memory_stats,
    memory_tag,
    reset_peak_memory,
    set_memory_limit,
    write_memory_snapshot,
)
from tandem.methods import as_strided_scatter, fill, is_nonzero, lu, unravel_index
from tandem.precision import exact, get_float32_matmul_precision, set_float32_matmul_precision
from tandem.predicates import (
    finfo,
    iinfo,
    is_complex,
    is_floating_point,
    is_same_size,
    is_signed,
    is_storage,
    is_tensor,
)
from tandem.random import get_rng_state, initial_seed, manual_seed, seed, set_rng_state
from tandem.subscripts import einsum, einsum_path
from tandem.utils.dlpack import to_dlpack


def __getattr__(name):
    """tandem.array_api, which is imported at its first use."""
    if name == "array_api":
        return _importlib.import_module("tandem.array_api")
    raise AttributeError(f"module 'tandem' has no attribute {name!r}")


def __dir__():
    return {*globals(), "array_api"}
