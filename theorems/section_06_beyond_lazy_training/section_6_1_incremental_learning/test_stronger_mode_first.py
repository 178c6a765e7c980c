r"""Section 6.1: incremental learning - from a small start a linear network learns the stronger mode first.

Setting     $f = W_2 W_1 x$ on whitened inputs, $L = \frac12 \|W_2 W_1 - T\|_F^2$,
            $T = Q_2 \operatorname{diag}(s) Q_0^\top$. A mode of the network is $q_2^\top W_2 W_1 q_0$, and it is half
            learned when it is at $s/2$. Gradient descent with the step $\eta$; under gradient flow a mode that starts
            at $s_0$ is half learned at its half time $t(s) = \ln(s/s_0 - 1)/(2s)$
Hypotheses  (H1) All modes start at the same size $s_0$. (H2) The start is small: $s_0$ is below $s/4.5911$ for every
            mode $s$.
            (H3) The layers are balanced, $W_2^\top W_2 = W_1 W_1^\top$. (H4) The layers are aligned with $T$:
            $Q_2^\top W_2 W_1 Q_0$ is diagonal and not negative. (H5) The step tells different modes apart: for any two
            modes $s > s'$ the half times $t(s)$ and $t(s')$ differ by more than $\eta (1 + \frac98 \ln(s/s_0 - 1))$.
            Gradient flow does not need this.
Corrected   (C1) Under H3 and H4 a mode is $u^2$ with $u \leftarrow u + \eta u (s - u^2)$, up to rounding.
            (C2) Under H1 to H5 a stronger mode is half learned in fewer steps than a weaker one.
            (C3) Under H1 to H5, let the first of two modes $s_1 > s_2$ be half learned after $N$ steps. Then the second
            is where the flow has it from $\eta N (1 - \eta s_2/2)$ to $\eta N/(1 - \eta s_2 - (\eta s_2)^2/4)$. Under
            the flow it is at $s_0 (s_1/s_0 - 1)^{s_2/s_1}$ at most, a share that vanishes with the start.
Idea        The modes do not interact (C1), and for small $s_0$ the half time falls with $s$. H5 makes the steps fine
            enough to keep the order of the half times.
Tolerance   The matrices are held to the scalar maps of C1, up to the rounding of matrix products. For $\eta s \le 1$
            the steps to half of a mode take a time that exceeds $t(s)$ by less than
            $\eta + \frac12 \eta \ln(s/s_0 - 1)$, and falls short of it by less than $\frac58 \eta \ln(s/s_0 - 1)$; H5
            adds both. Under H5 $\eta s' < 4/9$ for the weaker mode. Where $\eta s > 1$, the stronger one is half
            learned after $1 + s\, t(s)/\ln(1 + \eta s)$ steps at most, which is still less
"""

import numpy as np
from numpy.linalg import norm

from fixtures.dynamics.deep_linear import descend, end_to_end
from fixtures.dynamics.torch_training import train_deep_linear
from fixtures.precision import rounding
from fixtures.problems.batches import given_batches
from fixtures.problems.deep_linear import spectral_networks
from properties.certificates import assert_at_most, assert_within
from theorems.ledger import corrected
from theorems.section_06_beyond_lazy_training.section_6_1_incremental_learning.half_times import (
    half_time,
    longest_step_of_H5,
    on_the_flow,
    time_factors,
)
from theorems.section_06_beyond_lazy_training.section_6_1_incremental_learning.modes import (
    RELATIVE_STEP,
    gradient_towards,
    small_starts,
    spectral_steps_to_half,
    spread_starts,
    step_roundings,
)


def scalar_maps(networks, eta, steps):
    """Iterate u <- u + eta u(s - u^2): u (B, r), and a bound on the rounding of W, which is Q_2 diag(u^2) Q_0' exactly.

    A step of the matrices rounds by `step_roundings`, relative to (1 + |u|)^3, and the product of the layers too. The
    derivative of a step is that of the Gauss-Newton part, a contraction, plus a term of at most eta max |s - u^2|. So a
    step multiplies an error by at most 1 + eta max |s - u^2|.
    """
    u, growth = np.sqrt(networks.start), np.ones(len(steps))
    size = 1 + np.sqrt(np.maximum(networks.start, networks.target)).max(-1)
    for now in range(int(steps.max())):
        gap, moving = networks.target - u * u, now < steps
        growth = np.where(moving, growth * (1 + eta * np.abs(gap).max(-1)), growth)
        u = np.where(moving[:, None], u + eta[:, None] * u * gap, u)
    return u, rounding((1 + steps) * step_roundings(networks), growth * size**4)


@corrected("C1", "H3", "H4")
@given_batches(network=spectral_networks(max_depth=2))
def test_every_mode_of_the_matrix_dynamics_follows_its_own_scalar_map(network):
    # given  aligned layers of unequal widths; modes that grow and modes that shrink; 1 to 120 steps
    eta, steps = 0.1 / network.target.max(-1), 1 + 17 * np.arange(len(network.target)) % 120
    # when
    W = end_to_end(descend(network.layers(2), gradient_towards(network.target_matrix(2)), eta, steps))
    # then
    u, slack = scalar_maps(network, eta, steps)
    Q = np.moveaxis(network.frames, -3, 0)
    error = norm(W - (Q[2] * (u * u)[:, None, :]) @ Q[0].mT, axis=(-2, -1))
    assert_at_most(error, slack, why="matrix against scalar maps", instance=network)
    assert_at_most(slack, 1e-9, why="what rounding may hide", instance=network)


@corrected("C2", "H1", "H2", "H3", "H4", "H5")
@given_batches(network=small_starts)
def test_from_a_small_start_the_stronger_mode_is_learned_first(network):
    # given  neighboring modes with a ratio of 1.1 or more, starts up to s/4.6, and the longest step that H5 allows
    steps, _ = spectral_steps_to_half(network, longest_step_of_H5(network.target, network.start))
    # then
    assert_at_most(steps[:, 0], steps[:, 1] - 1, why="first before second", instance=network)
    assert_at_most(steps[:, 1], steps[:, 2] - 1, why="second before third", instance=network)


@corrected("C2", "H1", "H2", "H3", "H4", "H5")
def test_the_stronger_mode_is_learned_first_by_steps_that_are_long_for_it_too():
    # given  the scalar maps of the modes 1 and s', s' from 1/1000 to 9/10, starts from s'/4.6 down to 10^-9 s', and the
    #        longest step that H5 allows, which is up to more than 100
    weak, margin = (grid.ravel() for grid in np.meshgrid(np.geomspace(1e-3, 0.9, 40), np.geomspace(4.6, 1e9, 40)))
    s, start = np.stack([1 + 0 * weak, weak], axis=-1), (weak / margin)[:, None]
    eta = longest_step_of_H5(s, start)[:, None]
    assert_at_most(100, eta.max(), why="steps that are long for the stronger mode")
    # when
    x, steps = start + 0 * s, 0 * s
    for _ in range(400):
        steps, x = steps + (x < s / 2), np.where(x < s / 2, x * (1 + eta * (s - x)) ** 2, x)
    # then
    assert_at_most(s / 2, x, why="half learned")
    assert_at_most(steps[:, 0], steps[:, 1] - 1, why="the stronger before the weaker")


@corrected("C3", "H1", "H2", "H3", "H4", "H5")
@given_batches(network=spread_starts)
def test_from_a_small_start_the_second_mode_waits_for_the_first(network):
    eta = np.minimum(RELATIVE_STEP / network.target[:, 0], longest_step_of_H5(network.target, network.start))
    # when   the first mode is half learned, after N steps
    steps, at_first = spectral_steps_to_half(network, eta)
    # then   the second is between its values under the flow at eta N (1 - eta s/2) and eta N/(1 - eta s - (eta s)^2/4)
    s, start, second = network.target[:, 1], network.start[:, 1], at_first[:, 1]
    time, (fewest, most) = eta * steps[:, 0], time_factors(eta * s)
    early, late = on_the_flow(s, start, time / most), on_the_flow(s, start, time / fewest)
    # then   rounding is relative to the layers, of the size sqrt(s_1), where the second mode is at sqrt(s_0) at first;
    #        in the logarithm of a mode no step expands it
    slack = rounding(steps[:, 0] * step_roundings(network), s * np.sqrt(network.target[:, 0] / start))
    assert_within(early, second, late, slack=slack, why="the second mode", instance=network)
    # then   it is s_0 (s_1/s_0 - 1)^(s_2/s_1) at most, up to the length of the steps: a share that vanishes with s_0
    time = half_time(network.target[:, 0], start) * time_factors(eta * network.target[:, 0])[1] + eta
    assert_at_most(second, start * np.exp(2 * s * time) + slack, why="share of the second mode", instance=network)


@corrected("C1", "C2", "H1", "H2", "H3", "H4", "H5")
def test_torch_users_see_the_same_modes_at_the_same_time():
    # given  modes 2 and 1 from 1/20 in rotated frames, nn.Linear layers of widths 2, 3, 2, torch.optim.SGD
    root, Q = np.sqrt(0.05), np.array([[0.6, -0.8], [0.8, 0.6]])
    layers, target = [root * np.eye(3, 2) @ Q.T, root * Q @ np.eye(2, 3)], (Q * [2.0, 1.0]) @ Q.T
    # when   the first mode is half learned, at t = ln(39)/4: 46 steps of 0.02, and two more as the steps have a length
    trained = end_to_end(train_deep_linear(layers, np.eye(2), target, lr=0.02, steps=48))
    u = np.full(2, root)
    for _ in range(48):
        u = u + 0.02 * u * ([2.0, 1.0] - u * u)
    # then   a step is three products of at most 3 entries and six more operations, in both, at the size |W|^2 <= 4
    error, slack = norm(trained - (Q * (u * u)) @ Q.T), rounding(48 * (3 * 3 + 6 + 6), 4 * (1 + 0.02 * 2) ** 48)
    assert_at_most(error, slack, why="torch against the scalar maps")
    first, second = np.diag(Q.T @ trained @ Q)
    assert_at_most(1, first, why="the mode 2 is half learned")
    assert_at_most(second, 1 / 2, why="the mode 1 is not")
