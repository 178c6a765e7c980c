r"""Section 3.3: coordinate descent - on separable data greedy descent approaches the largest l1 margin.

Setting     The exponential loss $\sum_i e^{-\langle z_i, w \rangle}$ of separable data $z_1, \dots, z_n$. Greedy
            coordinate descent moves the coordinate of the largest slope.
Corrected   (C2) On separable data and with the exponential loss, let greedy coordinate descent from zero take steps of
            lengths $e_t$, with $S = \sum_t e_t$ and $R = \max_i \|z_i\|_\infty$. Its l1 margin is at least
            $\gamma^* - (R^2 \sum_t e_t^2/2 + \ln n)/S$ where this is positive; $\gamma^*$ is the largest l1 margin.
Idea        A step $e_t$ lowers the logarithm of the loss by at least $\gamma^* e_t - R^2 e_t^2/2$, and the margin is at
            least minus that logarithm over $S$.
Tolerance   The largest margin is HiGHS's, and its primal and dual solutions are evaluated again; the run is allowed the
            roundings of its steps.
"""

import numpy as np

from fixtures.dynamics.steepest_descent import EXPONENTIAL, steepest_descent
from fixtures.problems.batches import given_batches
from fixtures.problems.separable import separable_data
from properties.certificates import assert_at_most, assert_within
from properties.linear_models.margins import largest_margin, normalized_margin, run_rounding, shortfall
from theorems.ledger import corrected


@corrected("C2")
@given_batches(problem=separable_data())
def test_greedy_descent_with_short_steps_on_the_exponential_loss_maximizes_the_l1_margin(problem):
    # given  separable data and 300 equal steps; the largest l1 margin from HiGHS, primal and dual re-evaluated
    best = largest_margin(problem, 1)
    lengths = np.repeat(0.1 / np.abs(problem.Z).max((1, 2))[:, None], 300, axis=1)
    # when
    run = steepest_descent(problem.Z, problem.present, np.zeros_like(problem.u), lengths, 1)
    # then   R^2 sum e^2 / (2 S) = R/20 and ln n / S = R ln n / 30 are what may be missing
    missing = shortfall(problem, run, EXPONENTIAL, 1) / run.length
    assert_at_most(missing, best.lower, why="300 steps guarantee a margin", instance=problem)
    reached = normalized_margin(problem, run.w, 1)
    slack = run_rounding(problem, run, 1) / run.length
    assert_within(best.lower - missing, reached, best.upper, slack=slack, why="l1 margin", instance=problem)
