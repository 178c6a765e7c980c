r"""Theorem 6.2 - linear models with short inputs refute the printed bound, for any constant.

Printed     $R(\theta^*) \lesssim L(\theta^*) + \sqrt{S \log(n/\delta)/n}$ at a minimum $\theta^*$ of sharpness $S$
Reading     With probability at least $1 - \delta$ over $n$ independent samples, $R$ is at most $C$ times the right-hand
            side. $C$ is universal: this is what "$\lesssim$" hides. The witnesses have $L = 0$, so it does not matter
            whether $C$ multiplies $L$ as well. They also refute a $C$ that may depend on $n$, $\delta$, the number of
            parameters and the largest loss. A $C$ that may depend on the distribution says nothing
Setting     $L(\theta) = \frac{1}{2n} \sum_i (f(x_i; \theta) - y_i)^2$. $R$ is its mean over a fresh sample. $S$ is the
            largest eigenvalue of the Hessian of $L$. Witnesses: $x$ uniform on $N$ vectors $\epsilon e_i$, $y = 1$,
            $f(x) = w^\top x$. In the corrected bound $q$ is the posterior, $p$ the prior over weights, $\mathrm{KL}$
            their divergence, and $E_q$ the mean over weights drawn from $q$; $H$ is the Hessian of $L$, $d$ the number
            of parameters
Differs     The corrected bound (PAC-Bayes) bounds the risk of a Gaussian neighborhood of $\theta$, not of $\theta$
            itself. It pays for the distance from the prior in units of $s$. No bound by $S$ alone is left
Idea        The witness learns the atoms in its sample and predicts 0 on the others, for every $\epsilon$. $S$ is
            proportional to $\epsilon^2$, and $R$ does not depend on $\epsilon$
Tolerance   Risk, loss, sharpness, gradient descent and probabilities are rational. Logarithms and roots are enclosed
            between decimal fractions; the side taken favors the print. Nothing is sampled: all data sets are enumerated
Findings    With short inputs every sample refutes the print, not only most of them: the failure has probability one,
            against a promised $\delta$
Expected    refuted
"""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures.dynamics.gradient_descent import exact_descent
from fixtures.rational import enclose_log, fractions
from properties.certificates import assert_at_most, assert_identical, assert_violates, record_series
from properties.search import smallest_violation
from theorems.ledger import counterexample, observed
from theorems.section_06_beyond_lazy_training.theorem_6_2_sharpness_bound.bounds import DELTA, positive, printed_bound
from theorems.section_06_beyond_lazy_training.theorem_6_2_sharpness_bound.witnesses import (
    assert_sharpness,
    atoms,
    exact_hessian,
    half_square,
    mean_loss,
)


@counterexample
@pytest.mark.parametrize(("constant", "inverse"), [(1, 100), (14, 100), (10**6, 10**8)])
@pytest.mark.parametrize("drawn", [0, 1])
def test_one_sample_out_of_two_refutes_the_print_whichever_is_drawn(constant, inverse, drawn):
    r"""$x = \epsilon e_1$ or $\epsilon e_2$ with equal chances, $y = 1$, $\epsilon = \frac1{100}$, $n = 1$. The sample
    $\epsilon e_1$ gives $w = 100\, e_1$, $L = 0$, $S = \epsilon^2$; on $\epsilon e_2$ it predicts $0$: $R = \frac14$.
    The printed bound with $\delta = \frac1{20}$, $C = 1$ is $\sqrt{S \ln 20} = \epsilon \sqrt{\ln 20} < 0.0174$."""
    X, epsilon = atoms(2, Fraction(1, inverse)), Fraction(1, inverse)
    sample = X[[drawn]]
    # when   one step of gradient descent from zero with eta = 1/epsilon^2
    w = exact_descent(sample, fractions([1]), fractions([0, 0]), 1 / epsilon**2, 1)[-1]
    # then   a global minimum, of sharpness epsilon^2
    assert_identical(mean_loss(sample, w), 0, why="the sample is fitted")
    assert_sharpness(exact_hessian(lambda v: mean_loss(sample, v), w), epsilon**2)
    bound = printed_bound(0, epsilon**2, 1, constant)
    reads = f"risk {{value}} > bound {{limit}} with C = {constant}"
    assert_violates(mean_loss(X, w), bound, reads=reads, n=1, N=2, epsilon=epsilon, delta=DELTA)
    # and    the computed bound is not too small: with C = 29/(200 epsilon) it holds
    assert_at_most(Fraction(1, 4), printed_bound(0, epsilon**2, 1, Fraction(29, 200) / epsilon), why="a C that holds")


@counterexample
@given(constant=positive, odds=positive, drawn=st.lists(st.integers(0, 7), min_size=1, max_size=4))
def test_for_every_constant_there_is_a_scale_at_which_every_sample_refutes_it(constant, odds, drawn):
    # given  N = 2n, delta = 1/(1 + odds), and epsilon = 1/(4C(1 + l)) with l >= log(n/delta), so that C epsilon
    #        sqrt(l) <= 1/8 by the inequality of the means
    n, delta = len(drawn), 1 / (1 + odds)
    epsilon = 1 / (4 * constant * (1 + enclose_log(n / delta)[1]))
    X = atoms(2 * n, epsilon)
    sample = X[[i % (2 * n) for i in drawn]]
    # when   w fits what was seen and is zero elsewhere: the limit of gradient descent from zero
    w = sample.any(axis=0) / epsilon
    curvatures = (sample**2).sum(axis=0) / n
    # then   the Hessian is diagonal, L = 0, R >= 1/4
    assert_identical(sample.T @ sample / n, np.diag(curvatures), why="Hessian")
    risk = Fraction(2 * n - np.count_nonzero(w), 4 * n)
    assert_identical([mean_loss(sample, w), mean_loss(X, w)], [0, risk], why="L and R")
    bound = printed_bound(0, curvatures.max(), n, constant, delta)
    assert_violates(risk, bound, reads="risk {value} > bound {limit}", C=constant, sample=drawn)
    assert_at_most(bound, Fraction(13, 100), why="bound of 1/8, rounded up")


@pytest.mark.slow
@counterexample
@given(drawn=st.lists(st.integers(0, 5), min_size=1, max_size=3), inverse=st.integers(100, 1000))
def test_gradient_descent_from_zero_approaches_the_refuting_minimum_on_every_sample(drawn, inverse):
    # given  N = 2n, eta = 1/S
    n, epsilon = len(drawn), Fraction(1, inverse)
    X = atoms(2 * n, epsilon)
    sample = X[[i % (2 * n) for i in drawn]]
    counts = (sample**2).sum(axis=0) / epsilon**2
    # when   6 steps in exact arithmetic, with eta/n for a loss without the factor 1/n
    path = exact_descent(sample, fractions([1] * n), fractions([0] * (2 * n)), 1 / (epsilon**2 * counts.max()), 6)
    # then   an atom seen c times is learnt at the rate 1 - c/max c, and one never seen not at all
    rates = (1 - counts / counts.max()) ** np.arange(7)[:, None]
    assert_identical(path, (1 - rates) / epsilon, why="iterates in closed form")
    loss, S = mean_loss(sample, path[-1]), epsilon**2 * counts.max() / n
    bound = printed_bound(loss, S, n)
    assert_violates(mean_loss(X, path[-1]), bound, reads="risk {value} > bound {limit}", sample=drawn)
    # and    the computed bound is the printed one, here with L > 0: the root is enclosed to four digits
    said = float(loss) + np.sqrt(float(S) * np.log(n / float(DELTA)) / n)
    assert_at_most(np.abs(float(bound) - said), 0.001 * said, why="L + sqrt(S log(n/delta)/n)")


@counterexample
@pytest.mark.parametrize(("n", "fails", "holds"), [(10, 651000, 652000), (100, 1803000, 1805000)])
def test_all_samples_of_a_larger_problem_refute_a_constant_of_more_than_half_a_million(n, fails, holds):
    # given  N = 2n and epsilon = 10^-6. A sample with k distinct atoms holds none more than n - k + 1 times
    k, epsilon = fractions(range(1, n + 1)), Fraction(1, 10**6)
    risks, sharpest = (2 * n - k) / (4 * n), epsilon**2 * (n - k + 1) / n
    # then   the print fails for every k; the margin is least at k = 2
    bounds = [printed_bound(0, S, n, fails) for S in sharpest]
    worst = int(np.argmin(risks / bounds))
    reads = f"risk {{value}} > bound {{limit}} with C = {fails}"
    assert_violates(risks[worst], bounds[worst], reads=reads, n=n, N=2 * n, distinct=k[worst], epsilon=epsilon)
    # and    the computed bound is not too small: with a slightly larger C it holds for this k
    assert_at_most(risks[worst], printed_bound(0, sharpest[worst], n, holds), why="a C that holds")


@counterexample
def test_hypothesis_finds_a_violation_by_itself():
    # given  two equally likely atoms, integer grids in sixteenths with labels 0 or 1, of which the first is the sample:
    #        the grid is not made for the counterexample. Losses are clipped at 1/2
    grid = st.tuples(st.integers(0, 32), st.integers(0, 32))
    instances = st.tuples(grid.filter(any), grid, st.integers(0, 1), st.integers(0, 1))

    def risk_and_bound(instance):
        X, y = fractions(instance[:2]) / 16, fractions(instance[2:])
        w = y[0] / (X[0] @ X[0]) * X[0]
        risk = sum(min(loss, Fraction(1, 2)) for loss in half_square(X @ w, y)) / 2
        return risk, printed_bound(0, X[0] @ X[0], 1)

    def violates(instance):
        risk, bound = risk_and_bound(instance)
        return risk > bound

    found = smallest_violation(instances, violates)
    risk, bound = risk_and_bound(found)
    assert_violates(risk, bound, reads="risk {value} > bound {limit}", sixteenths=found[:2], y=found[2:])


@observed
def test_the_shorter_the_inputs_the_smaller_the_printed_bound_and_the_risk_stays():
    # given  10 distinct atoms out of 20, of length epsilon from 1 to 10^-4, and C = 1 and 100
    inverses = [10**k * j for k in range(4) for j in (1, 2, 5)] + [10**4]
    w, bounds = fractions([1] * 10 + [0] * 10), {1: [], 100: []}
    risks = [mean_loss(atoms(20, Fraction(1, k)), k * w) for k in inverses]
    for constant, found in bounds.items():
        found += [printed_bound(0, Fraction(1, 10 * k * k), 10, constant) for k in inverses]
    columns = {"risk": risks, "bound": bounds[1], "times_100": bounds[100]}
    record_series("risk and printed bound against epsilon", epsilon=1 / np.array(inverses), **columns)
    # then
    assert_identical(risks, [Fraction(1, 4)] * len(inverses), why="R")
    assert_at_most([1000 * bounds[1][-1], 10 * bounds[100][-1]], [Fraction(1, 4)] * 2, why="bounds at 10^-4")
