r"""Proposition 9.2 (a) - an eps, a scale behind the normalization or a penalty makes the scale of the weights matter.

Readings    [with eps] activations are divided by $\sqrt{s^2 + \epsilon}$, as the layers of torch do it - refuted
Setting     The deciding reading of (a) has no $\epsilon$ and no penalty, and no feature is constant. $w$ are the
            weights, $g$ is the gradient of the loss in $w$
Corrected   (C2) What the reading leaves out depends on the scale: with an $\epsilon$ the gradient has the part
            $\langle g, w\rangle = \epsilon/(1 + \epsilon)^2$ at $w = 1$, a scale behind the normalization moves along
            itself, a penalty at the rate 1 ends at the origin, and across a constant feature the loss jumps
Idea        One neuron sees the inputs 1 and $-1$. Its loss is $w^2/(2 (w^2 + \epsilon))$, which depends on the length
            of $w$
Tolerance   Losses and gradients are rational
"""

from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from properties.certificates import assert_identical, assert_violates
from properties.search import smallest_violation
from theorems.ledger import corrected, counterexample
from theorems.section_09_architectures.normalization.model import standardize


def loss_and_slope(w, eps):
    """L = (1/2n) sum zhat_i^2 for x = (1, -1) and one weight, w^2/(2(w^2 + eps)), and dL/dw; exact."""
    return w**2 / (2 * (w**2 + eps)), w * eps / (w**2 + eps) ** 2


@counterexample(reading="with eps")
def test_with_the_default_eps_descent_lowers_the_loss_at_one_point_of_the_normalized_space():
    r"""Inputs $\pm 1$, targets 0: $L = w^2/(2(w^2 + \epsilon))$, $L' = w\epsilon/(w^2 + \epsilon)^2$. $\epsilon =
    10^{-5}$, $w = \frac1{100}$, $L' = \frac{1000}{121}$: a step of $\frac{121}{200000}$ ends at $\frac1{200}$. By the
    print $L$ depends on $w/|w| = 1$ alone. But it falls from $\frac5{11}$ to $\frac5{14}$."""
    w, eps, eta = Fraction(1, 100), Fraction(1, 100_000), Fraction(121, 200_000)
    before, slope = loss_and_slope(w, eps)
    # when   a step, after which w/|w| is still 1
    after = w - eta * slope
    assert_identical(after, w / 2, why="the weight after a step")
    # then   were L a function on the normalized space, it would not have changed
    value = loss_and_slope(after, eps)[0]
    assert_violates(before, value, reads="loss {value} > {limit} at the same point", x=[1, -1], w=w, eps=eps, eta=eta)


@counterexample(reading="with eps")
def test_hypothesis_finds_an_eps_with_which_descent_moves_the_loss_but_not_the_direction():
    # given  eps in millionths, from 0 on
    def sides(instance):
        w, eps = Fraction(instance[0]), Fraction(instance[1], 10**6)
        before, slope = loss_and_slope(w, eps)
        return (before, loss_and_slope(w - slope / 4, eps)[0]) if w > slope / 4 else (before, before)

    found = smallest_violation(st.tuples(st.integers(1, 8), st.integers(0, 10**6)), lambda i: np.greater(*sides(i)))
    value, limit = sides(found)
    assert_violates(value, limit, reads="loss {value} > {limit} at the same point", w=found[0], eps=f"{found[1]}/10^6")


@corrected("C2")
def test_with_eps_the_gradient_is_not_tangential():
    # given  w = 1 and the default eps
    eps = Fraction(1, 100_000)
    _, slope = loss_and_slope(Fraction(1), eps)
    assert_identical(slope, eps / (1 + eps) ** 2, why="<g, theta>, by which the length moves")


@corrected("C2")
@given(st.integers(-1000, 1000))
def test_the_scale_behind_the_normalization_moves_radially(gamma):
    # given  L = (1/2n) sum (gamma zhat_i - y_i)^2 for zhat = (1, -1) and y = (1, -1): (gamma - 1)^2/2
    slope = Fraction(gamma - 1)
    assert_identical(gamma * slope, gamma * gamma - gamma, why="<g, gamma>, zero for gamma = 0 and 1 alone")


@corrected("C2")
@given(st.integers(1, 1000))
def test_a_penalty_moves_the_length(w):
    # given  eps = 0 and the penalty (1/2)w^2, of which the rate 1 leaves nothing
    _, slope = loss_and_slope(Fraction(w), 0)
    after = w - (slope + w)
    assert_identical([slope, after], [0, 0], why="a step to the origin, where there is no direction")


@corrected("C2")
@given(st.integers(0, 400))
def test_across_a_constant_feature_the_loss_jumps(power):
    # given  z = (w, -w) at w = 2^-power and at -w, which are as close as one likes
    zhat = [standardize(np.array([w, -w]), -1)[0] for w in (2.0**-power, -(2.0**-power))]
    assert_identical(zhat, [[1, -1], [-1, 1]], why="features on both sides of a constant one")
