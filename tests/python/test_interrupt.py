# Ctrl-C during long work, and forks after it. That an op was ended midway is seen by what it did not write.
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import tandem as td

CHILD = Path(__file__).with_name("interrupt_child.py")
N = 1_500_000


def interrupted(case, tmp_path):
    """What a process says in which an op was interrupted when it had written its first element. A machine that is busy
    may send the signal after the end of the op: then it is done again."""
    for attempt in range(5):
        file = tmp_path / f"memory{attempt}"
        np.full(N, np.nan).tofile(file)
        memory = np.memmap(file, np.float64, "r", shape=(N,))
        child = subprocess.Popen([sys.executable, CHILD, case, file], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        while np.isnan(memory[0]) and child.poll() is None:
            time.sleep(0.001)
        child.send_signal(signal.SIGINT)
        out, err = child.communicate()
        if child.returncode == 0 and out:
            seen = json.loads(out)
            on_time = seen["missing"] > 0 or case in ("own handler", "other thread", "ignored") and (case != "own handler" or seen["called"] == [True])
            if on_time:
                return seen
    pytest.fail(f"the signal came late five times: {out} {err}")


@pytest.mark.parametrize("case", ["one thread", "two threads"])
def test_interrupt_ends_an_op(case, tmp_path):
    seen = interrupted(case, tmp_path)
    assert seen["raised"] == "KeyboardInterrupt" and 0 < seen["missing"] < N and seen["wrong"] == 0 and seen["works"]


def test_interrupt_ends_a_product(tmp_path):
    seen = interrupted("product", tmp_path)
    assert seen["raised"] == "KeyboardInterrupt" and seen["missing"] == N - 1 and seen["works"]


def test_a_handler_that_does_not_raise_lets_the_op_go_on(tmp_path):
    seen = interrupted("own handler", tmp_path)
    assert seen["raised"] is None and seen["missing"] == 0 and seen["wrong"] == 0
    assert seen["called"] == [True]  # once, in the middle


def test_a_handler_that_raises_its_own(tmp_path):
    seen = interrupted("handler that raises", tmp_path)
    assert seen["raised"] == "Stop" and 0 < seen["missing"] < N and seen["works"]


def test_other_threads_work_on(tmp_path):
    seen = interrupted("other thread", tmp_path)
    assert seen["raised"] == "KeyboardInterrupt" and seen["missing"] == 0 and seen["wrong"] == 0


def test_ignored_signal(tmp_path):
    seen = interrupted("ignored", tmp_path)
    assert seen["raised"] is None and seen["missing"] == 0 and seen["wrong"] == 0


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
