r"""Section 6.1: incremental learning - low frequencies and strong modes are learned first, from a small start.

Section     6.1, item 3 of the implicit bias in feature learning
Printed     Even in the feature learning regime gradient descent is biased toward incremental learning: simple patterns
            are learned before complex ones
Kind        observation: "Recent work shows"
Reading     "Recent work shows" and "bias toward" report a tendency, not a law of all networks. Of two harmonics of the
            circle the one of lower frequency is simpler (as the literature on spectral bias has it), and a pattern is
            learned when the network has half of it
Readings    [modes of a linear network] a pattern is a mode of the target, a pair of singular vectors, and the stronger
            mode is simpler, as the literature on deep linear networks (section 4) has it - reproduced
Setting     Measured: ReLU networks $f = \sum_j a_j \max(w_j^\top x, 0)$ of 100 neurons with weights N(0, 1/100), 32
            points of the circle, $y = \cos(kt + \phi) + \cos(lt + \psi)$ with (k, l) one of (1, 2), (1, 4), (2, 4) and
            random phases, $\eta = 1/5$ on the mean loss; and $f = W_2 W_1 x$ of widths 6, 8, 5 with weights N(0,
            10^-4), modes 3, 2, 1, $\eta = 1/50$. Clauses: $f = W_2 W_1 x$ on whitened inputs, $L = \frac12 \|W_2 W_1 -
            T\|_F^2$, $T = Q_2 \operatorname{diag}(s) Q_0^\top$; a mode of the network is $q_2^\top W_2 W_1 q_0$.
            Gradient descent with the step eta; $t(s) = \ln(s/s_0 - 1)/(2s)$. Kernel regime: $L = \frac12 \|Xw - y\|^2$,
            whose residual has modes along the eigenvectors of $K = X X^\top$ with eigenvalues k
Hypotheses  Of the clauses: (H1) all modes start at the same size s_0.  (H2) s_0 is below 1/4.5911 of every s: a small
            start.  (H3) the layers are balanced, $W_2^\top W_2 = W_1 W_1^\top$.  (H4) they are aligned with T:
            $Q_2^\top W_2 W_1 Q_0$ is diagonal and not negative.  (H5) the steps tell different modes apart: for any two
            modes s > s' the half times t(s) and t(s') differ by more than $\eta (1 + \frac98 \ln(s/s_0 - 1))$; gradient
            flow needs none of it.  (H6) in the kernel regime: eta <= 1/lambda_max(K).
Corrected   (C1) Under H3 and H4 a mode is $u^2$ with $u \leftarrow u + \eta u (s - u^2)$, up to rounding.
            (C2) Under H1 to H5 a stronger mode is half learned in fewer steps than a weaker one.
            (C3) There, when the first of two modes is half learned, after N steps, the second is where the flow has it
            from $\eta N (1 - \eta s_2/2)$ to $\eta N/(1 - \eta s_2 - (\eta s_2)^2/4)$; under the flow at $s_0 (s_1/s_0
            - 1)^{s_2/s_1}$ at most, a share that vanishes with the start.
            (C4) Under H3 and H4, for $\eta s \le 1$ and any start below s/2, the steps N to half of a mode have $\eta N
            \ge t(s) (1 - \eta s - (\eta s)^2/4)$ and $\eta (N - 1) \le t(s)/(1 - \eta s/2)$.
            (C5) Under the flow and H1, t(s) rises up to $s/s_0 = 4.5911$, the root of $\ln(x - 1) = x/(x - 1)$, and
            falls beyond: H2 is sufficient, not necessary (from s_0 = 1 the mode 100 precedes the mode 4).
            (C6) From a large start the order can be the other one: from s_0 = 1 the mode 7/2 is half learned after the
            mode 5/2, by the flow and by descent with eta = 1/20.
            (C7) In the kernel regime, under H6, mode k of the residual is multiplied by $1 - \eta k$ in every step, and
            of a stronger mode no larger share is left.
            (C8) One layer learns in this order too, but no mode waits: with modes 2 and 1 and eta = 1/8, when the first
            is half learned the second is too, from 10^-1, 10^-3 and 10^-6.
Idea        Under the flow a mode is half learned at t(s). Without H3 or H4 a weak mode can grow out of weights that are
            large though their product is small. For ReLU networks the literature explains the order by the eigenvalues
            of the kernel, which fall with the frequency.
Source      Saxe, McClelland, Ganguli (2014), Exact Solutions to the Nonlinear Dynamics of Learning in Deep Linear
            Neural Networks, ICLR; Gissin, Shalev-Shwartz, Daniely (2020), The Implicit Bias of Depth: How Incremental
            Learning Drives Generalization, ICLR; Rahaman, Baratin, Arpit, Draxler, Lin, Hamprecht, Bengio, Courville
            (2019), On the Spectral Bias of Neural Networks, ICML
Tolerance   Measured: Student's interval at 95 % over networks of the log of the ratio of the steps, judged against 0.
            Logarithms are enclosed between fractions. C4: in $v = \ln u^2$ a step is $2 \ln(1 + \eta g)$, $g = s - e^v$
            falls, and the time of the flow over that step is between $\eta (1 - \eta s/2)$ and $\eta g_n/g_{n+1}$. For
            $\eta s \le 1$ the two ends are off t(s) by less than $\eta$ and $\frac12 \eta \ln(s/s_0 - 1)$ above and
            $\frac58 \eta \ln(s/s_0 - 1)$ below, whence H5. Under H5 $\eta s' < 4/9$ for the weaker mode; where $\eta s
            > 1$, the stronger one is half learned after $1 + s\, t(s)/\ln(1 + \eta s)$ steps at most, which is still
            less. What is left is the rounding of matrix products.
Chance      A population without an order is called reproduced with probability 2.5 % at most. The rule was chosen on
            the network seeds 0 to 15; those that decide are 400 to 423, fixed before any of them was run
Findings    Measured: the higher frequency takes e^2.1 [1.6, 2.6] times as many steps, the next weaker mode e^0.49
            [0.47, 0.51] times. H2 alone does not order gradient descent: with eta = 67/100 the mode 28/25 takes two
            steps and the mode 1 one (H5). Observed: for these ReLU networks a stronger amplitude is no simpler pattern;
            of two harmonics of the frequency 4, with amplitudes 2 and 1, neither is half learned in 3/4 of the steps of
            the other (16 networks).
Expected    reproduced
"""

import functools
from fractions import Fraction
from itertools import islice

import numpy as np
import pytest
from hypothesis import strategies as st
from numpy.linalg import norm

from fixtures.dynamics.deep_linear import descend, descent_path, end_to_end
from fixtures.dynamics.gradient_descent import exact_descent, gradient_descent
from fixtures.dynamics.paths import UnfittedError
from fixtures.dynamics.torch_training import train_deep_linear
from fixtures.dynamics.two_layer import network_path
from fixtures.models.two_layer import TwoLayer, two_layer
from fixtures.precision import UNIT_ROUNDOFF
from fixtures.problems.batches import given_batches
from fixtures.problems.deep_linear import SpectralNetwork, spectral_networks
from fixtures.problems.regression import off_the_minima, regressions
from fixtures.problems.tapes import tapes
from fixtures.rational import enclose_log, fractions
from properties.certificates import (
    assert_at_most,
    assert_identical,
    assert_keeps,
    assert_violates,
    assert_within,
    record_finding,
)
from properties.least_squares import iterate_rounding
from properties.observations import Population
from properties.paired import judge, student_interval
from properties.search import smallest_violation
from theorems.ledger import corrected, measured, necessity, observed

RELATIVE_STEP = 0.02
"""Eta times the strongest mode, where the steps are to be those of the flow nearly."""

THRESHOLD = (Fraction("4.5911"), Fraction("4.5912"))
"""Below and above the root of ln(x - 1) = x/(x - 1)."""


@st.composite
def trios(draw, gaps, margins):
    """A two-layer network of width 4 whose three modes, 1 = s_1 > s_2 > s_3, start alike, at s_3 over a margin.

    gaps: ratios of neighboring modes. margins: s_3/s_0. Shrinks to frames of the identity.
    """
    tape = draw(tapes(3 + 3 * 12))
    s = 1 / np.cumprod([1.0, tape.choice(gaps), tape.choice(gaps)])
    start = np.full(3, s[-1] / tape.choice(margins))
    return SpectralNetwork(np.stack([tape.rotation(4)[:, :3] for _ in range(3)]), start, s)


small_starts = trios(gaps=(1.5, 2.0, 1.1, 1.25), margins=(8, 4.6, 30, 300))
spread_starts = trios(gaps=(1.5, 2.0, 1.75), margins=(8, 30, 300))
large_starts = trios(gaps=(1.25, 1.4, 1.3), margins=(2.05, 2.2, 2.3))


def towards(target):
    """W -> W - T, the slope of (1/2)|W - T|_F^2."""
    return lambda W: W - target


def race(layers, T, s, modes, eta, budget=4000):
    """After how many steps of descent on W_2 W_1 each mode is at half of s (..., r), and all modes when the first is.

    modes: end-to-end matrix -> (..., r). Raises UnfittedError when `budget` steps do not do.
    """
    steps, at_first = np.full(s.shape, -1), np.zeros(s.shape)
    for t, moved in enumerate(islice(descent_path(layers, towards(T), eta), budget)):
        now = modes(end_to_end(moved))
        at_first = np.where(steps[..., :1] < 0, now, at_first)
        steps = np.where((now >= s / 2) & (steps < 0), t, steps)
        if np.all(steps >= 0):
            return steps, at_first
    raise UnfittedError(f"modes {np.argwhere(steps < 0)[0]} are not half learned after {budget} steps")


def race_of(networks, eta):
    """`race` for spectral networks, eta (B,)."""
    modes = lambda W: networks.modes(W, 2)  # noqa: E731
    return race(networks.layers(2), networks.target_matrix(2), networks.target, modes, eta)


def longest_step(s, start):
    """The eta (B,) that H5 just allows for modes s (B, r) and their starts."""
    apart = np.abs(np.diff(half_time(s, start)))
    return np.min(apart / apart_by(s, start)[:, :-1], axis=-1) * (1 - 2.0**-10)


def tells_apart(s, start, eta):
    """Whether H5 holds for the modes s (..., r), in falling order, and their starts."""
    apart = np.abs(np.diff(half_time(s, start)))
    return np.all(np.asarray(eta)[..., None] * apart_by(s, start)[..., :-1] < apart, axis=-1)


def balance_error(W_1, W_2):
    """|W_2'W_2 - W_1W_1'|_F."""
    return norm(W_2.mT @ W_2 - W_1 @ W_1.mT, axis=(-2, -1))


def aligned(networks):
    """Whether H4 holds, up to rounding."""
    Q, W = np.moveaxis(networks.frames, -3, 0), end_to_end(networks.layers(2))
    modes = Q[2].mT @ W @ Q[0]
    return norm(modes - np.eye(modes.shape[-1]) * networks.start[:, None, :], axis=(-2, -1)) < 1e-12


def scalar_maps(networks, eta, steps):
    """Every u after steps of u <- u + eta u(s - u^2), (B, r), and how far a computed W may be from Q_2 diag(u^2) Q_0'.

    A step of the matrices rounds by at most 64 D u (1 + |u|)^3. The derivative of a step is a contraction, of the
    Gauss-Newton part, plus at most eta max |s - u^2|, so an error grows by the product of 1 + that.
    """
    u, growth = np.sqrt(networks.start), np.ones(len(steps))
    size = 1 + np.sqrt(np.maximum(networks.start, networks.target)).max(-1)
    for now in range(int(steps.max())):
        gap, moving = networks.target - u * u, now < steps
        growth = np.where(moving, growth * (1 + eta * np.abs(gap).max(-1)), growth)
        u = np.where(moving[:, None], u + eta[:, None] * u * gap, u)
    return u, (1 + steps) * 64 * networks.frames.shape[-2] * UNIT_ROUNDOFF * growth * size**4


def half_time(s, start):
    """When the flow of a mode from `start` is at s/2: ln(s/start - 1)/(2s)."""
    return np.log(s / start - 1) / (2 * s)


def apart_by(s, start):
    """What H5 asks for beside eta: 1 + (9/8) ln(s/s_0 - 1)."""
    return 1 + 9 / 8 * np.log(s / start - 1)


def on_the_flow(s, start, time):
    """A mode of the flow: s/(1 + (s/start - 1) exp(-2 s time))."""
    return s / (1 + (s / start - 1) * np.exp(-2 * s * time))


def assert_steps_of_flow(networks, eta, steps):
    """The two-sided bound of the field Tolerance, for every mode; eta (B,)."""
    s, t, eta = networks.target, half_time(networks.target, networks.start), eta[:, None]
    lower, upper = t * (1 - eta * s - (eta * s) ** 2 / 4), t / (1 - eta * s / 2) + eta
    assert_at_most((eta * steps / upper).max(-1), 1, why="no more steps than the flow takes", instance=networks)
    assert_at_most((lower / (eta * steps)).max(-1), 1, why="no fewer steps", instance=networks)


def enclosed_half_time(s, start=Fraction(1)):
    """Fractions below and above `half_time`."""
    lower, upper = enclose_log(Fraction(s) / start - 1)
    return lower / (2 * Fraction(s)), upper / (2 * Fraction(s))


def slope_of_half_time(x):
    """Fractions below and above ln(x - 1) - x/(x - 1), which is -2 s_0 x^2 dt/dx at x = s/s_0."""
    return tuple(end - x / (x - 1) for end in enclose_log(x - 1))


@corrected("C6", "H1")
def test_from_a_large_start_the_stronger_mode_is_learned_later():
    # given  s_0 = 1 and the modes 5/2 and 7/2, under the flow: 0.131 against 0.081
    stronger, weaker = enclosed_half_time(Fraction(7, 2))[0], enclosed_half_time(Fraction(5, 2))[1]
    reads = "the mode 7/2 is half learned after {value}, later than the mode 5/2 at {limit}"
    assert_violates(stronger, weaker, reads=reads, start=1, s=[Fraction(5, 2), Fraction(7, 2)])


@corrected("C6", "H1")
def test_gradient_descent_has_half_of_the_weaker_mode_first():
    # given  s_0 = 1, eta = 1/20, one neuron for each mode: f = u^2 with u <- u + eta u(s - u^2), exact
    def steps(s):
        u, t = Fraction(1), 0
        while u * u < s / 2:
            u, t = u + Fraction(1, 20) * u * (s - u * u), t + 1
        return t

    # then
    reads = "the mode 7/2 takes {value} steps > {limit} of the mode 5/2"
    assert_violates(steps(Fraction(7, 2)), steps(Fraction(5, 2)), reads=reads, start=1, eta=Fraction(1, 20))


@corrected("C6", "H1")
def test_hypothesis_finds_modes_that_are_learned_in_the_wrong_order():
    # given  a start of 1 and two modes above 2 in steps of a quarter
    modes = st.tuples(st.integers(9, 40), st.integers(9, 40)).map(
        lambda pair: (Fraction(pair[0], 4), Fraction(pair[1], 4))
    )

    def late(pair):
        return pair[0] > pair[1] and enclosed_half_time(pair[0])[0] > enclosed_half_time(pair[1])[1]

    found = smallest_violation(modes, late)
    times = enclosed_half_time(found[0])[0], enclosed_half_time(found[1])[1]
    assert_violates(*times, reads="the stronger at {value} > the weaker at {limit}", start=1, s=list(found))


@corrected("C1", "H3", "H4")
@given_batches(network=spectral_networks(max_depth=2))
def test_every_mode_of_the_matrix_dynamics_follows_its_own_scalar_map(network):
    # given  aligned layers of unequal widths, modes that grow and modes that shrink, and times from 1 to 120
    eta, steps = 0.1 / network.target.max(-1), 1 + 17 * np.arange(len(network.target)) % 120
    # when
    W = end_to_end(descend(network.layers(2), towards(network.target_matrix(2)), eta, steps))
    # then
    u, rounding = scalar_maps(network, eta, steps)
    Q = np.moveaxis(network.frames, -3, 0)
    error = norm(W - (Q[2] * (u * u)[:, None, :]) @ Q[0].mT, axis=(-2, -1))
    assert_at_most(error, rounding, why="matrix against scalar maps", instance=network)


@corrected("C2", "H1", "H2", "H3", "H4", "H5")
@given_batches(network=small_starts)
def test_from_a_small_start_the_stronger_mode_is_learned_first(network):
    # given  neighbors down to a tenth apart, starts up to s/4.6, and the longest step that H5 allows
    steps, _ = race_of(network, longest_step(network.target, network.start))
    # then
    assert_at_most(steps[:, 0], steps[:, 1] - 1, why="first before second", instance=network)
    assert_at_most(steps[:, 1], steps[:, 2] - 1, why="second before third", instance=network)


@corrected("C2", "H1", "H2", "H3", "H4", "H5")
def test_the_stronger_mode_is_learned_first_by_steps_that_are_long_for_it_too():
    # given  the scalar maps of the modes 1 and s' from 1/1000 to 9/10, starts from s'/4.6 to 10^-9 s', and the longest
    #        step that H5 allows, up to more than 100
    weak, margin = (grid.ravel() for grid in np.meshgrid(np.geomspace(1e-3, 0.9, 40), np.geomspace(4.6, 1e9, 40)))
    s, start = np.stack([1 + 0 * weak, weak], axis=-1), (weak / margin)[:, None]
    eta = longest_step(s, start)[:, None]
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
    eta = np.minimum(RELATIVE_STEP / network.target[:, 0], longest_step(network.target, network.start))
    # when   the first mode is half learned, after N steps
    steps, at_first = race_of(network, eta)
    # then   the second is where the flow has it from eta N (1 - eta s/2) to eta N/(1 - eta s - (eta s)^2/4)
    s, start, second = network.target[:, 1], network.start[:, 1], at_first[:, 1]
    time, x = eta * steps[:, 0], eta * s
    early, late = on_the_flow(s, start, time * (1 - x / 2)), on_the_flow(s, start, time / (1 - x - x**2 / 4))
    slack = 4096 * UNIT_ROUNDOFF * s
    assert_within(early, second, late, slack=slack, why="the second mode", instance=network)
    # then   at most s_0 (s_1/s_0 - 1)^(s_2/s_1), but for the length of the steps: a share that vanishes with the start
    time = half_time(network.target[:, 0], start) / (1 - eta * network.target[:, 0] / 2) + eta
    assert_at_most(second, start * np.exp(2 * s * time) + slack, why="share of the second mode", instance=network)


@corrected("C4", "H3", "H4")
@given_batches(network=spread_starts)
def test_the_steps_to_half_of_a_mode_are_those_of_the_flow(network):
    eta = RELATIVE_STEP / network.target[:, 0]
    assert_steps_of_flow(network, eta, race_of(network, eta)[0])


@corrected("C4", "H3", "H4")
def test_the_steps_to_half_of_a_mode_are_those_of_the_flow_for_long_steps_and_starts_near_half_too():
    # given  the scalar map at s = 1, eta from 1/64 to 1, starts from 10^-6 to 1/2 - 10^-6
    eta, start = (grid.ravel() for grid in np.meshgrid(2.0 ** -np.arange(7), 1 / (2 + np.geomspace(4e-6, 1e6, 200))))
    x, steps = start.copy(), np.zeros(len(start))
    for _ in range(600):
        steps, x = steps + (x < 1 / 2), np.where(x < 1 / 2, x * (1 + eta * (1 - x)) ** 2, x)
    # then
    t, slack = half_time(1.0, start), 1024 * UNIT_ROUNDOFF
    assert_at_most(1 / 2, x, why="half learned")
    assert_at_most(t * (1 - eta - eta**2 / 4), eta * steps + slack, why="no fewer steps")
    assert_at_most(eta * (steps - 1), t / (1 - eta / 2) + slack, why="no more steps than the flow takes")


@corrected("C1", "C2", "H1", "H2", "H3", "H4", "H5")
def test_torch_users_see_the_same_modes_at_the_same_time():
    # given  modes 2 and 1 from 1/20 in rotated frames, nn.Linear layers of widths 2, 3, 2, torch.optim.SGD
    root, Q = np.sqrt(0.05), np.array([[0.6, -0.8], [0.8, 0.6]])
    layers, target = [root * np.eye(3, 2) @ Q.T, root * Q @ np.eye(2, 3)], (Q * [2.0, 1.0]) @ Q.T
    # when   the first mode is half learned: ln(39)/4 = 46 steps of 0.02, and two for the length of the steps
    trained = end_to_end(train_deep_linear(layers, np.eye(2), target, lr=0.02, steps=48))
    # then
    u = np.full(2, root)
    for _ in range(48):
        u = u + 0.02 * u * ([2.0, 1.0] - u * u)
    error = norm(trained - (Q * (u * u)) @ Q.T)
    assert_at_most(error, 48 * 64 * 3 * UNIT_ROUNDOFF * (1 + 0.02 * 2) ** 48, why="torch against the scalar maps")
    first, second = np.diag(Q.T @ trained @ Q)
    assert_at_most(1, first, why="the mode 2 is half learned")
    assert_at_most(second, 1 / 2, why="the mode 1 is not")


@corrected("C5", "H1")
def test_the_half_time_of_the_flow_turns_at_4_5911_times_the_start():
    # then   it rises before and falls after, with enclosures on both sides of the root
    before, after = slope_of_half_time(THRESHOLD[0]), slope_of_half_time(THRESHOLD[1])
    assert_at_most(before[1], 0, why="ln(x - 1) < x/(x - 1) at 4.5911")
    assert_at_most(0, after[0], why="ln(x - 1) > x/(x - 1) at 4.5912")
    # and    the difference of the two rises, by 1/(x - 1) + 1/(x - 1)^2, so there is one root


@corrected("C7", "H6")
@given_batches(problem=regressions())
def test_in_the_kernel_regime_a_stronger_mode_loses_more_of_its_residual(problem):
    # given  H6: eta = 0.9/lambda_max, and w0 off the minima
    problem = off_the_minima(problem)
    start, eta = problem.modes(np.matvec(problem.X, problem.w0) - problem.y), 0.9 / problem.sigma_max**2
    # when
    run = gradient_descent(problem.X, problem.y, problem.w0, eta, problem.t)
    after = problem.modes(np.matvec(problem.X, run.w) - problem.y)
    # then   each mode is multiplied by (1 - eta k)^t, and that is less the larger k is
    factors = (1 - eta[:, None] * problem.s**2) ** problem.t[:, None]
    rounding = 4 * (iterate_rounding(problem, run) + problem.construction * norm(start, axis=-1)) * problem.sigma_max
    assert_at_most(np.abs(after - factors * start).max(-1), rounding, why="modes of the residual", instance=problem)
    stronger, weaker = np.abs(after[:, 0] * start[:, -1]), np.abs(after[:, -1] * start[:, 0])
    lead = np.abs(start[:, 0] * start[:, -1]) * (factors[:, -1] - factors[:, 0])
    slack = rounding * 2 * np.abs(start).max(-1)
    assert_within(lead, weaker - stronger, lead, slack=slack, why="lead of the stronger mode", instance=problem)
    assert_at_most(0, lead, why="the order of the modes", instance=problem)


@necessity("H2")
@given_batches(network=large_starts)
def test_without_H2_the_weaker_mode_is_learned_first(network):
    s, start = network.target, network.start
    eta = longest_step(s, start)
    assert_keeps(H1=start == start[:, :1], H3=balance_error(*network.layers(2)) < 1e-12, H4=aligned(network))
    assert_keeps(H5=tells_apart(s, start, eta))
    steps, _ = race_of(network, eta)
    # then   all of s/s_0 between 2 and 4.5911: the order is reversed throughout
    assert_at_most(steps[:, 2], steps[:, 1] - 1, why="third before second", instance=network)
    assert_at_most(steps[:, 1], steps[:, 0] - 1, why="second before first", instance=network)


@corrected("C4", "H3", "H4")
@given_batches(network=large_starts)
def test_from_a_large_start_the_steps_to_half_are_still_those_of_the_flow(network):
    eta = RELATIVE_STEP / network.target[:, 0]
    assert_steps_of_flow(network, eta, race_of(network, eta)[0])


@corrected("C5", "H1")
def test_H2_is_not_necessary_for_two_modes_far_apart():
    # given  s_0 = 1: the mode 4 is below 4.5911
    assert_at_most(enclosed_half_time(100)[1], enclosed_half_time(4)[0], why="100 precedes 4: 0.023 against 0.137")


@necessity("H1")
def test_without_H1_a_weak_mode_with_a_head_start_is_learned_first():
    # given  s = (2, 1), both starts below s/4.5911: 10^-6 and 1/10
    # given  the flow of two modes of aligned and balanced layers
    starts = Fraction(1, 10**6), Fraction(1, 10)
    strong, weak = enclosed_half_time(2, starts[0]), enclosed_half_time(1, starts[1])
    assert_keeps(H2=THRESHOLD[1] * max(starts) < 1, H3=True, H4=True, H5=strong[0] > weak[1])
    # then   3.63 against 1.10
    assert_at_most(3 * weak[1], strong[0], why="half times")


@necessity("H3")
def test_without_H3_a_weak_mode_grows_out_of_one_large_layer():
    # given  s = (2, 1), both modes from 1/100 = 1/10 * 1/10 = 1 * 1/100; H5 allows eta = 1/8, as 1/7.2 is its limit
    s, layers = np.array([2.0, 1.0]), [np.diag([0.1, 1.0]), np.diag([0.1, 0.01])]
    start = end_to_end(layers)
    modes = np.diag(start)
    assert_keeps(H1=np.ptp(modes) <= UNIT_ROUNDOFF / 16, H2=4.5912 * modes < s)
    assert_keeps(H4=[not (start - np.diag(modes)).any(), modes.min() >= 0], H5=tells_apart(s, modes, 1 / 8))
    steps, _ = race(layers, np.diag(s), s, np.diag, 1 / 8)
    # then   11 steps against 6
    assert_at_most(steps[1] + 4, steps[0], why="the weaker mode is learned first, by four steps")


@necessity("H4")
def test_without_H4_weak_modes_grow_out_of_what_they_hide_in_one_another():
    # given  s = (3/2, 1, 1), balanced layers of the size 3/5 on the last two modes, one of them turned, cos = 20/101
    s, Q = np.array([1.5, 1.0, 1.0]), np.array([[101, 0, 0], [0, 20, 99], [0, -99, 20]]) / 101
    size = np.diag([0.6 * np.sqrt(20 / 101), 0.6, 0.6])
    layers = [size, Q @ size]
    modes, slack = np.diag(end_to_end(layers)), 16 * UNIT_ROUNDOFF
    assert_keeps(H1=np.ptp(modes) <= slack, H2=4.5912 * modes < s, H3=balance_error(*layers) <= slack)
    assert_keeps(H5=tells_apart(s[:2], modes[:2], 1 / 20))
    # when   H5 allows eta = 1/20
    steps, _ = race(layers, np.diag(s), s, np.diag, 1 / 20)
    # then
    assert_at_most(steps[1:] + 4, steps[0], why="the weaker modes are learned first, by four steps")


@necessity("H5")
def test_without_H5_the_weaker_mode_can_take_fewer_steps():
    # given  s = 28/25 and 1 from 5/23, both above 4.5911 of it, and eta = 67/100, exact
    s, start, eta = [Fraction(28, 25), Fraction(1)], Fraction(5, 23), Fraction(67, 100)
    # given  one start for both modes, and the scalar maps of aligned and balanced layers
    assert_keeps(H1=True, H2=THRESHOLD[1] * start < min(s), H3=True, H4=True)
    one = [start * (1 + eta * (mode - start)) ** 2 for mode in s]
    # then   after one step the weaker is at half, and the stronger is not
    assert_at_most(s[1] / 2, one[1], why="the weaker mode is learned")
    assert_at_most(one[0] + Fraction(1, 10_000), s[0] / 2, why="the stronger mode is not")


@corrected("C8")
@pytest.mark.parametrize("k", [1, 3, 6])
def test_without_a_second_layer_the_modes_do_not_wait_for_each_other(k):
    # given  one layer, f = w on whitened inputs, s = (2, 1), both modes from 10^-k; eta = 1/8, exact
    start = fractions([Fraction(1, 10**k)] * 2)
    path = exact_descent(fractions([[1, 0], [0, 1]]), fractions([2, 1]), start, Fraction(1, 8), 8)
    # when   the first is half learned
    w = next(w for w in path if w[0] >= 1)
    # then   so is the second, from any start
    assert_at_most(Fraction(1, 2), w[1], why="share of the second mode")


@necessity("H6")
def test_without_H6_the_strongest_mode_can_be_the_slowest():
    # given  k = (4, 1) and eta = 19/40 < 2/lambda_max, from (1, 1) towards 0
    X = fractions([[2, 0], [0, 1]])
    path = exact_descent(X, fractions([0, 0]), fractions([1, 1]), Fraction(19, 40), 5)
    # then   the residual modes are (1 - eta k)^t: (-9/10)^t against (21/40)^t
    residual = path[5] @ X
    assert_identical(path[5], [Fraction(-9, 10) ** 5, Fraction(21, 40) ** 5], why="modes after five steps")
    assert_at_most(10 * abs(residual[1]), abs(residual[0]), why="the stronger mode keeps more of its residual")


PAIRS = ((1, 2), (1, 4), (2, 4))
NETWORKS = np.arange(400, 424)
RELU = Population("ReLU networks on the circle")
LINEAR = Population("linear networks")


def steps_to_half(path, parts, budget):
    """After how many steps each part of the networks of a path, parts: network -> (B, k), is half learned, (B, k)."""
    steps = 0
    for t, net in enumerate(islice(path, budget)):
        now = parts(net)
        steps = np.where((now >= 1 / 2) & (steps == 0), t, steps)
        if t and np.all(steps > 0):
            return steps
    raise UnfittedError(
        f"a pattern of network {np.argmin(np.min(steps, axis=1))} is not half learned in {budget} steps"
    )


@functools.cache
def relu_race(seeds, pairs, sizes=(1, 1), quarter=None):
    """Steps to half of two harmonics (B, 2), of the frequencies pairs[seed % 3], and way of the weights (B,).

    Phases are random, or a quarter of a turn apart where `quarter` is true.
    """
    t, k = 2 * np.pi * np.arange(32) / 32, np.array([pairs[seed % len(pairs)] for seed in seeds])
    phases = np.array([np.random.default_rng(seed).uniform(0, 2 * np.pi, 2) for seed in seeds])
    phases = phases[:, :1] + [0, np.pi / 2] if quarter else phases
    patterns = np.cos(k[:, :, None] * t + phases[:, :, None])
    X, y = np.stack([np.cos(t), np.sin(t)], axis=1), np.vecmat(np.array(sizes, float), patterns)
    net = two_layer("ntk", 100, 2, np.array(seeds))
    start = TwoLayer(net.W / 10, net.a / 10, "relu", 1.0)
    ends = []

    def shares(at):
        ends[:] = [at]
        return np.matvec(patterns, at.predict(X)) / 16 / sizes

    steps = steps_to_half(network_path(start, X, y, 0.2 / 32), shares, 4000)
    return steps, norm(ends[0].parameters() - start.parameters(), axis=-1)


def linear_race(seeds):
    """Steps to half of the modes 3, 2, 1 in random frames, (B, 3)."""
    s, steps = np.array([3.0, 2.0, 1.0]), []
    for seed in seeds:
        rng = np.random.default_rng(seed)
        Q_2, Q_0 = (np.linalg.qr(rng.standard_normal((size, 3)))[0] for size in (5, 6))
        layers = [rng.standard_normal((8, 6)) / 100, rng.standard_normal((5, 8)) / 100]
        path = descent_path(layers, towards(Q_2 * s @ Q_0.T), 0.02)
        shares = lambda at, left=Q_2, right=Q_0: np.diag(left.T @ end_to_end(at) @ right)[None] / s  # noqa: E731
        steps += [steps_to_half(path, shares, 2000)[0]]
    return np.array(steps)


def record_order(steps, where, reads):
    """The verdict of steps (B, k), of patterns from the simplest to the most complex: mean log ratio of neighbors."""
    found = student_interval(np.diff(np.log(steps), axis=1).mean(1))
    record_finding(judge(found, null=0, direction=1), found, where=where, trials=len(steps), reads=reads)


@measured
@pytest.mark.fast
def test_low_frequencies_are_learned_before_high_ones():
    steps, way = relu_race(tuple(NETWORKS), PAIRS)
    assert_at_most(1, way, why="the weights moved by more than 1")
    record_order(steps, RELU, "the higher frequency takes e^{estimate} [{lower}, {upper}] times as many steps")


@measured(reading="modes of a linear network")
@pytest.mark.fast
def test_strong_modes_of_linear_networks_are_learned_before_weak_ones():
    reads = "the next weaker mode takes e^{estimate} [{lower}, {upper}] times as many steps"
    record_order(linear_race(NETWORKS), LINEAR, reads)


@observed
def test_a_stronger_harmonic_of_the_same_frequency_is_learned_by_relu_networks_at_about_the_same_time():
    # given  frequency 4, amplitudes 2 and 1, networks 0 to 15
    steps, _ = relu_race(tuple(range(16)), ((4, 4),), (2, 1), quarter=True)
    assert_within(3 / 4, steps[:, 1] / steps[:, 0], 4 / 3, why="steps of the weaker over those of the stronger")
