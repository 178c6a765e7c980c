r"""Proposition 4.3 - what one more neuron, or one more copy, does to the conditioning.

Readings    [pathwise] every added neuron improves the conditioning, whatever its weights: "wider layers" without a word
            about chance - refuted
Setting     Two layers, $f(x) = a^\top W x$; $K$ is the Gram matrix of the gradients of $f$ at the samples.
Corrected   (C1) With two layers and $f/\sqrt{m}$ in place of $f$, a network in which every neuron is doubled has the
            $K$ of the network before, for any weights and data: then width alone changes no rate.
Idea        $K$ is a sum over neurons, plus $\|a\|^2 X^\top X$. One long neuron dominates the sum in one direction, so
            $\operatorname{cond} K$ rises. Two copies of every neuron double the sum, which the factor $1/m$ takes back.
Tolerance   Exact, and for drawn networks the rounding of $K$.
Findings    Read pathwise the print is false: one more neuron can raise $\operatorname{cond} K$ from 1 to
            $\frac{13}{4}$.
"""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.linalg import norm

from fixtures.problems.deep_linear import wide_networks
from fixtures.problems.expectations import expecting
from fixtures.rational import fractions
from properties.certificates import assert_at_most, assert_identical, assert_violates
from properties.search import smallest_violation
from theorems.ledger import corrected, counterexample
from theorems.section_04_deep_linear_networks.deep_products.conditioning import tangent_gram, tangent_rounding
from theorems.section_04_deep_linear_networks.proposition_4_3_width.networks import two_layers


def squared_trace_over_determinant(gram):
    """(lambda_1 + lambda_2)^2/(lambda_1 lambda_2) of a rational (2, 2) matrix; it increases in the condition number."""
    determinant = gram[0, 0] * gram[1, 1] - gram[0, 1] * gram[1, 0]
    return np.trace(gram) ** 2 / determinant if determinant else None


@counterexample(reading="pathwise")
def test_one_more_neuron_can_spoil_perfect_conditioning():
    r"""$X = I$, $W_1 = I$, $W_2 = (1, 1)$: $K = W_1^\top W_1 + \|W_2\|^2 I = 3I$, with condition number 1. One more
    neuron $(3, 0)$ of output weight 1 makes it $\operatorname{diag}(1 + 9, 1) + 3I = \operatorname{diag}(13, 4)$, with
    condition number $\frac{13}{4} > 1$."""
    X = fractions(np.eye(2, dtype=int))
    narrow, wide = (tangent_gram(two_layers(rows), X) for rows in ([[1, 0], [0, 1]], [[1, 0], [0, 1], [3, 0]]))
    # then
    assert_identical([narrow[0, 1], wide[0, 1], narrow[0, 0]], [0, 0, narrow[1, 1]], why="diagonal Gram matrices")
    condition = wide[0, 0] / wide[1, 1]
    assert_violates(condition, 1, reads="cond K {value} > {limit} without the neuron", X="I", W_1="I", neuron=[3, 0])


@counterexample(reading="pathwise")
def test_one_more_random_feature_can_spoil_perfect_conditioning():
    # given  only the output layer is trained, so that K = W_1'W_1 at X = I
    W = fractions([[1, 0], [0, 1], [3, 0]])
    gram = W.T @ W
    # then
    assert_violates(gram[0, 0] / gram[1, 1], 1, reads="cond W_1'W_1 {value} > {limit}", W_1="I", neuron=[3, 0])


@counterexample(reading="pathwise")
def test_hypothesis_finds_a_neuron_that_worsens_the_conditioning():
    # given  two neurons and a third one, of small integers; output weights 1, X = I
    neuron, X = st.tuples(st.integers(-3, 3), st.integers(-3, 3)), fractions(np.eye(2, dtype=int))

    def spread(neurons):
        return squared_trace_over_determinant(tangent_gram(two_layers(neurons), X))

    # when
    found = smallest_violation(st.lists(neuron, min_size=3, max_size=3), lambda rows: spread(rows) > spread(rows[:2]))
    # then   (cond + 1)^2/cond is larger with the third neuron
    names = {"neurons": found[:2], "new": found[2]}
    assert_violates(spread(found), spread(found[:2]), reads="tr^2/det {value} > {limit} before", **names)


@corrected("C1")
@given(network=expecting(wide_networks(((2,), (3,), (16,))), single="hidden"))
def test_neurons_that_are_doubled_change_nothing_in_ntk_scaling(network):
    # given  a network, and the same with every neuron twice; f is divided by the square root of the width
    W, a = network.layers()
    widths = len(W), 2 * len(W)
    # when
    narrow = tangent_gram([W, a], network.X / np.sqrt(widths[0]))
    wide = tangent_gram([np.tile(W, (2, 1)), np.tile(a, 2)], network.X / np.sqrt(widths[1]))
    # then   both have the same K, so the same contraction at the same step
    rounding = 4 * tangent_rounding([W, a], network.X / np.sqrt(widths[0]))
    assert_at_most(norm(wide - narrow), rounding, why="K of the doubled network", instance=network)
