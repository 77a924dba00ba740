# Statistics, snapshots and tags from Python. The sizes come from the arrays' own.
import json
import threading

import numpy as np
import pytest

import tandem

MIB = 2**20


def live(device="cpu"):
    """Bytes by (tag, op), as a snapshot has them."""
    return {(u["tag"], u["op"]): u["bytes"] for u in tandem.memory_snapshot(device)["live"]}


def test_tags_nest_and_end():
    with tandem.memory_tag("python tags"):
        a = tandem.zeros(MIB, dtype=tandem.float32)
        with tandem.memory_tag("inner"):
            b = a + a
            c = a * a
        d = a - a
    e = a + a
    found = live()
    assert found["python tags/inner", "add"] == b.nbytes
    assert found["python tags/inner", "mul"] == c.nbytes
    assert found["python tags", "sub"] == d.nbytes
    assert found["", "add"] >= e.nbytes
    del b
    assert ("python tags/inner", "add") not in live()


def test_a_tag_ends_with_an_error_and_decorates():
    @tandem.memory_tag("decorated")
    def work():
        return tandem.ones(MIB, dtype=tandem.float32) + 1

    with pytest.raises(KeyError):
        with tandem.memory_tag("with an error"):
            raise KeyError
    kept = work()
    assert live()["decorated", "add"] == kept.nbytes
    assert ("with an error/decorated", "add") not in live()


def test_a_tag_is_of_its_thread():
    kept = []
    with tandem.memory_tag("of the main thread"):
        t = threading.Thread(target=lambda: kept.append(tandem.zeros(MIB) + 1))
        t.start()
        t.join()
    assert not any(tag.startswith("of the main") for tag, _ in live())


@pytest.mark.parametrize("name", ["", "x" * 201, "a\nb"])
def test_names_are_refused(name):
    with pytest.raises(ValueError, match=r"\[memory_tag\] expected"):
        with tandem.memory_tag(name):
            pass
    with pytest.raises(TypeError):
        tandem.memory_tag(3)


def test_stats_count_a_tensor():
    before = tandem.memory_stats()
    t = tandem.zeros(3 * MIB, dtype=tandem.uint8)
    after = tandem.memory_stats()
    assert after["requested"]["current"] - before["requested"]["current"] == 3 * MIB
    assert after["allocations"] == before["allocations"] + 1
    assert after["limit"] is None
    pools = tandem.memory_pools()
    assert pools[0]["id"] == 0 and not pools[0]["kept"]
    assert sum(p["allocated"]["current"] for p in pools) == after["allocated"]["current"]
    del t
    tandem.reset_peak_memory()
    now = tandem.memory_stats()
    assert now["allocated"]["peak"] == now["allocated"]["current"]


def test_a_limit_is_an_out_of_memory_error_that_advises():
    # What is cached would serve, limit or not.
    tandem.empty_cache()
    tandem.set_memory_limit(tandem.memory_stats()["reserved"]["current"] + 8 * MIB)
    try:
        with tandem.memory_tag("too large"):
            with pytest.raises(MemoryError, match=r"(?s)in fill, tag too large.*raise it \(set_memory_limit\)"):
                tandem.zeros(64 * MIB, dtype=tandem.uint8)
    finally:
        tandem.set_memory_limit(None)
    assert tandem.zeros(64 * MIB, dtype=tandem.uint8).nbytes == 64 * MIB
    for wrong, error in ((-1, ValueError), (1.5, TypeError), (True, TypeError)):
        with pytest.raises(error):
            tandem.set_memory_limit(wrong)


def test_snapshots_are_written(tmp_path):
    kept = tandem.from_numpy(np.arange(10)) + 1
    tandem.write_memory_snapshot(tmp_path / "s.json")
    s = json.loads((tmp_path / "s.json").read_text())
    assert s["format"] == "tandem memory snapshot" and s["device"] == "cpu"
    assert s["statistics"]["allocated"]["current"] == sum(u["bytes"] for u in s["live"])
    assert kept.shape == (10,)
    with pytest.raises(OSError):
        tandem.write_memory_snapshot(tmp_path / "none" / "s.json")
    with pytest.raises(TypeError):
        tandem.memory_snapshot(1.5)


def test_cuda_has_pytorchs_names():
    if not tandem.cuda.is_available():
        with pytest.raises(tandem.DeviceError):
            tandem.cuda.memory_allocated()
        return
    before = tandem.cuda.memory_allocated()
    t = tandem.zeros(MIB, dtype=tandem.float32, device="cuda")
    assert tandem.cuda.memory_allocated() - before == t.nbytes
    assert tandem.cuda.max_memory_allocated() >= tandem.cuda.memory_allocated()
    assert tandem.cuda.max_memory_reserved() >= tandem.cuda.memory_reserved() >= t.nbytes
    assert tandem.cuda.memory_snapshot()["device"] == "cuda:0"
    tandem.cuda.reset_peak_memory_stats()
    tandem.cuda.empty_cache()
    assert tandem.cuda.memory_stats()["allocated"]["current"] >= t.nbytes
