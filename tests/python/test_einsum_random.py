"""lint: oracle table. einsum against numpy.einsum on random equations, and what NumPy has not: names, orders, memory."""

import itertools

import numpy as np
import pytest

import tandem as torch
from conftest import strided_integers, tensor_of

LETTERS = "abcdefgXYZ"
DTYPES = [np.float32, np.float64, np.complex128, np.int64, np.int32, np.uint8]


def random_case(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 6))
    pool = list(rng.permutation(list(LETTERS))[: int(rng.integers(1, 7))])
    sizes = {c: int(rng.choice([0, 1, 2, 3, 4], p=[0.03, 0.17, 0.3, 0.3, 0.2])) for c in pool}
    dots = [int(rng.integers(1, 4)) for _ in range(int(rng.integers(0, 3)))]
    dtype = DTYPES[seed % len(DTYPES)]
    terms, arrays, dotted = [], [], False
    for _ in range(n):
        letters = [str(c) for c in rng.choice(pool, int(rng.integers(0, 4)))]
        shape = [sizes[c] for c in letters]
        term = "".join(letters)
        if dots and rng.random() < 0.5:
            own = [1 if rng.random() < 0.2 else d for d in dots[int(rng.integers(0, len(dots) + 1)) :]]
            at = int(rng.integers(0, len(letters) + 1))
            term = term[:at] + "..." + term[at:]
            shape[at:at] = own
            dotted = True
        # Broadcasting of letters: a size of 1 in one operand. Not of repeated ones.
        for c in set(letters):
            if letters.count(c) == 1 and rng.random() < 0.05 and not (dotted and "..." in term):
                shape[letters.index(c)] = 1
        terms.append(term)
        arrays.append(strided_integers(rng, shape, dtype))
    equation = (" , " if rng.random() < 0.2 else ",").join(terms)
    used = sorted(set("".join(terms).replace(".", "")))
    if rng.random() < 0.8:
        out = [str(c) for c in rng.permutation(used)[: int(rng.integers(0, len(used) + 1))]] if used else []
        if dotted:
            out.insert(int(rng.integers(0, len(out) + 1)), "...")
        equation += "->" + "".join(out)
    return equation, arrays


def reference(equation, arrays):
    """NumPy's, with the letters that broadcast made wide first: it refuses some that PyTorch allows."""
    equation = equation.replace(" ", "")
    sizes = {}
    terms = equation.split("->")[0].split(",")
    for term, a in zip(terms, arrays):
        head, _, tail = term.partition("...")
        axes = [*zip(head, a.shape), *(zip(tail[::-1], a.shape[::-1]) if "..." in term else [])]
        for c, n in axes:
            sizes[c] = n if sizes.get(c, 1) == 1 else sizes[c]
    wide = []
    for term, a in zip(terms, arrays):
        head, _, tail = term.partition("...")
        shape = list(a.shape)
        for d, c in enumerate(head):
            shape[d] = sizes[c]
        for d, c in enumerate(tail[::-1]):
            shape[-1 - d] = sizes[c]
        wide.append(np.broadcast_to(a, shape))
    return np.einsum(equation, *wide, optimize=False)


@pytest.mark.parametrize("seed", range(600))
def test_random_equations_equal_numpy(seed):
    equation, arrays = random_case(seed)
    want = reference(equation, arrays)
    tensors = [tensor_of(a) for a in arrays]
    for optimize in ("auto", "left", "greedy"):
        got = torch.einsum(equation, *tensors, optimize=optimize)
        assert got.shape == want.shape, equation
        np.testing.assert_array_equal(got.numpy(), want, err_msg=equation)
    meta = torch.einsum(equation, *[t.to("meta") for t in tensors])
    assert meta.shape == want.shape and meta.dtype is got.dtype


@pytest.mark.parametrize("seed", range(40))
def test_floats_are_within_the_bound_of_their_sums(seed):
    rng = np.random.default_rng(1000 + seed)
    sizes = {c: int(rng.integers(1, 40)) for c in "ijkl"}
    terms = ["".join(rng.permutation(list("ijkl"))[: int(rng.integers(1, 4))]) for _ in range(3)]
    used = sorted(set("".join(terms)))
    out = "".join(rng.permutation(used)[: int(rng.integers(0, len(used) + 1))])
    equation = ",".join(terms) + "->" + out
    arrays = [rng.standard_normal([sizes[c] for c in t]).astype(np.float32) for t in terms]
    got = torch.einsum(equation, *map(torch.from_numpy, arrays)).numpy()
    wide = [a.astype(np.float64) for a in arrays]
    want = np.einsum(equation, *wide)
    size = np.einsum(equation, *[np.abs(a) for a in wide])
    added = np.prod([sizes[c] for c in used if c not in out], dtype=float) + 3
    assert (np.abs(got - want) <= added * 2.0**-24 * size).all(), equation


def test_lists_of_numbers():
    rng = np.random.default_rng(1)
    a, b = rng.integers(-3, 4, (2, 3, 4)), rng.integers(-3, 4, (2, 4, 5))
    x, y = torch.from_numpy(a), torch.from_numpy(b)
    want = np.einsum(a, [0, 1, 2], b, [0, 2, 51], [51, 1])
    assert torch.einsum(x, [0, 1, 2], y, [0, 2, 51], [51, 1]).tolist() == want.tolist()
    assert torch.einsum(x, [..., 1, 2], y, [..., 2, 30]).tolist() == np.einsum("...jk,...kl", a, b).tolist()
    assert torch.einsum(x, [3, 30, 2]).tolist() == a.transpose(2, 0, 1).tolist()  # numbers in order: 2, 3, 30
    with pytest.raises(ValueError, match="0 to 51"):
        torch.einsum(x, [0, 1, 52])


def test_permutations_and_diagonals_are_views():
    t = torch.arange(27.0).reshape(3, 3, 3)
    for equation in ("ijk->kij", "ijk", "kji", "iij->ji", "iii->i", "...i->i..."):
        view = torch.einsum(equation, t)
        assert view.storage().data_ptr() == t.storage().data_ptr(), equation
        assert view is not t
    torch.einsum("iii->i", t).fill_(-1)
    assert [t[i, i, i].item() for i in range(3)] == [-1] * 3
    one = torch.ones(1, 3)
    torch.einsum("ij->ji", one).fill_(4)
    assert one.tolist() == [[4.0] * 3]


def test_names_in_place_of_letters():
    rng = np.random.default_rng(2)
    a, b = rng.integers(-3, 4, (2, 3, 4)), rng.integers(-3, 4, (2, 4, 5))
    x, y = torch.from_numpy(a), torch.from_numpy(b)
    want = np.einsum("bri,bic->bcr", a, b).tolist()
    got = torch.einsum("[batch row inner], [batch inner col] -> [batch col row]", x, y)
    assert got.tolist() == want and got.names == ("batch", "col", "row")
    named = x.rename("batch", "row", "inner"), y.rename("batch", "inner", "col")
    got = torch.einsum("-> [batch col row]", *named)
    assert got.tolist() == want and got.names == ("batch", "col", "row")
    got = torch.einsum("[... row inner], [... inner col]", x, y)
    assert got.tolist() == np.einsum("...ri,...ic->...rc", a, b).tolist() and got.names == (None, "row", "col")
    assert torch.einsum("[b r i] ->[]", x).item() == a.sum()
    square = torch.arange(9).reshape(3, 3)
    assert torch.einsum("[side side] -> [side]", square).tolist() == [0, 4, 8]
    meta = torch.einsum("-> [batch col row]", *[t.to("meta") for t in named])
    assert meta.shape == (2, 5, 3) and meta.names == ("batch", "col", "row")
    # Words do not touch letters with spaces.
    assert torch.einsum("b r i, b i c -> b c r", x, y).tolist() == want


@pytest.mark.parametrize(
    ("equation", "names", "error", "words"),
    [
        ("[a b], [b c] -> [a c]", [("a", "x"), None], RuntimeError, "operand 0: 'b' is named 'x'"),
        ("-> [a]", [("a", None), None], ValueError, "operand 0.*a name for every dimension"),
        ("[a b], bc -> [a]", [None, None], ValueError, "in brackets"),
        ("[a b], [b c] -> [a d]", [None, None], ValueError, "output name 'd'"),
        ("[a b], [b 3] -> [a]", [None, None], ValueError, "'3'"),
        ("[a b], [b] -> [a]", [None, None], RuntimeError, "operand 1.*1 names.*2 dimensions"),
        ("[a b], [a b] -> [a a]", [None, None], ValueError, "more than once"),
        ("[... ...], [a b]", [None, None], ValueError, "one '...'"),
    ],
)
def test_errors_of_names(equation, names, error, words):
    tensors = [torch.ones(3, 3, names=list(n) if n else None) for n in names]
    with pytest.raises(error, match=words):
        torch.einsum(equation, *tensors)


def test_errors_name_the_operand():
    a, b = torch.ones(2, 3), torch.ones(4, 5)
    with pytest.raises(RuntimeError, match="operand 1: 'j' has size 4, but size 3"):
        torch.einsum("ij,jk", a, b)
    with pytest.raises(RuntimeError, match="operand 2: the subscript has 3 letters"):
        torch.einsum("ij,jk,kij", a, a.t(), a)
    with pytest.raises(TypeError, match="operand 1: expected scalar type Float but found Double"):
        torch.einsum("ij,jk", a, torch.ones(3, 5, dtype=torch.float64))
    for bad in ("fast", "(0, 1", "(0, 5)", "(0, 0)", "(1)", ""):
        with pytest.raises(ValueError, match="optimize"):
            torch.einsum("ij,jk,kl", a, a.t(), a, optimize=bad)
    with pytest.raises(ValueError, match="memory_limit"):
        torch.einsum("ij,jk", a, a.t(), memory_limit=-1)
    with pytest.raises(ValueError, match="at most 16"):
        torch.einsum(",".join(["i"] * 17), [torch.ones(2)] * 17, optimize="optimal")
    assert torch.einsum(",".join(["i"] * 17) + "->", [torch.ones(2)] * 17).item() == 2


def test_path_is_numpys_where_numpy_is_optimal():
    shapes = {"a": 3, "b": 50, "c": 7, "d": 40, "e": 5}
    for equation in ("ab,bc,cd,de->ae", "abc,cd,bde->ae", "ab,cd,bc,ed->ae"):
        arrays = [np.ones([shapes[c] for c in t]) for t in equation.split("->")[0].split(",")]
        path, text = torch.einsum_path(equation, *map(torch.from_numpy, arrays))
        numpys, numpys_text = np.einsum_path(equation, *arrays, optimize="optimal")
        assert path[0] == "einsum_path" and len(path) == len(numpys)
        flops = float(text.split("Optimized FLOP count:")[1].split()[0].replace(",", ""))
        theirs = float(numpys_text.split("Optimized FLOP count:")[1].split()[0])
        assert flops <= theirs * 1.001
        want = np.einsum(equation, *arrays)
        for optimize in (path, numpys, "optimal", "greedy", True, False, ["einsum_path", tuple(range(len(arrays)))]):
            got = torch.einsum(equation, *map(torch.from_numpy, arrays), optimize=optimize)
            np.testing.assert_array_equal(got.numpy(), want)
    assert torch.einsum_path("ij->j", torch.ones(2, 3))[0] == ["einsum_path", (0,)]
    assert torch.einsum_path(torch.ones(2, 3), [0, 1], torch.ones(3), [1])[0] == ["einsum_path", (0, 1)]


def test_the_limit_is_kept():
    # The cheapest order makes the product of the two small ones, of 400 elements; within 100 there is another.
    a, b, c = torch.ones(20, 1), torch.ones(20, 2), torch.ones(20, 20, 2)
    equation = "ai,bj,abj->i"
    free = torch.einsum_path(equation, a, b, c)[1]
    tight = torch.einsum_path(equation, a, b, c, memory_limit=40)[1]
    largest = [int(t.split("Largest intermediate:")[1].split()[0].replace(",", "")) for t in (free, tight)]
    assert largest[1] <= 40 and largest[0] >= largest[1]
    assert torch.einsum(equation, a, b, c, memory_limit=0).tolist() == [800.0]


def peak_of(equation, tensors):
    torch.empty_cache()
    torch.reset_peak_memory()
    before = torch.memory_stats()["allocated"]["current"]
    out = torch.einsum(equation, *tensors)
    peak = torch.memory_stats()["allocated"]["peak"]
    del out
    return peak - before


@pytest.mark.parametrize("count", [4, 5])
def test_memory_does_not_depend_on_the_order_of_operands(count):
    letters = "abcdef"
    sizes = {"a": 2, "b": 300, "c": 4, "d": 350, "e": 3, "f": 200}
    terms = [letters[i : i + 2] for i in range(count)]
    tensors = {t: torch.ones(sizes[t[0]], sizes[t[1]], dtype=torch.float64) for t in terms}
    out = letters[0] + letters[count]
    peaks = set()
    for order in itertools.permutations(terms):
        peaks.add(peak_of(",".join(order) + "->" + out, [tensors[t] for t in order]))
    assert len(peaks) == 1 and peaks.pop() < 300 * 350 * 8, peaks


@pytest.mark.parametrize("dtype", [np.int32, np.float32])
@pytest.mark.parametrize(
    ("equation", "shapes"),
    [
        ("bqhd,bkhd->bhqk", [(3, 96, 2, 64), (3, 97, 2, 64)]),  # heads between: a call a picture
        ("bhqk,bkhd->bqhd", [(2, 2, 96, 128), (2, 128, 2, 96)]),
        ("xqyhd,ykhxd->khyqx", [(2, 90, 3, 2, 64), (3, 91, 2, 2, 64)]),
        ("bhqd,bhkd->bhqk", [(3, 2, 96, 64), (3, 2, 97, 64)]),
        ("bhdq,bhkd->bhkq", [(3, 2, 64, 96), (3, 2, 97, 64)]),
        ("acbd,cdeb->ae", [(96, 8, 4, 16), (8, 16, 97, 4)]),
    ],
)
def test_views_are_multiplied_where_they_are(equation, shapes, dtype):
    rng = np.random.default_rng(5)
    arrays = [rng.integers(-3, 4, s).astype(dtype) for s in shapes]
    tensors = [torch.from_numpy(a) for a in arrays]
    want = np.einsum(equation, *arrays)
    np.testing.assert_array_equal(torch.einsum(equation, *tensors).numpy(), want)
    assert torch.einsum(equation, *[t.to("meta") for t in tensors]).shape == want.shape


def test_no_copy_of_views():
    x, y = torch.ones(3, 96, 2, 64), torch.ones(3, 97, 2, 64)
    result = 3 * 2 * 96 * 97 * 4  # bytes; blocks are whole pages
    for equation in ("bqhd,bkhd->bhqk", "bqhd,bkhd->bhkq", "qbhd,kbhd->bhkq"):
        assert peak_of(equation, [x, y] if equation[0] == "b" else [x.movedim(1, 0), y.movedim(1, 0)]) <= result + 8192


@pytest.mark.parametrize("seed", range(40))
def test_memory_and_bits_do_not_depend_on_the_order_of_operands(seed):
    rng = np.random.default_rng(2000 + seed)
    count = int(rng.integers(3, 6))
    letters = list("abcdefg"[: count + 2])
    sizes = {c: int(rng.integers(5, 14)) for c in letters}
    shared = []
    while len(set(shared)) < count:  # operands with the same letters could be told apart by nothing but their place
        terms = ["".join(rng.permutation(letters)[: int(rng.integers(1, 5))]) for _ in range(count)]
        used = sorted(set("".join(terms)))
        out = "".join(rng.permutation(used)[: int(rng.integers(0, 4))])
        shared = [frozenset(c for c in t if c in out or "".join(terms).count(c) > 1) for t in terms]
    tensors = {t: torch.from_numpy(rng.standard_normal([sizes[c] for c in t]).astype(np.float32)) for t in sorted(terms)}
    found = {}
    for order in itertools.islice(itertools.permutations(sorted(terms)), 60):
        equation, operands = ",".join(order) + "->" + out, [tensors[t] for t in order]
        key = peak_of(equation, operands), torch.einsum(equation, *operands).numpy().tobytes()
        found.setdefault(key, equation)
    assert len(found) == 1, list(found.values())
