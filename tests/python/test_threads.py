# Threads: of OpenMP, which change no bit, and Python's, which run while an op works.
import threading
import time

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
