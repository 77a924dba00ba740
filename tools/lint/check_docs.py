"""Checks that the files and folders which the documents mention exist, and that relative links lead somewhere."""

import re

import tree

TOP = ("runtime", "kernels", "host", "tests", "perf", "tools", "python", "docs", "examples")
MENTION = re.compile(r"`((?:\./)?(?:%s)/[\w./*{},+-]*|[A-Z]\w*\.(?:md|txt|json)|Dockerfile|LICENSE)`" % "|".join(TOP))
LINK = re.compile(r"\]\((?!\w+:|#)([^)\s#]+)")
# Made by running something, so not in a fresh tree.
MADE = ("out/", "build/")


def check(root, build=None):
    problems = []
    for path in tree.files(root, {".md"}):
        name = path.relative_to(root).as_posix()
        text = path.read_text(encoding="utf-8")
        for match in list(MENTION.finditer(text)) + list(LINK.finditer(text)):
            mentioned = match.group(1).removeprefix("./")
            line = text.count("\n", 0, match.start()) + 1
            if mentioned.startswith(MADE) or "NAME" in mentioned or "{" in mentioned:
                continue
            bases = (root, path.parent)
            if "*" in mentioned:
                exists = any(any(base.glob(mentioned)) for base in bases)
            else:
                exists = any((base / mentioned).exists() for base in bases)
            if not exists:
                problems.append(f"{name}:{line}: mentions {mentioned}, which does not exist")
    return problems


if __name__ == "__main__":
    tree.run(check, __doc__)
