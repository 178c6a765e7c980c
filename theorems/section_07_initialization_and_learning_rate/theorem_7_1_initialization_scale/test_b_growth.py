r"""Theorem 7.1 (b) - the larger the scale, the smaller the relative growth of the parameters.

Setting     $L = \frac12 \|Xw - y\|^2$ with $y \ne 0$. $\theta = (u, v)$ starts at $u = v = \alpha$. $q$ is the relative
            growth of a weight of the kernel $K = D^2 X \operatorname{diag}(u^{2D-2} + v^{2D-2}) X^\top$
Hypotheses  (H1) $u_0 = v_0$. (H2) one $\alpha$ for all coordinates. (H3) some $w$ solves $Xw = y$. (H4) $u$ and $v$ are
            moved at one rate. (H5) gradient flow. (H6) the network is diagonal, $w = u^D - v^D$ entrywise, $u_0$,
            $v_0 > 0$
Corrected   (C3) Under H1 to H6, about the limit: $G = \|\theta_\infty\|^2/\|\theta_0\|^2 - 1$, for $D = 2$ the mean of
            $q$, falls strictly as $\alpha$ grows.
Idea        At the limit $X h(X^\top \nu) = s y$, $s = \alpha^{-D}$, where $\nu$ is the dual variable and $h$ is
            $w/\alpha^D$ as a function of $X^\top \nu$. So $G$ changes by $s\, y^\top (X h' X^\top)^{-1} y\, ds > 0$
Tolerance   The minimizer by Newton's method on the dual, certified by its own duality gap (`hyperbolic_entropy`)
Findings    What falls as $\alpha$ grows, whatever the data, is the relative growth of the parameters. Nothing is
            claimed here of a single weight of the kernel
"""

import numpy as np
import pytest
from numpy.linalg import norm

from fixtures.problems.batches import given_batches
from properties.certificates import assert_at_most, assert_within
from theorems.ledger import corrected
from theorems.section_07_initialization_and_learning_rate.hyperbolic_entropy import DiagonalPotential
from theorems.section_07_initialization_and_learning_rate.theorem_7_1_initialization_scale.minimizer import (
    certified_minimizer,
    dual_rounding,
)
from theorems.section_07_initialization_and_learning_rate.theorem_7_1_initialization_scale.problems import (
    DEPTHS,
    LARGE,
    SMALL,
    pick_scale,
    problems,
)


@pytest.mark.slow
@corrected("C3")
@pytest.mark.parametrize("depth", DEPTHS)
@given_batches(problem=problems)
def test_a_larger_scale_always_moves_the_parameters_relatively_less(depth, problem):
    alpha = pick_scale(problem, depth, SMALL[depth] + LARGE)
    # when   at 1.1 alpha and alpha, in units in which X h(X'nu) = s y and G = sum H(z) with H' = h
    unit = 2 if depth == 2 else 1
    potentials = [DiagonalPotential(depth, scale * alpha[:, None]) for scale in (1.1, 1)]
    (large, small), s = (
        [certified_minimizer(Q, problem) for Q in potentials],
        [1 / (unit * Q.scale[:, 0]) for Q in potentials],
    )
    G = [max(depth - 2, 1) * Q.growth(best.z).sum(-1) for Q, best in zip(potentials, (large, small), strict=True)]
    # then   s <y, change of nu> <= change of G <= s' <y, change of nu> with s < s'
    change = small.z - large.z
    rise, hidden = np.vecdot(small.w, change), (small.miss + large.miss) * norm(change, axis=-1)
    rounding = dual_rounding(problem, small.z) * (G[0] + G[1]) + s[1] * hidden
    assert_within(s[0] * rise, G[1] - G[0], s[1] * rise, slack=rounding, why="change of G", instance=problem)
    # and    <y, change of nu> = (s' - s) y'(X diag(mean of h') X')^-1 y >= (s' - s) |y|^2 / (s_1^2 max h')
    slopes = [rate * Q.slope(best.z).max(-1) for rate, Q, best in zip(s, potentials, (large, small), strict=True)]
    least = s[0] * (s[1] - s[0]) * (norm(problem.y, axis=-1) / problem.sigma_max) ** 2 / np.maximum(*slopes)
    assert_at_most(least / 2 + rounding, G[1] - G[0], why="G falls strictly as alpha grows", instance=problem)
