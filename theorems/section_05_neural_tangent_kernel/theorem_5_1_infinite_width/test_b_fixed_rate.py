r"""Theorem 5.1 (b) - descent at one rate for all widths.

Readings    [fixed rate] training is descent, as in Section 2.2, at one rate for all widths - refuted
Setting     One hidden layer of $m$ neurons, $f(x) = \sum_j a_j s(w_j \cdot x)$, as in Section 2.1: nothing is divided
            by a power of $m$. The inputs have 2 entries, so the variances of the weights are $2/2 = 1$ and $2/m$, and
            all weights are trained. Loss $\frac12 \|r\|^2$ with $r = f(X) - y$. $J$ is the Jacobian of $f(X)$,
            $K = J J^\top$ of order $m$, $s_0$ the least singular value of $J_0$, and $d$ the distance of the weights
            from their start. $\mathrm{Lip}$ bounds $\|J - J_0\|/d$ up to this $d$.
Hypotheses  (H1) NTK parameterization: weights of order 1, and every layer but the first is divided by the root of the
            number of its inputs.
            (H2) The neurons are independent.
            (H3) $0 < \eta \|K_0\| \le \frac13$; the flow is the limit $\eta \to 0$.
            (H4) The activation is smooth, and the network is wide for its data: $8\, \mathrm{Lip}\, \|r_0\| \le s_0^2$,
            where $\mathrm{Lip}$ is taken for $d$ up to $4 \|r_0\|/s_0$. Where $W$ alone is trained in a ReLU network,
            H1 and H2 take the place of H4.
Idea        One step on one sample $x = e_1$ from $f_0 = 0$ takes $(a, w \cdot x)$ to
            $(a + \eta y\, w \cdot x,\ w \cdot x + \eta y a)$. This multiplies $K$ by $1 + (\eta y)^2$, whatever the
            width.
Tolerance   Witnesses are rational.
Findings    Observed with frozen seeds at $\eta = \frac{1}{10}$: a tanh network of width 1024 overflows. In ten ReLU
            networks of width 8192 no neuron is active on the data after twenty steps, so that $f$ and $K$ are zero
            there.
"""

from fractions import Fraction
from itertools import islice

import numpy as np
import pytest
from hypothesis import strategies as st
from numpy.linalg import norm

from fixtures.dynamics.paths import NonFiniteLossError
from fixtures.dynamics.two_layer import fit, network_path
from fixtures.models.two_layer import two_layer
from fixtures.rational import fractions
from properties.certificates import assert_at_most, assert_identical, assert_keeps, assert_violates
from properties.lazy_training import lazy_radius
from properties.search import smallest_violation
from theorems.ledger import counterexample, necessity, observed
from theorems.section_05_neural_tangent_kernel.theorem_5_1_infinite_width.networks import (
    POINTS,
    SMOOTH,
    paper_network,
)


@counterexample(reading="fixed rate")
def test_at_a_fixed_rate_the_kernel_of_the_papers_own_network_changes_by_a_quarter_in_one_step_at_every_width():
    r"""ReLU, $x = e_1$, $y = 2$, $\eta = 1/4$, weights $w_{j1} = \pm 1$, $a_j = \pm\sqrt{2/m}$, $f_0 = \sum a_j w_{j1}
    = 0$ over the active neurons. A step takes $(a_j, w_{j1})$ to $(a_j + w_{j1}/2, w_{j1} + a_j/2)$ and $K = \sum
    (a_j^2 + w_{j1}^2)$ to $(1 + 1/4) K + 2 f_0 = 5K/4$: it has changed by $1/4$ of itself, at every $m$."""
    x, y, eta, starts = fractions([[1, 0]]), fractions([2]), Fraction(1, 4), [paper_network(k) for k in range(4)]
    # when
    ends = [net.descend(x, y, eta) for net in starts]
    # then
    changes = [(end.kernel(x) / net.kernel(x))[0, 0] - 1 for net, end in zip(starts, ends, strict=True)]
    assert_identical(changes, [(eta * y[0]) ** 2] * 4, why="relative change of K, widths 8 to 512")
    reads = "relative change of K in one step {value} at every width > {limit} if it stays constant"
    assert_violates(changes[-1], 0, reads=reads, x=[1, 0], y=2, eta=eta, m=512)


@counterexample(reading="fixed rate")
def test_a_search_finds_a_target_for_which_the_kernel_change_does_not_shrink_with_the_width():
    def persists(instance):
        exponent, y = instance
        x, eta, starts = fractions([[1, 0]]), Fraction(1, 4), map(paper_network, (exponent, exponent + 1))
        grown = [(net.descend(x, fractions([y]), eta).kernel(x) / net.kernel(x))[0, 0] for net in starts]
        return min(grown) > Fraction(11, 10) and grown[1] >= grown[0]

    found = smallest_violation(st.tuples(st.integers(0, 2), st.integers(-4, 4)), persists, budget=60)
    assert_identical(found, (0, 2), why="y = 2 at widths 8 and 32: the smallest with (y/4)^2 > 1/10")


@necessity("H3")
def test_without_H3_a_rate_that_trains_a_narrow_network_makes_a_wide_one_overflow():
    # given  the standard network, tanh, eta = 1/10, where |K_0| is near 0.6 m
    X, y = POINTS[:2], np.array([0.5, -0.5])
    narrow, wide = (two_layer("standard", m, 2, 7, **SMOOTH) for m in (8, 1024))
    assert_keeps(H4=lazy_radius(wide, X, y, "both").laziness <= 1)
    # then   the narrow network learns. The run of the wide one overflows, and its error names the instance and the step
    end = fit(narrow, X, y, 0.1, loss=1e-6, budget=2000)
    assert_at_most(0.5 * norm(end.predict(X) - y) ** 2, 1e-6, why="loss at width 8")
    with pytest.raises(NonFiniteLossError, match=r"instance 0 has misfit (inf|nan) after \d+ steps"):
        fit(wide, X, y, 0.1, loss=1e-6, budget=2000)


@observed
def test_a_fixed_rate_kills_wide_relu_networks_of_the_paper_and_their_kernels_with_them():
    # given  the standard network, ReLU, eta = 1/10; ten frozen seeds at width 8192
    X, y = POINTS[:2], np.array([0.5, -0.5])
    start = two_layer("standard", np.repeat(8192, 10), 2, np.arange(10))
    *_, end = islice(network_path(start, X, y, 0.1), 21)
    # then   no neuron is active on the data: f = 0 and J = 0 exactly, so no later step moves a weight
    assert_identical(end.predict(X), np.zeros((10, 2)), why="values after twenty steps")
    assert_identical(end.kernel(X), np.zeros((10, 2, 2)), why="kernel after twenty steps")
