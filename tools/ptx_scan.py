"""Checks the device code of libtandem_cuda for what would change bits or waste bandwidth.

    ptx_scan.py LIBRARY [--root DIR] [--list]

Of every kernel in the library (configure with -DTANDEM_CUDA_COMPRESS=OFF, so that its PTX can be read):
no approximate or flushing instruction, no operation that the assembler may contract (one without a rounding suffix),
no float atomic; no local memory; 16-byte loads, and stores, in the kernels over dense elements; registers and shared
memory that let as many blocks run on a multiprocessor as the comment above the kernel claims ("Occupancy: 4 blocks of
256 threads"). What may break a rule is listed here, each with its reason, and an entry that excuses nothing is an
error too.
"""

import argparse
import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "lint"))
import device_code  # noqa: E402

# Instructions that change bits; reciprocals and roots must be rounded ones.
FORBIDDEN = [
    (re.compile(r"\.approx"), "an approximate instruction"),
    (re.compile(r"\.ftz"), "an instruction that flushes subnormals"),
    (re.compile(r"^\s*(?:@!?%p\d+\s+)?(?:add|sub|mul)\.f(?:16|32|64|16x2)\b"), "an operation without a rounding mode"),
    (re.compile(r"^\s*(?:@!?%p\d+\s+)?mad\.f"), "a multiply-add without a rounding mode"),
    (re.compile(r"\batom\.\S*\.f(?:16|32|64)|\bred\.\S*\.f(?:16|32|64)"), "a float atomic"),
]
ESTIMATES = {"an approximate instruction", "an instruction that flushes subnormals"}
LOCAL = re.compile(r"^\s*\.local\b|\b(?:ld|st)\.local\b", re.MULTILINE)
WIDE_LOAD = re.compile(r"\bld\.global(?:\.nc)?\.(?:v4\.[bfus]32|v2\.[bfus]64)")
VECTOR_STORE = re.compile(r"\bst\.global\.(?:v[24]\.|[bu](?:32|64)\b)")

# (pattern of a kernel's readable name, what it may do, why)
MAY_ESTIMATE = [
    (r"fn::(Remainder|Fmod|FloorDivide), ", "CUDA's fmod estimates quotients and corrects them: 0 ulp by its manual"),
]
MAY_LOAD_NOTHING = [
    (r"fn::Is(Nan|Inf|Finite), (bool|(signed |unsigned )?(char|short|int|long)), ", "the answer of integers is known"),
    (r"fn::(MakeComplex|Polar), ", "a result is as long as both inputs: 16 bytes of it are 8 of each"),
    (r"fn::FrexpExponent, (tandem::)?(Half|BFloat16), ", "a result is twice as long: 16 bytes of it are 8 of the input"),
]
MAY_USE_LOCAL_MEMORY = [
    (r"reduce_columns_kernel<.*fn::Dot<.*Complex<double>", "1024 threads leave 64 registers to four products of pairs"),
    (r"fn::Acos, .*Complex<double>", "two words of the longest functors"),
    (r"fn::(Acosh|Asinh), .*Complex<double>", "the same"),
    (r"general_kernel<.*fn::Expm1, .*Complex", "the same: two to four words"),
    (r"reduce_rows_kernel<.*fn::Abs(Max|Min), .*Complex<float>, true", "eight hypots in double beside the loads"),
    (r"reduce_(rows|columns)_kernel<.*fn::Abs(Max|Min|Sum), .*Complex<double>, false", "the same"),
    (r"(flat|rows|general)_kernel<.*fn::DigammaDerivative, double, ", "loops over pairs of doubles: 6 to 12 words"),
    (r"(rows|general)_kernel<.*fn::Zeta, ((tandem::)?(Half|BFloat16)|float), ", "one word"),
    (r"flat_kernel<.*fn::Clamp, (unsigned )?short, ", "four words: 24 elements of 16 bits are in flight"),
    (r"scan_(rows|columns)_kernel<.*fn::ScanLogAddExp<.*Complex<double>", "exp and log1p of complex numbers in one join"),
    (r"scan_columns_kernel<.*fn::ScanLogAddExp<.*Complex<float>", "the same beside a segment in registers"),
    (r"flat_kernel<.*fn::Heaviside, bool, 2>", "two words: bytes of two inputs in flight, each made 0 or 1"),
    (r"general_kernel<.*fn::Sigmoid, .*Complex<double>", "two words: exp of complex numbers beside the strides"),
    (r"reduce_columns_kernel<.*fn::Abs(Max|Min|Sum), .*Complex<float>", "two words: four hypots in flight"),
]
MAY_HAVE_FEWER_BLOCKS = [
    (r"cast_kernel<bool>", "2: eight bytes in flight a thread, each made 0 or 1"),
    (r"flat_kernel<.*fn::(Acos|Asin|Acosh|Asinh|Sigmoid), .*Complex", "3: bound by arithmetic, not by memory"),
    (r"flat_kernel<.*fn::Addcmul, (signed|unsigned) char, ", "3: 64 elements are in flight"),
    (r"rows_kernel<.*fn::Asinh, .*Complex<float>", "2: bound by arithmetic"),
    (r"flat_kernel<.*fn::(Sinc, .*Complex<float>|Lgamma, (float|double), )", "3: bound by arithmetic"),
    (r"flat_kernel<.*fn::Addcdiv, .*Complex", "3: four complex operands and a division by hypot's way"),
    (r"rows_kernel<.*fn::Addcdiv, .*Complex<float>", "2: the same"),
    (r"cast_kernel<.*Complex<float>", "2: eight pairs are in flight"),
    (r"scan_rows_kernel<.*ScanLogAddExp<.*Complex<float>", "3: bound by arithmetic"),
    (r"_kernel<.*fn::(Zeta|DigammaDerivative), ", "2: series in pairs of doubles, bound by arithmetic"),
    (r"flat_kernel<.*fn::Igammac?, (float|double), ", "3: the same"),
]

# Kernels of CUB, compiled into the library: the rules on instructions hold for them, what they use is their own affair.
THEIRS = re.compile(r"\bcub::")

# A multiprocessor of compute capability 8.0, 9.0 and 10.0 (CUDA C++ Programming Guide, "Technical Specifications").
REGISTERS, WARPS, BLOCKS = 65536, 64, 32
SHARED, SHARED_RESERVED = 164 * 1024, 1024  # of 8.0, which has the least of the three
REGISTER_UNIT = 256  # registers are given to warps in these units

CLAIM = re.compile(r"Occupancy: (\d+) blocks? of (\d+) threads?")
KERNEL_NAME = re.compile(r"(\w+)(?:<|\()")


def claims(root):
    """Kernel name -> (blocks, threads) from the comments above the kernels; problems."""
    found, problems = {}, []
    for path in device_code.sources(root):
        text = path.read_text()
        begin = 0
        for match in device_code.DECLARED.finditer(text):
            claim = None
            for claim in CLAIM.finditer(text, begin, match.start()):
                pass
            begin = match.end()
            if claim:
                found[match[1]] = (int(claim[1]), int(claim[2]))
            else:
                problems.append(f"{path.relative_to(root)}: {match[1]} has no comment 'Occupancy: N blocks of M threads'")
    return found, problems


def blocks_that_fit(kernel, threads):
    warps = (threads + 31) // 32
    per_warp = -(-max(kernel.registers, 1) * 32 // REGISTER_UNIT) * REGISTER_UNIT
    fit = min(REGISTERS // (per_warp * warps), WARPS // warps, BLOCKS)
    return min(fit, SHARED // (kernel.shared + SHARED_RESERVED)) if kernel.shared else fit


class Excuses:
    """The exceptions of one rule; what none of them was needed for is a problem."""

    def __init__(self, rule, entries):
        self.rule, self.entries, self.used = rule, entries, set()

    def cover(self, name):
        for pattern, *_ in self.entries:
            if re.search(pattern, name):
                self.used.add(pattern)
                return True
        return False

    def unused(self):
        return [f"ptx_scan.py: {self.rule}: nothing needs {p!r}" for p, *_ in self.entries if p not in self.used]


def check_instructions(text, where, may_estimate=lambda: False):
    problems = []
    for line in text.splitlines():
        for pattern, what in FORBIDDEN:
            if pattern.search(line) and not (what in ESTIMATES and may_estimate()):
                problems.append(f"{where}: {what}: {line.strip()}")
    return problems


def is_dense(name):
    """Whether a kernel goes over dense elements, a vector of 16 bytes at a time."""
    return "flat_kernel<" in name


def check_vectors(kernel, may_load_nothing):
    if not is_dense(kernel.name):
        return []
    problems = []
    if not WIDE_LOAD.search(kernel.ptx) and not may_load_nothing.cover(kernel.name):
        problems.append(f"{kernel.name}: no 16-byte load")
    # A 16-byte element is a vector of its own, so that a narrower result is stored alone.
    if not VECTOR_STORE.search(kernel.ptx) and "Complex<double>" not in kernel.name:
        problems.append(f"{kernel.name}: no vector store")
    return problems


def check_kernels(kernels, claimed, excuses):
    """Problems of the kernels; `excuses` are those of estimates, loads, local memory and occupancy."""
    problems = []
    estimates, loads, local, fewer = excuses
    for k in kernels:
        if not k.ptx:
            problems.append(f"{k.name}: no PTX (configure with -DTANDEM_CUDA_COMPRESS=OFF)")
            continue
        problems += check_instructions(k.ptx, k.name, lambda k=k: estimates.cover(k.name))
        if THEIRS.search(k.name):
            continue
        problems += check_vectors(k, loads)
        if (k.frame or LOCAL.search(k.ptx)) and not local.cover(k.name):
            problems.append(f"{k.name}: {k.frame} bytes of local memory")
        plain = k.name.replace("(anonymous namespace)::", "")
        name = KERNEL_NAME.search(plain if "<" not in plain else re.sub(r"^.*?(\w+<)", r"\1", plain))
        claim = claimed.get(name[1]) if name else None
        if claim is None:
            problems.append(f"{k.name}: no source with an 'Occupancy' comment")
        elif blocks_that_fit(k, claim[1]) < claim[0] and not fewer.cover(k.name):
            problems.append(
                f"{k.name}: {blocks_that_fit(k, claim[1])} blocks fit, {claim[0]} claimed "
                f"({k.registers} registers, {k.shared} bytes shared)"
            )
    return problems


def new_excuses():
    return (
        Excuses("estimates", MAY_ESTIMATE),
        Excuses("loads", MAY_LOAD_NOTHING),
        Excuses("local memory", MAY_USE_LOCAL_MEMORY),
        Excuses("occupancy", MAY_HAVE_FEWER_BLOCKS),
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("library", type=Path)
    parser.add_argument("--root", type=Path, default=Path(__file__).resolve().parent.parent)
    parser.add_argument("--list", action="store_true", help="print registers, memory and blocks of every kernel")
    args = parser.parse_args()
    kernels, texts = device_code.read(args.library)
    claimed, problems = claims(args.root)
    if args.list:
        for k in kernels:
            print(f"{k.registers:4} registers {k.frame:5} local {k.shared:6} shared  {k.name}")
    excuses = new_excuses()
    problems += check_kernels(kernels, claimed, excuses)
    # What is called, not inlined: the kernels' rules on instructions hold there as well.
    for text in texts:
        for part in text.split(".func")[1:]:
            body = part[: part.find("\n}\n")]
            name = re.search(r"_Z\w+", body)
            where = device_code.readable([name[0]])[name[0]] if name else "a function"
            problems += check_instructions(body, where, lambda where=where: excuses[0].cover(where))
            if LOCAL.search(body):
                problems.append(f"{where}: local memory")
    for rule in excuses:
        problems += rule.unused()
    if not kernels:
        problems.append(f"{args.library}: no kernel found")
    for problem in problems[:400]:
        print(problem)
    dense = sum(is_dense(k.name) for k in kernels)
    print(f"{len(kernels)} kernels, {dense} of them over dense elements: {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
