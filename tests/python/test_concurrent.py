"""Many Python threads at once, each with tensors of its own: every result is that of one thread, bit for bit.

One test runs in a process that has done nothing yet, so that pools, tables, libraries and plans are made by several
threads at once.
"""

import os
import queue
import subprocess
import sys
import threading

import numpy as np
import pytest

import tandem as td

THREADS = 8


def elementwise(seed, x, folder):
    y = x.sin().mul_(2).add(x, alpha=0.5).clamp(-1, 1.5)
    y[::2] -= 1
    yield y
    yield td.where(x > 0, x.exp(), -x.half())
    yield (x * 100).to(td.int16) // 7
    yield td.complex(x, y).sqrt().view(-1)
    yield x.to(td.bfloat16).sigmoid().float()


def reductions(seed, x, folder):
    yield x.sum(), x.mean(0), x.std(1), x.amax(0), x.argmax(1), x.prod(1)
    yield td.softmax(x, 1), x.cumsum(0), td.logsumexp(x, 0), (x > 0).any(1), x.t().sum(0)


def order(seed, x, folder):
    yield x.sort(1), x.flatten().topk(9), (x * 3).int().unique(return_counts=True), x.median(0)
    yield td.searchsorted(td.linspace(-3, 3, 50), x), td.histc(x, 20)


def indexing(seed, x, folder):
    places = (x[:, 0] * 1000).long() % len(x)
    yield x[places], x[x > 0.5], td.gather(x, 0, places[:, None]), x[::-1, ::-2], x.nonzero()
    total = td.zeros(len(x))
    total.index_add_(0, places, x[:, 1])
    x = x.clone()
    x[places % 3 == 0] = seed
    yield total, x, td.cat([x, x.flip(0)]), td.stack(x.split(1)[:3])


def products(seed, x, folder):
    yield x @ x.t(), x.double() @ x.double()[0], (x * 9).int() @ (x.t() * 9).int()
    yield td.einsum("ij,kj,k->i", x, x, x[:, 0])
    with td.exact():
        yield x.half() @ x.t().half(), td.fft.rfft(x)
    assert not td.is_exact()


def transforms(seed, x, folder):
    yield td.fft.fft(x), td.fft.rfft2(x), td.fft.ifft(td.complex(x, x)), td.fft.rfft(x.flatten()[: 61 + seed])


def linalg(seed, x, folder):
    a = x[:12, :12].double() @ x[:12, :12].double().t() + td.eye(12, dtype=td.float64)
    yield td.linalg.cholesky(a), td.linalg.inv(a), td.linalg.det(a), td.linalg.solve(a, x[:12, 0].double())
    q, r = td.linalg.qr(x)  # LAPACK's, held to what they are factors of
    values, vectors = td.linalg.eigh(a)
    assert td.allclose(q @ r, x, atol=1e-4)
    assert td.allclose(vectors * values @ vectors.t(), a)


def random(seed, x, folder):
    own = td.Generator().manual_seed(seed)
    yield td.randn(1000, generator=own), td.rand(50, 3, generator=own), td.randint(0, 99, (200,), generator=own)
    yield td.randperm(500, generator=own), x.clone().normal_(generator=own)


def names(seed, x, folder):
    x = x.rename("row", f"column{seed % 3}")
    with td.memory_tag(f"thread {seed}"):
        y = x * x.sum("row").rename(None)
    assert y.names == ("row", f"column{seed % 3}") and x.t().names == y.names[::-1]
    yield y.rename(None)
    with pytest.raises(RuntimeError, match="do not match"):
        x + x.rename("row", "other")


def python(seed, x, folder):
    text = repr(x) + str(x[0].tolist()) + f"{x[0, 0]:.3f}"
    yield td.tensor([len(text), sum(text.encode())])
    shared = x.numpy()
    assert shared.ctypes.data == x.data_ptr() and x.storage() is x[1:].storage()
    yield td.from_numpy(shared.T[::-1]), td.tensor(shared.tolist())
    with pytest.raises(IndexError, match="index 1000 is out of bounds"):
        x[1000]


def files(seed, x, folder):
    td.io.save_hdf5(f"{folder}/{seed}.h5", {"x": x})
    yield td.io.load_hdf5(f"{folder}/{seed}.h5", "x", (slice(3, 9),))
    td.io.write_image(f"{folder}/{seed}.png", (x * 50).abs().to(td.uint8))
    yield td.io.read_image(f"{folder}/{seed}.png").rename(None)


JOBS = [elementwise, reductions, order, indexing, products, transforms, linalg, random, names, python, files]


def plain(results):
    for result in results:
        yield from plain(result) if isinstance(result, tuple) else [(result.dtype, result.numpy().tobytes())]


def all_jobs(seed, folder, first=0):
    """The bytes of all results by job; the job `first` is the first one."""
    rng = np.random.default_rng(seed)
    x = td.from_numpy(rng.standard_normal((40 + 7 * seed, 33 + seed)).astype(np.float32))
    jobs = JOBS[first % len(JOBS) :] + JOBS[: first % len(JOBS)]
    return {job.__name__: list(plain(job(seed, x, folder))) for job in jobs}


def in_threads(work, count=THREADS):
    """[work(0), work(1), ...], each in its own thread, begun together."""
    results, failures = [None] * count, []
    barrier = threading.Barrier(count)

    def run(i):
        try:
            barrier.wait()
            results[i] = work(i)
        except BaseException as e:  # noqa: BLE001
            failures.append(e)

    threads = [threading.Thread(target=run, args=(i,)) for i in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return results


def check(rounds, folder):
    former = sys.getswitchinterval()
    sys.setswitchinterval(2e-5)
    try:
        # In each round threads take the jobs in another order.
        found = in_threads(lambda i: [all_jobs(i, folder, i + 3 * r) for r in range(rounds)])
    finally:
        sys.setswitchinterval(former)
    for seed, results in enumerate(found):
        expected = all_jobs(seed, folder)
        assert sum(len(v) for v in expected.values()) > 45
        for result in results:
            for job in expected:
                assert result[job] == expected[job], (seed, job)


@pytest.mark.parametrize("n", [1, 2])
def test_results_are_those_of_one_thread(n, threads, tmp_path):
    td.set_num_threads(n)
    check(3, tmp_path)


def test_first_use_by_many_threads(tmp_path):
    environment = dict(os.environ, PYTHONPATH=os.pathsep.join(map(os.path.abspath, sys.path)))
    program = f"import test_concurrent; test_concurrent.check(1, {str(tmp_path)!r})"
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr


def test_reading_one_tensor_together():
    x = td.rand(300, 200)
    expected = (x.sum(), x @ x.t(), x.t().contiguous(), x[x > 0.5], repr(x), x.tolist())

    def read(i):
        for _ in range(5):
            assert x.storage() is x[i:].storage()
            found = (x.sum(), x @ x.t(), x.t().contiguous(), x[x > 0.5])
            assert all(td.equal(a, b) for a, b in zip(found, expected))
            assert repr(x) == expected[4] and x.tolist() == expected[5]

    in_threads(read)


def test_tensors_of_one_thread_die_in_another():
    line = queue.Queue(20)
    before = td.memory_stats()["requested"]["current"]

    def work(i):
        if i % 2:
            for k in range(200):
                t = td.full((10 + 37 * k % 3000,), float(k))
                line.put((k, t, t[3:], t.storage(), t.numpy()))
        else:
            for _ in range(200):
                k, t, view, storage, array = line.get()
                assert view[0].item() == k == storage[0] == array[-1] and view.sum().item() == k * len(view)
                t.zero_()
                assert array[0] == 0

    in_threads(work)
    assert td.memory_stats()["requested"]["current"] == before


def test_seeded_draws_of_the_shared_generator_are_whole():
    """Its order is that of the calls, but each call's numbers are one call's."""
    td.manual_seed(5)
    expected = sorted(td.rand(50).tolist() for _ in range(THREADS * 20))
    td.manual_seed(5)
    found = in_threads(lambda i: [td.rand(50).tolist() for _ in range(20)])
    assert sorted(draw for draws in found for draw in draws) == expected
