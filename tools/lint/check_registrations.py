"""Finds a registration function that nothing calls: its kernels would be in the library and never run.

A function `register_*` or `bind_*` that a source of host/ or kernels/ defines at namespace scope is called, or at least
named, in another place than its definition and its declarations; X(name) in a list counts where register_##name does.
"""

import re

import tree

NAME = r"\b((?:register|bind)_\w+)\s*\("
DECLARED = re.compile(r"^\s*(?:inline\s+|static\s+)?void\s+(?:\w+::)*" + NAME + r"[^;{]*\)\s*(?P<end>[;{])", re.MULTILINE)


def check(root, build=None):
    defined, texts = {}, []
    for path in tree.files(root, {".h", ".cpp", ".cu"}, under=("host", "kernels", "runtime")):
        text = tree.without_comments(path)
        for match in DECLARED.finditer(text):
            if match.group("end") == "{":
                defined.setdefault(match.group(1), path.relative_to(root).as_posix())
        texts.append(DECLARED.sub("", text))
    everything = "\n".join(texts)
    used = set(re.findall(r"\b(?:register|bind)_\w+", everything))
    # A list of names that a macro turns into calls: X(name) with register_##name.
    for prefix in re.findall(r"\b(register|bind)_##", everything):
        used |= {f"{prefix}_{name}" for name in re.findall(r"\bX\((\w+)\)", everything)}
    return [f"{path}: nothing calls {name}" for name, path in sorted(defined.items()) if name not in used]


if __name__ == "__main__":
    tree.run(check, __doc__)
