r"""Section 9.2: effects of normalization (c) - sharpness is inverse to the square of the length of the weights.

Setting     $\theta$ are the weights in front of a normalization; $g$ and $H$ are the gradient and the Hessian of the
            loss in $\theta$. C11 and C12 are about one linear neuron $f = \gamma \hat z$ with the weights $w$
Corrected   (C9) At every point $H(c\theta) = H(\theta)/c^2$.
            (C10) $H\theta = -g$ and $\langle g, \theta\rangle = 0$.
            (C11) On inputs of covariance $I$ the minimum of norm $\rho$ with $\gamma = 1$ has
            $\lambda_{\max} = 1/\rho^2$, or $\max(1, 1/\rho^2)$ where $\gamma$ is trained, against 1 without
            normalization.
            (C12) In the plane, from 192 starts with $\eta/|w_0|^2$ from $\frac14$ to 32, no step shortens the weights,
            and descent settles where $\eta\lambda_{\max} \le 2$
Idea        Differentiating $L(c\theta) = L(\theta)$ twice gives $H(c\theta) = H(\theta)/c^2$ and $H\theta = -g$. So the
            length of the weights scales the sharpness, and only $|\theta|^2 \lambda_{\max}$ is a property of the
            function
Tolerance   Scaling by powers of two is exact in floating point, and C10 is exact in fractions. The sharpness of torch's
            layer is enclosed. Runs in the plane end where the loss is below a given number
"""

import numpy as np
import pytest
from hypothesis import given

from fixtures.problems.batches import given_batches
from fixtures.problems.tapes import tapes
from fixtures.rational import fractions
from properties.certificates import (
    assert_at_most,
    assert_identical,
    assert_not_negative,
    assert_within,
    record_series,
)
from theorems.ledger import corrected
from theorems.section_09_architectures.normalization.dynamics import polar_step
from theorems.section_09_architectures.normalization.model import KINDS, curvature_along
from theorems.section_09_architectures.normalization.problems import normalized_problems
from theorems.section_09_architectures.section_9_2_normalization.curvature import (
    WHITE_INPUTS,
    fitted_sharpness_by_torch,
)
from theorems.section_09_architectures.section_9_2_normalization.scaled_weights import scale_factor


@corrected("C11")
@pytest.mark.parametrize(
    ("trains_scale", "rho", "S"), [(False, 0.5, 4), (False, 2.0, 0.25), (True, 0.5, 4), (True, 2, 1)]
)
def test_torch_finds_normalized_minima_on_either_side_of_the_plain_one(trains_scale, rho, S):
    # given  whitened inputs, w = (rho, 0) and gamma = 1, trained or not
    found = fitted_sharpness_by_torch(np.array(WHITE_INPUTS, float), [rho, 0.0], trains_scale=trains_scale)
    # then   1/rho^2, or max(1, 1/rho^2) with gamma, against 1
    assert_within(found.lower, S, found.upper, why="sharpness with normalization")


@corrected("C9")
@pytest.mark.parametrize("kind", KINDS)
@given_batches(size=100, problem=normalized_problems())
def test_curvature_is_inverse_to_the_square_of_the_scale_to_the_last_bit(kind, problem):
    # given  a direction V that is neither W nor an eigenvector, and any point, not only minima
    V, c = np.roll(problem.W, 1, axis=1), scale_factor(problem)
    # when
    here, there = (curvature_along(kind, problem, scale * problem.W, V) for scale in (1, c))
    # then   H(c theta) = H(theta)/c^2, so that |theta|^2 lambda_max does not depend on the scale
    assert_identical(c**2 * there, here, why="H(c theta)")


@corrected("C10")
@given(tapes(16))
def test_along_the_weights_the_curvature_is_minus_the_gradient_exactly(tape):
    # given  L = const - b.w/s, one linear neuron under batch normalization and y = (1, 0, 0, 0); s is not rational
    X, w = fractions(tape.integers((4, 3), 3).astype(int)), fractions(tape.integers(3, 3).astype(int))
    centered = X - X.sum(0) / 4
    Sigma, b = centered.T @ centered / 4, centered[0] / 4
    Sw, s2, along = Sigma @ w, w @ Sigma @ w, b @ w
    # when   the gradient times s^3 and the Hessian times s^5
    g = -(s2 * b - along * Sw)
    H = s2 * (np.outer(b, Sw) + np.outer(Sw, b) + along * Sigma) - 3 * along * np.outer(Sw, Sw)
    # then
    assert_identical(H @ w, -s2 * g, why="H theta = -g")
    assert_identical(g @ w, 0, why="<g, theta> = 0")


@corrected("C12")
def test_from_192_starts_descent_settles_where_the_rate_times_sharpness_is_at_most_two():
    # given  eta/|w_0|^2 up to 32, where the plain model of sharpness 1 diverges from eta = 2 on; angles k/8, from which
    # no first step ends exactly on a minimum, since cos(k/8) is transcendental and |w_0|^2/eta is not
    rates, angles = (grid.ravel() for grid in np.meshgrid(2.0 ** np.arange(-2, 6), np.arange(1, 25) / 8))
    angle, squares = angles, [np.ones_like(rates)]
    for _ in range(400):
        angle, after = polar_step(angle, squares[-1], rates)
        squares.append(after)
    square, shown = squares[-1], {f"eta_{rate:g}".replace(".", "_"): rate for rate in (0.5, 4.0, 32.0)}
    lengths = {name: np.sqrt(squares)[:17, (rates == rate) & (angles == 1)].ravel() for name, rate in shown.items()}
    record_series("length of the weights", step=range(17), **lengths)
    # then   no step shortens the weights, the run converges, and the minimum found is stable
    assert_not_negative(np.diff(squares, axis=0), why="growth of |w|^2 in every step")
    assert_at_most(2 * np.sin(angle / 2) ** 2, 1e-12, why="the loss 1 - cos at the end")
    assert_at_most(rates / square, 2, why="eta lambda_max at the end")
