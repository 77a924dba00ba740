"""Every call in the examples of the docstrings gives what the stubs say: the call's result has one of the types that
the function's, or the method's, definitions in the stub have."""

import ast
import builtins
import collections.abc
import doctest
import typing

import numpy.typing as npt
import public_names
import pytest
from test_docstrings import NAMES, distinct, docstring
from test_stubs import STUBS, fits, stub

import tandem

SCOPE = {
    **{name: o for name, o in vars(tandem).items() if isinstance(o, type)},
    **{"builtins": builtins, "npt": npt, "return_types": tandem.return_types},
    **{"_dtype": tandem.dtype, "_device": tandem.device},
    **{name: getattr(typing, name) for name in ("Any", "Literal", "NamedTuple")},
    **{name: getattr(collections.abc, name) for name in ("Iterator", "Sequence")},
}


def results(body):
    """{name: types of its definitions' results} of a stub's functions, or a class's methods."""
    found = {}
    for node in body:
        plain = isinstance(node, ast.FunctionDef) and "property" not in map(ast.unparse, node.decorator_list)
        if plain and not any(ast.unparse(d).endswith(".setter") for d in node.decorator_list):
            kind = eval(ast.unparse(node.returns), dict(SCOPE))
            found.setdefault(node.name, []).append(type(None) if kind is None else kind)
    return found


FUNCTIONS = {public_names.module_name(module): results(stub(name).body) for module, name in STUBS.items()}
METHODS = {
    node.name: results(node.body)
    for node in stub("__init__").body
    if isinstance(node, ast.ClassDef) and node.name in ("Tensor", "Size", "Generator", "Storage")
}


class Watched(ast.NodeTransformer):
    """Puts every call into watch(): f(x) becomes watch("f", None, f, x), t.f(x) watch("f", t, None, x)."""

    def visit_Call(self, node):
        self.generic_visit(node)
        if isinstance(node.func, ast.Attribute):
            target = [ast.Constant(node.func.attr), node.func.value]
        else:
            target = [ast.Constant(""), node.func]
        return ast.Call(ast.Name("watch", ast.Load()), target + node.args, node.keywords)


class Watch:
    def __init__(self):
        self.seen, self.wrong = set(), []

    def __call__(self, watched_name, place, *args, **keywords):
        if not watched_name:
            return place(*args, **keywords)
        value = getattr(place, watched_name)(*args, **keywords)
        if isinstance(place, type(tandem)):
            where = public_names.module_name(place)
            kinds = FUNCTIONS.get(where, {}).get(watched_name)
        else:
            where = type(place).__name__
            kinds = METHODS.get(where, {}).get(watched_name)
        if kinds is not None:
            self.seen.add(f"{where}.{watched_name}")
            if not any(fits(value, kind) for kind in kinds):
                self.wrong.append(f"{where}.{watched_name} gave {type(value)}, the stub has {kinds}")
        return value


@pytest.fixture(scope="module")
def watch(tmp_path_factory):
    """All examples, run."""
    watch = Watch()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("examples"))
        for name in distinct():
            scope = {"tandem": tandem, "watch": watch}
            for example in doctest.DocTestParser().get_examples(docstring(NAMES[name])):
                tree = ast.fix_missing_locations(Watched().visit(ast.parse(example.source)))
                exec(compile(tree, name, "exec"), scope)
    return watch


def test_results_have_the_types_of_the_stubs(watch):
    assert watch.wrong == []


def test_every_function_is_called_in_an_example(watch):
    """By one of its names, as a function or a method; those of tandem.cuda need a device."""
    called = set()
    for module in STUBS:
        where = public_names.module_name(module)
        called |= {id(getattr(module, name)) for name in FUNCTIONS[where] if f"{where}.{name}" in watch.seen}
    missing = []
    for module in [module for module in STUBS if not module.__name__.startswith(public_names.APART)]:
        for name in FUNCTIONS[public_names.module_name(module)]:
            if name.startswith("_") or (module is tandem.cuda and not tandem.cuda.is_available()):
                continue
            if id(getattr(module, name)) not in called and f"Tensor.{name}" not in watch.seen:
                missing.append(name)
    assert missing == []
