r"""Section 1.2: dependence on initialization, learning rate and algorithm (a) - initialization.

Printed     The limit $\theta^* \in M = \{\theta : L(\theta) = 0\}$ of gradient descent depends on the start $\theta_0$
Reading     The loss is least squares, as "given a training loss" admits. The limit depends on the start if two starts
            have two limits at the same learning rate
Setting     $L(w) = \frac12 \|Xw - y\|^2$ with $\operatorname{rank} X = n < p$
Hypotheses  (H1) The starts have different projections on $\operatorname{null}(X)$.
Idea        Every gradient lies in $\operatorname{row}(X)$. So a shift of the start by $z$ in $\operatorname{null}(X)$
            shifts every iterate by $z$, and the limit by $z$ as well; Section 2.2 has this as a claim of its own
Tolerance   Limits are enclosed in balls (`properties.linear_models.limits`). Two iterates are compared up to the
            rounding of both runs (`properties.linear_models.least_squares`)
Findings    A shift of the start within $\operatorname{row}(X)$ does not move the limit: see the test without H1
Expected    holds
"""

from numpy.linalg import norm

from fixtures.dynamics.gradient_descent import gradient_descent
from fixtures.problems.batches import given_batches
from fixtures.problems.regression import regressions
from properties.certificates import assert_at_most
from properties.linear_models.least_squares import iterate_rounding
from properties.linear_models.limits import limit_of_descent
from theorems.ledger import as_printed, necessity


@as_printed
@given_batches(problem=regressions())
def test_a_start_moved_along_the_null_space_moves_its_limit_as_far(problem):
    # given  a second start w_0 + z with a unit vector z in null(X)
    z = problem.N[:, :, 0]
    # when   two limits
    limits = [limit_of_descent(problem, w) for w in (problem.w0, problem.w0 + z)]
    # then
    moved = norm(limits[1].w - limits[0].w - z, axis=-1)
    assert_at_most(moved, limits[0].radius + limits[1].radius, why="limit moved by z", instance=problem)


@as_printed
@given_batches(problem=regressions())
def test_a_start_moved_along_the_null_space_moves_every_iterate_as_far(problem):
    z = problem.N[:, :, 0]
    runs = [gradient_descent(problem.X, problem.y, w, problem.eta, problem.t) for w in (problem.w0, problem.w0 + z)]
    slack = iterate_rounding(problem, runs[0]) + iterate_rounding(problem, runs[1])
    assert_at_most(norm(runs[1].w - runs[0].w - z, axis=-1), slack, why="iterate moved by z", instance=problem)


@necessity("H1")
@given_batches(problem=regressions())
def test_without_H1_a_start_moved_within_the_row_space_keeps_its_limit(problem):
    # given  a second start w_0 + v_1 with the unit vector v_1 in row(X)
    starts = problem.w0, problem.w0 + problem.V[:, :, 0]
    limits = [limit_of_descent(problem, w) for w in starts]
    # then
    slack = limits[0].radius + limits[1].radius
    assert_at_most(norm(limits[1].w - limits[0].w, axis=-1), slack, why="one limit", instance=problem)
