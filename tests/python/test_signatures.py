"""Every parameter of PyTorch's functions and methods is accepted by its name and at its place.

The parameters are those of tests/data/torch_signatures.json (tests/data/record_torch_signatures.py). What a call refuses
is listed with the reason. A parameter is known by the answer to an argument that none takes.
"""

# lint: oracle table
import json
import re
from pathlib import Path

import pytest

import tandem

TORCH = json.loads((Path(__file__).parent.parent / "data/torch_signatures.json").read_text())

# Reason -> "name.parameter" of functions and methods, as regular expressions of whole names.
REFUSED = {
    "products in a wider dtype, which PyTorch has for some devices alone": "(mm|bmm|addmm|baddbmm)\\.out_dtype",
    "any number of tensors, numbers and dtypes, by their places": "result_type\\.\\w+",
    "of PyTorch's own vmap": "expand\\.implicit",
    "named dimensions of functorch: another method of this name": "index\\.(positions|dims)",
}
# The same, of parameters that are taken by their name, and stand at another place.
ELSEWHERE = {
    "one bound is the upper one": "arange\\.end randint\\.(high|size) randint_like\\.high random_\\.to",
    "a bool in the place of the axes is it": "(var|std|var_mean|std_mean)\\.unbiased",
    "the repeats alone are the first argument": "repeat_interleave\\.repeats",
    "told apart by their kinds": "to\\.\\w+ view\\.dtype",
}
UNKNOWN = re.compile("expected keywords of|unexpected keyword|no keyword")
SEVERAL = re.compile("got several|multiple values")
# nanobind's functions say their parameters in every error.
DECLARED = re.compile("incompatible function arguments.*?\\((.*?)\\) ->", re.DOTALL)


def listed(table, word):
    for reason, patterns in table.items():
        if any(re.fullmatch(pattern, word) for pattern in patterns.split()):
            return reason
    return None


def parameters(form):
    """(name, whether by keyword alone) of a call form."""
    keyword = False
    for word in form.split(", "):
        keyword = keyword or word == "*"
        if word != "*":
            yield word, keyword


def answer(function, arguments, keyword):
    """What a call says that cannot succeed; None is no argument of most parameters, an object of any."""
    try:
        function(*arguments, **keyword)
    except Exception as error:
        return str(error)
    return ""


def declared(text):
    found = DECLARED.search(text)
    return [part.split(":")[0] for part in found.group(1).split(", ")] if found else None


def knows(function, arguments, name):
    text = answer(function, arguments, {name: None})
    return name in (declared(text) or [name]) and not UNKNOWN.search(text)


def has_at(function, place, name):
    text = answer(function, [object()] * (place + 1), {name: object()})
    names = declared(text)
    return SEVERAL.search(text) if names is None else names[place : place + 1] == [name]


def check(kind, name, function, first):
    """`first` stands for the tensor of a method, which is no parameter."""
    problems = []
    for form in TORCH[kind][name]:
        for place, (parameter, by_keyword) in enumerate(parameters(form)):
            word = f"{name}.{parameter}"
            if kind == "methods" and place == 0:
                continue
            known = knows(function, first, parameter)
            there = by_keyword or not known or bool(has_at(function, place, parameter))
            if known == bool(listed(REFUSED, word)):
                problems.append(f"{word}: " + ("accepted, take it off the list" if known else "refused"))
            if not there and not listed(ELSEWHERE, word):
                problems.append(f"{word}: not parameter {place}")
    return problems


@pytest.mark.parametrize("name", [n for n in TORCH["functions"] if hasattr(tandem, n)])
def test_function(name):
    assert not check("functions", name, getattr(tandem, name), [])


@pytest.mark.parametrize("name", [n for n in TORCH["methods"] if callable(getattr(tandem.Tensor, n, None))])
def test_method(name):
    assert not check("methods", name, getattr(tandem.Tensor, name), [tandem.ones(2)])


def test_every_exception_is_one_of_pytorchs_parameters():
    words = {
        f"{name}.{parameter}"
        for kind in ("functions", "methods")
        for name, forms in TORCH[kind].items()
        for form in forms
        for parameter, _ in parameters(form)
    }
    for table in (REFUSED, ELSEWHERE):
        for patterns in table.values():
            for pattern in patterns.split():
                assert any(re.fullmatch(pattern, word) for word in words), pattern


def test_the_questions_find_mistakes():
    assert knows(tandem.sort, [], "descending") and not knows(tandem.sort, [], "ascending")
    assert has_at(tandem.sort, 1, "dim") and not has_at(tandem.sort, 1, "descending")
    assert knows(tandem.is_nonzero, [], "input") and not knows(tandem.is_nonzero, [], "tensor")
    flatten = tandem.Tensor.flatten
    assert knows(flatten, [tandem.ones(2)], "end_dim") and not knows(flatten, [tandem.ones(2)], "dim")
    assert has_at(flatten, 2, "end_dim") and not has_at(flatten, 1, "end_dim")
