r"""Theorem 9.1 (b) - the conditioning of the Jacobian in the input, another reading.

Readings    [Jacobian] the conditioning of optimization is that of the Jacobian of the network in its input, the next
            best quantity - holds under added hypotheses
Setting     $h_{\ell+1} = h_\ell + F_\ell(h_\ell)$; the plain network is $h_{\ell+1} = F_\ell(h_\ell)$
Hypotheses  (H1) The branches are small: bounds $\epsilon_\ell$ of their Lipschitz constants sum to at most $\frac12$,
            as $\epsilon_\ell = 1/(2L)$ do. Branches of random signs have $E|F_\ell(h)|^2 \le |h|^2/L$.
            (H5) The branches are small for their direction: $81^{\sum_\ell \epsilon_\ell} \le \kappa$, where $\kappa$
            is the condition number of $M^\top M$ for their plain network, $M$ the map from the gradient in the
            end-to-end matrix to the gradients in the layers; it does not depend on the common scale of the branches.
            For the Jacobian, $9^{\sum_\ell \epsilon_\ell}$ is at most the condition number of the Jacobian of the plain
            network.
Idea        The Jacobian is a product of layers whose singular values lie in $1 \pm \epsilon_\ell$, so that its
            condition number is at most $\prod_\ell (1 + \epsilon_\ell)/(1 - \epsilon_\ell) \le 9^{\sum_\ell
            \epsilon_\ell}$
Tolerance   Diagonal branches are exact in fractions. Singular values carry the rounding of the product of the layers
Chance      One test samples: 4,000 products of eight Gaussian layers. By Chernoff's bound it fails by chance with
            probability below $10^{-9}$
Findings    In the other direction, Gaussian plain layers in the plane have a Jacobian whose condition number is at
            least $2^L$ in the geometric mean; seen on eight layers
"""

import math
from functools import reduce

import numpy as np
from numpy.linalg import norm

from fixtures.precision import factorization, rounding
from fixtures.problems.batches import given_batches
from fixtures.rational import fractions
from properties.certificates import assert_at_most, assert_violates
from theorems.ledger import counterexample, observed, under_hypotheses
from theorems.section_09_architectures.residual.problems import start_directions
from theorems.section_09_architectures.theorem_9_1_identity_bias.conditioning import (
    WORSE_CONDITIONED,
    certify_search_finds_worse,
    condition_of_product,
    jacobian_bound,
    jacobian_condition,
    share_of_H1,
)


@counterexample(reading="Jacobian")
def test_the_jacobian_of_two_branches_of_an_orthogonal_plain_network_is_conditioned_worse():
    r"""Two layers, $F(h) = Ah$, $A = \frac12 \operatorname{diag}(1, -1)$. The Jacobian is $(I + A)^2 =
    \operatorname{diag}(\frac94, \frac14)$, of condition 9. Without skip connections it is $A^2 = \frac14 I$, of
    condition 1."""
    branches = fractions(["1/2", "-1/2"])
    residual, plain = (jacobian_condition(branches, skip) for skip in (1, 0))
    assert_violates(residual, plain, reads=WORSE_CONDITIONED, A="diag(1/2,-1/2)", L=2)


@counterexample(reading="Jacobian")
def test_hypothesis_finds_branches_whose_jacobian_is_conditioned_worse():
    certify_search_finds_worse(jacobian_condition)


@under_hypotheses("H1", "H5", reading="Jacobian")
@given_batches(start=start_directions())
def test_the_jacobian_of_a_start_that_is_small_for_its_direction_is_conditioned_better(start):
    # given  the largest common scale that H1 and H5 allow; missing layers of a batch are the identity
    identity, real = np.eye(start.A.shape[-1]), (np.arange(start.A.shape[1]) < start.depth[:, None])[..., None, None]
    plain = condition_of_product(np.where(real, start.A, identity))
    total = np.minimum(1 / 2, np.log(plain[0]) / np.log(9))
    c = share_of_H1(total, start.A * real)
    # when
    residual = condition_of_product(identity + c[:, None, None, None] * start.A * real)
    # then
    assert_at_most(residual[0], jacobian_bound(total), why="by the sum of eps_l", instance=start)
    assert_at_most(residual[0], plain[1], why="conditioned better", instance=start)
    assert_at_most(residual[1] - residual[0], rounding(10_000), why="ceiling of the rounding", instance=start)


@observed(reading="Jacobian")
def test_gaussian_plain_layers_have_twice_the_condition_number_a_layer_and_small_residual_ones_at_most_three():
    # given  8 Gaussian layers in the plane, and branches along them with eps_l = 1/16, which meet H1
    N, L, t = 4000, 8, 1 / 32
    A = np.random.default_rng(9100).standard_normal((N, L, 2, 2))
    A = A / (2 * L * norm(A, 2, (-2, -1)))[..., None, None]
    # when
    plain, residual = (reduce(lambda W, layer: layer @ W, np.moveaxis(at, 1, 0)) for at in (A, np.eye(2) + A))
    (widest, least), (large, small) = (np.linalg.svdvals(W).T for W in (plain, residual))
    # products of two entries of norm below 2, singular values by LAPACK
    slack = rounding(4 * L + 2 * factorization(2, 2), 2 * 4)
    assert_at_most(large, 3 * small + slack, why="condition number of the residual network")
    # then   log cond >= 2 log|W e_1| - log|det W|, the sum of log(chi_2/chi_1) over the layers, whose mean is log 2 and
    #        E(chi_2/chi_1)^-t = Gamma(1 - t/2) Gamma((1 + t)/2)/sqrt(pi): Chernoff at 1e-9
    excess = math.lgamma(1 - t / 2) + math.lgamma((1 + t) / 2) - math.log(math.pi) / 2 + t * math.log(2)
    due = L * (math.log(2) - excess / t) - math.log(1e9) / (t * N)
    assert_at_most(due, np.log(widest / least).mean(), why="mean of the logarithm without the skip connection")
    assert_at_most(math.log(2 * 3), due, why="more than twice the bound of the residual network")
