"""Concentration of samples: deviations, intervals and distances with a proved false-alarm probability.

Every function takes the false-alarm probability of one comparison and states its bound. Over many comparisons the
probabilities add up, independent or not (`union_bound_share`). The docstrings also state the power. Deviations add up
as well: a mean that is wrong by deviation(false_alarm) + deviation(missed) is missed with probability at most `missed`.
The reason: to come within the tolerance of the wrong mean, the sample must stray from its true mean by
deviation(missed) (`detectable_error`).

Sources: Chernoff (1952), A Measure of Asymptotic Efficiency for Tests of a Hypothesis Based on the Sum of Observations,
Annals of Mathematical Statistics 23; Hoeffding (1963), Probability Inequalities for Sums of Bounded Random Variables,
Journal of the American Statistical Association 58; Dvoretzky, Kiefer, Wolfowitz (1956), Asymptotic Minimax Character of
the Sample Distribution Function and of the Classical Multinomial Estimator, Annals of Mathematical Statistics 27;
Massart (1990), The Tight Constant in the Dvoretzky-Kiefer-Wolfowitz Inequality, Annals of Probability 18; Clopper,
Pearson (1934), The Use of Confidence or Fiducial Limits Illustrated in the Case of the Binomial, Biometrika 26.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.special
import scipy.stats

from fixtures.kernels.infinite_width import arc_cosine_0, arc_cosine_1

Law = Callable[[np.ndarray], np.ndarray]
_GOLDEN = (np.sqrt(5) - 1) / 2


def union_bound_share(total: float, comparisons: int) -> float:
    """The false-alarm probability that each comparison may have, so that all of them together have `total`.

    This is the union bound, so no independence is needed. Raises ValueError unless 0 < total < 1 and comparisons is 1,
    2, ...
    """
    if not 0 < total < 1 or comparisons < 1 or comparisons % 1:
        raise ValueError(f"no probability {total} can be shared by {comparisons} comparisons")
    return total / comparisons


def _require(false_alarm: Any, count: Any) -> None:
    """Raise ValueError unless every probability lies in (0, 1) and every number of samples is at least 1."""
    if not (np.all(np.greater(false_alarm, 0) & np.less(false_alarm, 1)) and np.all(np.greater_equal(count, 1))):
        raise ValueError(f"false alarm {false_alarm} is not inside (0, 1), or there is less than one sample: {count}")


@dataclasses.dataclass(frozen=True)
class Deviations:
    """The sample mean lies in [mean - below, mean + above]; each side fails with at most the false-alarm chance."""

    below: np.ndarray
    above: np.ndarray


def detectable_error(deviation: Callable[[float], Any], false_alarm: float, missed: float) -> Any:
    """The least error that a test at `false_alarm` finds except with probability `missed`: the sum of two deviations.

    deviation: the deviation as a function of its probability, the same for the true law and for the one that is tested.
    If it returns Deviations, so does this function. A true mean that is too large by above(false_alarm) + below(missed)
    is found, and so is one that is too small by below(false_alarm) + above(missed).
    """
    allowed, strayed = deviation(false_alarm), deviation(missed)
    if isinstance(allowed, Deviations):
        return Deviations(below=allowed.below + strayed.above, above=allowed.above + strayed.below)
    return allowed + strayed


def chernoff(
    log_mgf: Law, mean: Any, count: Any, false_alarm: Any, *, domain: tuple[Any, Any] = (-np.inf, np.inf)
) -> Deviations:
    """One-sided deviations of the mean of `count` independent variables with a known moment generating function.

    log_mgf: s -> log E exp(sZ), elementwise, finite inside `domain` = (negative end, positive end); the ends may be
    infinite. mean: EZ. count, false_alarm, mean and the ends broadcast together.
    P(mean of Z > EZ + above) and P(mean of Z < EZ - below) are each at most false_alarm (Chernoff 1952; by Cramer's
    theorem the exponent cannot be improved). An atom at the end of the range may lie on the bound.
    Power, against a mean that is shifted: for normal Z and a false alarm of 1e-9, a mean that is off by 13 standard
    errors is missed with probability at most 1e-9.
    Raises ValueError unless 0 < false_alarm < 1 and count >= 1.

    Proof and method: let L = log(1/false_alarm)/count. Markov's inequality for exp(sZ) gives the bound
    EZ + t = (L + log_mgf(s))/s for every s > 0. Any s is valid, and the least value over s is sought. A perspective of
    a convex function is convex in 1/s, so 70 golden sections of log(1/s - 1/end) over [-35, 35] find it to rounding, if
    the unit of Z is neither below 1e-12 nor above 1e12 times its spread.
    """
    _require(false_alarm, count)
    level = np.log(1 / np.asarray(false_alarm, float)) / np.asarray(count, float)

    def upper(sign: float, end: Any) -> np.ndarray:
        with np.errstate(divide="ignore"):
            reciprocal = 1 / np.abs(np.asarray(end, float))

        def value(z: np.ndarray) -> np.ndarray:
            inverse = reciprocal + np.exp(z)
            return inverse * (level + log_mgf(sign / inverse))

        shape = np.broadcast_shapes(level.shape, reciprocal.shape, np.shape(mean))
        return _least_value(value, np.full(shape, -35.0), np.full(shape, 35.0), steps=70)

    return Deviations(below=upper(-1.0, domain[0]) + mean, above=upper(1.0, domain[1]) - mean)


def _least_value(function: Law, low: np.ndarray, high: np.ndarray, steps: int) -> np.ndarray:
    """The least value of a quasi-convex function that a golden-section search of [low, high] meets, elementwise."""
    left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
    at_left, at_right = function(left), function(right)
    for _ in range(steps):
        go_left = at_left < at_right
        low, high = np.where(go_left, low, left), np.where(go_left, right, high)
        fresh = np.where(go_left, high - _GOLDEN * (high - low), low + _GOLDEN * (high - low))
        at_fresh = function(fresh)
        left, right = np.where(go_left, fresh, right), np.where(go_left, left, fresh)
        at_left, at_right = np.where(go_left, at_fresh, at_right), np.where(go_left, at_left, at_fresh)
    return np.minimum(at_left, at_right)


def relu_ntk_log_mgf(r: Any, s: Any) -> np.ndarray:
    """The log moment generating function of Z = 1(u > 0, v > 0)(uv + a^2 r), one neuron's part of a ReLU kernel entry.

    u, v are standard normal with correlation r in [-1, 1]; a is standard normal and independent of them. Z is what one
    neuron adds to m K_m(x, x') for unit vectors at correlation r in the NTK parameterization. Finite for s (1 + r) < 1
    and 1 - 2 s r > 0.

    Derivation: the expectation over a gives (1 - 2sr)^(-1/2). exp(suv) shifts the correlation to r' = r + s(1 - r^2).
    The remaining integral over a quadrant is arccos(-r')/(2 pi sqrt(q)) with q = (1 - s(1 + r))(1 + s(1 - r)) and
    1 - r'^2 = (1 - r^2) q. For r' < -1 it is continued by arccosh(-r')/(2 pi sqrt(-q)). At r = 1, Z is a chi-square of
    two degrees of freedom with probability 1/2 and zero otherwise. At r = -1, Z is zero, and the function is finite for
    every s.
    Raises ValueError for a correlation outside [-1, 1].
    """
    r, s = _correlation(r), np.asarray(s, float)
    active = r > -1
    at_rest = np.arctan2(np.sqrt((1 - r) * (1 + r)), -r)
    return np.log1p((_quadrant(r, s) / np.sqrt(1 - 2 * s * r * active) - at_rest) / (2 * np.pi))


def relu_nngp_log_mgf(r: Any, s: Any) -> np.ndarray:
    """The log moment generating function of max(u, 0) max(v, 0), one neuron's part from the output weights alone.

    u, v and r are as in `relu_ntk_log_mgf`. Finite for s (1 + r) < 1.
    """
    r = _correlation(r)
    return np.log1p((_quadrant(r, np.asarray(s, float)) - np.arctan2(np.sqrt((1 - r) * (1 + r)), -r)) / (2 * np.pi))


def _quadrant(r: np.ndarray, s: np.ndarray) -> np.ndarray:
    """2 pi E[exp(suv); u > 0, v > 0]."""
    q = (1 - s * (1 + r)) * (1 + s * (1 - r))
    sine = np.sqrt((1 - r) * (1 + r))
    root = np.sqrt(np.abs(q))
    shifted = r + s * (1 - r) * (1 + r)
    angle = np.where(q > 0, np.arctan2(sine * root, -shifted), np.arcsinh(sine * root))
    return np.divide(angle, root, out=np.broadcast_to(sine, root.shape).copy(), where=root > 0)


def _correlation(r: Any) -> np.ndarray:
    """The correlations as an array. Raises ValueError for a value outside [-1, 1], even if only by rounding."""
    r = np.asarray(r, float)
    if not np.all(np.abs(r) <= 1):
        raise ValueError(f"a correlation is outside [-1, 1]: {r[~(np.abs(r) <= 1)][0]}")
    return r


def relu_ntk_mean(r: Any) -> np.ndarray:
    """EZ for the Z of `relu_ntk_log_mgf`: k_1(r) + r k_0(r), the limit K_inf for unit inputs.

    It is the derivative of `relu_ntk_log_mgf` at s = 0.
    """
    r = _correlation(r)
    return arc_cosine_1(r) + r * arc_cosine_0(r)


def relu_ntk_deviations(r: Any, width: Any, false_alarm: Any) -> Deviations:
    """The deviations of an entry of the empirical NTK of `width` ReLU neurons from its mean, for unit inputs.

    r: correlation of the two inputs. The entry and its deviations scale with |x||x'|. The network is in the NTK
    parameterization, both layers are trained, and all weights are independent standard normal. Exact Chernoff, each
    side at `false_alarm`; about 6 standard deviations at 1e-9, e.g. +0.176/-0.138 at r = 0.3, width 1024. Power,
    against output weights |a| in place of a^2: at r = 0.95, width 2^15 and 1e-9 they are missed with probability at
    most 1e-3.

    Raises ValueError for a correlation outside [-1, 1], and as `chernoff` does.
    """
    r = _correlation(r)
    negative = (r > -1) & (r < 0)
    with np.errstate(divide="ignore"):
        ends = (np.where(negative, 1 / np.minimum(2 * r, -np.finfo(float).tiny), -np.inf), 1 / (1 + r))
    return chernoff(lambda s: relu_ntk_log_mgf(r, s), relu_ntk_mean(r), width, false_alarm, domain=ends)


def relu_ntk_diagonal_cdf(value: Any, width: int) -> np.ndarray:
    """P(K_m(x, x) <= value) for |x| = 1 and `width` ReLU neurons in the NTK parameterization, exact.

    Each neuron is active with probability 1/2, and then adds a chi-square of two degrees of freedom to m K_m. So m K_m
    ~ Gamma(shape N, scale 2) with N ~ Binomial(m, 1/2); its mean is m and its variance 3m. There is an atom of 2^-m at
    zero, where the left limit is 0; elsewhere the law is continuous. Power with `dvoretzky_kiefer_wolfowitz`, against
    the law of twice the width: 4000 samples of width 4, tested at 1e-9, miss it with probability at most 1e-9.
    """
    active = np.arange(1, width + 1)
    half = np.asarray(value, float)[..., None] * width / 2
    weights = scipy.stats.binom.pmf(active, width, 0.5)
    return (half[..., 0] >= 0) * 0.5**width + np.vecdot(scipy.special.gammainc(active, np.maximum(half, 0)), weights)


def hoeffding(spread: Any, count: Any, false_alarm: Any) -> np.ndarray:
    """A two-sided deviation for the mean of `count` independent variables, each in an interval of length `spread`.

    P(|mean - expectation| >= t) <= 2 exp(-2 count t^2/spread^2) (Hoeffding 1963, Probability Inequalities
    for Sums of Bounded Random Variables). Power, against a wrong expectation: an error of `detectable_error(...)`, the
    sum of two such deviations, is missed with at most the second probability. Raises ValueError unless 0 < false_alarm
    < 1 and count >= 1.
    """
    _require(false_alarm, count)
    return np.asarray(spread) * np.sqrt(np.log(2 / np.asarray(false_alarm, float)) / (2 * np.asarray(count, float)))


def dvoretzky_kiefer_wolfowitz(count: Any, false_alarm: Any) -> np.ndarray:
    """A bound on the sup-distance of an empirical distribution function of `count` samples from the true one.

    The true law may have atoms. P(sup |F_n - F| > e) <= 2 exp(-2 n e^2) (Dvoretzky, Kiefer, Wolfowitz 1956, Asymptotic
    Minimax Character of the Sample Distribution Function and of the Classical Multinomial Estimator; the constant 2 by
    Massart 1990, The Tight Constant in the Dvoretzky-Kiefer-Wolfowitz Inequality). Power, against a law at sup-distance
    `detectable_error(...)`, the sum of two such deviations: it is missed with at most the second probability. Raises
    ValueError as `hoeffding` does.
    """
    return hoeffding(1.0, count, false_alarm)


def sup_distance(samples: np.ndarray, cdf: Law, cdf_below: Law | None = None) -> float:
    """The supremum over the line of |F_n - F| for samples (n,), exact for any law.

    cdf: x -> P(X <= x). cdf_below: x -> P(X < x), needed where the law has atoms; by default the same as cdf. Between
    two samples F_n is constant and F is monotone, so the supremum is attained at a sample or just below one.
    """
    points, counts = np.unique(samples, return_counts=True)
    upto = np.cumsum(counts) / len(samples)
    before = np.append(0.0, upto[:-1])
    below = (cdf_below or cdf)(points)
    return float(max(np.abs(upto - cdf(points)).max(), np.abs(before - below).max()))


def chi_square_interval(freedom: Any, false_alarm: Any) -> tuple[np.ndarray, np.ndarray]:
    """The central interval of a chi-square variable with `freedom` degrees, exact: false_alarm/2 on each side.

    It is the pivot of a Gaussian sum of squares |z|^2/sigma^2, and of samples whitened by a known covariance. Power,
    against another variance: `chi_square_power`; at 400 degrees and 1e-9 a variance that is twice or half as large is
    missed with a probability below 1/100. Raises ValueError unless 0 < false_alarm < 1 and freedom >= 1.
    """
    _require(false_alarm, freedom)
    law, half = scipy.stats.chi2(freedom), np.asarray(false_alarm, float) / 2
    return law.ppf(half), law.isf(half)


def chi_square_power(freedom: Any, false_alarm: Any, factor: Any) -> np.ndarray:
    """The probability that `chi_square_interval` rejects a sum of squares whose variance is `factor` times too large.

    Closed form: this sum is factor times a chi-square variable.
    """
    lower, upper = chi_square_interval(freedom, false_alarm)
    law = scipy.stats.chi2(freedom)
    return law.cdf(lower / np.asarray(factor)) + law.sf(upper / np.asarray(factor))


def clopper_pearson(successes: Any, count: Any, false_alarm: Any) -> tuple[np.ndarray, np.ndarray]:
    """An interval that contains the probability of success except with probability at most false_alarm, at every count.

    Clopper, Pearson (1934), The Use of Confidence or Fiducial Limits Illustrated in the Case of the Binomial. It is
    computed from the number of successes among `count` independent trials. Each side errs with probability at most
    false_alarm/2. Power, against another probability: `clopper_pearson_power`; 400 trials at 1e-9 take a coin with
    probability 0.7 of heads for a fair coin with probability at most 1/10.

    Raises ValueError unless 0 <= successes <= count, count >= 1 and 0 < false_alarm < 1.
    """
    _require(false_alarm, count)
    if np.any(np.less(successes, 0) | np.greater(successes, count)):
        raise ValueError(f"there are not {successes} successes in {count} trials")
    k, half = np.asarray(successes), np.asarray(false_alarm, float) / 2
    lower = np.where(k > 0, scipy.stats.beta.ppf(half, np.maximum(k, 1), count - k + 1), 0.0)
    upper = np.where(k < count, scipy.stats.beta.isf(half, k + 1, np.maximum(count - k, 1)), 1.0)
    return lower, upper


def clopper_pearson_power(claimed: float, true: float, count: int, false_alarm: float) -> float:
    """The probability that the interval of `count` trials excludes the claimed probability when another one is true.

    Exact: the sum of the binomial probabilities of the counts whose interval excludes `claimed`.
    """
    successes = np.arange(count + 1)
    lower, upper = clopper_pearson(successes, count, false_alarm)
    return float(scipy.stats.binom.pmf(successes, count, true)[(claimed < lower) | (claimed > upper)].sum())
