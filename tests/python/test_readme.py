"""The Python program of the README runs and prints what it should: a deviation, and a device with a value."""

import re
from pathlib import Path

README = Path(__file__).resolve().parents[2] / "README.md"


def test_program_of_the_readme_runs(capsys):
    (program,) = re.findall(r"^```python\n(.*?)^```", README.read_text(), re.MULTILINE | re.DOTALL)
    exec(compile(program, str(README), "exec"), {})
    deviation, line = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"tensor\(0\.\d+\)", deviation)
    where, value = line.split(": ")
    assert where in ("cpu", "cuda") and 0 < float(value) < 3
