r"""Theorem 3.3 - data on which the expected risk exceeds the printed bound.

Printed     $y_i = w_*^\top x_i + \epsilon_i$ with $\|w_*\|_2 \le B$ and independent $\epsilon_i \sim N(0, \sigma^2)$
            implies $E[R(w^*)] \le \|w_*\|_2^2\, E[\|x\|_2^2]\, \operatorname{tr}(X X^\top)^{-1} / n + \sigma^2$
Setting     $\hat w = X^+ y$ is the $w^*$ of the print, with the pseudo-inverse $X^+$ of $X$;
            $\operatorname{rank} X = n$; $\Sigma = E[x x^\top]$; risk $R(w) = (w - w_*)^\top\Sigma(w - w_*) + \sigma^2$,
            or half of it; (A) is the printed bound with the trace of the inverse,
            $\|w_*\|_2^2\, E[\|x\|_2^2]\, \operatorname{tr}((X X^\top)^{-1}) / n + \sigma^2$; (B) has
            $1/\operatorname{tr}(X X^\top)$ in place of $\operatorname{tr}((X X^\top)^{-1})$
Reading     In each respect the most favourable to the print. The trace is $\operatorname{tr}((X X^\top)^{-1})$ and not
            $1/\operatorname{tr}(X X^\top)$, which is less. The loss has the factor $\frac12$ of Section 2.1, which
            halves the left side. The expectation, on both sides, is over the rows of $X$ too, and each row is an
            independent copy of $x$. Where this form is violated, every other form is violated for some $X$.
Readings    [given the design] the expectation is over the noise alone, and the bound holds for every $X$ of rank $n$:
            the right side of the print contains $X$ and not its expectation - refuted
Differs     The corrected bound has a variance term. Its bias term has other units, so that both sides scale alike when
            $x$ is measured in other units.
Idea        The print has no variance term. With $w_* = 0$ and $\sigma > 0$, every $X$ with $\Sigma X^+ \ne 0$ violates
            it (if the loss has the factor $\frac12$: every $X$ whose variance exceeds the noise). The printed bias term
            has the wrong dimension: $x \to cx$, $w_* \to w_*/c$ does not change the risk, but divides the first term of
            the bound by $c^2$. Since $\operatorname{tr}(G^{-1}) \ge n^2/\operatorname{tr}(G)$ for $G = X X^\top$, the
            first term of (B) is at most that of (A) over $n^2$.
Tolerance   The counterexamples are rational, so there is no tolerance.
Expected    refuted
"""

from fractions import Fraction

from hypothesis import strategies as st

from fixtures.rational import fractions, inverse
from properties.certificates import assert_violates
from properties.search import smallest_violation
from theorems.ledger import counterexample
from theorems.section_03_linear_models.theorem_3_3_generalization_bound.risk import (
    expected_risk,
    mean_printed_bound,
    mean_risk,
    printed_bound,
)


def half_risk_and_bound_on_axes(lengths, w_star, variance):
    """Means of half the risk and of (A) for one sample, x uniform on +-a_1 e_1, ..., +-a_p e_p; exact."""
    p = len(lengths)
    designs = [fractions([[length if j == i else 0 for j in range(p)]]) for i, length in enumerate(lengths)]
    Sigma, w_star = sum(X.T @ X for X in designs) / Fraction(p), fractions(w_star)
    risk = sum(expected_risk(X, w_star, Sigma, variance, inverse) for X in designs) / p
    return risk / 2, sum(printed_bound(X, w_star, Sigma, variance, inverse) for X in designs) / p


@counterexample
def test_without_noise_a_change_of_units_breaks_the_print_on_average():
    r"""$n = 1$, $x$ uniform on $\pm 3 e_1$, $\pm 3 e_2$, $w_* = \frac13 e_2$, $\sigma = 0$, $\Sigma = \frac92 I$. The
    risk is $\frac92 \cdot \frac19$ if $x = \pm 3 e_1$, as $\hat w = 0$, and else $0$: half of its mean is $\frac18$.
    The bound is $\|w_*\|^2 E[\|x\|^2] / (X X^\top) = \frac19 \cdot \frac99 = \frac19$. Small $\sigma$ change little."""
    half_risk, bound = half_risk_and_bound_on_axes([3, 3], [0, "1/3"], 0)
    reads = "mean half risk {value} > mean bound {limit}"
    assert_violates(half_risk, bound, reads=reads, n=1, x="+-3e_1, +-3e_2", w_star="(0, 1/3)", sigma=0)


@counterexample
def test_gaussian_designs_violate_the_print_on_average():
    # given  w_* = 0, x ~ N(0, I), n = 2, p = 4
    n, p = 2, 4
    half_risk, bound = mean_risk(n, p, 0, 1) / 2, mean_printed_bound(n, p, 0, 1)
    assert_violates(half_risk, bound, reads="mean half risk {value} > bound {limit}", n=n, p=p, x="N(0, I)", w_star=0)


@counterexample
def test_hypothesis_finds_a_violation_on_average_by_itself():
    # given  integer lengths of two axes, an integer w_*, the variance 0 or 1; nothing aims at a counterexample
    pairs = st.tuples(st.integers(-4, 4), st.integers(-4, 4))
    instances = st.tuples(st.tuples(st.integers(1, 4), st.integers(1, 4)), pairs, st.integers(0, 1))

    def is_violated(instance):
        half_risk, bound = half_risk_and_bound_on_axes(*instance)
        return half_risk > bound

    lengths, w_star, variance = smallest_violation(instances, is_violated)
    half_risk, bound = half_risk_and_bound_on_axes(lengths, w_star, variance)
    reads = "mean half risk {value} > mean bound {limit}"
    assert_violates(half_risk, bound, reads=reads, lengths=lengths, w_star=w_star, variance=variance)


@counterexample(reading="given the design")
def test_pure_noise_costs_more_than_the_print_allows():
    r"""$X = (\frac12, 0)$, $w_* = 0$, $\Sigma = I$, $\sigma = 1$: $\hat w = 2 \epsilon e_1$ has the mean risk $4 + 1$,
    and half of it is $\frac52$. The printed bound is $0 + \sigma^2 = 1$."""
    X, w_star, Sigma = fractions([["1/2", 0]]), fractions([0, 0]), fractions([[1, 0], [0, 1]])
    half_risk, bound = expected_risk(X, w_star, Sigma, 1, inverse) / 2, printed_bound(X, w_star, Sigma, 1, inverse)
    assert_violates(half_risk, bound, reads="half risk {value} > {limit}", n=1, p=2, X=X, w_star=0, Sigma="I", sigma=1)


@counterexample(reading="given the design")
def test_hypothesis_finds_a_design_that_violates_the_print():
    # given  one row of integers, an integer w_*, the variance 0 or 1, Sigma = I
    row = st.tuples(st.integers(0, 4), st.integers(0, 4)).filter(any)
    instances = st.tuples(row, st.tuples(st.integers(-4, 4), st.integers(-4, 4)), st.integers(0, 1))

    def excess(instance):
        arguments = fractions([instance[0]]), fractions(instance[1]), fractions([[1, 0], [0, 1]]), instance[2], inverse
        return expected_risk(*arguments) / 2 - printed_bound(*arguments)

    found = smallest_violation(instances, lambda instance: excess(instance) > 0)
    assert_violates(excess(found), 0, reads="half risk less bound {value} > {limit}", x=found[0], w_star=found[1])
