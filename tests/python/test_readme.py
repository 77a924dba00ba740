"""What the README and the pages of docs/ show of Python runs, and prints what they say."""

import doctest
import re
from pathlib import Path

import pytest

import tandem as td

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
PAGES = [page.name for page in sorted((ROOT / "docs").glob("*.md")) if re.search(r"^ *>>> import tandem", page.read_text(), re.M)]


def test_program_of_the_readme_runs(capsys):
    (program,) = re.findall(r"^```python\n(.*?)^```", README.read_text(), re.MULTILINE | re.DOTALL)
    exec(compile(program, str(README), "exec"), {})
    deviation, line = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"tensor\(0\.\d+\)", deviation)
    where, value = line.split(": ")
    assert where in ("cpu", "cuda") and 0 < float(value) < 3


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Where a page's lines may write."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TANDEM_CACHE_DIR", str(tmp_path))
    tmp_path.chmod(0o700)


@pytest.mark.parametrize("page", PAGES)
def test_lines_of_a_page_run(page, folder):
    text = (ROOT / "docs" / page).read_text()
    test = doctest.DocTestParser().get_doctest(text, {}, page, page, 0)
    report = []
    result = doctest.DocTestRunner(verbose=False).run(test, out=report.append)
    assert not result.failed, "".join(report)
    assert result.attempted == len(re.findall(r"^ *>>> ", text, re.M))


def test_pages_that_have_lines():
    assert {"from_pytorch.md", "kernels.md"} <= set(PAGES)


def test_what_is_not_there_is_not_there():
    """The last part of docs/from_pytorch.md: it is to change when one of these comes."""
    for name in "autograd nn optim compile jit save load special distributions sparse_coo_tensor quantize_per_tensor FloatTensor".split():
        assert not hasattr(td, name), name
    with pytest.raises(TypeError):
        td.Tensor([1, 2])
    x = td.ones(2)
    assert x.detach().data_ptr() == x.data_ptr()
