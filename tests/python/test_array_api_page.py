"""docs/array_api.md: its programs run and print what the page says; the section of docs/ops.md has every function."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from test_array_api_extensions import EXTENSIONS
from test_catalogue import ARRAY_API

DOCS = Path(__file__).resolve().parents[2] / "docs"
PROGRAMS = re.findall(r"^```python\n(.*?)^```\n^```\n(.*?)^```", (DOCS / "array_api.md").read_text(), re.M | re.S)


@pytest.mark.parametrize("program, printed", PROGRAMS)
def test_program_of_the_page(program, printed):
    for library in ("scipy", "sklearn"):
        if library in program:
            pytest.importorskip(library)
    # The sanitizer of a simulated device has words of its own for standard error.
    run = subprocess.run([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, check=True, env=os.environ)
    assert run.stdout == printed


def test_the_page_has_programs():
    assert len(PROGRAMS) == 3


def test_the_page_of_ops_lists_the_standard():
    section = (DOCS / "ops.md").read_text().partition("\n## Array API\n")[2]
    listed = re.findall(r"^\| `(.+?\))` \|", section, re.M)
    standard = ARRAY_API.strip().split("\n")
    for part, lines in EXTENSIONS.items():
        standard += [f"{part}.{line.partition(' ->')[0]}" for line in lines.strip().split("\n")]
    assert sorted(line.replace('"', "'") for line in standard) == sorted(listed)
    assert f"\n{len(listed)} functions.\n" in section
