r"""Section 2.2: initialization selects the minimum - almost every pair of starts has two limits.

Printed     overparameterized and $\theta_0 \ne \theta_0'$ imply
            $\lim_t \theta_t(\theta_0) \ne \lim_t \theta_t(\theta_0')$
Reading     The statement is about almost every pair of starts, in the sense of Lebesgue measure: the sentence does not
            say "any two". It is about runs that end in a global minimum, and about problems with more than one, as
            "different global minima" presupposes: linear regression with $p > n$ as in Section 3.1, and gradient flow
            on the network $f = uvx$
Setting     $L(w) = \frac12 \|Xw - y\|^2$ with $\operatorname{rank} X = n < p$ and $0 < \eta < 2/s_1^2$, and the network
            $f = uvx$ with one sample. $w_t$ starts from $w_0$ and $w_t'$ from $w_0'$
Idea        Every gradient of least squares lies in $\operatorname{row}(X)$. So the limits differ by the part of
            $w_0 - w_0'$ in $\operatorname{null}(X)$. This part is zero only if $w_0 - w_0'$ lies in
            $\operatorname{row}(X)$, a subspace of dimension $n < p$ and of measure zero. The flow of $f = uvx$ keeps
            $u^2 - v^2$, and pairs of starts with one value of $u^2 - v^2$ have measure zero too
Tolerance   Limits are enclosed in balls (`properties.linear_models.limits`). A run of the solver at a second tolerance
            estimates the error of a flow
Expected    holds
"""

import numpy as np
from numpy.linalg import norm

from fixtures.dynamics.gradient_flow import gradient_flow
from fixtures.problems.batches import given_batches
from fixtures.problems.regression import regressions
from properties.certificates import assert_at_most
from properties.linear_models.limits import CONVERGED, limit_of_descent
from theorems.ledger import as_printed
from theorems.section_02_preliminaries.section_2_2_initialization.pairs_of_starts import another_start


@as_printed
def test_starts_on_different_hyperbolas_lead_to_different_minima_of_a_two_layer_network():
    # given  f(x) = vux, one sample (1, 1), and starts no two of which have the same u^2 - v^2
    starts = np.array([[2.0, 0.5], [1.5, -1.0], [0.25, -1.5], [-0.5, -2.0]])
    kept = starts**2 @ [1, -1]
    # when   the flow keeps u^2 - v^2, so that it cannot end in the saddle 0
    flow = gradient_flow(
        lambda w: (1 - w.prod(-1, keepdims=True)) * w[:, ::-1],
        starts,
        [50.0],
        until=lambda w: np.abs(w.prod(-1) - 1).max() - CONVERGED,
    )
    # then   all runs interpolate. |w - w'| is at least the difference of the values of u^2 - v^2, over |w| + |w'|
    ends, error = flow.states[-1], 4 * norm(flow.states[-1]) * flow.error[-1]
    assert_at_most(np.abs(ends.prod(-1) - 1), CONVERGED + error, why="all interpolate")
    assert_at_most(np.abs(ends**2 @ [1, -1] - kept), error, why="the flow keeps u^2 - v^2")
    pairs = np.triu_indices(len(starts), 1)
    differences = np.abs(np.subtract.outer(kept, kept))[pairs]
    apart = norm(ends[:, None] - ends[None], axis=-1)[pairs]
    sizes = np.add.outer(norm(ends, axis=-1), norm(ends, axis=-1))[pairs]
    assert_at_most((differences - 2 * error) / sizes, apart, why="distance of two minima")
    assert_at_most(1 / 2, differences.min(), why="no two starts on one hyperbola")


@as_printed
@given_batches(problem=regressions())
def test_two_limits_are_as_far_apart_as_the_null_parts_of_their_starts(problem):
    other = another_start(problem)
    # when   at two different steps, since the limit does not depend on them
    limits = [limit_of_descent(problem, w, step) for w, step in ((problem.w0, 1.5), (other, 1.9))]
    # then   the limits differ by the null part, which is zero just where the difference of the starts is in row(X)
    null_part = problem.in_null_space(problem.w0 - other)
    slack = limits[0].radius + limits[1].radius + problem.construction * norm(problem.w0 - other, axis=-1)
    error = norm(limits[0].w - limits[1].w - null_part, axis=-1)
    assert_at_most(error, slack, why="difference of the limits", instance=problem)
