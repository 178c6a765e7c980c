r"""Proposition 6.1 (b) - and compresses thereby.

Printed     Gradient descent with Gaussian noise provides compression-based regularization
Reading     The noise compresses: what the weights $W$ know of the data $D$, $I(W;D)$, falls to zero as the temperature
            $1/\beta$ rises
Setting     $\theta_{t+1} = \theta_t - \eta \nabla L(\theta_t) + \sqrt{2\eta/\beta}\, \xi_t$ with
            $L = \frac12 \|Xw - y\|^2$, $H = X^\top X + \lambda I$ with weight decay. The Gibbs law of a prior $\pi$ is
            $q_D \propto \pi e^{-\beta L}$, written $q$ below. Alphabets are finite where all data sets are enumerated
Hypotheses  (H1) The weights are confined, by weight decay, which makes $H$ positive definite, or by a proper prior.
            (H2) $\eta \lambda_{\max}(H) < 2$. (H6) The prior does not depend on the temperature, so weight decay is
            proportional to $1/\beta$.
Idea        $I(W;D) \le \beta E_D[E_\pi L - E_q L]$. So under a fixed prior the information vanishes with $\beta$.
Tolerance   Identities hold up to the rounding of their sums (`information_rounding`) or of a law in closed form, whose
            error grows with the steps. Nothing is sampled
Findings    The paper speaks of $I(X;Z)$, never of $I(W;D)$
Expected    holds under added hypotheses
"""

import numpy as np
import pytest

from fixtures.dynamics.langevin import GaussianLaw, gibbs_law, law_after
from fixtures.precision import rounding
from fixtures.problems.batches import given_batches
from fixtures.problems.regression import regressions
from properties.certificates import assert_at_most, assert_keeps, assert_within
from theorems.ledger import necessity, under_hypotheses
from theorems.section_06_beyond_lazy_training.information.measures import (
    divergence,
    gaussian_entropy,
    gibbs,
    information_rounding,
    joint_law,
    mutual_information,
)
from theorems.section_06_beyond_lazy_training.proposition_6_1_information_bottleneck.learners import (
    learners,
    train_on_samples,
)
from theorems.section_06_beyond_lazy_training.proposition_6_1_information_bottleneck.noisy_quadratics import (
    DECAY,
    entropy_rounding,
    hessian_and_rates,
    information_lower_bound,
)


def targets_known(problem, beta):
    """The bound beta^2 |X|_F^2/2 on I(W;y) under the prior N(0, I), for targets y ~ N(0, I)."""
    return beta**2 * np.square(problem.X).sum((-2, -1)) / 2


@under_hypotheses("H1", "H6")
@given_batches(problem=regressions(max_rows=3, max_excess=3))
def test_under_a_fixed_prior_the_weights_know_less_of_the_targets_the_hotter_the_noise(problem):
    # given  the Gibbs law under the prior N(0, I), which is weight decay 1/beta; y ~ N(0, I) given X
    eye = np.eye(problem.X.shape[-1])

    def information(beta):
        law = gibbs_law(beta * problem.X.mT @ problem.X + eye, 0 * problem.w0, np.ones(len(problem.w0)))
        response = beta * problem.X @ law.covariance
        return gaussian_entropy(GaussianLaw(law.mean, law.covariance + response.mT @ response)) - gaussian_entropy(law)

    # when
    hot, cold = information(2.0**-10), information(1.0)
    # then   (1/2) sum ln(1 + beta^2 s^2/(1 + beta s^2)), at most beta^2 |X|_F^2/2
    s, slack = problem.s, entropy_rounding(problem.columns, 1 + problem.sigma_max**2)
    exact = np.log1p(s**2 / (1 + s**2)).sum(-1) / 2
    assert_at_most(np.abs(cold - exact), slack, why="I(W;y) at beta = 1", instance=problem)
    # then   nine tenths of the bound are reached where the noise is hot
    bound = targets_known(problem, 2.0**-10)
    assert_within(0.9 * bound, hot, bound, slack=slack, why="I(W;y) at beta = 2^-10", instance=problem)


@under_hypotheses("H1", "H2", "H6")
@pytest.mark.parametrize("beta", [2.0**-10, 1.0])
@given_batches(problem=regressions(max_rows=3, max_excess=3))
def test_settled_noisy_descent_under_a_fixed_prior_knows_less_of_the_targets_the_hotter_the_noise(problem, beta):
    # given  the prior N(0, I), which is weight decay 1/beta; y ~ N(0, I) given X; k steps shrink all modes by e^-50
    H, eta, _ = hessian_and_rates(problem, decay=1 / beta)
    betas, k = beta + 0 * eta, np.ceil(50 / np.minimum(eta / beta, 2 - problem.step)).astype(int)
    # when   I(W;y) = h(W) - h(W|y), with the response of the mean to each target
    law = law_after(H, 0 * problem.w0, 0 * problem.w0, eta, betas, k)
    response = law_after(H[:, None], problem.X, 0 * problem.X, eta[:, None], betas[:, None], k[:, None]).mean
    information = gaussian_entropy(GaussianLaw(law.mean, law.covariance + response.mT @ response)) - gaussian_entropy(
        law
    )
    # then   (1/2) sum ln(1 + beta^2 s^2 (1 - eta h/2)/(1 + beta s^2)), h = s^2 + 1/beta: at most beta^2 |X|_F^2/2
    s, step = problem.s, eta[:, None] * (problem.s**2 + 1 / beta)
    exact = np.log1p(beta**2 * s**2 * (1 - step / 2) / (1 + beta * s**2)).sum(-1) / 2
    slack = entropy_rounding(problem.columns, 1 + problem.sigma_max**2, k)
    assert_at_most(np.abs(information - exact), slack, why="I(W;y) of the run", instance=problem)
    bound = targets_known(problem, beta) + slack
    assert_at_most(information, bound, why="a bound that falls to zero with beta", instance=problem)


@under_hypotheses("H1", "H6")
def test_a_learner_of_many_hypotheses_uses_most_of_what_a_fixed_prior_allows():
    # given  256 data sets and hypotheses, the i-th hypothesis is right on the i-th data set only, gamma = ln 256
    gamma, loss = np.log(256), 1 - np.eye(256)
    joint = joint_law(np.full(256, 1 / 256), gibbs(np.full(256, 1 / 256), loss, np.full(256, gamma)))
    # then   I(W;D) is 2.08 nats of the 2.75 that are allowed
    allowed = information_allowed(gamma, loss.mean() - (joint * loss).sum())
    slack = information_rounding(256**2, 2 * gamma)
    assert_within(allowed / 2, mutual_information(joint), allowed, slack=slack, why="information below the saved loss")


def information_allowed(gamma, saved):
    """The bound gamma E_D[E_pi L - E_q L] on I(W;D) under a fixed prior; saved: the loss that training has saved."""
    return gamma * saved


@under_hypotheses("H1", "H6")
@pytest.mark.parametrize("size", [1, 3])
@given_batches(learner=learners)
def test_the_mean_divergence_from_any_prior_is_information_plus_the_divergence_of_the_mean(learner, size):
    losses, joint, spread = train_on_samples(learner, size)
    # given  any law p in place of the prior; here p = q
    channel, chances = joint / np.maximum(joint.sum(-1, keepdims=True), np.finfo(float).tiny), joint.sum(-1)
    mean = joint.sum(-2)
    # then
    left = (chances * divergence(channel, learner.q[:, None])).sum(-1)
    right = mutual_information(joint) + divergence(mean, learner.q)
    slack = information_rounding(joint[0].size, spread + 2 * np.log(16))
    assert_at_most(np.abs(left - right), slack, why="E KL(q_D || p) = I(W;D) + KL(mean || p)")
    # then   so the noise compresses towards a fixed prior: I(W;D) <= gamma E_D [E_pi L - E_q L]
    saved = ((learner.prior[:, None] * losses).sum(-1) * chances).sum(-1) - (joint * losses).sum((-2, -1))
    assert_at_most(
        mutual_information(joint),
        information_allowed(learner.gamma, saved) + slack,
        why="information below the saved loss",
    )


@necessity("H6")
def test_without_H6_weight_decay_that_ignores_the_temperature_does_not_compress():
    # given  x = 4 e_1 or 4 e_2, y = 0, weight decay 1/4 at every temperature
    zero, betas, eta = np.zeros((7, 2)), 8.0 ** -np.arange(7), 0.1
    curvatures = [np.diag(x) + DECAY * np.eye(2) for x in ([16.0, 0], [0, 16.0])]
    values = np.linalg.eigvalsh(curvatures)
    assert_keeps(H1=values > 0, H2=eta * values < 2)
    one, other = (law_after(np.tile(H, (7, 1, 1)), zero, zero, np.full(7, eta), betas, 400) for H in curvatures)
    # then   W scales with the temperature, and knows as much about D at every temperature
    known = information_lower_bound(one, other)
    slack = rounding(6, 2 * np.log(80 * 8.0**6))  # logarithms of determinants weigh 1/4, 1/4 and 1/2
    assert_at_most(np.abs(known - known[0]), slack, why="information at every temperature")
    assert_at_most(1 / 10, known, why="the information is not small")
