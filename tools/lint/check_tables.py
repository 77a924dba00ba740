"""Finds a second list of ops or of dtypes: each lives in one table, and everything else loops over it.

A list is a run of names in one shape: the text between a name and the next is the same again and again
(numbers, strings and spellings of the name itself do not count), or many names stand as strings on few lines.
The tables are kernels/include/tandem/ops/*.def and runtime/include/tandem/dtypes.def. An oracle of the tests (or
of tools/minimax.py), which must not come from the table, says so in its first lines: "lint: oracle table". Functors themselves, one an
op, are the other half of a row and may look alike. Type stubs that tools/stubs.py wrote are made from the table.
"""

import re
from pathlib import Path

import tree

OP_TABLES = "kernels/include/tandem/ops"
DTYPE_TABLE = "runtime/include/tandem/dtypes.def"
FUNCTORS = "kernels/functors/"
ORACLE = "lint: oracle table"
GENERATED = "# Written by tools/stubs.py; do not edit.\n"  # tests/python/test_stubs.py holds such files to that
RUN = 6  # names in a row in the same shape
STRINGS = 8  # names as strings ...
WINDOW = 15  # ... within so many lines

_WORD = re.compile(r"[A-Za-z_]\w*")


def op_names(root):
    """First column of every row of the op tables."""
    names = set()
    for table in (root / OP_TABLES).glob("*.def"):
        for match in re.finditer(r"^TANDEM_[A-Z]+\s*\(\s*(\w+)\s*,", table.read_text(), re.MULTILINE):
            names.add(match.group(1))
    return names


def spellings(name):
    """How code writes a name: exp, Exp, kExp, EXP, exp_, exp_out, at::exp."""
    pascal = "".join(part.capitalize() for part in name.split("_"))
    plain = name.rstrip("_")
    return {name, plain, pascal, "k" + pascal, name.upper(), name + "_", name + "_out", pascal + "Op"}


def dtype_words(root):
    """Spelling -> dtype, for each row of the dtype table: its id, its C++ type, its titles."""
    words = {}
    row = re.compile(r'^TANDEM_DTYPE\(\s*(\w+)\s*,\s*([\w:]+)\s*,.*?"(\w*)"\s*,\s*"[^"]*"\s*,\s*"(\w+)"\)', re.M)
    for name, ctype, alias, title in row.findall((root / DTYPE_TABLE).read_text()):
        for word in spellings(name) | {ctype.split("::")[-1], title, "k" + title}:
            words.setdefault(word, name)
    return words


def op_words(root):
    words = {}
    for name in sorted(op_names(root)):
        for word in spellings(name):
            words.setdefault(word, name)
    # Words of the language and of everyday code: a list of ops holds others as well.
    for word in ("all", "any", "round", "Round", "full", "Full", "where", "copy_", "copy"):
        words.pop(word, None)
    return words


def _shape(gap, words):
    """The text between two names with what may vary taken out."""
    gap = re.sub(r'"(?:\\.|[^"\\\n])*"', '"s"', gap)
    gap = _WORD.sub(lambda m: "@" if m.group() in words else m.group(), gap)
    gap = re.sub(r"(?:\w+\s*(?:::|\.)\s*)+(?=@|$)", "", gap)  # qualifiers: std::, np.
    gap = re.sub(r"-?\b\d[\w.+-]*", "0", gap)
    return re.sub(r"\s+", "", gap)


def runs(text, words):
    """(line, names) of every run of at least RUN distinct names in one shape."""
    hits = [m for m in _WORD.finditer(text) if m.group() in words]
    # A name spelt twice in one entry is one mention: {"exp", &exp}.
    mentions = []
    for hit in hits:
        name = words[hit.group()]
        if mentions and mentions[-1][0] == name:
            mentions[-1] = (name, mentions[-1][1], hit.end())
        else:
            mentions.append((name, hit.start(), hit.end()))
    found, start = [], 0
    shapes = [
        _shape(text[a[2] : b[1]], words) if b[1] - a[2] <= 200 else None for a, b in zip(mentions, mentions[1:])
    ]
    for i in range(len(shapes) + 1):
        ends = i == len(shapes) or shapes[i] is None or (i > start and shapes[i] != shapes[start])
        if ends:
            names = {mention[0] for mention in mentions[start : i + 1]}
            if len(names) >= RUN and shapes[start : i]:
                found.append((text.count("\n", 0, mentions[start][1]) + 1, sorted(names)))
            start = i if i < len(shapes) and shapes[i] is not None else i + 1
    return found


def string_clusters(text, words):
    """(line, names) where STRINGS distinct names stand as string literals within WINDOW lines."""
    hits = []
    for match in re.finditer(r"""(["'])(\w+)\1""", text):
        if match.group(2) in words:
            hits.append((text.count("\n", 0, match.start()) + 1, words[match.group(2)]))
    for i, (line, _) in enumerate(hits):
        names = {name for at, name in hits[i:] if at < line + WINDOW}
        if len(names) >= STRINGS:
            return [(line, sorted(names))]
    return []


def check(root, build=None):
    problems = []
    tables = {path.resolve() for path in (root / OP_TABLES).glob("*.def")} | {(root / DTYPE_TABLE).resolve()}
    kinds = (("ops", op_words(root), f"{OP_TABLES}/*.def"), ("dtypes", dtype_words(root), DTYPE_TABLE))
    for path in tree.files(root):
        if path.resolve() in tables:
            continue
        raw = path.read_text(encoding="utf-8")
        name = path.relative_to(root).as_posix()
        if name.startswith(("tests/", "tools/minimax")) and ORACLE in raw[:1500]:
            continue
        if name.startswith("python/tandem/") and path.suffix == ".pyi" and raw.startswith(GENERATED):
            continue
        if name.startswith("examples/"):  # a user's program calls one op after the other
            continue
        text = tree.without_comments(path, raw)
        for kind, words, table in kinds:
            if kind == "ops" and name.startswith(FUNCTORS):
                continue
            for line, names in runs(text, words) or string_clusters(text, words):
                shown = ", ".join(names[:6]) + (", ..." if len(names) > 6 else "")
                problems.append(f"{name}:{line}: a second list of {kind} ({shown}); loop over {table} instead")
    if not op_names(root):
        problems.append(f"{OP_TABLES}: no rows found")
    return problems


if __name__ == "__main__":
    tree.run(check, __doc__)
