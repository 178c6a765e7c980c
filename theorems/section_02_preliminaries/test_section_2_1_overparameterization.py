r"""Section 2.1: overparameterization enables interpolation - as many parameters as samples fit every sample.

Section     2.1, the paragraph on overparameterization
Printed     $f(x; \theta) = W_L \sigma(W_{L-1} \sigma(\cdots \sigma(W_1 x)))$ with
            $p = \sum_{l=1}^L m_l m_{l-1} \ge n$ interpolates the training data: $\min_\theta L(\theta) = 0$
Reading     "Enabling": some theta has L = 0. The network has no biases, as printed. The activation is "nonlinear" and
            otherwise open; ReLU and tanh are the usual ones. The samples are in general position: the refutations on a
            ray and by one tanh unit hold for an open set of samples
Setting     $L(\theta) = \frac{1}{2n} \sum_i (f(x_i; \theta) - y_i)^2$; sigma is ReLU unless said
Corrected   (C1) A model that is linear in its parameters, $f = \phi(x)^\top w$ with feature matrix $\Phi$ (n x p),
            interpolates every y if and only if $\operatorname{rank} \Phi = n$.
            (C2) Otherwise, for $u \ne 0$ with $u^\top \Phi = 0$, its least residual is at least $|u^\top y| / \|u\|$,
            with equality where the rank is n - 1.
            (C3) With a constant feature, n ReLU units interpolate any n samples with distinct scalar inputs.
            (C4) On a ray the last hidden layer of a ReLU network without biases has rank one at most, whatever its
            width and depth.
            (C5) With the identity for sigma, as in Section 4, f is linear in x: on x = (1, -1), y = (1, 2) the loss is
            at least 9/8 for every width and depth, where two ReLU units have none.
Differs     The corrected condition is on the rank of the features, or adds a bias; p >= n is neither.
Idea        The count p says nothing of the rank. A bias-free ReLU network is positively homogeneous, f(cx) = c f(x), so
            on a ray from the origin one number determines it, however wide it is. It is 0 at the origin; and no
            function has two values at one point.
Source      Zhang, Bengio, Hardt, Recht, Vinyals (2017), Understanding Deep Learning Requires Rethinking Generalization;
            Strang (2009), Introduction to Linear Algebra (the four subspaces, for the rank condition)
Tolerance   Networks with integer weights are evaluated exactly, and losses are fractions; the least residual of a
            deficient design is LAPACK's, up to the rounding of a backward stable solve, or exact
Findings    Three obstructions that more parameters do not remove: a ray (for ReLU), the origin, and contradictory
            samples. One tanh unit, of p = n = 2, fails for another reason: two units with b_1 != +-b_2 would fit
Expected    refuted
"""

from fractions import Fraction

import numpy as np
import pytest
import scipy.linalg
from hypothesis import given
from hypothesis import strategies as st
from numpy.linalg import norm

from fixtures.precision import UNIT_ROUNDOFF
from fixtures.problems.regression import regressions
from fixtures.problems.tapes import tapes
from fixtures.problems.wide import wide_regressions
from fixtures.rational import fractions, inverse
from properties.certificates import assert_at_most, assert_identical, assert_violates
from properties.search import smallest_violation
from theorems.ledger import corrected, counterexample

rationals = st.builds(Fraction, st.integers(-99, 99), st.integers(1, 99))


def relu(z):
    return np.where(z > 0, z, 0 * z)


def identity(z):
    return z


@st.composite
def networks(draw):
    """Weights (W_1, ..., W_L) from one input to one output: L in 2..4, widths 1..6, integers in [-3, 3]; exact."""
    tape = draw(tapes(1 + 3 + 6 + 36 + 36 + 6))
    widths = [1, *(1 + tape.below(6) for _ in range(1 + tape.below(3))), 1]
    return [tape.integers(shape, 3).astype(int) for shape in zip(widths[1:], widths[:-1], strict=True)]


def features(weights, x, activation=relu):
    """The last hidden layer at scalar inputs x (n,), in the arithmetic of its arguments; (m, n)."""
    hidden = np.asarray(x)[None]
    for W in weights[:-1]:
        hidden = activation(W @ hidden)
    return hidden


def outputs(weights, x, activation=relu):
    """f(x_i; theta), (n,)."""
    return (weights[-1] @ features(weights, x, activation))[0]


def loss(predictions, y):
    """L = |f - y|^2/(2n), exact for exact arguments."""
    return sum((Fraction(f) - Fraction(target)) ** 2 for f, target in zip(predictions, y, strict=True)) / (2 * len(y))


def least_loss(x, y):
    """The infimum of L over all bias-free ReLU networks with two hidden units or more, and where it is attained.

    Such a network is a relu(x) + b relu(-x) for scalar x, with free a and b: two least squares of one unknown each.
    """
    rays = [[(abs(xi), yi) for xi, yi in zip(x, y, strict=True) if xi * sign > 0] for sign in (1, -1)]
    fits = [Fraction(sum(u * v for u, v in ray), sum(u * u for u, _ in ray) or 1) for ray in rays]
    best = [np.array([[1], [-1]]), fractions([fits])]
    return loss(outputs(best, x), y), best


@counterexample
def test_the_best_relu_network_misses_two_samples_on_a_ray():
    # given  x = (1, 2), y = (1, 1), three hidden units, p = 6 >= n = 2; the best of all networks is 3x/5
    best = [np.array([[1], [-1], [2]]), fractions([["3/5", 1, 0]])]
    least = loss(outputs(best, [1, 2]), [1, 1])
    # then
    assert_identical(
        (sum(W.size for W in best), least), (6, least_loss([1, 2], [1, 1])[0]), why="p, and the least loss"
    )
    assert_violates(least, 0, reads="least loss {value} > {limit} for every width", x=[1, 2], y=[1, 1], sigma="relu")


@counterexample
@given(networks(), st.tuples(*[st.integers(1, 9)] * 2), st.tuples(*[st.integers(-9, 9)] * 2))
def test_on_a_ray_a_relu_network_of_any_width_and_depth_is_one_number(weights, x, y):
    # given  any two inputs x_1, x_2 > 0: an open set
    near, far = outputs(weights, list(x))
    assert_identical(x[0] * far, x[1] * near, why="positive homogeneity")
    # then   f = ax, so L = (y_1 x_2 - y_2 x_1)^2/(4|x|^2) + (|x|^2/4)(a - x.y/|x|^2)^2, whose first term is no choice
    length, product = x[0] ** 2 + x[1] ** 2, x[0] * y[0] + x[1] * y[1]
    floor = Fraction((y[0] * x[1] - y[1] * x[0]) ** 2, 4 * length)
    excess = Fraction(length, 4) * (Fraction(int(near), x[0]) - Fraction(product, length)) ** 2
    assert_identical(loss([near, far], y) - floor, excess, why="loss above its floor")


@counterexample
@given(st.fractions(-1, 1, max_denominator=99), rationals)
def test_one_tanh_unit_has_two_parameters_and_misses_two_samples(t, a):
    # given  f = a tanh(bx), p = n = 2, x = (1, 2) and y = (1, 3); t = tanh(b), and tanh(2b) = 2t/(1 + t^2)
    near, far = a * t, 2 * a * t / (1 + t**2)
    # then   |far| <= 2 |near|, from which y is 1/sqrt(5) away; as tanh is concave, any y_2/y_1 > x_2/x_1 > 1 is missed
    assert_at_most(Fraction(1, 20), loss([near, far], [1, 3]), why="loss of one tanh unit")


@counterexample
@pytest.mark.parametrize("activation", [relu, np.tanh])
@given(weights=networks())
def test_at_the_origin_every_network_without_biases_is_zero(activation, weights):
    # given  x = 0, y = 1, sigma(0) = 0
    at_origin = loss(outputs(weights, [0], activation), [1])
    assert_identical(at_origin, Fraction(1, 2), why="loss at the origin")
    assert_violates(at_origin, 0, reads="loss {value} > {limit}", x=0, y=1, sigma=activation.__name__)


@counterexample
@given(st.integers(-9, 9))
def test_contradictory_samples_are_fitted_by_no_function_at_all(value):
    # given  x_1 = x_2, y = (0, 1), and any model whatever: f(x_1) = f(x_2)
    floor = loss([value, value], [0, 1]) - (value - Fraction(1, 2)) ** 2 / 2
    assert_identical(floor, Fraction(1, 8), why="loss less a square")
    assert_violates(floor, 0, reads="least loss {value} > {limit}", x=[1, 1], y=[0, 1], f="any")


@counterexample
def test_hypothesis_finds_samples_that_no_network_fits():
    # given  one to three samples with integer inputs and targets; the least loss over all bias-free ReLU networks
    samples = st.lists(st.tuples(st.integers(-3, 3), st.integers(-3, 3)), min_size=1, max_size=3)
    found = smallest_violation(samples, lambda pairs: least_loss(*zip(*pairs, strict=True))[0] > 0)
    # then
    x, y = zip(*found, strict=True)
    least, best = least_loss(x, y)
    assert_at_most(len(x), sum(W.size for W in best), why="n <= p at the network that attains the least loss")
    assert_violates(least, 0, reads="least loss {value} > {limit}", x=x, y=y, sigma="relu")


@corrected("C5")
@given(networks())
def test_linear_activations_cannot_fit_a_kink_that_two_relus_fit(weights):
    # given  x = (1, -1), y = (1, 2)
    right, left = outputs(weights, [1, -1], identity)
    # then   L = 9/8 + (f(1) + 1/2)^2/2, where relu(x) + 2 relu(-x) has L = 0
    floor = loss([right, left], [1, 2]) - (int(right) + Fraction(1, 2)) ** 2 / 2
    assert_identical(floor, Fraction(9, 8), why="loss of an odd function, less a square")
    assert_identical(least_loss([1, -1], [1, 2])[0], 0, why="loss of two ReLUs")


@corrected("C1")
@given(regressions())
def test_a_linear_model_of_full_row_rank_fits_every_target(problem):
    # given  rank n by construction; every y is a combination of e_1, ..., e_n
    weights = scipy.linalg.lstsq(problem.X, np.eye(problem.rows))[0]
    # then
    residual = norm(problem.X @ weights - np.eye(problem.rows))
    bound = 32 * (problem.rows + problem.columns) * UNIT_ROUNDOFF * problem.condition * np.sqrt(problem.rows)
    assert_at_most(residual, bound, why="residual of the interpolants of e_1, ..., e_n", instance=problem)


@corrected("C1", "C2")
@given(regressions())
def test_a_linear_model_of_lower_rank_misses_targets_by_their_part_off_its_range(problem):
    # given  one more sample, a combination c of the others: u = (c, -1) has u'X = 0, while p > n stays
    c, off = problem.w0[: problem.rows], 1 + problem.t % 8
    X, y = np.vstack([problem.X, c @ problem.X]), np.append(problem.y, c @ problem.y - off)
    # when   the least residual, by LAPACK; the cutoff separates s_{n+1} = 0 from s_n >= 0.1
    residual = norm(X @ scipy.linalg.lstsq(X, y, cond=1e-6)[0] - y)
    # then   |u'y|/|u|, exactly: the null space of X' is spanned by u
    exact, size = off / np.sqrt(c @ c + 1), 1 + norm(c)
    slack = 32 * (problem.rows + problem.columns) * UNIT_ROUNDOFF * size * norm(y) / problem.sigma_min
    assert_at_most(abs(residual - exact), slack, why="least residual of a deficient design", instance=problem)


@corrected("C4")
@given(networks(), st.lists(st.integers(1, 9), min_size=2, max_size=2))
def test_on_a_ray_no_width_gives_the_last_layer_a_second_rank(weights, x):
    # given  the last hidden layer at two inputs of one sign
    phi = features(weights, x)
    # then   every minor of order two vanishes
    minors = np.outer(phi[:, 0], phi[:, 1]) - np.outer(phi[:, 1], phi[:, 0])
    assert_identical(minors, np.zeros_like(minors), why="rank of the feature matrix is at most one")


@corrected("C3")
@given(st.lists(st.tuples(rationals, st.integers(-9, 9)), min_size=1, max_size=6, unique_by=lambda s: s[0]))
def test_with_a_constant_feature_as_many_relus_as_samples_fit_them(samples):
    # given  inputs (x_i, 1) in increasing order, unit j = relu(x - b_j) with x_{j-1} < b_j < x_j: triangular features
    x, y = fractions(sorted(samples)).T
    b = np.append(x[0] - 1, (x[1:] + x[:-1]) / 2)
    phi = relu(x[:, None] - b[None])
    assert_identical((phi.diagonal() > 0).all(), True, why="unit j sees sample j")
    assert_identical(np.triu(phi, 1), 0 * phi, why="and no sample before")
    # when   the last layer in exact arithmetic
    first, last = np.stack([np.ones(len(x), int), -b], axis=1), inverse(phi) @ y
    # then
    predictions = last @ relu(first @ np.stack([x, np.ones(len(x), int)]))
    assert_identical(loss(predictions, y), 0, why="interpolation, exactly")


@pytest.mark.slow
@corrected("C1", "C2")
@given(wide_regressions(full_rank=False))
def test_on_features_of_wide_range_the_least_residual_is_what_no_feature_sees(problem):
    # given  exact arithmetic, more samples than the rank or as many; the residual of the least-squares solution
    residual = problem.y - problem.X @ problem.limit(problem.w0)
    # then   it is a u with u'Phi = 0, and |u'y|/|u| = |u|, while no other w does better
    assert_identical(residual @ problem.X, 0 * problem.w0, why="u'Phi = 0")
    assert_identical(residual @ problem.y, residual @ residual, why="|u'y| = |u|^2")
    full = len(problem.y) == problem.rank
    assert_identical(not full or not residual.any(), True, why="rank n interpolates")
    other = problem.y - problem.X @ problem.other
    assert_at_most(residual @ residual, other @ other, why="least residual")
