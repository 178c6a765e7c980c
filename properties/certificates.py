"""Certificates: inequalities with both sides computed from the run.

A theorem never compares against a literal tolerance. It does one of two things. It states `error <= bound`, where the
bound is derived from the instance (a residual over the least singular value, a duality gap, a rounding analysis). Or it
states that a printed inequality is violated by an exact margin. Both are reported to the observer of the running test.
In this way the ratio error/bound and the witness of a refutation reach the ledger. This module imports neither pytest
nor the ledger. It raises AssertionError itself: under `python -O` an `assert` statement vanishes, and the verdict would
stay.
"""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from fractions import Fraction
from numbers import Rational
from typing import Any, NoReturn, Protocol

import hypothesis
import numpy as np


class Kind(enum.StrEnum):
    """What a certificate asserts.

    An inequality whose error is 0 in every instance of a test certifies nothing; the ratio of the other kinds may be 0.
    """

    INEQUALITY = "inequality"
    EQUALITY = "equality"
    SIGN = "sign"
    IDENTITY = "identity"
    VIOLATION = "violation"


class Observer(Protocol):
    """What a running test reports to; the ledger's recorder is one. Outside the ledger there is no observer."""

    def certified(self, kind: Kind, why: str, ratio: float, instances: int) -> None:
        """A certificate was checked on `instances` instances; `ratio` is the largest error/bound, `why` its words."""

    def failed(self, why: str) -> None:
        """An assertion of this module failed, and raises next. A test that passes all the same has suppressed it."""

    def compared(self, why: str, slack: float) -> None:
        """Two numbers were equal within a slack: the largest `slack`, as a share of the larger of the two."""

    def violated(self, witness: str, exact: bool) -> None:
        """A printed inequality was violated; `exact` is true when both sides are rational numbers."""

    def kept(self, hypotheses: tuple[str, ...]) -> None:
        """The instance was shown to satisfy these hypotheses."""

    def searched(self, tried: int) -> None:
        """A directed search found and shrank a violation after it tried this many instances."""

    def recorded(self, title: str, columns: dict[str, list[float]]) -> None:
        """The data of a picture: columns of numbers, of equal length."""

    def found(self, finding: dict[str, Any]) -> None:
        """An experiment was measured; the keys are those of `record_finding`."""


_observer: ContextVar[Observer | None] = ContextVar("observer", default=None)


@contextmanager
def observed_by(observer: Observer) -> Iterator[None]:
    """Report every certificate made inside the block to `observer`."""
    token = _observer.set(observer)
    try:
        yield
    finally:
        _observer.reset(token)


def fail(why: str) -> NoReturn:
    """Raise AssertionError, and tell the observer: a test that suppresses it has not passed."""
    if observer := _observer.get():
        observer.failed(why.partition("\n")[0])
    raise AssertionError(why) from None


def report_search(tried: int) -> None:
    """Report to the observer that a directed search succeeded after `tried` instances."""
    if observer := _observer.get():
        observer.searched(tried)


def record_series(title: str, **columns: Any) -> None:
    """Save the data of a picture in the ledger: columns (T,) of finite numbers.

    title: what the picture shows; each title occurs once in a test. The first column is the abscissa. Call it in plain
    tests only: in a generated test every example would record. Raises ValueError for no columns, and for columns that
    are empty, not finite or of unequal length.
    """
    series = {name: np.asarray(column, float) for name, column in columns.items()}
    lengths = {column.shape for column in series.values()}
    if len(lengths) != 1 or len(next(iter(lengths))) != 1 or 0 in next(iter(lengths)):
        raise ValueError(f"{title}: the columns of a series are of one length and not empty, not {sorted(lengths)}")
    if bad := [name for name, column in series.items() if not np.all(np.isfinite(column))]:
        raise ValueError(f"{title}: the column {bad[0]!r} is not finite")
    if observer := _observer.get():
        observer.recorded(title, {name: column.tolist() for name, column in series.items()})


class Measured(Protocol):
    """An estimate with an interval that contains the true value at confidence `level`."""

    estimate: float
    lower: float
    upper: float
    level: float


class Where(Protocol):
    """The setting of a measurement.

    binding: whether the docstring's expected verdict is about this setting. printed: whether it is the paper's own
    setting.
    """

    title: str
    binding: bool
    printed: bool


def record_finding(finding: str, interval: Measured, *, where: Where, trials: int, reads: str) -> None:
    """Record the result of a measurement. This call alone decides the verdict of the part of the experiment.

    finding: "reproduced", "not reproduced" or "inconclusive", as a rule computed it from `interval`. If it has a
        `reason`, as the findings of `properties.statistics.paired` do, the reason is added at the end of the text.
    interval: the estimate with its interval.
    where: the setting.
    trials: the number of runs behind the interval.
    reads: the text, with {estimate}, {lower} and {upper}, which are filled in to three digits.
    Raises ValueError for another finding, for no trials, and for an interval that is not finite or does not contain its
    estimate.
    """
    ends = {"estimate": interval.estimate, "lower": interval.lower, "upper": interval.upper}
    if finding not in ("reproduced", "not reproduced", "inconclusive"):
        raise ValueError(f"a measurement does not find {finding!r}")
    is_interval = np.isfinite(list(ends.values())).all() and ends["lower"] <= ends["estimate"] <= ends["upper"]
    if trials < 1 or not is_interval:
        raise ValueError(f"{trials} trials give no interval {ends}")
    if observer := _observer.get():
        told = reads.format(**{name: f"{value:.3g}" for name, value in ends.items()})
        told += f": {reason}" if (reason := getattr(finding, "reason", "")) else ""
        # Plain data: it may have to cross from one process to another. A rule's finding is a subclass of str.
        about = {"setting": str(where.title), "binding": bool(where.binding), "printed": bool(where.printed)}
        about |= {"level": float(interval.level), "trials": int(trials)}
        numbers = {name: float(end) for name, end in ends.items()}
        observer.found({"finding": str(finding), "reads": told, **about, **numbers})


@dataclasses.dataclass(frozen=True)
class Certificate:
    """An inequality `error <= bound`, elementwise over a leading axis of instances.

    error, bound: floats or arrays of one shape (B,) or broadcastable to it, in the same unit.
    why: what the inequality says, for the failure message.
    instance: the problem or problems. A dataclass of arrays with the same leading axis is cut to the worst instance.
    """

    error: Any
    bound: Any
    why: str
    instance: object = None

    def ratio(self) -> np.ndarray:
        """error/bound per instance; 0 where the error is at most 0 and within its bound.

        It is inf where the inequality fails and the bound is not positive, and nan where a side is nan or both are
        infinite.
        """
        error, bound = np.broadcast_arrays(np.asarray(self.error, float), np.asarray(self.bound, float))
        with np.errstate(divide="ignore", invalid="ignore"):
            quotient = np.where(bound > 0, error / bound, np.inf)
        within_for_free = (error <= 0) & (error <= bound)
        return np.where(within_for_free, 0.0, np.where(np.isnan(error) | np.isnan(bound), np.nan, quotient))

    def holds(self) -> bool:
        """Whether the inequality holds for every instance. It does not hold where a side is nan."""
        return bool(np.all(np.asarray(self.error) <= np.asarray(self.bound)))

    def describe(self) -> str:
        """Error, bound, ratio and the worst instance, as text."""
        ratio = np.atleast_1d(self.ratio())
        worst = int(np.argmax(np.where(np.isnan(ratio), np.inf, ratio)))
        at = np.unravel_index(worst, ratio.shape)
        error, bound = (np.broadcast_to(np.asarray(side, float), ratio.shape)[at] for side in (self.error, self.bound))
        lines = [f"{self.why}: error {error:.6g}, bound {bound:.6g}, ratio {ratio[at]:.4g}"]
        if ratio.size > 1:
            lines[0] += f" (instance {worst} of {ratio.size})"
        if self.instance is not None:
            lines.append(f"  instance: {show(pick(self.instance, at[0], ratio.shape[0]))}")
        return "\n".join(lines)


def assert_certified(certificate: Certificate, *, kind: Kind = Kind.INEQUALITY, adversarial: bool = False) -> None:
    """Assert the certificate and report its worst ratio. With `adversarial`, Hypothesis searches for larger ratios.

    An inequality needs an error above 0 in some instance of the test, below a finite bound. The ledger asks for that;
    one that never has it is broken.

    Raises AssertionError with error, bound, ratio and instance when the inequality fails, when a side is nan, or when
    there are no instances.
    """
    ratio = np.atleast_1d(certificate.ratio())
    if not ratio.size:
        fail(f"{certificate.why}: there is nothing to certify")
    worst = float(np.max(np.where(np.isnan(ratio), np.inf, ratio)))
    if observer := _observer.get():
        observer.certified(kind, certificate.why, worst, ratio.shape[0])
    if adversarial and np.isfinite(worst) and hypothesis.currently_in_test_context():
        hypothesis.target(worst, label=certificate.why)
    if not certificate.holds() or not worst <= 1:
        fail(certificate.describe())


def assert_at_most(error: Any, bound: Any, *, why: str, instance: object = None, adversarial: bool = False) -> None:
    """Assert `error <= bound` as a certificate: floats or (B,) arrays in one unit.

    The error is a quantity that may come near the bound. For a sign, there is `assert_not_positive`.
    """
    assert_certified(Certificate(error, bound, why, instance), adversarial=adversarial)


def assert_within(lower: Any, value: Any, upper: Any, *, slack: Any = 0, why: str, instance: object = None) -> None:
    """Assert the two-sided bound `lower - slack <= value <= upper + slack`; the ratio of the worse side is recorded."""
    assert_at_most(value, np.asarray(upper) + slack, why=f"{why} (from above)", instance=instance)
    assert_at_most(np.asarray(lower) - slack, value, why=f"{why} (from below)", instance=instance)


def assert_equal_within(value: Any, target: Any, slack: Any, *, why: str, instance: object = None) -> None:
    """Assert `|value - target| <= slack`, for two computations of one number: floats or (B,) arrays in one unit.

    They may agree to the last bit on one machine and not on another, so the ratio may be 0. In return the slack must be
    below the larger of the two numbers: AssertionError if it is not, in any instance.
    """
    value, target = np.asarray(value, float), np.asarray(target, float)
    size = np.maximum(np.abs(value), np.abs(target))
    if not np.all(slack < size):
        fail(f"{why}: the slack is as large as what is compared, so any two such numbers would agree")
    if (observer := _observer.get()) and size.size:
        observer.compared(why, float(np.max(slack / size)))
    assert_certified(Certificate(np.abs(value - target), slack, why, instance), kind=Kind.EQUALITY)


def assert_not_positive(value: Any, *, why: str, instance: object = None) -> None:
    """Assert the sign condition `value <= 0`, exactly: a float or a (B,) array. Its ratio is 0 by nature."""
    assert_certified(Certificate(value, 0, why, instance), kind=Kind.SIGN)


def assert_not_negative(value: Any, *, why: str, instance: object = None) -> None:
    """Assert the sign condition `value >= 0`, exactly: a float or a (B,) array. Its ratio is 0 by nature."""
    assert_not_positive(-np.asarray(value), why=why, instance=instance)


def assert_identical(left: Any, right: Any, *, why: str) -> None:
    """Assert exact equality of rational numbers, or of arrays bit for bit. The recorded error and bound are zero."""
    if observer := _observer.get():
        observer.certified(Kind.IDENTITY, why, 0.0, 1)
    if not np.array_equal(np.asarray(left), np.asarray(right)):
        fail(f"{why}: {show(left)} is not {show(right)}")


def assert_violates(value: Any, limit: Any, *, reads: str, slack: Any = 0, **instance: object) -> None:
    """Assert `value > limit + slack`: a printed inequality `value <= limit` is false on this instance.

    reads: the text of the violation, with {value} and {limit}, e.g. "risk {value} > bound {limit}".
    slack: a rounding bound for floating-point sides. Rational sides need none, and are recorded as exact.
    instance: the data by name, shown in the witness in the order given. The recorded ratio is (limit + slack)/value.
    """
    sides = {"value": show(value), "limit": show(limit)}
    witness = ", ".join(f"{name}={show(data)}" for name, data in instance.items())
    witness = f"{witness}: {reads.format(**sides)}" if witness else reads.format(**sides)
    if not value > limit + slack:
        fail(f"not a violation - {witness}, slack {show(slack)}")
    if observer := _observer.get():
        ratio = float(Certificate(float(limit + slack), float(value), reads).ratio())
        observer.certified(Kind.VIOLATION, reads, ratio, 1)
        observer.violated(witness, exact=all(isinstance(side, Rational) for side in (value, limit, slack)))


def assert_keeps(**hypotheses: Any) -> None:
    """Assert that the instance of a necessity test satisfies the hypotheses that the test does not drop.

    hypotheses: by label, `H2=eta * s[0] ** 2 < 2`: a condition that is evaluated on the instance, or an array of
    conditions, one for each instance of a batch. If a hypothesis holds by construction, give a condition that shows it,
    such as the rank of X. Give `True` only for a matter of definition, such as "the loss is squared".
    Raises AssertionError that names the first hypothesis that fails, and ValueError for no hypothesis.
    """
    if not hypotheses:
        raise ValueError("a necessity test names the hypotheses that it keeps")
    for label, condition in hypotheses.items():
        if not np.size(condition) or not np.all(condition):
            fail(f"{label} is not satisfied by this instance: {show(np.asarray(condition))}")
    if observer := _observer.get():
        observer.kept(tuple(hypotheses))


def pick(instance: object, index: int, size: int) -> object:
    """Cut a dataclass, mapping or array with leading axis `size` to entry `index`; return anything else unchanged."""
    if dataclasses.is_dataclass(instance) and not isinstance(instance, type):
        fields = {field.name: getattr(instance, field.name) for field in dataclasses.fields(instance)}
    elif isinstance(instance, Mapping):
        fields = dict(instance)
    else:
        return instance[index] if isinstance(instance, np.ndarray) and instance.shape[:1] == (size,) else instance
    return {
        name: value[index] if isinstance(value, np.ndarray) and value.shape[:1] == (size,) and size > 1 else value
        for name, value in fields.items()
    }


def show(data: object) -> str:
    """Data on one line: floats to six digits, fractions as 1/2, arrays as nested lists."""
    if isinstance(data, Fraction):
        return str(data)
    if isinstance(data, (bool, np.bool_)):
        return str(bool(data))
    if isinstance(data, (int, np.integer)):
        return str(int(data))
    if isinstance(data, (float, np.floating)):
        return f"{float(data):.6g}"
    if isinstance(data, np.ndarray):
        return "[" + ", ".join(show(entry) for entry in data) + "]" if data.ndim else show(data.item())
    if isinstance(data, (list, tuple)):
        return "[" + ", ".join(show(entry) for entry in data) + "]"
    if isinstance(data, Mapping):
        return ", ".join(f"{name}={show(value)}" for name, value in data.items())
    return str(data)
