"""Type stubs: what is committed is what tools/stubs.py writes, every public name is in them and they have no other, and
mypy passes over them and over calls of every kind, whose types the values have when they are run."""

import ast
import importlib.util
import inspect
import re
import runpy
import subprocess
import sys
import types
import typing
from pathlib import Path

import public_names
import pytest

import tandem

HERE = Path(__file__).resolve().parent
PACKAGE = Path(tandem.__file__).parent
TOOL = HERE.parent.parent / "tools" / "stubs.py"
INSTALLED = PACKAGE.parent.name.endswith("-packages")  # there mypy looks by itself, and will not be told to
STUBS = {
    tandem: "__init__",
    tandem.linalg: "linalg",
    tandem.fft: "fft",
    tandem.signal: "signal",
    tandem.signal.windows: "_windows",
    tandem.cuda: "cuda",
    tandem.io: "io",
}
PARTS = {"": "__init__", ".linalg": "linalg", ".fft": "fft"}
STUBS |= {importlib.import_module(f"tandem.array_api{part}"): f"array_api/{name}" for part, name in PARTS.items()}


def defined(body):
    """Names that statements of a stub define for its users."""
    names = set()
    for node in body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            names.add(node.name)
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names.add(node.target.id)
        elif isinstance(node, ast.ImportFrom):
            names |= {a.asname for a in node.names if a.asname is not None}
    return names


def stub(name):
    return ast.parse((PACKAGE / f"{name}.pyi").read_text("utf-8"))


def mypy(*files, place):
    """Lines of mypy's answer, in the strictest mode; the package is the one that is imported here."""
    pytest.importorskip("mypy", reason="tools/setup.sh installs mypy")
    config = place / "mypy.ini"
    path = "" if INSTALLED else f"mypy_path = {PACKAGE.parent}\n"
    config.write_text(f"[mypy]\nstrict = True\ncache_dir = {place}/cache\n{path}")
    command = [sys.executable, "-m", "mypy", "--config-file", config, "--follow-imports=silent", *files]
    answer = subprocess.run(list(map(str, command)), capture_output=True, text=True, cwd=place)
    assert answer.stderr == ""
    return answer.returncode, answer.stdout


@pytest.mark.skipif(not TOOL.exists(), reason="needs the source tree")
def test_the_stubs_are_what_the_package_has():
    spec = importlib.util.spec_from_file_location("stubs", TOOL)
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    old = [name for name, text in tool.stubs().items() if (PACKAGE / name).read_text("utf-8") != text]
    assert not old, f"run tools/stubs.py: {old}"


@pytest.mark.parametrize("module", STUBS, ids=STUBS.values())
def test_every_name_of_a_module_is_in_its_stub_and_no_other(module):
    in_stub = {name for name in defined(stub(STUBS[module]).body) if not name.startswith("_")}
    for name in in_stub:
        assert hasattr(module, name), f"the stub has {name}"
    constants = {n for n, o in vars(module).items() if isinstance(o, (tandem.dtype, float, tandem.Generator))}
    expected = {name for name in {*public_names.module_names(module), *constants} if not name.startswith("_")}
    assert sorted(expected - in_stub) == []


@pytest.mark.parametrize("cls", [tandem.Tensor, tandem.Size, tandem.dtype, tandem.device, tandem.Generator, tandem.Storage])
def test_every_member_of_a_class_is_in_its_stub_and_no_other(cls):
    (node,) = [n for n in stub("__init__").body if isinstance(n, ast.ClassDef) and n.name == cls.__name__]
    in_stub = defined(node.body)
    assert sorted(name for name in in_stub if not hasattr(cls, name)) == []
    assert sorted(set(public_names.members(cls)) - in_stub) == []
    operators = {name for name, o in vars(cls).items() if isinstance(o, public_names.Function)}
    assert sorted(operators - in_stub) == []


def annotations(function):
    """All of a function but those of self."""
    signature = inspect.signature(function)
    return [p.annotation for p in signature.parameters.values() if p.name != "self"] + [signature.return_annotation]


def test_functions_written_in_python_are_annotated():
    bare = set()
    for name, o in public_names.walk():
        for f in vars(o).values() if isinstance(o, type) else [o]:
            own = inspect.isfunction(f) and f.__module__.startswith("tandem") and f.__name__ not in ("__reduce__", "__repr__")
            if own and inspect.Signature.empty in annotations(f):
                bare.add(f"{name}: {f.__name__}")
    assert not bare


def test_named_tuples_have_their_fields():
    for node in stub("return_types").body:
        if isinstance(node, ast.ClassDef):
            fields = [field.target.id for field in node.body]
            assert list(getattr(tandem.return_types, node.name)._fields) == fields
    classes = {name for name, o in vars(tandem.return_types).items() if isinstance(o, type)}
    assert classes == defined(stub("return_types").body)


def test_the_package_says_that_it_is_typed():
    assert (PACKAGE / "py.typed").exists()


@pytest.mark.skipif(INSTALLED, reason="mypy takes no files of site-packages")
def test_mypy_passes_over_the_stubs(tmp_path):
    code, answer = mypy(*sorted(PACKAGE.rglob("*.pyi")), place=tmp_path)
    assert code == 0, answer


def test_mypy_passes_over_calls_of_every_kind(tmp_path):
    code, answer = mypy(HERE / "typed_calls.py", place=tmp_path)
    assert code == 0, answer


def test_mypy_refuses_wrong_calls(tmp_path):
    file = HERE / "mistyped_calls.py"
    _, answer = mypy(file, place=tmp_path)
    found = {int(line): code for line, code in re.findall(r":(\d+): error: .*\[([a-z-]+)\]$", answer, re.M)}
    lines = enumerate(file.read_text("utf-8").splitlines(), 1)
    assert found == {i: code[1] for i, line in lines if (code := re.search(r"# \[([a-z-]+)\]$", line))}, answer


def fits(value, kind):
    """Whether a value has a type; of a container's items the first is looked at."""
    origin, args = typing.get_origin(kind), typing.get_args(kind)
    if kind is typing.Any:
        return True
    if origin is typing.Literal:
        return value in args
    if origin in (types.UnionType, typing.Union):
        return any(fits(value, arg) for arg in args)
    if origin in (tuple, list):
        several = origin is list or args[-1] is Ellipsis
        return isinstance(value, origin) and all(map(fits, value, [args[0]] * len(value) if several else args))
    if kind is int:
        return type(value) is int
    return isinstance(value, origin or kind)


def test_values_have_the_types_of_the_stubs(monkeypatch):
    wrong = []
    monkeypatch.setattr(typing, "assert_type", lambda value, kind: fits(value, kind) or wrong.append((type(value), kind)))
    runpy.run_path(str(HERE / "typed_calls.py"))
    assert wrong == []
