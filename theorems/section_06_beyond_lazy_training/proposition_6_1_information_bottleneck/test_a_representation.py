r"""Proposition 6.1 (a) - read as the printed objective of a hidden layer, the statement is vacuous.

Readings    [representation] the objective is the printed one, with $Z = f_w(X)$ the hidden layer of a network: a
            deterministic function of $X$ - vacuous
Setting     The printed objective is $I(X;Z) - \beta I(Z;Y)$. $X$ has finitely many values. Noisy descent adds Gaussian
            noise to each step on the weights
Idea        An injective map loses nothing, $I(X;Z) = H(X)$, whatever its weights. So noisy descent moves the weights
            and not the objective.
Tolerance   Identities hold up to the rounding of their sums (`information_rounding`)
Chance      The weights are drawn from densities, and hit the null set of ties with a probability below $10^{-12}$ an
            example
Findings    For $\beta \le 1$ a constant $Z$ solves the printed problem (data processing)
Source      Amjad, Geiger (2020), Learning Representations for Neural Network-Based Classification Using the Information
            Bottleneck Principle, IEEE TPAMI 42 (I(X;Z) of deterministic networks is infinite or piecewise constant)
"""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.linalg import norm

from fixtures.dynamics.langevin import noisy_descent
from properties.certificates import assert_at_most, assert_within
from theorems.ledger import vacuous
from theorems.section_06_beyond_lazy_training.information.measures import (
    entropy,
    information_rounding,
    joint_law,
    mutual_information,
    pushforward_joint_law,
)
from theorems.section_06_beyond_lazy_training.proposition_6_1_information_bottleneck.representations import (
    representations,
)


@vacuous(reading="representation")
@given(instance=representations)
def test_noisy_descent_moves_the_weights_and_leaves_the_printed_objective_where_it_was(instance):
    # given  a linear hidden layer Z = Wx of two units, Gaussian W and readout a, and targets P(y = 1 | x)
    x, P = instance.points, instance.joint
    rng = np.random.default_rng(instance.seed)
    start, noise = rng.standard_normal(8), rng.standard_normal((2, 8))
    target = P[:, 1] / P.sum(1)

    def gradient(theta):
        W, a = theta[:6].reshape(2, 3), theta[6:]
        pull = x.T @ (P.sum(1) * (x @ W.T @ a - target))
        return np.concatenate([np.outer(a, pull).ravel(), W @ pull])

    # when   two steps of noisy descent on E (f - target)^2/2
    theta = noisy_descent(gradient, start, 1 / 64, 4.0, noise)
    # then   different inputs have different Z, before and after: I(X;Z) = H(X) and I(Z;Y) = I(X;Y), for every beta
    codes = [pushforward_joint_law(P.sum(1), x @ weights[:6].reshape(2, 3).T) for weights in (start, theta)]
    relevance = [mutual_information((code > 0).T @ P) for code in codes]
    slack = information_rounding(len(x) ** 2, np.log(40))
    assert_at_most(2.0**-10, norm(theta - start), why="the weights moved")
    assert_at_most(np.abs([mutual_information(c) - entropy(P.sum(1)) for c in codes]), slack, why="I(X;Z) = H(X)")
    same = mutual_information(P)
    assert_within(same, relevance, same, slack=slack, why="I(Z;Y) = I(X;Y)")


@vacuous(reading="representation")
@given(instance=representations, beta=st.integers(0, 8))
def test_up_to_beta_one_the_printed_problem_is_solved_by_a_constant(instance, beta):
    # given  Y - X - Z and beta <= 1; a constant has I(X;Z) = I(Z;Y) = 0
    joint = joint_law(instance.joint.sum(1), instance.channel)
    relevance = mutual_information(instance.channel.T @ instance.joint)
    # then   I(Z;Y) <= I(X;Z), data processing
    kept, slack = mutual_information(joint), information_rounding(joint.size, np.log(400))
    assert_at_most(beta / 8 * relevance, kept + slack, why="no representation beats a constant")
