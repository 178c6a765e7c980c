r"""Section 6.1: feature learning regime - lazy and rich networks move alike, and one function moves far or little.

Readings    [relative to the start] "significantly from initialization": movement in units of $\|\theta_0\|$ - refuted
Setting     $f(x) = c \sum_j a_j \max(w_j \cdot x, 0)$ of width $m$, trained by gradient descent. Movement is
            $D = \|\theta_T - \theta_0\|$. A network is lazy if its relative kernel change $\|K_T - K_0\|/\|K_0\|$
            vanishes as $m$ grows, and rich if not. ntk: $c = m^{-1/2}$, weights of order 1. mean-field: $c = 1/m$,
            weights of order 1. mup: $c = 1$, weights of order $m^{-1/2}$
Idea        The weights are a choice of coordinates. Divide all weights by $k$, multiply $c$ by $k^2$ and divide the
            rate by $k^2$: every $f_t$ stays as it is, and $D$ is divided by $k$. An ntk network moves by order 1,
            because $\|J\|$ is of order 1, and it is lazy.
Tolerance   Witnesses are rational. Rescaling by powers of two is exact in floating point
Findings    Beyond section 2.1 the criterion fails in both directions. The ntk and mup networks of these tests move
            alike; one is lazy and the other rich. Mean-field networks that are written with weights of order $1/m$ move
            less and less as $m$ grows, while they are rich
"""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import strategies as st

from fixtures.models.exact_relu import ExactReluNetwork
from fixtures.models.two_layer import TwoLayer, two_layer
from fixtures.problems.batches import given_batches
from fixtures.rational import fractions
from properties.certificates import assert_identical, assert_violates
from properties.search import smallest_violation
from theorems.ledger import counterexample
from theorems.section_06_beyond_lazy_training.section_6_1_feature_learning_regime.exact_networks import (
    ONE,
    exact_fit,
    squared_movement,
)
from theorems.section_06_beyond_lazy_training.section_6_1_feature_learning_regime.runs import (
    largest_kernel,
    run_descent,
)
from theorems.section_06_beyond_lazy_training.section_6_1_feature_learning_regime.tasks import tasks


@counterexample
@pytest.mark.parametrize("k", [1, 2, 3, 4])
def test_lazy_and_rich_networks_of_every_width_move_alike(k):
    r"""$x = y = 1$, half of $m$ ReLU neurons $(w, a) = (u, u)$, half $(u, -u)$: $f_0 = 0$, and a step of $\eta = 1/K_0$
    fits $y$. $u = 1$, $c = m^{-1/2}$: $D^2 = \frac12$ at every $m$, and $K$ changes by $\frac1{4m}$ of itself. With
    $u = \frac1m$, $c = m$: $D^2 = \frac1{2m}$ and $\frac14$. By the print only the first networks learn features."""
    # given  m = 4^k ReLU neurons, x = y = 1: ntk weights +-1 with c = 1/sqrt(m), mup weights +-1/sqrt(m) with c = 1
    m, root = 4**k, 2**k
    lazy, lazy_change, lazy_misfit = exact_fit(m, 1, Fraction(1, root), 1)
    rich, rich_change, rich_misfit = exact_fit(m, Fraction(1, root), 1, 1)
    # then   both fit in one step, and both move by sqrt(1/2) at every width
    assert_identical([lazy_misfit, rich_misfit], [0, 0], why="both fit")
    assert_identical([lazy, rich], [Fraction(1, 2)] * 2, why="squared movement of the lazy and of the rich network")
    assert_identical(lazy_change, Fraction(1, 4 * m), why="relative change of the lazy kernel")
    assert_identical(rich_change, Fraction(1, 4), why="relative change of the rich kernel")
    # and    the same rich functions with weights +-1/m move less than the lazy network
    least, change, misfit = exact_fit(m, Fraction(1, m), m, 1)
    assert_identical([misfit, change], [0, Fraction(1, 4)], why="the same fit and the same kernel change")
    assert_identical(least, Fraction(1, 2 * m), why="squared movement, which vanishes as the width grows")
    reads = f"a kernel that changes by 1/{4 * m} moves the weights by {{value}} > {{limit}}, by which one moves that"
    reads += " changes by 1/4 (squares)"
    assert_violates(lazy, least, reads=reads, m=m, x=1, y=1)


def small_network(c):
    """Sixteen ReLU neurons with integer weights, and two samples in the plane: (net, X, y)."""
    numbers = np.random.default_rng(1).integers(-2, 3, (16, 3))
    net = ExactReluNetwork(fractions(numbers[:, :2].tolist()), fractions(numbers[:, 2].tolist()), c)
    return net, fractions([[1, 2], [2, -1]]), fractions([1, "-1/2"])


@counterexample
@pytest.mark.parametrize("unit", [Fraction(1, 4), Fraction(1, 16), Fraction(3)], ids=str)
def test_one_function_moves_far_or_little_as_its_weights_are_written(unit):
    # given  a mean-field network, and the same with its weights times `unit`
    net, X, y = small_network(Fraction(1, 16))
    same = ExactReluNetwork(unit * net.W, unit * net.a, net.scale / unit**2)
    # when   one step and two steps; c is divided by unit^2, and eta multiplied by it
    path = [net.descend(X, y, Fraction(4), steps) for steps in (1, 2)]
    other = [same.descend(X, y, unit**2 * Fraction(4), steps) for steps in (1, 2)]
    # then   f is the same at every step, and the movement is multiplied by unit, which is free
    values, same_values = ([at.predict(X) for at in run] for run in (path, other))
    assert_identical(same_values, values, why="every f_t at the data")
    moved, scaled = squared_movement(net, path[1]).sum(), squared_movement(same, other[1]).sum()
    assert_identical(scaled, unit**2 * moved, why="squared movement, the weights times `unit`")
    reads = "one path of functions moves its weights by {value} > {limit} (squares)"
    assert_violates(max(moved, scaled), min(moved, scaled), reads=reads, unit=unit)


def step_of_rescaled_layers(k):
    """One step on x = y = 1 from the neurons (k, 2/k) and (k, -2/k): f after it, and |theta_1 - theta_0|^2/|theta_0|^2.

    The rates are k^2/4 for the hidden and 1/(4 k^2) for the output weights.
    """
    net = ExactReluNetwork(fractions([[k], [k]]), fractions([2 / k, -2 / k]), Fraction(1))
    rates = np.repeat([k**2, 1 / k**2], 2) / 4
    end = net.moved(rates * ((net.predict(ONE) - fractions([1])) @ net.jacobian(ONE)), -1)
    zero = ExactReluNetwork(0 * net.W, 0 * net.a, net.scale)
    return end.predict(ONE), squared_movement(net, end).sum() / squared_movement(zero, net).sum()


@counterexample(reading="relative to the start")
def test_two_neurons_move_by_a_quarter_of_their_start_or_by_less_as_their_layers_are_scaled():
    r"""$x = y = c = 1$, neurons $(w, a) = (1, \pm2)$: a step $\frac14$ moves $w$ by $\pm\frac12$, $a$ by $\frac14$, to
    $f = \frac52$: $D^2/\|\theta_0\|^2 = \frac58/10 = \frac1{16}$. From $(\frac12, \pm4)$, at the rates $\frac1{16}$ and
    $1$: $w$ by $\pm\frac14$, $a$ by $\frac12$, the same $f$, $\frac58/\frac{65}2 = \frac1{52}$."""
    (f, far), (same, near) = (step_of_rescaled_layers(k) for k in (Fraction(1), Fraction(1, 2)))
    assert_identical([*f, *same], [Fraction(5, 2)] * 2, why="f after the step")
    reads = "one path of functions moves its weights by {value} > {limit} of themselves (squares)"
    assert_violates(far, near, reads=reads, k=Fraction(1, 2))


@counterexample(reading="relative to the start")
@pytest.mark.parametrize("k", [Fraction(1, 8), Fraction(8)], ids=str)
def test_one_function_moves_far_or_little_in_units_of_its_start_too_if_its_layers_are_rescaled_apart(k):
    # given  (W, a) -> (k W, a/k), with the rates k^2 eta and eta/k^2: f is the same, and so is its descent
    net, X, y = small_network(Fraction(1, 4))
    same = ExactReluNetwork(k * net.W, net.a / k, net.scale)
    rates = np.repeat([k**2, 1 / k**2], [net.W.size, net.a.size]) / 4
    # when   one step
    end = net.descend(X, y, Fraction(1, 4))
    other = same.moved(rates * ((same.predict(X) - y) @ same.jacobian(X)), -1)
    assert_identical(other.predict(X), end.predict(X), why="f after a step")
    # then   the squared movement of W is multiplied by k^2 and that of a by 1/k^2, and so are the two parts of
    #        |theta_0|^2. The ratio of the sums is another weighted mean
    parts, zero = squared_movement(net, end), ExactReluNetwork(0 * net.W, 0 * net.a, net.scale)
    start = squared_movement(zero, net)
    weights = np.array([k**2, 1 / k**2])
    assert_identical(squared_movement(same, other), weights * parts, why="squared movement of each layer")
    assert_identical(squared_movement(zero, same), weights * start, why="squared weights of each layer")
    once, again = parts.sum() / start.sum(), (weights * parts).sum() / (weights * start).sum()
    reads = "one path of functions moves its weights by {value} > {limit} of themselves (squares)"
    assert_violates(max(once, again), min(once, again), reads=reads, k=k)


@counterexample
@given_batches(task=tasks())
def test_dividing_the_weights_by_the_root_of_the_width_leaves_every_function_as_it_is(task):
    # given  a mean-field ReLU network, and the same with its weights divided by k, which is near sqrt(m). k is a power
    #        of two, so that nothing is rounded
    net = two_layer("mean-field", task.width, 4, task.seed)
    k = 2.0 ** np.round(np.log2(task.width) / 2)
    small = TwoLayer(net.W / k[:, None, None], net.a / k[:, None], "relu", k**2 * net.scale)
    eta = 0.25 * task.step / largest_kernel(net, task.X)
    # when
    run, other = run_descent(net, task.X, task.y, eta, 8), run_descent(small, task.X, task.y, eta / k**2, 8)
    # then   bit for bit
    assert_identical(other.misfit, run.misfit, why="the misfit at every step")
    assert_identical(other.networks[-1].predict(task.X), run.networks[-1].predict(task.X), why="values after 8 steps")
    assert_identical(k * other.moved, run.moved, why="the movement, divided by k at every step")


@counterexample
def test_hypothesis_finds_networks_that_movement_puts_in_the_wrong_order():
    # given  two networks of 2h neurons with weights +-2^i and c = 2^j, both fitted to y in one step of eta = 1/K_0
    found = smallest_violation(st.tuples(NETWORKS, NETWORKS, st.integers(1, 2)), lambda pair: is_misordered(*pair))
    (moved, change, _), (other, other_change, _) = (train_by_one_step(net, found[2]) for net in found[:2])
    reads = f"the kernel changes by {change} < {other_change}, the weights by {{value}} > {{limit}} (squares)"
    assert_violates(moved, other, reads=reads, networks=found[:2], y=found[2])


NETWORKS = st.tuples(st.integers(1, 3), st.integers(-1, 1), st.integers(-1, 1))


def train_by_one_step(network, y):
    """Squared movement, relative kernel change and misfit of the network (h, i, j)."""
    h, i, j = network
    return exact_fit(2 * h, Fraction(2) ** i, Fraction(2) ** j, y)


def is_misordered(first, second, y):
    """Whether the first network moves farther, though its kernel changes less."""
    one, other = train_by_one_step(first, y), train_by_one_step(second, y)
    return one[2] == other[2] == 0 and one[1] < other[1] and one[0] > other[0]


@counterexample(reading="relative to the start")
def test_hypothesis_finds_one_function_that_moves_more_and_less_in_units_of_its_start():
    def moves(k):
        return step_of_rescaled_layers(k)[1]

    ratios = st.tuples(st.integers(1, 4), st.integers(1, 4)).map(lambda pair: Fraction(*pair))
    found = smallest_violation(ratios, lambda k: moves(k) != moves(Fraction(1)))
    ends = sorted([moves(found), moves(Fraction(1))], reverse=True)
    assert_violates(*ends, reads="one path of functions moves by {value} > {limit} of its weights (squares)", k=found)
