r"""Section 9.2: effects of normalization (b) - gradient rescaling.

Printed     Normalization modifies the effective learning rates, layer by layer (item 2)
Reading     The norm of a layer decides the rate at which its direction moves: a step $\eta$ at $c\theta$ turns it as a
            step $\eta/c^2$ at $\theta$ does, with $\epsilon/c^2$ for $\epsilon$ if there is one
Idea        Differentiating $L(c\theta) = L(\theta)$ in $\theta$ gives $g(c\theta) = g(\theta)/c$. A step $\eta g$ at
            $c\theta$ is therefore $c$ times the step $\eta/c^2$ at $\theta$
Tolerance   Scaling by powers of two is exact in floating point, also within torch's kernels: gradients and whole
            trajectories are compared bit for bit. Elsewhere the bound is a first-order analysis of the cancellation in
            $z - \bar z$ (`normalization.certificates`)
Findings    The statement of the reading does not need $\epsilon = 0$: the gradient at $c\theta$ is that of
            $\epsilon/c^2$ at $\theta$, over $c$. With $\epsilon = 0$ a run at another scale is the same run at another
            rate; with an $\epsilon$ it is a run with $\epsilon/c^2$
Expected    holds
"""

import numpy as np
import pytest
from numpy.linalg import norm

from fixtures.problems.batches import given_batches
from properties.certificates import assert_at_most, assert_identical
from theorems.ledger import as_printed
from theorems.section_09_architectures.normalization.certificates import gradient_rounding
from theorems.section_09_architectures.normalization.dynamics import descend
from theorems.section_09_architectures.normalization.model import (
    KINDS,
    autograd,
    invariant_groups,
    normalized_stack,
    reference,
)
from theorems.section_09_architectures.normalization.problems import normalized_problems
from theorems.section_09_architectures.section_9_2_normalization.scaled_weights import scale_factor


@as_printed
@pytest.mark.parametrize("kind", ["batch", "layer"])
@pytest.mark.parametrize("eps", [1e-5, 0.1])
@given_batches(size=100, problem=normalized_problems())
def test_at_any_eps_weights_of_half_the_length_are_turned_at_four_times_the_rate(kind, eps, problem):
    # when   a step eta of gradient descent through torch's own layers at W/2, and 4 eta with 4 eps at W
    eta = np.reshape(problem.step, (-1, 1, 1))
    small = problem.W / 2 - eta * autograd(kind, problem, problem.W / 2, eps)[1]
    large = problem.W - 4 * eta * autograd(kind, problem, problem.W, 4 * eps)[1]
    # then   the same direction, bit for bit
    assert_identical(2 * small, large, why="theta/2 - eta g_eps(theta/2)")


@as_printed
@pytest.mark.parametrize("kind", KINDS)
@given_batches(size=100, problem=normalized_problems())
def test_the_gradient_of_torch_is_pulled_back_through_the_standard_deviation(kind, problem):
    # when   autograd through torch's layers, and dL/dz = (u - mean u - zhat mean(zhat u))/s with u = dL/dzhat
    losses, g = autograd(kind, problem, problem.W)
    at = reference(kind, problem, problem.W)
    # then   both computations round
    loss, gradient = gradient_rounding(kind, problem, problem.W)
    assert_at_most(np.abs(losses - at.loss), 2 * loss, why="loss", instance=problem)
    assert_at_most(norm(g - at.gradient, axis=(-2, -1)), 2 * gradient, why="gradient", instance=problem)


@as_printed
@pytest.mark.parametrize("kind", KINDS)
@given_batches(size=100, problem=normalized_problems())
def test_the_gradient_of_a_layer_is_inverse_to_its_scale_to_the_last_bit(kind, problem):
    # when   torch's own layers
    here, there = (autograd(kind, problem, c * problem.W)[1] for c in (1, scale_factor(problem)))
    # then
    assert_identical(scale_factor(problem) * there, here, why="g(c theta) = g(theta)/c")


@as_printed
@pytest.mark.parametrize("kind", KINDS)
@given_batches(size=100, problem=normalized_problems())
def test_a_run_at_another_scale_is_the_same_run_at_another_rate_to_the_last_bit(kind, problem):
    # given  the rates eta and c^2 eta
    c, eta = scale_factor(problem), np.reshape(problem.step, (-1, 1, 1))
    # when   50 steps of gradient descent
    runs = [
        descend(lambda W: reference(kind, problem, W).gradient, scale * problem.W, lambda _, s=scale: s**2 * eta, 50)
        for scale in (1, c)
    ]
    # then
    assert_identical(c * runs[0], runs[1], why="GD(c theta, c^2 eta) = c GD(theta, eta), every iterate")


def trained(kind, powers, steps=50):
    """Train a network with two normalized layers by torch.optim.SGD, and return the run as one vector.

    Layer l starts at 2^powers[l] times its weights, and has the rate 4^powers[l] eta. The rest of the network has eta.
    The vector holds the loss before every step, the parameters of the normalized layers divided by their scales, and
    all other parameters.
    """
    import torch

    stack, rng = normalized_stack(kind, seed=92), np.random.default_rng(92)
    X, y = torch.as_tensor(rng.standard_normal((8, 3))), torch.as_tensor(rng.standard_normal((8, 1)))
    scaled = [
        (theta, 2.0**power) for group, power in zip(invariant_groups(stack), powers, strict=True) for theta in group
    ]
    rest = [theta for theta in stack.parameters() if all(theta is not other for other, _ in scaled)]
    for theta, c in scaled:
        theta.data *= c
    groups = [{"params": [theta], "lr": 0.05 * c**2} for theta, c in scaled]
    optimizer = torch.optim.SGD([*groups, {"params": rest}], lr=0.05)
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = (stack(X) - y).square().mean()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    ends = [theta.detach() / c for theta, c in scaled] + [theta.detach() for theta in rest]
    return np.concatenate([losses, *[end.numpy().ravel() for end in ends]])


@as_printed
@pytest.mark.parametrize("kind", KINDS)
def test_in_a_network_every_layer_has_a_rate_of_its_own_over_the_square_of_its_scale(kind):
    # given  two normalized layers, scaled by 2^8 and 2^-5, under torch.optim.SGD
    # when   50 steps at the rates 4^8 eta and 4^-5 eta; the rest of the network keeps eta
    plain, scaled = trained(kind, (0, 0)), trained(kind, (8, -5))
    # then   every loss, both layers up to their scale, and the rest of the network
    assert_identical(plain, scaled, why="a rate for each layer")
