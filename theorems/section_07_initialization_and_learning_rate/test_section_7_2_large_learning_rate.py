r"""Section 7.2: large learning rate - a step beyond the flow's reach can end at a lower error on fresh inputs.

Section     7.2
Printed     A large learning rate brings discretization effects, and these can improve generalization
Reading     "Can" asks for one instance on an open set of data. The larger of two rates, both below the edge of
            stability, ends with the lower generalization error of definition 2.2. Data, start and number of steps are
            the same. The smaller rate does what gradient flow does, so that the difference is an effect of the step
Setting     One ReLU neuron $f(x) = \max(0, \theta^\top x)$ in $\mathbb{R}^2$, one sample $(x, y)$,
            $L = \frac12 (f(x) - y)^2$. $R$ is the mean of $\frac12 (f(x') - y)^2$ over fresh inputs $x'$
Hypotheses  (H1) of C2: $x'^\top x \ge 0$ for every fresh input $x'$
Corrected   (C1) For $y = 0$ and $\theta_0^\top x > 0$ descent ends at $\theta_0 - \max(1, \eta \|x\|^2)\,
            (\theta_0^\top x/\|x\|^2)\, x$ for every $\eta > 0$, in one step if $\eta \|x\|^2 \ge 1$: only rates beyond
            $1/\|x\|^2$ end elsewhere than gradient flow.
            (C2) Under H1 and for $y = 0$, $R$ in the limit of a larger rate is at most that of a smaller one.
Idea        Where the target is zero, a neuron stops as soon as it is inactive. A small step brings it to the boundary.
            A large step brings it beyond the boundary, so that inputs near the sample are inactive too: it leaves a
            margin
Source      The instance is ours. Large steps were observed to do this in networks by Lewkowycz, Bahri, Dyer,
            Sohl-Dickstein, Gur-Ari (2020), The Large Learning Rate Phase of Deep Learning: the Catapult Mechanism,
            arXiv 2003.02218
Tolerance   Rational arithmetic throughout
Findings    The gain is one of this neuron and these inputs. With a target $y > 0$ the larger rate keeps the loss
            $y^2/2$ on the sample itself. In the small networks of the claim on the edge of stability, held-out errors
            were lower at the rate 0.6 than at 0.15, and higher at 0.2 than at 0.05
Expected    holds
"""

from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fixtures.problems.expectations import expects
from fixtures.problems.tapes import tapes
from fixtures.rational import fractions
from properties.certificates import assert_at_most, assert_identical, record_series
from theorems.ledger import as_printed, corrected, necessity, observed

STEPS = 12
FRESH = fractions([[1, -1], [1, 0], [1, 1]])


def descend(x, y, theta, eta, steps):
    """`steps` exact steps on (1/2)(max(0, theta.x) - y)^2; an inactive neuron rests."""
    for _ in range(steps):
        value = theta @ x
        theta = theta - eta * (value - y) * x if value > 0 else theta
    return theta


def risk(theta, y, inputs=FRESH):
    """R, the mean of (f(x') - y)^2/2 over the inputs (k, 2)."""
    return sum((np.maximum(inputs @ theta, 0) - y) ** 2) / (2 * len(inputs))


@as_printed
def test_three_times_the_rate_lowers_the_risk_to_a_ninth():
    # given  x = (1, 0), y = 0, from (4, 3): the Hessian has the eigenvalue 1, and eta = 1/2 and 3/2 are below the edge
    x, start = fractions([1, 0]), fractions([4, 3])
    small, large = (descend(x, 0, start, Fraction(k, 2), STEPS) for k in (1, 3))
    # then   theta_1 is halved in every step, or is -2 after one: of the fresh inputs (1, 1) alone is active
    assert_identical([small, large], fractions([["1/1024", 3], [-2, 3]]), why="where the runs are")
    assert_identical(risk(large, 0), Fraction(1, 6), why="R at the larger rate")
    assert_at_most(9 * risk(large, 0), risk(small, 0), why="R at the larger rate and at the smaller")


@as_printed
@given(tapes(12))
def test_on_an_open_set_of_samples_inputs_starts_and_rates_the_larger_rate_has_at_most_two_thirds_of_the_risk(tape):
    # given  x = (1, z), |z| <= 1/8, |y| <= 1/8, a start within 1/4 of (4, 3), and inputs within 1/16 of the fresh ones
    x, y, *start = fractions(tape.integers(4, 8).astype(int)) / 64
    x, start = fractions([1, x]), fractions([4, 3]) + 2 * np.array(start)
    small, large = Fraction(4 + tape.below(9), 16), Fraction(23 + tape.below(8), 16)
    fresh = FRESH + fractions(tape.integers((3, 2), 4).astype(int)) / 64
    # when   rates from 1/4 to 3/4 and from 23/16 to 15/8 over the curvature |x|^2
    ends = [descend(x, y, start, rate / (x @ x), STEPS) for rate in (small, large)]
    # then
    assert_at_most(
        3 * risk(ends[1], y, fresh), 2 * risk(ends[0], y, fresh), why="R at the larger rate and at the smaller"
    )


@expects(positive="[2]", integer="[0]")
@st.composite
def neurons(draw):
    """An input and a start of integers in [-4, 4]^2, x != 0 and theta.x > 0, and a rate of 1/8 to 4 over |x|^2."""
    tape = draw(tapes(5))
    x, theta = fractions(tape.integers(2, 4).astype(int)), fractions(tape.integers(2, 4).astype(int))
    x[0] = x[0] or 1
    theta = theta if theta @ x > 0 else x - theta + theta @ x / (x @ x) * x
    return x, theta, Fraction(1 + tape.below(32), 8)


@corrected("C1")
@given(neurons())
def test_rates_up_to_one_over_the_curvature_end_where_the_flow_ends_and_larger_rates_beyond(neuron):
    x, start, rate = neuron
    # when
    end = descend(x, 0, start, rate / (x @ x), STEPS)
    # then   the share of theta.x that is gone: all but (1 - rate)^12, or at once what the rate says
    share = rate if rate >= 1 else 1 - (1 - rate) ** STEPS
    assert_identical(end, start - share * (start @ x) / (x @ x) * x, why="theta after twelve steps")
    assert_identical((end - start) @ fractions([-x[1], x[0]]), 0, why="across x nothing moves, nor does it in the flow")


def limit(x, start, rate):
    """Where descent with the rate over |x|^2 ends."""
    return start - max(1, rate) * (start @ x) / (x @ x) * x


@corrected("C2")
@given(neurons(), st.integers(1, 32), tapes(6))
def test_where_all_inputs_are_on_the_side_of_the_sample_a_larger_rate_has_no_larger_risk(neuron, more, tape):
    # given  three fresh inputs, turned to the side of x
    x, start, rate = neuron
    fresh = fractions(tape.integers((3, 2), 4).astype(int))
    fresh = np.stack([z if z @ x >= 0 else -z for z in fresh])
    # when
    risks = [risk(limit(x, start, r), 0, fresh) for r in (rate, rate + Fraction(more, 8))]
    # then   theta.x' falls, or rests, as the rate grows
    assert_at_most(risks[1], risks[0], why="R at the larger rate")


@necessity("H1")
@given(st.integers(1, 20))
def test_without_H1_the_larger_rate_may_have_the_larger_risk(k):
    # given  x = (1, 0), from (4, 3) with the rates 1 and 1 + k/21 < 2, and one fresh input (-1, 1): x'x = -1
    x, start, fresh = fractions([1, 0]), fractions([4, 3]), fractions([[-1, 1]])
    small, large = (risk(limit(x, start, rate), 0, fresh) for rate in (1, 1 + Fraction(k, 21)))
    # then
    assert_identical(small, Fraction(9, 2), why="R at the rate of the flow")
    assert_at_most(small + Fraction(12 * k, 21), large, why="R at the larger rate")


@observed
def test_the_risk_of_the_limit_falls_with_the_rate_beyond_one_over_the_curvature_alone():
    # given  x = (1, 0), y = 0, from (4, 3), and rates from 1/16 to 31/16
    x, start, rates = fractions([1, 0]), fractions([4, 3]), fractions(range(1, 32)) / 16
    risks = [risk(limit(x, start, rate), 0) for rate in rates]
    record_series("risk of the limit against the rate", rate=rates, risk=risks)
    # then
    assert_identical(risks[:16], [Fraction(3, 2)] * 16, why="R up to the rate 1")
    assert_at_most([R + Fraction(1, 100) for R in risks[16:28]], risks[15:27], why="R falls from the rate 1 to 7/4")
    assert_identical(risks[27:], [0] * 4, why="R from the rate 7/4 on")
