r"""Section 4.1: balancedness - a step of gradient descent changes the imbalance by a term of second order.

Setting     $f(x) = W_L \cdots W_1 x$ with any widths; loss $\mathcal{L} = \frac12 \|WX - Y\|_F^2$, a sum over samples;
            $g_\ell = \partial \mathcal{L} / \partial W_\ell$, $G = \partial \mathcal{L} / \partial W$;
            $D_\ell = W_{\ell+1}^\top W_{\ell+1} - W_\ell W_\ell^\top$.
Corrected   (C1) A step of gradient descent at any rate $\eta$, from any layers, changes every imbalance by
            $\eta^2 (g_{\ell+1}^\top g_{\ell+1} - g_\ell g_\ell^\top)$, and a run changes it by the sum of these.
            (C2) If every step lowers the loss by at least $\frac{\eta}{2} \sum_\ell \|g_\ell\|^2$, then $T$ steps
            change each $D_\ell$ by at most $2\eta (\mathcal{L}_0 - \mathcal{L}_T)$ in the Frobenius norm. This bound is
            attained.
            (C3) From $W_\ell = \alpha I$, one step makes every $D_\ell$ equal to
            $\eta^2 \alpha^{2L-2} (G^\top G - G G^\top)$.
Idea        $W_{\ell+1}^\top g_{\ell+1} = g_\ell W_\ell^\top$, so the terms of first order cancel. Summed over a run,
            the terms of second order are at most $\eta^2 \sum_t \|g_t\|^2$ over all layers, and the descent lemma
            bounds this by the decrease of the loss.
Tolerance   Identities are checked in rational arithmetic; runs by a first-order rounding analysis of every step
            (`deep_products.balance`). The descent lemma holds by construction: the learning rate is below $1/\beta$,
            $\beta$ the largest curvature, on a ball that the run provably stays in.
"""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures.dynamics.deep_linear import (
    deep_linear_descent,
    end_to_end,
    gradients,
    regression_gradient,
    regression_loss,
)
from fixtures.dynamics.torch_training import minimize
from fixtures.models.deep_linear import gradients_of, half_squared_error, linear_stack, weights_of
from fixtures.problems.batches import given_batches
from fixtures.problems.deep_linear import deep_regressions
from fixtures.problems.expectations import expecting
from fixtures.rational import fractions
from properties.certificates import assert_at_most, assert_identical, record_series
from properties.deep_linear import frobenius, loss_rounding, monotone_rate
from theorems.ledger import corrected
from theorems.section_04_deep_linear_networks.deep_products.balance import drift_of_descent, imbalances, step_rounding
from theorems.section_04_deep_linear_networks.section_4_1_balancedness.layer_lists import (
    HALF,
    SCALE,
    entries,
    norms_of_pairs,
)


@corrected("C1")
@given(problem=deep_regressions())
def test_a_step_of_descent_moves_the_imbalance_by_second_order_alone(problem):
    # given  rational arithmetic and a learning rate of 1/2, which is not small
    layers, X, Y = problem.exactly()
    # when
    after = deep_linear_descent(layers, X, Y, HALF, 1)
    # then   D_l' - D_l = eta^2 (g_{l+1}' g_{l+1} - g_l g_l'), exactly
    moved = entries(imbalances(after)) - entries(imbalances(layers))
    predicted = HALF**2 * entries(imbalances(gradients(layers, X, Y)))
    assert_identical(moved, predicted, why="the drift identity")


@corrected("C1")
@given_batches(problem=deep_regressions(depth=3))
def test_the_drift_of_a_run_is_the_sum_of_its_second_order_terms(problem):
    layers = [SCALE * W for W in problem.layers]
    eta = monotone_rate(layers, problem.X, problem.Y, steps=30)
    # when
    drift = drift_of_descent(layers, problem.X, problem.Y, eta, steps=30)
    # then
    difference = [observed - predicted for observed, predicted in zip(drift.observed, drift.predicted, strict=True)]
    bound = np.stack(drift.rounding, axis=-1)
    assert_at_most(norms_of_pairs(difference), bound, why="the drift identity over 30 steps", instance=problem)


def drift_bound(eta, decrease):
    """The bound of C2 on the drift of every D_l, 2 eta (L_0 - L_T), while the loss decreases by L_0 - L_T."""
    return 2 * eta * decrease


@corrected("C2")
def test_the_bound_on_the_drift_is_attained_by_one_step_to_an_interpolant():
    # given  scalars W_1 = 1, W_2 = 0, x = y = 1 and eta = 1: g_1 = 0 and g_2 = -1
    layers, one, eta = [fractions([[1]]), fractions([[0]])], fractions([[1]]), 1
    # when   the step leads to W_2 = 1, where the loss is 0; it has lowered the loss by 1/2 = (eta/2) |g|^2
    after = deep_linear_descent(layers, one, one, eta, 1)
    decrease = regression_loss(layers, one, one) - regression_loss(after, one, one)
    assert_identical(decrease, Fraction(1, 2), why="the descent lemma holds with equality")
    # then   D_1 has moved from -1 to 0
    moved = imbalances(after)[0] - imbalances(layers)[0]
    assert_identical(moved[0, 0], drift_bound(eta, decrease), why="drift of D_1 against 2 eta (L_0 - L_1)")


@corrected("C2")
def test_at_half_the_rate_descent_to_one_time_builds_up_at_most_half_of_the_imbalance():
    # given  X = I, Y = [[1, 1], [0, 1]], two layers I, which are balanced; rates 1/4, ..., 1/32 up to the time 2
    layers, X, Y, etas = [np.eye(2)] * 2, np.eye(2), np.array([[1.0, 1], [0, 1]]), 2.0 ** -np.arange(2, 6)
    # when
    runs = [drift_of_descent(layers, X, Y, eta, steps=round(2 / eta)) for eta in etas]
    decrease = regression_loss(layers, X, Y) - np.array([regression_loss(run.end, X, Y) for run in runs])
    drift, bound = np.array([frobenius(run.observed[0]) for run in runs]), drift_bound(etas, decrease)
    # then
    assert_at_most([run.squared_steps for run in runs], bound, why="squared steps by the descent lemma")
    assert_at_most(drift, bound, why="drift of D_1 against 2 eta (L_0 - L_T)")
    assert_at_most(drift[1:], drift[:-1] / 2, why="drift of D_1 at half the rate")
    record_series("imbalance at time 2", eta=etas, drift=drift.round(6), bound=bound.round(6))


@pytest.mark.slow
@corrected("C2")
@given(problem=deep_regressions(bound=5, max_width=3), power=st.integers(-6, 6))
def test_at_every_rate_the_drift_of_a_step_is_at_most_its_squared_length(problem, power):
    # given  rational arithmetic, and rates from 10^-6 to 10^6, far beyond the descent lemma
    layers, X, Y = problem.exactly()
    eta = Fraction(10) ** power
    # when
    after = deep_linear_descent(layers, X, Y, eta, 1)
    # then   |D_l' - D_l| <= eta^2 (|g_l|^2 + |g_{l+1}|^2), squared; C2 is this and the descent lemma
    length = eta**2 * sum((g**2).sum() for g in gradients(layers, X, Y))
    moved = [((end - start) ** 2).sum() for end, start in zip(imbalances(after), imbalances(layers), strict=True)]
    assert_identical([drift <= length**2 for drift in moved], [True] * len(moved), why="drift within squared length")


@corrected("C2")
@given_batches(problem=deep_regressions(depth=4))
def test_the_drift_is_at_most_twice_the_learning_rate_times_the_decrease_of_the_loss(problem):
    # given  a learning rate at which the descent lemma holds
    layers = [SCALE * W for W in problem.layers]
    eta = monotone_rate(layers, problem.X, problem.Y, steps=30)
    # when
    drift = drift_of_descent(layers, problem.X, problem.Y, eta, steps=30)
    # then   |D_l(T) - D_l(0)| <= eta^2 sum |g|^2 <= 2 eta (L_0 - L_T)
    first, last = (regression_loss(W, problem.X, problem.Y) for W in (layers, drift.end))
    rounding = sum(loss_rounding(W, problem.X, problem.Y) for W in (layers, drift.end))
    bound_on_drift = drift_bound(eta, first - last + rounding) + drift.descent_rounding
    assert_at_most(drift.squared_steps, bound_on_drift, why="squared steps by the descent lemma", instance=problem)
    moved = norms_of_pairs(drift.observed).max(-1)
    assert_at_most(moved, bound_on_drift + np.max(drift.rounding, axis=0), why="drift of D_l", instance=problem)


@corrected("C1")
@given(problem=deep_regressions())
def test_torch_users_see_the_same_drift_on_rectangular_layers(problem):
    # given  nn.Linear layers of unequal widths in float64
    rectangles, X, Y = problem.rectangular()
    before, eta = [SCALE * W for W in rectangles], 0.1
    model = linear_stack(before)
    # when   one step of torch.optim.SGD
    minimize(model, half_squared_error(model, X, Y), "SGD", 1, {"lr": eta})
    after, slopes = weights_of(model), gradients_of(model)
    # then
    terms = zip(imbalances(after), imbalances(before), imbalances(slopes), strict=True)
    difference = [frobenius(end - start - eta**2 * second) for end, start, second in terms]
    bound = step_rounding(before, after, slopes, X, Y, eta)
    assert_at_most(np.array(difference), np.array(bound), why="drift of torch.optim.SGD")


@corrected("C3")
@given(problem=expecting(deep_regressions(width=3), level="widths"))
def test_the_first_step_from_alpha_I_leaves_every_imbalance_at_the_self_commutator_of_the_gradient(
    problem,
):
    # given  W_l = alpha I with alpha = 1/2
    _, X, Y = problem.exactly()
    L, alpha, eta = problem.depth, HALF, Fraction(1, 10)
    layers = [alpha * fractions(np.eye(3))] * L
    G = regression_gradient(X, Y)(end_to_end(layers))
    # when
    after = deep_linear_descent(layers, X, Y, eta, 1)
    # then   D_l = eta^2 alpha^(2L-2) (G'G - GG') for every l
    predicted = [eta**2 * alpha ** (2 * L - 2) * (G.T @ G - G @ G.T)] * (L - 1)
    assert_identical(entries(imbalances(after)), entries(predicted), why="imbalance after one step")
