r"""Section 1.2: dependence on initialization, learning rate and algorithm (c) - momentum does not move the limit.

Setting     $L(w) = \frac12 \|Xw - y\|^2$ with $\operatorname{rank} X = n < p$. Every step of heavy ball and of
            Nesterov's method lies in $\operatorname{row}(X)$
Hypotheses  (H4) The steps of the algorithm leave $\operatorname{row}(X)$, as those of another metric or of Adam do.
Idea        Along each right singular vector the error obeys a recurrence $e_{t+1} = b e_t - q^2 e_{t-1}$. For the steps
            drawn here its roots are complex and of modulus $q < 1$. The error in $\operatorname{null}(X)$ stays zero
Tolerance   Each iterate is compared with the solution of the recurrence, up to the rounding derived in the helper
            module `momentum.py`. Limits are compared with LAPACK's interpolant nearest to $w_0$
Findings    Heavy ball and Nesterov's method with momentum $0.85$ and the step $0.9/s_1^2$ find the minimum of plain
            descent, on problems with $\operatorname{cond}(X) \le 10$
"""

import numpy as np
import pytest
from numpy.linalg import norm

from fixtures.dynamics.gradient_descent import heavy_ball, nesterov, steps_to_contract
from fixtures.dynamics.torch_training import train_linear
from fixtures.precision import rounding
from fixtures.problems.batches import given_batches
from fixtures.problems.regression import regressions
from properties.certificates import assert_at_most, assert_certified
from properties.linear_models.least_squares import distance_to_limit
from properties.linear_models.limits import CONVERGED, interpolant_rounding
from properties.oracles import nearest_interpolant
from theorems.ledger import necessity
from theorems.section_01_introduction.section_1_2_dependence.momentum import (
    AMPLIFICATION,
    MOMENTUM,
    RECURRENCE,
    RELATIVE_STEP,
    momentum_iterate,
    momentum_modes,
    momentum_rounding,
    polar,
)

ONE_EQUATION = np.array([[1.0, 2.0]]), np.array([1.0]), np.zeros(2)
"""X, y and w_0 of the problem x = (1, 2), y = 1 from zero."""


@necessity("H4")
@pytest.mark.parametrize("method", [heavy_ball, nesterov])
@given_batches(problem=regressions())
def test_without_H4_momentum_finds_the_minimum_of_plain_descent(method, problem):
    # given  t steps multiply every mode of either method by at most 4 * 0.85^(t/2)
    steps = int(steps_to_contract(np.sqrt(MOMENTUM), CONVERGED / 4))
    nearest = nearest_interpolant(problem.X, problem.y, problem.w0)
    # when
    run = method(problem.X, problem.y, problem.w0, RELATIVE_STEP / problem.sigma_max**2, MOMENTUM, steps)
    # then
    assert_certified(distance_to_limit(problem, run, problem.w0, nearest))
    left = CONVERGED * norm(np.matvec(problem.X, problem.w0) - problem.y, axis=-1) / problem.sigma_min
    bound = left + momentum_rounding(problem, run) + interpolant_rounding(problem, problem.w0)
    assert_at_most(norm(run.w - nearest, axis=-1), bound, why="within the budget", instance=problem)


@necessity("H4")
@pytest.mark.parametrize("method", [heavy_ball, nesterov])
@given_batches(problem=regressions())
def test_without_H4_momentum_only_changes_the_pace_of_each_mode(method, problem):
    # given  z = eta s_i^2 in [0.009, 0.9], where both methods have complex roots
    eta = RELATIVE_STEP / problem.sigma_max**2
    z = np.where(problem.s > 0, eta[:, None] * problem.s**2, 0.5)
    # when
    run = method(problem.X, problem.y, problem.w0, eta, MOMENTUM, problem.t)
    # then
    q, angle = polar(*RECURRENCE[method](z))
    assert_at_most((1 / (np.sin(angle) * (1 - q))).max(-1), AMPLIFICATION, why="what an error of one step adds up to")
    factors = momentum_modes(z, q, angle, problem.t[:, None])
    error = norm(run.w - momentum_iterate(problem, factors), axis=-1)
    assert_at_most(error, momentum_rounding(problem, run), why="iterate with momentum", instance=problem)


@necessity("H4")
def test_without_H4_momentum_of_torch_finds_the_minimum_of_plain_descent():
    # given  x = (1, 2), y = 1 from zero, eta |x|^2 = 1/2, momentum 1/2: both methods have roots of modulus <= sqrt(1/2)
    runs = [train_linear(*ONE_EQUATION, steps=48, lr=0.1, momentum=0.5, nesterov=ahead) for ahead in (False, True)]
    # then   the distance to the limit after 48 steps is at most 4 * 2^-24 times that of the start. A step has 9
    #        roundings: 3 in a residual, its product with x, the step, and 4 in velocity, look-ahead and update. The
    #        later steps move an error by 1/(1 - 1/2) times itself in null(X), and by less in row(X)
    goal = norm([0.2, 0.4])
    bound = 4 * 2.0**-24 * goal + rounding(48 * 9, 2 * goal)
    assert_at_most(np.max(norm(np.array(runs) - [0.2, 0.4], axis=-1)), bound, why="torch.optim.SGD with momentum")
