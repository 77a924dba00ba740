"""Records the parameters of PyTorch's tensor functions and methods: run with a Python that has PyTorch.
lint: oracle table

  record_torch_signatures.py > tests/data/torch_signatures.json

The names are those of torch_names.json. A function of Python is asked itself; one of C++ has the schemas of its ATen
operator, one a call form, or else the first line of its docstring. What follows a `*` is taken by keyword alone.
"""

import inspect
import json
import re
import sys
from pathlib import Path

import torch

NAMES = Path(__file__).parent / "torch_names.json"


def of_python(function):
    """The one form of a function written in Python, or None where it hands on whatever it is given."""
    parameters = list(inspect.signature(function).parameters.values())
    if any(p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD) for p in parameters):
        return None
    names = [p.name for p in parameters]
    first = names.index("out") if "out" in names else len(names)  # what follows `out` has another place without it
    return [[(p.name, p.kind is p.KEYWORD_ONLY or i > first) for i, p in enumerate(parameters) if i != first]]


def of_schemas(name, method):
    """The forms of an ATen operator that concern tensors."""
    forms = {}
    for schema in torch._C._jit_get_schemas_for_operator("aten::" + name):
        arguments = [a for a in schema.arguments if not a.is_out]
        names = [a.name for a in arguments]
        about_tensors = any("Tensor" in str(a.type) or a.name == "dtype" for a in arguments)
        # TorchScript's own, of Python's lists and numbers.
        script = names[:1] in (["a"], ["t"]) or (names[:1] == ["self"] and "List" in str(arguments[0].type))
        if len(arguments) != len(schema.arguments) or not about_tensors or script:
            continue
        if method and names[:1] != ["self"]:
            continue
        if not method and names[:1] == ["self"]:
            names[0] = "input"
        # Overloads with a number for a tensor are bound once: what either takes by keyword alone, that does.
        keyword = [a.kwarg_only for a in arguments]
        before = forms.get(tuple(names), keyword)
        forms[tuple(names)] = [a or b for a, b in zip(keyword, before, strict=True)]
    return [list(zip(names, keyword, strict=True)) for names, keyword in sorted(forms.items())]


def of_docstring(name, function):
    match = re.match(rf"\s*{name}\(([^()]*)\)", function.__doc__ or "")
    form, keyword = [], False
    for part in match.group(1).split(",") if match else []:
        word = part.split("=")[0].strip()
        if word.startswith("*") and word != "*":
            return []
        keyword = keyword or word == "*"
        if re.fullmatch(r"\w+", word) and word != "out":
            form.append((word, keyword))
    return [form] if form else []


def text(form):
    words = []
    for name, keyword in form:
        if keyword and "*" not in words:
            words.append("*")
        words.append(name)
    return ", ".join(words)


def forms_of(name, place, method):
    function = getattr(place, name)
    if inspect.isfunction(function):
        forms = of_python(function)
    elif callable(function):
        forms = of_schemas(name, method) or (of_docstring(name, function) if not method else None)
    else:
        forms = None
    return sorted({text(form) for form in forms or [] if form})


def main():
    names = json.loads(NAMES.read_text())
    places = {"functions": (torch, False), "methods": (torch.Tensor, True)}
    signatures = {"version": torch.__version__.split("+")[0]}
    for key, (place, method) in places.items():
        forms = {name: forms_of(name, place, method) for name in names[key]}
        signatures[key] = {name: found for name, found in forms.items() if found}
    json.dump(signatures, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
