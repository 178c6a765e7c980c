"""Self-tests: options of certificates, curvature and statistics are turned, and give an independent value.

As in fixtures/test_options.py. docs/test_options.py asks that no option be missing.
"""

from fractions import Fraction
from types import SimpleNamespace
from unittest import mock

import numpy as np
import pytest
import scipy.stats

from fixtures.problems.regression import regression_of_design
from properties.certificates import Certificate, Kind, observed_by
from properties.curvature.lanczos import Krylov, largest_eigenvalue_of_matrix
from properties.curvature.sharpness import HessianOfLoss
from properties.options import assert_turned, ids, raised


def told(call):
    """The message of the error that a call raises."""
    with pytest.raises(AssertionError) as error:
        call()
    return str(error.value)


def targets_of(assertion):
    """The ratio that an assertion of 1 <= 2 hands to Hypothesis as a target; 0 where it hands over none."""
    targets = []
    with (
        mock.patch("hypothesis.target", side_effect=lambda value, **_: targets.append(value)),
        mock.patch("hypothesis.currently_in_test_context", return_value=True),
    ):
        assertion()
    return sum(targets)


def kind_of(assertion):
    """Whether an assertion reports a sign condition to the ledger."""
    kinds = []
    with observed_by(SimpleNamespace(certified=lambda kind, *_: kinds.append(kind))):
        assertion()
    return kinds == [Kind.SIGN]


def cancelling():
    """A Hessian that loses some digits to cancellation: that of log(1 + exp(-w)) by its logit, at 17."""
    import torch

    w = torch.full((1,), 17.0, dtype=torch.float64, requires_grad=True)
    return HessianOfLoss(lambda: torch.nn.functional.binary_cross_entropy_with_logits(w, torch.ones_like(w)), [w])


def linear_sharpness(measure):
    """Whether the residual of a run on curvatures from 1/30 to 1 is above a fiftieth of its value."""
    import torch

    model = torch.nn.Linear(30, 1, bias=False)
    loss = lambda outputs, c: (c * outputs[:, 0] ** 2).mean() / 2  # noqa: E731
    found = measure(model, torch.eye(30), torch.linspace(1, 30, 30), loss=loss, batch=30)
    return found.residual > 0.02 * found.value


SLOW = regression_of_design(np.diag([1.0, 0.5, 0])[:2], np.array([1.0, -1]))
MATRIX, SPREAD = np.diag([3.0, 1, -2]) + 0.25, np.diag(np.linspace(-1, 1, 40))
PAIRS = np.array([[1.0, 2, 4, 9], [2, 1, 5, 6], [1, 3, 4, 5]])


def quadratic():
    import torch

    w = torch.linspace(1, 2, 201, dtype=torch.float64, requires_grad=True)
    return lambda: (w**4).sum(), [w]


PAIRED, CURVATURE = "properties.statistics.paired", "properties.curvature"


def rayleigh(seed, products):
    """The largest Ritz value after so many products with SPREAD from the start of a seed."""
    run = Krylov(lambda v: SPREAD @ v, np.random.default_rng(seed).standard_normal(40), 0.0)
    for _ in range(products):
        run.extend()
    return run.ends()[1]


def correlated(r, count):
    """Two samples whose Pearson correlation is r."""
    x, e = np.linalg.qr(np.column_stack([np.ones(count), np.random.default_rng(0).standard_normal((count, 2))]))[0][
        :, 1:
    ].T
    return x, r * x + np.sqrt(1 - r * r) * e


def tail(describe):
    """Whether the unit closes the text, before the bracket."""
    return describe(np.zeros((1, 1, 2)), lambda errors: errors.mean()).endswith(" points)")


OPTIONS = [
    (
        "properties.certificates.assert_at_most",
        "adversarial",
        True,
        lambda f: targets_of(lambda: f(1, 2, why="")),
        0.5,
        0,
    ),
    (
        "properties.certificates.assert_certified",
        "kind",
        Kind.SIGN,
        lambda f: kind_of(lambda: f(Certificate(-1, 0, ""))),
        1,
        0,
    ),
    (
        "properties.certificates.assert_certified",
        "adversarial",
        True,
        lambda f: targets_of(lambda: f(Certificate(1, 2, ""))),
        0.5,
        0,
    ),
    *[
        (f"properties.certificates.{name}", "instance", {"w": 3}, call, 1, 0)
        for name, call in {
            "assert_at_most": lambda f: "w=3" in told(lambda: f(2, 1, why="")),
            "assert_within": lambda f: "w=3" in told(lambda: f(0, 2, 1, why="")),
            "assert_equal_within": lambda f: "w=3" in told(lambda: f(0, 2, 1, why="")),
            "assert_not_positive": lambda f: "w=3" in told(lambda: f(2, why="")),
            "assert_not_negative": lambda f: "w=3" in told(lambda: f(-2, why="")),
        }.items()
    ],
    ("properties.certificates.assert_within", "slack", 2.0, lambda f: raised(lambda: f(0, 3, 1, why="")), 0, 0),
    ("properties.certificates.assert_violates", "slack", 2.0, lambda f: raised(lambda: f(3, 1, reads="")), 1, 0),
    (
        f"{CURVATURE}.lanczos.largest_eigenvalue_of_matrix",
        "accuracy",
        0.3,
        lambda f: f(MATRIX).width > 1e-3,
        1,
        0,
    ),
    (
        f"{CURVATURE}.lanczos.largest_eigenvalue_of_matrix",
        "seed",
        2,
        lambda f: f(SPREAD, accuracy=0.5).lower,
        lambda: rayleigh(2, largest_eigenvalue_of_matrix(SPREAD, seed=2, accuracy=0.5).iterations),
        1e-12,
    ),
    (
        f"{CURVATURE}.sharpness.HessianOfLoss.rounding",
        "seed",
        1,
        lambda f: f(cancelling()) != cancelling().rounding(0),
        1,
        0,
    ),
    (f"{CURVATURE}.network_sharpness.network_sharpness", "accuracy", 0.5, linear_sharpness, 1, 0),
    (
        f"{CURVATURE}.sharpness.sharpness",
        "probability",
        1e-3,
        lambda f: f(*quadratic()).probability,
        1e-3,
        0,
    ),
    ("properties.linear_models.limits.limit_of_descent", "step", 1.0, lambda f: f(SLOW, np.zeros(3)).run.steps, 89, 0),
    ("properties.statistics.held_out.describe_test_set_error", "unit", " points", lambda f: tail(f), 1, 0),
    # halfway from 4 at loss 1 to 1 at loss 4, in logarithms of the loss
    (
        "properties.statistics.matched_loss.at_matched_loss",
        "logarithmic",
        True,
        lambda f: f((4.0, 1.0), (1.0, 4.0), 2.0, "between the epochs around"),
        2,
        1e-14,
    ),
    (
        "properties.statistics.concentration.sup_distance",
        "cdf_below",
        lambda x: 0.5 * (np.asarray(x) > 0),
        lambda f: f(np.array([0.0, 1.0]), lambda x: 0.5 * (np.asarray(x) >= 0) + 0.5 * (np.asarray(x) >= 1)),
        0,
        0,
    ),
    ("properties.statistics.observations.Population", "binding", False, lambda f: f("x").binding, 0, 0),
    ("properties.statistics.observations.Population", "printed", True, lambda f: f("x").printed, 1, 0),
    (
        "properties.statistics.observations.share_interval",
        "level",
        0.8,
        lambda f: [f(3, 10).lower, f(3, 10).upper],
        lambda: list(scipy.stats.binomtest(3, 10).proportion_ci(0.8, "exact")),
        1e-12,
    ),
    (f"{PAIRED}.Interval", "method", "by hand", lambda f: f(0, 0, 0, 0.5, 1).method == "by hand", 1, 0),
    (
        f"{PAIRED}.student_interval",
        "level",
        0.8,
        lambda f: f(PAIRS[0]).upper,
        lambda: scipy.stats.ttest_1samp(PAIRS[0], 0).confidence_interval(0.8).high,
        1e-12,
    ),
    (
        f"{PAIRED}.paired_slope",
        "level",
        0.8,
        lambda f: f([1, 2, 4, 8], PAIRS).upper,
        lambda: (
            scipy.stats.ttest_1samp([np.polyfit(np.log([1, 2, 4, 8]), np.log(row), 1)[0] for row in PAIRS], 0)
            .confidence_interval(0.8)
            .high
        ),
        1e-12,
    ),
    (
        f"{PAIRED}.correlation_interval",
        "level",
        0.8,
        lambda f: f(PAIRS, PAIRS[::-1] ** 2).upper,
        lambda: np.tanh(
            scipy.stats.ttest_1samp(
                [np.arctanh(np.corrcoef(x, y)[0, 1]) for x, y in zip(PAIRS, PAIRS[::-1] ** 2, strict=True)], 0
            )
            .confidence_interval(0.8)
            .high
        ),
        1e-12,
    ),
    (
        f"{PAIRED}.fisher_interval",
        "level",
        0.8,
        lambda f: f(0.5, 12).upper,
        lambda: scipy.stats.pearsonr(*correlated(0.5, 12)).confidence_interval(0.8).high,
        1e-12,
    ),
    (
        f"{PAIRED}.fisher_interval",
        "variance",
        4.0,
        lambda f: np.arctanh(f(0.5, 12).upper) - np.arctanh(0.5),
        lambda: 2 * scipy.stats.norm.ppf(0.975) / 3,
        1e-12,
    ),
    # without ties, three points have 0, +-1/2 and +-1; with ties, +-sqrt(3)/2 as well
    (f"{PAIRED}.spearman_values", "ties", True, lambda f: Fraction(3, 4) in f(3), 1, 0),
    # two arms that differ by 1, 2, 3 from one another: t = 2 sqrt(3) = 3.46, between the quantiles 0.95 and 0.99
    (
        f"{PAIRED}.minimizer_interval",
        "level",
        0.99,
        lambda f: len(f([1, 2], np.array([[0.0, 1], [0, 2], [0, 3]])).candidates),
        2,
        0,
    ),
]


@pytest.mark.slow
@pytest.mark.parametrize(("path", "option", "value", "run", "expected", "slack"), OPTIONS, ids=ids(OPTIONS))
def test_an_option_that_is_turned_gives_an_independent_value(path, option, value, run, expected, slack):
    assert_turned(path, option, value, run, expected, slack)
