r"""Section 7.2: small learning rate - each hypothesis of the second-order bound is needed.

Setting     $\theta_{k+1} = \theta_k - \eta g(\theta_k)$, $g = \nabla L$; $\beta$ is the largest $|h|$, $h$ an
            eigenvalue of the Hessian. C1 bounds the distance from $\theta_k$ to $\tilde\theta(k\eta)$ by
            $\eta^2 \int_0^{k\eta} q\,dt$, with $q$ of `modified_flow`. Here $\tilde\theta$ is the gradient flow of
            $L + \frac\eta4 \|g\|^2$ from the same start
Hypotheses  (H1) $L$ is convex. (H2) $\eta$ is at most $2/\beta$. (H3) the sign of the correction is $+$ and its
            coefficient a quarter. (H4) step $k$ is compared with the time $k \eta$.
Idea        On $L = \frac12 h w^2$ descent and all flows are known in closed form. With another correction, or at
            another time, the distance is of first order. Where steps expand, it outgrows what single steps miss
Tolerance   Closed forms, in floats, with margins of factors from 1 to 20
"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from properties.certificates import assert_at_most, assert_keeps
from theorems.ledger import necessity
from theorems.section_07_initialization_and_learning_rate.modified_flow import flow_of_order
from theorems.section_07_initialization_and_learning_rate.section_7_2_small_learning_rate.distances import parabola


def bound_of_second_order(curvature, eta, k):
    """eta^2 int q of C1 for L = curvature w^2/2 after k steps from 1."""
    return flow_of_order(2, parabola(curvature), np.ones((1, 1)), np.array([eta]), k).missed[k, 0]


@necessity("H3")
@pytest.mark.parametrize("coefficient", [-1 / 4, 0, 1 / 2])
def test_without_H3_the_distance_is_of_first_order(coefficient):
    # given  L = h w^2/2 from 1 and the flow of L + coefficient eta |g|^2
    h, eta, k, time = 1.0, 1 / 64, 64, 1.0
    assert_keeps(H1=h >= 0, H2=0 < eta <= 2 / h, H4=time == k * eta)
    # when
    descent, flow = (1 - eta * h) ** k, np.exp(-(h + 2 * coefficient * eta * h**2) * time)
    # then
    bound = 10 * bound_of_second_order(h, eta, k)
    assert_at_most(bound, abs(descent - flow), why="more than ten times the bound of C1")


@necessity("H4")
@pytest.mark.parametrize("late", [-1, 1])
def test_without_H4_the_distance_is_of_first_order(late):
    # given  L = h w^2/2 from 1, and the corrected flow at the time of another step
    h, eta, k, coefficient = 1.0, 1 / 64, 64, 1 / 4
    assert_keeps(H1=h >= 0, H2=0 < eta <= 2 / h, H3=coefficient == 1 / 4)
    # when
    descent, flow = (1 - eta * h) ** k, np.exp(-(h + 2 * coefficient * eta * h**2) * (k + late) * eta)
    # then
    bound = 20 * bound_of_second_order(h, eta, k)
    assert_at_most(bound, abs(descent - flow), why="more than twenty times the bound of C1")


@necessity("H1")
def test_without_H1_the_distance_outgrows_the_sum_of_the_local_errors():
    # given  L = h w^2/2 from 1, h = -1
    h, eta, k, time, coefficient = -1.0, 1 / 8, 64, 8.0, 1 / 4
    assert_keeps(H2=0 < eta <= 2 / abs(h), H3=coefficient == 1 / 4, H4=time == k * eta)
    # when   descent multiplies by 9/8, and the flows grow as e^t and e^(15t/16)
    descent, flow = (1 - eta * h) ** k, np.exp(-h * time)
    second = np.exp(-(h + 2 * coefficient * eta * h**2) * time)
    # then   eta int |Hg| dt = (e^8 - 1)/8
    assert_at_most((flow - 1) / 8, flow - descent, why="the distance at T = 8")
    assert_at_most(bound_of_second_order(h, eta, k), descent - second, why="from the corrected flow")


@necessity("H2")
@given(k=st.integers(4, 60))
def test_without_H2_the_distance_outgrows_the_sum_of_the_local_errors_on_a_convex_loss(k):
    # given  L = h w^2/2 from 1, and eta = 3 > 2/h
    h, eta, time, coefficient = 1.0, 3.0, 3.0 * k, 1 / 4
    assert_keeps(H1=h >= 0, H3=coefficient == 1 / 4, H4=time == k * eta)
    # when   descent multiplies by -2, without rounding
    descent = (1 - eta * h) ** k
    second = np.exp(-(h + 2 * coefficient * eta * h**2) * time)
    # then   eta int |Hg| dt = 3(1 - e^(-3k)) stays below 3, and eta^2 int q below 11
    q = np.hypot(7 / 4, 1 / 4) + np.hypot(5 / 2, 1 / 4) / 2
    assert_at_most(9 * q / (5 / 2), 11, why="the integral of q = (..) e^(-5t/2), for all times")
    assert_at_most([3, 11], [abs(descent - np.exp(-h * time)), abs(descent - second)], why="the two distances")
