r"""Section 9.3: sparse attention - the logits of a dense W, and two tokens in closed form.

Setting     One query $q$, $|q| = 1$ (of several, orthonormal ones, each learns by itself), and $T$ tokens, the rows of
            $X$, have the logits $p = XWq$ and the weights $s = \operatorname{softmax}(p)$. Gradient ascent on $W$,
            dense, in $f = \gamma^\top s$
Hypotheses  (H2) The loss is linear in $s$, as $f$ is.
            (H3) The tokens are orthonormal, and $W$ starts from 0.
Corrected   (C3) Under H2 and H3 the logits of the dense $W$ follow the ascent in $p$, and $W$ keeps rank one.
            (C4) For two tokens with $c = \gamma_1 - \gamma_2$ and $h(z) = 2z + e^z - e^{-z}$, under H2 and H3, gradient
            flow has $h(p_1 - p_2) = 2ct$, gradient ascent $2\eta c N \le h(p_1 - p_2) \le 2\eta c N e^{\eta c/2}$ after
            $N$ steps
Idea        The gradient in $W$ is $X^\top (\partial f/\partial p)\, q^\top$, so that orthonormal tokens make a step in
            $W$ the step $p \leftarrow p + \eta\, s \circ (\gamma - f)$ in the logits. For two tokens this is an
            equation in $p_1 - p_2$ alone
Tolerance   Steps carry the rounding of $X$, $q$ and of the products. Flows carry the error of the integrator
"""

from itertools import islice

import numpy as np
from numpy.linalg import norm

from fixtures.dynamics.gradient_flow import gradient_flow
from fixtures.dynamics.paths import at_time
from fixtures.precision import factorization, rounding
from fixtures.problems.batches import given_batches
from properties.certificates import assert_at_most, assert_within
from theorems.ledger import corrected
from theorems.section_09_architectures.attention.dynamics import logit_path, weight_path
from theorems.section_09_architectures.attention.model import (
    attention,
    logits,
    softmax,
    through_softmax,
    weight_gradient,
)
from theorems.section_09_architectures.attention.sparse_problems import duels, rotated_queries


def weights_along(task, eta, steps):
    """W (N + 1, B, 4, 4) of gradient ascent on gamma . softmax(XWq) from 0, and the queries as an array (B, 1, 4)."""
    q, slope = task.q[:, None, :], -task.gamma[:, None, :]
    gradient = lambda W: weight_gradient(attention(W, task.X, q), slope, task.X, q)  # noqa: E731
    return np.stack(list(islice(weight_path(np.zeros((len(q), 4, 4)), gradient, eta), steps + 1))), q


@corrected("C3", "H2", "H3")
@given_batches(task=rotated_queries())
def test_the_logits_of_a_dense_weight_matrix_follow_the_ascent_in_the_logits(task):
    # when   40 steps on all 16 entries of W
    eta, steps = 1 / 4, 40
    W, q = weights_along(task, eta, steps)
    p = logits(W, task.X, q)[:, :, 0]
    # then   each is the step of the logits, but for the rounding of X, q and of the products: logits have two of four
    #        entries on either side, a softmax and its slope 20; X, twice, and q are orthonormal to 72 operations
    error = norm(p[1:] - at_time(logit_path(task.gamma, p[:-1], eta), 1), axis=-1)
    size = 1 + np.abs(p).max((0, -1)) + np.abs(task.gamma).max(-1)
    assert_at_most(error.max(0), rounding(2 * 8 + 20 + 3 * 72, size), why="a step of XWq", instance=task)
    # then   every gradient is a multiple of q on the right, and adds a product and a sum
    second = np.linalg.svd(W[-1], compute_uv=False)[:, 1]
    assert_at_most(second, rounding(5 * steps + factorization(4, 4), size), why="W has rank one", instance=task)


def h(z):
    return 2 * z + 2 * np.sinh(z)


@corrected("C4", "H2", "H3")
@given_batches(duel=duels())
def test_two_tokens_part_as_their_closed_form_says(duel):
    # when   the drawn number of steps
    path = np.stack(list(islice(logit_path(duel.gamma, np.zeros((len(duel.gamma), 2)), duel.eta), 201)))
    z = -np.diff(path[duel.steps, np.arange(len(duel.gamma))], axis=-1)[:, 0]
    # then   h is convex on z >= 0, and h' grows by e^(eta c/2) in a step at most
    c = duel.gamma[:, 0] - duel.gamma[:, 1]
    flow = 2 * duel.eta * c * duel.steps
    # and    a step has 16 operations, and h has 6
    moved = rounding(16 * duel.steps, (1 + duel.eta * np.abs(duel.gamma).max(-1)) * (2 + 2 * np.cosh(z)))
    moved += rounding(6, h(z))
    assert_within(flow, h(z), flow * np.exp(duel.eta * c / 2), slack=moved, why="h(p_1 - p_2)", instance=duel)


@corrected("C4", "H2", "H3")
@given_batches(duel=duels())
def test_the_gradient_flow_of_two_tokens_has_its_closed_form(duel):
    times = np.array([0.5, 2.0, 10.0])
    run = gradient_flow(lambda p: through_softmax(softmax(p), duel.gamma), np.zeros((len(duel.gamma), 2)), times)
    # then   h(p_1 - p_2) = 2ct, and h' = 2 + 2 cosh z
    z, c = -np.diff(run.states, axis=-1)[..., 0], duel.gamma[:, 0] - duel.gamma[:, 1]
    error = np.abs(h(z) - 2 * c * times[:, None])
    bound = (4 + 4 * np.cosh(z + run.error[:, None])) * (run.error[:, None] + rounding(8, 1 + z))
    assert_at_most(error.T, bound.T, why="h(p_1 - p_2) = 2ct", instance=duel)
