r"""Section 9.2: effects of normalization (a) - with the eps of torch's layers the loss depends on the scale.

Readings    [with eps] features are divided by $\sqrt{s^2 + \epsilon}$, as the layers of torch do it - refuted
Setting     $\theta$ are the weights in front of a normalization, $g$ is the gradient of the loss in $\theta$, and
            $L_\epsilon$ the loss with this $\epsilon$
Corrected   (C1) With an $\epsilon$, for batch and layer normalization,
            $L_\epsilon(c\theta) = L_{\epsilon/c^2}(\theta)$.
            (C2) With an $\epsilon$, $\langle \theta, g\rangle = \sum \frac\epsilon{s^2 + \epsilon} \hat z\, \partial
            L/\partial \hat z$, over samples and neurons.
            (C3) With an $\epsilon$, $\hat z$ grows by $\sqrt{(s^2 + \epsilon)/(s^2 + \epsilon/c^2)}$ from $\theta$ to
            $c\theta$
Idea        The normalized feature $\hat z$ is $(z - \bar z)/\sqrt{s^2 + \epsilon}$. A factor $c$ of $z$ turns
            $\epsilon$ into $\epsilon/c^2$ and changes nothing else
Tolerance   C1 is bit for bit for $c = \frac12$. C2 and C3 carry a first-order analysis of the cancellation in
            $z - \bar z$ (`normalization.certificates`). Losses of one neuron are rational
"""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import strategies as st

from fixtures.precision import rounding
from fixtures.problems.batches import given_batches
from properties.certificates import assert_at_most, assert_equal_within, assert_identical, assert_violates
from properties.search import smallest_violation
from theorems.ledger import corrected, counterexample
from theorems.section_09_architectures.normalization.certificates import feature_rounding, radial_rounding
from theorems.section_09_architectures.normalization.model import autograd, reference, torch_hidden
from theorems.section_09_architectures.normalization.problems import normalized_problems
from theorems.section_09_architectures.section_9_2_normalization.scaled_weights import loss_of_one_neuron, scale_factor

DEFAULT_EPS = Fraction(1, 100_000)
"""That of torch's layers."""


@counterexample(reading="with eps")
def test_at_the_default_eps_twice_the_weight_has_a_larger_loss():
    r"""One weight, inputs $\pm 1$, targets 0, $\epsilon = 10^{-5}$: $\hat z^2 = w^2/(w^2 + \epsilon)$, $L = \frac12
    \hat z^2$. At $w = \frac1{64}$ the loss is $\frac{3125}{6506} \approx 0.480$, at $2w$ it is $\frac{3125}{6314}
    \approx 0.495$, where the print has the same."""
    import torch

    # given  the loss of the torch layer at w = 1/64 and w = 1/32, of ten operations
    layer = torch.nn.BatchNorm1d(1, affine=False, dtype=torch.float64)
    small, large = (loss_of_one_neuron(Fraction(w, 64), DEFAULT_EPS) for w in (1, 2))
    found = [float(layer(torch.tensor([[w], [-w]], dtype=torch.float64)).square().mean() / 2) for w in (1 / 64, 1 / 32)]
    assert_equal_within(found, [float(small), float(large)], rounding(10), why="torch's loss")
    # then
    assert_violates(large, small, reads="loss {value} at 2w > {limit} at w", x=[1, -1], y=0, w="1/64", eps=DEFAULT_EPS)


@counterexample(reading="with eps")
def test_hypothesis_finds_an_eps_with_which_the_loss_depends_on_the_scale():
    # given  the weights 1 and c, and some eps
    def losses(instance):
        return [loss_of_one_neuron(Fraction(scale), Fraction(1, instance[1])) for scale in (instance[0], 1)]

    found = smallest_violation(st.tuples(st.integers(1, 8), st.integers(1, 10**6)), lambda i: np.ptp(losses(i)) > 0)
    assert_violates(*losses(found), reads="loss {value} at cw > {limit} at w", c=found[0], eps=f"1/{found[1]}")


@corrected("C1")
@pytest.mark.parametrize("kind", ["batch", "layer"])
@pytest.mark.parametrize("eps", [1e-5, 0.1])
@given_batches(size=100, problem=normalized_problems())
def test_with_eps_the_invariance_is_of_theta_and_eps_together(kind, eps, problem):
    # when   c = 1/2 for the whole batch, so that one layer has one eps
    small, large = autograd(kind, problem, problem.W / 2, eps)[0], autograd(kind, problem, problem.W, 4 * eps)[0]
    # then   bit for bit
    assert_identical(small, large, why="L_eps(c theta) = L_{eps/c^2}(theta)")


@corrected("C2")
@pytest.mark.parametrize("kind", ["batch", "layer"])
@pytest.mark.parametrize("eps", [1e-5, 0.1])
@given_batches(size=100, problem=normalized_problems())
def test_with_eps_the_gradient_leans_outwards_or_inwards_by_exactly_eps_over_the_variance(kind, eps, problem):
    # when
    _, g = autograd(kind, problem, problem.W, eps)
    # then
    at = reference(kind, problem, problem.W, eps)
    predicted = (eps / at.s**2 * at.zhat * at.upstream).sum((-2, -1))
    error = np.abs((g * problem.W).sum((-2, -1)) - predicted)
    assert_at_most(error, radial_rounding(kind, problem, problem.W, eps), why="<theta, g>", instance=problem)


@corrected("C3")
@pytest.mark.parametrize("kind", ["batch", "layer"])
@given_batches(size=100, problem=normalized_problems())
def test_with_eps_the_features_grow_with_the_scale_by_a_known_factor(kind, problem):
    import torch

    eps, c = 1e-5, scale_factor(problem)
    # when   torch's layer at theta and at c theta
    here, there = (torch_hidden(kind, problem, torch.tensor(W), eps).numpy() for W in (problem.W, c * problem.W))
    # then   up to the cancellation in both
    s = reference(kind, problem, problem.W).s
    growth = np.sqrt((s**2 + eps) / (s**2 + eps / c**2))
    E, scaled = (feature_rounding(kind, problem, W, eps) for W in (problem.W, c * problem.W))
    bound = scaled + 2 * growth.max((-2, -1)) * E
    assert_at_most(np.abs(there - growth * here).max((-2, -1)), bound, why="zhat(c theta)", instance=problem)
