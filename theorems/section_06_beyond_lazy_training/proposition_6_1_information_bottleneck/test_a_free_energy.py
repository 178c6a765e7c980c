r"""Proposition 6.1 (a) - noisy descent optimizes an information-theoretic objective.

Printed     $\min_{p(z|x)} I(X;Z) - \beta I(Z;Y)$; gradient descent with Gaussian noise implicitly optimizes an
            information-theoretic objective related to this one
Reading     "An information-theoretic objective related to" is existential: there is such an objective. It is the free
            energy $J(q) = E_q L +\mathrm{KL}(q\|\pi)/\beta$ of the law $q$ of the weights. Its mean over data sets is
            $E L + [I(W;D) +\mathrm{KL}(\bar q\|\pi)]/\beta$: a fit and an information, as in the printed objective,
            with the weights $W$ for $Z$ and the data $D$ for $X$. The law of the iterates tends to the minimizer of
            $J$, up to the length of the steps
Setting     $\theta_{t+1} = \theta_t - \eta \nabla L(\theta_t) + \sqrt{2\eta/\beta}\, \xi_t$ with $L = \frac12
            \theta^\top H \theta - b^\top \theta$. $H = X^\top X$ for the loss $\frac12 \|Xw - y\|^2$, and
            $H = X^\top X + \lambda I$ with weight decay. The Gibbs law of a prior $\pi$ is
            $q_D \propto \pi e^{-\beta L}$, and $\bar q = E_D q_D$ its mean over data sets $D$
Hypotheses  (H1) The weights are confined, by weight decay, which makes $H$ positive definite, or by a proper prior.
            (H2) $\eta \lambda_{\max}(H) < 2$.
Idea        The Gibbs law minimizes $J$, and noisy descent samples it up to the step. Without a prior only noise acts
            along $\ker H$, and it adds up: the law of $W$ has no limit, and its free energy no minimum.
Tolerance   Identities hold up to the rounding of a law in closed form (`fixtures.dynamics.langevin.law_rounding`). The
            noise is integrated out by feeding the run unit noises
Findings    In the paper's setting, more weights than samples and no weight decay, this fails
Source      Donsker, Varadhan (1975), Asymptotic evaluation of certain Markov process expectations for large time,
            Communications on Pure and Applied Mathematics 28
Expected    holds under added hypotheses
"""

import dataclasses
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import strategies as st
from numpy.linalg import norm

from fixtures.dynamics.langevin import GaussianLaw, gibbs_law, law_after
from fixtures.precision import factorization, rounding
from fixtures.problems.batches import given_batches
from fixtures.problems.regression import regressions
from fixtures.rational import fractions
from properties.certificates import assert_at_most, assert_identical, assert_keeps, assert_violates
from properties.search import smallest_violation
from theorems.ledger import counterexample, necessity, under_hypotheses
from theorems.section_06_beyond_lazy_training.information.measures import gaussian_divergence, gaussian_entropy
from theorems.section_06_beyond_lazy_training.proposition_6_1_information_bottleneck.noisy_quadratics import (
    DECAY,
    covariance_of_run,
    exact_covariances,
    hessian_and_rates,
    run_count,
)


@counterexample
def test_without_a_prior_the_spread_of_the_weights_grows_for_ever():
    r"""One sample $x = (1, 2)$, $\eta = \frac1{10}$, $\beta = 1$. Along $v = (2, -1)/\sqrt5$ there is no gradient, as
    $x \cdot v = 0$, and a step adds noise of variance $2\eta/\beta = \frac15$: after 10 steps the variance is $2$,
    after 20 it is $4$. So the law of the weights has no limit, and no minimizer of a free energy is approached."""
    path = exact_covariances(fractions([[1, 2], [2, 4]]), Fraction(1, 10), 20)
    across = fractions([2, -1])
    # then
    spread = [across @ C @ across / 5 for C in path]
    assert_identical(spread, [Fraction(k, 5) for k in range(21)], why="a random walk on ker(H)")
    reads = "variance {value} after 20 steps > {limit} after 10, in proportion to the steps: no law is approached"
    assert_violates(spread[20], spread[10], reads=reads, X=[1, 2], eta="1/10", beta=1)


@counterexample
def test_a_search_finds_weights_whose_law_has_no_limit():
    # given  a sample x in the plane, a direction v and a small eta; the variance along v after k steps is exact
    def grows_for_ever(instance):
        x, v = fractions(instance[:2]), fractions(instance[2:])
        path = exact_covariances(np.outer(x, x), Fraction(1, 20), 8)
        after = [v @ path[k] @ v for k in (4, 8)]
        return after[1] == 2 * after[0] > 0 and x @ x > 0

    found = smallest_violation(st.tuples(*[st.integers(-3, 3)] * 4), grows_for_ever)
    assert_identical(found[0] * found[2] + found[1] * found[3], 0, why="the direction is orthogonal to the sample")


@under_hypotheses("H1")
@given_batches(problem=regressions())
def test_the_free_energy_exceeds_its_minimum_by_the_divergence_from_the_gibbs_law(problem):
    # given  L = |Xw - y|^2/2, the prior N(0, I), and q = N(w0, I/2 + w0 w0'/16)
    X, y, w0 = problem.X, problem.y, problem.w0
    identity, beta = np.broadcast_to(np.eye(X.shape[-1]), (len(X), *X.shape[-1:] * 2)), 4 * problem.step
    prior = GaussianLaw(0 * w0, identity)
    q = GaussianLaw(w0, identity / 2 + w0[:, :, None] * w0[:, None, :] / 16)
    posterior = gibbs_law(
        beta[:, None, None] * X.mT @ X + identity, beta[:, None] * np.vecmat(y, X), np.ones_like(beta)
    )
    # when   J(q), and ln Z from the density of y under N(0, I + beta XX'), in units of the temperature
    misfit = norm(np.matvec(X, w0) - y, axis=-1) ** 2 + np.trace(X @ q.covariance @ X.mT, axis1=1, axis2=2)
    J = misfit / 2 + gaussian_divergence(q, prior) / beta
    gram = np.eye(X.shape[1]) + beta[:, None, None] * X @ X.mT
    fit = beta * np.vecdot(y, np.linalg.solve(gram, y[..., None])[..., 0])
    minus_log_Z = (fit + np.linalg.slogdet(gram)[1]) / 2
    # then
    excess = beta * J - minus_log_Z
    scale = 1 + beta * (misfit + norm(y, axis=-1) ** 2) + np.square(w0).sum(-1) + problem.columns
    # then   a divergence has an inverse, a solve and two determinants, of matrices of the condition 1 + beta s_1^2
    slack = rounding(4 * factorization(problem.columns), (1 + beta * problem.sigma_max**2) * scale)
    distance = gaussian_divergence(q, posterior)
    assert_at_most(np.abs(excess - distance), slack, why="beta (J(q) - J(Gibbs)) = KL(q || Gibbs)")
    least = beta * (norm(np.matvec(X, posterior.mean) - y, axis=-1) ** 2 / 2)
    spread = beta * np.trace(X @ posterior.covariance @ X.mT, axis1=1, axis2=2) / 2
    at_gibbs = least + spread + gaussian_divergence(posterior, prior)
    assert_at_most(np.abs(at_gibbs - minus_log_Z), slack, why="beta J(Gibbs) = -ln Z")


@under_hypotheses("H1", "H2")
@given_batches(problem=regressions(max_rows=3, max_excess=3))
def test_the_stationary_law_is_wider_than_the_gibbs_law_by_the_step_and_no_more(problem):
    # when   the law after so many steps that the slowest mode of the mean has shrunk by e^-20; the covariance is then
    #        within e^-40 of its limit
    H, eta, beta = hessian_and_rates(problem)
    b, steps = np.vecmat(problem.y, problem.X), np.ceil(20 / np.minimum(eta * DECAY, 2 - problem.step)).astype(int)
    C = law_after(H, b, problem.w0, eta, beta, steps).covariance
    # then   H^-1/beta <= C <= H^-1/beta/(1 - eta lambda_max/2), in units of the Gibbs law; the upper bound is attained
    root = np.linalg.inv(np.linalg.cholesky(gibbs_law(H, b, beta).covariance))
    values = np.linalg.eigvalsh(root @ C @ root.mT)
    least, largest = values[:, 0], values[:, -1]
    top = 1 / (1 - problem.step / 2)
    # then   the law, the inverse, its root, the root's inverse and the eigenvalues are decompositions
    slack = top * (np.exp(-20) ** 2 + rounding(5 * factorization(H.shape[-1]), 1 / (eta * DECAY) ** 2))
    assert_at_most(1, least + slack, why="wider than Gibbs", instance=problem)
    assert_at_most(np.abs(largest - top), slack, why="wider by 1/(1 - eta lambda_max/2) at most, attained")


@necessity("H1")
@pytest.mark.parametrize("steps", [3, 8])
@given_batches(problem=regressions(max_rows=3, max_excess=3))
def test_without_H1_the_null_part_of_the_weights_is_a_random_walk(problem, steps):
    # given  no weight decay; ker(H) = span N
    H, eta, beta = hessian_and_rates(problem, decay=0)
    assert_keeps(H2=eta * np.linalg.eigvalsh(H)[:, -1] < 2)
    # when
    C = covariance_of_run(H, eta, beta, steps)
    # then   on ker(H) its covariance is 2 k eta/beta I, which grows for ever: no law is stationary
    N, grown = problem.N, 2 * steps * eta / beta
    error = norm(N.mT @ C @ N - grown[:, None, None] * (N.mT @ N), axis=(-2, -1))
    # then   H N is zero up to the construction, 6(n + p), in each of two factors; the two products cost 3p
    n, p = problem.rows, problem.columns
    slack = rounding(2 * run_count(p, steps) + 2 * steps * 6 * (n + p) + (steps + 2) * p, grown * np.sqrt(p))
    assert_at_most(error, slack, why="variance of the null part", instance=problem)


@necessity("H1")
@given_batches(problem=regressions(max_rows=3, max_excess=3))
def test_without_H1_the_free_energy_falls_without_bound(problem):
    # given  no weight decay; the free energy is F(q) = E_q L - h(q)/beta
    H, eta, beta = hessian_and_rates(problem, decay=0)
    assert_keeps(H2=eta * np.linalg.eigvalsh(H)[:, -1] < 2)
    b, k = np.vecmat(problem.y, problem.X), 2 ** (20 + problem.t % 20)
    # when   after k and after 4k steps; the row part has settled long before
    laws = [law_after(H, b, problem.w0, eta, beta, steps) for steps in (k, 4 * k)]
    energies = [np.trace(H @ law.covariance, axis1=1, axis2=2) / 2 - gaussian_entropy(law) / beta for law in laws]
    # then   F falls by ln 4/(2 beta) for each dimension of ker(H)
    fall = (H.shape[-1] - problem.rows) * np.log(4) / (2 * beta)
    unsettled = np.exp(-2.0 * k * np.minimum(eta * problem.sigma_min**2, 2 - problem.step))
    # then   an eigenvalue zero of H is off by the rounding of a decomposition; k and 4k steps of eta lambda <= 2 add
    #        that up in the entropy, and E_q L multiplies it by 2k eta/beta
    free, count = problem.columns - problem.rows, 2 * (k + 4 * k) * factorization(problem.columns)
    slack = (rounding(count, free) + problem.columns * unsettled) / beta
    assert_at_most(np.abs(energies[0] - energies[1] - fall), slack, why="fall of the free energy", instance=problem)


@necessity("H2")
@given_batches(problem=regressions(max_rows=3, max_excess=3))
def test_without_H2_the_top_mode_spreads_at_least_as_fast_as_a_random_walk(problem):
    # given  weight decay, but eta lambda_max = 2.02
    H, eta, beta = hessian_and_rates(dataclasses.replace(problem, step=2.02 + 0 * problem.step))
    h, Q = np.linalg.eigh(H)
    assert_keeps(H1=h[..., 0] > DECAY / 2)
    top = Q[..., -1]
    # when
    variance = np.vecdot(top, np.matvec(covariance_of_run(H, eta, beta, 6), top))
    # then
    walk = 2 * 6 * eta / beta
    slack = rounding(2 * run_count(H.shape[-1], 6), variance)
    assert_at_most(walk, variance + slack, why="spread after six steps")
