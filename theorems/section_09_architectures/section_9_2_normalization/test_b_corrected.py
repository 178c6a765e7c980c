r"""Section 9.2: effects of normalization (b) - how the effective rate changes along a run.

Setting     $\theta$ are the weights in front of a normalization, $g$ is the gradient of the loss in $\theta$, $\eta$
            the rate, and $\lambda$ the weight decay; $\theta' = \theta - \eta g$
Corrected   (C7) A step lengthens the weights by its own length: $\|\theta'\|^2 = \|\theta\|^2 + \eta^2 \|g\|^2$.
            (C8) A decay $1 - \eta\lambda$ is no decay at the rates $\eta(1 - \eta\lambda)^{-2t-1}$
Idea        The gradient is orthogonal to $\theta$, so that a step adds its square to $\|\theta\|^2$, and the effective
            rate $\eta/\|\theta\|^2$ falls. Weight decay scales $\theta$ down, which scales the effective rate up:
            $g(c\theta) = g(\theta)/c$
Tolerance   For the decay $\frac12$ all iterates agree bit for bit. Elsewhere a step carries the rounding of $g$, by a
            first-order analysis of the cancellation in $z - \bar z$ (`normalization.certificates`)
"""

import numpy as np
import pytest
from numpy.linalg import norm

from fixtures.precision import rounding
from fixtures.problems.batches import given_batches
from properties.certificates import assert_at_most, assert_identical
from theorems.ledger import corrected
from theorems.section_09_architectures.normalization.certificates import gradient_rounding, radial_rounding
from theorems.section_09_architectures.normalization.dynamics import descend
from theorems.section_09_architectures.normalization.model import KINDS, autograd, reference
from theorems.section_09_architectures.normalization.problems import normalized_problems


@corrected("C7")
@pytest.mark.parametrize("kind", KINDS)
@given_batches(size=100, problem=normalized_problems())
def test_a_step_lengthens_the_weights_by_exactly_its_own_length(kind, problem):
    # given  a step eta of gradient descent
    eta, (_, g) = np.reshape(problem.step, (-1, 1, 1)), autograd(kind, problem, problem.W)
    # when
    after = problem.W - eta * g
    # then   |theta'|^2 = |theta|^2 + eta^2 |g|^2, so that the effective rate eta/|theta|^2 falls
    squares = [np.square(V).sum((-2, -1)) for V in (after, problem.W, eta * g)]
    # and    sums of m p squares, and four operations
    slack = rounding(problem.W[0].size + 4, sum(squares))
    slack += 2 * eta[:, 0, 0] * radial_rounding(kind, problem, problem.W)
    assert_at_most(np.abs(squares[0] - squares[1] - squares[2]), slack, why="growth of |theta|^2", instance=problem)


@corrected("C8")
@pytest.mark.parametrize("kind", KINDS)
@given_batches(size=100, problem=normalized_problems())
def test_decay_by_half_is_a_rate_that_grows_fourfold_to_the_last_bit(kind, problem):
    def gradient(W):
        return reference(kind, problem, W).gradient

    # given  eta lambda = 1/2
    eta, steps = np.reshape(problem.step, (-1, 1, 1)) / 16, 20
    # when   decoupled weight decay, and none at the rates eta (1 - eta lambda)^(-2t-1)
    decayed = descend(gradient, problem.W, lambda _: eta, steps, decay=0.5)
    plain = descend(gradient, problem.W, lambda t: eta * 2.0 ** (2 * t + 1), steps)
    # then   theta_t = 2^-t times the other, every iterate
    assert_identical(2.0 ** np.arange(steps + 1)[:, None, None, None] * decayed, plain, why="decay as a schedule")


@corrected("C8")
@pytest.mark.parametrize("kind", KINDS)
@given_batches(size=100, problem=normalized_problems())
def test_any_decay_is_a_growing_rate(kind, problem):
    # given  a factor alpha = 1 - eta lambda that is no power of two, and step t of a run
    alpha, t = 0.9, np.abs(problem.k)[:, None, None]
    eta, W, W_plain = np.reshape(problem.step, (-1, 1, 1)), problem.W, problem.W / alpha**t
    # when   one step of either run
    g, g_plain = (autograd(kind, problem, at)[1] for at in (W, W_plain))
    decayed, plain = alpha * W - eta * g, W_plain - eta * alpha ** (-2 * t - 1.0) * g_plain
    # then   theta_{t+1} = alpha^{t+1} times the other: three operations and three powers of two, on either side
    dg = gradient_rounding(kind, problem, W)[1]
    slack = rounding(2 * 3 + 3 * 2, norm(W, axis=(-2, -1)) + norm(eta * g, axis=(-2, -1))) + 4 * eta[:, 0, 0] * dg
    error = norm(decayed - alpha ** (t + 1) * plain, axis=(-2, -1))
    assert_at_most(error, slack, why="one step of decay as a schedule", instance=problem)
