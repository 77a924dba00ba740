"""Records PyTorch's type promotion: prints the table tests/data/promotion.txt. Needs torch.

One line a case: kind, left, right, result ("error" where PyTorch refuses). Kinds: "types" (two tensors with
dimensions), "zero" (the right one is 0-d), "number" (the right one is a Python number), "cast" (can_cast, 0 or 1).
"""

import re
from pathlib import Path

import torch

TABLE = Path(__file__).parents[2] / "runtime/include/tandem/dtypes.def"
NUMBERS = {"True": True, "2": 2, "2.5": 2.5, "2j": 2j}


def answer(function):
    try:
        return str(function()).replace("torch.", "")
    except RuntimeError:
        return "error"


def main():
    names = [n.rstrip("_") for n in re.findall(r"^TANDEM_DTYPE\((\w+)", TABLE.read_text(), re.MULTILINE)]
    print(f"# PyTorch {torch.__version__.split('+')[0]}; made by record_promotion.py")
    for left in names:
        a = torch.zeros(2, dtype=getattr(torch, left))
        for right in names:
            t = getattr(torch, right)
            print("types", left, right, answer(lambda: torch.result_type(a, torch.zeros(2, dtype=t))))
            print("zero", left, right, answer(lambda: torch.result_type(a, torch.zeros((), dtype=t))))
            print("cast", left, right, int(torch.can_cast(a.dtype, t)))
        for text, number in NUMBERS.items():
            print("number", left, text, answer(lambda: torch.result_type(a, number)))


main()
