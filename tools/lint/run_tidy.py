"""Runs clang-tidy over the C++ files of a build; a file is checked again only when it or what it includes changed.

Kernel files, compiled once a SIMD level, are checked once. Tests are left out, since GoogleTest's macros cost more
time than they show, and files for nvcc to nvcc's own warnings.
"""

import argparse
import concurrent.futures
import hashlib
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
INCLUDE = re.compile(rb'^[ \t]*#[ \t]*include[ \t]*[<"]([^>"]+)[>"]', re.MULTILINE)


def tidy_program():
    own = ROOT / ".venv/bin/clang-tidy"
    return str(own) if own.exists() else "clang-tidy"


def omp_header(folder):
    """A folder with GCC's omp.h less the attribute form that clang does not know."""
    path = subprocess.run(
        ["g++", "-print-file-name=include/omp.h"], check=True, capture_output=True, text=True
    ).stdout.strip()
    text = re.sub(r"__malloc__ \(\w+(?:, *\d+)?\)", "__unused__", Path(path).read_text())
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / "omp.h"
    if not target.exists() or target.read_text() != text:
        target.write_text(text)
    return folder


def flags_of(command):
    """What clang needs of a compile command: macros, include folders, the standard, OpenMP."""
    words, kept = shlex.split(command), []
    for i, word in enumerate(words):
        if word.startswith(("-D", "-std=")) or (word.startswith("-I") and len(word) > 2) or word == "-fopenmp":
            kept.append(word)
        elif word == "-isystem":
            kept += [word, words[i + 1]]
    return kept


def entries(build):
    """File -> flags, each file once, for the sources of the tree (not what a dependency compiled in)."""
    found = {}
    for entry in json.loads((build / "compile_commands.json").read_text()):
        path = Path(entry["file"])
        top = path.relative_to(ROOT).parts[0] if path.is_relative_to(ROOT) else "."
        inside = top[0] != "." and top not in ("build", "tests")
        if inside and path.suffix == ".cpp" and not re.search(r"tandem_isa_v\d", entry.get("output", entry["command"])):
            found.setdefault(path, flags_of(entry["command"]))
    return found


class Contents:
    """Hash of a file and of everything of the tree that it includes."""

    def __init__(self):
        self.includes = {}

    def read(self, path):
        if path not in self.includes:
            data = path.read_bytes()
            bases = (path.parent, ROOT, ROOT / "runtime/include", ROOT / "kernels/include")
            inner = []
            for name in INCLUDE.findall(data):
                for base in bases:
                    candidate = base / name.decode()
                    if candidate.is_file():
                        inner.append(candidate.resolve())
                        break
            self.includes[path] = (hashlib.sha256(data).hexdigest(), inner)
        return self.includes[path]

    def closure(self, path):
        seen, stack = {}, [path.resolve()]
        while stack:
            current = stack.pop()
            if current not in seen:
                digest, inner = self.read(current)
                seen[current] = digest
                stack += inner
        return "".join(f"{p}:{d};" for p, d in sorted(seen.items()))


def check_file(path, flags, stamp, key):
    command = [tidy_program(), "--quiet", str(path), "--", *flags, "-Wno-everything"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode == 0:
        stamp.parent.mkdir(parents=True, exist_ok=True)
        stamp.write_text(key)
        return path, ""
    errors = [line for line in done.stderr.splitlines() if "error:" in line]
    return path, (done.stdout + "\n".join(errors)).strip() or done.stderr.strip()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=Path, required=True)
    parser.add_argument("-j", type=int, default=os.cpu_count())
    parser.add_argument("paths", nargs="*", type=Path, help="files to check; all by default")
    arguments = parser.parse_args()
    work = arguments.build.resolve() / "tidy"
    extra = ["-isystem", str(omp_header(work / "include"))]
    config = (ROOT / ".clang-tidy").read_text()
    wanted = {path.resolve() for path in arguments.paths}
    jobs, contents, total = [], Contents(), 0
    for path, flags in entries(arguments.build).items():
        if wanted and path not in wanted:
            continue
        total += 1
        flags = [*flags, *extra]
        key = hashlib.sha256((contents.closure(path) + config + repr(flags)).encode()).hexdigest()
        stamp = work / "passed" / path.relative_to(ROOT)
        if not stamp.exists() or stamp.read_text() != key:
            jobs.append((path, flags, stamp, key))
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(arguments.j) as pool:
        for path, problems in pool.map(lambda job: check_file(*job), jobs):
            if problems:
                failed += 1
                print(f"--- {path.relative_to(ROOT)}\n{problems}", flush=True)
    print(f"lint: {total - failed} passed, {failed} failed ({len(jobs)} files checked now)")
    sys.exit(1 if failed or not total else 0)


if __name__ == "__main__":
    main()
