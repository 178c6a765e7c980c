r"""Theorem 9.1 (c) - smoothness.

Printed     Residual connections regularize implicitly towards smooth functions (item 3)
Reading     The item compares with nothing. "Smooth" says, whatever the depth: the Lipschitz constant is at most
            $\frac53$, and the second derivative is at most $e$ times the sum of the bounds $\beta_\ell$ of the
            branches' second derivatives
Readings    [smoother than the plain network] "toward smooth functions" compares, as the other two items do: the
            Lipschitz constant is at most that of the plain network - refuted
Setting     $h_{\ell+1} = h_\ell + F_\ell(h_\ell)$; the plain network is $h_{\ell+1} = F_\ell(h_\ell)$. Linear branches
            $F_\ell(h) = cA_\ell h$ are trained on $\mathcal{L}(A) = \frac12 \|\prod_\ell (I + c A_\ell) X - Y\|_F^2$;
            $R$ is the target $Y$ for $X = I$
Hypotheses  (H1) The branches are small: bounds $\epsilon_\ell$ of their Lipschitz constants sum to at most $\frac12$,
            as $\epsilon_\ell = 1/(2L)$ do. Branches of random signs have $E|F_\ell(h)|^2 \le |h|^2/L$.
            (H2) Training starts at zero branches.
            (H4) Gradient flow, or a step $\eta \le 1/\beta$ with $\beta = (2L - 1) \max(1, |\lambda|)^{(2L-2)/L}$ over
            the eigenvalues $\lambda$ of the target $R$. In early training $\beta$ is a bound on the curvature of the
            loss in the ball that the run can reach.
Corrected   (C12) Under H1 the plain network of linear branches is no steeper than the residual one: it stretches no
            direction by more than $\prod_\ell \epsilon_\ell \le \prod_\ell (1 - \epsilon_\ell)$, and the residual one
            stretches every direction by the latter at least. For $F(h) = -h/2$ alone they are equal
Idea        The Lipschitz constant is at most $\prod_\ell (1 + \epsilon_\ell) \le e^{1/2} < \frac53$, and the second
            derivative at most $e^{2 \sum_\ell \epsilon_\ell} \sum_\ell \beta_\ell$. In early training
            $\sum_\ell \epsilon_\ell \le \frac12$ follows from the loss that fell.
Tolerance   Scalar networks are exact in fractions. Derivatives carry the rounding of their layers, runs that
            of their steps
Findings    As a comparison the claim fails for the small branches that the other two items want, by C12
Expected    holds under added hypotheses
"""

import math
from fractions import Fraction
from functools import reduce

import numpy as np
from hypothesis import strategies as st
from numpy.linalg import norm

from fixtures.dynamics.deep_linear import end_to_end
from fixtures.precision import factorization, rounding
from fixtures.problems.batches import given_batches
from properties.certificates import assert_at_most, assert_identical, assert_violates
from properties.search import smallest_violation
from theorems.ledger import corrected, counterexample, under_hypotheses
from theorems.section_09_architectures.residual.dynamics import residual_layers
from theorems.section_09_architectures.residual.problems import (
    linear_residual_problems,
    residual_problems,
    start_directions,
)
from theorems.section_09_architectures.residual.rounding import derivative_rounding
from theorems.section_09_architectures.theorem_9_1_identity_bias.branches import (
    LARGEST_SLOPE,
    curvature_of_small_branches,
    fifths,
    scalar_states,
    small_branches,
)
from theorems.section_09_architectures.theorem_9_1_identity_bias.early_training import early_run, movement_bound


@counterexample
def test_three_steep_branches_are_eight_times_as_steep_as_the_identity():
    r"""$F(h) = h$ in three layers: each doubles its input, so that the Lipschitz constant is $2^3 = 8$, and not
    $\frac53$ at most."""
    steep = scalar_states([1, 1, 1])[-1]
    assert_violates(steep, Fraction(5, 3), reads="Lipschitz constant {value} > {limit}", F="h -> h", L=3)


@counterexample
def test_hypothesis_finds_two_branches_that_are_steep():
    limit = Fraction(5, 3)
    found = smallest_violation(st.tuples(fifths, fifths), lambda slopes: abs(scalar_states(slopes)[-1]) > limit)
    steep = abs(scalar_states(found)[-1])
    assert_violates(steep, limit, reads="Lipschitz constant {value} > {limit}", slopes=found)


@under_hypotheses("H1")
@given_batches(problem=residual_problems())
def test_small_branches_keep_two_derivatives_small(problem):
    # given  H1
    net = small_branches(problem, "tanh")
    # when
    first, second = np.matvec(net.jacobian(problem.x), problem.v), net.second_derivative(problem.x, problem.v)
    # then
    slack = derivative_rounding(net)
    assert_at_most(norm(first, axis=-1), LARGEST_SLOPE + slack, why="|Dh_L v|", instance=problem)
    curved = curvature_of_small_branches(net)
    assert_at_most(norm(second, axis=-1), curved + slack, why="|D^2 h_L[v, v]|", instance=problem)


@under_hypotheses("H2", "H4")
@given_batches(problem=linear_residual_problems())
def test_early_in_training_the_lipschitz_constant_is_bounded_by_the_loss_that_fell(problem):
    run = early_run(problem)
    # when
    W = end_to_end(residual_layers(run.A[-1], problem.scale))
    # then   prod (1 + c|A_l|) <= exp(c sum |A_l|) <= exp(c sqrt(L sum |A_l|^2)), at most exp(1/2) < 5/3
    bound, slack = movement_bound(problem, run)
    rate = problem.scale * np.sqrt(problem.depth * (bound + slack))
    assert_at_most(rate, 1 / 2, why="early, so that H1 holds", instance=problem)
    # products of three entries, a norm by LAPACK, and an exponential
    operations = 2 * 3 * problem.depth + factorization(3, 3) + 4
    assert_at_most(
        norm(W, 2, (-2, -1)), (1 + rounding(operations)) * np.exp(rate), why="Lip after T steps", instance=problem
    )


@counterexample(reading="smoother than the plain network")
def test_two_branches_that_halve_their_input_are_nine_times_as_steep_with_the_skip_connection():
    r"""$F(h) = \frac12 h$ in two layers: the residual network is $(\frac32)^2 h = \frac94 h$. The plain network is
    $(\frac12)^2 h = \frac14 h$, and the print says that it is steeper."""
    w = Fraction(1, 2)
    reads = "Lipschitz constant {value} with the skip connection > {limit} without"
    assert_violates(scalar_states([w, w])[-1], w * w, reads=reads, F="h -> h/2", L=2)


@counterexample(reading="smoother than the plain network")
def test_hypothesis_finds_two_branches_that_are_steeper_with_the_skip_connection():
    def steep(slopes):
        return abs(scalar_states(slopes)[-1]), abs(math.prod(slopes))

    found = smallest_violation(st.tuples(fifths, fifths), lambda slopes: np.greater(*steep(slopes)))
    assert_violates(*steep(found), reads="Lipschitz constant {value} > {limit} without", slopes=found)


@corrected("C12", "H1")
@given_batches(start=start_directions())
def test_plain_layers_of_small_branches_are_no_steeper_than_the_residual_network_is_anywhere(start):
    # given  linear branches whose eps_l sum to 1/2; missing layers of a batch are the identity
    identity, real = np.eye(start.A.shape[-1]), (np.arange(start.A.shape[1]) < start.depth[:, None])[..., None, None]
    branches = start.A * (1 / 2 / np.maximum(norm(start.A * real, 2, (-2, -1)).sum(-1), 1 / 8))[:, None, None, None]
    # when
    plain = reduce(lambda W, layer: layer @ W, np.moveaxis(np.where(real, branches, identity), 1, 0))
    residual = reduce(lambda W, layer: layer @ W, np.moveaxis(identity + real * branches, 1, 0))
    # then   products of three entries of norm below 2, singular values by LAPACK
    slack = rounding(2 * 3 * start.depth + 3 * factorization(3, 3), 2)
    least = np.linalg.svdvals(residual)[:, -1]
    assert_at_most(norm(plain, 2, (-2, -1)), least + slack, why="Lip of the plain network", instance=start)
    # then   one branch of -h/2 attains it
    assert_identical(abs(scalar_states([Fraction(-1, 2)])[-1]), Fraction(1, 2), why="h - h/2 is as steep as -h/2")
