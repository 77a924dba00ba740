"""Calls functions of SciPy or scikit-learn with NumPy arrays and with tensors: what test_array_api_libraries.py runs.

  python array_api_calls.py scipy|sklearn [DEVICE]     prints, as JSON, the name of each call and what went wrong, or ""

A process of its own, since both libraries read SCIPY_ARRAY_API when they are imported.
"""

import json
import os
import sys
import traceback
from contextlib import nullcontext

os.environ["SCIPY_ARRAY_API"] = "1"

import numpy as np

import tandem


def scipy_calls():
    from scipy import cluster, differentiate, fft, integrate, ndimage, signal, spatial, special, stats

    test = lambda r: (r.statistic, r.pvalue)
    rotation = spatial.transform.Rotation
    return {
        "stats.zscore": lambda a, b: stats.zscore(a),
        "stats.skew": lambda a, b: stats.skew(a),
        "stats.kurtosis": lambda a, b: stats.kurtosis(a, axis=1),
        "stats.moment": lambda a, b: stats.moment(a, order=[1, 2]),
        "stats.gmean": lambda a, b: stats.gmean(a),
        "stats.entropy": lambda a, b: stats.entropy(a),
        "stats.rankdata": lambda a, b: stats.rankdata(a, axis=0),
        "stats.quantile": lambda a, b: stats.quantile(a, 0.3, axis=0),
        "stats.ttest_ind": lambda a, b: test(stats.ttest_ind(a, b)),
        "stats.pearsonr": lambda a, b: test(stats.pearsonr(a, b, axis=0)),
        "stats.jarque_bera": lambda a, b: test(stats.jarque_bera(a, axis=0)),
        "stats.bartlett": lambda a, b: test(stats.bartlett(a, b)),
        "special.logsumexp": lambda a, b: special.logsumexp(a, axis=1),
        "special.softmax": lambda a, b: special.softmax(a, axis=1),
        "special.gammaln": lambda a, b: special.gammaln(a),
        "special.xlogy": lambda a, b: special.xlogy(a, b),
        "fft.fft": lambda a, b: fft.fft(a),
        "fft.irfftn": lambda a, b: fft.irfftn(fft.rfftn(a)),
        "fft.dct": lambda a, b: fft.dct(a),
        "signal.fftconvolve": lambda a, b: signal.fftconvolve(a, b),
        "signal.hilbert": lambda a, b: signal.hilbert(a, axis=0),
        "signal.detrend": lambda a, b: signal.detrend(a, axis=0),
        "signal.savgol_filter": lambda a, b: signal.savgol_filter(a, 5, 2, axis=0),
        "integrate.trapezoid": lambda a, b: integrate.trapezoid(a, axis=0),
        "integrate.cumulative_trapezoid": lambda a, b: integrate.cumulative_trapezoid(a, axis=0),
        "integrate.nsum": lambda a, b: integrate.nsum(lambda k: 1 / k**2, a * 0 + 1, a * 0 + 20).sum,
        "differentiate.derivative": lambda a, b: differentiate.derivative(lambda x: x**3, a).df,
        "cluster.whiten": lambda a, b: cluster.vq.whiten(a),
        "cluster.linkage": lambda a, b: cluster.hierarchy.linkage(a),
        "ndimage.gaussian_filter": lambda a, b: ndimage.gaussian_filter(a, 1.0),
        "spatial.Rotation": lambda a, b: rotation.from_rotvec(a[:, :3]).apply(b[:, :3]),
    }


# Of tensors in host memory alone: compiled code of the libraries takes the elements through NumPy, or they put tensors
# that they make themselves into host memory.
ON_HOST = """
    stats.entropy stats.rankdata stats.ttest_ind stats.pearsonr stats.jarque_bera stats.bartlett special.gammaln
    special.xlogy fft.dct signal.detrend cluster.linkage ndimage.gaussian_filter integrate.nsum differentiate.derivative
    metrics.confusion_matrix linear_model.LogisticRegression
""".split()


def sklearn_calls():
    from sklearn import decomposition, linear_model, metrics, mixture, naive_bayes, preprocessing
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    components = {"n_components": 2, "svd_solver": "full"}
    mixed = {"n_components": 2, "random_state": 0, "init_params": "random", "max_iter": 5, "tol": 1e9}
    return {
        "metrics.accuracy_score": lambda x, y, f: metrics.accuracy_score(y, y[::-1]),
        "metrics.r2_score": lambda x, y, f: metrics.r2_score(f, f[::-1]),
        "metrics.mean_squared_error": lambda x, y, f: metrics.mean_squared_error(f, f[::-1]),
        "metrics.confusion_matrix": lambda x, y, f: metrics.confusion_matrix(y, y[::-1]),
        "metrics.euclidean_distances": lambda x, y, f: metrics.pairwise.euclidean_distances(x),
        "preprocessing.MinMaxScaler": lambda x, y, f: preprocessing.MinMaxScaler().fit_transform(x),
        "preprocessing.StandardScaler": lambda x, y, f: preprocessing.StandardScaler().fit_transform(x),
        "preprocessing.PolynomialFeatures": lambda x, y, f: preprocessing.PolynomialFeatures(2).fit_transform(x),
        "decomposition.PCA": lambda x, y, f: abs(decomposition.PCA(**components).fit_transform(x)),
        "linear_model.Ridge": lambda x, y, f: linear_model.Ridge(solver="svd").fit(x, f).predict(x),
        "linear_model.LogisticRegression": lambda x, y, f: linear_model.LogisticRegression().fit(x, y).predict(x),
        "LinearDiscriminantAnalysis": lambda x, y, f: LinearDiscriminantAnalysis().fit(x, y).predict(x),
        "naive_bayes.GaussianNB": lambda x, y, f: naive_bayes.GaussianNB().fit(x, y).predict_proba(x),
        "mixture.GaussianMixture": lambda x, y, f: mixture.GaussianMixture(**mixed).fit(x).means_,
    }


# Computed in the default dtype where the arrays are of integers: float32 here, float64 in NumPy.
DEFAULT_DTYPE = ("stats.rankdata",)
# These give Python numbers.
NUMBERS = "metrics.accuracy_score metrics.r2_score metrics.mean_squared_error".split()


def problem(name, got, want, device):
    if isinstance(want, tuple):
        return "".join(problem(name, g, w, device) for g, w in zip(got, want, strict=True))
    if name in NUMBERS:
        return "" if abs(got - want) <= 1e-7 else f"{got} instead of {want}"
    if not isinstance(got, tandem.Tensor) or got.device.type != device:
        return f"{type(got)} instead of a tensor of {device}"
    got = got.cpu().numpy()
    same = got.shape == want.shape and (got.dtype == want.dtype or name in DEFAULT_DTYPE)
    same = same and np.allclose(got, want, rtol=1e-8, atol=1e-9)
    return "" if same else f"{got} instead of {want}"


def outcome(name, call, arrays, device):
    try:
        want = call(*arrays)
        sklearn = sys.modules.get("sklearn")
        with sklearn.config_context(array_api_dispatch=True) if sklearn else nullcontext():
            got = call(*[tandem.tensor(a, device=device) for a in arrays])
        return problem(name, got, want, device)
    except Exception:
        return traceback.format_exc()


def main():
    library, device = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "cpu"
    rng = np.random.default_rng(20240817)
    if library == "scipy":
        calls, arrays = scipy_calls(), [rng.random((20, 4)), rng.random((20, 4))]
    else:
        x = rng.random((60, 5))
        calls, arrays = sklearn_calls(), [x, rng.integers(0, 3, 60), x @ np.arange(1.0, 6) + rng.random(60) / 10]
    if device != "cpu":
        calls = {name: call for name, call in calls.items() if name not in ON_HOST}
    print(json.dumps({name: outcome(name, call, arrays, device) for name, call in calls.items()}))


if __name__ == "__main__":
    main()
