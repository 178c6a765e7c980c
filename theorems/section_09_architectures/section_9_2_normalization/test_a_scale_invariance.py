r"""Section 9.2: effects of normalization (a) - scale invariance.

Printed     $L(c\theta) = L(\theta)$ for $c > 0$: normalization makes the loss invariant to the scale of the parameters
            (item 1)
Reading     The parameters are those that a normalization acts on. They stand in front of it, and it takes them
            together: a neuron, or for layer normalization the layer. The print states no $\epsilon$, so that features
            are divided by their standard deviation $s$, and are not defined where $s = 0$. The losses of Section 2.1
            have no penalty
Readings    [all parameters] "parameter scale" is that of all parameters, also of those behind the normalization -
            refuted
Setting     $\theta$ are the weights in front of a normalization, $z = XW^\top$ is what they compute, and $s$ is the
            standard deviation of $z$. $g$ is the gradient of the loss in $\theta$
Corrected   (C4) Layer normalization is not invariant to the scale of a single neuron. It is invariant to a vector that
            is added to the weights of all neurons.
            (C5) A penalty $\frac12 w^2$ adds $\frac12 (c^2 - 1) w^2$ to the loss at $cw$.
            (C6) For a constant feature, $s = 0$, `torch.nn.BatchNorm1d` with an $\epsilon$ below its rounding returns
            what the rounding of its mean leaves: 1 in modulus for three times 0.1, and 0 for three times 1; `LayerNorm`
            with $\epsilon = 0$ returns NaN
Idea        The loss depends on $z$ through $z/s$, and $c$ cancels. Differentiating $L(c\theta) = L(\theta)$ in $c$
            gives $\langle g, \theta\rangle = 0$
Tolerance   Scaling by powers of two is exact in floating point, also within torch's kernels, so that losses are
            compared bit for bit. Elsewhere the bound is a first-order analysis of the cancellation in $z - \bar z$
            (`normalization.certificates`). Counterexamples are rational
Findings    In torch 2.13 `BatchNorm1d` refuses $\epsilon = 0$ in training (`LayerNorm` takes it); an $\epsilon$ below
            $u s^2/2$, $u$ the unit roundoff, is rounded away
Expected    holds
"""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.linalg import norm

from fixtures.precision import rounding
from fixtures.problems.batches import given_batches
from properties.certificates import assert_at_most, assert_identical, assert_violates
from properties.search import smallest_violation
from theorems.ledger import as_printed, corrected, counterexample
from theorems.section_09_architectures.normalization.certificates import gradient_rounding, radial_rounding
from theorems.section_09_architectures.normalization.model import ABSORBED, KINDS, autograd, reference, standardize
from theorems.section_09_architectures.normalization.problems import normalized_problems
from theorems.section_09_architectures.section_9_2_normalization.scaled_weights import loss_of_one_neuron, scale_factor


@as_printed
@pytest.mark.parametrize("kind", KINDS)
@given_batches(size=100, problem=normalized_problems())
def test_scaled_by_a_power_of_two_the_loss_is_the_same_to_the_last_bit(kind, problem):
    # when   torch's own layers
    losses = [autograd(kind, problem, c * problem.W)[0] for c in (1, scale_factor(problem))]
    # then
    assert_identical(*losses, why="L(c theta) = L(theta)")


@as_printed
@pytest.mark.parametrize("kind", KINDS)
@given_batches(size=100, problem=normalized_problems())
def test_the_gradient_is_orthogonal_to_what_may_be_scaled(kind, problem):
    # when
    _, g = autograd(kind, problem, problem.W)
    # then   neuron by neuron, and for layer normalization of the layer; the bound grows as (max|z|/s)^2
    radial = (g * problem.W).sum(-1)
    error = np.abs(radial.sum(-1) if kind == "layer" else radial.T).T
    bound = radial_rounding(kind, problem, problem.W)
    assert_at_most(error.reshape(len(bound), -1).max(-1), bound, why="<g, theta> = 0", instance=problem)


@counterexample(reading="all parameters")
def test_twice_the_weight_and_twice_the_output_weight_have_four_times_the_loss():
    r"""One neuron, inputs $\pm 1$, targets 0, $f = a \hat z$: $\hat z = \pm 1$ for every weight $w > 0$, and $L =
    \frac12 a^2$. So $\theta = (w, a) = (1, 1)$ has the loss $\frac12$, and $2\theta$ has 2, where the print has the
    same."""
    before, after = (loss_of_one_neuron(Fraction(c), 0, output=c) for c in (1, 2))
    assert_violates(after, before, reads="loss {value} at 2 theta > {limit} at theta", x=[1, -1], y=0, theta=[1, 1])


@counterexample(reading="all parameters")
def test_hypothesis_finds_parameters_whose_common_scale_changes_the_loss():
    def losses(instance):
        c, output = instance
        return [loss_of_one_neuron(Fraction(scale), 0, output=scale * output) for scale in (c, 1)]

    found = smallest_violation(st.tuples(st.integers(1, 8), st.integers(-8, 8)), lambda i: np.greater(*losses(i)))
    assert_violates(*losses(found), reads="loss {value} at c theta > {limit}", c=found[0], output=found[1])


@corrected("C4")
@given_batches(size=100, problem=normalized_problems())
def test_layer_normalization_is_invariant_to_a_shift_of_all_neurons(problem):
    # when   c is added to every row of W
    W, shifted = problem.W, problem.W + problem.shift[:, None, :]
    (before, g), (after, _) = (autograd("layer", problem, at) for at in (W, shifted))
    # then   the loss stays, but for the rounding of W + 1c', and the columns of g sum to zero
    (first, dg), (second, _) = (gradient_rounding("layer", problem, at) for at in (W, shifted))
    moved = rounding(1, norm(problem.X, axis=-1).max(-1) * norm(shifted, axis=(-2, -1)))
    A = np.abs(problem.a).sum(-1)
    carried = (A + np.abs(problem.y).max(-1)) * A * 6 * moved / reference("layer", problem, W).s.min((-2, -1))
    assert_at_most(np.abs(after - before), first + second + carried, why="L(W + 1c')", instance=problem)
    assert_at_most(norm(g.sum(1), axis=-1), 2 * dg, why="columns of g sum to zero", instance=problem)


@corrected("C4")
def test_layer_normalization_is_not_invariant_to_the_scale_of_a_single_neuron():
    # given  two neurons with the values 1 and 2, and the first of them tripled
    before, after = (standardize(np.array([first, 2.0]), -1)[0] for first in (1.0, 3.0))
    # then   the features change their signs
    assert_identical([before, after], [[-1, 1], [1, -1]], why="features of both neurons")


@corrected("C5")
@given(st.integers(2, 1000), st.integers(1, 1000))
def test_an_L2_term_is_not_scale_invariant(c, w):
    # given  the penalty (1/2) w^2, and eps = 0
    after, before = (loss_of_one_neuron(Fraction(at), 0, penalty=1) for at in (c * w, w))
    assert_identical(after - before, Fraction((c * c - 1) * w * w, 2), why="L(cw) - L(w)")


@corrected("C6")
def test_a_constant_feature_is_normalized_to_its_own_rounding():
    import torch

    # given  a constant feature, at two scales, in floating point
    batch = torch.nn.BatchNorm1d(2, eps=ABSORBED, affine=False, dtype=torch.float64)
    layer = torch.nn.LayerNorm(3, eps=0, elementwise_affine=False, dtype=torch.float64)
    features = torch.tensor([[0.1, 1.0]] * 3, dtype=torch.float64)
    # then   0/0 in exact arithmetic; here the size of a full signal at one scale, and zero at the other
    assert_identical(batch(features).abs(), [[1, 0]] * 3, why="|zhat| of 0.1, 0.1, 0.1 and of 1, 1, 1")
    assert_identical(layer(features.T).isnan().sum(), 6, why="no number at all")
