"""Every public name has a docstring with an example that gives what it says; ops also shapes, dtypes and errors."""

import doctest
import inspect
import subprocess
import sys

import public_names
import pytest

import tandem
from tandem import _docs

NAMES = dict(public_names.walk())


def docstring(o):
    doc = (o.__func__ if isinstance(o, staticmethod) else o).__doc__
    return inspect.cleandoc(doc) if doc else ""


def distinct():
    """A name for each docstring: other names and methods share it."""
    first = {}
    for name, o in NAMES.items():
        first.setdefault(docstring(o) or name, name)
    return list(first.values())


def test_the_walk_finds_the_package():
    for name in ["tandem.add", "tandem.Tensor.add_", "tandem.linalg.svd", "tandem.signal.windows.hann", "tandem.fft.fft"]:
        assert name in NAMES
    for name in ["tandem.Tensor.shape", "tandem.cuda.Stream.wait_event", "tandem.Generator.seed", "tandem.Storage.size"]:
        assert name in NAMES
    assert len(NAMES) > 1000


def test_every_public_name_has_an_example():
    without = [name for name, o in NAMES.items() if ">>> " not in docstring(o)]
    assert not without, f"no example: {without}; CONTRIBUTING.md says where they are written"


def test_every_public_name_has_words_before_its_example():
    bare = [name for name, o in NAMES.items() if not docstring(o).partition(">>>")[0].strip()]
    assert not bare


def test_every_module_has_a_docstring():
    assert [m.__name__ for m in public_names.MODULES if not m.__doc__ and "_signal_windows" not in m.__name__] == []


def test_docstrings_of_rows_say_shape_dtype_and_errors():
    for name, o in NAMES.items():
        if isinstance(o, public_names.Function) and _docs.row_of(o) is not None:
            doc = docstring(o)
            missing = [note for note in ("Shape: ", "Dtype: ", "Errors: ") if note not in doc]
            assert not missing, f"{name}: no {missing}"
            for parameter in o._described[1]:
                assert f"    {parameter[0]}: " in doc, f"{name}: {parameter[0]}"
        elif isinstance(o, public_names.Function):
            assert "Shape: " in docstring(o), name


def test_no_section_of_the_examples_is_without_its_name():
    public = {_docs.key_of(o) for o in NAMES.values() if isinstance(o, public_names.Function)}
    assert sorted(set(_docs.sections()) - public) == []


@pytest.mark.parametrize("name", distinct())
def test_example(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    test = doctest.DocTestParser().get_doctest(docstring(NAMES[name]), {"tandem": tandem}, name, None, 0)
    report = []
    failed, _ = doctest.DocTestRunner(verbose=False).run(test, out=report.append)
    assert failed == 0, "".join(report)


def test_docstrings_cost_nothing_before_they_are_asked_for():
    program = "import sys, tandem; assert 'tandem._docs' not in sys.modules; tandem.add.__doc__; sys.modules['tandem._docs']"
    subprocess.run([sys.executable, "-c", program], check=True)
