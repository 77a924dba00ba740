# elementwise_kernel(): a user's function from C++ source, in tandem/source_kernel.h's tests in full.
import copy
import multiprocessing
import os
import pickle
import shutil
import subprocess
import sys
import threading

import numpy as np
import pytest

import tandem as td
from conftest import same, short


@pytest.fixture(scope="module", autouse=True)
def folder(tmp_path_factory):
    # A process has one folder, so that of the first kernel is the one of all.
    os.environ["TANDEM_CACHE_DIR"] = str(tmp_path_factory.mktemp("kernels"))
    yield
    del os.environ["TANDEM_CACHE_DIR"]


DAMPED = "template <class T> T damped(T x, T t, T rate) { return x * exp(-rate * t); }"


def test_broadcasts_and_promotes_like_an_op():
    f = td.elementwise_kernel(DAMPED, rate=0.5)
    x, t = td.rand(7, 1), td.rand(5)
    assert same(f(x, t), x * td.exp(-0.5 * t))
    assert same(f(x, t, rate=2), x * td.exp(-2 * t))
    assert same(f(x.double(), t), x.double() * td.exp(-0.5 * t.double()))
    assert f(x, t).shape == (7, 5) and f.name == "damped" and repr(f) == "<elementwise kernel damped>"
    assert same(f(x.numpy(), t), f(x, t))  # arrays are taken as any op takes them


def test_beside_numpy():
    f = td.elementwise_kernel("template <class T> T f(T a, T b) { return a < b ? a * a - b : b / (1 + a * a); }")
    rng = np.random.default_rng(1)
    for dtype in (np.float32, np.float64):
        a, b = rng.standard_normal((2, 1000)).astype(dtype)
        expected = np.where(a < b, a * a - b, b / (1 + a * a))
        assert (f(td.from_numpy(a), td.from_numpy(b)).numpy() == expected).all()


def test_result():
    near = td.elementwise_kernel("template <class T> bool near(T a, T b, T by) { return abs(a - b) <= by; }", result=td.bool, by=1)
    a, b = td.tensor([1, 5, 3]), td.tensor([2, 2, 3])
    assert near(a, b).tolist() == [True, False, True]
    assert near(a, b, by=3).tolist() == [True, True, True]
    assert td.elementwise_kernel(DAMPED, result=float, rate=1)(td.ones(2), td.zeros(2)).dtype == td.float64


def test_errors():
    f = td.elementwise_kernel(DAMPED, rate=0.5)
    x = td.ones(3)
    with pytest.raises(TypeError, match=r"^\[damped\] expected 1 to 5 tensors, got 0"):
        f()
    with pytest.raises(TypeError, match=r"^\[damped\] argument 1: expected a tensor, got str"):
        f(x, "x")
    with pytest.raises(TypeError, match=r"^\[damped\] argument 'rate': expected a number, got str"):
        f(x, x, rate="x")
    with pytest.raises(TypeError, match=r"^\[damped\] expected a number that the kernel has, got 'speed'"):
        f(x, x, speed=1)
    with pytest.raises(TypeError, match=r"^\[damped\] argument 'rate': expected a number that int64 holds, got 0.5"):
        f(td.arange(3), td.arange(3))
    with pytest.raises(RuntimeError, match=r"^\[damped\]"):
        f(x, td.ones(4))
    with pytest.raises(ValueError, match=r"(?s)^\[g\] argument 'source': expected C\+\+ that compiles, got:.*g:3"):
        td.elementwise_kernel("\n\ntemplate <class T> T g(T x) { return y; }")(x)
    with pytest.raises(ValueError, match="expected a function"):
        td.elementwise_kernel("int x;")
    with pytest.raises(ValueError, match="no #include"):
        td.elementwise_kernel("#include <cmath>\nfloat f(float x) { return x; }")
    with pytest.raises(TypeError, match="argument 'result': expected a dtype, got str"):
        td.elementwise_kernel(DAMPED, result="float", rate=1)


def test_numbers_beyond_the_dtype_are_refused():
    f = td.elementwise_kernel("template <class T> T plus(T x, T by) { return x + by; }", by=1)
    integers = [t for t in td.dtypes if t is not td.bool and not (t.is_floating_point or t.is_complex)]
    assert len(integers) == 8
    for dtype in integers:
        x, limits = td.zeros(2, dtype=dtype), np.iinfo(short(dtype))
        for value in (int(limits.min), int(limits.max)):
            assert f(x, by=value).tolist() == [value] * 2
        beyond = [1e30, -1e30, float("inf"), 2.0 ** (limits.bits - (limits.min < 0)), limits.min - 1.0 - (limits.bits == 64) * 2048]
        if limits.bits < 64:
            beyond += [int(limits.min) - 1, int(limits.max) + 1, 2**64 - 1]
        for value in beyond:
            for away in (x, x.to("meta")):
                with pytest.raises(ValueError, match=rf"^\[plus\] argument 'by': value .* cannot be converted to type {limits.dtype} without overflow"):
                    f(away, by=value)
    assert f(td.zeros(1, dtype=td.uint64), by=2.0**63 + 2048).tolist() == [2**63 + 2048]
    assert f(td.zeros(1, dtype=td.uint8), by=200.0).tolist() == [200]
    with pytest.raises(TypeError, match="argument 'by': expected a number that int8 holds, got nan"):
        f(td.zeros(1, dtype=td.int8), by=float("nan"))
    wide = td.elementwise_kernel("template <class T> T plus(T x, T by) { return x + by; }", by=300)  # so is a default
    with pytest.raises(ValueError, match="argument 'by': value 300"):
        wide(td.zeros(1, dtype=td.uint8))
    assert wide(td.zeros(1, dtype=td.int16)).tolist() == [300]


KINDS = """
template <class T> T other(T x) { return -x; }
template <class T> T kinds(T x, T a, T b, T c, T d) { return x * a + b - c * d; }
template <class T> T last(T x) { return x; }
"""


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickles_by_source_and_parameters(protocol):
    numbers = {"a": True, "b": 2**63 + 5, "c": -3, "d": float("inf")}
    f = td.elementwise_kernel(KINDS, function="kinds", result=td.float64, **numbers)
    g = pickle.loads(pickle.dumps(f, protocol))
    assert type(g) is type(f) and g is not f and g.name == "kinds"
    x = td.rand(5)
    for given in ({}, {"d": 0.5}, {"b": 1, "c": 2, "d": 4}):
        assert same(g(x, **given), f(x, **given)) and g(x, **given).dtype is td.float64
    # What it is made of again says the kinds of the numbers too: bool, integers, a float.
    made = g.__reduce__()[1]
    assert made == (KINDS, "kinds", td.float64, numbers) and [type(n) for n in made[3].values()] == [bool, int, int, float]
    h = pickle.loads(pickle.dumps(td.elementwise_kernel("template <class T> T turn(T z, T by) { return z * by; }", by=1 - 2j), protocol))
    assert h(td.tensor([1j])).tolist() == [2 + 1j] and h(td.tensor([1j]), by=1j).tolist() == [-1]


def test_copies_are_the_kernel():
    f = td.elementwise_kernel(DAMPED, rate=0.5)
    for g in (copy.copy(f), copy.deepcopy(f), copy.deepcopy({"kernels": [f]})["kernels"][0]):
        assert g is f  # nothing of it changes


def damped_by(kernel, rate):
    return kernel(td.ones(2), td.zeros(2), rate=rate).tolist()


def test_between_processes():
    f = td.elementwise_kernel(DAMPED, rate=0.5)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.starmap(damped_by, [(f, 1), (f, 2.5)]) == [[1, 1], [1, 1]]


def test_a_pickle_needs_no_compiler_where_it_was_compiled(tmp_path):
    environment = {**os.environ, "TANDEM_CACHE_DIR": str(tmp_path / "cache")}
    file = tmp_path / "kernel.pickle"
    file.write_bytes(pickle.dumps(td.elementwise_kernel(DAMPED, rate=2)))
    program = f"import pickle, tandem as td; print(pickle.load(open({str(file)!r}, 'rb'))(td.ones(2), td.ones(2)).tolist())"
    seen = []
    for compiler in ("", "/nonexistent/c++"):
        run = subprocess.run([sys.executable, "-c", program], env={**environment, "TANDEM_CXX": compiler}, capture_output=True, text=True)
        assert run.returncode == 0, run.stderr
        seen.append(run.stdout)
    assert seen[0] == seen[1] == f"{td.exp(td.tensor([-2.0, -2.0])).tolist()}\n"


def test_threads_compile_at_once():
    f = td.elementwise_kernel("template <class T> T many(T x, T by) { return x * by - 3; }", by=2)
    x = td.arange(1000, dtype=td.float32)
    results = []
    threads = [threading.Thread(target=lambda: results.append(f(x))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 4 and all(same(r, x * 2 - 3) for r in results)


def test_a_later_process_needs_no_compiler(tmp_path):
    program = f"import tandem as td; print(td.elementwise_kernel({DAMPED!r}, rate=1)(td.ones(2), td.zeros(2)).tolist())"
    environment = {**os.environ, "TANDEM_CACHE_DIR": str(tmp_path / "a" / "b")}
    for compiler in ("", "/nonexistent/c++"):
        run = subprocess.run([sys.executable, "-c", program], env={**environment, "TANDEM_CXX": compiler}, capture_output=True, text=True)
        assert run.stdout == "[1.0, 1.0]\n", run.stderr
    assert (tmp_path / "a" / "b").stat().st_mode & 0o077 == 0


def test_a_library_that_was_cut_short_is_made_anew(tmp_path):
    program = f"import tandem as td; print(td.elementwise_kernel({DAMPED!r}, rate=1)(td.ones(2), td.zeros(2)).tolist())"
    environment = {**os.environ, "TANDEM_CACHE_DIR": str(tmp_path)}
    for size in (None, 4096, 100, 0):
        for library in tmp_path.glob("*.so"):
            os.truncate(library, size)
        run = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True)
        assert run.stdout == "[1.0, 1.0]\n", (size, run.returncode, run.stderr)


PROGRAM = f"import tandem as td; print(td.elementwise_kernel({DAMPED!r}, rate=1)(td.ones(2), td.zeros(2)).tolist())"


def run_with(cache, temporary, program=PROGRAM, before=(), **environment):
    temporary.mkdir(exist_ok=True)
    return subprocess.run(
        [*before, sys.executable, "-c", program],
        env={**os.environ, "TANDEM_CACHE_DIR": str(cache), "TMPDIR": str(temporary), **environment},
        capture_output=True,
        text=True,
    )


def files(folder):
    return sorted(str(f.relative_to(folder)) for f in folder.rglob("*"))


def test_a_folder_that_cannot_be_written_to_is_done_without(tmp_path):
    cache, temporary = tmp_path / "cache", tmp_path / "temporary"
    assert run_with(cache, temporary).stdout == "[1.0, 1.0]\n"
    # A file where a folder is wanted stops every user, root too.
    (headers,) = cache.glob("include-*")
    shutil.rmtree(headers)
    headers.write_text("")
    for kept in (*cache.glob("*.so"), *cache.glob("*.cpp")):
        kept.unlink()
    before = files(cache)
    run = run_with(cache, temporary)
    assert run.stdout == "[1.0, 1.0]\n", run.stderr
    assert files(cache) == before and files(temporary) == []


def test_what_a_folder_that_is_only_read_has_is_used(tmp_path):
    cache, temporary = tmp_path / "cache", tmp_path / "temporary"
    assert run_with(cache, temporary).stdout == "[1.0, 1.0]\n"
    cache.chmod(0o555)
    try:
        run = run_with(cache, temporary, TANDEM_CXX="/nonexistent/c++")
        assert run.stdout == "[1.0, 1.0]\n", run.stderr
        run = run_with(cache, temporary, PROGRAM.replace("damped", "damped_again"))
        assert run.stdout == "[1.0, 1.0]\n", run.stderr
    finally:
        cache.chmod(0o755)
    assert files(temporary) == []


def small_disk(folder, size):
    """Words that run a command with a disk of its own, that small, mounted at the folder."""
    folder.mkdir()
    mount = f'mount -t tmpfs -o size={size} tmpfs "{folder}" && chmod 700 "{folder}"'
    inside = ["unshare", "-m", "sh", "-c"]
    try:
        possible = subprocess.run([*inside, mount], capture_output=True).returncode == 0
    except FileNotFoundError:
        possible = False
    if not possible:
        pytest.skip("this user can mount no small disk")
    return [*inside, mount + ' && exec "$@"', "sh"]


@pytest.mark.parametrize("size", ["16k", "400k"])  # full at the first file, or at some later one
def test_a_full_disk_is_done_without(tmp_path, size):
    cache, temporary = tmp_path / "cache", tmp_path / "temporary"
    run = run_with(cache, temporary, before=small_disk(cache, size))
    assert run.stdout == "[1.0, 1.0]\n", run.stderr
    assert files(cache) == [] and files(temporary) == []


@pytest.mark.parametrize("size", ["4k", "16k", "400k"])  # full at once, or while the compiler writes
def test_a_full_disk_for_temporary_files_is_done_without(tmp_path, size):
    cache, temporary = tmp_path / "cache", tmp_path / "temporary"
    run = run_with(cache, temporary, before=small_disk(temporary, size))
    assert run.stdout == "[1.0, 1.0]\n", run.stderr
    assert len(list(cache.glob("*.so"))) == 1 and not list(cache.glob("tandem-*"))


def test_a_mistake_is_told_where_little_room_is_left(tmp_path):
    cache, temporary = tmp_path / "cache", tmp_path / "temporary"
    before = small_disk(temporary, "7m")
    wrong = PROGRAM.replace("exp(-rate * t)", "no_such_function(t)")
    run = run_with(cache, temporary, wrong, before=before)
    assert "ValueError" in run.stderr and "no_such_function" in run.stderr.split("got:\n")[1]
    assert run_with(cache, temporary, before=before).stdout == "[1.0, 1.0]\n"


@pytest.mark.parametrize("shared", [True, False])
def test_a_folder_that_goes_is_made_again(tmp_path, shared):
    cache, temporary = tmp_path / "cache", tmp_path / "temporary"
    where = cache if shared else temporary
    program = (
        "import shutil, pathlib, tandem as td\n"
        "for by in (2, 3):\n"
        "    f = td.elementwise_kernel('template <class T> T many(T x) { return x * %d; }' % by)\n"
        "    print(f(td.ones(1)).item())\n"
        f"    made = {str(where)!r} if {shared} else next(iter(pathlib.Path({str(temporary)!r}).glob('tandem-*')))\n"
        "    kept = len(list(pathlib.Path(made).glob('*.so')))\n"
        "    print(kept)\n"
        "    shutil.rmtree(made)\n"
    )
    run = run_with(cache if shared else "/proc/none", temporary, program)
    assert run.stdout.split() == ["2.0", "1", "3.0", "1"], run.stderr


def test_what_is_kept_is_its_owners_alone(tmp_path):
    cache, temporary = tmp_path / "cache", tmp_path / "temporary"
    cache.mkdir(mode=0o755)
    loose = ["sh", "-c", 'umask 0 && exec "$@"', "sh"]
    assert run_with(cache, temporary, before=loose).stdout == "[1.0, 1.0]\n"
    assert [f for f in cache.rglob("*") if f.stat().st_mode & 0o077] == []


def test_what_others_can_write_to_is_not_used(tmp_path):
    cache, temporary = tmp_path / "cache", tmp_path / "temporary"
    assert run_with(cache, temporary).stdout == "[1.0, 1.0]\n"
    (library,) = cache.glob("*.so")
    for mode in (0o666, 0o620, 0o602):
        library.chmod(mode)
        assert "/nonexistent/c++" in run_with(cache, temporary, TANDEM_CXX="/nonexistent/c++").stderr
        assert run_with(cache, temporary).stdout == "[1.0, 1.0]\n"
        assert library.stat().st_mode & 0o777 == 0o600  # made anew


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir, lambda path: os.symlink("/nonexistent/x", path)])
def test_what_is_no_file_is_not_waited_for(tmp_path, make):
    cache, temporary = tmp_path / "cache", tmp_path / "temporary"
    assert run_with(cache, temporary).stdout == "[1.0, 1.0]\n"
    (library,) = cache.glob("*.so")
    (program,) = cache.glob("*.cpp")
    for kept in (library, program):
        kept.unlink()
        make(kept)
        run = run_with(cache, temporary)
        assert run.stdout == "[1.0, 1.0]\n", run.stderr
        assert files(temporary) == []


def test_a_compiler_that_fails_leaves_nothing_behind(tmp_path):
    cache, temporary = tmp_path / "cache", tmp_path / "temporary"
    assert run_with(cache, temporary).stdout == "[1.0, 1.0]\n"
    before = files(cache)
    wrong = PROGRAM.replace("exp(-rate * t)", "no_such_function(t)")
    run = run_with(cache, temporary, wrong)
    assert "ValueError: [damped] argument 'source': expected C++ that compiles" in run.stderr
    assert "no_such_function" in run.stderr.split("got:\n")[1]  # the compiler's own words
    other = PROGRAM.replace("damped", "another")
    for environment in ({"TANDEM_CXX": "/nonexistent/c++"}, {"PATH": ""}):
        assert "C++ compiler" in run_with(cache, temporary, other, **environment).stderr
    assert "got exit status 1 of '/bin/false'" in run_with(cache, temporary, other, TANDEM_CXX="/bin/false").stderr
    assert "ValueError" in run_with(cache, temporary, other, TANDEM_CXX="/bin/true").stderr  # no library
    assert files(cache) == before and files(temporary) == []


def test_headers_that_were_cut_short_are_made_anew(tmp_path):
    cache, temporary = tmp_path / "cache", tmp_path / "temporary"
    assert run_with(cache, temporary).stdout == "[1.0, 1.0]\n"
    header = next(cache.glob("include-*/tandem/fn.h"))
    whole = header.read_text()
    os.truncate(header, 1000)
    (library,) = cache.glob("*.so")
    library.unlink()
    assert run_with(cache, temporary).stdout == "[1.0, 1.0]\n"
    assert header.read_text() == whole and library.exists()
