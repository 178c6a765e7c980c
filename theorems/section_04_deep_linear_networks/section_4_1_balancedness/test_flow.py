r"""Section 4.1: balancedness - gradient flow conserves the imbalance of adjacent layers.

Printed     Balanced initialization, of which $W_\ell(0) = \alpha I$ is one, together with gradient flow or gradient
            descent at a small learning rate
Setting     $f(x) = W_L \cdots W_1 x$ with any widths; loss $\mathcal{L} = \frac12 \|WX - Y\|_F^2$, a sum over samples;
            $g_\ell = \partial \mathcal{L} / \partial W_\ell$, $G = \partial \mathcal{L} / \partial W$;
            $D_\ell = W_{\ell+1}^\top W_{\ell+1} - W_\ell W_\ell^\top$.
Reading     Balanced means $D_\ell = 0$ for $\ell = 1, \dots, L-1$.
            The proof sketch uses it as a property of the whole trajectory of gradient flow, which is the limit of a
            small learning rate: the flow conserves every $D_\ell$. There are two differences of adjacent Gram matrices,
            and the flow conserves this one.
Hypotheses  (H1) continuous time.
            (H2) the loss depends on the layers through their product alone: no weight decay.
            (H3) plain gradient steps: every layer moves at the same rate.
Idea        $W_{\ell+1}^\top g_{\ell+1} = g_\ell W_\ell^\top$, since both are $(W_L \cdots W_{\ell+1})^\top G
            (W_\ell \cdots W_1)^\top$. So $\dot D_\ell = 0$.
Tolerance   Identities are checked in rational arithmetic, where they are exact. Along a run the slack is the
            integrator's error times $2\|W\|$ for each layer.
Findings    The other difference, $W_1^\top W_1 - W_2 W_2^\top$, moves along the flow even from layers that are balanced
            in both senses, $W_1 = I$ and $W_2 = \operatorname{diag}(1, -1)$.
Expected    holds
"""

import numpy as np
from hypothesis import given
from numpy.linalg import svd

from fixtures.dynamics.deep_linear import end_to_end, gradients, layer_flow, regression_gradient
from fixtures.precision import factorization, rounding
from fixtures.problems.batches import given_batches
from fixtures.problems.deep_linear import deep_regressions
from fixtures.problems.expectations import expecting
from fixtures.rational import fractions
from properties.certificates import assert_at_most, assert_identical, assert_violates
from properties.deep_linear import frobenius
from theorems.ledger import as_printed, observed
from theorems.section_04_deep_linear_networks.deep_products.balance import imbalance_velocities, imbalances
from theorems.section_04_deep_linear_networks.section_4_1_balancedness.layer_lists import SCALE, entries, norms_of_pairs


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
    # then   dD_l/dt = 0 for every l, exactly: H1, H2, H3
    rates = entries(imbalance_velocities(layers, velocities))
    assert_identical(rates, 0 * rates, why="D_l is conserved by gradient flow")


@as_printed
@given_batches(problem=deep_regressions(depth=3, bound=1))
def test_along_the_flow_the_imbalance_keeps_its_initial_value(problem):
    # given  an unbalanced start, and three times; the first is early
    layers = [SCALE * W for W in problem.layers]
    # when
    run, largest = flow_of(problem, layers, np.array([0.05, 0.2, 0.6]))
    # then   |W|^2 moves by at most 2|W||dW|, and two layers enter
    moved = [now - start for now, start in zip(imbalances(run.layers), imbalances(layers), strict=True)]
    assert_at_most(norms_of_pairs(moved).max((-2, -1)), 4 * largest * run.error, why="drift of D_l along the flow")


@as_printed
@given_batches(problem=expecting(deep_regressions(depth=4, width=3, bound=1), constant="widths"))
def test_from_a_multiple_of_the_identity_all_layers_share_their_singular_values_on_the_way(problem):
    # given  the printed start W_l(0) = alpha I
    layers = [0.8 * np.eye(3) + 0 * W for W in problem.layers]
    # when
    run, largest = flow_of(problem, layers, np.array([0.05, 0.2, 0.6]))
    # then   sigma(W_l)^L = sigma(W_L ... W_1), by Weyl up to L |W|^(L-1) times the error, on either side. Rounding: the
    #        fourth power of a decomposition, and one decomposition of a product of four
    shared = svd(end_to_end(run.layers), compute_uv=False)
    difference = np.max([np.abs(svd(W, compute_uv=False) ** 4 - shared).max((-2, -1)) for W in run.layers], axis=0)
    slack = rounding(5 * factorization(3, 3) + 4 * 3, largest**4)
    assert_at_most(difference, 8 * largest**3 * run.error + slack, why="singular values of every layer")


@observed
def test_the_transposed_difference_moves_although_the_layers_are_balanced():
    # given  W_1 = I, W_2 = diag(1, -1), balanced in both senses; X = I, Y = E_12
    layers = [fractions(np.eye(2)), fractions(np.diag([1, -1]))]
    X, Y = fractions(np.eye(2)), fractions([[0, 1], [0, 0]])
    # when   along the flow d/dt (W_1'W_1 - W_2W_2') = 2 sym(W_1'V_1 - V_2W_2') at the velocities V_l
    velocities = [-slope for slope in gradients(layers, X, Y)]
    half = layers[0].T @ velocities[0] - velocities[1] @ layers[1].T
    rate = (half + half.T)[0, 1]
    # then   it moves, and D_1 = W_2'W_2 - W_1W_1' does not
    assert_violates(rate, 0, reads="d/dt (W_1'W_1 - W_2W_2')_12 = {value} > {limit}", W_1=layers[0], W_2=layers[1])
    still = entries(imbalance_velocities(layers, velocities))
    assert_identical(still, 0 * still, why="d/dt (W_2'W_2 - W_1W_1')")
