"""Calls Tandem with the samples that PyTorch tests its own operators with, and lists where the two differ.

  PYTHONPATH=build/cpu/python PYTHON_WITH_TORCH tests/tools/against_torch.py             every operator
  PYTHONPATH=build/cpu/python PYTHON_WITH_TORCH tests/tools/against_torch.py '^(sum|sort)$'   some of them

A sample is a call in some dtype: PyTorch's result gives the dtype, shape and values that Tandem's is compared with.
Operators that Tandem has no function of are named at the end. What differs on purpose is in KNOWN, with the reason; what
is left is printed, a line a kind of difference, and makes the exit status 1. For developers: needs PyTorch (with
expecttest, which its operator database imports) and is no part of the tests, which need neither.
"""

# lint: oracle table
import collections
import math
import re
import signal
import sys
import warnings

import numpy as np
import torch

import tandem

warnings.simplefilter("ignore")
from torch.testing._internal.common_methods_invocations import op_db  # noqa: E402

ITS_DTYPES = {str(d).split(".")[-1]: d for d in vars(tandem).values() if isinstance(d, tandem.dtype)}
DTYPES = {getattr(torch, name): d for name, d in ITS_DTYPES.items()}
SECONDS = 30  # of one call
SAMPLES = 40  # of one operator in one dtype

ANY_VALUE = "its elements have any value, or are random numbers of another generator"
TIES = "among equal elements any index is PyTorch's answer; Tandem's is the first"
ROUNDS_ONCE = "PyTorch rounds intermediate results to the half type, or its own result has an error of many places"
RANGE = "a number out of the dtype's range is an error (semantics.md)"
# Operators by pattern, what the difference says, and why it is meant.
KNOWN = [
    (r"(new_)?empty(_like|_strided|_permuted)?|rand.*|bernoulli|multinomial|normal.*", "values|value", ANY_VALUE),
    (r"sort|argsort|topk|kthvalue|mode|msort", "values", TIES),
    (r"add|sub|addmm.*|addbmm|baddbmm|addr|cov|div.*|gradient|linspace|pow|__rpow__|sinc|index_reduce.*|histc|"
     r"log_softmax|logit|corrcoef", "values", ROUNDS_ONCE),
    (r"add|sub|rsub|index_add|full_like|scalar_tensor|full", "cannot be converted", RANGE),
    (r"addmv|addbmm|baddbmm", "must not be floating", "alpha and beta that integers cannot take are refused, as addmm does"),
    (r"addr", "dtype", "numbers that are integers make an integer of bool, as everywhere"),
    (r"all|any", "dtype", "any and all of uint8 are bool (semantics.md)"),
    (r"sum_to_size", "dtype", "a tensor of no dimensions keeps its dtype, like any that is not summed"),
    (r"view_as_complex", "float16", "there is no complex32"),
    (r"nn.functional.softmin.*", "values", "integers are negated in the dtype of the softmax, not in their own"),
    (r"trapz|trapezoid|cumulative_trapezoid", "values", "differences of integers do not wrap"),
    (r"tensordot", "need to match", "a dimension of size 1 is not repeated in a contraction, as in NumPy"),
    (r"norm.nuc", "nuc", "needs the singular values, which come with linalg"),
    (r"normal.in_place", "size", "the operator is normal_"),
    (r"einsum", "dtype", "integers keep their dtype, with one operand as with two"),
    (r"(special\.)?polygamma.*", "values", "PyTorch's has no exact reduction near the poles, and is finite at them"),
]  # fmt: skip
# Samples that are not calls of the function of that name: the operator as a call.
AS_METHOD = {"repeat", "T", "H", "mT", "mH", "fill"}
SWAPPED = {"polygamma", "where", "einsum", "special.polygamma"}
OTHER_NAMESPACES = ("linalg.", "fft.", "masked.", "nn.functional.unfold", "sparse.")


class Skip(Exception):
    """The sample has something that Tandem has not: another layout, a dtype."""


def converted(v):
    if isinstance(v, torch.Tensor):
        if v.layout != torch.strided or v.device.type != "cpu" or v.dtype not in DTYPES or v.dim() > 32:
            raise Skip
        v = v.detach().resolve_conj().resolve_neg()
        if v.dtype == torch.bfloat16:
            return tandem.from_numpy(v.float().numpy()).to(tandem.bfloat16)
        return tandem.from_numpy(v.numpy())
    if isinstance(v, torch.dtype):
        if v not in DTYPES:
            raise Skip
        return DTYPES[v]
    if isinstance(v, torch.device):
        return str(v)
    if isinstance(v, tuple | list):
        return (list if isinstance(v, list) else tuple)(converted(e) for e in v)
    if isinstance(v, dict):
        return {k: converted(e) for k, e in v.items()}
    if v is None or v is Ellipsis or isinstance(v, bool | int | float | complex | str | slice):
        return v
    raise Skip


def as_torch(t):
    if t.dtype is tandem.bfloat16:
        return torch.from_numpy(np.array(t.to(tandem.float32).numpy())).bfloat16()
    return torch.from_numpy(np.array(t.numpy()))


def difference(want, got):
    """What tells PyTorch's result and Tandem's apart; None where nothing does."""
    if isinstance(want, torch.Tensor):
        if not isinstance(got, tandem.Tensor):
            return f"type {type(got).__name__}"
        if want.layout != torch.strided or want.dtype not in DTYPES:
            raise Skip
        if DTYPES[want.dtype] is not got.dtype:
            return f"dtype {want.dtype} of PyTorch, {got.dtype}"
        if tuple(want.shape) != tuple(got.shape):
            return f"shape {tuple(want.shape)} of PyTorch, {tuple(got.shape)}"
        try:
            torch.testing.assert_close(as_torch(got), want.detach().resolve_conj().resolve_neg(), equal_nan=True)
        except AssertionError as e:
            return "values: " + " ".join(str(e).split())[:160]
        return None
    if isinstance(want, tuple | list):
        if not isinstance(got, tuple | list) or len(want) != len(got):
            return "another sequence"
        return next((d for w, g in zip(want, got, strict=True) if (d := difference(w, g))), None)
    if isinstance(want, torch.dtype):
        return None if DTYPES.get(want) is got else "dtype"
    if isinstance(want, float) and isinstance(got, float):
        return None if want == got or math.isclose(want, got, rel_tol=1e-3) or want != want != got else f"value {want}, {got}"
    return None if want is None or want == got else f"value {want}, {got}"


def function_of(op):
    """How Tandem is called for an operator of PyTorch's; None where it has none."""
    short = op.name.split(".")[-1]
    if op.name.startswith("signal.windows."):
        return getattr(tandem.signal.windows, short, None)
    method = hasattr(tandem.Tensor, short) and not op.name.startswith("nn.functional.")
    if short in AS_METHOD or not hasattr(tandem, short):
        if not method:
            return None
        if not callable(getattr(tandem.Tensor, short)):
            return lambda x: getattr(x, short)
        return lambda x, *a, **k: getattr(x, short)(*a, **k)
    function = getattr(tandem, short)
    if isinstance(function, tandem.dtype):  # x.float() and its kin
        return lambda x, **k: getattr(x, short)(**k)
    if op.name in SWAPPED:
        return lambda x, y, *a, **k: function(y, x, *a, **k)
    return function


def shown(v):
    if isinstance(v, torch.Tensor):
        return f"{str(v.dtype)[6:]}{list(v.shape)}"
    if isinstance(v, tuple | list):
        return "[" + ", ".join(map(shown, v)) + "]"
    if isinstance(v, dict):
        return "".join(f", {k}={shown(e)}" for k, e in v.items())
    return str(v)


def timed(f, *a, **k):
    signal.alarm(SECONDS)
    try:
        return f(*a, **k)
    finally:
        signal.alarm(0)


def raise_timeout(*_):
    raise TimeoutError(f"more than {SECONDS} s")


def compare_sample(op, function, sample):
    """A difference, None where there is none; raises Skip where there is nothing to compare with."""
    x, args, keywords = converted(sample.input), converted(tuple(sample.args)), converted(sample.kwargs)
    given = sample.input.clone() if isinstance(sample.input, torch.Tensor) else sample.input
    try:
        want = timed(op.op, given, *sample.args, **sample.kwargs)
    except Exception as e:  # PyTorch refuses its own sample
        raise Skip from e
    try:
        return difference(want, timed(function, x, *args, **keywords))
    except Skip:
        raise
    except Exception as e:
        return f"{type(e).__name__}: {e}"[:200]


def is_known(name, text):
    return any(re.fullmatch(pattern, name) and re.search(what, text) for pattern, what, _ in KNOWN)


def main():
    signal.signal(signal.SIGALRM, raise_timeout)
    chosen = re.compile(sys.argv[1] if len(sys.argv) > 1 else "")
    lacking, kinds, calls, agree = [], collections.OrderedDict(), 0, 0
    for op in op_db:
        name = op.name + (f".{op.variant_test_name}" if op.variant_test_name else "")
        if not chosen.search(name) or op.name.startswith(OTHER_NAMESPACES):
            continue
        function = function_of(op)
        if function is None:
            lacking.append(name)
            continue
        for dtype in sorted(set(op.dtypes) & set(DTYPES), key=str):
            for sample in list(op.sample_inputs("cpu", dtype))[:SAMPLES]:
                try:
                    text = compare_sample(op, function, sample)
                except Skip:
                    continue
                calls += 1
                if text is None or is_known(name, text):
                    agree += 1
                    continue
                kind = re.sub(r"[0-9][0-9.e+-]*", "#", re.sub(r"u?int\d+|b?float\d+|complex\d+|\bbool\b", "DTYPE", text))[:70]
                call = f"{shown(sample.input)}, {shown(sample.args)}{shown(sample.kwargs)}"
                kinds.setdefault((name, kind), []).append((str(dtype)[6:], text, call))
    for (name, _), found in kinds.items():
        print(f"{name} ({' '.join(sorted({d for d, _, _ in found}))}; {len(found)} calls): {found[0][1]}\n    {found[0][2]}")
    print(f"{calls} calls, {agree} agree or differ as they should, {len(kinds)} kinds of differences")
    print("operators without a function of Tandem's: " + " ".join(lacking))
    return 1 if kinds else 0


if __name__ == "__main__":
    sys.exit(main())
