r"""Proposition 4.2 - depth strengthens the bias towards low rank, but not in proportion to depth.

Section     4.3, the first proposition
Printed     The implicit regularization towards low-rank solutions grows with depth: effective regularization
            $\propto L$
Reading     The print does not say what is regularized by how much. We read (a) as the power of a singular value at
            which it learns, which is what makes large ones run ahead of small ones; and (b) as: the deeper of two
            networks has the lower effective rank when both have learnt their first singular value equally well. A
            factor L in front of the whole velocity is no regularization towards low rank: it runs the clock faster for
            all modes alike.
Readings    (a) [nuclear norm] the quantity that the paper names next to the sentence, in Theorem 4.1: the strength is
            the logarithm of how near the solution comes to the least nuclear norm, here the least trace - refuted
Setting     $f(x) = W_L \cdots W_1 x$, balanced layers, gradient flow; $s_r, u_r, v_r$ from the singular value
            decomposition of $W = W_L \cdots W_1$; $\nabla$ is the gradient of the loss in W; $p = 2 - 2/L$
Hypotheses  (H1) X = I, and W(0) lies in the singular frames of the target, so that modes decouple.
            (H2) all modes start at one size eps.  (H3) networks of all depths start from the same end-to-end matrix.
            (H4) eps is below every target.
            (H5) they are compared when the first mode has reached the same size c < lambda_1, lambda_1 the largest.
Parts       (a) regularization proportional to depth - refuted
            (b) deeper networks are biased more - holds under added hypotheses
Corrected   (C1) (a) For balanced layers of any widths, any depth and any loss, at a simple positive singular value:
            $\dot s_r = -L\, s_r^{2 - 2/L}\, u_r^\top \nabla v_r$.
            (C2) (a) So two modes under equal forces move in the ratio $(s_1/s_2)^p$ with the selection exponent
            p = 2 - 2/L = 0, 1, 4/3, 3/2, ..., which stays below 2.
            (C3) (a) Under H1 each mode that starts at s(0) > 0 and off its target keeps, for ever, the time law
            $\int_{s(0)}^{s(t)} r^{-p} / (\lambda - r)\, dr = L t$, whether it grows or shrinks.
            (C4) (a) Under H1 to H5 no mode is below eps in the limit of infinite depth, p = 2.
Differs     (a) The exponent is bounded by 2 and the limit of infinite depth by eps from below, while L has no bound:
            the corrected bias saturates where the print lets it grow in proportion.
Idea        (b): mode j passes s at time $T_j(s) = \int_\epsilon^s r^{-p} / (\lambda_j - r)\, dr$. At a common time the
            law with density $\propto r^{-p} / (\lambda_j - r)$ is stochastically smaller for the smaller target, so
            raising p lengthens T_j at a fixed s_j more than T_1 at c, and s_j must drop.
Source      Arora, Cohen, Hu, Luo (2019), Implicit Regularization in Deep Matrix Factorization, NeurIPS (the spectral
            equation); Saxe, McClelland, Ganguli (2014), Exact Solutions to the Nonlinear Dynamics of Learning in Deep
            Linear Neural Networks, ICLR (depth two); the proof of (b) is ours
Tolerance   Witnesses are rational: the layer gradients run on Fractions, and closed forms at depths one and two are
            rational for targets in the ratio two. Flows carry the integrator's error, and its finish is checked
            against the time laws of depths 1, 2, 4 and infinity, which are elementary functions.
Findings    What pinned instances show. At a matched loss of the targets 4, 2, 1 the rank rises from depth two to three
            in all three of its measures (nuclear over operator norm, stable, entropic). With full data the depths 1, 2
            and 3 end at the same matrix. From W_l = alpha I the start is alpha^L, and alpha = 11/10 reverses (b).
Expected    refuted
"""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.linalg import norm, svd

from fixtures.dynamics.deep_linear import end_to_end, layer_flow, layer_gradients
from fixtures.dynamics.gradient_flow import gradient_flow
from fixtures.precision import UNIT_ROUNDOFF
from fixtures.problems.batches import given_batches
from fixtures.problems.deep_linear import SpectralNetwork, mode_races, spectral_networks
from fixtures.rational import fractions
from properties.certificates import assert_at_most, assert_identical, assert_violates
from properties.search import smallest_violation
from theorems.ledger import corrected, counterexample, necessity, under_hypotheses

DEPTHS = (1, 2, 3, 4, 6, 12, np.inf)
EXPONENTS = np.array([2 - 2 / L for L in DEPTHS])


def end_to_end_velocity(layers, velocities):
    """dW/dt = sum_l W_L ... W_{l+1} V_l W_{l-1} ... W_1; exact on Fractions."""
    one_moving = ([*layers[:index], V, *layers[index + 1 :]] for index, V in enumerate(velocities))
    return sum(end_to_end(product) for product in one_moving)


def out_of_proportion(depth, factor):
    """How much `factor` times the selection exponent exceeds that of a network deeper by this factor."""
    return factor * selection_exponent(depth) - selection_exponent(factor * depth)


def selection_exponent(L):
    """The p in s_1'/s_2' = (s_1/s_2)^p under equal forces, from the layer gradients at W_l = diag(1, 2^(-12/L))."""
    layers = [fractions([[1, 0], [0, Fraction(1, 2 ** (12 // L))]])] * L
    velocities = [-g for g in layer_gradients(layers, lambda W: 0 * W - np.eye(2, dtype=int))]
    moving = end_to_end_velocity(layers, velocities)
    return Fraction((moving[0, 0] / moving[1, 1]).numerator.bit_length() - 1, 12)


def second_mode_at_depth_one(target, start, goal):
    """s_2 when s_1 = goal, for L = 1: both modes approach their targets at the same rate."""
    return target[1] - (target[1] - start[1]) * (target[0] - goal) / (target[0] - start[0])


def second_mode_at_depth_two(target, start, goal, power=lambda base, exponent: base**exponent):
    """s_2 when s_1 = goal, for L = 2: the odds s_j/(lambda_j - s_j) grow like exp(2 lambda_j t)."""
    growth = goal * (target[0] - start[0]) / (start[0] * (target[0] - goal))
    odds = start[1] / (target[1] - start[1]) * power(growth, target[1] / target[0])
    return target[1] * odds / (1 + odds)


def exact_power(base, exponent):
    """The rational square root of a rational square; raises ValueError for any other power or base."""
    root = Fraction(math.isqrt(base.numerator), math.isqrt(base.denominator))
    if exponent != Fraction(1, 2) or root**2 != base:
        raise ValueError(f"{base} to the power {exponent} is not the root of a square")
    return root


def time_law(exponent, target, s):
    """An antiderivative of r^(-p)/(lambda - r) at r = s, for p = 0, 1, 3/2 or 2 (depths 1, 2, 4 and infinity)."""
    root, far = np.sqrt(target), np.abs(target - s)
    laws = {
        0: lambda: -np.log(far),
        1: lambda: np.log(s / far) / target,
        1.5: lambda: np.log((root + np.sqrt(s)) ** 2 / far) / root**3 - 2 / (target * np.sqrt(s)),
        2: lambda: np.log(s / far) / target**2 - 1 / (target * s),
    }
    return laws[exponent]()


def race(problem, exponents=EXPONENTS):
    """All modes when the first reaches its goal, (B, P, 3) for exponents (P,), and the error of that.

    The first mode is the clock: ln s_1 runs linearly from ln eps to ln c, and d ln s_j / d ln s_1 =
    (s_j/s_1)^(p-1) (lambda_j - s_j)/(lambda_1 - s_1).
    """
    target, p = problem.target[..., None, :], np.asarray(exponents)[:, None]
    span = np.log(problem.goal / problem.start)[..., None, None]

    def field(log_s):
        s = np.exp(log_s)
        speed = s ** (p - 1) * (target - s)
        return span * speed / speed[..., :1]

    start = np.log(problem.start)[..., None, None] + np.zeros((len(problem.start), len(exponents), 3))
    run = gradient_flow(field, start, [1.0])
    s = np.exp(run.states[-1])
    return s, s * run.error[-1] + 8 * UNIT_ROUNDOFF * target


def to_equal_loss(L, fraction):
    """The modes of diag(4, 2, 1) at depth L, from 1/100, when this fraction of the loss is left; and their error."""
    target, start = np.array([4.0, 2, 1]), np.full(3, 0.01)

    def excess(s):
        return ((s - target) ** 2).sum() - fraction * ((start - target) ** 2).sum()

    run = gradient_flow(lambda s: L * s ** (2 - 2 / L) * (target - s), start, [1e4], until=excess)
    return run.states[-1], run.error[-1]


def nuclear_rank(s):
    """The nuclear over the operator norm, for values (..., r)."""
    return s.sum(-1) / s.max(-1)


def stable_rank(s):
    """The squared Frobenius over the squared operator norm, for values (..., r)."""
    return nuclear_rank(s**2)


def entropic_rank(s):
    """The exponential of the entropy of s/sum(s)."""
    share = s / s.sum()
    return np.exp(-(share * np.log(share)).sum())


def rotated_network(start):
    """Rank two, targets 2 and 1, layers (3, 3) whose frames are four reflections that do not commute."""
    vectors = np.array([[1.0, 2, 2], [2, 1, 0], [1, 0, 1], [0, 1, 3]])
    frames = np.eye(3) - 2 * vectors[:, :, None] * vectors[:, None, :] / (vectors**2).sum(1)[:, None, None]
    return SpectralNetwork(frames[..., :2], np.array(start), np.array([2.0, 1]))


def second_singular_value(network, L):
    """s_2 by LAPACK when the flow of all layers has brought s_1 to 1, and how far it may be off.

    The layers stay below 2^(1/L) in the operator norm, and a singular value moves by no more than the matrix.
    """
    layers, T = network.layers(L), network.target_matrix(L)

    def ahead(moving):
        return 1 - network.modes(end_to_end(moving), L)[0]

    run = layer_flow(layers, lambda W: W - T, np.array([10.0]), until=ahead)
    end = end_to_end([W[-1] for W in run.layers])
    return svd(end, compute_uv=False)[1], 2 * L * run.error[-1] + 500 * L * UNIT_ROUNDOFF


# (a) proportional to depth


@counterexample(part="(a)")
def test_twice_the_depth_is_less_than_twice_the_selection():
    # given  singular values 1 and 2^-12, pulled with equal force, in rational arithmetic
    twice, deeper = 2 * selection_exponent(2), selection_exponent(4)
    # then   2^12 at depth two; at depth four 2^18 and not 2^24
    names = {"p_2": selection_exponent(2), "p_4": deeper}
    assert_violates(
        twice, deeper, reads="twice the selection exponent of depth 2, {value} > {limit} of depth 4", **names
    )


@counterexample(part="(a)")
def test_hypothesis_finds_two_depths_out_of_proportion():
    # given  depths L and kL that divide 12
    pairs = st.sampled_from([(6, 2), (4, 3), (3, 4), (3, 2), (2, 6), (2, 3), (2, 2)])
    # when
    L, k = smallest_violation(pairs, lambda pair: out_of_proportion(*pair) > 0)
    # then
    assert_violates(out_of_proportion(L, k), 0, reads="k p_L - p_kL = {value} > {limit}", L=L, k=k)


def excess_of_trace(alpha, L):
    """How much the trace exceeds the least when the flow from W_l = alpha I, at depth 2 or 4, has W_22 = 1; exact.

    <diag(1, 2), W> is measured. The flow keeps w_1 = alpha^2 x, w_2 = alpha^2 x^2 for two layers, and for four
    (v_1^-2 - alpha^-2) = (v_2^-2 - alpha^-2)/2 with w = v^4. The least trace is (w_1 + 2 w_2)/2, so w_1/2 is too much.
    """
    w_1 = alpha if L == 2 else (2 / (alpha**-2 + 1)) ** 2
    return w_1 / 2


@counterexample(part="(a)", reading="nuclear norm")
def test_at_twice_the_depth_the_trace_comes_nearer_to_the_least_than_in_proportion():
    # given  alpha = 1/10: proportional logarithms would make the excess at depth four the square of that at depth two
    alpha = Fraction(1, 10)
    shallow, deep = excess_of_trace(alpha, 2), excess_of_trace(alpha, 4)
    assert_identical([shallow, deep], [Fraction(1, 20), Fraction(2, 10201)], why="excess at depths two and four")
    reads = "(excess at L = 2)^2 = {value} > {limit} at L = 4, equal if in proportion"
    assert_violates(shallow**2, deep, reads=reads, a=[1, 2], W_22=1, alpha=alpha)


@counterexample(part="(a)", reading="nuclear norm")
def test_hypothesis_finds_a_start_from_which_the_nearness_is_out_of_proportion():
    def surplus(k):
        return excess_of_trace(Fraction(1, k), 2) ** 2 - excess_of_trace(Fraction(1, k), 4)

    k = smallest_violation(st.integers(1, 20), lambda k: surplus(k) > 0, budget=40)
    assert_violates(surplus(k), 0, reads="surplus {value} > {limit}", alpha=Fraction(1, k))


@corrected("C2", part="(a)")
@pytest.mark.parametrize("L", [1, 2, 3, 4, 6, 12])
def test_the_selection_exponent_is_two_less_two_over_the_depth(L):
    assert_identical(selection_exponent(L), 2 - Fraction(2, L), why="selection exponent, from the layer gradients")


@corrected("C1", part="(a)")
@pytest.mark.parametrize("L", [1, 2, 3, 5])
@given_batches(network=spectral_networks())
def test_a_singular_value_moves_at_L_times_its_power_times_its_force(L, network):
    # given  balanced rectangular layers in rotated frames, and any gradient, aligned with nothing
    layers = network.layers(L)
    G = network.target_matrix(L)[..., ::-1, ::-1] + 0.3
    # when
    velocity = end_to_end_velocity(layers, [-g for g in layer_gradients(layers, lambda _: G)])
    # then   u'(dW/dt)v = -L s^(2-2/L) u'Gv for every pair of frame vectors
    s = np.where(network.start > 0, network.start, 1)
    predicted = -L * s ** (2 - 2 / L) * network.modes(G, L)
    D = network.frames.shape[-2]
    bound = 200 * L**2 * D**2 * UNIT_ROUNDOFF * norm(G, axis=(-2, -1))
    error = np.abs(network.modes(velocity, L) - predicted).max(-1)
    assert_at_most(error, bound, why="velocity of the singular values", instance=network)


@corrected("C3", part="(a)")
@pytest.mark.parametrize("L", [1, 2, 4])
@given_batches(size=100, network=spectral_networks(max_depth=4))
def test_along_the_flow_every_mode_keeps_the_time_law_of_its_depth(L, network):
    # given  X = I and a target in the frames of the layers; modes grow and shrink
    layers, T = network.layers(L), network.target_matrix(L)
    times = np.array([0.05, 0.4, 1.0])
    # when
    run = layer_flow(layers, lambda W: W - T, times)
    # then   int_{s(0)}^{s(t)} r^(-p)/(lambda - r) dr = L t, which an error ds changes by ds s^(-p)/(lambda - s)
    present = network.start > 0
    s = np.where(present, network.modes(end_to_end(run.layers), L), 0.5)
    target, start = np.where(present, network.target, 1), np.where(present, network.start, 0.5)
    p = 2 - 2 / L
    sign = np.sign(target - start)
    elapsed = sign * (time_law(p, target, s) - time_law(p, target, start))
    missed = np.where(present, np.abs(elapsed - sign * L * times[:, None, None]) * s**p * np.abs(target - s), 0)
    bound = L * 2 ** (1 - 1 / L) * run.error + 500 * L**2 * UNIT_ROUNDOFF
    assert_at_most(missed.max((-2, -1)), bound, why="time law of every mode")


# (b) deeper networks are biased more


HEAD_START = [Fraction(2), Fraction(1)], [Fraction(1, 5), Fraction(1, 2)], Fraction(1)
"""Targets 2 and 1; the first mode starts at 1/5 and the second at 1/2; they are looked at when s_1 = 1."""


@counterexample(part="(b)")
def test_a_head_start_of_the_second_mode_lasts_longer_in_the_deeper_network():
    # given  a growth of the odds by 9 = 3^2, of which the second mode takes the power 1/2
    target, start, goal = HEAD_START
    shallow = second_mode_at_depth_one(*HEAD_START)
    deep = second_mode_at_depth_two(*HEAD_START, power=exact_power)
    # then   the nuclear over the operator norm is 1 + s_2
    names = {"lambda": target, "s(0)": start, "s_1": goal}
    assert_violates(1 + deep, 1 + shallow, reads="effective rank {value} at L = 2 > {limit} at L = 1", **names)


@counterexample(part="(b)")
def test_hypothesis_finds_a_target_and_a_start_for_which_depth_raises_the_rank():
    # given  targets lambda_1 >= lambda_2, starts and a goal in eighths of the way: nothing aims at unequal starts
    eighths = st.integers(1, 7)
    targets = st.tuples(st.integers(1, 4), st.integers(1, 4)).map(lambda pair: (max(pair), min(pair)))

    def race_of(instance):
        (first, second), a, b, k = instance
        start = second * a / 8, second * b / 8
        return (first, second), start, start[0] + (first - start[0]) * k / 8

    def excess(instance):
        deep, shallow = (law(*race_of(instance)) for law in (second_mode_at_depth_two, second_mode_at_depth_one))
        return deep - shallow if deep < race_of(instance)[2] else 0.0

    # when   by more than the closed forms round
    slack = 64 * 4 * UNIT_ROUNDOFF
    found = smallest_violation(st.tuples(targets, eighths, eighths, eighths), lambda found: excess(found) > slack)
    # then
    target, start, goal = race_of(found)
    names = {"lambda": target, "s(0)": start, "s_1": goal}
    assert_violates(excess(found), 0, slack=slack, reads="s_2 at L = 2 less s_2 at L = 1 {value} > {limit}", **names)


@under_hypotheses("H1", "H2", "H3", "H4", "H5", part="(b)")
@given_batches(problem=mode_races())
def test_at_a_matched_first_singular_value_the_others_are_smaller_the_deeper_the_network(problem):
    # given  H1 to H4: every mode from eps at every depth; H5: s_1 = c; depths 1, 2, 3, 4, 6, 12 and the limit
    s, error = race(problem)
    # then   and strictly, by more than a hundred times what the race may be off, where lambda_j < lambda_1
    rise, off = np.diff(s, axis=1), error.max((1, 2))
    fall = np.where((problem.target < problem.target[:, :1])[:, None], -rise, np.inf).min((1, 2))
    assert_at_most(rise.max((1, 2)), 2 * off, why="s_j does not rise with depth", instance=problem)
    assert_at_most(100 * off, fall, why="s_j falls with depth", instance=problem)


@under_hypotheses("H1", "H2", "H3", "H4", "H5", part="(b)")
@given_batches(problem=mode_races())
def test_effective_ranks_fall_with_depth(problem):
    s, error = race(problem)
    # when
    ranks = np.stack([nuclear_rank(s), stable_rank(s)])
    # then   s_2/s_1 and s_3/s_1 move by 2 errors over c each, and their squares by twice that
    rise = np.diff(ranks, axis=-1).max((0, 2))
    bound = 2 * 8 * error.max((1, 2)) / problem.goal
    assert_at_most(rise, bound, why="effective rank does not rise with depth", instance=problem)


@under_hypotheses("H1", "H2", "H3", "H4", "H5", part="(b)")
@given_batches(problem=mode_races())
def test_at_depths_one_and_two_the_other_modes_have_closed_forms(problem):
    s, error = (values[:, :2, 2] for values in race(problem))
    # when   for mode 3, which is where any second mode may be
    target, start = problem.target[:, [0, 2]].T, np.stack([problem.start] * 2)
    laws = (second_mode_at_depth_one, second_mode_at_depth_two)
    exact = np.stack([law(target, start, problem.goal) for law in laws], axis=-1)
    # then
    bound = error + 64 * UNIT_ROUNDOFF * problem.target[:, :1]
    assert_at_most(np.abs(s - exact).max(-1), bound.max(-1), why="third mode at depths one and two", instance=problem)


@under_hypotheses("H1", "H2", "H3", "H4", "H5", part="(b)")
@pytest.mark.parametrize("L", [1, 2, 4, np.inf])
@given_batches(problem=mode_races())
def test_all_modes_finish_at_the_same_time(L, problem):
    s, error = (values[:, DEPTHS.index(L)] for values in race(problem))
    # when   the time from eps to s_j, by the elementary time law of this depth
    p, start = 2 - 2 / L, problem.start[:, None] + 0 * problem.target
    times = time_law(p, problem.target, s) - time_law(p, problem.target, start)
    # then   a difference in time is one in s_j, at the speed of the mode
    missed = np.abs(times - times[:, :1]) * s**p * (problem.target - s)
    laws = 64 * UNIT_ROUNDOFF * (1 + np.abs(times) + start**-p) * problem.target**2
    assert_at_most(missed.max(-1), (error + laws).max(-1), why="common finish", instance=problem)


@under_hypotheses("H1", "H2", "H3", "H4", "H5", part="(b)")
@pytest.mark.parametrize(("L", "law"), [(1, second_mode_at_depth_one), (2, second_mode_at_depth_two)])
def test_layers_in_rotated_frames_run_the_same_race(L, law):
    # given  H1 to H4: both modes from 1/4 at either depth, below the targets
    reached, error = second_singular_value(rotated_network([0.25, 0.25]), L)
    # then
    gap = abs(reached - law((2, 1), (0.25, 0.25), 1))
    assert_at_most(gap, error, why="second singular value at s_1 = 1")


@st.composite
def extreme_races(draw):
    """Targets 1 and p/q, both modes from down to 10^-80, and a growth g^q of the odds, near 1 or huge; exact.

    Returns the second target, the start, the goal of the first mode, and the growth to the power p/q.
    """
    q = draw(st.integers(1, 9))
    p = draw(st.integers(1, q))
    shares = [Fraction(1, 2), Fraction(99, 100), *(Fraction(1, 10**k) for k in (1, 8, 80))]
    start = Fraction(p, q) * draw(st.sampled_from(shares))
    g = 1 + draw(st.sampled_from([Fraction(1), Fraction(1, 10**9), Fraction(10**6), Fraction(1, 3)]))
    odds = start / (1 - start) * g**q
    return Fraction(p, q), start, odds / (1 + odds), g**p


@pytest.mark.slow
@under_hypotheses("H1", "H2", "H3", "H4", "H5", part="(b)")
@given(instance=extreme_races())
def test_from_depth_one_to_two_the_second_mode_falls_at_every_extreme(instance):
    # given  H1 to H5 in rational arithmetic; growth^(lambda_2/lambda_1) is rational by construction
    second, start, goal, power = instance
    # when
    shallow = second_mode_at_depth_one([1, second], [start, start], goal)
    deep = second_mode_at_depth_two([1, second], [start, start], goal, power=lambda *_: power)
    # then
    assert_at_most(deep - shallow, 0, why="s_2 at L = 2 less s_2 at L = 1", instance=instance)


@corrected("C4", part="(a)")
@given_batches(problem=mode_races())
def test_however_deep_the_network_no_mode_is_driven_below_its_start(problem):
    # given  the limit of infinite depth, p = 2: what a strength in proportion to L would have driven to zero
    s, error = race(problem, [2.0])
    # then
    assert_at_most(problem.start, (s + error)[:, 0].min(-1), why="saturation of the bias", instance=problem)


@necessity("H1", part="(b)")
def test_without_H1_a_slow_sample_of_a_large_target_lets_depth_raise_the_rank():
    # given  X = diag(1, 1/2) and targets 1 and 2, both from 1/10 (H2, H3, H4), looked at when s_1 = 1 (H5)
    eps, goal = Fraction(1, 10), Fraction(1)
    # when   the rates are 1 and 1/4. L = 1: 2 - s shrinks to 1/1.9 of itself, and 1 - s by the fourth power of that;
    #        L = 2: odds grow like exp(2 rate lambda t), those of the target 2 by 19, those of the target 1 by 19^2
    shallow = 1 - (1 - eps) * ((2 - goal) / (2 - eps)) ** 4
    odds = eps / (1 - eps) * (goal / (2 - goal) * (2 - eps) / eps) ** 2
    deep = odds / (1 + odds)
    # then   both are the second singular value
    assert_at_most(deep, goal, why="the mode of target 2 is the larger one at L = 2, and so at L = 1")
    assert_violates(deep, shallow, reads="s_2 = {value} at L = 2 > {limit} at L = 1", X=[1, Fraction(1, 2)], eps=eps)


@necessity("H2", part="(b)")
def test_without_H2_the_layers_run_into_the_counterexample():
    # given  the head start of the second mode, as layers in rotated frames
    network = rotated_network([0.2, 0.5])
    # when
    (shallow, first), (deep, second) = (second_singular_value(network, L) for L in (1, 2))
    # then   13/18 and 3/4
    assert_violates(deep, shallow, slack=first + second, reads="s_2 = {value} at L = 2 > {limit} at L = 1, s_1 = 1")
    assert_at_most(abs(shallow - 13 / 18), first, why="second singular value at depth one")
    assert_at_most(abs(deep - 3 / 4), second, why="second singular value at depth two")


@necessity("H3", part="(b)")
def test_without_H3_layers_that_start_alike_give_the_deeper_network_a_head_start():
    # given  W_l(0) = (11/10) I at both depths, targets 4 and 2; s_1 = 121/100 is where the deeper one starts
    alpha, target = Fraction(11, 10), [Fraction(4), Fraction(2)]
    goal = alpha**2
    # when
    shallow = second_mode_at_depth_one(target, [alpha, alpha], goal)
    # then
    assert_violates(goal, shallow, reads="s_2 = {value} at L = 2 > {limit} at L = 1", alpha=alpha, target=target)


@necessity("H4", part="(b)")
def test_without_H4_modes_that_start_above_their_target_wear_down_more_slowly_in_the_deeper_network():
    # given  targets 1 and 1/2, both modes from 3/4 (H2, H3), looked at when s_1 = 12/13 (H5)
    target, start, goal = [Fraction(1), Fraction(1, 2)], [Fraction(3, 4)] * 2, Fraction(12, 13)
    # when   the odds of the first mode grow by 4 = 2^2
    shallow = second_mode_at_depth_one(target, start, goal)
    deep = second_mode_at_depth_two(target, start, goal, power=exact_power)
    # then   15/26 and 3/5
    assert_violates(deep, shallow, reads="s_2 = {value} at L = 2 > {limit} at L = 1", target=target, eps=start[0])


@necessity("H5", part="(b)")
@pytest.mark.parametrize("rank", [nuclear_rank, stable_rank, entropic_rank])
def test_without_H5_at_a_matched_loss_every_effective_rank_rises_with_depth(rank):
    # given  two hundredths of the loss left, at depths two and three
    (shallow, first), (deep, second) = to_equal_loss(2, 0.02), to_equal_loss(3, 0.02)
    # then   |d(rank)/ds| is at most 4 rank/s_1, and sqrt(3) rank |ln share|/sum s of the entropic one: below 12 where
    # s_1 is above 3 and every share above 1/40
    least = min(*shallow / shallow.sum(), *deep / deep.sum(), shallow[0] / 120, deep[0] / 120)
    assert_at_most(1 / 40, least, why="shares of the modes, and size of the first")
    slack = 12 * (first + second) + 100 * UNIT_ROUNDOFF
    reads = "effective rank {value} at L = 3 > {limit} at L = 2"
    assert_violates(rank(deep), rank(shallow), slack=slack, reads=reads, measure=rank.__name__, target="(4, 2, 1)")


@necessity("H5", part="(b)")
@pytest.mark.parametrize("L", [1, 2, 3])
def test_without_H5_training_to_the_end_erases_depth(L):
    # given  X = I, where one matrix alone interpolates; 10^-12 of the loss left, 10^-6 of the distance: no mode falls
    # strictly with depth in the end
    s, error = to_equal_loss(L, 1e-12)
    # then
    left = 1e-6 * norm(np.array([3.99, 1.99, 0.99]))
    assert_at_most(norm(s - np.array([4.0, 2, 1])), left + error, why="every depth ends at the target")
