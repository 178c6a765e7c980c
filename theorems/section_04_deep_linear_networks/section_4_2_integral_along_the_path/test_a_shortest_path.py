r"""Section 4.2: integral along the path (a) - the path minimizes an integral of the norm of the layers.

Printed     From $W_\ell(0) = \alpha I$ gradient flow moves $W(t)$ along a path that minimizes an integral of the
            Frobenius norm of the layers
Setting     $f(x) = W_L \cdots W_1 x$, balanced layers, loss $\frac12 \|WX - Y\|_F^2$; $g_\ell$ its gradient in
            $W_\ell$; for $X = I$ and a diagonal target with the entries $\lambda_j$ all layers are
            $\operatorname{diag}(v)$ for ever, and $\dot v_j = -(v_j^L - \lambda_j) v_j^{L-1}$.
Reading     "Along a path that minimizes an integral": among all paths of the layers with the same two ends, it has the
            least integral of $N = (\sum_\ell \|W_\ell\|_F^2)^{1/2}$ by arc length. So the speed does not matter, a path
            that minimizes does exist, and the integrand is one for all problems.
Corrected   (C1) Any motion of the layers changes the loss at a rate of at most $(\sum_\ell \|g_\ell\|^2)^{1/2}$ times
            its speed; the flow changes it at exactly this rate. So, among all paths between its two values of the loss,
            the flow minimizes the integral of $(\sum_\ell \|g_\ell\|^2)^{1/2}$ by arc length, and the minimum is the
            decrease of the loss.
            (C2) From $\alpha I$, if $X = I$ and the target is a multiple of $I$, the path is a piece of a ray. It
            points along the path of least integral by arc length, of $N$ and of $N^2$.
Differs     What is integrated in C1 is the norm of the gradients of the layers, not that of the layers; C2 is about
            targets that form no open set.
Idea        Two diagonal layers $\operatorname{diag}(v)$, $v$ in the plane: $\|v\| \|dv\|$ is half of $|d(z^2)|$ for
            $z = v_1 + i v_2$. So the only shortest path is a straight segment of $z^2$. The flow leaves its start in
            another direction.
Tolerance   Directions and rates are rational. Along the flow, the integrator's error times the derivative of $z^2$.
Findings    From two layers $I/4$ towards the target $\operatorname{diag}(1, 1/4)$ the path of the flow was measured 12
            % longer than the shortest one.
Expected    refuted
"""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given

from fixtures.dynamics.deep_linear import gradients, layer_flow
from fixtures.precision import rounding
from fixtures.problems.deep_linear import deep_regressions
from properties.certificates import assert_at_most, assert_identical, assert_violates, record_series
from theorems.ledger import corrected, counterexample
from theorems.section_04_deep_linear_networks.section_4_2_integral_along_the_path.shortest_paths import (
    area_between_directions,
    assert_a_search_finds_another_direction,
    squares,
)


@counterexample
def test_the_flow_leaves_its_start_in_another_direction_than_the_shortest_path():
    r"""$X = I$, $Y = \operatorname{diag}(1, 1/4)$, two layers $\operatorname{diag}(v)$, $z = v_1 + i v_2$; $N$ times
    arc length is $|d(z^2)|$. So the shortest path from $v = (1, 1)/4$ to $(1, 1/2)$ is straight in $z^2$. It starts
    along $(3/4 + 7i/8)(1 - i) = (13 + i)/8$, the flow along $(15, 3)/16$: the area between them is $3/16$, not 0."""
    value = area_between_directions(Fraction(1, 4), (Fraction(1), Fraction(1, 2)), power=1)
    reads = "area between the directions of the flow and of the shortest path {value} > {limit}"
    assert_violates(value, 0, reads=reads, X="I", Y="diag(1, 1/4)", L=2, alpha=Fraction(1, 4))


@counterexample
def test_the_path_of_the_flow_is_longer_than_the_shortest_one():
    # given  X = I, Y = diag(1, 1/4), two layers I/4
    times = np.linspace(0, 12, 200)
    run = layer_flow([np.eye(2) / 4] * 2, lambda W: W - np.diag([1.0, 0.25]), times)
    z = np.diagonal(run.layers[0], axis1=-2, axis2=-1) @ [1, 1j]
    # when   the integral of |v||dv| over a piece is at least half of the change of z^2; both layers count alike
    pieces, shortest = np.abs(np.diff(z**2)).sum() / 2, abs(z[-1] ** 2 - z[0] ** 2) / 2
    # then   an error e of z moves z^2 by 3e at most. Each of 199 pieces has six roundings, and their sum 199
    slack = 3 * 400 * run.error.max() + rounding(199 * 6 + 199, 5 / 4)
    reads = "integral along the flow >= {value} > {limit} along the shortest path with its ends"
    assert_violates(pieces, 1.1 * shortest, slack=slack, reads=reads, L=2)
    straight = np.sqrt(np.linspace(z[0] ** 2, z[-1] ** 2, 50))
    for title, path in {"flow": z[::4], "shortest path": straight}.items():
        record_series(title, v_1=path.real.round(4), v_2=path.imag.round(4))


@counterexample
def test_a_search_finds_a_start_and_a_target_whose_flow_takes_no_shortest_path():
    assert_a_search_finds_another_direction(power=1)


@corrected("C1")
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


@corrected("C2")
@pytest.mark.parametrize("power", [1, 2])
def test_towards_a_multiple_of_the_identity_the_flow_goes_along_the_shortest_path(power):
    # given  starts 1, 1/2, ..., 1/8 and square roots of targets 0, 1/3, ..., 3
    ends = [Fraction(b, 3) for b in range(10)]
    areas = [area_between_directions(Fraction(1, k), (end, end), power) for k in range(1, 9) for end in ends]
    assert_identical(areas, [0] * 80, why="area between the two directions")
