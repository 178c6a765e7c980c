r"""Section 4.1: gradient flow equations - every layer moves down the gradient of the loss, as printed.

Section     4.1, the display "Gradient Flow Equations" and the formula for W above it
Printed     $W = \prod_{\ell=1}^L W_\ell$ and $\frac{dW_\ell}{dt} = -(\prod_{k=\ell+1}^L W_k)^\top (Wx - y)\, x^\top
            (\prod_{k=1}^{\ell-1} W_k)^\top$ for $f(x) = W_L W_{L-1} \cdots W_1 x$
Reading     The paper defines $W = \prod_{\ell=1}^L W_\ell$ as the matrix of $f = W_L \cdots W_1 x$. So its product puts
            the largest index first, and the two products of the equation are read by the same convention. The print
            has one sample, for which the loss of Section 2.1 is $\frac12 \|Wx - y\|^2$.
Readings    [ascending] the other usual order of a product over $k = a, \dots, b$, which is $W_a W_{a+1} \cdots W_b$.
            $W$ still is the matrix of $f$; only the two products of the equation are read so - refuted
Setting     Loss $\mathcal{L} = \frac12 \|Wx - y\|^2$; widths $d_0, \dots, d_L$;
            $g_\ell = \partial \mathcal{L} / \partial W_\ell$.
Corrected   (C1) For $n$ samples in the columns of $X$ and $Y$ and the loss $\frac{1}{2n} \|WX - Y\|_F^2$ of Section
            2.1, any widths and any depth: $\frac{dW_\ell}{dt} = -\frac1n (W_L \cdots W_{\ell+1})^\top (WX - Y) X^\top
            (W_{\ell-1} \cdots W_1)^\top$. This is the mean over the samples of the printed flow of each sample alone.
            (C2) The ascending reading gives the same flow where the layers commute pairwise.
            (C3) The ascending reading gives the same flow at depth two, for any layers.
Idea        The differential of $W$ is the sum over $\ell$ of $W_L \cdots W_{\ell+1}\, dW_\ell\, W_{\ell-1} \cdots W_1$.
            In ascending order the products have no shape at the widths 1, 2, 3, 1. With a rotation by 90 degrees
            between two reflections that anticommute with it, the ascending equations raise the loss.
Source      Saxe, McClelland, Ganguli (2014), Exact Solutions to the Nonlinear Dynamics of Learning in Deep Linear
            Neural Networks, ICLR; Arora, Cohen, Hazan (2018), On the Optimization of Deep Networks: Implicit
            Acceleration by Overparameterization, ICML
Tolerance   Refutations and derivatives are rational: the loss is quadratic in one layer, so its central difference is
            its derivative. Compared with autograd, each of the two sides rounds by at most $2(L + 1)\, m\, u \|X\|
            (\|X\| \prod_k \|W_k\| + \|Y\|) \prod_{k \ne \ell} \|W_k\|$ at depth $L$, with the largest width $m$ and the
            unit roundoff $u$ (`properties.deep_linear`).
Findings    Symmetric layers hide a missing transpose. Commuting layers and depth two hide the order. So the strategies
            draw unequal widths and asymmetric layers.
Expected    holds
"""

from fractions import Fraction
from functools import reduce

import numpy as np
import pytest
from hypothesis import given

from fixtures.dynamics.deep_linear import end_to_end, gradients, regression_gradient, regression_loss
from fixtures.models.deep_linear import gradients_of, half_squared_error, linear_stack
from fixtures.problems.deep_linear import deep_regressions
from fixtures.problems.expectations import expecting
from fixtures.rational import fractions
from properties.certificates import assert_at_most, assert_identical, assert_violates
from properties.deep_linear import frobenius, gradient_rounding
from properties.search import smallest_violation
from theorems.ledger import as_printed, corrected, counterexample

SCALE = 0.45
"""A factor that is no power of two, so that products of the scaled integer layers do round."""


def descending(factors, width):
    """W_b ... W_a for factors (W_a, ..., W_b); the identity of this width when there are none."""
    return reduce(lambda product, W: W @ product, factors) if factors else np.eye(width, dtype=int)


def ascending(factors, width):
    """W_a ... W_b for factors (W_a, ..., W_b); the identity of this width when there are none."""
    return descending(factors[::-1], width)


def equations(layers, X, Y, product):
    """-(prod_{k>l} W_k)' (WX - Y) X' (prod_{k<l} W_k)' for every l, where W is the network's map."""
    slope = regression_gradient(X, Y)(end_to_end(layers))
    outputs, inputs = slope.shape
    return [
        -(product(layers[index + 1 :], outputs).T @ slope @ product(layers[:index], inputs).T)
        for index in range(len(layers))
    ]


def mean_flow(layers, X, Y):
    """The velocities of C1, for the loss |WX - Y|_F^2/(2n) of n samples."""
    return [velocity / X.shape[1] for velocity in equations(layers, X, Y, descending)]


def layers_after(layers, velocities, time):
    """The layers after moving with constant velocities for this long."""
    return [W + time * V for W, V in zip(layers, velocities, strict=True)]


def loss_rate(layers, X, Y, velocities):
    """dL/dt = sum_l <g_l, V_l> while the layers move with these velocities; exact on Fractions."""
    return sum((g * V).sum() for g, V in zip(gradients(layers, X, Y), velocities, strict=True))


def reflections_about_a_rotation():
    """W_1 = W_3 = diag(1, -1) anticommute with W_2, the rotation by 90 degrees; x = e_1, y = 0."""
    mirror, turn = fractions([[1, 0], [0, -1]]), fractions([[0, -1], [1, 0]])
    return [mirror, turn, mirror], fractions([[1], [0]]), fractions([[0], [0]])


@counterexample(reading="ascending")
def test_read_in_ascending_order_the_equations_raise_the_loss():
    r"""$W_1 = W_3 = M = \operatorname{diag}(1, -1)$, $W_2 = R$ a quarter turn, $x = e_1$, $y = 0$. As $R M = -M R$, the
    ascending products change the sign of $\dot W_1$ and $\dot W_3$. Every $\|g_\ell\|$ is 1, so the flow has
    $\dot{\mathcal{L}} = -1 - 1 - 1 < 0$, and the ascending equations have $\dot{\mathcal{L}} = 1 - 1 + 1 = 1 > 0$."""
    layers, X, Y = reflections_about_a_rotation()
    # when
    rate = loss_rate(layers, X, Y, equations(layers, X, Y, ascending))
    # then
    names = {"W_1": layers[0], "W_2": layers[1], "W_3": layers[2], "x": X[:, 0], "y": Y[:, 0]}
    assert_violates(rate, 0, reads="dL/dt = {value} > {limit}", **names)


@counterexample(reading="ascending")
@pytest.mark.parametrize("time", [Fraction(1, 10), Fraction(1, 100)])
def test_a_step_along_the_ascending_equations_raises_the_loss(time):
    layers, X, Y = reflections_about_a_rotation()
    # when
    after = layers_after(layers, equations(layers, X, Y, ascending), time)
    # then
    before = regression_loss(layers, X, Y)
    assert_violates(regression_loss(after, X, Y), before, reads="loss {value} after > {limit} before", eta=time)


@counterexample(reading="ascending")
def test_at_the_widths_1_2_3_1_the_ascending_products_have_no_shape():
    # given  widths 1, 2, 3, 1: layer 1 needs W_2 W_3, where W_2 is (3, 2) and W_3 is (1, 3)
    layers = [fractions([[1], [2]]), fractions([[1, 0], [0, 1], [1, 1]]), fractions([[1, 2, 3]])]
    X, Y = fractions([[1]]), fractions([[0]])
    # then
    with pytest.raises(ValueError, match="mismatch in its core dimension"):
        equations(layers, X, Y, ascending)
    columns, rows = layers[1].shape[1], layers[2].shape[0]
    assert_violates(columns, rows, reads="W_2 has {value} columns > {limit} rows of W_3", widths=[1, 2, 3, 1])


@counterexample(reading="ascending")
def test_hypothesis_finds_layers_that_the_ascending_order_sends_uphill():
    # given  three layers of integers, of one width so that the ascending products exist
    def rate(problem):
        layers, X, Y = problem.exactly()
        return loss_rate(layers, X, Y, equations(layers, X, Y, ascending))

    # when
    found = smallest_violation(deep_regressions(depth=3, width=2, max_samples=1), lambda problem: rate(problem) > 0)
    # then
    layers, X, Y = found.exactly()
    names = {"W_1": layers[0], "W_2": layers[1], "W_3": layers[2], "x": X[:, 0], "y": Y[:, 0]}
    assert_violates(rate(found), 0, reads="dL/dt = {value} > {limit}", **names)


@as_printed
@given(problem=expecting(deep_regressions(max_samples=1), single="X, Y"))
def test_the_printed_velocity_is_the_derivative_of_the_loss_in_every_layer(problem):
    # given  a direction V in every layer: its own weights, reversed in both axes
    layers, X, Y = problem.exactly()
    directions = [W[::-1, ::-1] for W in layers]
    # when   the central difference in one layer at a time, exact because the loss is quadratic in it
    ends = [
        [regression_loss([*layers[:i], layers[i] + sign * V, *layers[i + 1 :]], X, Y) for sign in (1, -1)]
        for i, V in enumerate(directions)
    ]
    # then   <-dW_l/dt, V> is the derivative along V
    slopes = [-(F * V).sum() for F, V in zip(equations(layers, X, Y, descending), directions, strict=True)]
    assert_identical(slopes, [(up - down) / 2 for up, down in ends], why="derivative of the loss in one layer")


@as_printed
@given(problem=expecting(deep_regressions(max_samples=1), single="X, Y"))
def test_the_printed_velocity_is_what_autograd_computes(problem):
    # given  nn.Linear layers of unequal widths in float64, one sample
    rectangles, X, Y = problem.rectangular()
    layers = [SCALE * W for W in rectangles]
    model = linear_stack(layers)
    # when
    half_squared_error(model, X, Y)().backward()
    # then   two computations, each within its own rounding
    pairs = zip(gradients_of(model), equations(layers, X, Y, descending), strict=True)
    difference = [frobenius(slope + velocity) for slope, velocity in pairs]
    bound = 2 * np.array(gradient_rounding(layers, X, Y))
    assert_at_most(np.array(difference), bound, why="autograd against the formula", instance=problem)


@as_printed
@given(problem=deep_regressions())
def test_the_printed_product_of_all_layers_is_the_matrix_of_the_network(problem):
    layers, X, _ = problem.exactly()
    # when   x goes through the layers one after the other
    outputs = reduce(lambda x, W: W @ x, layers, X)
    # then
    W = descending(layers, len(X))
    assert_identical(W @ X, outputs, why="W x = f(x)")


@corrected("C1")
def test_the_mean_flow_of_two_samples_by_hand():
    # given  X = (1, 0; 1, 2), Y = (1, 1), W_1 = (1, 2; 0, 1) and W_2 = (1, -1): W = (1, 1), WX - Y = (1, 1)
    layers, X = [fractions([[1, 2], [0, 1]]), fractions([[1, -1]])], fractions([[1, 0], [1, 2]])
    first, second = mean_flow(layers, X, fractions([[1, 1]]))
    # then   (WX - Y)X' = (1, 3), and n = 2
    assert_identical(first, fractions([["-1/2", "-3/2"], ["1/2", "3/2"]]), why="dW_1/dt = -W_2'(1, 3)/2")
    assert_identical(second, fractions([["-7/2", "-3/2"]]), why="dW_2/dt = -(1, 3)W_1'/2")


@corrected("C1")
@given(problem=deep_regressions())
def test_the_loss_of_section_2_1_moves_the_layers_by_the_mean_over_the_samples(problem):
    # given  L = (1/2n) sum_i |f(x_i) - y_i|^2
    rectangles, X, Y = problem.rectangular()
    layers, n = [SCALE * W for W in rectangles], X.shape[1]
    model = linear_stack(layers)
    # when
    (half_squared_error(model, X, Y)() / n).backward()
    # then   the mean of the flows of the samples alone, and the formula for all of them
    alone = [equations(layers, X[:, [i]], Y[:, [i]], descending) for i in range(n)]
    pairs = zip(gradients_of(model), mean_flow(layers, X, Y), *alone, strict=True)
    difference = [
        max(frobenius(slope + together), frobenius(slope + sum(flows) / n)) for slope, together, *flows in pairs
    ]
    bound = 2 * np.array(gradient_rounding(layers, X, Y)) / n
    assert_at_most(np.array(difference), bound, why="autograd of the mean against single samples", instance=problem)


@corrected("C2")
@given(problem=expecting(deep_regressions(width=3), level="widths"))
def test_where_the_layers_commute_the_ascending_products_are_right_too(problem):
    # given  every layer a polynomial of one matrix, in turn A + l I and A^2 - l A
    layers, X, Y = problem.exactly()
    A, one = layers[0], np.eye(3, dtype=int)
    commuting = [A + l * one if l % 2 else A @ A - l * A for l in range(problem.depth)]  # noqa: E741
    # then
    other, exact = (equations(commuting, X, Y, product) for product in (ascending, descending))
    assert_identical(np.stack(other), np.stack(exact), why="orders of a commuting product")


@corrected("C3")
@given(problem=deep_regressions(depth=2))
def test_at_depth_two_the_ascending_products_are_right_for_any_layers(problem):
    layers, X, Y = problem.exactly()
    other, exact = (equations(layers, X, Y, product) for product in (ascending, descending))
    gaps = [np.abs(first - second).sum() for first, second in zip(other, exact, strict=True)]
    assert_identical(gaps, [0, 0], why="products of at most one factor")
