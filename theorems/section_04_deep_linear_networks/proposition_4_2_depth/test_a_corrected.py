r"""Proposition 4.2 (a) - how singular values move, and how far the bias can go.

Setting     $f(x) = W_L \cdots W_1 x$, balanced layers, gradient flow; $s_r, u_r, v_r$ from the singular value
            decomposition of $W = W_L \cdots W_1$; $\nabla$ is the gradient of the loss in $W$; $p = 2 - 2/L$.
Hypotheses  (H1) $X = I$, and $W(0)$ lies in the singular frames of the target, so that modes decouple.
            (H2) No mode starts larger than the first mode, which has the largest target $\lambda_1$.
            (H3) Networks of all depths start from the same end-to-end matrix, whose singular values are positive.
            (H4) Each mode starts below its target.
            (H5) Networks are compared when the first mode has reached the same size $c < \lambda_1$.
Corrected   (C1) For balanced layers of any widths, any depth and any loss, at a simple positive singular value:
            $\dot s_r = -L\, s_r^{2 - 2/L}\, u_r^\top \nabla v_r$.
            (C3) Under H1 each mode that starts at $s(0) > 0$ and off its target $\lambda$ keeps, at all times, the time
            law $\int_{s(0)}^{s(t)} \frac{r^{-p}}{\lambda - r}\, dr = L t$, whether it grows or shrinks.
            (C4) Under H1 to H5 no mode is below its start, at any depth and in the limit of infinite depth, $p = 2$.
Idea        (C1) Differentiate the product of balanced layers. (C3) Under H1 the equation of C1 is
            $\dot s = L s^p (\lambda - s)$ for each mode. (C4) Under H4 every mode grows.
Tolerance   The rounding of the products (C1), the integrator's error (C3), and the error of the race of the modes (C4).
            Time laws are elementary functions at depths 1, 2, 4 and infinity.
"""

import numpy as np
import pytest
from numpy.linalg import norm

from fixtures.dynamics.deep_linear import end_to_end, layer_flow, layer_gradients
from fixtures.precision import rounding
from fixtures.problems.batches import given_batches
from fixtures.problems.deep_linear import mode_races, spectral_networks
from properties.certificates import assert_at_most
from theorems.ledger import corrected
from theorems.section_04_deep_linear_networks.proposition_4_2_depth.races import race, time_law, time_law_rounding
from theorems.section_04_deep_linear_networks.proposition_4_2_depth.selection import end_to_end_velocity


@corrected("C1")
@pytest.mark.parametrize("L", [1, 2, 3, 5])
@given_batches(network=spectral_networks())
def test_a_singular_value_moves_at_L_times_its_power_times_its_force(L, network):
    # given  balanced rectangular layers in rotated frames, and a gradient that is not aligned with these frames
    layers = network.layers(L)
    G = network.target_matrix(L)[..., ::-1, ::-1] + 0.3
    # when
    velocity = end_to_end_velocity(layers, [-g for g in layer_gradients(layers, lambda _: G)])
    # then   u'(dW/dt)v = -L s^(2-2/L) u'Gv for every pair of frame vectors. L + 2 products make a gradient, L the
    #        velocity of W, two its modes, and frames of norm one are products of three reflections
    s = np.where(network.start > 0, network.start, 1)
    predicted = -L * s ** (2 - 2 / L) * network.modes(G, L)
    D = network.frames.shape[-2]
    bound = rounding((2 * L + 4 + 3 * L) * D, L * norm(G, axis=(-2, -1)))
    error = np.abs(network.modes(velocity, L) - predicted).max(-1)
    assert_at_most(error, bound, why="velocity of the singular values", instance=network)


@corrected("C3")
@pytest.mark.parametrize("L", [1, 2, 4])
@given_batches(size=100, network=spectral_networks(max_depth=4))
def test_along_the_flow_every_mode_keeps_the_time_law_of_its_depth(L, network):
    # given  X = I and a target in the frames of the layers; some modes grow and some shrink
    layers, T = network.layers(L), network.target_matrix(L)
    times = np.array([0.05, 0.4, 1.0])
    # when
    run = layer_flow(layers, lambda W: W - T, times)
    # then   int_{s(0)}^{s(t)} r^(-p)/(lambda - r) dr = L t. An error ds changes the integral by ds/speed with the speed
    #        s^p (lambda - s). L + 2 products of layers and frames, each of three reflections, give s
    present = network.start > 0
    s = np.where(present, network.modes(end_to_end(run.layers), L), 0.5)
    target, start = np.where(present, network.target, 1), np.where(present, network.start, 0.5)
    p = 2 - 2 / L
    sign = np.sign(target - start)
    elapsed = sign * (time_law(p, target, s) - time_law(p, target, start))
    speed = np.where(present, s**p * np.abs(target - s), 0)
    missed = np.abs(elapsed - sign * L * times[:, None, None]) * speed
    laws, products = time_law_rounding(p, target, start, s) * speed, rounding((4 * L + 2) * network.frames.shape[-2], 2)
    bound = L * 2 ** (1 - 1 / L) * run.error[:, None, None] + laws + products
    assert_at_most(missed, bound, why="time law of every mode")


@corrected("C4")
@given_batches(problem=mode_races())
def test_however_deep_the_network_no_mode_is_driven_below_its_start(problem):
    # given  the depths 1 to 12 and the limit p = 2. With a strength in proportion to L the modes would tend to zero
    s, error = race(problem)
    # then
    assert_at_most(problem.start, (s + error).min(1), why="saturation of the bias", instance=problem)
