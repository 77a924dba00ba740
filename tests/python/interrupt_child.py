# What test_interrupt.py runs in a process of its own, so that a signal that comes late ends no test run:
#   interrupt_child.py CASE FILE
# FILE is the memory of the op's output, NaN until it is written: the parent presses Ctrl-C when it sees the first
# element. Prints what happened as JSON.
import json
import signal
import sys
import threading
import time

import numpy as np

import tandem as td

N = 1_500_000  # remainders of 1e300, which take a microsecond each


class Stop(Exception):
    pass


def long_op(out):
    td.fmod(td.full((1,), 1e300, dtype=td.float64).expand(N), 2.75, out=out)


def run(case, out):
    if case in ("one thread", "two threads"):
        td.set_num_threads(1 if case == "one thread" else 2)
        long_op(out)
    elif case == "own handler":
        signal.signal(signal.SIGINT, handler)
        long_op(out)
    elif case == "handler that raises":
        signal.signal(signal.SIGINT, raising_handler)
        long_op(out)
    elif case == "ignored":
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        long_op(out)
    elif case == "other thread":
        done = threading.Event()
        try:
            # The signal may come before this has returned.
            threading.Thread(target=lambda: (long_op(out), done.set())).start()
            for _ in range(100):
                done.wait(0.01)
                time.sleep(0.05)
        finally:
            done.wait()
    elif case == "product":
        a = td.ones(4096, 4096, dtype=td.float64)  # two halves of 2^35 multiplications
        out[0] = 0  # as if it had begun: the product is written when it is there
        out[1:] = (a @ a).reshape(-1)[: N - 1]


# What starts the tests may ignore the signal, which is inherited.
signal.signal(signal.SIGINT, signal.default_int_handler)
called = []


def handler(*_):
    called.append(bool(np.isnan(memory).any()))


def raising_handler(*_):
    raise Stop


case, file = sys.argv[1:]
memory = np.memmap(file, np.float64, "r+", shape=(N,))
raised = None
try:
    run(case, td.from_numpy(memory))
except BaseException as e:
    raised = type(e).__name__
expected = np.fmod(1e300, 2.75)
missing = int(np.isnan(memory).sum())
wrong = int(((memory != expected) & ~np.isnan(memory)).sum())
again = td.fmod(td.full((1000,), 1e300, dtype=td.float64), 2.75)  # nothing of the op is left
print(json.dumps({"raised": raised, "missing": missing, "wrong": wrong, "called": called, "works": bool((again == expected).all())}))
