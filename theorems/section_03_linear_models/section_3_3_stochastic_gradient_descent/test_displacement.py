r"""Section 3.3: stochastic gradient descent - the noise does not move the limit.

Printed     Noise from minibatching introduces additional implicit regularization beyond deterministic GD
Setting     $L(w) = \frac1{2n} \|Xw - y\|^2$; $w_{t+1} = w_t - \frac\eta b \sum_{i \in B_t} x_i (x_i^\top w_t - y_i)$,
            minibatches $B_t$ of $b$ rows drawn with replacement, or without it in shuffled epochs; GD takes all rows in
            every step. $e_t = w_t - w_\infty$, $w_\infty$ the interpolant nearest $w_0$; $\ell = \max_i \|x_i\|^2$
Reading     In the setting of Section 3, "linear models", $p > n$ and $\operatorname{rank} X = n$. There the bias of GD
            is the limit that it selects, so the sentence says that the noise moves the limit. With $V$ the variance of
            the minibatch gradient at the start and $d$ the squared distance between the limits of SGD and GD:
            $V \le C\, d$ for some constant $C$. Read as a statement of existence it fails too: by C1, $d = 0$ on all
            data of this setting, wherever SGD interpolates in the end.
Differs     The corrected statement is that the noise does not move the limit. In C4 the noise does move it, but there
            the model is not linear in its parameters.
Idea        The gradient of a minibatch is a combination of rows of $X$, so the component of $w_0$ in
            $\operatorname{null}(X)$ never changes. At an interpolant the gradient of every minibatch is zero, so the
            noise vanishes with the residual.
Tolerance   The pinned instances are rational. In the search, the distance to the limit is bounded by LAPACK's least
            squares and its rounding; the drift of a run by a first-order rounding analysis.
Findings    Data that are not interpolated need not have a limit: on the row $(1, 0)$ with the targets 0 and 1 the
            variance stays at $\eta/(4(2 - \eta))$.
Expected    refuted
"""

from fractions import Fraction

import numpy as np
from numpy.linalg import norm

from fixtures.dynamics.stochastic import minibatch_gradient, shuffled, stochastic_gradient_descent
from fixtures.rational import fractions
from properties.certificates import assert_identical, assert_violates
from properties.oracles import nearest_interpolant
from properties.search import smallest_violation
from theorems.ledger import counterexample
from theorems.section_03_linear_models.section_3_3_stochastic_gradient_descent.runs import (
    SEED,
    descend,
    limit_rounding,
    problems,
)

NOISE_FACTOR = 10**6
"""The constant C of the printed V <= C d that the search refutes."""


def gradient_variance(X, y, w):
    """The variance (1/n) sum |g_i - mean|^2 of the gradient of a single row; exact on fractions."""
    g = np.stack([minibatch_gradient(X, y, w, np.array([row])) for row in range(len(X))])
    return np.square(g - g.sum(0) / len(g)).sum() / len(g)


@counterexample
def test_with_orthogonal_rows_every_order_of_samples_lands_on_the_limit_of_gradient_descent():
    r"""$x_1 = (1, 2, 2)$ and $x_2 = (2, 1, -2)$ are orthogonal, $y = (3, 3)$, $w_0 = (2, -2, 1)$ and $X w_0 = 0$. GD
    with $\eta = \frac29$ and SGD with $\frac19$, in either order, add $\frac13 (x_1 + x_2)$, so $d = 0$. But the row
    gradients $-3 x_i$ have the variance $V = \frac94 \|x_1 - x_2\|^2 = \frac{81}2$. The print says $V \le C d = 0$."""
    X, y, start = fractions([[1, 2, 2], [2, 1, -2]]), fractions([3, 3]), fractions([2, -2, 1])
    # when
    gd = descend(X, y, start, Fraction(2, 9), [(0, 1)])[-1]
    ends = [descend(X, y, start, Fraction(1, 9), order)[-1] for order in ([[0], [1]], [[1], [0]])]
    # then
    assert_identical(X @ gd, y, why="GD interpolates")
    d = max(np.square(end - gd).sum() for end in ends)
    V = gradient_variance(X, y, start)
    assert_violates(V, d, reads="gradient variance {value} > {limit} = C d for every C", X=X, y=y, w0=start)


def variance_and_displacement(problem):
    """V, and a bound on d after 20 shuffled epochs: from there no order moves SGD farther from GD's limit."""
    eta = 1 / np.square(problem.X).sum(-1).max()
    order = shuffled(np.random.default_rng(SEED), np.array([problem.rows]), 20)
    w = stochastic_gradient_descent(problem.X[None], problem.y[None], problem.w0[None], eta, order).w[0]
    limit = nearest_interpolant(problem.X, problem.y, problem.w0)
    apart = norm(w - limit) + limit_rounding(problem, limit)
    return gradient_variance(problem.X, problem.y, problem.w0), apart**2


def noise_without_displacement(problem):
    """Whether V > NOISE_FACTOR d."""
    V, d = variance_and_displacement(problem)
    return NOISE_FACTOR * d < V


@counterexample
def test_a_search_finds_noise_that_does_not_move_the_limit():
    # when
    found = smallest_violation(problems, noise_without_displacement)
    # then
    V, d = variance_and_displacement(found)
    reads = "gradient variance {value} > {limit} = 10^6 d"
    assert_violates(V, NOISE_FACTOR * d, reads=reads, X=found.X, y=found.y, w0=found.w0)
