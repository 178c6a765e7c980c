r"""Section 4.2: integral along the path (b) - the sum of the squared norms is the nuclear norm.

Printed     for the end-to-end matrix the integral of the Frobenius norm of the layers becomes the nuclear norm
Setting     $f(x) = W_L \cdots W_1 x$, balanced layers, loss $\frac12 \|WX - Y\|_F^2$; $g_\ell$ its gradient in
            $W_\ell$; for $X = I$ and a diagonal target with the entries $\lambda_j$ all layers are
            $\operatorname{diag}(v)$ for ever, and $\dot v_j = -(v_j^L - \lambda_j) v_j^{L-1}$.
Reading     $\sum_\ell \|W_\ell\|_F^2$ is the nuclear norm of $W$, up to a constant factor, all along the flow. This sum
            of squares is what the printed integral contains.
Hypotheses  (H1) depth two.
Corrected   (C3) At every depth, for balanced layers of any widths, $\sum_\ell \|W_\ell\|_F^2 = L \sum_r s_r^{2/L}$ with
            the singular values $s_r$ of $W$. This is $L$ times a power of a Schatten quasi-norm, and concave in $s$ at
            $L > 2$.
Idea        Balanced layers all have the singular values $s_r^{1/L}$. At depth two their squares sum to $\sum_r s_r$ for
            each layer.
Tolerance   Along the flow, the integrator's error times the derivative of the norms. Counterexamples are rational.
Expected    holds under added hypotheses
"""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import strategies as st
from numpy.linalg import norm

from fixtures.dynamics.deep_linear import end_to_end, layer_flow, regression_gradient
from fixtures.precision import factorization, rounding
from fixtures.problems.batches import given_batches
from fixtures.problems.deep_linear import deep_regressions, spectral_networks
from fixtures.problems.expectations import expecting
from fixtures.rational import fractions
from properties.certificates import assert_at_most, assert_violates
from properties.deep_linear import frobenius
from properties.search import smallest_violation
from properties.spectra.nuclear_norm import nuclear_norm
from theorems.ledger import corrected, counterexample, necessity, under_hypotheses
from theorems.section_04_deep_linear_networks.section_4_2_integral_along_the_path.shortest_paths import squares


@counterexample
def test_the_squares_of_three_balanced_layers_are_no_multiple_of_the_nuclear_norm():
    r"""Three layers $\operatorname{diag}(1, b)$: the squares add up to $3 (1 + b^2)$, and
    $W = \operatorname{diag}(1, b^3)$ has the nuclear norm $1 + b^3$. At $b = 1$ the factor between them is
    $\frac62 = 3$. At $b = \frac12$ the squares are $\frac{15}{4}$, and $3 \cdot \frac98 = \frac{27}{8}$ is less."""
    one, other = (fractions([[1, 0], [0, b]]) for b in (1, Fraction(1, 2)))
    factor = squares([one] * 3) / np.trace(end_to_end([one] * 3))
    # then
    limit = factor * np.trace(end_to_end([other] * 3))
    reads = "sum of squares {value} > {limit} = 3 |W|_*, which holds at W = I"
    assert_violates(squares([other] * 3), limit, reads=reads, L=3, W="diag(1, 1/8)")


@counterexample
def test_a_search_finds_balanced_layers_whose_squares_exceed_depth_times_the_nuclear_norm():
    def excess(instance):
        L, k = instance
        W = fractions([[1, 0], [0, Fraction(1, k)]])
        return squares([W] * L) - L * np.trace(end_to_end([W] * L))

    found = smallest_violation(
        st.tuples(st.integers(1, 5), st.integers(1, 5)), lambda pair: excess(pair) > 0, budget=60
    )
    assert_violates(excess(found), 0, reads="sum of squares less L |W|_* {value} > {limit}", L=found[0], k=found[1])


@under_hypotheses("H1")
@given_batches(problem=expecting(deep_regressions(depth=2, width=3, bound=1), constant="widths"))
def test_along_the_flow_of_two_layers_the_squares_are_twice_the_nuclear_norm(problem):
    # given  the printed start alpha I, and any data
    layers = [0.8 * np.eye(3) + 0 * W for W in problem.layers]
    # when
    run = layer_flow(layers, regression_gradient(problem.X, problem.Y), np.array([0.05, 0.3, 1.0]))
    # then   an error e of the layers moves each square by 2|W_l|e, and |W|_* by sqrt(3) (|W_1| + |W_2|) e. Two sums of
    #        nine squares round, and a product of three terms and its spectrum
    difference = np.abs(squares(run.layers) - 2 * nuclear_norm(end_to_end(run.layers))).max(-1)
    largest = np.max([frobenius(W).max(-1) for W in run.layers], axis=0)
    slack = rounding(18 + 2 * (3 + 3 * factorization(3, 3)), largest**2)
    bound = (4 + 4 * np.sqrt(3)) * largest * run.error + slack
    assert_at_most(difference, bound, why="|W_1|^2 + |W_2|^2 - 2 |W|_* along the flow")


@corrected("C3")
@pytest.mark.parametrize("L", [2, 3, 5])
@given_batches(network=spectral_networks())
def test_balanced_layers_have_a_schatten_quasi_norm_as_the_sum_of_their_squares(L, network):
    layers = network.layers(L)
    # when   singular values of the product by LAPACK, those of the padding and beyond the rank left out
    s = np.linalg.svd(end_to_end(layers), compute_uv=False)[:, : network.start.shape[-1]]
    powers = np.where(np.sort(network.start)[:, ::-1] > 0, s, 0) ** (2 / L)
    # then   s is at least 1/8: a rounding of s changes s^(2/L) by 16 times that. The layers are two products with
    #        frames of three reflections; their product is decomposed, and two powers enter with the factor L
    D = network.frames.shape[-2]
    bound = 2 * L * rounding(16 * (L * (2 + 3 * 4 + D) + factorization(D, D)))
    difference = np.abs(squares(layers) - L * powers.sum(-1))
    assert_at_most(difference, bound, why="sum of squares against L sum s^(2/L)", instance=network)


@necessity("H1")
def test_without_H1_the_ratio_of_the_squares_to_the_nuclear_norm_changes_along_the_flow():
    # given  three layers I/2, X = I, Y = diag(1, 0): 3/2 over 1/4 at the start
    run = layer_flow([np.eye(2) / 2] * 3, lambda W: W - np.diag([1.0, 0.0]), np.array([0.0, 4.0]))
    ratio = squares(run.layers) / nuclear_norm(end_to_end(run.layers))
    # then   an error of the layers moves the ratio by a hundredfold at most, as |W|_* > 1/2 and the squares are below 6
    assert_at_most(1 / 2, norm(end_to_end(run.layers)[-1], 2), why="|W| at the end")
    slack = 100 * run.error.max()
    assert_violates(ratio[0], 5, slack=slack, reads="ratio {value} at the start > {limit}", L=3)
    assert_at_most(ratio[1], 4, why="ratio at time 4")
