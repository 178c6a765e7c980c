r"""Theorem 4.1 (c) - least nuclear norm under linear measurements.

Printed     Balanced initialization, in the proof $W_\ell(0) = \alpha I$, and a small learning rate imply
            $W_L \cdots W_1 \to \operatorname{argmin}_W \|W\|_*$ among the matrices that fit
Reading     A least nuclear norm means something of its own under linear measurements $\langle A_i, W \rangle = y_i$
            and, as a special case, in matrix completion. The title and the words "low-rank solutions" suggest them.
Setting     Loss $\frac12 \sum_i (\langle A_i, W \rangle - y_i)^2$ with symmetric $A_i$; $W = W_L \cdots W_1$, all
            layers $d \times d$, or $W = U U^\top$; the start is $\alpha I$. $W = U U^\top$ takes the step
            $W \mapsto (I - 2\eta G) W (I - 2\eta G)$, $G$ the gradient in $W$. Two layers from $\alpha I$ keep
            $W_2 = W_1^\top$ and take this step with $\eta/2$ for $\eta$.
Differs     The corrected statements need measurements that commute, which is no open set of measurements, and they are
            about the least trace of a positive semidefinite matrix, not about the least nuclear norm of any matrix.
Idea        From $\alpha I$ with symmetric measurements the flow of $W$ stays positive semidefinite. But the least
            nuclear norm of a completion may need a negative eigenvalue. Among positive semidefinite matrices the limit
            need not have the least trace either: with three pinned measurements, which do not commute, descent ends
            near a matrix of rank one and larger trace.
Tolerance   Nuclear norms: dual certificates that we check, rational where a test pins a value. The misfit of an
            unconverged run is subtracted from the excess that it shows.
Findings    The pinned measurements that do not commute have their least trace between 57/7 and 204/25, both rational.
            Descent ends near 12 from $\alpha = 0.1, 0.01, 0.001$.
Expected    refuted
"""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.linalg import norm

from fixtures.dynamics.deep_linear import descent_path, end_to_end
from fixtures.dynamics.paths import at_time, snapshots, until_fitted
from fixtures.problems.sensing import Completion, Sensing, non_commuting_sensing, one_missing_entry
from fixtures.rational import fractions, leading_pivots
from properties.certificates import (
    assert_at_most,
    assert_identical,
    assert_not_negative,
    assert_violates,
    assert_within,
    record_series,
)
from properties.search import smallest_violation
from properties.spectra.nuclear_norm import least_norm_of_completion, nuclear_norm, spectrum_rounding
from theorems.ledger import counterexample
from theorems.section_04_deep_linear_networks.deep_products.matrix_sensing import factored_path
from theorems.section_04_deep_linear_networks.theorem_4_1_minimum_nuclear_norm.measurements import NON_COMMUTING
from theorems.section_04_deep_linear_networks.theorem_4_1_minimum_nuclear_norm.starts import FIT_TOLERANCE


@counterexample
def test_completing_one_two_two_costs_five_fourths_of_the_least_nuclear_norm():
    r"""$W_{11} = 1$, $W_{12} = W_{21} = 2$, $W_{22} = z$ is free. The nuclear norm is at least $W_{12} + W_{21} = 4$,
    attained at $z = 1$ with eigenvalues 3 and $-1$. But $W \mapsto (I - 2\eta G) W (I - 2\eta G)$ keeps $W$ positive
    semidefinite: a limit that fits has $\det W = z - 4 \ge 0$ and the norm $\operatorname{tr} W = 1 + z \ge 5$."""
    problem, one = one_missing_entry(Fraction(1), Fraction(2)), fractions([[1, 0], [0, 1]])
    W, nu = fractions([[1, 2], [2, 1]]), fractions([[0, 1], [1, 0]])
    along, across = fractions([["1/2", "1/2"], ["1/2", "1/2"]]), fractions([["1/2", "-1/2"], ["-1/2", "1/2"]])
    # given  W fits, and |W|_* <= 3 + 1. The dual point nu is zero off the observed entries, and |nu|_op <= 1
    assert_identical(problem.residual(W), 0 * W, why="W fits")
    assert_identical(3 * along - across, W, why="W = 3 along - across, two projections of rank one")
    assert_not_negative(min(leading_pivots(one - nu.T @ nu)), why="|nu|_op <= 1")
    assert_identical((problem.values * nu).sum(), 4, why="<values, nu>")
    # when   gradient descent on W = UU' from I/2, three exact steps
    state = at_time(factored_path(problem.residual, one / 2, Fraction(1, 16)), 3)
    # then
    assert_not_negative(min(leading_pivots(state.W)), why="UU' is positive semidefinite")
    floor = problem.values[0, 0] + problem.values[0, 1] ** 2 / problem.values[0, 0]
    reads = "nuclear norm of every positive semidefinite completion >= {value} > least {limit}"
    assert_violates(floor, 4, reads=reads, W_11=1, W_12=2, W_21=2)


@counterexample
@pytest.mark.parametrize("depth", [2, 3, 4])
@pytest.mark.parametrize("alpha", [0.5, 0.1])
def test_descent_ends_at_the_completion_of_norm_five_at_depths_two_to_four(depth, alpha):
    problem = one_missing_entry(1.0, 2.0)
    # when
    path = descent_path([alpha * np.eye(2)] * depth, problem.residual, 0.02)
    W = end_to_end(until_fitted(path, lambda layers: norm(problem.residual(end_to_end(layers))), 1e-4, 30_000))
    # then   the least nuclear norm is 4. For a misfit it changes by at most the nuclear norm of the misfit
    limit, misfit = least_norm_of_completion(1, 2), nuclear_norm(problem.residual(W))
    assert_violates(nuclear_norm(W), limit, slack=misfit, reads="nuclear norm {value} > least {limit}", L=depth)
    # then   W = W' is positive definite, so W_22 >= W_12 W_21/W_11
    assert_at_most(W[0, 1] * W[1, 0] / W[0, 0], W[1, 1], why="the determinant of W is positive")


@counterexample
def test_on_its_way_to_norm_five_descent_passes_no_completion_of_norm_four():
    # given  all completions [[1, 2], [2, z]]; the least nuclear norm, 4, is at z = 1
    problem, z = one_missing_entry(1.0, 2.0), np.arange(-8, 33) / 4
    norms = nuclear_norm(np.array([[[1, 2], [2, entry]] for entry in z]))
    assert_at_most(4, norms.min() + spectrum_rounding(np.ones((2, 2))), why="the nuclear norm at z = 1")
    # when   gradient descent on W = UU' from I/10
    W = snapshots(factored_path(problem.residual, np.eye(2) / 10, 0.02), lambda state: state.W, period=5, count=101)
    # then   W stays positive semidefinite, so z = W_22 is at least W_12^2/W_11, which tends to 4
    path = W[:, 1, 1], nuclear_norm(W)
    assert_at_most(W[:, 0, 1] ** 2 / W[:, 0, 0], W[:, 1, 1], why="the determinant of W is positive")
    misfit = nuclear_norm(problem.residual(W[-1]))
    assert_violates(path[1][-1], 4, slack=misfit, reads="nuclear norm {value} > least {limit}", W_11=1, W_12=2, W_21=2)
    record_series("all completions", z=z, nuclear_norm=norms.round(5))
    record_series("descent", z=path[0].round(5), nuclear_norm=path[1].round(5))


@counterexample
@pytest.mark.parametrize("depth", [2, 3, 4])
@given(problem=non_commuting_sensing())
def test_from_a_multiple_of_the_identity_two_small_steps_leave_a_positive_semidefinite_product(problem, depth):
    # given  symmetric measurements that need not commute; exact arithmetic, and small steps, so that no layer becomes
    #        singular
    exact, half = Sensing(fractions(problem.A), fractions(problem.y)), fractions(np.eye(problem.A.shape[-1])) / 2
    # when   two steps
    layers = at_time(descent_path([half] * depth, exact.gradient, Fraction(1, 2**14)), 2)
    # then   W_l = W_{L+1-l}', so W = M'M for an even depth and M'W_lM with the middle layer W_l for an odd one. So the
    #        nuclear norm of W is its trace
    assert_identical(layers[::-1], [layer.T for layer in layers], why="mirrored layers are transposes")
    assert_not_negative(min(leading_pivots(end_to_end(layers))), why="W is positive semidefinite")


@counterexample
def test_a_search_finds_a_completion_of_more_than_the_least_nuclear_norm():
    def exceeds(entries):
        problem = one_missing_entry(*map(float, entries))
        W = at_time(factored_path(problem.residual, np.eye(2) / 2, 0.02), 300).W
        misfit = nuclear_norm(problem.residual(W))
        return nuclear_norm(W) - misfit > least_norm_of_completion(*entries) + 1 / 2

    entries = smallest_violation(st.tuples(st.integers(0, 3), st.integers(0, 3)), exceeds, budget=60)
    # then   W_11 = 0 and W_12 = W_21 = 1
    assert_identical(entries, (0, 1), why="the smallest completion that costs more by 1/2")


@counterexample
def test_fitting_a_completion_of_least_norm_two_costs_a_norm_above_eight_at_a_loss_of_1_200():
    # given  W_12 = W_21 = 1 and W_22 = 0. The matrix [[0, 1], [1, 0]] fits, has nuclear norm 2, and is its own dual
    #        certificate
    problem = Completion(mask=np.array([[0, 1], [1, 1]]), values=np.array([[0, 1], [1, 0]]))
    # when   the loss has fallen to 1/200
    path = factored_path(problem.residual, np.eye(2) / 2, 0.01)
    W = until_fitted(path, lambda state: norm(problem.residual(state.W)), 1 / 10, 30_000).W
    # then   at the loss r^2/2 with r = 1/10, |W_22| <= r and |W_12 - 1| <= r. Because W_11 W_22 >= W_12^2, the entry
    #        W_11 is at least (1 - r)^2/r
    r = Fraction(1, 10)
    assert_at_most(float((1 - r) ** 2 / r), W[0, 0], why="the unobserved entry at loss 1/200")
    reads = "at loss 1/200, nuclear norm >= {value} > least {limit}"
    assert_violates((1 - r) ** 2 / r, 2, reads=reads, W_12=1, W_21=1, W_22=0)


@counterexample
def test_three_measurements_of_a_factored_matrix_lead_to_more_than_the_least_trace():
    # given  an interpolant W of trace 204/25 and a dual point nu of value 57/7. W and I - A*(nu) are positive
    #        semidefinite by exact pivots
    W = fractions([[39, -10, -51], [-10, 15, -19], [-51, -19, 150]]) / 25
    nu = fractions(["-1/8", "-47/56", "-1/28"])
    slack = fractions([[1, 0, 0], [0, 1, 0], [0, 0, 1]]) - NON_COMMUTING.adjoint(nu)
    assert_identical(NON_COMMUTING.measure(W), NON_COMMUTING.y, why="W fits")
    assert_not_negative(min(leading_pivots(W) + leading_pivots(slack)), why="W and I - A*(nu) are semidefinite")
    assert_within(Fraction(57, 7), nu @ NON_COMMUTING.y, np.trace(W), why="weak duality")
    # when   W = UU' from U = I/100
    path = factored_path(NON_COMMUTING.gradient, np.eye(3) / 100, 5e-4)
    end = until_fitted(
        path, lambda state: norm(NON_COMMUTING.measure(state.W) - NON_COMMUTING.y), FIT_TOLERANCE, 20_000
    ).W
    # then   a misfit e changes the dual value <nu, y> by at most |nu||e| < 0.85 |e|
    reads = "trace {value} > least trace, at most {limit}"
    assert_violates(np.trace(end), 204 / 25, slack=2 * FIT_TOLERANCE, reads=reads, A=NON_COMMUTING.A, y=NON_COMMUTING.y)
