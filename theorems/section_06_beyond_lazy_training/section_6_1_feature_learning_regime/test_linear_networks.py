r"""Section 6.1: feature learning regime - silent linear networks of any shape pay for their movement.

Setting     $f = X W^\top a$, gradient descent on $\frac12 \|f - y\|^2$, $t$ steps. A start is silent if
            $W_0^\top a_0 = 0$. $D = \|\theta_t - \theta_0\|$, $A = \|a\|^2$; $\sigma$ is the least singular value of
            $X$ that is not zero
Corrected   (C7) Linear networks, $c = 1$, satisfy from any silent start two inequalities, at every step, for data of
            any rank and $y$ in the range of $X$: $\sigma \sqrt A\, D \le \bigl| \|y\| - \|y - f_t\| \bigr|$ with the
            least $A$ of the run, and $\|W_t^\top a_t\|^2 \le (A_t - A_0)(A_t + \|W_0\|^2)$. Both hold up to what
            `charge_of_steps` grants to the length of the steps, and both need this charge: at $x = y = 1$ one step of
            $\eta = 1$ from the neurons (1, 1) and (1, -1) has $f = 4$, so $A_0 D^2 = 8 > 4 = (\|y\| - \|y - f\|)^2$,
            and also $A_0 D^2 > y^2$; and $f^2 = 16 > 12 = (A_1 - A_0)(A_1 + \|W_0\|^2)$.
Idea        Under gradient flow the residual, which stays in the range of $X$, falls by at least $\sigma \sqrt A$ per
            unit of length of the path. This gives the first inequality. The flow conserves $W W^\top - a a^\top$, which
            gives the second.
Tolerance   `charge_of_steps` derives the charges from the run. The slack is the rounding in the largest kernel of the
            run
"""

from fractions import Fraction

import numpy as np
import pytest
from numpy.linalg import norm

from fixtures.models.two_layer import TwoLayer
from fixtures.precision import factorization, rounding
from fixtures.rational import fractions
from properties.certificates import assert_at_most, assert_identical
from properties.lazy_training import spectral
from theorems.ledger import corrected
from theorems.section_06_beyond_lazy_training.section_6_1_feature_learning_regime.exact_networks import (
    ONE,
    exact_network,
    squared_movement,
)
from theorems.section_06_beyond_lazy_training.section_6_1_feature_learning_regime.flow_bounds import (
    charge_of_steps,
    growth_allowed,
)
from theorems.section_06_beyond_lazy_training.section_6_1_feature_learning_regime.runs import (
    run_descent,
    run_rounding,
)


def any_silent_network(rng):
    """Data of any shape, rank and scale, targets in the range of X, and a silent linear network: (X, y, W, a)."""
    n, d, m = rng.integers(1, 6), rng.integers(1, 6), rng.integers(2, 9)
    X, kind = rng.standard_normal((n, d)), rng.integers(4)
    if kind == 0:  # repeated and tiny singular values
        U, _, V = np.linalg.svd(X, full_matrices=False)
        X = (U * 10.0 ** -np.sort(rng.integers(0, 4, min(n, d)))) @ V
    if kind == 1:  # copies of one sample
        X = np.tile(X[:1], (n, 1))
    W, a = rng.standard_normal((m, d)) * 10.0 ** rng.uniform(-3, 2), rng.standard_normal(m) * 10.0 ** rng.uniform(-3, 2)
    return X, X @ X.T @ rng.standard_normal(n) * 10.0 ** rng.uniform(-2, 2), np.tile(W, (2, 1)), np.append(a, -a)


@corrected("C7")
@pytest.mark.slow
def test_silent_linear_networks_of_any_shape_and_scale_satisfy_both_bounds():
    for seed in range(200):
        rng = np.random.default_rng(seed)
        X, y, W, a = any_silent_network(rng)
        net, values = TwoLayer(W[None], a[None], "identity", 1.0), np.linalg.svd(X, compute_uv=False)
        eta = rng.choice([0.05, 0.5, 1.5]) / (spectral(net.kernel(X)) + 2 * values[0] * norm(y))
        # when   from one step to a hundred; some steps are too long to fit y
        steps = int(rng.integers(1, 100))
        run = run_descent(net, X, y[None], eta, steps)
        A = np.array([np.square(at.a).sum() for at in run.networks])
        s = values[values > rounding(factorization(*X.shape), values[0])][-1] * np.sqrt(A.min())
        rho, charge = charge_of_steps(run, X, y[None], eta, s)
        # then   both inequalities, up to the rounding in the largest kernel of the run
        slack = run_rounding(net, X, steps) * (1 + norm(X) ** 2) * max(A.max(), norm(W, 2) ** 2)
        spent = np.abs(run.misfit[0] - run.misfit[-1]) + slack * (1 + norm(y))
        assert_at_most(s * run.moved[-1] * (1 - rho), spent, why="movement", instance=seed)
        learned, w = norm(run.networks[-1].W[0].T @ run.networks[-1].a[0]), norm(W, 2)
        bound = growth_allowed(A[0], A[-1], w) + charge + slack * (A[-1] + A[0] + w**2)
        assert_at_most(learned**2, bound, why="growth", instance=seed)


@corrected("C7")
def test_a_step_that_overshoots_moves_farther_than_a_network_of_this_size_does_under_the_flow():
    # given  x = y = 1, the neurons (1, 1) and (1, -1), A_0 = 2; when  one step of eta = 1 = 4/K_0
    net = exact_network(2, 1, Fraction(1))
    end = net.descend(ONE, fractions([1]), Fraction(1))
    # then   A_0 D^2 = 8 > y^2, and f^2 = 16 > 12 = 2 * (4 + 2)
    A_0, A_T = net.a @ net.a, end.a @ end.a
    assert_identical(A_0 * squared_movement(net, end).sum(), 8, why="A_0 D^2, y^2 = 1")
    allowed = (A_T - A_0) * (A_T + (net.W**2).sum())
    assert_identical([end.predict(ONE)[0] ** 2, allowed], [16, 12], why="f^2, and what the flow allows")
