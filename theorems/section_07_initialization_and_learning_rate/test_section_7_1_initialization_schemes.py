r"""Section 7.1: initialization schemes - from the same draws, He's variance and Xavier's end at different interpolants.

Section     7.1
Printed     Different initialization schemes lead to different implicit regularization. Xavier's
            $\mathcal{N}(0, 1/m_{\ell-1})$ and He's $\mathcal{N}(0, 2/m_{\ell-1})$ induce different optimization
            trajectories
Reading     The two printed schemes are compared with everything else equal: the same standard normal draws, so that
            He's start is sqrt 2 times Xavier's, the same network, data and rate. (a) The limits are different
            interpolants, where there is more than one (p > n). (b) The outputs on the way differ
Setting     (a) linear regression; and one neuron $f(x) = a \max(0, w^\top x)$ with one sample (x, y), y > 0, under
            gradient flow, from a_0 > 0 and $s_0 > 0$, $s = w^\top x/\|x\|$; $c = a_0^2 - s_0^2$, $Y = y/\|x\|$.
            (b) this neuron, and ReLU networks of L layers without biases
Parts       (a) the schemes lead to different limits - holds
            (b) they induce different trajectories - holds
Corrected   (C1) (a) The flow of the neuron ends at $a^2 = (c + (c^2 + 4 Y^2)^{1/2})/2$ with the part of w across x
            unchanged. The predictor that it ends at, a w, has a part across x too, if w_0 has one. From He's start this
            part is longer than from Xavier's, by a factor between 1 and 2, which comes near both.
            (C2) (b) Descent on a network of degree L from k theta_0 with the targets y and the rate eta is k times
            descent from theta_0 with the targets $y/k^L$ and the rate $k^{2L-2} \eta$. So He's run is Xavier's on
            targets that are $2^{L/2}$ times smaller, at $2^{L-1}$ times the rate.
            (C3) (b) The larger start need not be the lazier one: with a_0 = s_0 = 1 and Y = 1 Xavier's parameters rest,
            and He's shrink by the factor $2^{-1/2}$
Idea        What the data do not see keeps its start: the null part of w in linear regression, the part across x of the
            neuron, and a^2 - s^2. A network of degree L has k^L times the outputs and k^{L-1} times the Jacobian at
            k theta
Source      Glorot, Bengio (2010), Understanding the Difficulty of Training Deep Feedforward Neural Networks, AISTATS;
            He, Zhang, Ren, Sun (2015), Delving Deep into Rectifiers: Surpassing Human-Level Performance on ImageNet
            Classification, ICCV; Du, Hu, Lee (2018), Algorithmic Regularization in Learning Deep Homogeneous Models:
            Layers are Automatically Balanced, NeurIPS (what is kept); Chizat, Oyallon, Bach (2019), On Lazy Training in
            Differentiable Programming, NeurIPS (scale and targets; there the output at the start is 0)
Tolerance   Limits of descent in balls of known radius, flows by their own error estimate, torch's Jacobians to
            rounding; scaling by two is exact in floating point
Findings    Where the data have one interpolant (p = n in linear regression) both schemes end at it
Expected    holds
"""

import itertools

import numpy as np
import pytest
from numpy.linalg import norm

from fixtures.dynamics.gradient_flow import gradient_flow
from fixtures.precision import UNIT_ROUNDOFF
from fixtures.problems.batches import given_batches
from fixtures.problems.positive import gently_conditioned
from fixtures.problems.regression import regressions
from properties.certificates import assert_at_most, assert_identical, assert_within
from properties.limits import limit_of_descent
from theorems.ledger import as_printed, corrected

SCHEMES = {"Xavier": 1.0, "He": np.sqrt(2)}


@as_printed(part="(a)")
@given_batches(problem=regressions(max_rows=4, max_excess=4).map(gently_conditioned))
def test_in_linear_regression_the_limits_differ_by_the_null_part_of_the_start(problem):
    # given  a start whose null part is a unit vector, times 1 and sqrt 2
    null = problem.N[:, :, 0]
    start, step = problem.in_row_space(problem.w0) + null, np.maximum(problem.step, 0.1)
    xavier, he = (limit_of_descent(problem, scale * start, step) for scale in SCHEMES.values())
    # then
    missed = norm(he.w - xavier.w - (np.sqrt(2) - 1) * null, axis=-1)
    slack = he.radius + xavier.radius + 16 * problem.construction * (1 + norm(start, axis=-1))
    assert_at_most(missed, slack, why="the limits less sqrt 2 - 1 times the null part", instance=problem)
    assert_at_most(slack, 1e-3, why="which is small beside it", instance=problem)


def neuron_flow(a, s, across, Y, times):
    """The flow of a max(0, w.x) with x = (1, 0) and w = (s, across): states (T, 3, B) of a, s and across."""

    def field(state):
        a, s, across = state
        r = a * np.maximum(s, 0) - Y
        return -np.stack([r * s, r * a * (s > 0), 0 * across])

    return gradient_flow(field, np.stack([a, s, across]), times)


def limit_of_a(c, Y):
    """The limit of a > 0, where aY' = Y with a^2 - Y'^2 = c, without cancellation."""
    root = np.hypot(c, 2 * Y)
    return np.where(c > 0, np.sqrt((c + root) / 2), Y * np.sqrt(2 / (root - np.minimum(c, 0))))


NEURONS = [axis.ravel() for axis in np.meshgrid([0.5, 1.0, 2.0], [0.25, 1.0, 3.0], [0.5, 2.0, 4.0])]


@as_printed(part="(a)")
def test_a_neuron_ends_at_two_predictors():
    # given  27 starts and targets, and a unit part of w across x
    a, s, Y = NEURONS
    flows = [neuron_flow(k * a, k * s, k + 0 * a, Y, np.array([40.0])) for k in SCHEMES.values()]
    # then   on x both fit, and across x they differ
    xavier, he = (flow.states[0] for flow in flows)
    slack = 16 * sum(flow.error[0] for flow in flows) + 1e3 * UNIT_ROUNDOFF
    assert_at_most(np.abs([end[0] * end[1] - Y for end in (xavier, he)]).max(), slack, why="both interpolate")
    assert_at_most(xavier[0] * xavier[2] + 4 * slack, he[0] * he[2], why="a times the part of w across x")


@corrected("C1", part="(a)")
def test_the_limit_of_the_neuron_is_known_and_keeps_the_part_across_the_input():
    a, s, Y = NEURONS
    for k in SCHEMES.values():
        flow = neuron_flow(k * a, k * s, k + 0 * a, Y, np.array([40.0]))
        end, slack = flow.states[0], 16 * flow.error[0] + 1e3 * UNIT_ROUNDOFF
        assert_at_most(np.abs(end[0] - limit_of_a(k**2 * (a**2 - s**2), Y)).max(), slack, why="the limit of a")
        assert_identical(end[2], k + 0 * a, why="the part across x")


@corrected("C1", part="(a)")
def test_he_keeps_up_to_twice_as_much_across_the_input_as_xavier_and_always_more():
    # given  c over sixteen decades of both signs, and Y = 1: only c/Y matters
    c = np.concatenate([-np.geomspace(1e8, 1e-8, 200), [0.0], np.geomspace(1e-8, 1e8, 200)])
    ratio = np.sqrt(2) * limit_of_a(2 * c, 1.0) / limit_of_a(c, 1.0)
    # then   strictly between, sqrt 2 at c = 0, and near both ends
    assert_at_most(1, ratio, why="He keeps more")
    assert_at_most(ratio, 2, why="and at most twice as much")
    assert_within(np.sqrt(2), ratio[200], np.sqrt(2), slack=8 * UNIT_ROUNDOFF, why="where a_0 = s_0")
    assert_at_most([ratio[0], 1.99], [1.01, ratio[-1]], why="both ends are approached")


@as_printed(part="(b)")
def test_the_paths_of_the_neuron_never_meet():
    # given  the starts with a_0 != s_0
    a, s, Y = (axis[NEURONS[0] != NEURONS[1]] for axis in NEURONS)
    flows = [neuron_flow(k * a, k * s, k + 0 * a, Y, np.array([0.1, 0.5, 2.0, 20.0])) for k in SCHEMES.values()]
    # when   a^2 - s^2 along both
    kept = [flow.states[:, 0] ** 2 - flow.states[:, 1] ** 2 for flow in flows]
    size = max(np.abs(flow.states).max() for flow in flows)
    slack = 4 * size * sum(flow.error.max() for flow in flows) + 64 * UNIT_ROUNDOFF * size**2
    # then   it is c and 2c at all times
    assert_at_most(np.abs(kept[0] - (a**2 - s**2)).max(), slack, why="Xavier's keeps c")
    assert_at_most(np.abs(kept[1] - 2 * (a**2 - s**2)).max(), slack, why="He's keeps 2c")
    assert_at_most(2 * slack, np.abs(a**2 - s**2).min(), why="c and 2c are apart")


@corrected("C3", part="(b)")
def test_a_larger_start_may_move_its_parameters_and_the_smaller_one_not():
    # given  a_0 = s_0 = k, so that c = 0, and Y = 1: k = 1 interpolates at the start
    k = np.array(list(SCHEMES.values()))
    flow = neuron_flow(k, k, 0 * k, 1.0, np.array([40.0]))
    # then   both end at (1, 1)
    slack = 16 * flow.error[0] + 64 * UNIT_ROUNDOFF
    assert_at_most(np.abs(flow.states[0, :2] / k - [1, 2**-0.5]).max(), slack, why="a and s over their starts")


def predict(weights, X):
    """The outputs (n,) of a ReLU network without biases."""
    h = X
    for W in weights[:-1]:
        h = (h @ W.T).relu()
    return (h @ weights[-1].T)[:, 0]


def drawn_network(depth, seed, nonlinearity):
    """Weights as torch's kaiming_normal_ draws them, widths 3, 8, ..., 8, 1, and four inputs."""
    import torch

    generator = torch.Generator().manual_seed(seed)
    X = torch.randn(4, 3, dtype=torch.float64, generator=generator)
    weights = [
        torch.empty(m, below, dtype=torch.float64) for below, m in itertools.pairwise([3, *[8] * (depth - 1), 1])
    ]
    for W in weights:
        torch.nn.init.kaiming_normal_(W, nonlinearity=nonlinearity, generator=generator)
    return weights, X


@as_printed(part="(b)")
@pytest.mark.parametrize("depth", [2, 3, 4])
def test_he_starts_with_other_outputs_and_another_tangent_kernel_than_xavier(depth):
    import torch

    # given  torch's own initialization from one seed, by the names of its two activations
    outputs, kernels = [], []
    for nonlinearity in ("linear", "relu"):
        weights, X = drawn_network(depth, 713, nonlinearity)
        J = torch.autograd.functional.jacobian(lambda *w, X=X: predict(w, X), tuple(weights))
        J = torch.cat([block.flatten(1) for block in J], dim=1)
        outputs, kernels = [*outputs, predict(weights, X).numpy()], [*kernels, (J @ J.T).numpy()]
    # then   2^{L/2} times the outputs, not zero, and 2^{L-1} times the kernel
    f, K = norm(outputs[0]), norm(kernels[0])
    rounding = 1024 * UNIT_ROUNDOFF
    missed = norm(outputs[1] - 2 ** (depth / 2) * outputs[0]), norm(kernels[1] - 2 ** (depth - 1) * kernels[0])
    assert_at_most(missed, [rounding * 2 ** (depth / 2) * f, rounding * 2 ** (depth - 1) * K], why="outputs and kernel")
    assert_at_most([f / 2, K / 2], [norm(outputs[1] - outputs[0]), norm(kernels[1] - kernels[0])], why="they differ")


def trained(weights, X, y, eta, steps):
    """Descent on (1/2)|f(X) - y|^2 by autograd."""
    import torch

    for _ in range(steps):
        weights = [W.detach().requires_grad_() for W in weights]
        loss = (predict(weights, X) - y).square().sum() / 2
        weights = [W - eta * g for W, g in zip(weights, torch.autograd.grad(loss, weights), strict=True)]
    return [W.detach().numpy() for W in weights]


@corrected("C2", part="(b)")
@pytest.mark.parametrize("depth", [2, 3, 4])
def test_a_start_of_twice_the_size_is_trained_like_smaller_targets_bit_for_bit(depth):
    # given  k = 2, with which floating point scales exactly
    weights, X = drawn_network(depth, 714, "linear")
    y, eta = X[:, 0] + 1, 2.0**-8
    # when
    large = trained([2 * W for W in weights], X, y, eta, 3)
    small = trained(weights, X, y / 2**depth, 2 ** (2 * depth - 2) * eta, 3)
    # then
    for left, right in zip(large, small, strict=True):
        assert_identical(left, 2 * right, why="a layer after three steps")
