r"""Section 9.2: effects of normalization - invariance, a rate for each layer, and flatter minima from long weights.

Section     9.2
Printed     Normalization induces implicit regularization by 1. scale invariance: making the loss invariant to parameter
            scale; 2. gradient rescaling: modifying effective learning rates per layer; 3. loss landscape smoothing:
            reducing sharpness of minima
Reading     (a): $L(c\theta) = L(\theta)$ for c > 0 and the parameters that a normalization acts on: those in front of
            it, which it takes together, a neuron or for layer normalization the layer. The print states no eps, so that
            features are divided by their standard deviation s; where s = 0 they are not defined; and the losses of
            Section 2.1 have no penalty. (b): the norm of a layer decides the rate at which its direction moves: a step
            eta at c theta turns it as a step $\eta/c^2$ at theta does, with $\epsilon/c^2$ for eps if there is one.
            (c) "reducing" compares with training without normalization: the minimum found with it is no sharper than
            the minimum of the plain model which computes the same function, sharpness as in Definition 6.1
Readings    (a) [with eps] features are divided by the root of s^2 + eps, as the layers of torch do it - refuted
            (a) [all parameters] "parameter scale" is that of all parameters, also of those behind the normalization -
            refuted
Setting     Batch normalization $\hat z_i = (z_i - \bar z)/\sqrt{s^2 + \epsilon}$ of each neuron over the samples, layer
            normalization of each sample over the neurons, weight normalization $w_j = v_j/|v_j|$; $z = XW^\top$,
            $f = \sum_j a_j \tanh \hat z_j$, $L = \frac1{2n}\|f - y\|^2$, g and H its gradient and Hessian in W. In (c)
            one linear neuron $f = \gamma \hat z$ against $f = \beta x$; Sigma is the covariance of the inputs, r its
            least eigenvalue that is not zero, P the projection onto its range, var(y) the variance of the targets
Hypotheses  Of (c): (H1) long weights at the start: $r |P w_0|^2 \ge \operatorname{var}(y)$.  (H2) the scale gamma is
            not trained, or $\lambda_{\max}(\Sigma) \ge 1$.
Parts       (a) scale invariance - holds
            (b) gradient rescaling - holds
            (c) loss landscape smoothing - holds under added hypotheses
Corrected   (C1) (a) With an eps, for batch and layer normalization, $L_\epsilon(c\theta) = L_{\epsilon/c^2}(\theta)$.
            (C2) (a) With it, $\langle \theta, g\rangle = \sum \frac\epsilon{s^2 + \epsilon} \hat z\, \partial
            L/\partial \hat z$, over samples and neurons. (C3) (a) With it, $\hat z$ grows by $\sqrt{(s^2 +
            \epsilon)/(s^2 + \epsilon/c^2)}$ from theta to c theta. (C4) (a) Layer normalization is not invariant to the
            scale of a single neuron, but to a vector that is added to the weights of all neurons. (C5) (a) A penalty
            $\frac12 w^2$ adds $(c^2 - 1)/2 \cdot w^2$ to the loss at cw. (C6) (a) Of a constant feature, s = 0,
            torch.nn.BatchNorm1d with an eps below its rounding makes what the rounding of its mean leaves: 1 in modulus
            for three times 0.1, and 0 for three times 1; LayerNorm with eps = 0 makes no number. (C7) (b) A step
            lengthens the weights by its own length: $\|\theta'\|^2 = \|\theta\|^2 + \eta^2 \|g\|^2$. (C8) (b) A decay
            $1 - \eta\lambda$ is no decay at the rates $\eta(1 - \eta\lambda)^{-2t-1}$. (C9) (c) At every point
            $H(c\theta) = H(\theta)/c^2$. (C10) (c) $H\theta = -g$ and $\langle g, \theta\rangle = 0$. (C11) (c) On
            inputs of covariance I the minimum of norm rho with gamma = 1 has $\lambda_{\max} = 1/\rho^2$, or $\max(1,
            1/\rho^2)$ where gamma is trained, against 1 without normalization. (C12) (c) In the plane, from 192 starts
            with $\eta/ |w_0|^2$ from 1/4 to 32, no step shortens the weights, and descent settles where
            $\eta\lambda_{\max} \le 2$
Idea        L depends on z through z/s. Differentiating $L(c\theta) = L(\theta)$ gives $\langle g, \theta\rangle = 0$,
            $g(c\theta) = g/c$, $H(c\theta) = H/c^2$ and $H\theta = -g$; so steps lengthen theta and turn it by
            $\eta/\|\theta\|^2$. At a fit the Hessian in w is $\gamma^2 (\Sigma/s^2 - \Sigma w w^\top \Sigma/s^4)$, at
            most $\gamma^2/s^2$ times the plain one, and that in gamma is 1.
Source      Li, Arora (2020), An Exponential Learning Rate Schedule for Deep Learning, ICLR; Arora, Li, Lyu (2019),
            Theoretical Analysis of Auto Rate-Tuning by Batch Normalization, ICLR; Cai, Li, Shen (2019), A Quantitative
            Analysis of the Effect of Batch Normalization on Gradient Descent, ICML (any rate converges); Dinh, Pascanu,
            Bengio, Bengio (2017), Sharp Minima Can Generalize for Deep Nets, ICML; Santurkar, Tsipras, Ilyas, Madry
            (2018), How Does Batch Normalization Help Optimization?, NeurIPS (smoothing as a property of gradients in
            z); proofs are ours
Tolerance   Scaling by powers of two is exact in floating point, also within torch's kernels: loss, gradient, curvature
            and whole trajectories are compared bit for bit. Elsewhere a first-order analysis of the cancellation in
            z - mean (properties.normalized), or rational arithmetic
Findings    (b) needs no eps = 0: the gradient at c theta is that of eps/c^2 at theta, over c. With eps = 0 a run at
            another scale is the same run at another rate; with an eps it is a run with eps/c^2. In torch 2.13
            BatchNorm1d refuses eps = 0 in training (LayerNorm takes it); an eps below u s^2/2 is rounded away. By C9
            sharpness is what the length of the weights makes it, and only $|\theta|^2 \lambda_{\max}$ belongs to the
            function: a short start can end sharper than the plain model. Second derivatives through torch's weight_norm
            are wrong in torch 2.13, their first are right: there H is not symmetric
Expected    holds under added hypotheses
"""

import dataclasses
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.linalg import norm

from fixtures.dynamics.normalized import batch_norm_slopes, descend, normalized_descent, polar_step
from fixtures.models.normalized import (
    ABSORBED,
    KINDS,
    autograd,
    curvature_along,
    invariant_groups,
    normalized_stack,
    reference,
    standardize,
    torch_hidden,
)
from fixtures.precision import UNIT_ROUNDOFF
from fixtures.problems.batches import given_batches
from fixtures.problems.normalized import directed_regressions, normalized_problems
from fixtures.problems.tapes import tapes
from fixtures.rational import fractions
from properties.certificates import assert_at_most, assert_identical, assert_keeps, assert_violates, assert_within
from properties.normalized import feature_rounding, gradient_rounding, radial_rounding
from properties.search import smallest_violation
from properties.sharpness import sharpness
from theorems.ledger import as_printed, corrected, counterexample, necessity, observed, under_hypotheses

DEFAULT_EPS = Fraction(1, 100_000)
"""That of torch's layers."""
CORNERS = [[1, 1], [1, -1], [-1, 1], [-1, -1]]
"""Four inputs with mean 0 and covariance I."""

problems = normalized_problems()
every_kind = pytest.mark.parametrize("kind", KINDS)
standardized = pytest.mark.parametrize("kind", ["batch", "layer"])


def factor(problem):
    """C = 2^k, (B, 1, 1)."""
    return 2.0 ** problem.k[:, None, None]


def loss_of_one_neuron(w, eps, output=1, penalty=0):
    """(1/2n) sum (output zhat_i)^2 + penalty w^2/2 for x = (1, -1), y = 0: output^2 w^2/(2(w^2 + eps)) + ...; exact."""
    return Fraction(output) ** 2 * w**2 / (2 * (w**2 + eps)) + penalty * Fraction(w) ** 2 / 2


@counterexample(part="(a)", reading="with eps")
def test_at_the_default_eps_twice_the_weight_has_a_larger_loss():
    import torch

    # given  the loss of the torch layer at w = 1/64 and w = 1/32, off by some roundings
    layer = torch.nn.BatchNorm1d(1, affine=False, dtype=torch.float64)
    small, large = (loss_of_one_neuron(Fraction(w, 64), DEFAULT_EPS) for w in (1, 2))
    found = [float(layer(torch.tensor([[w], [-w]], dtype=torch.float64)).square().mean() / 2) for w in (1 / 64, 1 / 32)]
    assert_at_most(np.abs(np.array(found) - [float(small), float(large)]), 16 * UNIT_ROUNDOFF, why="torch's loss")
    # then
    assert_violates(large, small, reads="loss {value} at 2w > {limit} at w", x=[1, -1], y=0, w="1/64", eps=DEFAULT_EPS)


@counterexample(part="(a)", reading="with eps")
def test_hypothesis_finds_an_eps_with_which_the_loss_depends_on_the_scale():
    # given  the weights 1 and c, and some eps
    def losses(instance):
        return [loss_of_one_neuron(Fraction(scale), Fraction(1, instance[1])) for scale in (instance[0], 1)]

    found = smallest_violation(st.tuples(st.integers(1, 8), st.integers(1, 10**6)), lambda i: np.ptp(losses(i)) > 0)
    assert_violates(*losses(found), reads="loss {value} at cw > {limit} at w", c=found[0], eps=f"1/{found[1]}")


@counterexample(part="(a)", reading="all parameters")
def test_twice_the_weight_and_twice_the_output_weight_have_four_times_the_loss():
    before, after = (loss_of_one_neuron(Fraction(c), 0, output=c) for c in (1, 2))
    assert_violates(after, before, reads="loss {value} at 2 theta > {limit} at theta", x=[1, -1], y=0, theta=[1, 1])


@counterexample(part="(a)", reading="all parameters")
def test_hypothesis_finds_parameters_whose_common_scale_changes_the_loss():
    def losses(instance):
        c, output = instance
        return [loss_of_one_neuron(Fraction(scale), 0, output=scale * output) for scale in (c, 1)]

    found = smallest_violation(st.tuples(st.integers(1, 8), st.integers(-8, 8)), lambda i: np.greater(*losses(i)))
    assert_violates(*losses(found), reads="loss {value} at c theta > {limit}", c=found[0], output=found[1])


@as_printed(part="(a)")
@every_kind
@given_batches(size=100, problem=problems)
def test_scaled_by_a_power_of_two_the_loss_is_the_same_to_the_last_bit(kind, problem):
    # when   torch's own layers
    losses = [autograd(kind, problem, c * problem.W)[0] for c in (1, factor(problem))]
    # then
    assert_identical(*losses, why="L(c theta) = L(theta)")


@as_printed(part="(a)")
@every_kind
@given_batches(size=100, problem=problems)
def test_the_gradient_is_orthogonal_to_what_may_be_scaled(kind, problem):
    # when
    _, g = autograd(kind, problem, problem.W)
    # then   neuron by neuron, and for layer normalization of the layer; the bound grows as (max|z|/s)^2
    radial = (g * problem.W).sum(-1)
    error = np.abs(radial.sum(-1) if kind == "layer" else radial.T).T
    bound = radial_rounding(kind, problem, problem.W)
    assert_at_most(error.reshape(len(bound), -1).max(-1), bound, why="<g, theta> = 0", instance=problem)


@corrected("C4", part="(a)")
@given_batches(size=100, problem=problems)
def test_layer_normalization_is_invariant_to_a_shift_of_all_neurons(problem):
    # when   c is added to every row of W
    W, shifted = problem.W, problem.W + problem.shift[:, None, :]
    (before, g), (after, _) = (autograd("layer", problem, at) for at in (W, shifted))
    # then   the loss stays, but for the rounding of W + 1c', and the columns of g sum to zero
    (first, dg), (second, _) = (gradient_rounding("layer", problem, at) for at in (W, shifted))
    moved = UNIT_ROUNDOFF * (norm(problem.X, axis=-1).max(-1) * norm(shifted, axis=(-2, -1)))
    A = np.abs(problem.a).sum(-1)
    carried = (A + np.abs(problem.y).max(-1)) * A * 6 * moved / reference("layer", problem, W).s.min((-2, -1))
    assert_at_most(np.abs(after - before), first + second + carried, why="L(W + 1c')", instance=problem)
    assert_at_most(norm(g.sum(1), axis=-1), 2 * dg, why="columns of g sum to zero", instance=problem)


@corrected("C1", part="(a)")
@standardized
@pytest.mark.parametrize("eps", [1e-5, 0.1])
@given_batches(size=100, problem=problems)
def test_with_eps_the_invariance_is_of_theta_and_eps_together(kind, eps, problem):
    # when   c = 1/2 for the whole batch, so that one layer has one eps
    small, large = autograd(kind, problem, problem.W / 2, eps)[0], autograd(kind, problem, problem.W, 4 * eps)[0]
    # then   bit for bit
    assert_identical(small, large, why="L_eps(c theta) = L_{eps/c^2}(theta)")


@corrected("C2", part="(a)")
@standardized
@pytest.mark.parametrize("eps", [1e-5, 0.1])
@given_batches(size=100, problem=problems)
def test_with_eps_the_gradient_leans_outwards_or_inwards_by_exactly_eps_over_the_variance(kind, eps, problem):
    # when
    _, g = autograd(kind, problem, problem.W, eps)
    # then
    at = reference(kind, problem, problem.W, eps)
    predicted = (eps / at.s**2 * at.zhat * at.upstream).sum((-2, -1))
    error = np.abs((g * problem.W).sum((-2, -1)) - predicted)
    assert_at_most(error, radial_rounding(kind, problem, problem.W, eps), why="<theta, g>", instance=problem)


@corrected("C3", part="(a)")
@standardized
@given_batches(size=100, problem=problems)
def test_with_eps_the_features_grow_with_the_scale_by_a_known_factor(kind, problem):
    import torch

    eps, c = 1e-5, factor(problem)
    # when   torch's layer at theta and at c theta
    here, there = (torch_hidden(kind, problem, torch.tensor(W), eps).numpy() for W in (problem.W, c * problem.W))
    # then   up to the cancellation in both
    s = reference(kind, problem, problem.W).s
    growth = np.sqrt((s**2 + eps) / (s**2 + eps / c**2))
    E, scaled = (feature_rounding(kind, problem, W, eps) for W in (problem.W, c * problem.W))
    bound = scaled + 2 * growth.max((-2, -1)) * E
    assert_at_most(np.abs(there - growth * here).max((-2, -1)), bound, why="zhat(c theta)", instance=problem)


@corrected("C4", part="(a)")
def test_layer_normalization_is_not_invariant_to_the_scale_of_a_single_neuron():
    # given  two neurons with the values 1 and 2, and the first of them tripled
    before, after = (standardize(np.array([first, 2.0]), -1)[0] for first in (1.0, 3.0))
    # then   the features change their signs
    assert_identical([before, after], [[-1, 1], [1, -1]], why="features of both neurons")


@corrected("C5", part="(a)")
@given(st.integers(2, 1000), st.integers(1, 1000))
def test_an_L2_term_is_not_scale_invariant(c, w):
    # given  the penalty (1/2) w^2, and eps = 0
    after, before = (loss_of_one_neuron(Fraction(at), 0, penalty=1) for at in (c * w, w))
    assert_identical(after - before, Fraction((c * c - 1) * w * w, 2), why="L(cw) - L(w)")


@corrected("C6", part="(a)")
def test_a_constant_feature_is_normalized_to_its_own_rounding():
    import torch

    # given  a constant feature, at two scales, in floating point
    batch = torch.nn.BatchNorm1d(2, eps=ABSORBED, affine=False, dtype=torch.float64)
    layer = torch.nn.LayerNorm(3, eps=0, elementwise_affine=False, dtype=torch.float64)
    features = torch.tensor([[0.1, 1.0]] * 3, dtype=torch.float64)
    # then   0/0 in exact arithmetic; here the size of a full signal at one scale, and zero at the other
    assert_identical(batch(features).abs(), [[1, 0]] * 3, why="|zhat| of 0.1, 0.1, 0.1 and of 1, 1, 1")
    assert_identical(layer(features.T).isnan().sum(), 6, why="no number at all")


@as_printed(part="(b)")
@standardized
@pytest.mark.parametrize("eps", [1e-5, 0.1])
@given_batches(size=100, problem=problems)
def test_at_any_eps_weights_of_half_the_length_are_turned_at_four_times_the_rate(kind, eps, problem):
    # when   a step eta of gradient descent through torch's own layers at W/2, and 4 eta with 4 eps at W
    eta = np.reshape(problem.step, (-1, 1, 1))
    small = problem.W / 2 - eta * autograd(kind, problem, problem.W / 2, eps)[1]
    large = problem.W - 4 * eta * autograd(kind, problem, problem.W, 4 * eps)[1]
    # then   the same direction, bit for bit
    assert_identical(2 * small, large, why="theta/2 - eta g_eps(theta/2)")


@as_printed(part="(b)")
@every_kind
@given_batches(size=100, problem=problems)
def test_the_gradient_of_torch_is_pulled_back_through_the_standard_deviation(kind, problem):
    # when   autograd through torch's layers, and dL/dz = (u - mean u - zhat mean(zhat u))/s with u = dL/dzhat
    losses, g = autograd(kind, problem, problem.W)
    at = reference(kind, problem, problem.W)
    # then   both computations round
    loss, gradient = gradient_rounding(kind, problem, problem.W)
    assert_at_most(np.abs(losses - at.loss), 2 * loss, why="loss", instance=problem)
    assert_at_most(norm(g - at.gradient, axis=(-2, -1)), 2 * gradient, why="gradient", instance=problem)


@as_printed(part="(b)")
@every_kind
@given_batches(size=100, problem=problems)
def test_the_gradient_of_a_layer_is_inverse_to_its_scale_to_the_last_bit(kind, problem):
    # when   torch's own layers
    here, there = (autograd(kind, problem, c * problem.W)[1] for c in (1, factor(problem)))
    # then
    assert_identical(factor(problem) * there, here, why="g(c theta) = g(theta)/c")


@as_printed(part="(b)")
@every_kind
@given_batches(size=100, problem=problems)
def test_a_run_at_another_scale_is_the_same_run_at_another_rate_to_the_last_bit(kind, problem):
    # given  the rates eta and c^2 eta
    c, eta = factor(problem), np.reshape(problem.step, (-1, 1, 1))
    # when   50 steps of gradient descent
    runs = [
        descend(lambda W: reference(kind, problem, W).gradient, scale * problem.W, lambda _, s=scale: s**2 * eta, 50)
        for scale in (1, c)
    ]
    # then
    assert_identical(c * runs[0], runs[1], why="GD(c theta, c^2 eta) = c GD(theta, eta), every iterate")


def trained(kind, powers, steps=50):
    """A stack of two normalized layers, scaled by 2^powers, under SGD at rates eta 4^powers, and eta for the rest.

    In one vector: the loss before every step, then the parameters of the normalized layers over their scales, then all
    other parameters.
    """
    import torch

    stack, rng = normalized_stack(kind, seed=92), np.random.default_rng(92)
    X, y = torch.as_tensor(rng.standard_normal((8, 3))), torch.as_tensor(rng.standard_normal((8, 1)))
    scaled = [
        (theta, 2.0**power) for group, power in zip(invariant_groups(stack), powers, strict=True) for theta in group
    ]
    rest = [theta for theta in stack.parameters() if all(theta is not other for other, _ in scaled)]
    for theta, c in scaled:
        theta.data *= c
    groups = [{"params": [theta], "lr": 0.05 * c**2} for theta, c in scaled]
    optimizer = torch.optim.SGD([*groups, {"params": rest}], lr=0.05)
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = (stack(X) - y).square().mean()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    ends = [theta.detach() / c for theta, c in scaled] + [theta.detach() for theta in rest]
    return np.concatenate([losses, *[end.numpy().ravel() for end in ends]])


@as_printed(part="(b)")
@every_kind
def test_in_a_network_every_layer_has_a_rate_of_its_own_over_the_square_of_its_scale(kind):
    # given  two normalized layers, scaled by 2^8 and 2^-5, under torch.optim.SGD
    # when   50 steps at the rates 4^8 eta and 4^-5 eta; the rest of the network keeps eta
    plain, scaled = trained(kind, (0, 0)), trained(kind, (8, -5))
    # then   every loss, both layers but for their scale, and the rest of the network
    assert_identical(plain, scaled, why="a rate for each layer")


@corrected("C7", part="(b)")
@every_kind
@given_batches(size=100, problem=problems)
def test_a_step_lengthens_the_weights_by_exactly_its_own_length(kind, problem):
    # given  a step eta of gradient descent
    eta, (_, g) = np.reshape(problem.step, (-1, 1, 1)), autograd(kind, problem, problem.W)
    # when
    after = problem.W - eta * g
    # then   |theta'|^2 = |theta|^2 + eta^2 |g|^2, so that the effective rate eta/|theta|^2 falls
    squares = [np.square(V).sum((-2, -1)) for V in (after, problem.W, eta * g)]
    rounding = 64 * UNIT_ROUNDOFF * sum(squares) + 2 * eta[:, 0, 0] * radial_rounding(kind, problem, problem.W)
    assert_at_most(np.abs(squares[0] - squares[1] - squares[2]), rounding, why="growth of |theta|^2", instance=problem)


@corrected("C8", part="(b)")
@every_kind
@given_batches(size=100, problem=problems)
def test_decay_by_half_is_a_rate_that_grows_fourfold_to_the_last_bit(kind, problem):
    def gradient(W):
        return reference(kind, problem, W).gradient

    # given  eta lambda = 1/2
    eta, steps = np.reshape(problem.step, (-1, 1, 1)) / 16, 20
    # when   decoupled weight decay, and none at the rates eta (1 - eta lambda)^(-2t-1)
    decayed = descend(gradient, problem.W, lambda _: eta, steps, decay=0.5)
    plain = descend(gradient, problem.W, lambda t: eta * 2.0 ** (2 * t + 1), steps)
    # then   theta_t = 2^-t times the other, every iterate
    assert_identical(2.0 ** np.arange(steps + 1)[:, None, None, None] * decayed, plain, why="decay as a schedule")


@corrected("C8", part="(b)")
@every_kind
@given_batches(size=100, problem=problems)
def test_any_decay_is_a_growing_rate(kind, problem):
    # given  a factor alpha = 1 - eta lambda that is no power of two, and step t of a run
    alpha, t = 0.9, np.abs(problem.k)[:, None, None]
    eta, W, W_plain = np.reshape(problem.step, (-1, 1, 1)), problem.W, problem.W / alpha**t
    # when   one step of either run
    g, g_plain = (autograd(kind, problem, at)[1] for at in (W, W_plain))
    decayed, plain = alpha * W - eta * g, W_plain - eta * alpha ** (-2 * t - 1.0) * g_plain
    # then   theta_{t+1} = alpha^{t+1} times the other
    dg = gradient_rounding(kind, problem, W)[1]
    rounding = 64 * UNIT_ROUNDOFF * (norm(W, axis=(-2, -1)) + norm(eta * g, axis=(-2, -1))) + 4 * eta[:, 0, 0] * dg
    error = norm(decayed - alpha ** (t + 1) * plain, axis=(-2, -1))
    assert_at_most(error, rounding, why="one step of decay as a schedule", instance=problem)


def sharpness_at_a_fit(X, w):
    """Exact lambda_max of (1/2n)|zhat(w) - y|^2 where y = zhat, for two inputs; with |X_c w|^2/n, and Sigma.

    H = J'J/n = Sigma/s^2 - Sigma w (Sigma w)'/s^4 has the null vector w, so that its trace is the other eigenvalue.
    """
    X, w = fractions(X), fractions(w)
    centered = X - X.sum(0) / len(X)
    Sigma = centered.T @ centered / len(X)
    s2 = w @ Sigma @ w
    return (np.trace(Sigma) / s2 - (Sigma @ w) @ (Sigma @ w) / s2**2 if s2 else Fraction(0)), s2, Sigma


def fitted_sharpness_by_torch(X, w, *, trains_scale=False):
    """The enclosed sharpness of (1/2n)|f(X) - y|^2 where f(X) = y: a linear neuron, torch.nn.BatchNorm1d, gamma = 1."""
    import torch

    linear = torch.nn.Linear(len(w), 1, bias=False, dtype=torch.float64)
    layer = torch.nn.BatchNorm1d(1, eps=ABSORBED, track_running_stats=False, dtype=torch.float64)
    linear.weight.data = torch.tensor(w, dtype=torch.float64)[None]
    model, inputs = torch.nn.Sequential(linear, layer), torch.as_tensor(X)
    y = model(inputs).detach()
    return sharpness(lambda: (model(inputs) - y).square().mean() / 2, [linear.weight, layer.weight][: 1 + trains_scale])


@counterexample(part="(c)")
def test_a_normalized_minimum_is_four_times_as_sharp_as_that_of_the_plain_model():
    # given  whitened inputs, w = (1/2, 0) and y = x_1, which both models fit
    normalized, s2, Sigma = sharpness_at_a_fit(CORNERS, ["1/2", 0])
    assert_identical([*Sigma.ravel(), s2], [1, 0, 0, 1, Fraction(1, 4)], why="Sigma = I, s = 1/2")
    assert_identical(normalized, 4, why="1/|w|^2")
    # then   the plain model f = beta.x has the Hessian Sigma
    reads = "sharpness {value} with normalization > {limit} without"
    assert_violates(normalized, 1, reads=reads, X=CORNERS, w=["1/2", 0], y="x_1")


@corrected("C11", part="(c)")
@pytest.mark.parametrize(
    ("trains_scale", "rho", "S"), [(False, 0.5, 4), (False, 2.0, 0.25), (True, 0.5, 4), (True, 2, 1)]
)
def test_torch_finds_normalized_minima_on_either_side_of_the_plain_one(trains_scale, rho, S):
    # given  whitened inputs, w = (rho, 0) and gamma = 1, trained or not
    found = fitted_sharpness_by_torch(np.array(CORNERS, float), [rho, 0.0], trains_scale=trains_scale)
    # then   1/rho^2, or max(1, 1/rho^2) with gamma, against 1
    assert_within(found.lower, S, found.upper, why="sharpness with normalization")


@counterexample(part="(c)")
def test_hypothesis_finds_a_normalized_minimum_that_is_sharper():
    # given  any three samples of two inputs and any weights: tr Sigma is at least the plain model's sharpness
    def sides(instance):
        X, w = instance
        normalized, _, Sigma = sharpness_at_a_fit(X, [Fraction(entry, 2) for entry in w])
        return normalized, np.trace(Sigma)

    pair = st.tuples(st.integers(-3, 3), st.integers(-3, 3))
    found = smallest_violation(st.tuples(st.tuples(pair, pair, pair), pair), lambda i: np.greater(*sides(i)))
    value, limit = sides(found)
    assert_violates(value, limit, reads="sharpness {value} > {limit} >= that without", X=found[0], twice_w=found[1])
    # and   torch finds it as sharp
    X, w = (np.array(data, float) for data in found)
    enclosed = fitted_sharpness_by_torch(X, w / 2)
    assert_within(enclosed.lower, float(value), enclosed.upper, why="sharpness with torch's layer")


def sharpness_at_the_fit(X, v, gamma, samples):
    """Lambda_max in (v, gamma) of (1/2N)|gamma zhat - y|^2 where it fits, and Sigma's, (B,); X (B, n, p) centered."""
    Sigma = X.mT @ X / samples[:, None, None]
    along = np.matvec(Sigma, v)
    s2 = (along * v).sum(-1)
    H = Sigma / s2[:, None, None] - along[:, :, None] * along[:, None, :] / s2[:, None, None] ** 2
    return np.maximum(1, gamma**2 * np.linalg.eigvalsh(H)[:, -1]), np.linalg.eigvalsh(Sigma)[:, -1]


@observed(part="(c)")
def test_the_sharpness_at_a_fit_is_that_of_exact_arithmetic():
    # given  three samples of unequal variances, w = (1, 2)/8 and gamma = 1, and gamma = 2
    X, w = [[0, 1], [3, -1], [1, 0]], ["1/8", "1/4"]
    exact, _, Sigma = sharpness_at_a_fit(X, w)
    centered = (np.array(X) - np.mean(X, 0))[None]
    found = [sharpness_at_the_fit(centered, np.array([[1 / 8, 1 / 4]]), np.array(g), np.array([3])) for g in (1.0, 2.0)]
    # then
    rounding = 512 * UNIT_ROUNDOFF * float(exact)
    assert_at_most(abs(found[0][0] - float(exact)), rounding, why="with normalization")
    assert_at_most(abs(found[1][0] - 4 * float(exact)), 4 * rounding, why="four times with twice the scale")
    assert_at_most(abs(found[0][1] - np.linalg.eigvalsh(Sigma.astype(float))[-1]), rounding, why="without")


@under_hypotheses("H1", "H2", part="(c)")
@given_batches(size=100, problem=directed_regressions())
def test_from_long_weights_descent_ends_no_sharper_than_the_plain_model(problem):
    # given  inputs k X of which H1 and H2 hold at the drawn start, |y| = 1, and a scale that is trained
    N, start = problem.rows + 1, norm(problem.in_row_space(problem.v), axis=-1)
    k = np.maximum(1 / (problem.sigma_min * start), np.sqrt(N) / problem.sigma_min)
    problem = dataclasses.replace(problem, X=k[:, None, None] * problem.X)
    # when
    run = normalized_descent(batch_norm_slopes, problem, problem.v, problem.gamma, np.ones(len(k)), 700)
    zhat = np.matvec(problem.X, run.v) / norm(np.matvec(problem.X, run.v), axis=-1, keepdims=True)
    residual = norm((run.gamma * np.sqrt(N))[:, None] * zhat - problem.y, axis=-1)
    assert_at_most(residual, 1 / 1000, why="convergence within the budget", instance=problem)
    # then   s has not fallen, and gamma^2 is var(y) = 1/N up to the residual
    normalized, plain = sharpness_at_the_fit(problem.X, run.v, run.gamma, N)
    bound = plain * (1 + residual) ** 2 * (1 + 256 * UNIT_ROUNDOFF)
    assert_at_most(normalized, bound, why="sharpness with normalization", instance=problem)


@under_hypotheses("H1", "H2", part="(c)")
def test_with_a_scale_that_is_not_trained_long_weights_end_flat_as_well():
    # given  inputs of covariance I, targets of variance 1, |w_0|^2 = 1 and 4, five angles, the step 1
    angle, square = (grid.ravel() for grid in np.meshgrid(np.arange(1, 6) / 2, [1.0, 4.0]))
    start = square
    for _ in range(400):
        angle, square = polar_step(angle, square, 1.0)
    # then   1/|w|^2 against 1
    assert_at_most(1 - np.cos(angle), UNIT_ROUNDOFF, why="the loss at the end")
    assert_at_most(1 / square, 1 / start, why="sharpness, at most 1")


@necessity("H1", part="(c)")
def test_without_H1_descent_with_normalization_ends_sharper_than_without():
    # given  inputs of covariance I, a scale that is not trained; |w_0|^2 = 15/16, 1 from the target, step 1/16
    assert_keeps(H2=True)
    angle, square = np.array(1.0), np.array(15 / 16)
    for _ in range(400):
        angle, square = polar_step(angle, square, 1 / 16)
    assert_at_most(1 - np.cos(angle), UNIT_ROUNDOFF, why="the loss at the end")
    # then   the minimum has 1/|w|^2, and that of the plain model 1: |w|^2 grows by about 1/16 (1 - cos 1)
    assert_at_most(103 / 100, 1 / square, why="sharpness at the end, above 1")


@necessity("H2", part="(c)")
def test_without_H2_a_trained_scale_is_sharper_than_a_plain_model_of_small_inputs():
    # given  inputs of covariance I/4, w = (4, 0) and gamma = 1: r |w|^2 = 4 is above the variance of y
    X, w = np.array(CORNERS) / 2, [4.0, 0.0]
    assert_keeps(H1=np.var(X @ w) >= np.var(standardize(X @ w, -1)[0]))
    found = fitted_sharpness_by_torch(X, w, trains_scale=True)
    assert_within(found.lower, 1, found.upper, why="sharpness with normalization, against 1/4")


@corrected("C9", part="(c)")
@every_kind
@given_batches(size=100, problem=problems)
def test_curvature_is_inverse_to_the_square_of_the_scale_to_the_last_bit(kind, problem):
    # given  a direction V that is neither W nor an eigenvector, and any point, not only minima
    V, c = np.roll(problem.W, 1, axis=1), factor(problem)
    # when
    here, there = (curvature_along(kind, problem, scale * problem.W, V) for scale in (1, c))
    # then   H(c theta) = H(theta)/c^2, so that |theta|^2 lambda_max is what is left
    assert_identical(c**2 * there, here, why="H(c theta)")


@corrected("C10", part="(c)")
@given(tapes(16))
def test_along_the_weights_the_curvature_is_minus_the_gradient_exactly(tape):
    # given  L = const - b.w/s, one linear neuron under batch normalization and y = (1, 0, 0, 0); s is not rational
    X, w = fractions(tape.integers((4, 3), 3).astype(int)), fractions(tape.integers(3, 3).astype(int))
    centered = X - X.sum(0) / 4
    Sigma, b = centered.T @ centered / 4, centered[0] / 4
    Sw, s2, along = Sigma @ w, w @ Sigma @ w, b @ w
    # when   the gradient times s^3 and the Hessian times s^5
    g = -(s2 * b - along * Sw)
    H = s2 * (np.outer(b, Sw) + np.outer(Sw, b) + along * Sigma) - 3 * along * np.outer(Sw, Sw)
    # then
    assert_identical(H @ w, -s2 * g, why="H theta = -g")
    assert_identical(g @ w, 0, why="<g, theta> = 0")


@corrected("C12", part="(c)")
def test_from_192_starts_descent_settles_where_the_rate_times_sharpness_is_at_most_two():
    # given  eta/|w_0|^2 up to 32, where the plain model of sharpness 1 diverges from eta = 2 on; angles k/8, from which
    # no first step ends exactly on a minimum, since cos(k/8) is transcendental and |w_0|^2/eta is not
    rates, angles = (grid.ravel() for grid in np.meshgrid(2.0 ** np.arange(-2, 6), np.arange(1, 25) / 8))
    angle, square, shortest = angles, np.ones_like(rates), np.inf
    for _ in range(2500):
        angle, after = polar_step(angle, square, rates)
        shortest, square = min(shortest, (after - square).min()), after
    # then   no step shortens the weights, the run converges, and the minimum found is stable
    assert_at_most(0, shortest, why="growth of |w|^2 in every step")
    assert_at_most(1 - np.cos(angle), UNIT_ROUNDOFF, why="the loss at the end")
    assert_at_most(rates / square, 2, why="eta lambda_max at the end")
