r"""Section 6.3: flat minima (a) - gradient descent finds flatter minima than random search.

Printed     Gradient descent ends at minima of lower sharpness than random search
Kind        observation: "Empirical Observation"
Reading     Random search draws the hidden weights from the law of the start of gradient descent and fits the output
            weights, of least norm. What is measured is the share of seeds in which the sharpness of gradient descent is
            the lower one
Readings    [large] the random search draws hidden weights ten times as large and output weights a tenth, which are the
            same functions: the print names no law - reproduced
            [balanced] it balances both weights of every neuron, which leaves the functions as they are - not reproduced
Setting     24 ReLU networks of 30 neurons, standard initialization, fitted to $\sin(2x)$ at 4 points of [-1, 1], inputs
            $(x, 1)$, $\eta \lambda_{\max}(K_0) = 1/2$ for the tangent kernel $K_0$ of the start. $L = \frac{1}{2n}
            \sum_i (f(x_i) - y_i)^2$; the sharpness $S$ is the largest eigenvalue of its Hessian at a minimum. Of C7:
            one sample and $f = uv$, with minima $uv = y$, of sharpness $u^2 + v^2$
Corrected   (C6) In linear regression all minima are equally sharp, so that none is flatter than another.
            (C7) For $f = uv$, $y = 1$, from (2, 0) with $\eta = 1/4$, gradient descent ends at $S = 17/4$, sharper than
            both minima on the integers.
Idea        Sharpness weighs the split of a product between its factors, which the function does not know: the same
            functions, in other weights, are flatter or sharper than gradient descent (large, balanced)
Tolerance   Measured: the share of seeds, with the interval of Clopper and Pearson at 95 %, judged against 1/2.
            Witnesses are rational
Chance      A share of one half is called reproduced with probability 2.5 % at most. Laws and rule come from seeds 4000
            to 4023, 5000 to 5023 and 6000; the seeds that decide, 7000 to 7023 and 8000 to 8023, were fixed before any
            of them was run
Findings    The readings clash, between networks that are the same functions. Measured: gradient descent is flatter in
            11 of 24 runs, read as large in 24, read as balanced in 0
Expected    inconclusive
"""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import strategies as st
from numpy.linalg import norm

from fixtures.dynamics.factored_descent import product_step
from fixtures.precision import factorization, rounding
from fixtures.problems.batches import given_batches
from fixtures.problems.regression import regressions
from properties.certificates import assert_at_most, assert_identical, assert_violates, record_series
from properties.search import smallest_violation
from theorems.ledger import corrected, measured, observed
from theorems.section_06_beyond_lazy_training.rises import rise_rounding
from theorems.section_06_beyond_lazy_training.section_6_3_flat_minima.product_loss import sharpness_of_product
from theorems.section_06_beyond_lazy_training.section_6_3_flat_minima.scalar_regression import (
    X,
    Y,
    Z,
    flatter_and_better,
    record_share,
    scalar_regression,
    sharpness_of_network,
)


@corrected("C7")
def test_gradient_descent_ends_sharper_than_a_random_search_on_the_integers():
    # given  f = uv, y = 1: a random search of the integers can only find (1, 1) and (-1, -1), both of sharpness 2
    u, v, eta = Fraction(2), Fraction(0), Fraction(1, 4)
    # when   one step of gradient descent with eta < 2/S, which ends in a minimum
    u, v = product_step(u, v, 1, eta)
    assert_identical(u * v, 1, why="gradient descent has fitted the sample")
    assert_at_most(sharpness_of_product(u, v), 2 / eta, why="S <= 2/eta")
    # then
    found = sharpness_of_product(u, v)
    assert_violates(found, 2, reads="sharpness {value} > {limit} of the search", start=[2, 0], y=1, eta=eta)


@corrected("C7")
def test_hypothesis_finds_a_random_minimum_flatter_than_that_of_gradient_descent():
    # given  a start (u, 0), the step 1/u^2 that fits y = pq in one step, and the integer minimum (p, q)
    def sides(instance):
        u, p, q = instance
        trained = product_step(Fraction(u), Fraction(0), p * q, Fraction(1, u * u))
        assert_identical(trained[0] * trained[1], p * q, why="one step fits the sample")
        return sharpness_of_product(*trained), Fraction(p * p + q * q)

    found = smallest_violation(
        st.tuples(*[st.integers(1, 6)] * 3), lambda instance: sides(instance)[0] > sides(instance)[1]
    )
    ours, theirs = sides(found)
    assert_violates(ours, theirs, reads="sharpness {value} > {limit} of a random minimum", u=found[0], pq=found[1:])


@corrected("C6")
@given_batches(problem=regressions())
def test_in_a_linear_model_no_minimum_is_flatter_than_another(problem):
    # given  the least interpolant and a random one, off it by the null part of w0; L is sampled around both
    w = np.matvec(problem.V, problem.divide_by_s(problem.modes(problem.y)))
    other, top = w + problem.in_null_space(problem.w0), problem.V[..., 0]
    rise = [((np.matvec(problem.X, at + top) - problem.y) ** 2).sum(-1) / (2 * problem.rows) for at in (w, other)]
    apart = norm(problem.in_null_space(problem.w0), axis=-1)
    slack = rounding(2 * problem.columns + 2, norm(w, axis=-1) + apart)  # two norms, a sum and a difference
    assert_at_most(apart, norm(other - w, axis=-1) + slack, why="two minima, where there are two", instance=problem)
    # then   S/2 = s_1^2/(2n) is the rise along the top eigenvector, from both
    error, slack = np.abs(np.array(rise) - problem.sigma_max**2 / problem.rows / 2).max(0), rise_rounding(problem, w)
    assert_at_most(error, slack, why="sharpness of two minima", instance=problem)


@observed
def test_the_random_networks_interpolate_and_are_one_function_in_three_scales_and_descent_fits():
    networks = scalar_regression()
    random, others = networks["random"], [networks[name] for name in ("large", "balanced")]
    # then   up to the rounding of a prediction, inner products of 2 and 30 entries, and of the least-squares fit
    size = norm(random.W, axis=(-2, -1)) * norm(random.a, axis=-1) * norm(X)
    slack = rounding(2 + 30 + factorization(len(X), 30), size)
    assert_at_most(np.abs(random.predict(X) - Y).max(-1), slack, why="the fit")
    errors = [np.abs(net.predict(Z) - random.predict(Z)).max(-1) for net in others]
    assert_at_most(np.max(errors, axis=0), slack, why="one function")
    S = {name: np.round(sharpness_of_network(net, X), 3) for name, net in networks.items() if name != "start"}
    record_series("sharpness of the networks, by seed", seed=np.arange(len(S["trained"])), **S)
    assert_at_most(S["balanced"], S["trained"], why="the sharpness of balanced networks, seed by seed")
    assert_at_most(S["trained"], S["large"], why="the sharpness of gradient descent, seed by seed")
    # and    gradient descent fits to a thousandth of |Y|
    assert_at_most(norm(networks["trained"].predict(X) - Y, axis=-1), norm(Y) / 1000, why="the fit of descent")


@measured
@pytest.mark.fast
def test_gradient_descent_is_flatter_than_random_networks_of_the_law_of_its_start():
    record_share(flatter_and_better("random")[0], "gradient descent is flatter than a random network")


@measured(reading="large")
@pytest.mark.fast
def test_gradient_descent_is_flatter_than_random_networks_with_ten_times_the_hidden_weights():
    record_share(flatter_and_better("large")[0], "gradient descent is flatter than a random network of large weights")


@measured(reading="balanced")
@pytest.mark.fast
def test_gradient_descent_is_flatter_than_random_networks_of_balanced_neurons():
    record_share(flatter_and_better("balanced")[0], "gradient descent is flatter than a random balanced network")
