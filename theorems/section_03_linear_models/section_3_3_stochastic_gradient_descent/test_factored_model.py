r"""Section 3.3: stochastic gradient descent - in the factored model the noise does add a bias.

Setting     $L(w) = \frac1{2n} \|Xw - y\|^2$; $w_{t+1} = w_t - \frac\eta b \sum_{i \in B_t} x_i (x_i^\top w_t - y_i)$,
            minibatches $B_t$ of $b$ rows drawn with replacement, or without it in shuffled epochs; GD takes all rows in
            every step. $e_t = w_t - w_\infty$, $w_\infty$ the interpolant nearest $w_0$; $\ell = \max_i \|x_i\|^2$
Corrected   (C4) For the factored model $w = u^2 - v^2$, entry by entry, with $g = 2\,\partial L/\partial w$ on the
            minibatch, $\ln|uv|_T = \ln|uv|_0 + \sum_t \ln|1 - \eta^2 g_t^2|$. As long as $\eta |g| < 1$ for each single
            row, a step on a random row lowers the mean of $\ln|uv|$ by at least $\eta^2 \operatorname{Var} g$ more than
            a step of GD from the same point.
Idea        A step multiplies $u$ by $1 - \eta g$ and $v$ by $1 + \eta g$, so it multiplies $uv$ by $1 - \eta^2 g^2$.
            The mean of $g^2$ over the rows exceeds the square of the mean of $g$ by the variance of $g$.
Tolerance   The rounding of every step; the difference between SGD and GD by the second derivative of
            $\ln(1 - \eta^2 z)$ in $z = g^2$.
Findings    In the factored model the noise adds a bias, of order $\eta^2$ a step.
"""

import numpy as np
from numpy.linalg import norm

from fixtures.dynamics.stochastic import every_order, factored_descent, minibatch_gradient, with_replacement
from fixtures.precision import rounding
from fixtures.problems.batches import given_batches
from properties.certificates import assert_at_most, assert_within
from theorems.ledger import corrected
from theorems.section_03_linear_models.section_3_3_stochastic_gradient_descent.runs import SEED, problems


def factored_step(problem):
    """A step eta at which eta |g| stays below 1/2 for w = u^2 - v^2 of entries up to 4: 1/(64 s_1 (s_1 + |y|))."""
    return 1 / (64 * problem.sigma_max * (problem.sigma_max + norm(problem.y, axis=-1)))


def step_count(problem):
    """The roundings of ln|uv| in a step: p + 6 in g, of which eta |g| <= 1/2 passes on, and 6 in steps and logarithms.

    u and v have an update and two products each, of which eta |g| passes on; ln(1 - eta^2 g^2) and its sum have two.
    """
    return problem.columns + 12


@corrected("C4")
@given_batches(problem=problems)
def test_in_the_factored_model_the_products_shrink_by_the_squares_of_the_gradients(problem):
    # given  u_0 = 1 and v_0 = 1/2, so that w_0 = 3/4
    eta, steps, one = factored_step(problem), 100, np.ones_like(problem.w0)
    order = with_replacement(np.random.default_rng(SEED), problem.rows, steps)
    # when
    u, v = factored_descent(problem.X, problem.y, one, one / 2, eta, order)
    # then   ln|uv|_T - ln|uv|_0 = sum ln(1 - eta^2 g_t^2) on the gradients along the path
    chosen = np.moveaxis(order, 1, 0)
    g = 2 * minibatch_gradient(problem.X[None], problem.y[None], u[:-1] ** 2 - v[:-1] ** 2, chosen)
    error = np.log(np.abs(u[-1] * v[-1])) - np.log(1 / 2) - np.log1p(-((eta[:, None] * g) ** 2)).sum(0)
    slack = rounding((1 + steps) * step_count(problem))
    assert_at_most(np.abs(error).max(-1), slack, why="ln|uv| along the path", instance=problem)


def row_gradients(problem, w):
    """The gradients x_i (x_i.w - y_i) of the single rows (n, B, p), and the weight 1/n of each (B, n), 0 in padding."""
    order = every_order(problem.X.shape[-2], 1, 1, replacement=True)
    g = [minibatch_gradient(problem.X, problem.y, w, np.resize(i, (len(w), 1))) for i in order]
    return np.stack(g), (np.square(problem.X).sum(-1) > 0) / problem.rows[:, None]


@corrected("C4")
@given_batches(problem=problems)
def test_in_the_factored_model_a_step_of_sgd_shrinks_the_products_more_than_one_of_gd(problem):
    # given  u = 1 + |w_0|/4 and v = 1/2
    eta, u, v = factored_step(problem)[:, None], 1 + np.abs(problem.w0) / 4, np.full_like(problem.w0, 1 / 2)
    g, weight = row_gradients(problem, u**2 - v**2)
    squares, full = (2 * g) ** 2, (2 * np.einsum("bi,ibj->bj", weight, g)) ** 2
    # when   one step on each row, and one of full gradient descent, whose ln|uv| is f(full) below
    paths = [factored_descent(problem.X, problem.y, u, v, eta[:, 0], np.full((1, 1, 1), i)) for i in range(len(g))]
    sgd = np.einsum("bi,ibj->bj", weight, np.stack([np.log(a[-1] * b[-1]) for a, b in paths]))
    gd = np.log(u * v) + np.log1p(-(eta**2) * full)
    # then   eta |g| < 1, and f(z) = -ln(1 - eta^2 z) has f' >= eta^2 and f'' at most eta^4/(1 - eta^2 max z)^2
    assert_at_most(eta * np.sqrt(squares.max(0)), 1 / 2, why="eta |g| for every row", instance=problem)
    variance = np.einsum("bi,ibj->bj", weight, squares) - full
    spread = np.einsum("bi,ibj->bj", weight, (squares - full) ** 2)
    least = eta**2 * variance / (1 - eta**2 * full)
    most = least + spread * (eta**2 / (1 - eta**2 * squares.max(0))) ** 2 / 2
    slack = rounding(4 * step_count(problem)[:, None])  # the two ends, and f and its bounds at the gradients
    assert_within(least, gd - sgd, most, slack=slack, why="one step of E ln|uv|", instance=problem)
