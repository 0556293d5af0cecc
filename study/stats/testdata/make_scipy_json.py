#!/usr/bin/python3
"""Writes scipy.json: samples, and what scipy 1.10.1 (Debian's python3-scipy)
makes of them. Run it in this folder: /usr/bin/python3 make_scipy_json.py > scipy.json

The samples are drawn once with numpy's PCG64 from the seeds below and stored, so
that the test needs neither. Holm's figures are of the definition, written out
here: Debian has no statsmodels with scipy alone."""

import json
import sys

import numpy as np
import scipy
from scipy import stats

cases = []


def case(name, a, b, exact=True):
    a, b = np.asarray(a, float), np.asarray(b, float)
    out = {"name": name, "a": a.tolist(), "b": b.tolist()}
    n = len(a)
    out["mean_a"] = float(np.mean(a))
    out["sd_a"] = float(np.std(a, ddof=1))
    lo, hi = stats.t.interval(0.95, n - 1, loc=np.mean(a), scale=stats.sem(a))
    out["mean_lo"], out["mean_hi"] = float(lo), float(hi)
    if len(b) == n:
        r = stats.ttest_rel(b, a)
        ci = r.confidence_interval(0.95)
        out["paired"] = {"t": float(r.statistic), "p": float(r.pvalue), "df": int(r.df),
                         "lo": float(ci.low), "hi": float(ci.high)}
        if exact:
            d = b - a
            r = stats.permutation_test((d,), np.mean, permutation_type="samples",
                                       n_resamples=np.inf, alternative="two-sided", vectorized=False)
            out["sign_flip"] = float(r.pvalue)
    r = stats.ttest_ind(b, a, equal_var=False)
    va, vb = np.var(a, ddof=1) / len(a), np.var(b, ddof=1) / len(b)
    df = (va + vb) ** 2 / (va**2 / (len(a) - 1) + vb**2 / (len(b) - 1))
    half = stats.t.ppf(0.975, df) * np.sqrt(va + vb)
    d = np.mean(b) - np.mean(a)
    out["welch"] = {"t": float(r.statistic), "p": float(r.pvalue), "df": float(df),
                    "lo": float(d - half), "hi": float(d + half)}
    cases.append(out)


rng = np.random.default_rng(6)
seeds = 1.3 * (1 + 0.2 * rng.standard_normal(10))
case("20% between seeds, 2% effect", seeds, seeds * (0.98 + 0.01 * rng.standard_normal(10)))
case("no effect", seeds, seeds + 0.01 * rng.standard_normal(10))
case("two pairs", [1.0, 2.0], [1.5, 2.25])
case("three pairs", [10, 11, 12.5], [9, 10.5, 11])
case("counts", rng.poisson(40, 8), rng.poisson(50, 8))
case("skewed", rng.lognormal(0, 1, 9), rng.lognormal(0.1, 1, 9))
case("sixteen", rng.normal(5, 1, 16), rng.normal(5.4, 1, 16))
case("sure beyond doubt", np.arange(12.0), np.arange(12.0) + 1 + 0.001 * rng.standard_normal(12))
case("unequal sizes", rng.normal(5, 1, 5), rng.normal(6, 3, 11))
case("many", rng.normal(100, 5, 40), rng.normal(101, 5, 40), exact=False)
# For more pairs than can be permuted completely, scipy's own random permutation
# is the yardstick, with ten times as many draws.
d = np.asarray(cases[-1]["b"]) - np.asarray(cases[-1]["a"])
r = stats.permutation_test((d,), np.mean, permutation_type="samples", n_resamples=200000,
                           alternative="two-sided", random_state=6)
cases[-1]["sign_flip_about"] = float(r.pvalue)

p = [0.01, 0.04, 0.03, 0.005, 0.9, 0.04, 0.6]
order = sorted(range(len(p)), key=lambda i: p[i])
holm, least = [0.0] * len(p), 0.0
for rank, i in enumerate(order):
    least = max(least, min(1.0, (len(p) - rank) * p[i]))
    holm[i] = least

json.dump({"scipy": scipy.__version__, "numpy": np.__version__, "cases": cases, "p": p, "holm": holm},
          sys.stdout, indent=1)
print()
