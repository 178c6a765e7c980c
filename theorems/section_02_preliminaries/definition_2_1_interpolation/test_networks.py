r"""Definition 2.1 - near an interpolant of a tanh network.

Setting     $f(x) = a \cdot \tanh(Bx)$ with the parameters $\theta = (a, B)$, planted at an interpolant;
            $F(\theta) = (f(x_i; \theta) - y_i)_i$ from $\mathbb R^p$ to $\mathbb R^n$, with Jacobian $J$;
            $M = \{F = 0\}$
Hypotheses  (H1) $p > n$, where the print has $p \ge n$.
            (H2) $M$ is not empty, $F$ is twice differentiable near $M$, and $J$ has rank $n$ on $M$.
Idea        A step $h$ along $\operatorname{null}(J)$ leaves $M$ by $O(\|h\|^2)$. Newton's method in the slice across
            $\operatorname{null}(J)$ returns to $M$: by Kantorovich's theorem it finds an interpolant, $O(\|h\|^2)$ from
            the tangent space, and the slice has no other one nearby
Tolerance   Kantorovich's constants, each bounded from the instance: $\beta = 1/\sigma_{\min}$ of the Jacobian on the
            slice, $\eta$ the length of the first Newton step, and $K$ from the second derivatives of $\tanh$
"""

import numpy as np
from hypothesis import given
from numpy.linalg import norm

from fixtures.precision import factorization, rounding
from properties.certificates import assert_at_most, assert_within
from theorems.ledger import under_hypotheses
from theorems.section_02_preliminaries.definition_2_1_interpolation.planted_networks import (
    LEAST_SINGULAR_VALUE,
    TANH_CURVATURE,
    kantorovich,
    newton,
    planted_networks,
    slice_at,
)


@under_hypotheses("H1", "H2")
@given(planted_networks())
def test_the_jacobian_of_large_units_turns_no_faster_than_its_lipschitz_constant(network):
    # given  |a_j| = 64, so that the term with tanh'' dominates K; the first unit has its largest |tanh''| at the first
    #        sample
    (a, B), x, h = network.layers(network.theta), network.X[0], abs(network.step)
    B = np.concatenate([np.arctanh(1 / np.sqrt(3)) * x[None] / (x @ x), B[1:]])
    theta = np.concatenate([np.where(a < 0, -64, 64), B.ravel()])
    # when   the weights of the first unit move by h along the sample
    move = np.zeros_like(theta)
    move[len(a) : len(a) + len(x)] = h * x / norm(x)
    turn = norm(network.J(theta + move) - network.J(theta))
    # then   J changes by at most Kh. For this unit and sample it changes by at least |a| |x|^2 h |tanh''|, less the
    #        Taylor remainder, for which |tanh^(3)| <= 2
    least = 64 * norm(x) ** 2 * h * (TANH_CURVATURE - h * norm(x))
    # an entry of J: n in Bx, of at most 2, then tanh, its square, 1 - tanh^2 and two products; two J of m n rows of X
    slack = rounding(2 * (len(x) + 5), 2 * 64 * np.sqrt(len(a)) * norm(network.X))
    assert_within(least, turn, h * network.curvature(theta, h), slack=slack, why="turn of J", instance=network)


@under_hypotheses("H1", "H2")
@given(planted_networks())
def test_every_direction_in_the_null_space_of_the_jacobian_leads_to_another_interpolant(network):
    # given  H2: sigma_n(J) >= 0.4 at the planted interpolant, by construction
    J = network.J(network.theta)
    assert_at_most(LEAST_SINGULAR_VALUE, np.linalg.svd(J)[1][-1], why="sigma_n(J)", instance=network)
    # when
    theta, Q = slice_at(network)
    beta, eta, K = kantorovich(network, theta, Q)
    # then   Kantorovich: Newton's method finds an interpolant within 2 eta. Along null(J) it is h away from the planted
    #        one
    assert_at_most(2 * eta * max(beta * K, 1), 1, why="Kantorovich's condition, and 2 eta <= 1", instance=network)
    other = newton(network, theta, Q)
    hidden = network.residual_rounding
    assert_at_most(norm(other - theta), 2 * eta + beta * hidden(theta), why="within 2 eta", instance=network)
    assert_at_most(norm(network.F(other)), 4 * hidden(other), why="an interpolant", instance=network)
    apart = norm(other - network.theta - Q @ (Q.T @ (other - network.theta)))
    # Q and null(J) by LAPACK on a move of at most 2h; eight updates and differences of theta
    h = abs(network.step)
    slack = rounding(factorization(*J.shape), 2 * h) + rounding(8, norm(theta))
    assert_at_most(abs(apart - h), slack, why="h apart along null(J)", instance=network)


@under_hypotheses("H1", "H2")
@given(planted_networks())
def test_the_interpolants_stay_within_a_square_of_the_step_from_the_tangent_space(network):
    theta, Q = slice_at(network)
    beta, _, _ = kantorovich(network, theta, Q)
    # then   |F(theta + ht)| <= K h^2/2 by Taylor, so the interpolant is within 2 eta <= beta K h^2 of the tangent space
    bend = norm(newton(network, theta, Q) - theta)
    bent = network.curvature(theta, abs(network.step)) * network.step**2
    bound = beta * (bent + 4 * network.residual_rounding(theta))
    assert_at_most(bend, bound, why="distance of M from its tangent space", instance=network)


@under_hypotheses("H1", "H2")
@given(planted_networks())
def test_across_the_tangent_space_there_is_one_interpolant_nearby(network):
    # given  a second start of Newton's method in the slice, well inside the radius of uniqueness min(1, 1/(beta K))
    theta, Q = slice_at(network)
    beta, _, K = kantorovich(network, theta, Q)
    second = theta + Q @ np.full(Q.shape[1], 1 / (8 * beta * K * np.sqrt(Q.shape[1])))
    assert_at_most(2 * np.prod(kantorovich(network, second, Q)), 1, why="Kantorovich's condition", instance=network)
    # then
    apart = norm(newton(network, theta, Q) - newton(network, second, Q))
    slack = 8 * beta * network.residual_rounding(theta) + rounding(2 * 6, norm(theta))  # six updates for each end
    assert_at_most(apart, slack, why="both starts end in one interpolant", instance=network)
