r"""Proposition 9.2 (b) - an adaptive regularizer.

Printed     Batch normalization induces an adaptive regularizer that depends on the statistics of the activations
            (second half of the sentence)
Reading     The run ends at the minimum that is best by a criterion which contains $s$, the standard deviation of the
            activations over the batch, as the run has made it. Read in linear regression, where the minima are known
Setting     One neuron with a scale $\gamma$, $N = n + 1$ samples, $X_c$ and $y_c$ the centered data,
            $\operatorname{rank} X_c = n < p$, $\Sigma = X_c^\top X_c/N$, $s^2 = w^\top \Sigma w$, the predictor
            $\beta = \gamma w/s$, $P$ the projection onto $\operatorname{row}(X_c)$, $P_0 = I - P$; $g_t$ is the
            gradient in $w$ of step $t$
Hypotheses  (H1) The run fits the data. All our runs from $\gamma_0 \langle X_c w_0, y_c \rangle > 0$ did.
Corrected   (C5) No step of batch normalization moves the null part of $w$, and $\|Pw\|^2$ grows by the square of the
            step. Where it fits the data, $|\gamma/s|^2 = \|X_c^+ y_c\|^2/(\|P w_0\|^2 + \eta^2 \sum_t \|g_t\|^2)$.
            (C7) Where the flow of batch normalization fits the data it leaves the null part
            $\pm\|X_c^+ y_c\| P_0 w_0/\|P w_0\|$, with the sign of $\gamma$ at the end.
            (C11) Of three samples or more every data set has saddles like that of the counterexample, $\gamma = 0$ and
            $\langle X_c w, y_c \rangle = 0$ with $X_c w \ne 0$; of two samples with different targets there is none
Idea        $g$ lies in $\operatorname{row}(X_c)$, so that $\beta$ keeps the null part $(\gamma/s) P_0 w_0$. Among the
            interpolants $\beta$ is therefore the nearest to $(\gamma/s) w_0$
Tolerance   A first-order rounding analysis of the run. Distances to a limit are bounded by the residual over $s_n$, the
            least singular value of $X_c$, so that they hold for a run that has not converged; convergence is asserted
            separately. Flows carry the estimate of two tolerances
Findings    The criterion is the distance to the start, rescaled by $\gamma$ over the statistic $s$. Large steps make
            $P w$ longer. Then $|\gamma|/s$ is smaller, and less of $w_0$ is left. The statistic $s$ itself fell in the
            three flows of C7. From a start in $\operatorname{row}(X_c)$ no null part is left, whatever $s$ is
Expected    holds under added hypotheses
"""

import dataclasses
from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import strategies as st
from numpy.linalg import norm

from fixtures.precision import factorization, rounding
from fixtures.problems.batches import given_batches, stack
from fixtures.problems.examples import simplest
from properties.certificates import assert_at_most, assert_identical, assert_violates, assert_within
from properties.oracles import nearest_interpolant
from properties.search import smallest_violation
from theorems.ledger import corrected, counterexample, necessity, under_hypotheses
from theorems.section_09_architectures.normalization.dynamics import batch_norm_slopes
from theorems.section_09_architectures.normalization.problems import directed_regressions
from theorems.section_09_architectures.proposition_9_2_normalized_space.descents import (
    LARGEST_RESIDUAL,
    STEPS,
    batch_norm_run,
    deviation,
    drift_rounding,
    row_and_null_parts,
)
from theorems.section_09_architectures.proposition_9_2_normalized_space.flows import FINAL_RESIDUAL, settled_flow


def rest_at_zero_scale(w, y):
    """The loss at which descent from gamma_0 = 0 rests, for X = (I 0), in exact arithmetic; -1 where it does not rest.

    The rows of X are the two directions in which the samples vary about their mean.
    """
    problem = SimpleNamespace(X=np.eye(2, 3)[None], y=np.array([y], float), rows=np.array([2]))
    slopes = batch_norm_slopes(problem, np.array([w], float), np.zeros(1))
    return -1 if any(slope.any() for slope in slopes) else Fraction(sum(entry * entry for entry in y), 6)


@counterexample
def test_a_start_at_a_saddle_selects_no_minimum():
    r"""Three samples, turned so that $(1, 1, 1)$ is the last axis: rows $e_1$, $e_2$, 0 of $X_c$, $y_c = (1, 0, 0)$. At
    $w_0 = (0, 1, 1)$, $\gamma_0 = 0$ the slope in $w$ has the factor $\gamma$, that in $\gamma$ $\langle X_c w, y_c
    \rangle = 0$: the run rests at $|y_c|^2/(2 \cdot 3) = \frac16$. Printed: at a minimum, so at the loss 0."""
    found = rest_at_zero_scale((0, 1, 1), (1, 0))
    assert_violates(found, 0, reads="loss {value} for ever > {limit}", X="I_23", y=[1, 0], w_0=[0, 1, 1], gamma_0=0)


@counterexample
def test_hypothesis_finds_a_start_that_selects_no_minimum():
    weights, targets = (st.tuples(*[st.integers(-3, 3)] * count) for count in (3, 2))
    starts = st.tuples(weights.filter(lambda w: any(w[:2])), targets)
    w, y = smallest_violation(starts, lambda start: rest_at_zero_scale(*start) > 0)
    assert_violates(rest_at_zero_scale(w, y), 0, reads="loss {value} for ever > {limit}", w_0=w, y=y, gamma_0=0)


@under_hypotheses("H1")
@given_batches(size=100, problem=directed_regressions())
def test_batch_normalization_selects_the_interpolant_nearest_to_the_rescaled_start(problem):
    # when   descent; the bound holds for any residual
    run, beta, scale, residual = batch_norm_run(problem)
    assert_at_most(residual, LARGEST_RESIDUAL, why="convergence within the budget", instance=problem)
    # then   compared with the interpolant nearest to (gamma/s) w_0, by LAPACK
    limit = nearest_interpolant(problem.X, problem.y, scale[:, None] * problem.v)
    size = np.abs(scale) * norm(problem.v, axis=-1) + norm(limit, axis=-1)
    oracle = rounding(factorization(problem.rows, problem.columns), problem.condition * size)
    bound = residual / problem.sigma_min + np.abs(scale) * drift_rounding(problem, run, STEPS) + oracle
    assert_at_most(norm(beta - limit, axis=-1), bound, why="distance to what is selected", instance=problem)
    assert_at_most(bound, size / 50, why="ceiling: the run has converged", instance=problem)


@necessity("H1")
def test_without_H1_a_run_that_rests_at_a_saddle_is_no_interpolant_of_any_rescaled_start():
    # given  the start of the counterexample, where beta = 0
    assert_identical(rest_at_zero_scale((0, 1, 1), (1, 0)), Fraction(1, 6), why="the loss at rest")


@corrected("C5")
@given_batches(size=100, problem=directed_regressions())
def test_batch_normalization_never_moves_the_null_part_and_lengthens_the_rest_by_its_steps(problem):
    # when
    run, _, scale, residual = batch_norm_run(problem)
    (row, null), (row_0, null_0) = row_and_null_parts(problem, run.v), row_and_null_parts(problem, problem.v)
    # then   |P w|^2 = |P w_0|^2 + sum |dw|^2 up to 2|w| times the rounding of each step
    drift = drift_rounding(problem, run, STEPS)
    assert_at_most(norm(null - null_0, axis=-1), drift, why="null part of w", instance=problem)
    assert_at_most(drift, 2.0**-26 * norm(problem.v, axis=-1), why="an error of 2^-26 would be seen", instance=problem)
    square = np.square(row_0).sum(-1) + run.travel
    error = np.abs(np.square(row).sum(-1) - square)
    assert_at_most(error, 4 * np.sqrt(square) * drift, why="growth of |Pw|^2", instance=problem)
    # and   |gamma|/s is the least norm over that length; both have products of the construction
    difference = np.abs(np.abs(scale) * np.sqrt(square) - problem.least_norm)
    products = rounding(3 * (problem.rows + problem.columns) + 10) + problem.construction
    bound = residual / problem.sigma_min + 4 * np.abs(scale) * drift
    bound += products * problem.condition * problem.least_norm
    assert_at_most(difference, bound, why="gamma/s", instance=problem)


@corrected("C7")
@pytest.mark.parametrize("v", [(1.0, 0.5, 0.7), (-1.0, 0.5, 0.7), (-2.0, -1.0, 1.4)])
def test_the_flow_of_batch_normalization_leaves_a_null_part_of_the_sign_of_its_scale(v):
    # given  X = diag(2, 1) and a third weight that no sample sees
    one = simplest(directed_regressions())
    X, y, v = np.array([[2.0, 0, 0], [0, 1.0, 0]]), np.array([1.0, 1.0]), np.array(v)
    problem = stack([dataclasses.replace(one, X=X, y=y, v=v, gamma=0.5, rows=2)])
    # when
    flow = settled_flow(batch_norm_slopes, deviation, problem, np.array([1e4]))
    w, gamma = flow.states[-1, :, :-1], flow.states[-1, :, -1]
    beta = (gamma / deviation(problem, w))[:, None] * w
    # then   |P beta| is off |X^+ y| by FINAL_RESIDUAL/s_n at most, and P w and P_0 w by the error of the flow
    least, length, error = np.sqrt(5) / 2, norm(v[:2]), flow.error[-1]
    slack = (FINAL_RESIDUAL * v[2] + (least + FINAL_RESIDUAL) * error * (1 + v[2] / length)) / (length - error)
    predicted = np.sign(gamma) * least * v[2] / length
    assert_at_most(np.abs(beta[:, 2] - predicted), slack, why="the null part of beta")
    assert_at_most(slack, 1 / 1000, why="ceiling: the flow has settled")
    assert_at_most(deviation(problem, w), 3 / 4 * deviation(problem, problem.v), why="s has fallen by a quarter")


@corrected("C11")
@given_batches(size=100, problem=directed_regressions())
def test_every_batch_of_three_samples_or_more_has_a_saddle_and_one_of_two_has_none(problem):
    # given  gamma = 0, and w with X_c w orthogonal to y; two samples vary in one direction only, and w is any
    size, several = norm(problem.y, axis=-1), problem.rows > 1
    z = np.sqrt(np.arange(1, 1 + problem.y.shape[1])) * (np.arange(problem.y.shape[1]) < problem.rows[:, None])
    z = z - ((z * problem.y).sum(-1) / size**2)[:, None] * problem.y
    length = np.where(several, norm(z, axis=-1), 1)
    assert_at_most(1 / 50, length, why="X_c w is not 0", instance=problem)
    w = np.where(several[:, None], nearest_interpolant(problem.X, z, np.zeros_like(problem.v)), problem.v)
    # when
    dw, dgamma = batch_norm_slopes(problem, w, np.zeros(len(w)))
    # then   dgamma is the correlation of Xw with y over sqrt(N), which is |y|/sqrt(N) in modulus for two samples; z was
    #        at most sqrt(6) long, and w is by least squares
    assert_identical(dw, 0 * dw, why="dL/dw")
    operations = factorization(problem.rows, problem.columns) + 12
    slack = rounding(operations, np.sqrt(6) * problem.condition * size / length)
    due = np.where(several, 0, size / np.sqrt(problem.rows + 1))
    assert_within(due, np.abs(dgamma), due, slack=slack, why="|dL/dgamma|", instance=problem)
