# Threads: of OpenMP, which change no bit, and Python's, which run while an op works.
import threading
import time

import numpy as np
import pytest

import tandem as td
from conftest import same


def test_number_of_threads(threads):
    td.set_num_threads(2)
    assert td.get_num_threads() == 2
    td.set_num_threads(1)
    assert td.get_num_threads() == 1
    for bad, error in [(0, ValueError), (-1, ValueError), (1.5, TypeError), ("2", TypeError), (True, TypeError)]:
        with pytest.raises(error, match="set_num_threads expects a"):
            td.set_num_threads(bad)
    assert td.get_num_threads() == 1


def test_results_do_not_depend_on_threads(threads):
    td.manual_seed(1)
    x = td.rand(300_001)
    results = []
    for n in (1, 2, 3):
        td.set_num_threads(n)
        results.append((x.exp(), x.sum(), x + x, td.rand(1000) if n < 0 else x * 2))
    for other in results[1:]:
        assert all(same(a, b) for a, b in zip(results[0], other))


def test_python_runs_while_an_op_works():
    x = td.rand(4_000_000, dtype=td.float64)
    ticks = []
    done = threading.Event()

    def count():
        while not done.is_set():
            ticks.append(time.perf_counter())
            time.sleep(0.0005)

    thread = threading.Thread(target=count)
    thread.start()
    began = time.perf_counter()
    while time.perf_counter() - began < 0.3:
        x.exp()
    done.set()
    thread.join()
    assert len(ticks) > 20


def test_many_threads_make_and_drop_tensors():
    failures = []

    def work(seed):
        try:
            for i in range(200):
                t = td.full((64, 64), float(seed))
                u = (t + i).sum()
                if u.item() != 64 * 64 * (seed + i):
                    failures.append((seed, i))
        except Exception as e:  # noqa: BLE001
            failures.append(e)

    pool = [threading.Thread(target=work, args=(s,)) for s in range(4)]
    for t in pool:
        t.start()
    for t in pool:
        t.join()
    assert not failures


def test_exact_mode_is_a_setting_of_its_thread_and_block():
    assert not td.is_exact()
    seen = []
    with td.exact():
        assert td.is_exact()
        thread = threading.Thread(target=lambda: seen.append(td.is_exact()))
        thread.start()
        thread.join()
        with td.exact(False):
            assert not td.is_exact()
        assert td.is_exact()
    assert seen == [False]
    assert not td.is_exact()
    td.set_exact(True)
    assert td.is_exact()
    td.set_exact(False)


def test_exact_products_follow_the_documented_order():
    a = np.random.default_rng(3).standard_normal((5, 600)).astype(np.float64)
    b = np.random.default_rng(4).standard_normal((600, 4)).astype(np.float64)
    with td.exact():
        got = td.matmul(td.tensor(a), td.tensor(b)).numpy()
    assert np.allclose(got, a @ b, rtol=0, atol=600 * np.finfo(float).eps * np.max(np.abs(a) @ np.abs(b)))
    with td.exact():
        assert np.array_equal(got[1:3, 1:], td.matmul(td.tensor(a[1:3]), td.tensor(b[:, 1:])).numpy())


def test_float32_matmul_precision_is_highest_until_set():
    assert td.get_float32_matmul_precision() == "highest"
    for precision in ("high", "medium"):
        td.set_float32_matmul_precision(precision)
        assert td.get_float32_matmul_precision() == "high"
    td.set_float32_matmul_precision("highest")
    assert td.get_float32_matmul_precision() == "highest"
    with pytest.raises(ValueError, match="set_float32_matmul_precision"):
        td.set_float32_matmul_precision("low")
