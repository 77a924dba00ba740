"""Records the names of PyTorch's tensor functions and methods: run with a Python that has PyTorch.
lint: oracle table

lint: oracle table

  record_torch_names.py > tests/data/torch_names.json
"""

import json
import sys

import torch
import torch.overrides


def main():
    overridable = torch.overrides.get_overridable_functions()[torch]
    functions = [
        name
        for name in dir(torch)
        if not name.startswith("_") and callable(getattr(torch, name)) and getattr(torch, name) in overridable
    ]
    # Those that make tensors of none take no overrides.
    makers = [
        "arange", "as_strided", "as_tensor", "asarray", "can_cast", "empty", "empty_strided", "eye", "from_numpy", "full",
        "get_default_dtype", "is_storage", "is_tensor", "linspace", "logspace", "manual_seed", "normal", "ones",
        "promote_types", "rand", "rand_like", "randint", "randint_like", "randn", "randn_like", "randperm", "range",
        "result_type", "scalar_tensor", "set_default_dtype", "tensor", "tril_indices", "triu_indices", "unique", "vander",
        "zeros",
    ]  # fmt: skip
    methods = [name for name in dir(torch.Tensor) if not name.startswith("_")]
    names = {
        "version": torch.__version__.split("+")[0],
        "functions": sorted({*functions, *(name for name in makers if hasattr(torch, name))}),
        "methods": methods,
    }
    json.dump(names, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
