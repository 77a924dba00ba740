"""Each lint finds a violation planted in a small copy of the tree, and nothing in the same copy without it.

lint: oracle table (the names planted below)
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tools/lint"), str(ROOT / "tools")]

import check_device_runs  # noqa: E402
import check_docs  # noqa: E402
import check_format  # noqa: E402
import check_fused  # noqa: E402
import check_includes  # noqa: E402
import check_links  # noqa: E402
import check_objects  # noqa: E402
import check_registrations  # noqa: E402
import check_tables  # noqa: E402
import device_code  # noqa: E402
import ptx_scan  # noqa: E402


@pytest.fixture
def copy(tmp_path):
    """A tree with the real tables and nothing else."""
    for path in [*(ROOT / check_tables.OP_TABLES).glob("*.def"), ROOT / check_tables.DTYPE_TABLE]:
        target = tmp_path / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(path.read_text())
    return tmp_path


def plant(root, name, text):
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


OPS = ["sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "hypot", "copysign", "log1p", "expm1"]

PLANTED_OPS = {
    "strings on a line": lambda: "auto names = {" + ", ".join(f'"{op}"' for op in OPS) + "};",
    "rows of bindings": lambda: "\n".join(f'm.def("{op}", &tandem::{op});' for op in OPS),
    "rows with numbers": lambda: "\n".join(f'{{"{op}", {i}.5, fn::{op.title()}}},' for i, op in enumerate(OPS)),
    "cases": lambda: "\n".join(f"case Op::k{op.title()}:\n  return run<fn::{op.title()}>(x);" for op in OPS),
    "identifiers": lambda: "using ops::sinh, ops::cosh, ops::tanh, ops::asinh, ops::acosh, ops::atanh;",
    "differing entries": lambda: "\n".join(
        f'table["{op}"] = {"f" * i}({", ".join("abcdefghij"[:i])});' for i, op in enumerate(OPS)
    ),
}


@pytest.mark.parametrize("form", PLANTED_OPS)
def test_second_list_of_ops_is_found(copy, form):
    assert check_tables.check(copy) == []
    plant(copy, "runtime/dispatch/second.cpp", PLANTED_OPS[form]())
    problems = check_tables.check(copy)
    assert len(problems) == 1 and "runtime/dispatch/second.cpp:1: a second list of ops" in problems[0]


def test_second_list_of_ops_is_found_in_python(copy):
    plant(copy, "python/tandem/second.py", "NAMES = [\n" + "".join(f'    "{op}",\n' for op in OPS) + "]\n")
    assert "a second list of ops" in check_tables.check(copy)[0]


DTYPES = "int8 int16 int32 int64 uint8 uint16 float32 float64".split()
PLANTED_DTYPES = {
    "cases": lambda: "".join(f" case DType::{name}: return {i};" for i, name in enumerate(DTYPES)),
    "instances": lambda: "".join(
        f"template struct Launch<{ctype}>;\n" for ctype in [f"std::{n}_t" for n in DTYPES[:5]] + ["float", "double"]
    ),
    "constants": lambda: ", ".join("k" + name.title() for name in DTYPES),
}


@pytest.mark.parametrize("form", PLANTED_DTYPES)
def test_second_list_of_dtypes_is_found(copy, form):
    plant(copy, "host/second.cpp", PLANTED_DTYPES[form]())
    problems = check_tables.check(copy)
    assert len(problems) == 1 and "host/second.cpp:1: a second list of dtypes" in problems[0]


@pytest.mark.parametrize(
    "text",
    [
        "auto y = exp(x) + log(y) - sin(z) * cos(w) / tan(v);",  # arithmetic that uses many ops
        "// sinh, cosh, tanh, asinh, acosh, atanh, hypot: a comment",
        'log("sum", 1); log("mean", 2); log("amax", 3);',
        "Tensor sum(const Tensor& x); Tensor cat(std::span<const Tensor> xs, Axis axis);",
    ],
)
def test_ordinary_code_is_no_list(copy, text):
    plant(copy, "runtime/ops/ordinary.cpp", text)
    assert check_tables.check(copy) == []


def test_oracle_of_the_tests_may_list_ops(copy):
    rows = PLANTED_OPS["rows of bindings"]()
    plant(copy, "tests/accuracy/oracle.h", "// lint: oracle table\n" + rows)
    assert check_tables.check(copy) == []
    plant(copy, "runtime/oracle.h", "// lint: oracle table\n" + rows)
    assert len(check_tables.check(copy)) == 1


def test_stubs_that_are_generated_may_list_ops(copy):
    rows = "".join(f"def {op}(x: int) -> int: ...\n" for op in OPS)
    plant(copy, "python/tandem/ops.pyi", check_tables.GENERATED + rows)
    assert check_tables.check(copy) == []
    plant(copy, "python/tandem/ops.pyi", rows)
    assert len(check_tables.check(copy)) == 1
    plant(copy, "python/tandem/ops.pyi", "")
    plant(copy, "python/tandem/ops.py", check_tables.GENERATED + rows)
    assert len(check_tables.check(copy)) == 1


@pytest.mark.parametrize(
    "includer, name",
    [
        ("runtime/tensor/view.cpp", "host/parallel.h"),
        ("runtime/tensor/view.cpp", "kernels/launch.cuh"),
        ("host/unary.cpp", "kernels/launch.cuh"),
        ("kernels/unary.cu", "host/parallel.h"),
        ("kernels/functors/unary.h", "tandem/tensor.h"),
        ("kernels/functors/unary.h", "cmath"),
        ("runtime/include/tandem/tensor.h", "cuda_runtime.h"),
        ("runtime/include/tandem/tensor.h", "runtime/tensor/view.h"),
        ("runtime/stream/stream.cpp", "cuda_runtime_api.h"),
    ],
)
def test_forbidden_include_is_found(tmp_path, includer, name):
    plant(tmp_path, "host/parallel.h", "")
    plant(tmp_path, "kernels/launch.cuh", "")
    plant(tmp_path, "runtime/tensor/view.h", "")
    plant(tmp_path, "runtime/include/tandem/tensor.h", "")
    plant(tmp_path, includer, f"#include <vector>\n#include <{name}>\n".replace("#include <vector>\n", "\n"))
    problems = check_includes.check(tmp_path)
    assert len(problems) == 1 and problems[0].startswith(f"{includer}:2: includes {name}")


@pytest.mark.parametrize(
    "includer, name",
    [
        ("host/unary.cpp", "kernels/functors/unary.h"),
        ("kernels/unary.cu", "cuda_runtime.h"),
        ("kernels/unary.cu", "kernels/functors/unary.h"),
        ("runtime/include/tandem/cuda.h", "cuda_runtime_api.h"),
        ("runtime/tensor/view.cpp", "tandem/ops/ops.def"),
        ("runtime/include/tandem/mdspan.h", "cuda/std/mdspan"),
    ],
)
def test_allowed_include_is_left_alone(tmp_path, includer, name):
    plant(tmp_path, "kernels/functors/unary.h", "")
    plant(tmp_path, "kernels/include/tandem/ops/ops.def", "")
    plant(tmp_path, includer, f'#include "{name}"\n')
    assert check_includes.check(tmp_path) == []


REGISTERED = {
    "host/isa/scan.cpp": "void register_scan(HostRegistry& r) {\n  r.bind(1);\n}\n",
    "host/isa/planes.cpp": "void register_planes(HostRegistry&) {\n  bind_planes(2);\n}\n",
    "host/reduce.cpp": "void bind_planes(int x) { g = x; }\n",
}
LISTED = "#define LIST(X) X(scan) X(planes)\n#define CALL(name) register_##name(r);\n"


@pytest.mark.parametrize(
    "caller, lost",
    [
        ("void register_scan(HostRegistry&);\nvoid all() { register_scan(r); register_planes(r); }\n", []),
        ("void register_planes(HostRegistry&);\nvoid all() { register_scan(r); }\n", ["register_planes"]),
        (LISTED, []),
        (LISTED.replace(" X(planes)", ""), ["register_planes"]),
    ],
)
def test_registration_that_nothing_calls_is_found(tmp_path, caller, lost):
    for name, text in REGISTERED.items():
        plant(tmp_path, name, text)
    plant(tmp_path, "host/registry.cpp", caller)
    assert [problem.split()[-1] for problem in check_registrations.check(tmp_path)] == lost


LEVELED = """
namespace tandem::v3 { template <class T> struct Launch { static T run(T x) { return x + 1; } }; }
int use_%(name)s(int x) { return tandem::v3::Launch<int>::run(x); }
"""


@pytest.mark.parametrize("planted", [False, True])
def test_code_that_the_linker_may_share_between_levels_is_found(tmp_path, planted):
    source = LEVELED % {"name": "one"}
    if planted:
        source += "template <class T> T shared(T x) { return x * 3; }\nfloat use_shared(float x) { return shared(x); }\n"
    folder = tmp_path / "CMakeFiles/tandem_isa_v3.dir/host/isa"
    folder.mkdir(parents=True)
    (tmp_path / "one.cpp").write_text(source)
    subprocess.run(["g++", "-std=c++20", "-O0", "-c", tmp_path / "one.cpp", "-o", folder / "one.cpp.o"], check=True)
    problems = check_objects.check(ROOT, tmp_path)
    assert len(problems) == planted
    if planted:
        assert "shared<float>(float)" in problems[0]


@pytest.mark.parametrize("instruction", ["vfmaddsub231pd", "vfmsubadd132ps", "vfmadd231pd"])
def test_instructions_that_fuse_unasked_are_found(tmp_path, instruction):
    folder = tmp_path / "CMakeFiles/tandem_isa_v3.dir/host/isa"
    folder.mkdir(parents=True)
    source = f'void rotate() {{ asm("{instruction} %ymm1, %ymm2, %ymm3"); }}\n'
    (tmp_path / "one.cpp").write_text(source)
    subprocess.run(["g++", "-c", tmp_path / "one.cpp", "-o", folder / "one.cpp.o"], check=True)
    problems = check_fused.check(ROOT, tmp_path)
    if instruction == "vfmadd231pd":  # what fma compiles to
        assert problems == []
    else:
        assert len(problems) == 1 and instruction in problems[0] and "rotate()" in problems[0]


def test_objects_missing_altogether_is_a_problem(tmp_path):
    assert check_fused.check(ROOT, tmp_path) != []
    assert check_objects.check(ROOT, tmp_path) != []
    assert check_links.check(ROOT, tmp_path) != []


@pytest.mark.parametrize("library", ["libcuda", "libcudart", "libcublasLt"])
def test_linked_cuda_library_is_found(tmp_path, library):
    (tmp_path / "bin").mkdir()
    (tmp_path / "lib").mkdir()

    def link(output, *arguments):
        command = ["g++", "-x", "c++", "-", "-x", "none", "-o", output, *arguments]
        subprocess.run(command, input=b"int main() {}", check=True)

    link(tmp_path / "lib/libtandem.so", "-shared", "-fPIC")
    link(tmp_path / "bin/tandem")
    assert check_links.check(ROOT, tmp_path) == []
    link(tmp_path / f"lib/{library}.so.1", "-shared", "-fPIC", f"-Wl,-soname,{library}.so.1")
    link(tmp_path / "bin/tandem", "-Wl,--no-as-needed", str(tmp_path / f"lib/{library}.so.1"))
    assert check_links.check(ROOT, tmp_path) == [f"tandem loads {library}.so; only libtandem_cuda may"]


def test_fftw_beside_other_components_is_found(tmp_path):
    (tmp_path / "lib").mkdir()
    subprocess.run(
        ["g++", "-x", "c++", "-", "-shared", "-fPIC", "-o", tmp_path / "lib/libtandem.so"], input=b"", check=True
    )
    own = 'if(CMAKE_INSTALL_COMPONENT STREQUAL "fftw")\n  file(INSTALL FILES "lib/libtandem_fftw.so")\nendif()\n'
    plant(tmp_path, "cmake_install.cmake", own)
    assert check_links.check(ROOT, tmp_path) == []
    plant(tmp_path, "python/cmake_install.cmake", own.replace('"fftw"', '"python"'))
    assert len(check_links.check(ROOT, tmp_path)) == 1
    plant(tmp_path, "python/cmake_install.cmake", own.replace('"fftw")', '"fftw" OR NOT CMAKE_INSTALL_COMPONENT)'))
    assert len(check_links.check(ROOT, tmp_path)) == 1
    plant(tmp_path, "python/cmake_install.cmake", own)
    plant(tmp_path, "pyproject.toml", "[tool.scikit-build.cmake.define]\n")
    assert check_links.check(tmp_path, tmp_path) == ['pyproject.toml: expected TANDEM_FFTW = "OFF"']


@pytest.mark.parametrize(
    "name, only", [("libfftw3f", "libtandem_fftw"), ("libopenblas", "libtandem_onednn and libtandem_lapack")]
)
def test_linked_library_of_a_plug_in_is_found(tmp_path, name, only):
    (tmp_path / "lib").mkdir()
    flags = ["-shared", "-fPIC", "-Wl,--no-as-needed"]
    library = tmp_path / f"lib/{name}.so.3"
    for output, *others in [[library, f"-Wl,-soname,{name}.so.3"], [tmp_path / "lib/libtandem.so", library]]:
        subprocess.run(["g++", "-x", "c++", "-", "-x", "none", *flags, "-o", output, *others], input=b"", check=True)
    assert check_links.check(ROOT, tmp_path) == [f"libtandem.so loads {name}.so; only {only} may"]


def test_mention_of_a_missing_file_is_found(tmp_path):
    plant(tmp_path, "runtime/ops/einsum.cpp", "")
    plant(tmp_path, "README.md", "See `runtime/ops/einsum.cpp`, `runtime/ops/*.cpp` and [this](runtime/ops).\n")
    assert check_docs.check(tmp_path) == []
    plant(tmp_path, "docs/guide.md", "\nSee `runtime/ops/gone.cpp` and [that](gone.md).\n")
    assert [p.split(": ")[0] for p in check_docs.check(tmp_path)] == ["docs/guide.md:2", "docs/guide.md:2"]


def test_device_runs_come_from_the_results(tmp_path):
    table = f"{check_device_runs.HEAD}\n|---|---|---|---|\n| `a_kernel` | work | exact | pending |\n"
    plant(tmp_path, "docs/numerics.md", table)
    plant(tmp_path, "kernels/a.cu", "__global__ void __launch_bounds__(64) a_kernel(P p) {}\n")
    assert check_device_runs.check(tmp_path) == []
    plant(tmp_path, "kernels/b.cu", "__global__ void b_kernel(P p) {}\n")
    assert "b_kernel is not in the table" in check_device_runs.check(tmp_path)[0]
    (tmp_path / "kernels/b.cu").unlink()
    run = '{"check": {"gpu": "G", "date": "2030-01-02", "steps": {"test": "%s"}}}'
    plant(tmp_path, "perf/results/failed.json", run % "FAILED")
    assert check_device_runs.check(tmp_path) == []
    plant(tmp_path, "perf/results/passed.json", run % "passed")
    assert "2030-01-02, G" in check_device_runs.check(tmp_path)[0]
    assert check_device_runs.check(tmp_path, write=True) == [] == check_device_runs.check(tmp_path)


def test_bad_format_is_found(tmp_path):
    plant(tmp_path, ".clang-format", (ROOT / ".clang-format").read_text())
    plant(tmp_path, "good.h", "// A file.\nint f(int x) { return x; }\n")
    plant(tmp_path, "bad.h", "int f( int x ){return x ;}\n")
    (tmp_path / ".venv").symlink_to(ROOT / ".venv")
    problems = check_format.badly_formatted(tmp_path, [tmp_path / "good.h", tmp_path / "bad.h"])
    assert len(problems) == 1 and "bad.h:1" in problems[0]


PTX = """
.visible .entry flat(
{
    ld.global.nc.v4.f32 {%f1, %f2, %f3, %f4}, [%rd1];
    add.rn.f32 %f5, %f1, %f2;
    PLANTED
    st.global.v4.f32 [%rd2], {%f1, %f2, %f3, %f5};
}
"""
CLEAN = "fma.rn.f32 %f6, %f5, %f5, %f5;"


def scanned(ptx=PTX, planted=CLEAN, name="void tandem::cuda::flat_kernel<tandem::fn::Add, float, 2>(P)", **resources):
    """The problems of one kernel that claims 4 blocks of 256 threads."""
    kernel = device_code.Kernel("_Z4flat", name, ptx.replace("PLANTED", planted), **resources)
    return ptx_scan.check_kernels([kernel], {"flat_kernel": (4, 256)}, ptx_scan.new_excuses())


def test_clean_device_code_passes():
    assert scanned(registers=64, shared=1024) == []


@pytest.mark.parametrize(
    ("instruction", "what"),
    [
        ("sqrt.approx.f32 %f6, %f5;", "approximate"),
        ("mul.rn.ftz.f32 %f6, %f5, %f5;", "flushes"),
        ("mul.f32 %f6, %f5, %f5;", "without a rounding mode"),
        ("@%p1 add.f64 %fd6, %fd5, %fd5;", "without a rounding mode"),
        ("mad.f32 %f6, %f5, %f5, %f5;", "multiply-add"),
        ("red.global.add.f32 [%rd1], %f5;", "atomic"),
        (".local .align 4 .b8 __local_depot0[16];", "local memory"),
    ],
)
def test_ptx_that_changes_bits_or_spills_is_found(instruction, what):
    problems = scanned(planted=instruction)
    assert len(problems) == 1 and what in problems[0]


def test_resources_beyond_what_a_kernel_claims_are_found():
    assert "3 blocks fit, 4 claimed" in scanned(registers=65)[0]
    assert "2 blocks fit, 4 claimed" in scanned(registers=32, shared=60 * 1024)[0]
    assert "16 bytes of local memory" in scanned(frame=16)[0]
    assert "Occupancy" in scanned(name="void tandem::cuda::new_kernel<float>(P)")[0]


def test_dense_kernel_without_vector_accesses_is_found():
    problems = scanned(PTX.replace(".nc.v4.f32 {%f1, %f2, %f3, %f4}", ".f32 %f1"))
    assert len(problems) == 1 and "16-byte load" in problems[0]
    problems = scanned(PTX.replace("st.global.v4.f32 [%rd2], {%f1, %f2, %f3, %f5}", "st.global.f32 [%rd2], %f1"))
    assert len(problems) == 1 and "vector store" in problems[0]


def test_kernel_without_ptx_and_kernel_without_claim_are_found(tmp_path):
    assert "no PTX" in scanned(ptx="")[0]
    plant(tmp_path, "kernels/a.cu", "// Occupancy: 2 blocks of 128 threads.\n__global__ void good_kernel(int) {}\n")
    plant(tmp_path, "kernels/b.cu", "__global__ void __launch_bounds__(256)\n    bare_kernel(int) {}\n")
    plant(tmp_path, "runtime/include/tandem/cuda.h", "// Nothing.\n")
    claims, problems = ptx_scan.claims(tmp_path)
    assert claims == {"good_kernel": (2, 128)}
    assert len(problems) == 1 and "bare_kernel" in problems[0]


def test_excuse_that_nothing_needs_is_found():
    rule = ptx_scan.Excuses("rule", [("used", "why"), ("unused", "why")])
    assert rule.cover("the used one") and not rule.cover("another")
    assert len(rule.unused()) == 1 and "'unused'" in rule.unused()[0]


def test_device_code_of_a_compiled_kernel_is_read(tmp_path):
    """Names, PTX and resources of two kernels, against what ptxas reports."""
    nvcc = shutil.which("nvcc") or "/usr/local/cuda/bin/nvcc"
    if not Path(nvcc).exists():
        pytest.skip("no CUDA toolkit")
    source, target = tmp_path / "two.cu", tmp_path / "two.o"
    source.write_text("""
        __global__ void plain(float* p) { p[threadIdx.x] *= 2; }
        template <class T> __global__ void shares(T* p) {
          __shared__ T s[48];
          s[threadIdx.x] = p[threadIdx.x];
          __syncthreads();
          p[threadIdx.x] = s[47 - threadIdx.x];
        }
        template __global__ void shares<double>(double*);
    """)
    flags = ["-gencode=arch=compute_90,code=[sm_90,compute_90]", "-no-compress", "-Xptxas", "-v"]
    report = subprocess.run([nvcc, *flags, "-c", source, "-o", target], capture_output=True, text=True, check=True)
    kernels, texts = device_code.read(target)
    assert [k.name for k in kernels] == ["plain(float*)", "void shares<double>(double*)"] and len(texts) == 1
    plain, shares = kernels
    assert "ld.global.f32" in plain.ptx and "bar.sync" not in plain.ptx and "bar.sync" in shares.ptx
    assert (plain.shared, shares.shared, plain.frame, shares.frame) == (0, 48 * 8, 0, 0)
    used = dict(re.findall(r"Compiling entry function '(\w+)'.*?Used (\d+) registers", report.stderr, re.DOTALL))
    assert {k.symbol: k.registers for k in kernels} == {symbol: int(n) for symbol, n in used.items()}
