r"""Section 4.1: balancedness - gradient flow keeps balanced layers balanced, and gradient descent nearly so.

Section     4.1 and 4.2 (the balanced initialization of Theorem 4.1 and its proof sketch)
Printed     Balanced initialization, of which $W_\ell(0) = \alpha I$ is one, together with gradient flow or gradient
            descent at a small learning rate
Reading     Balanced means $D_\ell = W_{\ell+1}^\top W_{\ell+1} - W_\ell W_\ell^\top = 0$ for $\ell = 1, \dots, L-1$.
            The proof sketch uses it as a property of the whole trajectory of gradient flow, which is the limit of a
            small learning rate: the flow conserves every $D_\ell$.
Setting     $f(x) = W_L \cdots W_1 x$ with any widths; $L = \frac12 \|WX - Y\|_F^2$, a sum over samples;
            $g_\ell = \partial L / \partial W_\ell$, $G = \partial L / \partial W$
Hypotheses  (H1) D_l is the inner Gram matrix of the upper layer less the outer one of the lower, not the transposes.
            (H2) continuous time.
            (H3) the loss depends on the layers through their product alone: no weight decay.
            (H4) plain gradient steps: every layer moves at the same rate.
Corrected   (C1) A step of gradient descent at any rate eta, from any layers, moves every imbalance by $D_\ell' - D_\ell
            = \eta^2 (g_{\ell+1}^\top g_{\ell+1} - g_\ell g_\ell^\top)$, and a run by the sum of these.
            (C2) Where every step lowers the loss by $(\eta/2) \sum_\ell \|g_\ell\|^2$ at least, T steps move each D_l
            by at most $2\eta (L_0 - L_T)$ in the Frobenius norm; this is attained.
            (C3) From W_l = alpha I one step leaves every D_l at $\eta^2 \alpha^{2L-2} (G^\top G - G G^\top)$.
            (C4) With the penalty $\frac\lambda2 \sum_\ell \|W_\ell\|^2$ the flow has $\dot D_\ell = -2\lambda D_\ell$:
            zero stays zero, and no other value is conserved.
            (C5) When layer l moves at the rate l, $\dot D_\ell = -(g_\ell W_\ell^\top + W_\ell g_\ell^\top)$.
Idea        $W_{\ell+1}^\top g_{\ell+1} = g_\ell W_\ell^\top$, since both are $(W_L \cdots W_{\ell+1})^\top G
            (W_\ell \cdots W_1)^\top$. So $\dot D_\ell = 0$, and of one descent step only second order is left. Summed,
            that is at most $\eta^2 \sum_t \|g_t\|^2$ over all layers, and the descent lemma bounds this by the loss.
Source      Arora, Cohen, Hazan (2018), On the Optimization of Deep Networks: Implicit Acceleration by
            Overparameterization, ICML; Du, Hu, Lee (2018), Algorithmic Regularization in Learning Deep Homogeneous
            Models: Layers are Automatically Balanced, NeurIPS
Tolerance   Identities are checked in rational arithmetic, where they are exact; runs by the integrator's error times
            2|W|, or by a first-order rounding analysis of every step (properties.balance). The descent lemma is
            arranged beforehand, by a learning rate below 1/beta on a ball that the run provably stays in.
Findings    Weight decay at unequal rates destroys balance: with lambda on the upper of two layers alone, and layers
            that are balanced, dD/dt = -2 lambda W_2'W_2.
Expected    holds
"""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.linalg import svd

from fixtures.dynamics.deep_linear import (
    deep_linear_descent,
    end_to_end,
    gradients,
    layer_flow,
    regression_gradient,
    regression_loss,
)
from fixtures.dynamics.torch_training import minimize
from fixtures.models.deep_linear import gradients_of, half_squared_error, linear_stack, weights_of
from fixtures.precision import UNIT_ROUNDOFF
from fixtures.problems.batches import given_batches
from fixtures.problems.deep_linear import deep_regressions
from fixtures.rational import fractions
from properties.balance import drift_of_descent, imbalance_velocities, imbalances, step_rounding
from properties.certificates import assert_at_most, assert_identical, assert_violates
from properties.deep_linear import frobenius, loss_rounding, monotone_rate
from theorems.ledger import as_printed, corrected, necessity

SMALL, HALF = 0.45, Fraction(1, 2)
"""Layers are scaled by SMALL, no power of two, in floating-point runs: products stay moderate, and they do round."""


def entries(matrices):
    """All entries of a list of matrices in one vector."""
    return np.concatenate([np.ravel(matrix) for matrix in matrices])


def per_pair(matrices):
    """Frobenius norms of a list of (B, D, D), as (B, L - 1)."""
    return np.stack([frobenius(matrix) for matrix in matrices], axis=-1)


def flow_of(problem, layers, times):
    """The gradient flow of a batch, with the largest |W_l| on the way, (T,)."""
    run = layer_flow(layers, regression_gradient(problem.X, problem.Y), times)
    return run, np.max([frobenius(W).max(-1) for W in run.layers], axis=0)


@as_printed
@given(problem=deep_regressions())
def test_the_gradient_field_does_not_move_the_imbalance_at_any_point(problem):
    # given  any layers, balanced or not, in rational arithmetic
    layers, X, Y = problem.exactly()
    # when
    velocities = [-slope for slope in gradients(layers, X, Y)]
    # then   dD_l/dt = 0 for every l, exactly: H1, H2, H3, H4
    rates = entries(imbalance_velocities(layers, velocities))
    assert_identical(rates, 0 * rates, why="D_l is conserved by gradient flow")


@as_printed
@given_batches(problem=deep_regressions(depth=3, bound=1))
def test_along_the_flow_the_imbalance_keeps_its_initial_value(problem):
    # given  an unbalanced start, and three times of which the first is early
    layers = [SMALL * W for W in problem.layers]
    # when
    run, largest = flow_of(problem, layers, np.array([0.05, 0.2, 0.6]))
    # then   |W|^2 moves by at most 2|W||dW|, and two layers enter
    moved = [now - start for now, start in zip(imbalances(run.layers), imbalances(layers), strict=True)]
    assert_at_most(per_pair(moved).max((-2, -1)), 4 * largest * run.error, why="drift of D_l along the flow")


@as_printed
@given_batches(problem=deep_regressions(depth=4, width=3, bound=1))
def test_from_a_multiple_of_the_identity_all_layers_share_their_singular_values_on_the_way(problem):
    # given  the printed start W_l(0) = alpha I
    layers = [0.8 * np.eye(3) + 0 * W for W in problem.layers]
    # when
    run, largest = flow_of(problem, layers, np.array([0.05, 0.2, 0.6]))
    # then   sigma(W_l)^L = sigma(W_L ... W_1), by Weyl up to L |W|^(L-1) times the error, on either side
    shared = svd(end_to_end(run.layers), compute_uv=False)
    gap = np.max([np.abs(svd(W, compute_uv=False) ** 4 - shared).max((-2, -1)) for W in run.layers], axis=0)
    rounding = 100 * UNIT_ROUNDOFF * largest**4
    assert_at_most(gap, 8 * largest**3 * run.error + rounding, why="singular values of every layer")


@corrected("C1")
@given(problem=deep_regressions())
def test_a_step_of_descent_moves_the_imbalance_by_second_order_alone(problem):
    # given  rational arithmetic and a learning rate of 1/2, nowhere near small
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
    layers = [SMALL * W for W in problem.layers]
    eta = monotone_rate(layers, problem.X, problem.Y, steps=30)
    # when
    drift = drift_of_descent(layers, problem.X, problem.Y, eta, steps=30)
    # then
    gap = [observed - predicted for observed, predicted in zip(drift.observed, drift.predicted, strict=True)]
    bound = np.stack(drift.rounding, axis=-1)
    assert_at_most(per_pair(gap), bound, why="the drift identity over 30 steps", instance=problem)


def drift_budget(eta, decrease):
    """The bound of C2 on the drift of every D_l while the loss decreases by so much, 2 eta (L_0 - L_T)."""
    return 2 * eta * decrease


@corrected("C2")
def test_one_step_that_fits_spends_the_whole_budget_of_the_drift():
    # given  scalars W_1 = 1, W_2 = 0, x = y = 1 and eta = 1: g_1 = 0 and g_2 = -1
    layers, one, eta = [fractions([[1]]), fractions([[0]])], fractions([[1]]), 1
    # when   the step leads to W_2 = 1, where the loss is 0; it has lowered the loss by 1/2 = (eta/2) |g|^2
    after = deep_linear_descent(layers, one, one, eta, 1)
    decrease = regression_loss(layers, one, one) - regression_loss(after, one, one)
    assert_identical(decrease, Fraction(1, 2), why="the descent lemma holds with equality")
    # then   D_1 has moved from -1 to 0
    moved = imbalances(after)[0] - imbalances(layers)[0]
    assert_identical(moved[0, 0], drift_budget(eta, decrease), why="drift of D_1 against 2 eta (L_0 - L_1)")


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
    layers = [SMALL * W for W in problem.layers]
    eta = monotone_rate(layers, problem.X, problem.Y, steps=30)
    # when
    drift = drift_of_descent(layers, problem.X, problem.Y, eta, steps=30)
    # then   |D_l(T) - D_l(0)| <= eta^2 sum |g|^2 <= 2 eta (L_0 - L_T)
    first, last = (regression_loss(W, problem.X, problem.Y) for W in (layers, drift.end))
    rounding = sum(loss_rounding(W, problem.X, problem.Y) for W in (layers, drift.end))
    budget = drift_budget(eta, first - last + rounding) + drift.descent_rounding
    assert_at_most(drift.squared_steps, budget, why="squared steps by the descent lemma", instance=problem)
    moved = per_pair(drift.observed).max(-1)
    assert_at_most(moved, budget + np.max(drift.rounding, axis=0), why="drift of D_l", instance=problem)


@corrected("C1")
@given(problem=deep_regressions())
def test_torch_users_see_the_same_drift_on_rectangular_layers(problem):
    # given  nn.Linear layers of unequal widths in float64
    rectangles, X, Y = problem.rectangular()
    before, eta = [SMALL * W for W in rectangles], 0.1
    model = linear_stack(before)
    # when   one step of torch.optim.SGD
    minimize(model, half_squared_error(model, X, Y), "SGD", 1, {"lr": eta})
    after, slopes = weights_of(model), gradients_of(model)
    # then
    terms = zip(imbalances(after), imbalances(before), imbalances(slopes), strict=True)
    gap = [frobenius(end - start - eta**2 * second) for end, start, second in terms]
    bound = step_rounding(before, after, slopes, X, Y, eta)
    assert_at_most(np.array(gap), np.array(bound), why="drift of torch.optim.SGD")


@necessity("H1")
def test_without_H1_the_transposed_difference_moves_although_the_layers_are_balanced():
    # given  W_1 = I, W_2 = diag(1, -1), balanced in both senses; X = I, Y = E_12
    layers = [fractions(np.eye(2)), fractions(np.diag([1, -1]))]
    X, Y = fractions(np.eye(2)), fractions([[0, 1], [0, 0]])
    # when   d/dt (W_1'W_1 - W_2W_2') = 2 sym(W_1'V_1 - V_2W_2') at the velocities V_l = -g_l
    slopes = gradients(layers, X, Y)
    half = slopes[1] @ layers[1].T - layers[0].T @ slopes[0]
    rate = (half + half.T)[0, 1]
    # then   while the true difference stands still
    assert_violates(rate, 0, reads="d/dt (W_1'W_1 - W_2W_2')_12 = {value} > {limit}", W_1=layers[0], W_2=layers[1])
    still = entries(imbalance_velocities(layers, [-slope for slope in slopes]))
    assert_identical(still, 0 * still, why="d/dt (W_2'W_2 - W_1W_1')")


@corrected("C3")
@given(problem=deep_regressions(width=3))
def test_the_first_step_from_alpha_I_leaves_balance_by_the_failure_of_the_gradient_to_be_normal(
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


@necessity("H2")
def test_without_H2_balance_is_lost_by_an_exact_amount():
    # given  L = 2, alpha = 1, X = I, and a target with one entry off the diagonal: G = I - Y = -E_12
    layers, X = [fractions(np.eye(2))] * 2, fractions(np.eye(2))
    Y, eta = fractions([[1, 1], [0, 1]]), Fraction(1, 10)
    # when
    after = deep_linear_descent(layers, X, Y, eta, 1)
    # then
    imbalance = max(abs(entries(imbalances(after))))
    assert_violates(imbalance, 0, reads="|W_2'W_2 - W_1W_1'| = {value} > {limit}", Y=Y, alpha=1, eta=eta)
    assert_identical(imbalance, eta**2, why="the imbalance of one step")


@corrected("C4")
@given(problem=deep_regressions())
def test_equal_weight_decay_damps_the_imbalance_instead_of_conserving_it(problem):
    # given  the loss plus (lambda/2) sum |W_l|^2
    layers, X, Y = problem.exactly()
    decay = Fraction(1, 3)
    # when
    velocities = [-slope - decay * W for slope, W in zip(gradients(layers, X, Y), layers, strict=True)]
    # then   dD_l/dt = -2 lambda D_l: no conservation, but zero stays zero
    rates = entries(imbalance_velocities(layers, velocities))
    assert_identical(rates, -2 * decay * entries(imbalances(layers)), why="weight decay damps D_l")


@necessity("H3")
def test_without_H3_decay_of_the_upper_layer_alone_destroys_balance():
    # given  balanced layers at an interpolant, where the loss exerts no force: W_1 = W_2 = X = Y = I
    layers, decay = [fractions(np.eye(2))] * 2, Fraction(1, 3)
    slopes = gradients(layers, layers[0], layers[0])
    # when
    rate = imbalance_velocities(layers, [-slopes[0], -slopes[1] - decay * layers[1]])[0][0, 0]
    # then   d(W_2'W_2)/dt = -2 lambda W_2'W_2
    assert_violates(-rate, 0, reads="-d/dt (W_2'W_2 - W_1W_1')_11 = {value} > {limit}", decay=decay)
    assert_identical(rate, -2 * decay, why="the rate at which balance is lost")


@corrected("C5")
@given(problem=deep_regressions())
def test_unequal_rates_move_the_imbalance_by_what_the_lower_layer_adds(problem):
    # given  layer l moves at rate l: dW_l/dt = -l g_l
    layers, X, Y = problem.exactly()
    slopes = gradients(layers, X, Y)
    # when
    rates = imbalance_velocities(layers, [-l * slope for l, slope in enumerate(slopes, 1)])  # noqa: E741
    # then   -2 sym(((l+1) - l) g_l W_l')
    predicted = [-(slope @ W.T) - (slope @ W.T).T for slope, W in zip(slopes[:-1], layers[:-1], strict=True)]
    assert_identical(entries(rates), entries(predicted), why="unequal rates move D_l")


@necessity("H4")
def test_without_H4_a_faster_upper_layer_destroys_balance():
    # given  scalars W_1 = W_2 = 1, x = 1, y = 0: g_1 = g_2 = 1, and W_2 moves twice as fast
    layers, one = [fractions([[1]])] * 2, fractions([[1]])
    slopes = gradients(layers, one, 0 * one)
    # when
    rate = imbalance_velocities(layers, [-slopes[0], -2 * slopes[1]])[0][0, 0]
    # then
    assert_violates(-rate, 0, reads="-d/dt (W_2^2 - W_1^2) = {value} > {limit}", W_1=1, W_2=1, x=1, y=0)
