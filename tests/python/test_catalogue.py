"""No hole that the Python Array API 2024.12 or PyTorch fills: every name exists, with parameters of the standard.

PyTorch's names are those of tests/data/torch_names.json (tests/data/record_torch_names.py). What Tandem does not have is
listed with the reason.
"""

# lint: oracle table
import inspect
import json
import re
from pathlib import Path

import pytest

import tandem

# The standard's main namespace: functions with their parameters; `/` and `*` as there.
ARRAY_API = """
abs(x, /)
acos(x, /)
acosh(x, /)
add(x1, x2, /)
all(x, /, *, axis=None, keepdims=False)
any(x, /, *, axis=None, keepdims=False)
arange(start, /, stop=None, step=1, *, dtype=None, device=None)
argmax(x, /, *, axis=None, keepdims=False)
argmin(x, /, *, axis=None, keepdims=False)
argsort(x, /, *, axis=-1, descending=False, stable=True)
asarray(obj, /, *, dtype=None, device=None, copy=None)
asin(x, /)
asinh(x, /)
astype(x, dtype, /, *, copy=True, device=None)
atan(x, /)
atan2(x1, x2, /)
atanh(x, /)
bitwise_and(x1, x2, /)
bitwise_invert(x, /)
bitwise_left_shift(x1, x2, /)
bitwise_or(x1, x2, /)
bitwise_right_shift(x1, x2, /)
bitwise_xor(x1, x2, /)
broadcast_arrays(*arrays)
broadcast_to(x, /, shape)
can_cast(from_, to, /)
ceil(x, /)
clip(x, /, min=None, max=None)
concat(arrays, /, *, axis=0)
conj(x, /)
copysign(x1, x2, /)
cos(x, /)
cosh(x, /)
count_nonzero(x, /, *, axis=None, keepdims=False)
cumulative_prod(x, /, *, axis=None, dtype=None, include_initial=False)
cumulative_sum(x, /, *, axis=None, dtype=None, include_initial=False)
diff(x, /, *, axis=-1, n=1, prepend=None, append=None)
divide(x1, x2, /)
empty(shape, *, dtype=None, device=None)
empty_like(x, /, *, dtype=None, device=None)
equal(x1, x2, /)
exp(x, /)
expand_dims(x, /, axis)
expm1(x, /)
eye(n_rows, n_cols=None, /, *, k=0, dtype=None, device=None)
finfo(type, /)
flip(x, /, *, axis=None)
floor(x, /)
floor_divide(x1, x2, /)
from_dlpack(x, /, *, device=None, copy=None)
full(shape, fill_value, *, dtype=None, device=None)
full_like(x, /, fill_value, *, dtype=None, device=None)
greater(x1, x2, /)
greater_equal(x1, x2, /)
hypot(x1, x2, /)
iinfo(type, /)
imag(x, /)
isdtype(dtype, kind)
isfinite(x, /)
isinf(x, /)
isnan(x, /)
less(x1, x2, /)
less_equal(x1, x2, /)
linspace(start, stop, /, num, *, dtype=None, device=None, endpoint=True)
log(x, /)
log10(x, /)
log1p(x, /)
log2(x, /)
logaddexp(x1, x2, /)
logical_and(x1, x2, /)
logical_not(x, /)
logical_or(x1, x2, /)
logical_xor(x1, x2, /)
matmul(x1, x2, /)
matrix_transpose(x, /)
max(x, /, *, axis=None, keepdims=False)
maximum(x1, x2, /)
mean(x, /, *, axis=None, keepdims=False)
meshgrid(*arrays, indexing="xy")
min(x, /, *, axis=None, keepdims=False)
minimum(x1, x2, /)
moveaxis(x, source, destination, /)
multiply(x1, x2, /)
negative(x, /)
nextafter(x1, x2, /)
nonzero(x, /)
not_equal(x1, x2, /)
ones(shape, *, dtype=None, device=None)
ones_like(x, /, *, dtype=None, device=None)
permute_dims(x, /, axes)
positive(x, /)
pow(x1, x2, /)
prod(x, /, *, axis=None, dtype=None, keepdims=False)
real(x, /)
reciprocal(x, /)
remainder(x1, x2, /)
repeat(x, repeats, /, *, axis=None)
reshape(x, /, shape, *, copy=None)
result_type(*arrays_and_dtypes)
roll(x, /, shift, *, axis=None)
round(x, /)
searchsorted(x1, x2, /, *, side="left", sorter=None)
sign(x, /)
signbit(x, /)
sin(x, /)
sinh(x, /)
sort(x, /, *, axis=-1, descending=False, stable=True)
sqrt(x, /)
square(x, /)
squeeze(x, /, axis)
stack(arrays, /, *, axis=0)
std(x, /, *, axis=None, correction=0.0, keepdims=False)
subtract(x1, x2, /)
sum(x, /, *, axis=None, dtype=None, keepdims=False)
take(x, indices, /, *, axis=None)
take_along_axis(x, indices, /, *, axis=-1)
tan(x, /)
tanh(x, /)
tensordot(x1, x2, /, *, axes=2)
tile(x, repetitions, /)
tril(x, /, *, k=0)
triu(x, /, *, k=0)
trunc(x, /)
unique_all(x, /)
unique_counts(x, /)
unique_inverse(x, /)
unique_values(x, /)
unstack(x, /, *, axis=0)
var(x, /, *, axis=None, correction=0.0, keepdims=False)
vecdot(x1, x2, /, *, axis=-1)
where(condition, x1, x2, /)
zeros(shape, *, dtype=None, device=None)
zeros_like(x, /, *, dtype=None, device=None)
"""

CONSTANTS = {"e": 2.718281828459045, "inf": float("inf"), "nan": float("nan"), "newaxis": None, "pi": 3.141592653589793}
DTYPES = "bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 float32 float64 complex64 complex128".split()
ATTRIBUTES = "dtype device mT ndim shape size T".split()
METHODS = """
__abs__ __add__ __and__ __array_namespace__ __bool__ __complex__ __dlpack__ __dlpack_device__ __eq__ __float__
__floordiv__ __ge__ __getitem__ __gt__ __index__ __int__ __invert__ __le__ __lshift__ __lt__ __matmul__ __mod__ __mul__
__ne__ __neg__ __or__ __pos__ __pow__ __rshift__ __setitem__ __sub__ __truediv__ __xor__ to_device
__iadd__ __radd__ __isub__ __rsub__ __imul__ __rmul__ __itruediv__ __rtruediv__ __ifloordiv__ __rfloordiv__ __ipow__
__rpow__ __imod__ __rmod__ __imatmul__ __rmatmul__ __iand__ __rand__ __ior__ __ror__ __ixor__ __rxor__ __ilshift__
__rlshift__ __irshift__ __rrshift__
""".split()
INSPECTION = "capabilities default_device default_dtypes devices dtypes".split()

LATER = "a later issue: "
# Names of the standard that stand for something else, as in PyTorch, or that wait.
ARRAY_API_EXCLUDED = {
}
# Where a name of tandem has PyTorch's meaning, and a call of the standard's form means another thing than in
# tandem.array_api.
OTHER_MEANING = {
    "equal": "whether two tensors are equal, one bool: PyTorch's; the standard's is eq, not_equal's is ne",
    "size": "the method of PyTorch; the number of elements is numel()",
    "repeat": "Tensor.repeat is PyTorch's (NumPy's tile); the standard's function is repeat_interleave",
    "var": "correction is 1 by default, as in PyTorch",
    "std": "correction is 1 by default, as in PyTorch",
    "meshgrid": 'indexing is "ij" by default, as in PyTorch',
    "nonzero": "one tensor of indices, a row an element; as_tuple=True for the standard's form",
    "take": "of the flattened tensor, without an axis",
    "max": "with an axis a pair of values and indices; amax gives the values",
    "min": "with an axis a pair of values and indices; amin gives the values",
    "unique_all": "NaN are counted one by one, as the standard has it",
}


def declared(line):
    """Name and parameters of a line of ARRAY_API: (name, [(parameter, kind)])."""
    name, text = re.fullmatch(r"(\w+)\((.*)\)", line).groups()
    kind, parameters = "either", []
    parts = [part.strip() for part in text.split(",") if part.strip()]
    for part in parts:
        if part == "/":
            parameters = [(p, "position") for p, _ in parameters]
        elif part == "*":
            kind = "keyword"
        elif part.startswith("*"):
            parameters.append((part[1:], "list"))
        else:
            parameters.append((part.split("=")[0], kind))
    return name, parameters


FUNCTIONS = dict(declared(line) for line in ARRAY_API.split("\n") if line)


def parameters_of(function):
    """The parameters' names, other names of them included."""
    text = getattr(function, "__text_signature__", None) or str(inspect.signature(function))
    return set(re.findall(r"\w+", re.sub(r"=[^,)]*", "", text)))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_array_api_function(name):
    if name in ARRAY_API_EXCLUDED:
        assert not hasattr(tandem, name), f"{name} exists: take it off the list"
        pytest.skip(ARRAY_API_EXCLUDED[name])
    assert hasattr(tandem, name), f"the Array API has {name}"
    assert callable(getattr(tandem, name))


# A call of each function as the standard writes it: keywords by the standard's names.
X, Y, M, B, N = "x", "y", "m", "b", "n"
CALLS = {
    "all": ((B,), {"axis": 0, "keepdims": True}),
    "any": ((B,), {"axis": 0, "keepdims": True}),
    "arange": ((0,), {"stop": 5, "step": 2, "dtype": tandem.float32, "device": "cpu"}),
    "argmax": ((M,), {"axis": 0, "keepdims": True}),
    "argmin": ((M,), {"axis": 0, "keepdims": True}),
    "argsort": ((M,), {"axis": 0, "descending": True, "stable": True}),
    "asarray": (([1, 2],), {"dtype": tandem.float32, "device": "cpu", "copy": True}),
    "astype": ((M, tandem.int64), {"copy": True}),
    "bitwise_and": ((N, N), {}),
    "bitwise_invert": ((N,), {}),
    "bitwise_left_shift": ((N, N), {}),
    "bitwise_or": ((N, N), {}),
    "bitwise_right_shift": ((N, N), {}),
    "bitwise_xor": ((N, N), {}),
    "broadcast_arrays": ((X, M), {}),
    "broadcast_to": ((X,), {"shape": (4, 3)}),
    "can_cast": ((tandem.int8, tandem.float32), {}),
    "clip": ((X,), {"min": 0.0, "max": 1.0}),
    "concat": (([M, M],), {"axis": 1}),
    "count_nonzero": ((M,), {"axis": 0}),
    "cumulative_prod": ((M,), {"axis": 0, "dtype": tandem.float64, "include_initial": True}),
    "cumulative_sum": ((M,), {"axis": 0, "dtype": tandem.float64, "include_initial": True}),
    "diff": ((M,), {"axis": 0, "n": 1}),
    "empty": (((2, 3),), {"dtype": tandem.float32, "device": "cpu"}),
    "expand_dims": ((M,), {"axis": 1}),
    "eye": ((3, 4), {"k": 1, "dtype": tandem.float32}),
    "finfo": ((tandem.float32,), {}),
    "flip": ((M,), {"axis": 0}),
    "from_dlpack": ((M,), {"device": "cpu", "copy": True}),
    "full": (((2, 3), 1.5), {"dtype": tandem.float32}),
    "full_like": ((M, 2.0), {}),
    "iinfo": ((tandem.int8,), {}),
    "isdtype": ((tandem.int8, "signed integer"), {}),
    "linspace": ((0.0, 1.0), {"num": 5, "endpoint": False}),
    "logical_and": ((B, B), {}),
    "logical_not": ((B,), {}),
    "logical_or": ((B, B), {}),
    "logical_xor": ((B, B), {}),
    "matmul": ((M, M), {}),
    "max": ((M,), {"axis": 0, "keepdims": True}),
    "mean": ((M,), {"axis": (0, 1), "keepdims": True}),
    "meshgrid": ((X, X), {"indexing": "xy"}),
    "min": ((M,), {"axis": 0, "keepdims": True}),
    "moveaxis": ((M, 0, 1), {}),
    "nonzero": ((M,), {}),
    "ones": (((2, 3),), {"dtype": tandem.float32}),
    "permute_dims": ((M,), {"axes": (1, 0)}),
    "prod": ((M,), {"axis": 0, "dtype": tandem.float64, "keepdims": True}),
    "repeat": ((M, 2), {"axis": 0}),
    "reshape": ((M,), {"shape": (9,), "copy": True}),
    "result_type": ((M, tandem.int8, N), {}),
    "roll": ((M, 1), {"axis": 0}),
    "searchsorted": ((X, X), {"side": "left"}),
    "sort": ((M,), {"axis": 0, "descending": True, "stable": True}),
    "squeeze": ((Y,), {"axis": 0}),
    "stack": (([M, M],), {"axis": 1}),
    "std": ((M,), {"axis": 0, "correction": 1.0, "keepdims": True}),
    "sum": ((M,), {"axis": 0, "dtype": tandem.float64, "keepdims": True}),
    "take": ((M, "i"), {"axis": 0}),
    "take_along_axis": ((M, "k"), {"axis": 0}),
    "tensordot": ((M, M), {"axes": 1}),
    "tile": ((M, (2, 1)), {}),
    "tril": ((M,), {"k": 1}),
    "triu": ((M,), {"k": 1}),
    "unstack": ((M,), {"axis": 0}),
    "var": ((M,), {"axis": 0, "correction": 1.0, "keepdims": True}),
    "vecdot": ((M, M), {"axis": 0}),
    "where": ((B, X, X), {}),
    "zeros": (((2, 3),), {"dtype": tandem.float32}),
}


def arguments(name):
    """Positional and keyword arguments of a call as the standard writes it."""
    values = {
        X: tandem.tensor([0.25, 0.5, 0.75]),
        Y: tandem.ones(1, 3),
        M: tandem.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]]),
        B: tandem.tensor([True, False, True]),
        N: tandem.tensor([1, 2, 3]),
        "i": tandem.tensor([0, 2]),
        "k": tandem.tensor([[0, 1, 2]]),
    }
    get = lambda v: values[v] if isinstance(v, str) and v in values else [get(w) for w in v] if isinstance(v, list) else v
    if name in CALLS:
        positional, keywords = CALLS[name]
    else:
        needed = [p for p, kind in FUNCTIONS[name] if kind == "position"]
        two = {"matrix_transpose"}
        positional, keywords = tuple(M if name in two else X for _ in needed), {}
    return [get(v) for v in positional], {k: get(v) for k, v in keywords.items()}


@pytest.mark.parametrize("name", [n for n in FUNCTIONS if n not in ARRAY_API_EXCLUDED])
def test_array_api_call(name):
    positional, keywords = arguments(name)
    if name == "acosh":
        positional = [p + 1 for p in positional]
    if name == "imag":  # of real numbers an error, as in the standard
        positional = [p + 1j for p in positional]
    getattr(tandem, name)(*positional, **keywords)


def test_array_api_constants_and_dtypes():
    for name, value in CONSTANTS.items():
        got = getattr(tandem, name)
        assert got == value or (value != value and got != got), name
    for name in DTYPES:
        assert getattr(tandem, name) in tandem.dtypes, name


@pytest.mark.parametrize("name", METHODS + ATTRIBUTES)
def test_array_api_attribute(name):
    if name in ARRAY_API_EXCLUDED:
        assert not hasattr(tandem.Tensor, name), f"{name} exists: take it off the list"
        pytest.skip(ARRAY_API_EXCLUDED[name])
    assert hasattr(tandem.Tensor, name)


def test_array_api_namespace():
    x = tandem.ones(2, 3)
    assert x.__array_namespace__() is tandem.array_api
    assert x.__array_namespace__(api_version="2024.12") is tandem.array_api
    with pytest.raises(ValueError, match="2024.12"):
        x.__array_namespace__(api_version="1999.01")
    assert tandem.__array_api_version__ == "2024.12"
    info = tandem.__array_namespace_info__()
    for name in INSPECTION:
        assert callable(getattr(info, name)), name
    assert info.capabilities() == {"boolean indexing": True, "data-dependent shapes": True, "max dimensions": 32}
    assert info.default_device() == tandem.device("cpu")
    assert tandem.device("cpu") in info.devices()
    defaults = info.default_dtypes()
    assert defaults["real floating"] is tandem.float32 and defaults["integral"] is tandem.int64
    assert defaults["complex floating"] is tandem.complex64 and defaults["indexing"] is tandem.int64
    assert set(info.dtypes()) == set(DTYPES)
    assert set(info.dtypes(kind="unsigned integer")) == {"uint8", "uint16", "uint32", "uint64"}
    assert set(info.dtypes(kind=("bool", "complex floating"))) == {"bool", "complex64", "complex128"}


def test_isdtype():
    kinds = {
        "bool": ["bool"],
        "signed integer": ["int8", "int16", "int32", "int64"],
        "unsigned integer": ["uint8", "uint16", "uint32", "uint64"],
        "real floating": ["float16", "bfloat16", "float32", "float64"],
        "complex floating": ["complex64", "complex128"],
    }
    kinds["integral"] = kinds["signed integer"] + kinds["unsigned integer"]
    kinds["numeric"] = kinds["integral"] + kinds["real floating"] + kinds["complex floating"]
    for kind, names in kinds.items():
        for dtype in tandem.dtypes:
            assert tandem.isdtype(dtype, kind) == (str(dtype).removeprefix("tandem.") in names), (dtype, kind)
    assert tandem.isdtype(tandem.int8, (tandem.float32, "integral"))
    assert not tandem.isdtype(tandem.int8, tandem.int16)
    with pytest.raises(ValueError, match="isdtype"):
        tandem.isdtype(tandem.int8, "nonesuch")


def test_astype_and_asarray():
    x = tandem.ones(3)
    assert tandem.astype(x, tandem.float32, copy=False) is x
    assert tandem.astype(x, tandem.float32).data_ptr() != x.data_ptr()
    assert tandem.astype(x, tandem.int8).dtype is tandem.int8
    assert tandem.asarray(x) is x and tandem.asarray(x, copy=False) is x
    assert tandem.asarray(x, copy=True).data_ptr() != x.data_ptr()
    with pytest.raises(ValueError, match="copy"):
        tandem.asarray(x, dtype=tandem.int8, copy=False)
    with pytest.raises(ValueError, match="copy"):
        tandem.asarray([1, 2], copy=False)
    assert tandem.asarray([1, 2]).dtype is tandem.int64


def test_result_type_of_many():
    assert tandem.result_type(tandem.int8, tandem.uint8) is tandem.int16
    assert tandem.result_type(tandem.ones(2), tandem.int64, tandem.float64) is tandem.float64
    assert tandem.result_type(tandem.ones(2, dtype=tandem.int8), 1) is tandem.int8
    assert tandem.result_type(tandem.ones(2, dtype=tandem.int8), 1.5) is tandem.float32
    assert tandem.result_type(tandem.int16) is tandem.int16
    assert tandem.can_cast(tandem.ones(2, dtype=tandem.int8), tandem.float32)


# ---- PyTorch

TORCH = json.loads((Path(__file__).parent.parent / "data/torch_names.json").read_text())

# Reason -> names, as regular expressions of whole names.
TORCH_EXCLUDED = {
    LATER + "distances, iterative eigenvalues": """lobpcg norm_except_dim cdist pdist cosine_similarity pairwise_distance""",
    "gone from PyTorch: each raises an error that names the function of linalg": "eig lstsq matrix_rank solve symeig",
    "not documented in PyTorch: linalg.matrix_norm": "nuclear_norm frobenius_norm",
    LATER + "FFT": "stft istft",
    LATER + "autograd": """backward grad grad_dtype grad_fn requires_grad requires_grad_ retain_grad retains_grad detach
        detach_ detach_copy register_hook register_post_accumulate_grad_hook is_leaf is_inference output_nr data
        volatile name autocast""",
    LATER + "sparse": """\\w*sparse\\w* ccol_indices col_indices crow_indices row_indices indices values coalesce
        is_coalesced dense_dim dsmm hsmm hspmm saddmm smm spmm sspaddmm to_dense layout""",
    LATER + "quantized": """\\w*quantize\\w* int_repr q_\\w+ qscheme fake_\\w+ fbgemm_\\w+ fused_moving_\\w+
        choose_qparams\\w* chalf""",
    LATER + "neural networks": """adaptive_\\w+ affine_grid_generator alpha_dropout avg_pool\\w+ batch_norm\\w* bilinear
        binary_cross_\\w+ channel_shuffle constant_pad_nd conv\\w+ cosine_embedding_loss ctc_loss dropout
        embedding\\w* feature_\\w+ grid_sampler\\w* group_norm gru\\w* hinge_\\w+ instance_norm kl_div
        layer_norm lstm\\w* margin_\\w+ max_pool\\w+ miopen_\\w+ native_\\w+ pixel_\\w+ poisson_nll_loss rms_norm
        rnn_\\w+ rrelu triplet_\\w+""",
    LATER + "shared memory, files": "share_memory_ is_shared module_load",
    "copying forms of views, which PyTorch has for its compiler: clone() after the view": """\\w+_copy split_with_sizes\\w*
        unsafe_\\w+ slice_inverse\\w*""",
    "symbolic shapes, which Tandem has none of": "sym_\\w+",
    "deprecated in PyTorch: arange": "range",
    "other devices, subclasses and internals of PyTorch": """apply_ map_ map2_ as_subclass const_data_ptr cuda_\\w+ ipu
        is_conj is_neg is_distributed is_ipu is_maia is_mkldnn is_mps is_mtia is_nested is_vulkan is_xla is_xpu mtia
        new nelement ndimension reinforce resolve_conj resolve_neg set_ is_set_to storage_type to_mkldnn
        to_padded_tensor xpu untyped_storage get_device dim_order hash_tensor resize resize_ resize_as resize_as_
        sspaddmm share_memory\\w* type""",
}


def excluded(name):
    for reason, patterns in TORCH_EXCLUDED.items():
        if any(re.fullmatch(pattern, name) for pattern in patterns.split()):
            return reason
    return None


@pytest.mark.parametrize("name", TORCH["functions"])
def test_torch_function(name):
    if hasattr(tandem, name):
        assert callable(getattr(tandem, name))
    else:
        assert excluded(name), f"PyTorch {TORCH['version']} has torch.{name}"
        pytest.skip(excluded(name))


@pytest.mark.parametrize("name", TORCH["methods"])
def test_torch_method(name):
    if not hasattr(tandem.Tensor, name):
        assert excluded(name), f"PyTorch {TORCH['version']} has Tensor.{name}"
        pytest.skip(excluded(name))
