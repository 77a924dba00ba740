"""Checks the PTX of the CUDA kernels for what would change bits or waste bandwidth.

    ptx_scan.py PTX...            the text of `cuobjdump -ptx` or `nvcc -ptx`
    ptx_scan.py --nvcc NVCC --root DIR   compiles a small set of kernels of each kind and checks that

No approximate or flushing instruction, no add or multiply that the assembler may contract (those without a
rounding suffix), no local memory, and 16-byte loads and stores in every `flat` kernel of 32-bit floats.
"""

import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path

# .approx and .ftz change bits; reciprocals and roots must be rounded ones.
FORBIDDEN = [
    (re.compile(r"\.approx"), "an approximate instruction"),
    (re.compile(r"\.ftz"), "an instruction that flushes subnormals"),
    (re.compile(r"^\s*(?:@%p\d+\s+)?(?:add|sub|mul)\.f(?:16|32|64|16x2)\b"), "an operation without a rounding mode"),
    (re.compile(r"^\s*(?:@%p\d+\s+)?mad\.f"), "a multiply-add without a rounding mode"),
    (re.compile(r"\batom\.\S*\.f(?:16|32|64)|\bred\.\S*\.f(?:16|32|64)"), "a float atomic"),
]
# CUDA's own fmodf estimates quotients and corrects them: its result is exact (CUDA C++ programming guide, 0 ulp).
EXACT_REMAINDER = re.compile(r"Remainder|4Fmod|FloorDivide")
ESTIMATES = {"an approximate instruction", "an instruction that flushes subnormals"}
LOCAL = re.compile(r"^\s*\.local\b|\b(?:ld|st)\.local\b")
ENTRY = re.compile(r"\.entry\s+(\w+)")
VECTOR = re.compile(r"\b(ld|st)\.global(?:\.nc)?\.v(?:4\.(?:b32|f32|u32)|2\.(?:b64|f64|u64))")
FLAT_FLOAT = re.compile(r"flat_kernelI.*fE?Li\d")  # flat_kernel<F, float, A>


def kernels(text):
    """(name, body) of every kernel; functions that are not inlined count to the text before."""
    starts = list(ENTRY.finditer(text))
    for match, after in zip(starts, starts[1:] + [None]):
        yield match.group(1), text[match.end() : after.start() if after else len(text)]


def check(text, source):
    problems, count, vectors = [], 0, 0
    exact = False
    for number, line in enumerate(text.splitlines(), 1):
        entry = ENTRY.search(line)
        if entry:
            exact = EXACT_REMAINDER.search(entry.group(1)) is not None
        for pattern, what in FORBIDDEN:
            if pattern.search(line) and not (exact and what in ESTIMATES):
                problems.append(f"{source}:{number}: {what}: {line.strip()}")
    for name, body in kernels(text):
        count += 1
        if any(LOCAL.search(line) for line in body.splitlines()):
            problems.append(f"{source}: {name} uses local memory")
        if FLAT_FLOAT.search(name):
            found = {match.group(1) for match in VECTOR.finditer(body)}
            vectors += 1
            if "ld" not in found:
                problems.append(f"{source}: {name} has no 16-byte load")
    if count == 0:
        problems.append(f"{source}: no kernel found")
    return problems, count, vectors


# One functor of each kind: exact arithmetic, division and root, an elementary function, integers, casts.
SAMPLE = """
#include "kernels/functors/binary.h"
#include "kernels/functors/ternary.h"
#include "tandem/cuda/elementwise.h"
using namespace tandem;
using namespace tandem::cuda;
template <class F, class T, int A> void use() {
  volatile auto entry = make_entry<F, T, A>(std::make_integer_sequence<int, A>()).flat;
  volatile auto rows = make_entry<F, T, A>(std::make_integer_sequence<int, A>()).rows;
  (void)entry; (void)rows;
}
void all() {
  use<fn::Add, float, 2>(); use<fn::Div, double, 2>(); use<fn::Exp, float, 1>(); use<fn::Log, double, 1>();
  use<fn::Sin, float, 1>(); use<fn::Addcmul, float, 4>(); use<fn::Mul, Half, 2>(); use<fn::Sqrt, Complex64, 1>();
  use<fn::Remainder, float, 2>(); use<fn::FloorDivide, std::int32_t, 2>();
}
"""


def compile_sample(nvcc, root, architecture):
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "sample.cu"
        source.write_text(SAMPLE)
        target = Path(folder) / "sample.ptx"
        flags = ["-std=c++20", f"-arch={architecture}", "-O3", "--fmad=false", "-prec-div=true", "-prec-sqrt=true"]
        flags += ["-ftz=false", "--expt-relaxed-constexpr", "-ptx"]
        includes = [f"-I{root}", f"-I{root}/runtime/include", f"-I{root}/kernels/include"]
        subprocess.run([nvcc, *flags, *includes, str(source), "-o", str(target)], check=True)
        return target.read_text()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("ptx", nargs="*")
    parser.add_argument("--nvcc")
    parser.add_argument("--root", default=str(Path(__file__).resolve().parent.parent))
    parser.add_argument("--arch", default="sm_90")
    args = parser.parse_args()
    texts = [(Path(p).name, Path(p).read_text()) for p in args.ptx]
    if args.nvcc:
        texts.append(("sample.ptx", compile_sample(args.nvcc, args.root, args.arch)))
    if not texts:
        parser.error("nothing to check: PTX files or --nvcc")
    problems, count, vectors = [], 0, 0
    for source, text in texts:
        found, kernels_found, flat = check(text, source)
        problems += found
        count += kernels_found
        vectors += flat
    for problem in problems[:50]:
        print(problem)
    print(f"{count} kernels, {vectors} of them dense float32: {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
