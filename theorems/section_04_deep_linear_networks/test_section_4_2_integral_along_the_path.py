r"""Section 4.2: integral along the path - the flow minimizes no integral of the norm of its layers.

Section     4.2, the proof sketch of Theorem 4.1
Printed     From $W_\ell(0) = \alpha I$ gradient flow moves W(t) along a path that minimizes an integral of the
            Frobenius norm of the layers; for the end-to-end matrix this becomes the nuclear norm
Reading     (a) "Along a path that minimizes an integral": among all paths of the layers with the same two ends, it has
            the least integral of $N = (\sum_\ell \|W_\ell\|_F^2)^{1/2}$ by arc length. So the speed does not matter,
            a path that minimizes does exist, and the integrand is one for all problems. (b) The sum of squares that
            stands in N is the nuclear norm of W, up to a constant factor, all along the flow.
Readings    (a) [squares] the same with $N^2$ in place of N, as in the proofs of the literature - refuted
            (a) [time] the integral of $N^2$ over time, among all paths with the same ends and the same duration -
            refuted
Setting     $f(x) = W_L \cdots W_1 x$, balanced layers, $L = \frac12 \|WX - Y\|_F^2$; $g_\ell$ the gradient in W_l; for
            X = I and a diagonal target all layers are diag(v) for ever, and $v_j' = -(v_j^L - \lambda_j) v_j^{L-1}$
Hypotheses  (H1) depth two.
Parts       (a) the path minimizes an integral of the norm of the layers - refuted
            (b) the sum of the squared norms is the nuclear norm - holds under added hypotheses
Corrected   (C1) (a) Any motion of the layers changes the loss by at most $(\sum \|g_\ell\|^2)^{1/2}$ times its speed,
            and the flow by exactly that. So among all paths between its two values of the loss the flow minimizes the
            integral of $(\sum \|g_\ell\|^2)^{1/2}$ by arc length, and the minimum is the decrease of the loss.
            (C2) (a) From alpha I, where X = I and the target is a multiple of I, the path is a piece of a ray, and
            points along the shortest path of (a) and of [squares].
            (C3) (b) At every depth, for balanced layers of any widths, $\sum_\ell \|W_\ell\|_F^2 = L \sum_r s_r^{2/L}$
            with the singular values s_r of W: L times a Schatten quasi-norm, to its power, and concave in s at L > 2.
Differs     (a) What is integrated in C1 is the norm of the gradients of the layers, not that of the layers; C2 is about
            targets that form no open set.
Idea        Two diagonal layers diag(v), v in the plane: $|v|\,|dv|$ is half of $|d(z^2)|$ for z = v_1 + i v_2, and
            $|v|^2 |dv|$ a third of $|d(z^3)|$. So the only shortest path is a straight segment of z^2, or z^3. The flow
            leaves its start in another direction.
Source      Arora, Cohen, Hu, Luo (2019), Implicit Regularization in Deep Matrix Factorization, NeurIPS (the flow is not
            explained by a norm); Srebro, Rennie, Jaakkola (2005), Maximum-Margin Matrix Factorization, NeurIPS (C3 at
            depth two); Ambrosio, Gigli, Savare (2008), Gradient Flows in Metric Spaces and in the Space of Probability
            Measures, Birkhauser (C1: curves of maximal slope)
Tolerance   Directions and rates are rational. Along the flow the integrator's error times the derivative of the norms
Findings    From I/4 to diag(1, 1/2), two layers, the path of the flow was measured 12 % longer than the shortest one
Expected    refuted
"""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.linalg import norm

from fixtures.dynamics.deep_linear import end_to_end, gradients, layer_flow, regression_gradient
from fixtures.precision import UNIT_ROUNDOFF
from fixtures.problems.batches import given_batches
from fixtures.problems.deep_linear import deep_regressions, spectral_networks
from fixtures.rational import fractions
from properties.certificates import assert_at_most, assert_identical, assert_violates
from properties.deep_linear import frobenius
from properties.nuclear_norm import nuclear_norm
from properties.search import smallest_violation
from theorems.ledger import corrected, counterexample, necessity, under_hypotheses


def product(z, w):
    """The product of two complex numbers, pairs of fractions."""
    return z[0] * w[0] - z[1] * w[1], z[0] * w[1] + z[1] * w[0]


def turn(alpha, end, power):
    """Twice the area between the directions of the flow and of the shortest path at alpha (1, 1), two layers; exact.

    end: the square roots of the two targets. power: q of the weight |v|^q. The shortest path is a segment of z^(q+1):
    its direction is (end^(q+1) - start^(q+1)) times the conjugate of start^q, that is, of (1 + i)^q.
    """
    start, q = (alpha, alpha), power
    first, last, factor = start, end, (Fraction(1), Fraction(0))
    for _ in range(q):
        first, last, factor = product(first, start), product(last, end), product(factor, (Fraction(1), Fraction(-1)))
    shortest = product((last[0] - first[0], last[1] - first[1]), factor)
    flow = [target**2 - alpha**2 for target in end]
    return shortest[0] * flow[1] - shortest[1] * flow[0]


def squares(layers):
    """Sum of |W_l|_F^2, over the last two axes of every layer."""
    return sum((W**2).sum((-2, -1)) for W in layers)


def assert_a_search_finds_a_turn(power):
    """Search alpha = 1/k and targets (1, (b/4)^2) for which the flow leaves the shortest path at once."""

    def turns(instance):
        k, b = instance
        return abs(turn(Fraction(1, k), (Fraction(1), Fraction(b, 4)), power))

    found = smallest_violation(st.tuples(st.integers(2, 6), st.integers(0, 4)), lambda pair: turns(pair) > 0, budget=60)
    names = {"alpha": Fraction(1, found[0]), "v": [1, Fraction(found[1], 4)]}
    assert_violates(turns(found), 0, reads="area between the directions {value} > {limit}", **names)


# (a) an integral of the norm of the layers


@counterexample(part="(a)")
def test_the_flow_leaves_its_start_in_another_direction_than_the_shortest_path():
    # given  X = I, Y = diag(1, 1/4), two layers I/4: the flow starts along (5, 1), the shortest path along (13, 1)
    value = turn(Fraction(1, 4), (Fraction(1), Fraction(1, 2)), power=1)
    reads = "area between the directions of the flow and of the shortest path {value} > {limit}"
    assert_violates(value, 0, reads=reads, X="I", Y="diag(1, 1/4)", L=2, alpha=Fraction(1, 4))


@counterexample(part="(a)")
def test_the_path_of_the_flow_is_longer_than_the_shortest_one():
    # given  the same start and target
    times = np.linspace(0, 12, 200)
    run = layer_flow([np.eye(2) / 4] * 2, lambda W: W - np.diag([1.0, 0.25]), times)
    z = np.diagonal(run.layers[0], axis1=-2, axis2=-1) @ [1, 1j]
    # when   the integral of |v||dv| over a piece is at least half of the change of z^2; both layers count alike
    pieces, shortest = np.abs(np.diff(z**2)).sum() / 2, abs(z[-1] ** 2 - z[0] ** 2) / 2
    # then   an error e of z moves z^2 by 3e at most
    slack = 3 * 400 * run.error.max() + 1e4 * UNIT_ROUNDOFF
    reads = "integral along the flow >= {value} > {limit} along the shortest path with its ends"
    assert_violates(pieces, 1.1 * shortest, slack=slack, reads=reads, L=2)


@counterexample(part="(a)")
def test_a_search_finds_a_start_and_a_target_whose_flow_takes_no_shortest_path():
    assert_a_search_finds_a_turn(power=1)


@counterexample(part="(a)", reading="squares")
def test_the_flow_leaves_its_start_in_another_direction_than_the_shortest_path_by_squares():
    # given  as above: the flow starts along (5, 1), the shortest path along (43, -9)
    value = turn(Fraction(1, 4), (Fraction(1), Fraction(1, 2)), power=2)
    reads = "area between the directions of the flow and of the shortest path {value} > {limit}"
    assert_violates(abs(value), 0, reads=reads, X="I", Y="diag(1, 1/4)", L=2, alpha=Fraction(1, 4))


@counterexample(part="(a)", reading="squares")
def test_a_search_finds_a_start_and_a_target_whose_flow_takes_no_shortest_path_by_squares():
    assert_a_search_finds_a_turn(power=2)


def mean_of_flow_and_of_waiting(k):
    """A lower bound of the mean of w^2 over [0, T] for the flow, and an upper bound for a path that waits; exact.

    Scalars, L = 2, x = y = 1, both layers w = 1/k at the start: W = w^2 = 1/(1 + q exp(-2t)) with q = k^2 - 1. T is
    chosen by exp(-T) = 1/q, so that W = 1/2 at T/2 and q/(q + 1) at T. The flow rises: its mean is at least that of its
    values at 0 and T/2. The other path waits at the start until 7T/8 and then goes straight to the same end.
    """
    first, last = Fraction(1, k**2), Fraction(k**2 - 1, k**2)
    return (first + Fraction(1, 2)) / 2, first * Fraction(7, 8) + last / 8


@counterexample(part="(a)", reading="time")
def test_a_path_that_waits_at_the_start_has_the_smaller_integral_over_time():
    flow, waiting = (2 * mean for mean in mean_of_flow_and_of_waiting(5))
    # then   the mean of |W_1|^2 + |W_2|^2 over one duration, between the same ends
    reads = "mean of the squares along the flow >= {value} > {limit} along a path that waits"
    assert_violates(flow, waiting, reads=reads, x=1, y=1, L=2, alpha=Fraction(1, 5))


@counterexample(part="(a)", reading="time")
def test_a_search_finds_a_start_at_which_waiting_is_cheaper():
    def gain(k):
        flow, waiting = mean_of_flow_and_of_waiting(k)
        return flow - waiting

    k = smallest_violation(st.integers(2, 20), lambda k: gain(k) > 0, budget=40)
    assert_violates(gain(k), 0, reads="the path that waits gains {value} > {limit}", alpha=Fraction(1, k))


@corrected("C1", part="(a)")
@given(problem=deep_regressions())
def test_no_motion_changes_the_loss_faster_than_the_norm_of_the_gradients_times_its_speed(problem):
    # given  any layers, and as velocities their own weights, reversed in both axes; the flow has -g_l
    layers, X, Y = problem.exactly()
    slopes, motion = gradients(layers, X, Y), [W[::-1, ::-1] for W in layers]
    # when
    rate, rate_of_flow = (sum((g * V).sum() for g, V in zip(slopes, field, strict=True)) for field in (motion, slopes))
    # then   by Cauchy and Schwarz, with equality for the flow
    assert_at_most(float(rate**2), float(squares(slopes) * squares(motion)), why="rate of the loss, squared")
    assert_identical(rate_of_flow**2, squares(slopes) * squares(slopes), why="rate of the loss along the flow, squared")


@corrected("C2", part="(a)")
@pytest.mark.parametrize("power", [1, 2])
def test_towards_a_multiple_of_the_identity_the_flow_goes_along_the_shortest_path(power):
    # given  starts 1, 1/2, ..., 1/8 and square roots of targets 0, 1/3, ..., 3
    ends = [Fraction(b, 3) for b in range(10)]
    areas = [turn(Fraction(1, k), (end, end), power) for k in range(1, 9) for end in ends]
    assert_identical(areas, [0] * 80, why="area between the two directions")


# (b) the nuclear norm


@counterexample(part="(b)")
def test_three_balanced_layers_are_no_multiple_of_the_nuclear_norm():
    # given  W_l = I and W_l = diag(1, 1/2), three layers each: W = I and diag(1, 1/8)
    one, other = (fractions([[1, 0], [0, b]]) for b in (1, Fraction(1, 2)))
    factor = squares([one] * 3) / np.trace(end_to_end([one] * 3))
    # then
    limit = factor * np.trace(end_to_end([other] * 3))
    reads = "sum of squares {value} > {limit} = 3 |W|_*, which holds at W = I"
    assert_violates(squares([other] * 3), limit, reads=reads, L=3, W="diag(1, 1/8)")


@counterexample(part="(b)")
def test_a_search_finds_balanced_layers_off_every_multiple():
    def off(instance):
        L, k = instance
        W = fractions([[1, 0], [0, Fraction(1, k)]])
        return squares([W] * L) - L * np.trace(end_to_end([W] * L))

    found = smallest_violation(st.tuples(st.integers(1, 5), st.integers(1, 5)), lambda pair: off(pair) > 0, budget=60)
    assert_violates(off(found), 0, reads="sum of squares less L |W|_* {value} > {limit}", L=found[0], k=found[1])


@under_hypotheses("H1", part="(b)")
@given_batches(problem=deep_regressions(depth=2, width=3, bound=1))
def test_along_the_flow_of_two_layers_the_squares_are_twice_the_nuclear_norm(problem):
    # given  the printed start alpha I, and any data
    layers = [0.8 * np.eye(3) + 0 * W for W in problem.layers]
    # when
    run = layer_flow(layers, regression_gradient(problem.X, problem.Y), np.array([0.05, 0.3, 1.0]))
    # then   an error e of the layers moves each square by 2|W_l|e, and |W|_* by sqrt(3) (|W_1| + |W_2|) e
    gap = np.abs(squares(run.layers) - 2 * nuclear_norm(end_to_end(run.layers))).max(-1)
    largest = np.max([frobenius(W).max(-1) for W in run.layers], axis=0)
    bound = (4 + 4 * np.sqrt(3)) * largest * run.error + 200 * UNIT_ROUNDOFF * largest**2
    assert_at_most(gap, bound, why="|W_1|^2 + |W_2|^2 - 2 |W|_* along the flow")


@corrected("C3", part="(b)")
@pytest.mark.parametrize("L", [2, 3, 5])
@given_batches(network=spectral_networks())
def test_balanced_layers_have_a_schatten_quasi_norm_as_the_sum_of_their_squares(L, network):
    layers = network.layers(L)
    # when   singular values of the product by LAPACK, those of the padding and beyond the rank left out
    s = np.linalg.svd(end_to_end(layers), compute_uv=False)[:, : network.start.shape[-1]]
    powers = np.where(np.sort(network.start)[:, ::-1] > 0, s, 0) ** (2 / L)
    # then   s is at least 1/8: a rounding of s changes s^(2/L) by 16 times that
    D = network.frames.shape[-2]
    bound = 16 * 100 * L**2 * D**2 * UNIT_ROUNDOFF
    gap = np.abs(squares(layers) - L * powers.sum(-1))
    assert_at_most(gap, bound, why="sum of squares against L sum s^(2/L)", instance=network)


@necessity("H1", part="(b)")
def test_without_H1_the_ratio_of_the_squares_to_the_nuclear_norm_changes_along_the_flow():
    # given  three layers I/2, X = I, Y = diag(1, 0): 3/2 over 1/4 at the start
    run = layer_flow([np.eye(2) / 2] * 3, lambda W: W - np.diag([1.0, 0.0]), np.array([0.0, 4.0]))
    ratio = squares(run.layers) / nuclear_norm(end_to_end(run.layers))
    # then   an error of the layers moves the ratio by a hundredfold at most, as |W|_* > 1/2 and the squares are below 6
    assert_at_most(1 / 2, norm(end_to_end(run.layers)[-1], 2), why="|W| at the end")
    slack = 100 * run.error.max()
    assert_violates(ratio[0], 5, slack=slack, reads="ratio {value} at the start > {limit}", L=3)
    assert_at_most(ratio[1], 4, why="ratio at time 4")
