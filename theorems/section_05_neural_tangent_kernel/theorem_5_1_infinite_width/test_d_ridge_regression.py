r"""Theorem 5.1 (d) - identical to kernel ridge regression.

Printed     (Theorem 5.1, last sentence) The evolution is "identical" to kernel ridge regression with $K$
Reading     Ridge regression is that of Section 5.2, in the limit $\lambda \to 0^+$. So training is followed to its end,
            and the two limits are compared.
Readings    [every time] "identical" is said of the evolution, so each time $t$ has a $\lambda > 0$ of its own - refuted
Setting     The network is linearized at its start, all weights are trained by the flow or by descent with
            $\eta \|K_0\| < 2$, and the loss is $\frac12 \sum_i (f(x_i) - y_i)^2$. $K = K_0$ is the kernel of the start
            and $k_x = K(x, X)$. Ridge regression predicts $k_x (K + \lambda I)^{-1} y$.
Hypotheses  (H5) $f_0 = 0$.
Idea        From $f_0 = 0$, descent and ridge both fit every mode $w > 0$ of $K$ in the limit. They do so at rates that
            no common $\lambda$ matches at a finite time. From another start the network keeps a part of $f_0$, and
            ridge regression knows no start.
Tolerance   Witnesses are rational, and exponentials are enclosed. Elsewhere the rate of ridge,
            $\lambda/(w_1 + \lambda)$ for the least eigenvalue $w_1$, and the rounding of a solve with $K$.
Findings    The print does not mention $f_0$. A random network has one at every width.
Expected    holds under added hypotheses
"""

import dataclasses
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import strategies as st
from numpy.linalg import norm

from fixtures.kernels.regression import interpolant_coefficients, ridge_coefficients
from fixtures.models.exact_relu import ExactReluNetwork, signed_network
from fixtures.precision import factorization, rounding
from fixtures.problems.batches import given_batches
from fixtures.rational import exponential_of_minus, fractions
from properties.certificates import assert_at_most, assert_identical, assert_violates
from properties.oracles import nearest_interpolant
from properties.search import smallest_violation
from theorems.ledger import counterexample, necessity, under_hypotheses
from theorems.section_05_neural_tangent_kernel.theorem_5_1_infinite_width.networks import drawn_network
from theorems.section_05_neural_tangent_kernel.wide_networks.network_inputs import trainings


@counterexample
def test_with_targets_zero_the_network_predicts_what_it_started_with_and_ridge_predicts_zero():
    r"""ReLU neurons $e_1$ and $e_2$, $a = (1, 1)$, one sample $x_1 = (2, -1)$, $y_1 = 0$: $f_0(x_1) = 2$,
    $K = \|x_1\|^2 + 2^2 = 9$. At $x = (1, 1)$: $f_0(x) = 2$, $k_x = 1 + 2 = 3$. Training ends at
    $f_0(x) - (k_x/K) f_0(x_1) = 2 - (3/9) \cdot 2 = 4/3$. Ridge predicts $k_x (K + \lambda)^{-1} y_1 = 0$."""
    net = ExactReluNetwork(fractions([[1, 0], [0, 1]]), fractions([1, 1]), Fraction(1))
    X, x = fractions([[2, -1]]), fractions([[1, 1]])
    K, k, f_0 = net.kernel(X)[0, 0], net.kernel(x, X)[0, 0], net.predict(X)[0]
    # when   the linearized network takes one step of eta = 1/K; then the sample is fitted, and descent ends
    theta = -f_0 / K * net.jacobian(X)[0]
    assert_identical(f_0 + net.jacobian(X)[0] @ theta, 0, why="the sample is fitted")
    limit = (net.predict(x) + net.jacobian(x) @ theta)[0]
    # then
    assert_identical(limit, net.predict(x)[0] - k / K * f_0, why="the offset")
    assert_violates(limit, 0, reads="prediction {value} > ridge's {limit}", X=[[2, -1]], y=0, x=[1, 1], w="e_1, e_2")


@counterexample(reading="every time")
def test_from_zero_no_penalty_gives_the_fit_at_time_one_of_two_modes():
    r"""$K = \operatorname{diag}(1, 4)$, $y = (1, 1)$, $t = 1$: the flow fits $1 - e^{-1} = 0.632$ and $1 - e^{-4} =
    0.982$, ridge $1/(1 + \lambda)$ and $4/(4 + \lambda)$. Up to $\lambda = 0.4133$ it fits at least $0.7075$ of the
    first, then at most $0.9064$ of the second. So one of them is off by more than $3/40$ at every $\lambda$."""
    fits = [(1 - high, 1 - low) for low, high in (exponential_of_minus(1), exponential_of_minus(4))]
    middle = Fraction(4133, 10000)
    # then   the fit of ridge falls with lambda: below `middle` the first is too large, above it the second too small
    too_large, too_small = 1 / (1 + middle) - fits[0][1], fits[1][0] - 4 / (4 + middle)
    reads = "worst mode of ridge is off by at least {value} > {limit} at every lambda"
    assert_violates(min(too_large, too_small), Fraction(3, 40), reads=reads, K="diag(1, 4)", t=1)


@counterexample(reading="every time")
def test_a_search_finds_two_eigenvalues_without_a_common_penalty():
    # given  eigenvalues and a time. Descent with h = 1/5 fits the share q = 1 - (1 - h k)^t of eigenvalue k, and ridge
    #        fits the same share for lambda = k (1 - q)/q
    def disagree(instance):
        eigenvalues, t = instance
        left = [(1 - Fraction(k, 5)) ** t for k in eigenvalues]
        return len({k * rest / (1 - rest) for k, rest in zip(eigenvalues, left, strict=True)}) > 1

    spectra = st.lists(st.integers(1, 4), min_size=1, max_size=3).map(tuple)
    found = smallest_violation(st.tuples(spectra, st.integers(1, 3)), disagree, budget=200)
    assert_identical(sorted(found[0]), [1, 2], why="the smallest spectrum without a penalty")


@counterexample
def test_a_search_finds_a_start_that_ridge_does_not_know():
    # given  one neuron w with a = 1, trained at e_1 for y = 0. At e_2 its linearization ends at f_0(e_2) - k/K f_0(e_1)
    def remembered(w):
        net, X, x = ExactReluNetwork(fractions([list(w)]), fractions([1]), Fraction(1)), [[1, 0]], [[0, 1]]
        K, k = net.kernel(fractions(X))[0, 0], net.kernel(fractions(x), fractions(X))[0, 0]
        return K and net.predict(fractions(x))[0] != k / K * net.predict(fractions(X))[0]

    found = smallest_violation(st.tuples(st.integers(-2, 2), st.integers(-2, 2)), remembered, budget=60)
    assert_identical(found, (1, 1), why="the smallest neuron that is active at both")


@under_hypotheses("H5")
@given_batches(problem=trainings(log_widths=range(5, 8)))
def test_from_zero_training_ends_at_the_limit_of_ridge_beside_the_inputs_too(problem):
    # given  ReLU, both layers trained; neurons in opposite pairs, so f_0 = 0; lambda = w_1/10^(t mod 7)
    start, X, Z, y = drawn_network(problem, "relu", antisymmetric=True), problem.X, problem.Z, problem.y
    J, K, k = start.jacobian(X), problem.gram(lambda inputs: start.kernel(inputs)), start.kernel(Z, X)
    w = np.linalg.eigvalsh(K)
    penalty = w[:, 0] * 10.0 ** -(problem.t % 7)
    # when   LAPACK finds the end of descent: the interpolant whose weights are nearest to theta_0
    end = np.matvec(start.jacobian(Z), nearest_interpolant(J, y, np.zeros((len(J), J.shape[-1]))))
    ridge = np.matvec(k, ridge_coefficients(K, y, penalty / K.shape[-1]))
    # then   |f_lambda - f*|_H <= lambda/(w_1 + lambda) |f*|_H, and |f(z)| <= |J(z)| |f|_H
    reach, length = norm(start.jacobian(Z), axis=(-2, -1)), np.sqrt(np.vecdot(interpolant_coefficients(K, y), y))
    # rounding: J is decomposed on one side; on the other K sums over p weights and is solved
    p, n = J.shape[-1], K.shape[-1]
    units = rounding(p + factorization(p, n) + factorization(n, n), (w[:, -1] / w[:, 0]) ** 1.5)
    bound = reach * (penalty / (w[:, 0] + penalty) * length + units * norm(y, axis=-1) / np.sqrt(w[:, 0]))
    assert_at_most(norm(end - ridge, axis=-1), bound, why="end of training against ridge", instance=problem)


@necessity("H5")
@pytest.mark.parametrize("k", [2, 3, 4])
def test_without_H5_the_value_opposite_the_only_input_stays_at_every_width(k):
    # given  the network of width 4^k with weights +-1, scaled by 2^-k. 2^(k-1) output weights of neurons that are
    #        active at -e_1 get the other sign, as many as are typical for random signs, so that f_0(-e_1) = 1
    net, x = signed_network(4**k, Fraction(1, 2**k), Fraction(1)), fractions([[1, 0]])
    flipped = np.flatnonzero((net.W[:, 0] < 0) & (net.a < 0))[: 2 ** (k - 1)]
    net = dataclasses.replace(net, a=np.where(np.isin(np.arange(4**k), flipped), -net.a, net.a))
    # then   no neuron is active at both e_1 and -e_1. So training at e_1 does not move the value at -e_1, nor does
    #        ridge
    assert_identical(net.kernel(x, -x), [[0]], why="K_0(x, -x)")
    assert_identical(net.predict(-x), [1], why="f_0(-x), which training keeps; ridge predicts 0")
