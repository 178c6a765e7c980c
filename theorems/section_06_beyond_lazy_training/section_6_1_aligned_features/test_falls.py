r"""Section 6.1: aligned features - a start that fits too much can lose alignment.

Setting     $f = X W^\top a$, $L = \frac12 \|f - y\|^2$, both layers trained, $K = X (W^\top W + \|a\|^2 I) X^\top$;
            $y = X\beta$ with $\beta \ne 0$ in $\operatorname{row}(X)$. Alignment is
            $A(K) = y^\top K y/(\|K\|_F \|y\|^2)$. Whitened data: $X^\top X = I_d$, $d \ge 2$
Hypotheses  (H1) An isotropic start, $W_0^\top W_0 = c^2 I$ with $c > 0$.
Corrected   (C6) From a start that fits too much the alignment falls: on whitened data, under H1 with
            $a_0 = W_0 \beta/\|\beta\|$ and $c^2 = 4\|\beta\|$, $A = x/\sqrt{x^2 + d - 1}$ falls from $x = 1$ to
            $x = 2/5$, by descent with $\eta = 1/(40 \|\beta\|)$.
            (C7) Networks of two neurons on $X = I$: the alignment falls where one neuron overshoots and the other is
            idle. It can end below that of $X X^\top$, the kernel without features, while the weights move by more than
            1.
Idea        The aligned part of the features shrinks, beside parts that no gradient reaches.
Tolerance   Witnesses are rational, or their limits are known, and the slack bounds the distance of the run from its
            limit
"""

import dataclasses
from itertools import islice

import numpy as np
from numpy.linalg import norm

from fixtures.dynamics.paths import at_time
from fixtures.dynamics.two_layer import fit, network_path
from fixtures.models.two_layer import TwoLayer
from fixtures.precision import rounding
from fixtures.problems.batches import given_batches
from fixtures.problems.tapes import tapes
from fixtures.rational import fractions
from properties.certificates import (
    assert_at_most,
    assert_equal_within,
    assert_identical,
    assert_violates,
    record_series,
)
from properties.search import smallest_violation
from theorems.ledger import corrected, observed
from theorems.section_06_beyond_lazy_training.section_6_1_aligned_features.alignment import (
    alignment,
    alignment_of_anisotropy,
    squared_alignment,
)
from theorems.section_06_beyond_lazy_training.section_6_1_aligned_features.linear_targets import (
    FITTED,
    MISFIT,
    alignment_rounding,
    targets,
)


@corrected("C6", "H1")
@given_batches(target=targets(whitened=True))
def test_an_isotropic_start_that_overshoots_falls_below_the_alignment_of_the_data(target):
    # given  W_0 = c frame isotropic with c^2 = 4 |beta|, but a_0 = c frame v along it: f_0 = 4 y
    c, v = 2 * np.sqrt(target.length), target.beta / target.length[:, None]
    net, _ = target.start(c)
    net = dataclasses.replace(net, a=c[:, None] * np.matvec(target.frame, v))
    # when
    end = fit(net, target.X, target.y, 1 / (40 * target.length), FITTED, budget=400)
    # then   along v it ends with |w|^2 = |a|^2 = |beta|, across it keeps c^2: x = 2 |beta|/(|beta| + c^2) = 2/5 < 1
    before, after = (alignment(state.kernel(target.X), target.y) for state in (net, end))
    start, limit = (alignment_of_anisotropy(x, target) for x in (1, 2 / 5))
    slack = alignment_rounding(target, 400) + 2 * MISFIT / target.length
    assert_at_most(np.abs(before - start), alignment_rounding(target, 0), why="the alignment of XX'", instance=target)
    assert_at_most(np.abs(after - limit), slack, why="below the alignment of XX'", instance=target)


@corrected("C7")
def test_features_that_fit_too_much_shrink_beside_one_that_is_idle():
    # given  X = I, y = e_1, the neurons 2 e_1 and 2 e_2, and a = (2, 0), so that f_0 = 4 e_1 uses the first neuron only
    X, y, W, a = fractions([[1, 0], [0, 1]]), fractions([1, 0]), fractions([[2, 0], [0, 2]]), fractions([2, 0])
    before = squared_alignment(W, a, X, y)
    # when   one exact step of eta = 1/6, from the loss 9/2 to the loss 0
    pull = X.T @ (X @ W.T @ a - y)
    W, a = W - np.outer(a, pull) / 6, a - W @ pull / 6
    assert_identical(W, fractions([[1, 0], [0, 2]]), why="one neuron learns, one idles")
    assert_identical(X @ W.T @ a, y, why="y is fitted")
    # then
    reads = "A^2 = {value} at the start, as for XX' > {limit} after training"
    after = squared_alignment(W, a, X, y)
    assert_violates(before, after, reads=reads, X="I_2", W="diag(2, 2)", a=[2, 0], y=[1, 0], eta="1/6")


@corrected("C7")
def test_a_fit_can_end_less_aligned_than_no_features_at_all():
    # given  the target (2, 2, 0) on X = I_3, and two neurons with entries of size up to 3
    X, y = np.eye(3), np.array([2.0, 2, 0])
    net = TwoLayer(np.array([[-2.0, -2, 3], [-1, -3, -3]]), np.array([2.0, 3]), "identity", 1.0)
    # when
    end = fit(net, X, y, 0.01, 1e-8, budget=4000)
    K = end.kernel(X)
    # then   K is less aligned than XX' = I, whose alignment is 1/sqrt(3). The statement is about the iterate at the
    #        loss 1e-8 and not about the limit, so the slack is the rounding of 4000 steps
    before, after = alignment(net.kernel(X), y), alignment(K, y)
    slack = rounding(2 * 8 * 4004, np.linalg.cond(K))  # n + d + m = 8, counted as in alignment_rounding
    assert_violates(1 / np.sqrt(3), after, slack=slack, reads="alignment of XX' {value} > {limit} of what was learned")
    assert_violates(before, after, slack=slack, reads="alignment {value} before > {limit} after training", W=net.W)
    # then   the network is in the feature learning regime
    assert_at_most(1, norm(np.append(end.W - net.W, end.a - net.a)), why="the weights moved by more than 1")


@corrected("C7")
def test_the_alignment_of_an_overshooting_neuron_falls_to_a_rational_square():
    # given  w_1 = a_1 = t in (1, 2] along e_1, and an idle neuron along e_2 of size from 1 to 4: 200 networks at once
    t, idle = (grid.ravel() / 8 for grid in np.meshgrid(np.arange(9, 17), np.arange(8, 33)))
    zero = 0 * t
    net = TwoLayer(np.stack([t, zero, zero, idle], -1).reshape(-1, 2, 2), np.stack([t, zero], -1), "identity", 1.0)
    X, y = np.broadcast_to(np.eye(2), (len(t), 2, 2)), np.stack([1 + zero, zero], -1)
    before = alignment(net.kernel(X), y)
    # when   eta = 1/16: a step multiplies t - 1 by 1 - t (t + 1)/16, at most 7/8, and |dA/dt| < 2
    after = alignment(at_time(network_path(net, X, y, 1 / 16), 100).kernel(X), y)
    # then   A^2 falls to 4/(4 + (1 + idle^2)^2) from 4 t^4/(4 t^4 + (t^2 + idle^2)^2)
    limit, start = 2 / np.sqrt(4 + (1 + idle**2) ** 2), 2 * t**2 / np.sqrt(4 * t**4 + (t**2 + idle**2) ** 2)
    slack = 2 * (7 / 8) ** 100 + rounding(2 * 6 * 104)  # n + d + m = 6, counted as in alignment_rounding
    assert_at_most(np.abs(after - limit), slack, why="the limit of the alignment")
    assert_equal_within(before, start, rounding(16), why="the alignment of the start")
    assert_at_most(after, before - slack, why="a fall")


@corrected("C7")
def test_a_search_finds_a_network_whose_alignment_falls():
    def before_and_after(numbers):
        net, X, y = TwoLayer(numbers[:2], numbers[2], "identity", 1.0), np.eye(2), numbers[3]
        eta = 1 / (2 * (norm(net.W) ** 2 + norm(net.a) ** 2 + norm(y)))
        end = at_time(network_path(net, X, y, eta), 40)
        return alignment(net.kernel(X), y), alignment(end.kernel(X), y), norm(end.predict(X) - y) < norm(y) / 100

    def falls(numbers):
        if not numbers[3].any():
            return False
        before, after, fitted = before_and_after(numbers)
        return fitted and after < before - 1 / 10

    found = smallest_violation(tapes(8).map(lambda tape: tape.integers((4, 2), 2)), falls, budget=300)
    before, after, _ = before_and_after(found)
    assert_violates(before, after, slack=1 / 10, reads="alignment {value} > {limit} after training", network=found)


@observed
def test_from_a_small_silent_start_the_alignment_rises_and_from_one_that_overshoots_it_falls():
    # given  X = I_5, y = e_1; W_0 = c I, silent with |a_0| = c = 1/64, 1/4 or 1, and c = 2 with a_0 = 2 e_1: f_0 = 4 y
    c, axes = np.array([1 / 64, 1 / 4, 1, 2]), np.eye(6)
    a = c[:, None] * axes[[5, 5, 5, 0]]
    net = TwoLayer(c[:, None, None] * axes[:, :5], a, "identity", 1.0)
    X, y = np.broadcast_to(np.eye(5), (4, 5, 5)), np.broadcast_to(axes[0, :5], (4, 5))
    # when   eta = 1/40
    path = islice(network_path(net, X, y, 1 / 40), 0, 161, 2)
    A = np.array([alignment(at.kernel(X), y) for at in path]).T
    names = ("small", "quarter", "one", "overshooting")
    record_series("alignment against time", time=np.arange(81) / 20, **dict(zip(names, np.round(A, 4), strict=True)))
    # then   from 1/sqrt(5) up to nearly 2/sqrt(8), or down
    assert_at_most(A[:2, 0] + 1 / 5, A[:2, -1], why="the rise from c = 1/64 and from c = 1/4")
    assert_at_most(A[2, 0] + 1 / 20, A[2, -1], why="the rise from c = 1")
    assert_at_most(A[3, -1], A[3, 0] - 1 / 5, why="the fall")
