r"""Definition 2.1 - interpolation is zero loss, and interpolants form a manifold of infinitely many points.

Section     2.3, Definition 2.1 and the sentence after it
Printed     $L(\theta) = 0 \iff f(x_i; \theta) = y_i$ for all i; for $p \ge n$ the set
            $M = \{\theta : L(\theta) = 0\}$ is infinite and a manifold
Reading     L is either loss of Section 2.1, as the definition names none; for cross-entropy $f(x_i)$ and $y_i$ are the
            probabilities of the labels, so that L = 0 says the same as $f(x_i) = y_i$. "Overparameterized" is p >= n,
            as defined there. Section 2.2 presupposes that there are several minima; here that is what is asserted, so
            that p = n is a case of it
Readings    [labels] for cross-entropy $f(x_i) = y_i$ says that the label is predicted correctly - refuted
Setting     $F(\theta) = (f(x_i; \theta) - y_i)_i$ from R^p to R^n, with Jacobian J; $L = \frac{1}{2n} \|F\|^2$ in the
            squared case
Hypotheses  (H1) p > n, where the print has p >= n.
            (H2) M is not empty, F is twice differentiable near M, and J has rank n on M.
Corrected   (C1) For the squared loss L = 0 if and only if f(x_i) = y_i for all i: L is at least r^2/(2n) and at most
            r^2/2, r the largest |residual|.
            (C2) The cross-entropy of a linear classifier at the margin ln k is between 1/(k + 1) and 1/k, so that it
            vanishes nowhere, and M is empty.
Idea        Under H2 zero is a regular value of F: M is a manifold of dimension p - n with tangent space null(J),
            infinite under H1. Constructively, a step h along null(J) and Newton's method across it reach another
            interpolant, O(h^2) from the tangent space by Kantorovich's theorem, and no other one nearby in that slice.
Source      Cooper (2018), The Loss Landscape of Overparameterized Neural Networks; Ortega, Rheinboldt (1970), Iterative
            Solution of Nonlinear Equations in Several Variables (the Newton-Kantorovich theorem); Johnson (1989), A
            Gersgorin-Type Lower Bound for the Smallest Singular Value
Tolerance   Counterexamples are rational. Interpolants of networks are certified by Kantorovich's constants, each
            bounded from the instance: beta = 1/sigma_min, eta = |Newton step|, K from the second derivatives of tanh
Findings    A softmax gives no label probability one, so with cross-entropy M is empty. One sample x != 0 of f(x) = wx
            leaves one interpolant. The zero set of w_2 w_1 x, x != 0, is a cross, which is no manifold. The samples of
            Section 2.1, an open set, leave M empty.
Expected    holds under added hypotheses
"""

import dataclasses
from fractions import Fraction

import numpy as np
import scipy.linalg
import scipy.special
from hypothesis import given
from hypothesis import strategies as st
from numpy.linalg import norm

from fixtures.precision import UNIT_ROUNDOFF
from fixtures.problems.regression import regressions
from fixtures.problems.tapes import tapes
from properties.certificates import assert_at_most, assert_identical, assert_keeps, assert_violates, assert_within
from properties.search import smallest_violation
from theorems.ledger import corrected, counterexample, necessity, under_hypotheses

LEAST_SINGULAR_VALUE = 0.4
TANH_CURVATURE = 4 / (3 * np.sqrt(3))


@dataclasses.dataclass(frozen=True)
class PlantedNetwork:
    """f(x) = a . tanh(Bx) at an interpolant theta = (a, B) of F(theta) = f(x_i) - y_i.

    X (n, n), near the identity; theta (p,), p = m(n + 1), m > n units of which the first n are near the coordinates;
    direction (p - n,), a unit vector of coordinates in null(J); step h.
    """

    X: np.ndarray
    theta: np.ndarray
    direction: np.ndarray
    step: float

    def layers(self, theta):
        """The parameters a (m,) and B (m, n)."""
        m = len(theta) // (len(self.X) + 1)
        return theta[:m], theta[m:].reshape(m, -1)

    def F(self, theta):
        """Residuals (n,) against the targets that the planted parameters give."""
        (a, B), (planted, planted_B) = self.layers(theta), self.layers(self.theta)
        return np.tanh(self.X @ B.T) @ a - np.tanh(self.X @ planted_B.T) @ planted

    def J(self, theta):
        """The Jacobian of F, (n, p)."""
        a, B = self.layers(theta)
        hidden = np.tanh(self.X @ B.T)
        inner = (a * (1 - hidden**2))[:, :, None] * self.X[:, None, :]
        return np.concatenate([hidden, inner.reshape(len(self.X), -1)], axis=1)

    def curvature(self, theta, radius):
        """A Lipschitz constant of J within `radius` of theta, from |tanh'| <= 1 and |tanh''| <= 4/(3 sqrt 3).

        The Hessian of f(x_i) has a block for each unit, of norm at most |x_i| + |a_j| |tanh''| |x_i|^2.
        """
        lengths = norm(self.X, axis=1)
        return norm(lengths + (np.abs(self.layers(theta)[0]).max() + radius) * TANH_CURVATURE * lengths**2)

    def rounding(self, theta):
        """Rounding of F: 16(m + n)u times the sum of |a_j|, which bounds both of its terms."""
        return 16 * (len(theta) + len(self.X)) * UNIT_ROUNDOFF * (np.abs(theta).sum() + np.abs(self.theta).sum())


@st.composite
def planted_networks(draw):
    """Networks of 1..3 samples and one or two units more than samples, at which sigma_n(J) >= 0.4.

    The first n hidden units see the samples through a matrix with diagonal at least 0.7 and at most 0.28 in the rest of
    a row or column, so its least singular value is at least 0.4 (Johnson), and J contains it as a block of columns.
    Shrinks to one sample x = 1 and two units with a = (0, 0), b = (1, 0).
    """
    tape = draw(tapes(2 + 9 + 15 + 5 + 17 + 1))
    n, excess = 1 + tape.below(3), 1 + tape.below(2)
    X = np.eye(n) + tape.integers((n, n), 1) / 16
    B = np.concatenate([np.eye(n) + tape.integers((n, n), 1) / 16, tape.integers((excess, n), 2) / 2])
    theta = np.concatenate([tape.integers(n + excess, 3), B.ravel()])
    direction = tape.integers(len(theta) - n, 3)
    direction[0] += not direction.any()
    return PlantedNetwork(X, theta, direction / norm(direction), tape.choice((1 / 64, -1 / 64, 1 / 256)))


def slice_at(network):
    """The point h along null(J) and an orthonormal basis Q (p, n) of row(J) across it."""
    rows = scipy.linalg.orth(network.J(network.theta).T)
    null = scipy.linalg.null_space(network.J(network.theta))
    return network.theta + network.step * (null @ network.direction), rows


def newton(network, theta, Q):
    """Six steps of Newton's method on z -> F(theta + Qz): six doublings of digits."""
    for _ in range(6):
        theta = theta - Q @ np.linalg.solve(network.J(theta) @ Q, network.F(theta))
    return theta


def kantorovich(network, theta, Q):
    """Kantorovich's constants beta, eta, K for Newton's method on the slice from theta; K holds within 1 of theta."""
    slice_jacobian = network.J(theta) @ Q
    eta = norm(np.linalg.solve(slice_jacobian, network.F(theta)))
    return 1 / np.linalg.svd(slice_jacobian)[1][-1], eta, network.curvature(theta, 1)


@counterexample
def test_one_parameter_and_one_sample_leave_one_interpolant():
    # given  f(x) = wx, (x, y) = (2, 1), p = n = 1, and parameters 1/2 + h
    moves = [Fraction(h, 7) for h in range(-2, 3)]
    losses = [(2 * (Fraction(1, 2) + h) - 1) ** 2 / 2 for h in moves]
    # then   a quadratic, as three of its values would show, that vanishes once
    assert_identical(losses, [2 * h**2 for h in moves], why="loss at and off w = 1/2")
    assert_violates(2, losses.count(0), reads="{value} interpolants asked for > {limit} there is", f="wx", x=2, y=1)


@counterexample
def test_a_sample_at_the_origin_leaves_no_interpolant():
    # given  f(x) = w_2 w_1 x, (x, y) = (0, 1), p = 2 > n = 1
    losses = {(w2 * w1 * 0 - 1) ** 2 / Fraction(2) for w1 in range(-3, 4) for w2 in range(-3, 4)}
    assert_identical(list(losses), [Fraction(1, 2)], why="loss whatever the parameters")
    assert_violates(min(losses), 0, reads="least loss {value} > {limit}", f="w_2 w_1 x", x=0, y=1)


@counterexample
def test_hypothesis_finds_an_interpolant_at_which_M_is_a_cross():
    # given  f(x) = w_2 w_1 x with an integer sample, x > 0, and integer parameters
    numbers = st.integers(-3, 3)
    instances = st.tuples(st.integers(1, 3), numbers, numbers, numbers)

    def is_singular(instance):
        x, y, w1, w2 = instance
        return w2 * w1 * x == y and (w2 * x, w1 * x) == (0, 0)

    x, y, w1, w2 = smallest_violation(instances, is_singular)
    # then   both axes through it lie in M and the diagonal does not: two tangents that span the plane, p - n = 1
    h, directions = Fraction(1, 1000), [(1, 0), (0, 1), (1, 1)]
    residuals = [(w2 + j * h) * (w1 + i * h) * x - y for i, j in directions]
    assert_identical(residuals, [0, 0, x * h**2], why="residual along the axes and the diagonal")
    tangents = [direction for direction, residual in zip(directions, residuals, strict=True) if residual == 0]
    span, reads = int(np.linalg.matrix_rank(tangents)), "tangents span {value} dimensions > p - n = {limit}"
    assert_violates(span, len(directions[0]) - 1, reads=reads, f="w_2 w_1 x", x=x, y=y, w=[w1, w2])


@counterexample(reading="labels")
def test_a_classifier_that_is_right_has_a_positive_cross_entropy():
    # given  one sample whose label has probability 3/4 under the model, so that it is classified correctly
    likelihood = Fraction(3, 4)
    # then   the loss is at least what is missing to probability one
    assert_at_most(1 - likelihood, -np.log(float(likelihood)), why="-ln(q) >= 1 - q")
    assert_violates(1 - likelihood, 0, reads="cross-entropy >= {value} > {limit}", label=1, likelihood=likelihood)


@counterexample(reading="labels")
def test_a_search_finds_a_classifier_that_is_right_at_a_positive_loss():
    # given  the probabilities of two labels in the ratio of two integers, and the loss at least 1 - q
    ratios = st.tuples(st.integers(0, 9), st.integers(0, 9)).filter(any)
    right, wrong = smallest_violation(ratios, lambda pair: pair[0] > pair[1] > 0)
    missing = Fraction(wrong, right + wrong)
    assert_violates(missing, 0, reads="cross-entropy >= {value} > {limit}", likelihood=1 - missing)


@corrected("C1")
@given(st.lists(st.tuples(st.integers(-9, 9), st.integers(-9, 9)), min_size=1, max_size=8))
def test_the_squared_loss_vanishes_just_where_every_sample_is_met(pairs):
    # given  predictions and targets
    residuals = [prediction - target for prediction, target in pairs]
    loss = Fraction(sum(r * r for r in residuals), 2 * len(residuals))
    # then
    assert_identical(loss == 0, not any(residuals), why="L = 0 iff f(x_i) = y_i for all i")
    largest = max(r * r for r in residuals)
    least = Fraction(largest, 2 * len(residuals))
    assert_within(least, loss, Fraction(largest, 2), slack=0, why="loss and largest residual")


@under_hypotheses("H1", "H2")
@given(regressions())
def test_interpolants_of_a_linear_model_are_an_affine_space_of_dimension_p_minus_n(problem):
    # given  H2: J = X has rank n; an interpolant and a basis of null(X), both by LAPACK
    w, basis = scipy.linalg.lstsq(problem.X, problem.y)[0], scipy.linalg.null_space(problem.X)
    assert_identical(basis.shape[1], problem.columns - problem.rows, why="dimension")
    # when   moved by integer coordinates along the basis, and across it
    along = basis @ problem.w0[problem.rows :]
    across = problem.V @ (1 + np.abs(problem.w0[: problem.rows]))
    # then
    rounding = 32 * (problem.rows + problem.columns) * UNIT_ROUNDOFF * problem.condition
    rounding *= norm(w) + norm(problem.y) + norm(problem.w0) + norm(across)
    assert_at_most(
        norm(problem.X @ (w + along) - problem.y), rounding, why="w + null(X) interpolates", instance=problem
    )
    off, length = norm(problem.X @ (w + along + across) - problem.y), norm(across)
    bounds = problem.sigma_min * length, problem.sigma_max * length
    assert_within(bounds[0], off, bounds[1], slack=rounding, why="and nothing else does", instance=problem)


@under_hypotheses("H1", "H2")
@given(planted_networks())
def test_the_jacobian_of_large_units_turns_no_faster_than_its_lipschitz_constant(network):
    # given  |a_j| = 64, so that K is mostly tanh'', and a first unit that sees the first sample where |tanh''| is most
    (a, B), x, h = network.layers(network.theta), network.X[0], abs(network.step)
    B = np.concatenate([np.arctanh(1 / np.sqrt(3)) * x[None] / (x @ x), B[1:]])
    theta = np.concatenate([np.where(a < 0, -64, 64), B.ravel()])
    # when   its weights move by h along the sample
    move = np.zeros_like(theta)
    move[len(a) : len(a) + len(x)] = h * x / norm(x)
    turn = norm(network.J(theta + move) - network.J(theta))
    # then   at most Kh, and for this unit and sample at least |a| |x|^2 h |tanh''|, less |tanh^(3)| (h|x|)^2/2 with 2
    least = 64 * norm(x) ** 2 * h * (TANH_CURVATURE - h * norm(x))
    slack = 64 * 32 * len(theta) * UNIT_ROUNDOFF
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
    # then   Kantorovich: an interpolant within 2 eta, which Newton's method finds; h off the planted one along null(J)
    assert_at_most(2 * eta * max(beta * K, 1), 1, why="Kantorovich's condition, and 2 eta <= 1", instance=network)
    other = newton(network, theta, Q)
    assert_at_most(norm(other - theta), 2 * eta + beta * network.rounding(theta), why="within 2 eta", instance=network)
    assert_at_most(norm(network.F(other)), 4 * network.rounding(other), why="an interpolant", instance=network)
    apart = norm(other - network.theta - Q @ (Q.T @ (other - network.theta)))
    slack = 32 * len(theta) * UNIT_ROUNDOFF * (1 + norm(theta))
    assert_within(abs(network.step), apart, abs(network.step), slack=slack, why="h apart along null(J)")


@under_hypotheses("H1", "H2")
@given(planted_networks())
def test_the_interpolants_stay_within_a_square_of_the_step_from_the_tangent_space(network):
    theta, Q = slice_at(network)
    beta, _, _ = kantorovich(network, theta, Q)
    # then   |F(theta + ht)| <= K h^2/2 by Taylor, so the interpolant is within 2 eta <= beta K h^2 of the tangent
    bend = norm(newton(network, theta, Q) - theta)
    bound = beta * (network.curvature(theta, abs(network.step)) * network.step**2 + 4 * network.rounding(theta))
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
    slack = 8 * beta * network.rounding(theta) + 32 * len(theta) * UNIT_ROUNDOFF * norm(theta)
    assert_at_most(apart, slack, why="both starts end in one interpolant", instance=network)


@corrected("C2")
@given(st.integers(1, 10**6))
def test_the_cross_entropy_of_a_linear_classifier_vanishes_nowhere(k):
    # given  the margin ln(k), which grows without bound with w: p = 2 parameters would be enough
    loss = -scipy.special.log_expit(np.log(k))
    # then   ln(1 + 1/k), between 1/(k + 1) and 1/k, up to the rounding of the margin
    slack = 8 * UNIT_ROUNDOFF * (1 + np.log(k))
    assert_within(Fraction(1, k + 1), loss, Fraction(1, k), slack=slack / k, why="cross-entropy at the margin ln k")


@necessity("H1")
@given(regressions())
def test_without_H1_there_is_one_interpolant(problem):
    # given  p = n: the design XV, square and of rank n
    X, move = problem.X @ problem.V, 1 + np.abs(problem.w0[: problem.rows])
    assert_keeps(H2=np.linalg.svd(X).S[-1] >= problem.sigma_min)
    w = np.linalg.solve(X, problem.y)
    # then   any other w leaves a residual in proportion to the move
    slack = 64 * problem.columns * UNIT_ROUNDOFF * problem.condition * (norm(w) + norm(problem.y) + norm(move))
    residual = norm(X @ (w + move) - problem.y)
    bounds = problem.sigma_min * norm(move), problem.sigma_max * norm(move)
    assert_within(
        bounds[0], residual, bounds[1], slack=slack, why="residual off the only interpolant", instance=problem
    )


@necessity("H2")
@given(st.integers(1, 1000), st.integers(1, 9))
def test_without_H2_a_sum_of_tangents_is_no_tangent(C, x):
    # given  f = w_2 w_1 x, one sample, y = 0: J = 0 at the origin, and M consists of both axes
    p, n = 2, 1
    assert_keeps(H1=p > n)
    h = Fraction(1, 2 * C)
    assert_identical([h * 0 * x, 0 * h * x, h * h * x], [0, 0, x * h**2], why="residuals along axes and diagonal")
    # then   (h, h) is h away from M, which no C h^2 bounds
    distance_squared = min((h - foot[0]) ** 2 + (h - foot[1]) ** 2 for foot in ((h, 0), (0, h), (0, 0)))
    assert_violates(distance_squared, (C * h**2) ** 2, reads="squared distance {value} > {limit}", x=x, y=0, C=C, h=h)
