"""Intervals for effects that are measured over a few seeds, and a rule that compares them with a printed effect.

All arms of an experiment share their seeds. So effects are differences, slopes or correlations within a seed, and the
seeds are the sample. Student's interval is exact when the effects are normal with one mean and one variance. With five
seeds this cannot be checked, and no better interval exists without an assumption.
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
import math
import statistics
from collections.abc import Mapping, Sequence
from fractions import Fraction

import numpy as np
import scipy.special
import scipy.stats

LEVEL = 0.95
"""The confidence level of an interval where none is given."""


@dataclasses.dataclass(frozen=True)
class Interval:
    """An estimate with an interval lower <= effect <= upper at a confidence level; both ends belong to the interval.

    count: the number of observations that were taken to be independent: seeds, or points of a correlation. method: in
    words.
    """

    estimate: float
    lower: float
    upper: float
    level: float
    count: int
    method: str = ""

    def contains(self, effect: float) -> bool:
        """Whether the interval, with its ends, contains this effect."""
        return self.lower <= effect <= self.upper


@dataclasses.dataclass(frozen=True)
class GridMinimum(Interval):
    """The location of a minimum over a grid: the best point, and the hull of all points that may be best.

    candidates: the points that may be best, in the order of the grid.
    """

    candidates: tuple[float, ...] = ()


class Finding(str):
    """A verdict, "reproduced", "not reproduced" or "inconclusive", with a reason."""

    reason: str
    """What the verdict rests on, worded to follow the text of the interval: "excludes 0, beyond the printed size"."""

    def __new__(cls, verdict: str, reason: str) -> Finding:
        """Create the string `verdict` with a reason."""
        finding = super().__new__(cls, verdict)
        finding.reason = reason
        return finding


def _sample(values: Sequence[float] | np.ndarray, least: int, what: str) -> np.ndarray:
    """The values as a vector (n,). Raises ValueError for fewer than `least`, for other shapes, and when not finite."""
    array = np.asarray(values, float)
    if array.ndim != 1:
        raise ValueError(f"{what} form a vector, one for each seed, not an array of shape {array.shape}")
    if len(array) < least:
        raise ValueError(f"{len(array)} {what} are too few for an interval, which takes {least}: run more seeds")
    if not np.isfinite(array).all():
        raise ValueError(f"{what} {array[~np.isfinite(array)][0]} at position {np.argmin(np.isfinite(array))}")
    return array


def _require_level(level: float) -> None:
    """Raise ValueError unless the level is a probability between 0 and 1."""
    if not 0 < level < 1:
        raise ValueError(f"a confidence level lies between 0 and 1, not at {level}")


def student_interval(differences: Sequence[float] | np.ndarray, *, level: float = LEVEL) -> Interval:
    """Student's interval (1908) for the mean of paired differences (n,), n >= 2: mean -+ t s/sqrt(n).

    Mean and standard deviation are computed in rational arithmetic and rounded once. If all differences are equal, the
    interval is one point, its limit. This says that the seeds agree, and nothing about their spread. For normal
    differences the interval contains the mean with probability `level` exactly. For others, with few seeds, the
    probability is unknown.
    Raises ValueError for fewer than two differences, for one that is not finite, and for a level outside (0, 1).
    """
    _require_level(level)
    values = _sample(differences, 2, "differences").tolist()
    mean = statistics.mean(values)
    half = float(scipy.special.stdtrit(len(values) - 1, (1 + level) / 2)) * statistics.stdev(values)
    half /= math.sqrt(len(values))
    return Interval(mean, mean - half, mean + half, level, len(values), "Student")


def log_slopes(steps: Sequence[float], values: np.ndarray) -> np.ndarray:
    """The least-squares slope of log values (n, k) over log steps (k,), for each seed, (n,).

    All seeds share the steps. A seed that diverged at a step has no value at this step; the caller leaves out either
    the seed or the step, and says so. Raises ValueError for fewer than two different steps, for shapes that do not fit,
    and for steps or values that are not positive and finite.
    """
    x, y = np.asarray(steps, float), np.atleast_2d(np.asarray(values, float))
    if x.ndim != 1 or len(set(x.tolist())) < 2 or y.ndim != 2 or y.shape[1] != len(x):
        raise ValueError(f"a slope takes two steps at least and one value a step: steps {x.shape}, values {y.shape}")
    if not (np.isfinite(x).all() and np.isfinite(y).all() and (x > 0).all() and (y > 0).all()):
        raise ValueError("a slope of logarithms takes steps and values that are positive and finite")
    u = np.log(x) - np.log(x).mean()
    return np.log(y) @ u / (u @ u)


def paired_slope(steps: Sequence[float], values: np.ndarray, *, level: float = LEVEL) -> Interval:
    """Student's interval for the mean over seeds of the slope of log values (n, k) over log steps (k,).

    A slope of -1 means value ~ 1/step, as at the edge of stability. Raises ValueError as `log_slopes` and
    `student_interval` do.
    """
    return student_interval(log_slopes(steps, values), level=level)


def fisher_interval(correlation: float, count: int, *, level: float = LEVEL, variance: float = 1.0) -> Interval:
    """Fisher's interval tanh(artanh r -+ z sqrt(variance/(n - 3))) for a correlation of n > 3 points.

    For independent pairs (Fisher 1921). For normal pairs variance is 1, and for Spearman's correlation it is 1 + r^2/2
    (Bonett, Wright 2000). Both are approximate at small n. At -1 and 1 the interval is one point, its limit. Four
    points leave one degree of freedom: r = -0.89 has [-0.998, 0.491] at 0.95, and zero is only excluded beyond
    |r| = tanh(1.96) = 0.961.
    Raises ValueError for fewer than four points, for a correlation outside [-1, 1], and for a level outside (0, 1).
    """
    _require_level(level)
    if not -1 <= correlation <= 1:
        raise ValueError(f"a correlation lies between -1 and 1, not at {correlation}")
    if count < 4:
        raise ValueError(f"Fisher's interval takes four points or more, and there are {count}")
    if abs(correlation) == 1:
        return Interval(correlation, correlation, correlation, level, count, "Fisher")
    half = scipy.special.ndtri((1 + level) / 2) * math.sqrt(variance / (count - 3))
    centre = math.atanh(correlation)
    return Interval(correlation, math.tanh(centre - half), math.tanh(centre + half), level, count, "Fisher")


def correlation_interval(x: np.ndarray, y: np.ndarray, *, level: float = LEVEL) -> Interval:
    """The correlation over k arms of two measurements (n, k), taken within each of n seeds.

    The interval is Student's, for the mean over seeds of the Fisher transforms of the seeds' Pearson correlations. The
    seeds are the sample: the interval says whether the sign is the same from seed to seed, with these arms. It does not
    separate the two measurements from the step that drives both, because arms differ in the step and in all that
    follows from it.
    Raises ValueError for shapes that do not fit, for a measurement that is constant in a seed, for a correlation of -1
    or 1, whose Fisher transform is infinite, and as `student_interval` does.
    """
    x, y = np.asarray(x, float), np.asarray(y, float)
    if x.ndim != 2 or x.shape != y.shape:
        raise ValueError(f"a correlation takes two arrays of one shape, seeds by arms, not {x.shape} and {y.shape}")
    if any((values == values[:, :1]).all(axis=1).any() for values in (x, y)):
        raise ValueError("a correlation with a constant does not exist: all values of one variable are equal")
    correlations = scipy.stats.pearsonr(x, y, axis=1).statistic
    if np.abs(correlations).max() == 1:
        raise ValueError("a correlation of a seed is -1 or 1, whose Fisher transform is infinite")
    found = student_interval(np.arctanh(correlations), level=level)
    ends = (math.tanh(end) for end in (found.estimate, found.lower, found.upper))
    return Interval(*ends, level, len(x), "Student over seeds, of Fisher transforms")


@functools.cache
def spearman_values(count: int, ties: bool = False) -> tuple[Fraction, ...]:
    """The signed squares rho |rho| of all Spearman correlations that `count` points can have, exact and increasing.

    Without ties, four points have the multiples of 1/5. With ties, 4/sqrt(20) = 0.894 (two pairs of ties on one side)
    and 8/9 (one pair on each side) also occur, and nothing else that rounds to 0.89. All orders are enumerated, so
    `count` must be small.
    """
    patterns = itertools.product(range(count), repeat=count) if ties else itertools.permutations(range(count))
    ranks = {_midranks(pattern) for pattern in patterns}
    found = set()
    for right in ranks:
        for left in {tuple(sorted(each)) for each in ranks}:
            xy, xx, yy = (
                sum(a * b for a, b in zip(*pair, strict=True)) for pair in ((left, right), (left, left), (right, right))
            )
            if xx and yy:
                found.add(xy * abs(xy) / (xx * yy))
    return tuple(sorted(found))


def _midranks(pattern: Sequence[int]) -> tuple[Fraction, ...]:
    """The ranks of integers less their mean; ties have their mean rank."""
    below = [sum(other < value for other in pattern) for value in pattern]
    above = [sum(other > value for other in pattern) for value in pattern]
    return tuple(Fraction(low - high, 2) for low, high in zip(below, above, strict=True))


def minimizer_interval(grid: Sequence[float], values: np.ndarray, *, level: float = LEVEL) -> GridMinimum:
    """The points of a grid (k,) at which the mean of values (n, k) may be least, with probability at least `level`.

    A point is dropped when some other point is better by Student's one-sided paired test at (1 - level)/(k - 1). The
    true minimizer is dropped only if one of k - 1 true null hypotheses is rejected. By the union bound this has
    probability at most 1 - level. The search for the best mean costs nothing, because every pair is tested. Equal means
    share the first place, and the estimate is the first of them. The best mean is never dropped, so there is always a
    candidate. The interval is the hull: points between two candidates may have been dropped, and `candidates` lists
    those that are left.
    Raises ValueError for a grid that does not increase, for shapes that do not fit, and as `student_interval` does.
    """
    _require_level(level)
    points, y = np.asarray(grid, float), np.asarray(values, float)
    if points.ndim != 1 or len(points) < 2 or y.ndim != 2 or y.shape[1] != len(points):
        raise ValueError(f"a minimum takes two points at least, one value a point: {points.shape}, {y.shape}")
    if (np.diff(points) <= 0).any():
        raise ValueError(f"a grid increases, and {points.tolist()} does not")
    each = 1 - 2 * (1 - level) / (len(points) - 1)
    worse = np.zeros(len(points), bool)
    for i, j in itertools.permutations(range(len(points)), 2):
        worse[i] |= student_interval(y[:, i] - y[:, j], level=each).lower > 0
    kept = points[~worse].tolist()
    means = [statistics.mean(column) for column in y.T.tolist()]
    best = points.tolist()[means.index(min(means))]
    method = f"Student of all pairs, each at {1 - (1 - level) / (len(points) - 1):.4g}"
    return GridMinimum(best, kept[0], kept[-1], level, len(y), method, tuple(kept))


def judge(
    interval: Interval,
    *,
    null: float,
    printed: float | tuple[float, float] | None = None,
    direction: int | None = None,
) -> Finding:
    """What an interval says about a printed effect: "reproduced", "not reproduced" or "inconclusive", with the reason.

    null: the effect under the null hypothesis, such as 0 for a difference.
    printed: the effect that the paper prints, or the two ends of the range that it prints, on one side of the null.
    direction: 1 or -1, the side of the null, where the paper prints no size.
    Exactly one of printed and direction is given.

    The rule, in this order; intervals include their ends:
    1. The interval excludes the null on the printed side: reproduced, whatever the size. If the interval lies short of
       or beyond the printed size, the reason says so: then the sign is reproduced and the number is not.
    2. The interval lies short of the printed effect (it contains the null, or lies on the other side of it): not
       reproduced. Without a printed size, only an interval on the other side of the null is not reproduced.
    3. The interval contains both the null and a printed effect: inconclusive.

    Error probabilities, where the interval keeps its level: a true effect equal to the null is called reproduced with
    probability at most (1 - level)/2. A true effect of the printed size or more is called not reproduced with the same
    probability at most.
    Raises ValueError for an interval or a null that is not finite, and for a printed effect that names no side.
    """
    if not all(map(math.isfinite, (interval.lower, interval.upper, null))) or interval.lower > interval.upper:
        raise ValueError(f"no interval to judge by: [{interval.lower:g}, {interval.upper:g}] against {null:g}")
    if (printed is None) == (direction is None):
        raise ValueError("a claim is judged by its printed effect or, where it prints none, by its direction")
    if direction not in (None, 1, -1):
        raise ValueError(f"a direction is 1 or -1, not {direction}")
    ends = printed if isinstance(printed, tuple) else (printed, printed)
    effects = (0.0, math.inf * direction) if direction else tuple(end - null for end in ends)
    sign = 1 if max(effects) > 0 else -1
    nearest, farthest = sorted(sign * effect for effect in effects)
    if not (nearest >= 0 and farthest > 0):
        raise ValueError(f"the printed effect {printed} does not lie on one side of {null:g}")
    lower, upper = sorted((sign * (interval.lower - null), sign * (interval.upper - null)))
    if lower > 0:
        size = ", short of the printed size" if upper < nearest else ", beyond the printed size"
        return Finding("reproduced", f"excludes {null:g}" + size * (upper < nearest or lower > farthest))
    if upper < nearest:
        inside = f"excludes {null:g} on the other side" if upper < 0 else f"contains {null:g}, not the printed effect"
        return Finding("not reproduced", inside)
    return Finding("inconclusive", f"contains {null:g} and" + (" more" if direction else " a printed effect"))


def common(findings: Mapping[str, Finding]) -> Finding:
    """The finding that several choices have in common: their verdict where all agree, else "inconclusive".

    findings: by the name of the choice, at least one. The reason is the one that all share, if they share one; else it
    lists each choice with its finding and reason.
    """
    verdicts, reasons = set(map(str, findings.values())), {found.reason for found in findings.values()}
    told = [f"{name}: {found}, {found.reason}" for name, found in findings.items()]
    reason = reasons.pop() if len(verdicts) == len(reasons) == 1 else "; ".join(told)
    return Finding(verdicts.pop() if len(verdicts) == 1 else "inconclusive", reason)
