r"""Section 6.1: incremental learning - when a mode is half learned, and how a large start reverses the order.

Setting     $f = W_2 W_1 x$ on whitened inputs, $L = \frac12 \|W_2 W_1 - T\|_F^2$,
            $T = Q_2 \operatorname{diag}(s) Q_0^\top$. A mode of the network is $q_2^\top W_2 W_1 q_0$, and it is half
            learned when it is at $s/2$. Gradient descent with the step $\eta$; under gradient flow a mode that starts
            at $s_0$ is half learned at its half time $t(s) = \ln(s/s_0 - 1)/(2s)$
Hypotheses  (H1) All modes start at the same size $s_0$. (H2) The start is small: $s_0$ is below $s/4.5911$ for every
            mode $s$.
            (H3) The layers are balanced, $W_2^\top W_2 = W_1 W_1^\top$. (H4) The layers are aligned with $T$:
            $Q_2^\top W_2 W_1 Q_0$ is diagonal and not negative.
Corrected   (C4) Under H3 and H4, for $\eta s \le 1$ and any start below $s/2$, the steps $N$ to half of a mode have
            $\eta N \ge t(s) (1 - \eta s - (\eta s)^2/4)$ and $\eta (N - 1) \le t(s)/(1 - \eta s/2)$.
            (C5) Under the flow and H1, $t(s)$ rises up to $s/s_0 = 4.5911$, the root of $\ln(x - 1) = x/(x - 1)$, and
            falls beyond. So H2 is sufficient for the order, but not necessary: from $s_0 = 1$ the mode 100 precedes the
            mode 4.
            (C6) From a large start the order can be the other one: from $s_0 = 1$ the mode $\frac72$ is half learned
            after the mode $\frac52$, by the flow and by descent with $\eta = 1/20$.
Idea        In $v = \ln u^2$ a step of descent is $2 \ln(1 + \eta g)$, where $g = s - e^v$ falls along the run. The flow
            needs a time between $\eta (1 - \eta s/2)$ and $\eta g_n/g_{n+1}$ for this step.
Tolerance   Logarithms are enclosed between fractions. For $\eta s \le 1$ both bounds of C4 are close to $t(s)$: the
            upper one by less than $\eta + \frac12 \eta \ln(s/s_0 - 1)$, the lower one by less than
            $\frac58 \eta \ln(s/s_0 - 1)$
"""

from fractions import Fraction

import numpy as np
from hypothesis import strategies as st

from fixtures.precision import rounding
from fixtures.problems.batches import given_batches
from fixtures.rational import enclose_log
from properties.certificates import assert_at_most, assert_not_negative, assert_not_positive, assert_violates
from properties.search import smallest_violation
from theorems.ledger import corrected
from theorems.section_06_beyond_lazy_training.section_6_1_incremental_learning.half_times import (
    THRESHOLD,
    enclosed_half_time,
    half_time,
    time_factors,
)
from theorems.section_06_beyond_lazy_training.section_6_1_incremental_learning.modes import (
    RELATIVE_STEP,
    large_starts,
    spectral_steps_to_half,
    spread_starts,
)


def assert_steps_of_flow(networks, eta, steps):
    """Assert the two-sided bound of C4 for every mode; eta (B,)."""
    s, t, eta = networks.target, half_time(networks.target, networks.start), eta[:, None]
    fewest, most = time_factors(eta * s)
    lower, upper = t * fewest, t * most + eta
    assert_at_most((eta * steps / upper).max(-1), 1, why="no more steps than the flow takes", instance=networks)
    assert_at_most((lower / (eta * steps)).max(-1), 1, why="no fewer steps", instance=networks)


def slope_of_half_time(x):
    """Fractions below and above ln(x - 1) - x/(x - 1), which is -2 s_0 x^2 dt/dx at x = s/s_0."""
    return tuple(end - x / (x - 1) for end in enclose_log(x - 1))


@corrected("C4", "H3", "H4")
@given_batches(network=spread_starts)
def test_the_steps_to_half_of_a_mode_are_those_of_the_flow(network):
    eta = RELATIVE_STEP / network.target[:, 0]
    assert_steps_of_flow(network, eta, spectral_steps_to_half(network, eta)[0])


@corrected("C4", "H3", "H4")
def test_the_steps_to_half_of_a_mode_are_those_of_the_flow_for_long_steps_and_starts_near_half_too():
    # given  the scalar map at s = 1, eta from 1/64 to 1, starts from 10^-6 to 1/2 - 10^-6
    eta, start = (grid.ravel() for grid in np.meshgrid(2.0 ** -np.arange(7), 1 / (2 + np.geomspace(4e-6, 1e6, 200))))
    x, steps = start.copy(), np.zeros(len(start))
    for _ in range(600):
        steps, x = steps + (x < 1 / 2), np.where(x < 1 / 2, x * (1 + eta * (1 - x)) ** 2, x)
    # then
    t, (fewest, most) = half_time(1.0, start), time_factors(eta)
    slack = rounding(4 + 4, 1 + 2 * t)  # t and a factor, which is 2 at most
    assert_at_most(1 / 2, x, why="half learned")
    assert_at_most(t * fewest, eta * steps + slack, why="no fewer steps")
    assert_at_most(eta * (steps - 1), t * most + slack, why="no more steps than the flow takes")


@corrected("C4", "H3", "H4")
@given_batches(network=large_starts)
def test_from_a_large_start_the_steps_to_half_are_still_those_of_the_flow(network):
    eta = RELATIVE_STEP / network.target[:, 0]
    assert_steps_of_flow(network, eta, spectral_steps_to_half(network, eta)[0])


@corrected("C5", "H1")
def test_the_half_time_of_the_flow_turns_at_4_5911_times_the_start():
    # then   t(s) rises before the root and falls after it
    before, after = slope_of_half_time(THRESHOLD[0]), slope_of_half_time(THRESHOLD[1])
    assert_not_positive(before[1], why="ln(x - 1) < x/(x - 1) at 4.5911")
    assert_not_negative(after[0], why="ln(x - 1) > x/(x - 1) at 4.5912")
    # and    ln(x - 1) - x/(x - 1) has the derivative 1/(x - 1) + 1/(x - 1)^2 > 0, so there is only one root


@corrected("C5", "H1")
def test_H2_is_not_necessary_for_two_modes_far_apart():
    # given  s_0 = 1: the mode 4 is below 4.5911 s_0, against H2
    assert_at_most(enclosed_half_time(100)[1], enclosed_half_time(4)[0], why="100 precedes 4: 0.023 against 0.137")


@corrected("C6", "H1")
def test_from_a_large_start_the_stronger_mode_is_learned_later():
    # given  s_0 = 1 and the modes 7/2 and 5/2; under the flow the half times are 0.131 and 0.081
    stronger, weaker = enclosed_half_time(Fraction(7, 2))[0], enclosed_half_time(Fraction(5, 2))[1]
    reads = "the mode 7/2 is half learned after {value}, later than the mode 5/2 at {limit}"
    assert_violates(stronger, weaker, reads=reads, start=1, s=[Fraction(5, 2), Fraction(7, 2)])


@corrected("C6", "H1")
def test_gradient_descent_has_half_of_the_weaker_mode_first():
    # given  s_0 = 1, eta = 1/20 and the scalar map of a mode u^2, u <- u + eta u(s - u^2), exact
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
    # given  s_0 = 1 and two modes above 2, in steps of a quarter
    modes = st.tuples(st.integers(9, 40), st.integers(9, 40)).map(
        lambda pair: (Fraction(pair[0], 4), Fraction(pair[1], 4))
    )

    def late(pair):
        return pair[0] > pair[1] and enclosed_half_time(pair[0])[0] > enclosed_half_time(pair[1])[1]

    found = smallest_violation(modes, late)
    times = enclosed_half_time(found[0])[0], enclosed_half_time(found[1])[1]
    assert_violates(*times, reads="the stronger at {value} > the weaker at {limit}", start=1, s=list(found))
