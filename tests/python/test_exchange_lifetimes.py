# Who dies first: arrays and tensors that share memory, let go in both orders, on several threads, with the collector
# running all the time. Under the address sanitizer in CTest (cuda.sim.python), where every allocation is one of its own.
import array
import gc
import random
import subprocess
import sys
import threading
import weakref

import numpy as np
import pytest

import tandem as td

SIZE = 4096


@pytest.fixture
def busy_collector():
    before = gc.get_threshold()
    gc.collect()
    gc.freeze()  # what the other tests made is not looked at each time
    gc.set_threshold(1, 1, 1)
    yield
    gc.set_threshold(*before)
    gc.unfreeze()
    gc.collect()


def numbers():
    return np.arange(SIZE, dtype=np.float64)


def tensor():
    return td.arange(SIZE, dtype=td.float64)


class Cycle:
    """Holds what it is given in a cycle: only the collector frees it."""

    def __init__(self, held):
        self.held, self.me = held, self


# (owner of the memory, what shares it, how to read the sharer)
PAIRS = {
    "from_numpy": (numbers, td.from_numpy, lambda x: x[SIZE - 1].item()),
    "numpy": (tensor, lambda t: t.numpy(), lambda x: x[-1]),
    "asarray": (tensor, np.asarray, lambda x: x[-1]),
    "memoryview": (tensor, memoryview, lambda x: x[SIZE - 1]),
    "as_tensor of a memoryview": (numbers, lambda a: td.as_tensor(memoryview(a)), lambda x: x[SIZE - 1].item()),
    "frombuffer": (
        lambda: array.array("d", range(SIZE)),
        lambda a: td.frombuffer(a, dtype=td.float64),
        lambda x: x[SIZE - 1].item(),
    ),
    "DLPack from NumPy": (numbers, td.from_dlpack, lambda x: x[SIZE - 1].item()),
    "DLPack to NumPy": (tensor, np.from_dlpack, lambda x: x[-1]),
    "DLPack": (tensor, td.from_dlpack, lambda x: x[SIZE - 1].item()),
    "DLPack, old form": (tensor, lambda t: td.from_dlpack(t.__dlpack__()), lambda x: x[SIZE - 1].item()),
    "a chain": (
        numbers,
        lambda a: np.from_dlpack(td.from_numpy(np.asarray(td.from_dlpack(a))[:: -1])[::-1]),
        lambda x: x[-1],
    ),
}


def allocated():
    gc.collect()
    return td.memory_stats("cpu")["allocated"]["current"]


@pytest.mark.parametrize("pair", PAIRS)
@pytest.mark.parametrize("first", ["owner", "sharer"])
@pytest.mark.parametrize("cycle", [False, True], ids=["", "in cycles"])
def test_either_side_may_die_first(pair, first, cycle, busy_collector):
    make, share, last = PAIRS[pair]
    before = allocated()
    for _ in range(4):
        owner = make()
        sharer = share(owner)
        if cycle:
            owner, sharer = Cycle(owner), Cycle(sharer)
        if first == "owner":
            del owner
            gc.collect()
            filler = [numbers() * 0 for _ in range(4)], [tensor().zero_() for _ in range(4)]
            assert last(sharer.held if cycle else sharer) == SIZE - 1
            del filler, sharer
        else:
            del sharer
            gc.collect()
            held = owner.held if cycle else owner
            assert float(held[SIZE - 1]) == SIZE - 1
            del held, owner
    assert allocated() == before


@pytest.mark.parametrize("pair", [p for p, (make, *_) in PAIRS.items() if make is numbers])
def test_the_owners_count_comes_back(pair):
    make, share, _ = PAIRS[pair]
    owner = make()
    count = sys.getrefcount(owner)
    sharers = [share(owner) for _ in range(5)]
    assert sys.getrefcount(owner) > count
    gone = weakref.ref(owner)
    del sharers
    gc.collect()
    assert sys.getrefcount(owner) == count
    del owner
    gc.collect()
    assert gone() is None


def test_threads_let_go_of_what_others_made(busy_collector):
    """Sharers are handed between threads, written by nobody, and dropped by whoever has them last."""
    before = allocated()
    boxes, lock, failures = [], threading.Lock(), []

    def work(seed):
        rng = random.Random(seed)
        kinds = list(PAIRS.values())
        try:
            for _ in range(40):
                make, share, last = rng.choice(kinds)
                sharer = share(make())
                with lock:
                    boxes.append((sharer, last))
                    other = boxes.pop(rng.randrange(len(boxes)))
                if other[1](other[0]) != SIZE - 1:
                    failures.append("wrong value")
                if rng.random() < 0.3:
                    with lock:
                        boxes.append(other)
                del sharer, other
        except BaseException as e:  # reported below: a thread's own error would be lost
            failures.append(repr(e))

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not failures
    for sharer, last in boxes:
        assert last(sharer) == SIZE - 1
    del sharer, last
    boxes.clear()
    assert allocated() == before


def test_a_tensor_may_outlive_its_thread():
    made = []
    thread = threading.Thread(target=lambda: made.append(td.from_dlpack(numbers())))
    thread.start()
    thread.join()
    gc.collect()
    assert made[0][5].item() == 5


def test_a_view_keeps_the_other_librarys_memory():
    values = numbers()
    gone = weakref.ref(values)
    part = td.from_dlpack(values)[10:20].reshape(2, 5)
    back = part.numpy()
    del values, part
    gc.collect()
    assert gone() is not None and back.tolist() == np.arange(10.0, 20.0).reshape(2, 5).tolist()
    del back
    gc.collect()
    assert gone() is None


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_the_interpreter_may_end_with_everything_alive(device):
    if device == "cuda" and not td.cuda.is_available():
        pytest.skip(td.cuda.status())
    program = f"""
import threading, numpy as np, tandem as td
a = np.arange(1000.0)
t = td.from_dlpack(a).to({device!r})
capsules = [t.__dlpack__(), t.__dlpack__(max_version=(1, 0)), td.from_numpy(a).__dlpack__()]
shared = [td.from_numpy(a), td.from_dlpack(a), td.frombuffer(bytearray(80), dtype=td.float64), memoryview(td.ones(3)),
          td.from_dlpack(t), td.arange(5).numpy(), np.from_dlpack(td.arange(5))]
class Cycle: pass
Cycle.me = Cycle; Cycle.held = shared
local = threading.local(); local.held = shared
print(float(t.sum()))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout) == (0, "499500.0\n"), done.stderr
