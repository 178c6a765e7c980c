r"""Section 2.1: overparameterization enables interpolation - samples that no number of parameters fits.

Printed     $f(x; \theta) = W_L \sigma(W_{L-1} \sigma(\cdots \sigma(W_1 x)))$ with $p = \sum_{l=1}^L m_l m_{l-1} \ge n$
            has $\min_\theta L(\theta) = 0$
Reading     "Enabling": some $\theta$ has $L(\theta) = 0$. The network has no biases, as printed, and $\sigma$ is
            "nonlinear": ReLU or tanh here. The refutations on a ray and by one tanh unit hold for an open set of
            samples
Setting     $L(\theta) = \frac{1}{2n} \sum_i (f(x_i; \theta) - y_i)^2$; $\sigma$ is ReLU unless a test names another
Idea        The number $p$ does not determine the rank of the features. A ReLU network without biases is positively
            homogeneous, $f(cx) = c f(x)$ for $c \ge 0$. So one number determines it on a ray from the origin, whatever
            its width. It is $0$ at the origin. And no function has two values at one point
Tolerance   Networks with integer weights are evaluated exactly, and losses are fractions
Findings    More parameters do not remove three obstructions: two samples on a ray (for ReLU), a sample at the origin,
            and samples that contradict each other. One tanh unit, with $p = n = 2$, fails for another reason: two units
            with $b_1 \ne \pm b_2$ would fit
Expected    refuted
"""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures.rational import fractions
from properties.certificates import assert_at_most, assert_identical, assert_violates, record_series
from properties.search import smallest_violation
from theorems.ledger import counterexample
from theorems.section_02_preliminaries.section_2_1_overparameterization.bias_free_networks import (
    least_loss,
    loss,
    networks,
    outputs,
    rationals,
    relu,
)


@counterexample
def test_the_best_relu_network_misses_two_samples_on_a_ray():
    r"""On $x > 0$ a ReLU network without biases is $f(x) = ax$. On $x = 1, 2$ with $y = 1, 1$ its loss
    $\frac14 ((a - 1)^2 + (2a - 1)^2)$ is least at $a = \frac35$, where it is $\frac1{20}$. The print says that it is
    $0$ where $p \ge n = 2$, and three hidden units have $p = 6$."""
    best = [np.array([[1], [-1], [2]]), fractions([["3/5", 1, 0]])]
    least = loss(outputs(best, [1, 2]), [1, 1])
    # then
    assert_identical(
        (sum(W.size for W in best), least), (6, least_loss([1, 2], [1, 1])[0]), why="p, and the least loss"
    )
    assert_violates(least, 0, reads="least loss {value} > {limit} for every width", x=[1, 2], y=[1, 1], sigma="relu")
    record_series("two samples on a ray", x=[1, 2], y=[1, 1], best=outputs(best, [1, 2]))


@counterexample
@given(networks(), st.tuples(*[st.integers(1, 9)] * 2), st.tuples(*[st.integers(-9, 9)] * 2))
def test_on_a_ray_a_relu_network_of_any_width_and_depth_is_one_number(weights, x, y):
    # given  any two inputs x_1, x_2 > 0: an open set
    near, far = outputs(weights, list(x))
    assert_identical(x[0] * far, x[1] * near, why="positive homogeneity")
    # then   f = ax, so L = (y_1 x_2 - y_2 x_1)^2/(4|x|^2) + (|x|^2/4)(a - x.y/|x|^2)^2. The first term does not depend
    #        on a
    length, product = x[0] ** 2 + x[1] ** 2, x[0] * y[0] + x[1] * y[1]
    floor = Fraction((y[0] * x[1] - y[1] * x[0]) ** 2, 4 * length)
    excess = Fraction(length, 4) * (Fraction(int(near), x[0]) - Fraction(product, length)) ** 2
    assert_identical(loss([near, far], y) - floor, excess, why="loss above its floor")


@counterexample
@given(st.fractions(-1, 1, max_denominator=99), rationals)
def test_one_tanh_unit_has_two_parameters_and_misses_two_samples(t, a):
    # given  f = a tanh(bx), p = n = 2, x = (1, 2) and y = (1, 3); t = tanh(b), and tanh(2b) = 2t/(1 + t^2)
    near, far = a * t, 2 * a * t / (1 + t**2)
    # then   |far| <= 2 |near|, and y is 1/sqrt(5) away from such pairs. As tanh is concave on x > 0, every sample with
    #        y_2/y_1 > x_2/x_1 > 1 is missed
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
    # given  x_1 = x_2 and y = (0, 1). Every model has f(x_1) = f(x_2)
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
