"""Checks which folder may include which, as docs/architecture.md says.

runtime never includes kernels' launchers or host; host and the CUDA launchers never include each other;
kernels/functors includes tandem/fn.h, tandem/stored.h and other functors, nothing else; no public header but tandem/cuda*.h
includes a header of CUDA.
"""

import re

import tree

# libcu++'s cuda/std/ is the standard library under another name and needs no toolkit at run time.
CUDA_HEADER = re.compile(r"^(cuda(?!/std/)|cublas|cufft|cusolver|cusparse|curand|nvrtc|nccl|nvtx|nvToolsExt|cub/|thrust/)")
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*[<"]([^>"]+)[>"]', re.MULTILINE)


def is_launcher(path):
    """A file of kernels/ that launches: everything but the functors and the op tables."""
    return path.startswith("kernels/") and not path.startswith(("kernels/functors/", "kernels/include/"))


def target(root, includer, name):
    """The file of the tree that an include names, or None for one of the system."""
    for base in (root, root / "runtime/include", root / "kernels/include", (root / includer).parent):
        path = base / name
        if path.is_file():
            return path.resolve().relative_to(root.resolve()).as_posix()
    return None


def problem(includer, name, included):
    """Why the include is not allowed, or None. `included` is the file of the tree, None for a system header."""
    inside = included or ""
    if includer.startswith("kernels/functors/"):
        # The one header that is text for programs gives them the ops under the table's names.
        table = includer == "kernels/functors/source_kernel.h" and name.startswith("tandem/ops/")
        if not (inside.startswith("kernels/functors/") or name in ("tandem/fn.h", "tandem/stored.h") or table):
            return "a functor includes only tandem/fn.h, tandem/stored.h and other functors"
        return None
    if includer.startswith("runtime/") and (is_launcher(inside) or inside.startswith("host/")):
        return "runtime includes no launcher and nothing of host"
    if includer.startswith("host/") and is_launcher(inside):
        return "host includes no CUDA launcher"
    if is_launcher(includer) and inside.startswith("host/"):
        return "a CUDA launcher includes nothing of host"
    public = includer.startswith(("runtime/include/", "kernels/include/"))
    if public and CUDA_HEADER.match(name) and not included:
        if not includer.startswith("runtime/include/tandem/cuda"):
            return "only tandem/cuda*.h may include a header of CUDA"
    if includer.startswith("runtime/") and CUDA_HEADER.match(name) and not included and not public:
        return "runtime includes no header of CUDA"
    if includer.startswith("runtime/include/") and inside and not inside.startswith(
        ("runtime/include/", "kernels/include/")
    ):
        return "a public header includes only public headers"
    return None


def check(root, build=None):
    problems = []
    suffixes = {".h", ".cpp", ".cu", ".cuh", ".inc", ".def"}
    for path in tree.files(root, suffixes, under=("runtime", "kernels", "host")):
        includer = path.relative_to(root).as_posix()
        text = tree.without_comments(path)
        for match in INCLUDE.finditer(text):
            reason = problem(includer, match.group(1), target(root, includer, match.group(1)))
            if reason:
                line = text.count("\n", 0, match.start()) + 1
                problems.append(f"{includer}:{line}: includes {match.group(1)}: {reason}")
    return problems


if __name__ == "__main__":
    tree.run(check, __doc__)
