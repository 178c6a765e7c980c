r"""Section 4.1: balancedness - discrete steps, weight decay and unequal rates change the imbalance.

Setting     $f(x) = W_L \cdots W_1 x$ with any widths; loss $\mathcal{L} = \frac12 \|WX - Y\|_F^2$, a sum over samples;
            $g_\ell = \partial \mathcal{L} / \partial W_\ell$, $G = \partial \mathcal{L} / \partial W$;
            $D_\ell = W_{\ell+1}^\top W_{\ell+1} - W_\ell W_\ell^\top$.
Hypotheses  (H1) continuous time.
            (H2) the loss depends on the layers through their product alone: no weight decay.
            (H3) plain gradient steps: every layer moves at the same rate.
Corrected   (C4) With the penalty $\frac{\lambda}{2} \sum_\ell \|W_\ell\|^2$ the flow has
            $\dot D_\ell = -2\lambda D_\ell$: a zero imbalance stays zero, and no other value is conserved.
            (C5) When layer $\ell$ moves at the rate $\ell$, $\dot D_\ell = -(g_\ell W_\ell^\top + W_\ell g_\ell^\top)$.
Idea        Each test adds to the velocities one term that the identity $W_{\ell+1}^\top g_{\ell+1} = g_\ell
            W_\ell^\top$ does not cancel.
Tolerance   All identities and counterexamples are rational, so there is no tolerance.
Findings    Weight decay at unequal rates destroys balance: with $\lambda$ on the upper of two layers alone, and layers
            that are balanced, $\dot D_1 = -2\lambda W_2^\top W_2$.
"""

from fractions import Fraction

import numpy as np
from hypothesis import given

from fixtures.dynamics.deep_linear import deep_linear_descent, gradients, regression_loss
from fixtures.problems.deep_linear import deep_regressions
from fixtures.rational import fractions
from properties.certificates import assert_identical, assert_keeps, assert_violates
from theorems.ledger import corrected, necessity
from theorems.section_04_deep_linear_networks.deep_products.balance import imbalance_velocities, imbalances
from theorems.section_04_deep_linear_networks.section_4_1_balancedness.layer_lists import entries


@necessity("H1")
def test_without_H1_balance_is_lost_by_an_exact_amount():
    # given  L = 2, alpha = 1, X = I, and a target with one entry off the diagonal: G = I - Y = -E_12
    layers, X = [fractions(np.eye(2))] * 2, fractions(np.eye(2))
    Y, eta = fractions([[1, 1], [0, 1]]), Fraction(1, 10)
    # when
    after = deep_linear_descent(layers, X, Y, eta, 1)
    rates = [(W - V) / eta == g for W, V, g in zip(layers, after, gradients(layers, X, Y), strict=True)]
    assert_keeps(H2=True, H3=rates)
    # then   the squared loss of W_2 W_1 moves both layers at one rate
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


@necessity("H2")
def test_without_H2_decay_of_the_upper_layer_alone_destroys_balance():
    # given  balanced layers at an interpolant, where the loss exerts no force: W_1 = W_2 = X = Y = I
    layers, decay = [fractions(np.eye(2))] * 2, Fraction(1, 3)
    slopes = gradients(layers, layers[0], layers[0])
    V = -slopes[1] - decay * layers[1]

    def penalized(W):
        return regression_loss([layers[0], W], layers[0], layers[0]) + decay / 2 * (W**2).sum()

    # given  H3: V is the negative gradient of the penalized loss, which is quadratic in W_2
    slope = (penalized(layers[1] + V) - penalized(layers[1] - V)) / 2
    assert_keeps(H1=True, H3=slope == -(V**2).sum())
    # when
    rate = imbalance_velocities(layers, [-slopes[0], V])[0][0, 0]
    # then   d(W_2'W_2)/dt = -2 lambda W_2'W_2
    assert_violates(-rate, 0, reads="-d/dt (W_2'W_2 - W_1W_1')_11 = {value} > {limit}", decay=decay)
    assert_identical(rate, -2 * decay, why="the rate at which balance is lost")


@corrected("C5")
@given(problem=deep_regressions())
def test_when_layer_l_moves_at_rate_l_the_imbalance_moves_by_the_gradient_of_the_lower_layer(problem):
    # given  layer l moves at rate l: dW_l/dt = -l g_l
    layers, X, Y = problem.exactly()
    slopes = gradients(layers, X, Y)
    # when
    rates = imbalance_velocities(layers, [-l * slope for l, slope in enumerate(slopes, 1)])  # noqa: E741
    # then   -2 sym(((l+1) - l) g_l W_l')
    predicted = [-(slope @ W.T) - (slope @ W.T).T for slope, W in zip(slopes[:-1], layers[:-1], strict=True)]
    assert_identical(entries(rates), entries(predicted), why="unequal rates move D_l")


@necessity("H3")
def test_without_H3_a_faster_upper_layer_destroys_balance():
    # given  scalars W_1 = W_2 = 1, x = 1, y = 0: g_1 = g_2 = 1, and W_2 moves twice as fast
    layers, one = [fractions([[1]])] * 2, fractions([[1]])
    slopes = gradients(layers, one, 0 * one)
    assert_keeps(H1=True, H2=True)
    # when
    rate = imbalance_velocities(layers, [-slopes[0], -2 * slopes[1]])[0][0, 0]
    # then
    assert_violates(-rate, 0, reads="-d/dt (W_2^2 - W_1^2) = {value} > {limit}", W_1=1, W_2=1, x=1, y=0)
