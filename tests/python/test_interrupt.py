# Ctrl-C during long work, and forks after it. That an op was ended midway is seen by what it did not write.
import multiprocessing
import os
import signal
import threading

import numpy as np
import pytest

import tandem as td

pytestmark = pytest.mark.skipif(threading.current_thread() is not threading.main_thread(), reason="signals need the main thread")

N = 1_500_000  # of remainders of 1e300, which take a microsecond each


@pytest.fixture
def target():
    """An output full of NaN, and its memory."""
    out = td.full((N,), float("nan"), dtype=td.float64)
    return out, out.numpy()


@pytest.fixture
def restored():
    former = signal.getsignal(signal.SIGINT)
    yield
    signal.signal(signal.SIGINT, former)


def press_once_begun(memory):
    """Presses Ctrl-C when the op has written its first element."""

    def wait_and_press():
        while np.isnan(memory[0]):
            pass
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=wait_and_press)
    thread.start()
    return thread


def long_op(out):
    td.fmod(td.full((1,), 1e300, dtype=td.float64).expand(N), 2.75, out=out)


EXPECTED = np.fmod(1e300, 2.75)


@pytest.mark.parametrize("n", [1, 2])
def test_interrupt_ends_an_op(target, threads, n):
    td.set_num_threads(n)
    out, memory = target
    thread = press_once_begun(memory)
    with pytest.raises(KeyboardInterrupt):
        long_op(out)
    thread.join()
    assert not np.isnan(memory[0]) and np.isnan(memory).any()
    # Nothing of it is left.
    again = td.fmod(td.full((1000,), 1e300, dtype=td.float64), 2.75)
    assert (again.numpy() == EXPECTED).all()


def test_interrupt_ends_a_product(threads):
    td.set_num_threads(2)
    a = td.ones(4096, 4096, dtype=td.float64)  # two halves of 2^35 multiplications, a quarter of a second and more each
    out = td.full((4096, 4096), float("nan"), dtype=td.float64)  # written when the product is there
    thread = threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGINT))
    with pytest.raises(KeyboardInterrupt):
        thread.start()
        td.matmul(a, a, out=out)
    thread.join()
    assert td.isnan(out).all()
    assert (td.matmul(a[:10], a) == 4096).all()


def test_a_handler_that_does_not_raise_lets_the_op_go_on(target, restored):
    out, memory = target
    unwritten = []
    signal.signal(signal.SIGINT, lambda *_: unwritten.append(np.isnan(memory).any()))
    thread = press_once_begun(memory)
    long_op(out)
    thread.join()
    assert (memory == EXPECTED).all()
    assert unwritten == [True]  # called once, in the middle


def test_a_handler_that_raises_its_own(target, restored):
    class Stop(Exception):
        pass

    def handler(*_):
        raise Stop

    signal.signal(signal.SIGINT, handler)
    out, memory = target
    thread = press_once_begun(memory)
    with pytest.raises(Stop):
        long_op(out)
    thread.join()
    assert np.isnan(memory).any()


def test_other_threads_work_on(target):
    out, memory = target
    done = threading.Event()

    def work():
        long_op(out)
        done.set()

    worker = threading.Thread(target=work)
    presser = press_once_begun(memory)
    worker.start()
    with pytest.raises(KeyboardInterrupt):
        while True:
            done.wait(0.01)
    done.wait()
    worker.join()
    presser.join()
    assert (memory == EXPECTED).all()


def test_ignored_signal(target, restored):
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    out, memory = target
    thread = press_once_begun(memory)
    long_op(out)
    thread.join()
    assert (memory == EXPECTED).all()


def in_child(seed):
    td.manual_seed(seed)
    x = td.rand(300_000)
    return x.exp().sum().item(), (td.ones(200, 200) @ td.ones(200, 200)).sum().item()


def test_fork_after_use(threads):
    td.set_num_threads(2)
    expected = [in_child(seed) for seed in range(3)]
    with multiprocessing.get_context("fork").Pool(2) as pool:
        assert pool.map(in_child, range(3)) == expected
    assert [in_child(seed) for seed in range(3)] == expected
