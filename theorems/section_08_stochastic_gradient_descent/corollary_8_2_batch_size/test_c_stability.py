r"""Corollary 8.2 (c) - the minima at which SGD is stable.

Setting     Least squares: $f_i = \frac12 (x_i^\top w - y_i)^2$ with $p$ parameters, $H_i = x_i x_i^\top$, $H$ their
            mean, $H_B$ their mean over a minibatch, and $f_B = \frac1B$ (with replacement) or $\frac{n-B}{B(n-1)}$
            (without). $T_B(S) = E[(I - \eta H_B) S (I - \eta H_B)]$ is what a step makes of a second moment $S$. SGD
            can stay at a minimum if $\rho(T_B) < 1$: it is stable in mean square there
Corrected   (C4) On least squares $\rho(T_B)$ does not increase with $B$, so that a minimum at which SGD can stay with
            $B$ it can stay at with all larger batches.  (C5) A minimum at which $\rho(T_B) < 1$ has $\eta(f_B E|x_i|^4
            + (1 - f_B) \operatorname{tr} H^2) < 2 \operatorname{tr} H$, hence $\operatorname{tr} H < 2/(\eta f_B)$,
            which is sharp at $B = 1$ for rows of one length that span the space
Idea        $T_B$ is a positive operator and monotone in $f_B$. It is self-adjoint for the trace, and
            $\operatorname{tr} T_B(I) \ge p$ once the inequality of C5 fails
Tolerance   Fractions, but for spectral radii. Those are enclosed by a Rayleigh quotient and by a positive $S$ with
            $T_B(S) \le \lambda S$
"""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given

from fixtures.dynamics.minibatch_law import moment_operator, noise_share
from fixtures.precision import rounding
from fixtures.problems.batches import given_batches
from fixtures.problems.tapes import tapes
from fixtures.rational import fractions, leading_pivots
from properties.certificates import assert_at_most, assert_identical, assert_within
from theorems.ledger import corrected
from theorems.section_08_stochastic_gradient_descent.corollary_8_2_batch_size.least_squares import (
    SmallLeastSquares,
    wide_least_squares,
)
from theorems.section_08_stochastic_gradient_descent.corollary_8_2_batch_size.stability import (
    RowsAndStep,
    rows_and_steps,
    spectral_radii,
    spectral_radius,
)


@corrected("C4")
@pytest.mark.parametrize("replacement", [True, False])
@given_batches(problem=rows_and_steps())
def test_the_spectral_radius_does_not_increase_with_the_batch(replacement, problem):
    # when
    lower, upper, positive = spectral_radii(problem, replacement)
    # then   exactly, the least eigenvalues are 1 and 1/lambda or more; rounding leaves them above one half of that
    assert_at_most(1 / 2, positive.min(0), why="S and lambda S - T_B(S) are positive", instance=problem)
    assert_at_most((upper - lower).max(0), 2.0**-24, why="width of the enclosures", instance=problem)
    assert_at_most(lower[1:].T, upper[:-1].T, why="rho(T_B) at B + 1 and at B", instance=problem)
    H = problem.X.mT @ problem.X / 4
    full = np.square(1 - problem.eta[:, None] * np.linalg.eigvalsh(H)).max(-1)
    assert_at_most(full, upper.min(0), why="rho(T_B) is at least that of the full batch", instance=problem)


@corrected("C4")
def test_on_orthogonal_rows_the_spectral_radius_falls_with_the_share():
    # given  rows 2e_j and 0, eta = 1/2: H = I and rho = (1 - eta)^2 + 3 eta^2 f
    lower, upper, _ = spectral_radii(RowsAndStep(2 * np.eye(4, 3)[None], np.array([0.5])), True)
    # then   f = 1, 1/2, 1/3, 1/4
    assert_within(lower[:, 0], np.array([1, 5 / 8, 1 / 2, 7 / 16]), upper[:, 0], why="rho(T_B)")


@corrected("C4")
@pytest.mark.slow
@given(problem=wide_least_squares())
def test_on_data_of_all_scales_no_larger_batch_is_less_stable(problem):
    X, _, eta, replacement = problem
    shares = [float(noise_share(len(X), batch, replacement)) for batch in range(1, len(X) + 1)]
    # when
    rho, error = np.array([spectral_radius(X, eta, f) for f in [*shares, shares[-1]]]).T
    # then
    assert_at_most(rho[1:] - error[1:], rho[:-1] + error[:-1], why="rho(T_B) at B + 1 and at B", instance=problem)
    assert_at_most(error, rounding(500, X.shape[1] * (1 + eta * np.square(X).sum(1).max()) ** 2), why="ceiling")


@corrected("C5")
@given(tape=tapes(20))
def test_where_trace_h_is_at_least_two_over_eta_f_no_minimum_is_stable(tape):
    # given  rows of any length, and eta f tr H = 2, 9/4 or 4
    problem = SmallLeastSquares(fractions(tape.integers((3, 2), 3).astype(int)), None, None, None, bool(tape.below(2)))
    problem.X[0, 0] += not problem.X.any()
    batch = 1 + tape.below(2)
    rows, f = problem.X[problem.minibatches(batch)], problem.shares[batch - 1]
    H, fourth = problem.X.T @ problem.X / 3, ((problem.X**2).sum(1) ** 2).sum() / 3
    eta = tape.choice((Fraction(2), Fraction(9, 4), Fraction(4))) / (f * np.trace(H))
    # when   tr T_B(I) = E tr (I - eta H_B)^2, minibatch by minibatch
    A = np.eye(2, dtype=int) - eta * (rows.mT @ rows / batch)
    spread = (A**2).sum() / len(rows)
    # then   the Rayleigh quotient tr T_B(I)/p is at least 1, and T_B is self-adjoint: its spectral radius is at least 1
    excess = eta**2 * (f * fourth + (1 - f) * (H**2).sum()) - 2 * eta * np.trace(H)
    assert_identical(spread, 2 + excess, why="E|I - eta H_B|^2 against the trace condition")
    T = moment_operator(problem.X, eta, f)
    assert_identical(T, T.T, why="T_B is self-adjoint")
    assert_at_most(2.0, float(spread), why="p against tr T_B(I)")


@corrected("C5")
@given(tape=tapes(8))
def test_at_batch_one_every_trace_below_two_over_eta_is_stable_for_rows_of_one_length(tape):
    # given  rows that are signed permutations of (a, b), spanning the plane; eta tr H = 3/2 or 199/100
    a, b = 1 + tape.naturals(2, 5).astype(object)
    X = fractions([[a, b], [-b, a], [tape.choice((a, -a)), tape.choice((b, -b))]])
    eta = tape.choice((Fraction(3, 2), Fraction(199, 100))) / (a * a + b * b)
    # then   I - T_B(I) = eta (2 - eta |x|^2) H, and the first two rows give H >= |x|^2/3
    decrease = np.eye(2, dtype=int) - (moment_operator(X, eta, 1) @ np.eye(2, dtype=int).ravel()).reshape(2, 2)
    least = eta * (2 - eta * (a * a + b * b)) * (a * a + b * b) / 3
    assert_at_most(float(least), float(min(leading_pivots(decrease))), why="pivots of I - T_B(I)")


@corrected("C5")
@pytest.mark.slow
@given(problem=wide_least_squares())
def test_on_data_of_all_scales_stability_bounds_the_trace(problem):
    X, _, eta, replacement = problem
    H, fourth = X.T @ X / len(X), np.square(np.square(X).sum(1)).mean()
    shares = np.array([float(noise_share(len(X), batch, replacement)) for batch in range(1, len(X) + 1)])
    rho, error = np.array([spectral_radius(X, eta, f) for f in shares]).T
    # then   rho >= tr T_B(I)/p, which is above 1 once the inequality fails
    excess = eta**2 * (shares * fourth + (1 - shares) * np.square(H).sum()) - 2 * eta * np.trace(H)
    slack = error + rounding(2 * len(X) + 12, (1 + eta * np.square(X).sum(1).max()) ** 2)  # H, |x|^4, their means
    assert_at_most(1 + excess / X.shape[1], rho + slack, why="tr T_B(I)/p and rho(T_B)", instance=problem)
