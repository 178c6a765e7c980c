r"""Proposition 6.1 (b) - read as compression of the input by a hidden layer, the statement is vacuous.

Readings    [representation] what is compressed is $I(X;Z)$ for $Z = f_w(X)$, the hidden layer of a network - vacuous
Setting     $X$ has finitely many values. $Z$ is a deterministic function of $X$, or, in one test, noisy:
            $Z = wX + N(0, 1)$
Hypotheses  (H7) The hidden layer is injective on the support of $X$.
Idea        An injective map loses nothing, $I(X;Z) = H(X)$, whatever its weights. With noise in $Z$ the information
            depends on how the weights of one function are scaled, and takes any size.
Tolerance   Identities hold up to the rounding of their sums (`information_rounding`)
Findings    A ReLU is not injective: on $X \in \{-2, -1, 1\}$ its $I(X;Z)$ is 0.6365 for $w > 0$ and 1.0986 for $w < 0$
Source      Amjad, Geiger (2020), Learning Representations for Neural Network-Based Classification Using the Information
            Bottleneck Principle, IEEE TPAMI 42 (I(X;Z) of deterministic networks is infinite or piecewise constant)
"""

import numpy as np
import pytest
from hypothesis import given

from fixtures.dynamics.langevin import GaussianLaw
from fixtures.precision import rounding
from properties.certificates import assert_at_most, assert_identical, assert_within
from theorems.ledger import necessity, vacuous
from theorems.section_06_beyond_lazy_training.information.measures import (
    entropy,
    gaussian_entropy,
    information_rounding,
    mutual_information,
    pushforward_joint_law,
)
from theorems.section_06_beyond_lazy_training.proposition_6_1_information_bottleneck.representations import (
    representations,
)


@vacuous(reading="representation")
def test_one_function_has_as_much_information_in_its_noisy_hidden_unit_as_one_likes():
    # given  f(x) = a (w x), X ~ N(0, 1), Z = w X + N(0, 1); and the same function with w -> cw, a -> a/c, c = 2^power
    w, a, x, power = np.indices((10, 10, 10, 20)) + 1
    c = 2.0**power
    assert_identical((a / c) * ((c * w) * x), a * (w * x), why="the function")
    # when   I(X;Z) = h(Z) - h(Z|X), for w c and w/c
    w, c = w[:, 0, 0].astype(float), c[:, 0, 0]
    more, less, noise = (
        gaussian_entropy(GaussianLaw(np.zeros((10, 20, 1)), (1 + (w * factor) ** 2)[..., None, None]))
        for factor in (c, 1 / c, 0)
    )
    # then   it grows without bound, as ln(cw), and falls to zero, as (w/c)^2/2
    floor = np.log(c * w)
    slack = rounding(8, 2 + floor)  # two logarithms of 1 + (cw)^2, each plus ln(2 pi e), halved
    assert_within(floor, more - noise, floor + 1 / (2 * (c * w) ** 2), slack=slack, why="more information")
    assert_at_most(less - noise, (w / c) ** 2 / 2 + slack, why="less information")


@vacuous(reading="representation")
@given(instance=representations)
def test_an_injective_hidden_layer_keeps_all_of_its_input(instance):
    # given  H7: one leaky unit for each coordinate
    weights = instance.joint.sum(1)
    code = pushforward_joint_law(weights, np.where(instance.points < 0, 0.01, 1) * instance.points)
    # then
    error = abs(mutual_information(code) - entropy(weights))
    assert_at_most(error, information_rounding(len(weights) ** 2, np.log(40)), why="I(X;Z) = H(X)")


@necessity("H7", reading="representation")
@pytest.mark.parametrize(("w", "information"), [(1.3, np.log(3) - 2 / 3 * np.log(2)), (-1.3, np.log(3))])
def test_without_H7_the_sign_of_the_weight_of_a_relu_decides_what_is_kept(w, information):
    # given  X in {-2, -1, 1} with equal chances, Z = max(wX, 0). Weights of either sign are an open set
    code = pushforward_joint_law(np.full(3, 1 / 3), np.maximum(w * np.array([[-2.0], [-1.0], [1.0]]), 0))
    # then   ln 3 - (2/3) ln 2, and ln 3
    slack = information_rounding(code.size, np.log(3))
    assert_at_most(np.abs(mutual_information(code) - information), slack, why="I(X;Z) of a ReLU")
