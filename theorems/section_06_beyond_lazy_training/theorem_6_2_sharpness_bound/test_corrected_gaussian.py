r"""Theorem 6.2 - Gaussian neighborhoods of a minimum: the trace of the Hessian, and the distance from the prior.

Setting     $L(\theta) = \frac{1}{2n} \sum_i (f(x_i; \theta) - y_i)^2$ with $d$ parameters, $H$ its Hessian, $S$ the
            largest eigenvalue of $H$. C1 is the PAC-Bayes bound $E_q R \le E_q L + \sqrt{(\mathrm{KL}(q \| p) +
            \ln(2\sqrt{n}/\delta))/(2n)}$ for losses in [0, 1], with the posterior $q$ and the prior $p$
Corrected   (C3) For a model linear in $\theta$ and $q = N(\theta, s^2 I)$, $E_q L = L(\theta) + s^2
            \operatorname{tr}(H)/2 \le L(\theta) + s^2 \min(n, d) S/2$; for the loss clipped at 1 this is an upper
            bound.
            (C4) With $p = N(\theta_0, s^2 I)$, where $\mathrm{KL} = \|\theta - \theta_0\|^2/(2 s^2)$: for 16 samples of
            two atoms with random labels, $\delta = 0.5$ or $0.05$ and $s = 0.25$ or $0.3$, C1 and C3 hold at the
            minimum on every sample, and without the divergence they do not.
            (C5) $L$, $s^2 \operatorname{tr}(H)$ and $\mathrm{KL}$ do not change with $x \to c x$,
            $\theta \to \theta/c$, $s \to s/c$, and $S$ does.
Idea        The bound is not about $\theta$ but about its Gaussian neighborhood. It pays for the distance from the prior
            in units of $s$, and this ratio does not depend on the units of $\theta$
Tolerance   Rational where the model is linear. Gaussian means of the clipped loss have a closed form, in floats; the
            comment says to what precision
"""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures.precision import factorization, rounding
from fixtures.rational import fractions
from properties.certificates import assert_at_most, assert_identical, record_series
from theorems.ledger import corrected, observed
from theorems.section_06_beyond_lazy_training.information.finite_learning import compositions
from theorems.section_06_beyond_lazy_training.information.pac_bayes import (
    CLIPPED_ROUNDINGS,
    clipped_gaussian_loss,
    complexity,
    divergence_of_shift,
    gaussian_bound,
)
from theorems.section_06_beyond_lazy_training.theorem_6_2_sharpness_bound.bounds import positive
from theorems.section_06_beyond_lazy_training.theorem_6_2_sharpness_bound.witnesses import atoms, half_square, mean_loss


@corrected("C3")
@given(
    X=st.lists(st.lists(st.integers(-3, 3), min_size=3, max_size=3), min_size=1, max_size=4),
    theta=st.lists(st.integers(-3, 3), min_size=3, max_size=3),
    s=positive,
)
def test_noise_in_the_weights_costs_half_the_trace_of_the_hessian(X, theta, s):
    # given  a linear model; E over u ~ N(0, s^2 I) of a quadratic is exact by the points +-s e_i
    X, theta, y = fractions(X), fractions(theta), fractions([1, -2, 0, 3])[: len(X)]

    def loss(theta):
        return half_square(X @ theta, y).sum() / len(X)

    steps = s * fractions(np.eye(3, dtype=int))
    noisy = loss(theta) + sum(loss(theta + u) + loss(theta - u) - 2 * loss(theta) for u in steps) / 2
    # then
    H = X.T @ X / Fraction(len(X))
    assert_identical(noisy, loss(theta) + s**2 * np.trace(H) / 2, why="E L(theta + u)")
    # and    the trace is at most min(n, d) times the sharpness, by LAPACK up to rounding
    S, trace = np.linalg.eigvalsh(H.astype(float))[-1], float(np.trace(H))
    slack = rounding(factorization(3), min(X.shape) * trace)
    assert_at_most(trace, min(X.shape) * S + slack, why="tr H <= min(n, d) S")


def noisy_atoms(n, s, delta):
    """All samples of two equally likely atoms e_1, e_2 with fair labels -1 or 1, and the minimum w from zero on each.

    Returns the probability of each kind of sample, the risk and the training loss, both clipped, of N(w, s^2 I), the
    bound, and the bound without the divergence: all (D,).
    """
    labels = np.array([-1, 1])
    counts = compositions(n, 4).reshape(-1, 2, 2)
    ways = np.array([math.factorial(n) // math.prod(map(math.factorial, row.flat)) for row in counts], dtype=object)
    w = counts @ labels / np.maximum(counts.sum(axis=2), 1)
    losses = np.stack([clipped_gaussian_loss(w - y, s) for y in labels], axis=2)
    risk, loss = losses.mean(axis=(1, 2)), (counts * losses).sum(axis=(1, 2)) / n
    training_loss = (counts * half_square(w[:, :, None], labels)).sum(axis=(1, 2)) / n
    divergence = (w**2).sum(axis=1) / (2 * s**2)
    bounds = [gaussian_bound(training_loss, 1, part, s, n, delta) for part in (divergence, 0 * divergence)]
    return (ways / 4**n).astype(float), risk, loss, *bounds


@corrected("C3", "C4")
@pytest.mark.parametrize("s", [0.25, 0.3])
@pytest.mark.parametrize("delta", [0.5, 0.05])
def test_the_gaussian_bound_covers_what_gradient_descent_finds_under_label_noise_by_its_divergence(s, delta):
    # given  16 samples, 969 kinds of them, tr H = 1 on each
    chances, risk, loss, bound, without = noisy_atoms(16, s, delta)
    # then   up to the rounding of a closed form, where |w - y| <= 2, of means of four and of a bound: on every sample,
    #        more than is promised
    slack = rounding(CLIPPED_ROUNDINGS + 4 + 12, 1 + 4 + s**2)
    assert_at_most(risk, bound + slack, why="risk at the minimum, on every sample")
    # and    where both atoms show one label only, the divergence is what saves it
    worst = int(np.argmax(risk - without))
    assert_at_most(without[worst] + slack, risk[worst], why="the bound without the divergence fails")
    # and    the training loss of the neighborhood is at most L + s^2 tr(H)/2, which the bound exceeds by the complexity
    assert_at_most(loss + complexity(0, 16, delta), without + slack, why="noisy training loss")
    # and    the bound is not idle: it is below the largest loss on 95 samples out of a hundred
    assert_at_most(chances[bound >= 1].sum(), 0.05, why="chance of a bound that says nothing")


@observed
def test_the_divergence_is_what_keeps_the_bound_above_the_risk():
    # given  s = 3/10 and delta = 1/2; risk and bounds do not change when atoms or labels are exchanged
    _, risk, loss, bound, without = noisy_atoms(16, 0.3, 0.5)
    kinds = np.unique(np.round([loss, risk, bound, without], 3), axis=1)
    names = ("loss", "risk", "bound", "without")
    record_series("risk and bounds on every sample", **dict(zip(names, kinds, strict=True)))
    # then
    assert_at_most(risk, bound, why="risk, and the bound")
    assert_at_most(1, (without < risk).sum(), why="kinds of samples on which the bound fails without the divergence")


@corrected("C5")
@pytest.mark.parametrize("c", [Fraction(1, 10), Fraction(7, 3), Fraction(100)], ids=str)
def test_the_corrected_bound_is_invariant_under_a_change_of_scale_and_the_print_is_not(c):
    # given  10 samples of 20 atoms, 8 of them distinct, and s = 3/10 in units of theta; x -> cx, theta -> theta/c
    sample, s, w = atoms(20, 1)[[0, 0, 0, 1, 2, 3, 4, 5, 6, 7]], Fraction(3, 10), fractions([1] * 8 + [0] * 12)

    def terms(X, w, s):
        H = X.T @ X / len(X)
        return [mean_loss(X, w), s**2 * np.trace(H), divergence_of_shift(w, 0 * w, s)], max(np.diag(H))

    corrected_terms, S = terms(sample, w, s)
    # then
    moved_terms, moved_S = terms(c * sample, w / c, s / c)
    assert_identical(moved_terms, corrected_terms, why="L, s^2 tr H and KL")
    assert_identical(moved_S, c**2 * S, why="the printed S")
