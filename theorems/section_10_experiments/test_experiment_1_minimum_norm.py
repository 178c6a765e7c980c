r"""Experiment 1 - gradient descent from zero meets the min-norm interpolant within 0.1 % in a hundred trials.

Section     10.2, the first experiment
Printed     Linear regression with $p = 1000$, $n = 100$: gradient descent from $w_0 = 0$ ends at the minimum $\ell_2$
            norm solution with error below 0.1 % of the theoretical value in each of 100 trials
Reading     Design and targets are standard Gaussian: the paper names no law. Error is $\|w_t - w_*\|_2 / \|w_*\|_2$,
            which bounds the relative error of the norm as well. The paper gives no learning rate and no number of
            steps; we choose them.
Hypotheses  (H1) The start is zero.
Idea        A $100 \times 1000$ Gaussian design is well conditioned: a bound known before anything is drawn puts
            $\operatorname{cond}(X X^\top)$ below $12$. So the a priori rate of Theorem 3.1 meets 0.1 % after forty
            steps. The result was certain beforehand, up to the false-alarm probability of the spectrum.
Source      Theorem 3.1; Davidson, Szarek (2001), Local Operator Theory, Random Matrices and Banach Spaces, in: Handbook
            of the Geometry of Banach Spaces, volume 1
Tolerance   The bound is $\rho^t$ with $\rho$ from the a priori spectrum; the theoretical value is LAPACK's least
            squares
Chance      One fixed seed. The spectrum of a trial leaves the a priori interval with probability $10^{-11}$ at most,
            and that of one in a hundred trials with $10^{-9}$ at most
Expected    reproduced
"""

import functools
import itertools

import numpy as np
import pytest
from numpy.linalg import norm

from fixtures.dynamics.gradient_descent import gradient_descent, steps_to_contract
from fixtures.precision import rounding
from fixtures.problems.gaussian import gaussian_regressions, spectrum_of_gaussian_design
from fixtures.problems.regression import regression_of_design
from properties.certificates import assert_at_most, assert_certified, assert_identical, assert_violates, record_series
from properties.linear_models.least_squares import distance_to_limit, iterate_rounding, spectral_iterate
from properties.oracles import nearest_interpolant
from theorems.ledger import as_printed, necessity

ROWS, COLUMNS, TRIALS, SEED = 100, 1000, 100, 1
PRINTED_ERROR = 1e-3
LOWER, UPPER = spectrum_of_gaussian_design(ROWS, COLUMNS, false_alarm=1e-11)
ETA = 2 / (LOWER**2 + UPPER**2)
RHO = (UPPER**2 - LOWER**2) / (UPPER**2 + LOWER**2)
# Fixed before a trial is drawn: rho^t <= 0.1 %, and a time on the way there.
STEPS, EARLY = int(steps_to_contract(RHO, PRINTED_ERROR)), 8


@functools.cache
def relative_errors():
    """|w_t - w*|/|w*| of every trial from zero, after EARLY steps and after STEPS, shape (2, 100)."""
    errors = []
    for X, y in gaussian_regressions(ROWS, COLUMNS, TRIALS, SEED):
        zero = np.zeros((len(y), COLUMNS))
        limit = nearest_interpolant(X, y, zero)
        runs = [gradient_descent(X, y, zero, ETA, steps) for steps in (EARLY, STEPS)]
        errors.append([norm(run.w - limit, axis=-1) / norm(limit, axis=-1) for run in runs])
    return np.concatenate(errors, axis=1)


def trials(count):
    """The first trials one by one, with their measured spectra."""
    chunks = gaussian_regressions(ROWS, COLUMNS, count, SEED, chunk=1)
    return [regression_of_design(X[0], y[0]) for X, y in itertools.islice(chunks, count)]


@as_printed
def test_every_one_of_a_hundred_trials_ends_within_a_tenth_of_a_percent():
    assert_at_most(relative_errors()[1], PRINTED_ERROR, why="relative distance to the min-norm interpolant")
    record_series("a priori bound", step=range(STEPS + 1), bound=RHO ** np.arange(STEPS + 1.0))
    for step, errors in zip((EARLY, STEPS), relative_errors(), strict=True):
        record_series(f"errors after {step} steps, increasing", error=np.sort(errors))


@as_printed
def test_the_printed_numbers_are_those_of_the_run():
    design, _ = next(gaussian_regressions(ROWS, COLUMNS, TRIALS, SEED))
    assert_identical(design.shape[1:], (100, 1000), why="n = 100 rows and p = 1000 columns")
    assert_identical(relative_errors()[1].shape, (100,), why="100 trials")
    assert_identical(PRINTED_ERROR, 0.001, why="0.1 %")


@as_printed
def test_every_trial_contracts_at_the_rate_known_beforehand():
    assert_at_most(relative_errors()[0], RHO**EARLY, why="relative distance on the way against rho^t")


@as_printed
@pytest.mark.parametrize(("look", "t"), [(0, EARLY), (1, STEPS)])
def test_the_errors_are_those_of_the_spectrum_of_each_design(look, t):
    # given  XX' = U diag(lam) U' and c = U'y of the first twenty trials
    X, y = map(np.concatenate, zip(*gaussian_regressions(ROWS, COLUMNS, 20, SEED), strict=True))
    lam, U = np.linalg.eigh(X @ X.mT)
    squares = np.vecmat(y, U) ** 2 / lam
    # then   |w_t - w*|^2 = sum c_i^2 (1 - eta lam_i)^(2t) / lam_i, and |w*|^2 is the sum at t = 0
    exact = np.sqrt((squares * (1 - ETA * lam) ** (2 * t)).sum(-1) / squares.sum(-1))
    error = np.abs(relative_errors()[look, :20] - exact)
    # each of t + cond X steps has n + p + 6 operations on sqrt(n)(W + |y|/s_1), and W + |y|/s_1 <= 3 |w*|
    slack = rounding((t + UPPER / LOWER) * (ROWS + COLUMNS + 6), 3 * np.sqrt(ROWS))
    assert_at_most(error, slack, why="relative distance against its closed form")


@as_printed
def test_the_residual_alone_certifies_what_was_reached():
    problem, zero = trials(1)[0], np.zeros(COLUMNS)
    run = gradient_descent(problem.X, problem.y, zero, ETA, 60)
    # then
    limit = nearest_interpolant(problem.X, problem.y, zero)
    assert_certified(distance_to_limit(problem, run, zero, limit))


@as_printed
def test_iterates_on_the_way_are_the_spectral_filter_of_the_data():
    problem, zero = trials(1)[0], np.zeros(COLUMNS)
    run = gradient_descent(problem.X, problem.y, zero, ETA, 15)
    # then
    error = norm(run.w - spectral_iterate(problem, zero, ETA, 15))
    assert_at_most(error, iterate_rounding(problem, run), why="iterate against closed form")


@necessity("H1")
def test_without_H1_the_error_is_never_less_than_what_the_start_has_outside_the_row_space():
    # given  a Gaussian start as long as w*: row(X) holds n/p = 0.1 of its square on average
    problem = trials(1)[0]
    limit = nearest_interpolant(problem.X, problem.y, np.zeros(COLUMNS))
    start = np.random.default_rng(SEED).standard_normal(COLUMNS)
    start *= norm(limit) / norm(start)
    # when
    run = gradient_descent(problem.X, problem.y, start, ETA, STEPS)
    error = norm(run.w - limit) / norm(limit)
    # then   the error is at least the null part of the start, hundreds of times the printed 0.1 %
    null_part = norm(problem.in_null_space(start)) / norm(limit)
    slack = iterate_rounding(problem, run) / norm(limit)
    assert_at_most(null_part, error + slack, why="null part of the start against the error")
    assert_violates(error, 100 * PRINTED_ERROR, reads="relative error {value} > a hundred times 0.1 %, {limit}")
