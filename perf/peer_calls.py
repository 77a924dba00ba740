"""What PyTorch and NumPy are asked for each row of tandem_bench: its call, on the same shapes and values."""

import math
import operator
import statistics
import time

NUMPY_MOST = 1 << 20  # elements: NumPy works on one thread and would take most of the time
OWN_NAMES = {"fill": "full"}  # where PyTorch calls a row's function otherwise


def measure(call, min_time, repetitions):
    """Nanoseconds of a call: the median of repetitions that take at least min_time each."""
    call()
    begin = time.perf_counter()
    call()
    once = max(time.perf_counter() - begin, 1e-7)
    count = max(1, math.ceil(min_time / once))
    times = []
    for _ in range(repetitions):
        begin = time.perf_counter()
        for _ in range(count):
            call()
        times.append((time.perf_counter() - begin) / count * 1e9)
    return statistics.median(times)


def batches(call, wait, size):
    """A call that makes `size` calls and then waits for the device, as tandem_bench times them."""

    def run():
        for _ in range(size):
            call()
        wait()

    return run


class NoDevice(Exception):
    """A peer that is installed but cannot use the device."""


class Torch:
    """PyTorch's form of a row, as a call without arguments, or None where it has none."""

    def __init__(self, threads, device="cpu"):
        import torch

        self.lib = torch
        self.device = torch.device(device)
        self.name = f"PyTorch {torch.__version__}"
        if device != "cpu" and not torch.cuda.is_available():
            raise NoDevice(f"{self.name} sees no GPU")
        torch.set_num_threads(threads)
        self.kept = (None, None)

    def nanoseconds(self, row, o):
        """Of a call of the row; None where PyTorch has no form of it."""
        call = self.call(row)
        if call is None or self.device.type == "cpu":
            return measure(call, o.min_time, o.repetitions) if call else None
        run = batches(call, lambda: self.lib.cuda.synchronize(self.device), o.batch)
        return measure(run, o.min_time, o.repetitions) / o.batch

    def dtype(self, name):
        return getattr(self.lib, name.rstrip("_"))

    def tensor(self, shape, dtype, domain, seed=1):
        """Values as tandem_bench draws them: even in the domain."""
        torch = self.lib
        low, high = domain
        torch.manual_seed(seed)
        if dtype == "bool":
            return (torch.rand(shape) < 0.5).to(self.device)
        block = torch.rand(min(math.prod(shape), 1 << 16), dtype=torch.float64) * (high - low) + low
        full = block.to(self.dtype(dtype)).repeat(-(-math.prod(shape) // len(block)))
        return full[: math.prod(shape)].reshape(shape).clone().to(self.device)

    def inputs(self, row, dtypes):
        key = (tuple(row["shape"]), tuple(dtypes), tuple(row["domain"]))
        if self.kept[0] != key:
            self.kept = (None, None)
            made = [self.tensor(row["shape"], t, row["domain"], i + 1) for i, t in enumerate(dtypes)]
            self.kept = (key, made)
        return self.kept[1]

    def call(self, row):
        torch, form = self.lib, row["form"]
        special = getattr(self, "_" + row["op"].rstrip("_"), None)
        if special:
            return special(row)
        if form == "in_place" and row["op"].endswith("_"):
            return self.draw(row)
        function = getattr(torch, OWN_NAMES.get(row["op"], row["op"]), None)
        if form.startswith("dim") or form == "full":
            (x,) = self.inputs(row, [row["dtype"]])
            return (lambda: function(x)) if form == "full" else (lambda: function(x, dim=int(form[3:])))
        if form == "view":
            return self.view(row)
        if function is None:
            return None
        if form in ("in_place", "scalar"):
            x, y = self.inputs(row, [row["dtype"]] * 2)
            return (lambda: x.add_(y)) if form == "in_place" else (lambda: x + 1.5)
        return self.elementwise(row, function)

    def draw(self, row):
        (x,) = self.inputs(row, [row["dtype"]])
        method = getattr(x, row["op"])
        arguments = (0.25,) if row["op"] == "geometric_" else ()
        return lambda: method(*arguments)

    def view(self, row):
        (x,) = self.inputs(row, [row["dtype"]])
        arguments = {"select": (0, 3), "narrow": (0, 2, 4), "transpose": (0, 1), "view": (4, 64)}
        arguments |= {"unsqueeze": (0,), "expand": (16, 16)}
        method = getattr(x, row["op"])
        return lambda: method(*arguments[row["op"]])

    def elementwise(self, row, function):
        """Into a fresh or an existing output; None for what PyTorch does not take."""
        x = self.inputs(row, [row["dtype"]] * row["inputs"])
        try:
            out = function(*x)
            if row["form"] == "out":
                function(*x, out=out)
        except (TypeError, RuntimeError):
            return None
        return (lambda: function(*x, out=out)) if row["form"] == "out" else (lambda: function(*x))

    # rows whose call differs

    def _where(self, row):
        torch = self.lib
        c, x, y = self.inputs(row, ["bool", row["dtype"], row["dtype"]])
        out = torch.empty_like(x)
        return (lambda: torch.where(c, x, y, out=out)) if row["form"] == "out" else lambda: torch.where(c, x, y)

    def _topk(self, row):
        (x,) = self.inputs(row, [row["dtype"]])
        k = int(row["form"][1:])
        return lambda: self.lib.topk(x, k)

    def _trunc_divide(self, row):
        return self.elementwise(row, lambda x, y, **out: self.lib.div(x, y, rounding_mode="trunc", **out))

    def generator(self, row, *arguments):
        function = getattr(self.lib, OWN_NAMES.get(row["op"], row["op"]))
        options = {"dtype": self.lib.float32}
        if self.device.type != "cpu":
            options["device"] = self.device
        return lambda: function(*arguments, **options)

    def _fill(self, row):
        return self.generator(row, row["shape"], 1.5)

    def _rand(self, row):
        return self.generator(row, row["shape"])

    _randn = _rand

    def _empty(self, row):
        return self.generator(row, row["shape"])

    def _allocate(self, row):
        """A tensor of as many bytes: PyTorch shows its allocator in no other way."""
        empty, shape, dtype = self.lib.empty, row["shape"], self.lib.uint8
        return (lambda: empty(shape, dtype=dtype)) if row["form"] == "pair" else None

    def _arange(self, row):
        return self.generator(row, 0, row["shape"][0])

    def _linspace(self, row):
        return self.generator(row, 0, row["shape"][0], row["shape"][0])

    _logspace = _linspace

    def _eye(self, row):
        return self.generator(row, row["shape"][0])

    def _cat(self, row):
        (x,) = self.inputs(row, [row["dtype"]])
        function = getattr(self.lib, row["op"])
        return lambda: function([x, x])

    _stack = _cat

    def _matmul(self, row):
        (x,) = self.inputs(row, [row["dtype"]])
        y = x
        if row.get("extra"):
            y = self.lib.rand(*map(int, row["extra"].split(","))).to(device=self.device, dtype=x.dtype)
        if row["form"] in ("turned", "turned_vector"):
            x = x.transpose(-1, -2)
        if row["form"] == "turned_right":
            y = y.transpose(-1, -2)
        return lambda: self.lib.matmul(x, y)

    def _int_mm(self, row):
        (x,) = self.inputs(row, [row["dtype"]])
        return lambda: self.lib._int_mm(x, x)

    def factorise(self, row):
        """Of matrices whose diagonal dominates: definite by their lower triangles. Long ones as they are."""
        (x,) = self.inputs(row, [row["dtype"]])
        rows, n = row["shape"][-2:]
        diagonal = self.lib.diag(self.lib.arange(n, 2 * n, device=x.device).to(x.dtype))
        a = x + diagonal if rows == n else x
        function = getattr(self.lib.linalg, row["op"].removeprefix("linalg_"))
        return (lambda: function(a, x)) if row["op"] == "linalg_solve" else (lambda: function(a))

    _linalg_det = _linalg_lu = factorise
    _linalg_cholesky = _linalg_eigh = _linalg_inv = _linalg_qr = _linalg_solve = _linalg_svd = _linalg_svdvals = factorise

    def _transform(self, row):
        (x,) = self.inputs(row, [row["dtype"]])
        function = getattr(self.lib.fft, row["op"].removeprefix("fft_"))
        return (lambda: function(x, dim=0)) if row["form"] == "outer" else (lambda: function(x))

    _fft_fft = _fft_fft2 = _fft_rfft = _fft_irfft = _transform

    def frames(self, row):
        """Signal, transform's length and window of a short-time transform; the form is the length."""
        (x,) = self.inputs(row, [row["dtype"]])
        n = int(row["form"][1:])
        return x, n, self.lib.hann_window(n, device=self.device)

    def _stft(self, row):
        x, n, w = self.frames(row)
        return lambda: self.lib.stft(x, n, window=w, return_complex=True)

    def _istft(self, row):
        x, n, w = self.frames(row)
        bins = self.lib.stft(x, n, window=w, return_complex=True)
        return lambda: self.lib.istft(bins, n, window=w)

    def convolved(self, row):
        """PyTorch has no convolution by transforms: by its transforms of a power of two."""
        (x,) = self.inputs(row, [row["dtype"]])
        y = self.tensor([int(row["form"][1:])], row["dtype"], row["domain"], 2)
        n = x.shape[-1] + len(y) - 1
        fft, length = self.lib.fft, 1 << (n - 1).bit_length()
        return lambda: fft.irfft(fft.rfft(x, length) * fft.rfft(y, length), length)[..., :n]

    _signal_fftconvolve = _signal_oaconvolve = convolved

    def _einsum(self, row):
        (x,) = self.inputs(row, [row["dtype"]])
        b, h, q, d = (row["shape"] + [1] * 4)[:4]
        second = {"luma": (3,), "values": (b, h, q, 64)}.get(row["form"], (b, h, q, d))
        weights = self.lib.rand(*second).to(self.device)
        return lambda: self.lib.einsum(row["extra"], x, weights)

    def _logsumexp(self, row):
        (x,) = self.inputs(row, [row["dtype"]])
        dim = (0, 1) if row["form"] == "full" else int(row["form"][3:])
        return lambda: self.lib.logsumexp(x, dim)

    def _softmin(self, row):
        (x,) = self.inputs(row, [row["dtype"]])
        return lambda: self.lib.nn.functional.softmin(x, int(row["form"][3:]))

    def _cumulative_sum(self, row):
        return None  # NumPy's word for cumsum

    _cumulative_prod = _cumulative_sum

    def _clone(self, row):
        (x,) = self.inputs(row, [row["dtype"]])
        return (lambda: x.t().contiguous()) if "transposed" in row["form"] else (lambda: x.clone())

    def _copy(self, row):
        (x,) = self.inputs(row, [row["dtype"]])
        out = self.lib.empty_like(x)
        source = x.t() if "transposed" in row["form"] else x
        return lambda: out.copy_(source)

    def _to(self, row):
        (x,) = self.inputs(row, [row["dtype"]])
        target = self.dtype(row["extra"])
        if row["form"].startswith("fresh"):
            return lambda: x.to(target)
        out = self.lib.empty(row["shape"], dtype=target, device=self.device)
        return lambda: out.copy_(x)


    # indexing: the same shapes with random places

    def places(self, shape, below):
        self.lib.manual_seed(7)
        return self.lib.randint(below, shape).to(self.device)

    def _index_select(self, row):
        (x,) = self.inputs(row, [row["dtype"]])
        i = self.places([4096 if row["form"] == "rows" else 1 << 22], x.shape[0])
        return lambda: self.lib.index_select(x, 0, i)

    def _gather(self, row):
        (x,) = self.inputs(row, [row["dtype"]])
        i = self.places(row["shape"], x.shape[1])
        return lambda: self.lib.gather(x, 1, i)

    def masked(self, row, call):
        (x,) = self.inputs(row, [row["dtype"]])
        mask = x > 0
        return lambda: call(x, mask)

    def _masked_select(self, row):
        return self.masked(row, self.lib.masked_select)

    def _nonzero(self, row):
        return self.masked(row, lambda x, mask: self.lib.nonzero(mask))

    def _masked_fill(self, row):
        return self.masked(row, lambda x, mask: self.lib.masked_fill(x, mask, 2))

    def _index_add(self, row):
        (x,) = self.inputs(row, [row["dtype"]])
        i, to = self.places([x.shape[0]], x.shape[0]), x.clone()
        return lambda: to.index_add_(0, i, x)

    def _scatter_add(self, row):
        (x,) = self.inputs(row, [row["dtype"]])
        i, to = self.places(row["shape"], x.shape[0]), x.clone()
        return lambda: to.scatter_add_(0, i, x)

    def _index_put(self, row):
        (x,) = self.inputs(row, [row["dtype"]])
        i, to, accumulate = self.places(row["shape"], x.shape[0]), x.clone(), row["form"] == "accumulated"
        return lambda: to.index_put_((i,), x, accumulate)


class NumPy:
    """NumPy's form of the elementwise rows with fresh outputs and of the reductions."""

    def __init__(self, threads):
        import numpy

        self.lib = numpy
        self.name = f"NumPy {numpy.__version__}"

    def array(self, row, seed):
        np, (low, high) = self.lib, row["domain"]
        values = np.random.default_rng(seed).random(row["shape"], dtype=np.float32) * (high - low) + low
        return values.astype(row["dtype"].rstrip("_"))

    def nanoseconds(self, row, o):
        call = self.call(row)
        return measure(call, o.min_time, o.repetitions) if call else None

    def call(self, row):
        np, form = self.lib, row["form"]
        function = getattr(np, row["op"], None) or getattr(operator, row["op"], None)
        if row["op"] == "div":
            function = operator.truediv
        if function is None or row["dtype"].rstrip("_") not in np.sctypeDict:
            return None
        if form.startswith("dim") or form == "full":
            if row["op"] not in ("sum", "mean", "argmax"):
                return None
            x = self.array(row, 1)
            return (lambda: function(x)) if form == "full" else (lambda: function(x, axis=int(form[3:])))
        if form != "fresh" or len(row["shape"]) != 1 or row["shape"][0] > NUMPY_MOST:
            return None
        x = [self.array(row, i) for i in range(row["inputs"])]
        try:
            result = function(*x)
        except (TypeError, ValueError):
            return None
        return (lambda: function(*x)) if isinstance(result, np.ndarray) else None


def load_peers(threads, device):
    peers = []
    kinds = [lambda: Torch(threads, device)] + ([lambda: NumPy(threads)] if device == "cpu" else [])
    for kind in kinds:
        try:
            peers.append(kind())
        except ImportError as e:
            print(f"{e.name} is not installed; its column is left out")
        except NoDevice as e:
            print(f"{e}; its column is left out")
    return peers
