# Records what PyTorch prints into print_cases.json, which tests/tensor/print_test.cpp replays.
# Run by hand with a current PyTorch: python tests/data/record_print_cases.py
# lint: oracle table (what PyTorch is asked to print)
import json
import math
import pathlib

import torch

cases = []
HERE = pathlib.Path(__file__).parent
DTYPES = {str(d).split(".")[1]: d for d in (
    torch.bool, torch.uint8, torch.uint16, torch.uint32, torch.uint64, torch.int8, torch.int16, torch.int32,
    torch.int64, torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.complex64, torch.complex128)}


def raw(t):
    """The elements in row-major order as hexadecimal bytes."""
    flat = t.contiguous().reshape(-1)
    return bytes(flat.view(torch.uint8).tolist()).hex() if flat.numel() else ""


def printed(t, options):
    torch.set_printoptions(profile="default")
    torch.set_printoptions(**options)
    text = str(t)
    torch.set_printoptions(profile="default")
    return text


def name_of(dtype):
    return str(dtype).split(".")[1]


def record(t, expand=None, permute=None, default=None, **options):
    """`t` is stored; what is printed is t.expand(expand).permute(permute)."""
    shown = t.expand(expand) if expand else t
    shown = shown.permute(permute) if permute else shown
    if default:
        torch.set_default_dtype(DTYPES[default])
    case = {"dtype": name_of(t.dtype), "shape": list(t.shape), "text": printed(shown, options)}
    torch.set_default_dtype(torch.float32)
    values = torch.arange(t.numel(), dtype=torch.float64).reshape(t.shape)
    if t.numel() > 64 and t.dtype != torch.bool and torch.equal(t, values.to(t.dtype)):
        case["arange"] = True
    else:
        case["raw"] = raw(t)
    for key, value in (("expand", expand), ("permute", permute), ("default", default)):
        if value:
            case[key] = list(value) if not isinstance(value, str) else value
    if options:
        case["options"] = {k: ("inf" if v == math.inf else v) for k, v in options.items()}
    cases.append(case)


def arange(shape, dtype=torch.float32):
    return torch.arange(math.prod(shape), dtype=torch.float64).reshape(shape).to(dtype)


def spread(shape, dtype, seed, low=-3, high=3):
    """Values over several powers of ten, rounded to the dtype."""
    g = torch.Generator().manual_seed(seed)
    n = math.prod(shape)
    power = torch.rand(n, generator=g, dtype=torch.float64) * (high - low) + low
    sign = torch.where(torch.rand(n, generator=g) < 0.5, -1.0, 1.0)
    return (sign * 10 ** power).reshape(shape).to(dtype)


INF, NAN = math.inf, math.nan
FLOATS = [torch.float16, torch.bfloat16, torch.float32, torch.float64]
COMPLEX = [torch.complex64, torch.complex128]
INTS = [torch.uint8, torch.uint16, torch.uint32, torch.uint64, torch.int8, torch.int16, torch.int32, torch.int64]

# Every dtype, shapes from 0-d to 4-d and empty ones.
SHAPES = [(), (1,), (5,), (30,), (2, 3), (3, 1), (2, 2, 3), (2, 1, 2, 2), (0,), (0, 3), (2, 0), (1, 0, 2)]
for dtype in DTYPES.values():
    for shape in SHAPES:
        record(arange(shape, dtype))
for k, dtype in enumerate(FLOATS + COMPLEX):
    big = [(1001,), (3, 334), (334, 3), (11, 11, 9)] if dtype in (torch.float16, torch.complex64) else []
    for shape in [(), (4,), (17,), (3, 4), (2, 2, 2)] + big:
        record(spread(shape, dtype, 10 * k + len(shape)))
        record(spread(shape, dtype, 10 * k + len(shape) + 5, -1, 1))

# Special values.
SPECIAL = [
    [0.0], [-0.0], [0.0, -0.0], [NAN], [INF], [-INF], [NAN, INF, -INF], [1.0, NAN, INF, -INF], [1.5, NAN, -INF],
    [0.0, 1.5], [1e-5, 1.0], [1e-5], [1e-4], [9.9e-5], [0.1, 100.0], [0.1, 100.1], [1.0, 1000.0], [1.0, 1001.0],
    [1e8], [1.1e8], [1e8 + 8], [99999999.0], [100000.0, 1.0], [123456.0, 1000.5], [2.0, -0.0, NAN], [1e30, INF],
    [-1e30], [0.5, 2.5, 1.25], [0.00005, 0.99995], [0.99995], [9.99995], [-1.0], [-1.5, 10.25], [1e-40, 0.0], [3.0],
    [0.30000001192092896], [16777216.0, 1.0], [1e-3, 1.0], [0.001, 1.001], [65504.0], [-0.0, NAN], [-0.0, 5.0],
    [1e10, -1e-10, NAN, -INF, 0.0, -0.0],
]
for values in SPECIAL:
    for dtype in (torch.float32, torch.float64):
        record(torch.tensor(values, dtype=dtype))
        record(torch.tensor(values[0], dtype=dtype))
    if all(abs(v) <= 65504 or not math.isfinite(v) for v in values):
        record(torch.tensor(values, dtype=torch.float16))
    record(torch.tensor(values, dtype=torch.bfloat16))
record(torch.tensor([1e300, 1e-300], dtype=torch.float64))
record(torch.tensor([1e300, 2e299], dtype=torch.float64), sci_mode=False)
record(torch.tensor([5e-324], dtype=torch.float64))

# Limits of the integers, widths with a sign.
for dtype in INTS:
    info = torch.iinfo(dtype)
    record(torch.tensor([info.min, 0, info.max], dtype=dtype))
    record(torch.tensor(info.min, dtype=dtype))
    record(torch.tensor([[1, -10], [100, 7]] if info.min else [[1, 10], [100, 7]], dtype=dtype))
for values in ([True], [False], [True, False], [[True, True], [False, True]], [[True, True]]):
    record(torch.tensor(values))
record(torch.tensor(True))
record(torch.zeros(1200, dtype=torch.bool))

# Complex.
C = complex
for values in (
    [C(1, 2), C(3.5, -1)], [C(0, 0)], [C(-0.0, -0.0)], [C(1, NAN), C(INF, -INF)], [C(1e-5, 1), C(2, 1e9)],
    [C(1, -2), C(10, 20)], [C(0.5, 0), C(0, -0.5)], [C(NAN, NAN)], [[C(1, 1), C(2, -2)], [C(-3, 3), C(4, 4)]],
    [C(100000, 1), C(1, 1)], [C(1, 2)] * 20, [C(1.25, -2.5)] * 9,
):
    for dtype in COMPLEX:
        record(torch.tensor(values, dtype=dtype))
for dtype in COMPLEX:
    record(torch.tensor(C(1, -2), dtype=dtype))
    record(torch.tensor(C(0.5, 1e-7), dtype=dtype))

# Summaries: just under and over the threshold, every number of dimensions, dimensions that are not cut.
for shape in [(1000,), (1001,), (2, 500), (2, 501), (6, 170), (7, 150), (170, 6), (150, 7), (10, 10, 10), (10, 10, 11),
              (2, 3, 200), (200, 3, 2), (7, 7, 7, 7), (1, 1001), (1001, 1), (1, 1, 1, 1200), (50, 50)]:
    for dtype in (torch.float32, torch.int64, torch.int16, torch.float64):
        record(arange(shape, dtype))
record(arange((2000,), torch.float32) * 0.5)
record(arange((2000,), torch.float64) * 1e6)
# Only shown elements choose the format.
hidden = torch.ones(1001, dtype=torch.bfloat16)
hidden[600] = 1e10
record(hidden)
hidden = torch.ones(32, 32, dtype=torch.float16)
hidden[20, 20] = 0.5
record(hidden)

# Wrapping, options and profiles.
for n in (9, 10, 11, 12, 24, 25, 26, 36, 37, 38, 100):
    record(arange((n,)))
    record(arange((n,), torch.float32) + 0.5)
    record(arange((2, n), torch.int32))
    record(arange((2, 2, n), torch.uint8))
for options in ({"precision": 2}, {"precision": 0}, {"precision": 10}, {"threshold": 5}, {"threshold": 5, "edgeitems": 1},
                {"threshold": 5, "edgeitems": 0}, {"linewidth": 20}, {"linewidth": 1}, {"linewidth": 200},
                {"sci_mode": True}, {"sci_mode": False}, {"profile": "short"}, {"profile": "full"},
                {"threshold": math.inf}, {"profile": "full", "linewidth": 120}, {"edgeitems": 0}):
    for t in (arange((12,)), arange((3, 4)) * 0.37, spread((30,), torch.float32, 3), arange((9, 9), torch.int64),
              spread((4, 3), torch.complex64, 4), arange((2, 3, 4), torch.float16), torch.tensor(1.23456789),
              torch.tensor([1e-7, 1.0, NAN]), torch.zeros(0, 2)):
        record(t, **options)
for options in ({"profile": "short"}, {"profile": "full"}, {"edgeitems": 5}):
    record(arange((40, 30), torch.int16), **options)

# Layouts other than row-major.
record(arange((2, 3)), permute=(1, 0))
record(arange((2, 3, 4), torch.int32), permute=(2, 0, 1))
record(arange((30, 50), torch.float64), permute=(1, 0))
record(arange((1, 3), torch.float32), expand=(4, 3))
record(arange((1,), torch.int64), expand=(2000,))
record(arange((40, 1), torch.float16), expand=(40, 40), permute=(1, 0))

# The default dtype decides which dtype is shown.
for default in ("float64", "float16", "bfloat16"):
    for dtype in ("float16", "bfloat16", "float32", "float64", "complex64", "complex128", "int64", "bool", "int32"):
        record(arange((2,), DTYPES[dtype]), default=default)
        record(arange((0, 2), DTYPES[dtype]), default=default)

# Suffixes at the end of a line.
for n in range(9, 27):
    record(arange((n,), torch.int32))
    record(arange((n,), torch.float64))

unique = {json.dumps(c, sort_keys=True): c for c in cases}
with open(HERE / "print_cases.json", "w") as file:
    file.write('{"recorded_with": "PyTorch %s", "cases": [\n' % torch.__version__.split("+")[0])
    file.write(",\n".join(unique))
    file.write("\n]}\n")
print(len(unique), "cases")
