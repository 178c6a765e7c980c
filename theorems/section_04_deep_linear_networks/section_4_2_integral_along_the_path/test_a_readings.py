r"""Section 4.2: integral along the path (a) - with the squared norm, by arc length or over time, it fails too.

Setting     $f(x) = W_L \cdots W_1 x$, balanced layers, loss $\frac12 \|WX - Y\|_F^2$; $g_\ell$ its gradient in
            $W_\ell$; for $X = I$ and a diagonal target with the entries $\lambda_j$ all layers are
            $\operatorname{diag}(v)$ for ever, and $\dot v_j = -(v_j^L - \lambda_j) v_j^{L-1}$.
Readings    [squares] among all paths of the layers with the same two ends the flow's has the least integral of $N^2$ by
            arc length, $N^2 = \sum_\ell \|W_\ell\|_F^2$, as in the proofs of the literature - refuted
            [time] the integral of $N^2$ over time, among all paths with the same ends and the same duration - refuted
Idea        For two layers $\operatorname{diag}(v)$, $v$ in the plane, $\|v\|^2 \|dv\|$ is a third of $|d(z^3)|$ for
            $z = v_1 + i v_2$, so the only shortest path is a straight segment of $z^3$, and the flow leaves its start
            in another direction. Over time, a path that waits at a small start and then goes straight to the end has a
            smaller integral than the flow.
Tolerance   All instances are rational, so there is no tolerance.
"""

from fractions import Fraction

from hypothesis import strategies as st

from properties.certificates import assert_identical, assert_violates
from properties.search import smallest_violation
from theorems.ledger import counterexample
from theorems.section_04_deep_linear_networks.section_4_2_integral_along_the_path.shortest_paths import (
    area_between_directions,
    assert_a_search_finds_another_direction,
)


@counterexample(reading="squares")
def test_the_flow_leaves_its_start_in_another_direction_than_the_shortest_path_by_squares():
    r"""$X = I$, $Y = \operatorname{diag}(1, 1/4)$, two layers $\operatorname{diag}(v)$, $z = v_1 + i v_2$; $N^2$ times
    arc length is $|d(z^3)| \sqrt8/3$. So the shortest path from $v = (1, 1)/4$ to $(1, 1/2)$ is straight in $z^3$. It
    starts along $(9 + 43i)(1 - i)^2/32 = (43 - 9i)/16$, the flow along $(15, 3)/16$: the area $33/32$, not 0."""
    value = area_between_directions(Fraction(1, 4), (Fraction(1), Fraction(1, 2)), power=2)
    reads = "area between the directions of the flow and of the shortest path {value} > {limit}"
    assert_violates(abs(value), 0, reads=reads, X="I", Y="diag(1, 1/4)", L=2, alpha=Fraction(1, 4))


@counterexample(reading="squares")
def test_a_search_finds_a_start_and_a_target_whose_flow_takes_no_shortest_path_by_squares():
    assert_a_search_finds_another_direction(power=2)


def mean_of_flow_and_of_waiting(k, eighths):
    """A lower bound of the mean of w^2 over [0, T] for the flow, and an upper bound for a path that waits; exact.

    Scalars, L = 2, x = y = 1, both layers w = 1/k at the start: W = w^2 = 1/(1 + q exp(-2t)) with q = k^2 - 1. T is
    chosen by exp(-T) = 1/q, so that W = 1/2 at T/2 and q/(q + 1) at T. The flow rises: its mean is at least that of its
    values at 0 and T/2. The other path waits at the start for this many eighths of T and then goes straight to the same
    end.
    """
    first, last, waited = Fraction(1, k**2), Fraction(k**2 - 1, k**2), Fraction(eighths, 8)
    return (first + Fraction(1, 2)) / 2, first * waited + last * (1 - waited)


@counterexample(reading="time")
def test_a_path_that_waits_at_the_start_has_the_smaller_integral_over_time():
    r"""$x = y = 1$, both layers $1/5$: $W = 1/(1 + 24 e^{-2t})$ rises from $1/25$ through $1/2$ at $T/2$ to $24/25$ at
    $T = \ln(24)$. So $N^2 = 2W$ has a mean of at least $1/25 + 1/2 = 27/50$. If the path waits for $7T/8$ and then goes
    straight to the same end, it has at most $2 (7/8 \cdot 1/25 + 1/8 \cdot 24/25) = 31/100$, which is less."""
    flow, waiting = (2 * mean for mean in mean_of_flow_and_of_waiting(5, eighths=7))
    # then
    assert_identical([flow, waiting], [Fraction(27, 50), Fraction(31, 100)], why="means of the two paths")
    reads = "mean of the squares along the flow >= {value} > {limit} along a path that waits"
    assert_violates(flow, waiting, reads=reads, x=1, y=1, L=2, alpha=Fraction(1, 5))


@counterexample(reading="time")
def test_a_search_finds_a_start_at_which_waiting_is_cheaper():
    # given  a start 1/k, and a wait of so many eighths of the time. Waiting for a short time gains nothing
    def gain(instance):
        flow, waiting = mean_of_flow_and_of_waiting(*instance)
        return flow - waiting

    instances = st.tuples(st.integers(2, 20), st.integers(1, 7))
    k, eighths = smallest_violation(instances, lambda instance: gain(instance) > 0, budget=40)
    names = {"alpha": Fraction(1, k), "waits": Fraction(eighths, 8)}
    assert_violates(gain((k, eighths)), 0, reads="the path that waits gains {value} > {limit}", **names)
