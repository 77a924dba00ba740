"""Shared by the lints: the files of the tree, their text without comments, and how a lint reports."""

import argparse
import re
import sys
from pathlib import Path

SKIPPED = {"build", ".venv", ".git", "out", "dist", ".cache", "__pycache__", ".pytest_cache"}
CODE = {".h", ".c", ".cpp", ".cu", ".cuh", ".inc", ".def", ".py", ".pyi", ".cmake", ".sh", ".in", ".toml"}


def files(root, suffixes=CODE, under=("",)):
    """Paths of the tree with one of the suffixes (CMakeLists.txt counts as .cmake), sorted."""
    found = []
    for folder in under:
        for path in sorted((root / folder).rglob("*")):
            parts = path.relative_to(root).parts
            if SKIPPED & set(parts) or any(part.startswith("build") for part in parts[:1]):
                continue
            suffix = ".cmake" if path.name == "CMakeLists.txt" else path.suffix
            if suffix in suffixes and path.is_file():
                found.append(path)
    return found


_TOKENS = re.compile(
    r"""//[^\n]* | /\*.*?\*/ | \#(?!\s*(?:include|define|if|ifdef|ifndef|elif|else|endif|undef|pragma|error))[^\n]*
      | "(?:\\.|[^"\\\n])*" | '(?:\\.|[^'\\\n])*'""",
    re.VERBOSE | re.DOTALL,
)
_PY_TOKENS = re.compile(
    r'''"""(?:\\.|[^\\])*?""" | \#[^\n]* | "(?:\\.|[^"\\\n])*" | '(?:\\.|[^'\\\n])*' ''',
    re.VERBOSE | re.DOTALL,
)


def without_comments(path, text=None):
    """The text with comments (and Python docstrings) blanked, line numbers kept; strings stay."""
    if text is None:
        text = path.read_text(encoding="utf-8")
    hash_comments = path.suffix in {".py", ".pyi", ".cmake", ".sh", ".toml"} or path.name == "CMakeLists.txt"
    tokens = _PY_TOKENS if hash_comments else _TOKENS

    def blank(match):
        token = match.group()
        if token[0] in "\"'" and not token.startswith('"""'):
            return token
        if token[0] == "#" and not hash_comments:
            return token
        return "\n" * token.count("\n")

    return tokens.sub(blank, text)


def run(check, description):
    """Command line of a lint: `check(root, arguments)` returns the problems as lines."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--root", type=Path, default=Path(__file__).resolve().parents[2])
    parser.add_argument("--build", type=Path, default=None, help="the build folder")
    problems = check(**vars(parser.parse_args()))
    for problem in problems:
        print(problem)
    print(f"{len(problems)} problems" if problems else "no problem found")
    sys.exit(1 if problems else 0)
