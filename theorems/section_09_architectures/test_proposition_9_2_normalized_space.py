r"""Proposition 9.2 - descent under batch normalization is descent on spheres, and its statistics select the minimum.

Section     9.2
Printed     Gradient descent with batch normalization implicitly optimizes over the normalized parameter space, inducing
            an adaptive regularizer that depends on the activation statistics
Reading     (a) The normalized space is the product of unit spheres, one for each group of weights that a normalization
            takes together: the directions omega = theta/|theta| follow gradient descent of L on it, each sphere at the
            step $\eta/\rho^2$, which the run adapts by $\rho'^2 = \rho^2 + \eta^2 \|g\|^2$. As in Section 9.2 the print
            states no eps and no penalty, and where a feature is constant it is not normalized. (b) "An adaptive
            regularizer that depends on the activation statistics": the run ends at the minimum that is best by a
            criterion which contains s, the standard deviation of the activations over the batch, as the run has made
            it. Read in linear regression, where the minima are known
Readings    (a) [with eps] activations are divided by the root of s^2 + eps, as the layers of torch do it - refuted
Setting     $z = XW^\top$, normalized; $\rho_\ell = |\theta_\ell|$; g the gradient. Linear regression: one neuron with a
            scale, N = n + 1 samples, $X_c$ and $y_c$ the centered data, rank $X_c$ = n < p,
            $\Sigma = X_c^\top X_c/N$, $s^2 = w^\top \Sigma w$, the predictor $\beta = \gamma w/s$, P the projection
            onto row($X_c$), $P_0 = I - P$
Hypotheses  Of (b): (H1) the run fits the data, as all runs did that we started with $\gamma_0 \langle X_c w_0, y_c
            \rangle > 0$.
Parts       (a) descent on the normalized space - holds
            (b) an adaptive regularizer - holds under added hypotheses
Corrected   (C1) (a) Each group has a clock of its own: neurons at the scales $c_j$ move as at the rates $\eta/c_j^2$,
            and the gradient flow is that of the metric $\sum \rho_\ell^2 |d\omega_\ell|^2$, not that of the product of
            unit spheres. (C2) (a) What the reading leaves out is not free of scale: with an eps the gradient has the
            part $\langle g, w\rangle = \epsilon/(1 + \epsilon)^2$ at w = 1, a scale behind the normalization moves
            along itself, a penalty at the rate 1 ends at the origin, and across a constant feature the loss jumps. (C3)
            (b) Normalized features have mean 0 and variance 1: the normalized space is the ellipsoid $w^\top \Sigma w =
            1$. (C4) (b) Batch normalization is weight normalization in coordinates that whiten the batch; on white data
            the two have the same gradient. (C5) (b) No step of batch normalization moves the null part of w, and
            $\|Pw\|^2$ grows by the square of the step. Where it fits the data, $|\gamma/s|^2 = \|X_c^+ y_c\|^2/(\|P
            w_0\|^2 + \eta^2 \sum \|g_t\|^2)$. (C6) (b) In a network of several tanh neurons it moves no null part of a
            first-layer weight either. (C7) (b) Where the flow of batch normalization fits the data it leaves the null
            part $\pm\|X_c^+ y_c\| P_0 w_0/\|P w_0\|$, with the sign of gamma at the end. (C8) (b) Weight normalization
            $w = \gamma v/|v|$ does move the null part: a step multiplies it by $1 - \gamma_t (\gamma_{t+1} -
            \gamma_t)/\rho_t^2$, the flow by $\exp(-(\gamma_T^2 - \gamma_0^2)/(2\rho^2))$, with |v| at rest. (C9) (b)
            Where its flow fits the data a null part of v that is not 0 has grown if $|\gamma_0| \|P v_0\|/|v_0| > \|X^+
            y\|$, and shrunk if it is less. (C10) (b) There the norm of the limit is $\|X^+ y\|$ for $v_0$ in row(X),
            and else it tends to $\max(\|X^+ y\|, |\gamma_0|)$ as $\rho \to 0$ with the direction of $v_0$ fixed: with M
            the square of that maximum and k the share of $|v_0|^2$ in the null space, its square is between $\max(\|X^+
            y\|^2, \gamma_0^2 + \rho^2 \ln k)$ and $M + \rho^2 \max(1, \ln(1 + M/\rho^2))$. (C11) (b) Of three samples
            or more every data set has saddles like that of the counterexample, $\gamma = 0$ and $\langle X_c w, y_c
            \rangle = 0$ with $X_c w \ne 0$; of two samples with different targets there is none
Idea        L depends on omega alone, so that g is tangential and $g(\theta) = g(\omega)/\rho$. Under batch
            normalization g lies in row(X_c), so that beta keeps the null part $(\gamma/s) P_0 w_0$: among the
            interpolants it is the nearest to $(\gamma/s) w_0$. Under weight normalization g has the component
            $-\langle G, v\rangle v$ on the sphere of all of v, and $\rho^2 \dot v_\perp = -\gamma \dot\gamma v_\perp$.
Source      Arora, Li, Lyu (2019), Theoretical Analysis of Auto Rate-Tuning by Batch Normalization, ICLR; Wu, Dobriban,
            Ren, Wu, Li, Gunasekar, Ward, Liu (2020), Implicit Regularization and Convergence for Weight Normalization,
            NeurIPS; Salimans, Kingma (2016), Weight Normalization: A Simple Reparameterization to Accelerate Training
            of Deep Neural Networks, NeurIPS. The limit under batch normalization is ours
Tolerance   Powers of two are exact in floating point. Runs: a first-order rounding analysis; distances to a limit by
            residual over s_n, so that no run need have converged, which is asserted besides. Flows by two tolerances
Findings    The criterion of (b) is the distance to the start, rescaled by gamma over the statistic s: the longer a run
            has made P w, by large steps, the smaller $|\gamma|/s$ is and the less is left of $w_0$. The statistic s
            itself fell in the three flows of C7. A start in row($X_c$) leaves nothing, whatever s. The covariance of
            fewer samples than weights has a null space, which only weight normalization moves. That it always grows
            from $|\gamma_0| > \|X^+ y\|$ is false: X = (1, 0), y = 1, $\gamma_0 = 3/2$ and $v_0 = (0.6, 0.8)/16$ shrink
            it to 0.932 of itself
Expected    holds under added hypotheses
"""

import dataclasses
from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.linalg import norm

from fixtures.dynamics.gradient_flow import gradient_flow
from fixtures.dynamics.normalized import batch_norm_slopes, normalized_descent, weight_norm_slopes
from fixtures.models.normalized import ABSORBED, autograd, pull_back, standardize, torch_hidden
from fixtures.precision import UNIT_ROUNDOFF
from fixtures.problems.batches import given_batches, stack
from fixtures.problems.examples import simplest
from fixtures.problems.normalized import SAMPLES, basis_without_constants, directed_regressions, normalized_problems
from properties.certificates import assert_at_most, assert_identical, assert_violates, assert_within
from properties.normalized import feature_rounding, gradient_rounding
from properties.oracles import nearest_interpolant, weight_norm_limit
from properties.search import smallest_violation
from theorems.ledger import as_printed, corrected, counterexample, necessity, under_hypotheses

CONVERGED, SETTLED, STEPS = 1e-3, 1e-4, 700
problems, regressions = normalized_problems(), directed_regressions()
neuron_by_neuron = pytest.mark.parametrize("kind", ["batch", "weight"])


def loss_and_slope(w, eps):
    """L = (1/2n) sum zhat_i^2 for x = (1, -1) and one weight, w^2/(2(w^2 + eps)), and dL/dw; exact."""
    return w**2 / (2 * (w**2 + eps)), w * eps / (w**2 + eps) ** 2


def as_group(kind, W):
    """The groups that a normalization takes together, as vectors (B, groups, size)."""
    return W.reshape(len(W), 1, -1) if kind == "layer" else W


def parts(problem, vectors):
    """The parts of vectors (B, p) in row(X) and in null(X)."""
    return problem.in_row_space(vectors), problem.in_null_space(vectors)


def deviation(problem, v):
    """The standard deviation s of the activations Xv over the batch, (B,)."""
    return norm(np.matvec(problem.X, v), axis=-1) / np.sqrt(problem.rows + 1)


def batch_norm_run(problem):
    """STEPS steps of rate 1 under batch normalization; the run, beta and gamma/s at its end, and |X beta - y|."""
    run = normalized_descent(batch_norm_slopes, problem, problem.v, problem.gamma, np.ones(len(problem.v)), STEPS)
    scale = run.gamma / deviation(problem, run.v)
    beta = scale[:, None] * run.v
    return run, beta, scale, norm(np.matvec(problem.X, beta) - problem.y, axis=-1)


def drift_rounding(problem, run, steps):
    """How far the null part of v may be off after so many steps, (B,), to first order.

    A step is a combination of rows, whose computed sum is off by 8(n + p)u, and whose rows are off row(X) by
    `construction`, both in units of the size that it has without cancellation; and it rounds v. Later steps multiply
    what has been by at most decay/least_decay (1 for batch normalization).
    """
    units = 8 * (problem.rows + problem.columns) * UNIT_ROUNDOFF + 2 * problem.construction
    largest = np.sqrt(np.square(problem.v).sum(-1) + run.travel)
    return units * run.reach + 8 * steps * UNIT_ROUNDOFF * largest


@counterexample(part="(a)", reading="with eps")
def test_with_the_default_eps_descent_lowers_the_loss_at_one_point_of_the_normalized_space():
    # given  one weight, whose normalized space is {-1, 1}
    w, eps, eta = Fraction(1, 100), Fraction(1, 100_000), Fraction(121, 200_000)
    before, slope = loss_and_slope(w, eps)
    # when   a step, after which w/|w| is still 1
    after = w - eta * slope
    assert_identical(after, w / 2, why="the weight after a step")
    # then   were L a function on the normalized space, it would not have changed
    value = loss_and_slope(after, eps)[0]
    assert_violates(before, value, reads="loss {value} > {limit} at the same point", x=[1, -1], w=w, eps=eps, eta=eta)


@counterexample(part="(a)", reading="with eps")
def test_hypothesis_finds_an_eps_with_which_descent_moves_the_loss_but_not_the_direction():
    def sides(instance):
        w, eps = Fraction(instance[0]), Fraction(1, instance[1])
        before, slope = loss_and_slope(w, eps)
        return (before, loss_and_slope(w - slope / 4, eps)[0]) if w > slope / 4 else (before, before)

    found = smallest_violation(st.tuples(st.integers(1, 8), st.integers(1, 10**6)), lambda i: np.greater(*sides(i)))
    value, limit = sides(found)
    assert_violates(value, limit, reads="loss {value} > {limit} at the same point", w=found[0], eps=f"1/{found[1]}")


@as_printed(part="(a)")
@pytest.mark.parametrize("kind", ["batch", "layer", "weight"])
@given_batches(size=100, problem=problems)
def test_directions_descend_on_their_spheres_at_steps_over_the_square_of_their_lengths(kind, problem):
    # given  torch's gradients at theta and at omega, all groups at length 1
    W, eta = as_group(kind, problem.W), np.reshape(problem.step, (-1, 1, 1))
    rho = norm(W, axis=-1, keepdims=True)
    omega = (W / rho).reshape(problem.W.shape)
    g, g_omega = (as_group(kind, autograd(kind, problem, at)[1]) for at in (problem.W, omega))
    # when   a step of gradient descent on theta, and one on the spheres at eta/rho^2 with the retraction to length 1
    after, ahead = W - eta * g, as_group(kind, omega) - eta / rho**2 * g_omega
    length, ahead_length = (norm(v, axis=-1, keepdims=True) for v in (after, ahead))
    # then   as |ahead| >= 1, normalizing does not expand errors
    dg, dg_omega = (gradient_rounding(kind, problem, at)[1] for at in (problem.W, omega))
    least, rate = rho.min((-2, -1)), eta[:, 0, 0]
    error = 2 * rate * (dg / least + dg_omega / least**2) + 64 * UNIT_ROUNDOFF * ahead_length.max((-2, -1))
    gap = norm(after / length - ahead / ahead_length, axis=-1).max(-1)
    assert_at_most(gap, error, why="directions after a step", instance=problem)
    # and   the length grows by what the step has on the sphere
    growth = np.abs(length / rho - np.sqrt(1 + (eta / rho**2 * norm(g_omega, axis=-1, keepdims=True)) ** 2))
    assert_at_most(growth.max((-2, -1)), error, why="lengths after a step", instance=problem)


@corrected("C1", part="(a)")
@neuron_by_neuron
@given_batches(size=100, problem=problems)
def test_every_neuron_has_a_clock_of_its_own_to_the_last_bit(kind, problem):
    # given  neurons at four scales c_j, powers of two
    c = 2.0 ** (problem.k[:, None] * [1, -1, 0, 2])[..., None]
    eta = np.reshape(problem.step, (-1, 1, 1))
    # when   one step of gradient descent on torch's layers, at the one rate eta, and at the rates eta/c_j^2 from W
    after = c * problem.W - eta * autograd(kind, problem, c * problem.W)[1]
    ahead = problem.W - eta / c**2 * autograd(kind, problem, problem.W)[1]
    # then
    assert_identical(after / c, ahead, why="directions at their own rates")


@corrected("C1", part="(a)")
def test_the_flow_is_the_flow_of_the_sphere_at_the_time_over_the_square_of_the_length():
    # given  whitened inputs, y = zhat of the direction e_1, 36 starts at 12 angles and three lengths
    X = np.array([[1.0, 1], [1, -1], [-1, 1], [-1, -1]])
    angles, rho = (grid.ravel() for grid in np.meshgrid(np.arange(1, 13) / 4, [0.5, 1.0, 3.0]))
    start, times = rho[:, None] * np.stack([np.cos(angles), np.sin(angles)], axis=1), np.array([0.05, 0.3, 1.0])

    def field(w):
        zhat, s = standardize(w @ X.T, -1)
        return -pull_back(zhat, s, (zhat - X[:, 0]) / 4, -1) @ X

    # when   L = 1 - cos(angle), so that on the unit circle tan(angle/2) decays as exp(-t)
    flow = gradient_flow(field, start, times)
    at = 2 * np.arctan(np.tan(angles / 2) * np.exp(-times[:, None] / rho**2))
    expected = rho[:, None] * np.stack([np.cos(at), np.sin(at)], axis=-1)
    # then   so does it at t/rho^2, and |w| stays
    error = np.broadcast_to(flow.error[:, None], at.shape) + 64 * UNIT_ROUNDOFF * rho
    assert_at_most(norm(flow.states - expected, axis=-1), error, why="the flow on the sphere at t/rho^2")
    assert_at_most(np.abs(norm(flow.states, axis=-1) - rho), error, why="|w|")


@corrected("C3", part="(b)")
@given_batches(size=100, problem=problems)
def test_the_normalized_space_is_an_ellipsoid_of_the_batch_covariance(problem):
    import torch

    # when   torch's features, w_j/s of which is the normalized weight
    zhat = torch_hidden("batch", problem, torch.tensor(problem.W), ABSORBED).numpy()
    # then   w'Sigma w = s^2: mean 0 and variance 1 over the batch, so gamma^2 is the variance of the output
    E = feature_rounding("batch", problem, problem.W)
    assert_at_most(np.abs(zhat.mean(1)).max(-1), 2 * E, why="mean of a feature", instance=problem)
    assert_at_most(np.abs(np.square(zhat).mean(1) - 1).max(-1), 8 * E, why="variance of a feature", instance=problem)


@corrected("C4", part="(b)")
@given_batches(size=100, problem=problems)
def test_batch_normalization_is_weight_normalization_in_coordinates_that_whiten_the_batch(problem):
    import torch

    # given  X_c = QR, so that sqrt(n) Q is white and R'R/n = Sigma
    Q, R = np.linalg.qr(problem.X - problem.X.mean(1, keepdims=True))
    white = dataclasses.replace(problem, X=np.sqrt(SAMPLES) * Q)
    # when   torch's layers
    batch = torch_hidden("batch", problem, torch.tensor(problem.W), ABSORBED)
    weight = torch_hidden("weight", white, torch.tensor(problem.W @ R.mT), ABSORBED)
    # then   QR is backward stable, to less than what the centering costs
    error = (batch - weight).abs().amax((-2, -1)).numpy()
    assert_at_most(error, 8 * feature_rounding("batch", problem, problem.W), why="features", instance=problem)


@corrected("C4", part="(b)")
@given_batches(size=100, problem=problems)
def test_on_whitened_data_the_two_have_the_same_gradient(problem):
    # given  a batch with mean 0 and covariance I
    white = dataclasses.replace(problem, X=np.sqrt(SAMPLES) * basis_without_constants(SAMPLES, 3) + 0 * problem.X)
    batch, weight = (autograd(kind, white, white.W)[1] for kind in ("batch", "weight"))
    # then
    rounding = sum(gradient_rounding(kind, white, white.W)[1] for kind in ("batch", "weight"))
    assert_at_most(norm(batch - weight, axis=(-2, -1)), rounding, why="gradients of both", instance=problem)


@under_hypotheses("H1", part="(b)")
@given_batches(size=100, problem=regressions)
def test_batch_normalization_selects_the_interpolant_nearest_to_the_rescaled_start(problem):
    # when   descent, to whatever residual
    run, beta, scale, residual = batch_norm_run(problem)
    assert_at_most(residual, CONVERGED, why="convergence within the budget", instance=problem)
    # then   against LAPACK's nearest interpolant to (gamma/s) w_0
    limit = nearest_interpolant(problem.X, problem.y, scale[:, None] * problem.v)
    size = np.abs(scale) * norm(problem.v, axis=-1) + norm(limit, axis=-1)
    oracle = 32 * (problem.rows + problem.columns) * UNIT_ROUNDOFF * problem.condition * size
    bound = residual / problem.sigma_min + np.abs(scale) * drift_rounding(problem, run, STEPS) + 2 * oracle
    assert_at_most(norm(beta - limit, axis=-1), bound, why="distance to what is selected", instance=problem)


@corrected("C5", part="(b)")
@given_batches(size=100, problem=regressions)
def test_batch_normalization_never_moves_the_null_part_and_lengthens_the_rest_by_its_steps(problem):
    # when
    run, _, scale, residual = batch_norm_run(problem)
    (row, null), (row_0, null_0) = parts(problem, run.v), parts(problem, problem.v)
    # then   |P w|^2 = |P w_0|^2 + sum |dw|^2 up to 2|w| times the rounding of each step
    drift = drift_rounding(problem, run, STEPS)
    assert_at_most(norm(null - null_0, axis=-1), drift, why="null part of w", instance=problem)
    assert_at_most(drift, 2.0**-24 * norm(problem.v, axis=-1), why="an error of 2^-24 would be seen", instance=problem)
    square = np.square(row_0).sum(-1) + run.travel
    error = np.abs(np.square(row).sum(-1) - square)
    assert_at_most(error, 4 * np.sqrt(square) * drift, why="growth of |Pw|^2", instance=problem)
    # and   |gamma|/s is the least norm over that length
    gap = np.abs(np.abs(scale) * np.sqrt(square) - problem.least_norm)
    bound = residual / problem.sigma_min + 4 * np.abs(scale) * drift + 64 * UNIT_ROUNDOFF * problem.condition
    assert_at_most(gap, bound, why="gamma/s", instance=problem)


@corrected("C7", part="(b)")
@pytest.mark.parametrize("v", [(1.0, 0.5, 0.7), (-1.0, 0.5, 0.7), (-2.0, -1.0, 1.4)])
def test_the_flow_of_batch_normalization_leaves_a_null_part_of_the_sign_of_its_scale(v):
    # given  X = diag(2, 1) and a third weight that no sample sees
    one = simplest(directed_regressions())
    X, y, v = np.array([[2.0, 0, 0], [0, 1.0, 0]]), np.array([1.0, 1.0]), np.array(v)
    problem = stack([dataclasses.replace(one, X=X, y=y, v=v, gamma=0.5, rows=2)])
    # when
    flow = settled_flow(batch_norm_slopes, deviation, problem, np.array([1e4]))
    w, gamma = flow.states[-1, :, :-1], flow.states[-1, :, -1]
    beta = (gamma / deviation(problem, w))[:, None] * w
    # then   |P beta| is off |X^+ y| by SETTLED/s_n at most, and P w and P_0 w by the error of the flow
    least, length, error = np.sqrt(5) / 2, norm(v[:2]), flow.error[-1]
    slack = (SETTLED * v[2] + (least + SETTLED) * error * (1 + v[2] / length)) / (length - error)
    predicted = np.sign(gamma) * least * v[2] / length
    assert_at_most(np.abs(beta[:, 2] - predicted), slack, why="the null part of beta")
    assert_at_most(deviation(problem, w), 3 / 4 * deviation(problem, problem.v), why="s has fallen by a quarter")


@corrected("C8", part="(b)")
@given_batches(size=100, problem=regressions)
def test_weight_normalization_multiplies_the_null_part_by_what_the_scale_says_in_every_step(problem):
    # given  steps of at most 1/8 rho^2 over the square of the least norm
    rho, steps = norm(problem.v, axis=-1), 300
    eta = np.minimum(1, (rho / problem.least_norm) ** 2) / 8
    # when
    run = normalized_descent(weight_norm_slopes, problem, problem.v, problem.gamma, eta, steps)
    null, null_0 = (parts(problem, v)[1] for v in (run.v, problem.v))
    # then   prod (1 - gamma (gamma' - gamma)/rho^2), rho growing
    carried = drift_rounding(problem, run, steps) * run.decay / run.least_decay
    error = norm(null - run.decay[:, None] * null_0, axis=-1)
    assert_at_most(error, carried, why="null part of v", instance=problem)
    growth = np.square(run.v).sum(-1) - rho**2 - run.travel
    bound = 4 * np.sqrt(rho**2 + run.travel) * drift_rounding(problem, run, steps)
    assert_at_most(np.abs(growth), bound, why="growth of |v|^2", instance=problem)


def settled_flow(slopes, lengths, problem, times):
    """The flow of (v, gamma) at these times and where the largest |X beta - y| of the batch has fallen to SETTLED.

    beta = gamma v/lengths(problem, v).
    """

    def fields(state):
        dv, dgamma = slopes(problem, state[:, :-1], state[:, -1])
        return np.concatenate([dv, dgamma[:, None]], axis=1)

    def left(state):
        v, gamma = state[:, :-1], state[:, -1]
        beta = (gamma / lengths(problem, v))[:, None] * v
        return norm(np.matvec(problem.X, beta) - problem.y, axis=-1).max() - SETTLED

    start = np.concatenate([problem.v, problem.gamma[:, None]], axis=1)
    return gradient_flow(fields, start, times, until=left)


def flow_of_weight_norm(problem, times):
    return settled_flow(weight_norm_slopes, lambda _, v: norm(v, axis=-1), problem, times)


@pytest.mark.slow
@corrected("C8", part="(b)")
@given_batches(size=100, problem=regressions)
def test_the_flow_of_weight_normalization_ends_where_one_scalar_equation_says(problem):
    # when   the flow, looked at early, later, and where it has settled
    flow = flow_of_weight_norm(problem, np.array([0.1, 0.5, 1000.0]))
    v, gamma, error = flow.states[..., :-1], flow.states[..., -1], flow.error[:, None]
    rho, null_0 = norm(problem.v, axis=-1), parts(problem, problem.v)[1]
    # then   v_perp = v_perp(0) exp(-(gamma^2 - gamma_0^2)/(2 rho^2)), and |v| stays
    kept = np.exp(-(gamma**2 - problem.gamma**2) / (2 * rho**2))
    slack = error * (2 + kept * rho * (2 * np.abs(gamma) + error) / rho**2)
    gap = norm(np.matvec(problem.N @ problem.N.mT, v) - kept[..., None] * null_0, axis=-1)
    assert_at_most(gap.T, slack.T, why="null part of v", instance=problem)
    assert_at_most(np.abs(norm(v, axis=-1) - rho).max(1), flow.error, why="|v| along the flow")
    # and   gamma at the end is between the solutions for a row part of the least norm, less and plus residual/s_n
    off = SETTLED / problem.sigma_min + 8 * error[-1] * (1 + np.abs(gamma[-1]) / rho)
    low, high = (
        weight_norm_limit(problem.least_norm + side * off, problem.gamma, rho, norm(null_0, axis=-1))
        for side in (-1, 1)
    )
    assert_within(low, np.abs(gamma[-1]), high, slack=4 * error[-1], why="|gamma| at the end", instance=problem)


def limit_bounds(least, gamma, rho, log_k):
    """The bounds of gamma^2 at the end: w_mn^2 and gamma_0^2 - rho^2 ln(1/k), M + rho^2 max(1, ln(1 + M/rho^2)).

    k is the share of |v_0|^2 in null(X), and M the larger of w_mn^2 and gamma_0^2. Where k = 0 both are w_mn^2.
    """
    M = np.maximum(least, np.abs(gamma)) ** 2
    upper = M + rho**2 * np.maximum(1, np.log1p(M / rho**2))
    return np.maximum(least**2, gamma**2 + rho**2 * log_k), np.where(np.isneginf(log_k), least**2, upper)


@corrected("C9", "C10", part="(b)")
@given_batches(size=100, problem=regressions)
def test_for_short_directions_the_limit_of_weight_normalization_is_the_longer_of_least_norm_and_start(problem):
    # given  |v_0| from 1 down to 2^-9 of the least norm
    (row, null), length = (norm(part, axis=-1) for part in parts(problem, problem.v)), norm(problem.v, axis=-1)
    rho = problem.least_norm * 2.0 ** -(problem.t % 10)
    # when   the scalar equation
    q = weight_norm_limit(problem.least_norm, problem.gamma, rho, null * rho / length) ** 2
    # then   its left side, which increases, passes |w_mn|^2 between q less and plus 1024 roundings
    log_k = np.where(null > 0, 2 * np.log(np.where(null > 0, null / length, 1)), -np.inf)
    sides = (q * (1 + sign * 1024 * UNIT_ROUNDOFF) for sign in (-1, 1))
    below, above = (at * (1 - np.exp(log_k + (problem.gamma**2 - at) / rho**2)) for at in sides)
    assert_within(below, problem.least_norm**2, above, why="the scalar equation", instance=problem)
    # and   what tends to the square of the longer one with rho
    lower, upper = limit_bounds(problem.least_norm, problem.gamma, rho, log_k)
    assert_within(lower, q, upper, slack=64 * UNIT_ROUNDOFF * upper, why="gamma^2 at the end", instance=problem)
    # and   the null part of v grows where gamma falls, which the row part of the start decides
    fallen, longer = np.abs(problem.gamma) - np.sqrt(q), np.abs(problem.gamma) * row / length - problem.least_norm
    clear = np.abs(longer) > 4096 * UNIT_ROUNDOFF * (1 + problem.gamma**2)
    assert_at_most(0, np.where(clear & (null > 0), np.sign(longer) * fallen, 0), why="who grows", instance=problem)


@corrected("C9", "C10", part="(b)")
@pytest.mark.slow
@given(gamma=st.floats(-3, 3), rho=st.floats(-3, 3), share=st.integers(1, 24), near=st.booleans())
def test_both_hold_over_six_orders_of_magnitude_and_for_starts_almost_in_either_space(gamma, rho, share, near):
    # given  |X^+ y| = 1, |gamma_0| and |v_0| as powers of ten, and the share k or 1 - k = 2^-share in the null space
    gamma, rho, one = np.array([10.0**gamma]), np.array([10.0**rho]), np.ones(1)
    k = 1 - 2.0**-share if near else 2.0**-share
    # when   the scalar equation
    q = weight_norm_limit(one, gamma, rho, np.sqrt(k) * rho) ** 2
    # then   up to the rounding of k, magnified by the slope 1/(1 - k)
    slack = 4096 * UNIT_ROUNDOFF / (1 - k)
    lower, upper = limit_bounds(one, gamma, rho, np.log(k))
    assert_within(lower * (1 - slack), q, upper * (1 + slack), why="gamma^2 at the end")
    fallen, longer = gamma - np.sqrt(q), gamma * np.sqrt(1 - k) - 1
    clear = np.abs(longer) > slack * (1 + gamma)
    assert_at_most(-slack * gamma, np.where(clear, np.sign(longer) * fallen, 0), why="who grows")


@corrected("C10", part="(b)")
def test_the_upper_bound_of_the_limit_is_nearly_attained():
    # given  |gamma_0| = |X^+ y| = 1, |v_0| = 2^-9, and all but 2^-20 of v_0 where no sample sees it
    one, rho, null = np.ones(1), np.full(1, 2.0**-9), np.full(1, 2.0**-9 * np.sqrt(1 - 2.0**-20))
    q = weight_norm_limit(one, one, rho, null) ** 2
    _, upper = limit_bounds(one, one, rho, np.log1p(-(2.0**-20)))
    assert_at_most((upper - 1) / 2, q - 1, why="gamma^2 - M, at least half of its bound")


@corrected("C10", part="(b)")
@pytest.mark.parametrize("gamma", [0.5, 1.5])
def test_the_flow_from_a_short_direction_ends_at_the_longer_of_least_norm_and_start(gamma):
    # given  x = (1, 0), y = 1 and |v_0| = 1/16, four fifths of which no sample sees
    one, rho = stack([simplest(directed_regressions())]), 1 / 16
    problem = dataclasses.replace(one, y=np.ones((1, 1)), v=rho * np.array([[0.6, 0.8]]), gamma=np.array([gamma]))
    assert_identical(problem.X, [[[1, 0]]], why="the sample")
    # when
    flow = flow_of_weight_norm(problem, np.array([1000.0]))
    # then   within what a row part of w that is off by SETTLED, and a v that is off by the error, leave open
    slack = 5 * SETTLED + 16 * flow.error[-1] * (1 + gamma**2) / rho
    lower, upper = limit_bounds(1, gamma, rho, 2 * np.log(0.8))
    assert_within(lower, flow.states[-1, :, -1] ** 2, upper, slack=slack, why="gamma^2 at the end")


@corrected("C9", part="(b)")
@pytest.mark.parametrize(("gamma", "grows"), [(1.5, False), (2.0, True)])
def test_the_flow_shrinks_the_null_part_of_a_start_whose_row_part_is_short(gamma, grows):
    # given  x = (1, 0), y = 1, v_0 = (0.6, 0.8)/16: the row part of w_0 is 0.9 or 1.2, against 1; |gamma_0| > 1
    one, rho = stack([simplest(directed_regressions())]), 1 / 16
    problem = dataclasses.replace(one, y=np.ones((1, 1)), v=rho * np.array([[0.6, 0.8]]), gamma=np.array([gamma]))
    # when
    flow = flow_of_weight_norm(problem, np.array([1000.0]))
    kept = flow.states[-1, 0, 1] / (0.8 * rho)
    # then
    error = 2 * flow.error[-1] / rho
    sides = (1 + error, kept) if grows else (kept, 1 - error)
    assert_at_most(*sides, why="the null part of v over that of v_0")
    assert_at_most(abs(kept - 0.932) * (1 - grows), 1 / 2000 + error, why="0.932 of it is left from 3/2")


@corrected("C6", part="(b)")
@given_batches(size=100, problem=problems)
def test_in_a_network_batch_normalization_moves_no_null_part_of_a_first_layer(problem):
    # given  inputs in three of five dimensions, turned, and weights on all five
    turn = np.linalg.qr(np.cos(np.outer(np.arange(1, 6) ** 2, np.arange(1, 6))))[0]
    inside, outside = turn[:3], turn[3:]
    W = problem.W @ inside + np.roll(problem.W, 1, axis=1)[..., :2] @ outside
    wider = dataclasses.replace(problem, X=problem.X @ inside)
    # when
    _, g = autograd("batch", wider, W)
    # then   the rows of X are off the subspace by a rounding of 8 u |X|, and so is g
    slack = gradient_rounding("batch", wider, W)[1] + 64 * UNIT_ROUNDOFF * norm(g, axis=(-2, -1))
    assert_at_most(norm(g @ outside.T, axis=(-2, -1)), slack, why="null part of the gradient", instance=problem)


def rest_at_zero_scale(w, y):
    """The loss, exact, at which descent rests from gamma_0 = 0 for X = (I 0), two samples about their mean; or -1."""
    problem = SimpleNamespace(X=np.eye(2, 3)[None], y=np.array([y], float), rows=np.array([2]))
    slopes = batch_norm_slopes(problem, np.array([w], float), np.zeros(1))
    return -1 if any(slope.any() for slope in slopes) else Fraction(sum(entry * entry for entry in y), 6)


@counterexample(part="(b)")
def test_a_start_at_a_saddle_selects_no_minimum():
    # given  x = e_1 and e_2, y = (1, 0), w_0 = (0, 1, 1) and gamma_0 = 0: the activations do not correlate with y
    found = rest_at_zero_scale((0, 1, 1), (1, 0))
    assert_violates(found, 0, reads="loss {value} for ever > {limit}", X="I_23", y=[1, 0], w_0=[0, 1, 1], gamma_0=0)


@counterexample(part="(b)")
def test_hypothesis_finds_a_start_that_selects_no_minimum():
    weights, targets = (st.tuples(*[st.integers(-3, 3)] * count) for count in (3, 2))
    starts = st.tuples(weights.filter(lambda w: any(w[:2])), targets)
    w, y = smallest_violation(starts, lambda start: rest_at_zero_scale(*start) > 0)
    assert_violates(rest_at_zero_scale(w, y), 0, reads="loss {value} for ever > {limit}", w_0=w, y=y, gamma_0=0)


@corrected("C11", part="(b)")
@given_batches(size=100, problem=regressions)
def test_every_batch_of_three_samples_or_more_has_a_saddle_and_one_of_two_has_none(problem):
    # given  gamma = 0, and w with X_c w orthogonal to y, or any w for two samples, which vary in one direction alone
    size, several = norm(problem.y, axis=-1), problem.rows > 1
    z = np.sqrt(np.arange(1, 1 + problem.y.shape[1])) * (np.arange(problem.y.shape[1]) < problem.rows[:, None])
    z = z - ((z * problem.y).sum(-1) / size**2)[:, None] * problem.y
    length = np.where(several, norm(z, axis=-1), 1)
    assert_at_most(2.0**-20, length, why="X_c w is not 0", instance=problem)
    w = np.where(several[:, None], nearest_interpolant(problem.X, z, np.zeros_like(problem.v)), problem.v)
    # when
    dw, dgamma = batch_norm_slopes(problem, w, np.zeros(len(w)))
    # then   dgamma is the correlation of Xw with y over sqrt(N), which is |y|/sqrt(N) in modulus for two samples
    assert_identical(dw, 0 * dw, why="dL/dw")
    rounding = 1024 * UNIT_ROUNDOFF * problem.condition * size / length
    due = np.where(several, 0, size / np.sqrt(problem.rows + 1))
    assert_within(due, np.abs(dgamma), due, slack=rounding, why="|dL/dgamma|", instance=problem)


@necessity("H1", part="(b)")
def test_without_H1_a_run_that_rests_at_a_saddle_is_no_interpolant_of_any_rescaled_start():
    # given  the start of the counterexample, where beta = 0
    assert_identical(rest_at_zero_scale((0, 1, 1), (1, 0)), Fraction(1, 6), why="the loss at rest")


@corrected("C2", part="(a)")
def test_with_eps_the_gradient_is_not_tangential():
    # given  w = 1 and the default eps
    eps = Fraction(1, 100_000)
    _, slope = loss_and_slope(Fraction(1), eps)
    assert_identical(slope, eps / (1 + eps) ** 2, why="<g, theta>, by which the length moves")


@corrected("C2", part="(a)")
@given(st.integers(-1000, 1000))
def test_the_scale_behind_the_normalization_moves_radially(gamma):
    # given  L = (1/2n) sum (gamma zhat_i - y_i)^2 for zhat = (1, -1) and y = (1, -1): (gamma - 1)^2/2
    slope = Fraction(gamma - 1)
    assert_identical(gamma * slope, gamma * gamma - gamma, why="<g, gamma>, zero for gamma = 0 and 1 alone")


@corrected("C2", part="(a)")
@given(st.integers(1, 1000))
def test_a_penalty_moves_the_length(w):
    # given  eps = 0 and the penalty (1/2)w^2, of which the rate 1 leaves nothing
    _, slope = loss_and_slope(Fraction(w), 0)
    after = w - (slope + w)
    assert_identical([slope, after], [0, 0], why="a step to the origin, where there is no direction")


@corrected("C2", part="(a)")
@given(st.integers(0, 400))
def test_across_a_constant_feature_the_loss_jumps(power):
    # given  z = (w, -w) at w = 2^-power and at -w, which are as close as one likes
    zhat = [standardize(np.array([w, -w]), -1)[0] for w in (2.0**-power, -(2.0**-power))]
    assert_identical(zhat, [[1, -1], [-1, 1]], why="features on both sides of a constant one")
