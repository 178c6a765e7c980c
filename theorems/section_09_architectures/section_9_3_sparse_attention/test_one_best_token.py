r"""Section 9.3: sparse attention - under a linear loss the best token takes all the attention.

Setting     One query $q$, $|q| = 1$, and $T$ tokens, the rows of $X$, have the logits $p = XWq$ and the weights
            $s = \operatorname{softmax}(p)$. Under H3 gradient ascent on $W$ in $f = \gamma^\top s$ is
            $p \leftarrow p + \eta\, s \circ (\gamma - f)$ from 0. The best token is 1,
            $\Delta = \gamma_1 - \max_{j > 1} \gamma_j$, $R = \max_j \gamma_j - \min_j \gamma_j$, and
            $r = (1 - s_1)/s_1$
Hypotheses  (H1) One token has the largest $\gamma_j$.
            (H2) The loss is linear in $s$, as $f$ is.
            (H3) The tokens are orthonormal, and $W$ starts from 0.
Corrected   (C1) Under H1, H2 and H3, for every step $\eta > 0$, all $p_1 - p_j$ rise, and $\eta\Delta N/T^2 \le 1/r_N -
            1/r_0 \le 2\eta R N (e^x - 1)/x$, $x = 2\eta R (T - 1)/T$: the best token takes all the attention, and what
            it leaves to the others vanishes like $1/N$, no faster.
            (C2) Under H1, H2 and H3, for $\eta \le 2/R$, $\gamma_1 - f_N \le 1/(1/(\gamma_1 - f_0) + \eta (1 - \eta
            R/4) N/T^2)$
Idea        $p_1 - p_j$ rises by $\eta(s_1(\gamma_1 - f) - s_j(\gamma_j - f)) \ge \eta s_1 \min(\gamma_1 - f, \Delta)
            \ge \eta s_1(1 - s_1)\Delta$, as $s_j \le s_1$, and by at most $\eta(1 + s_1)(1 - s_1)R$. The odds $r$ fall
            by the exponentials of that. For C2, $|\nabla f| \ge (\gamma_1 - f)/T$, and $f$ has the curvature $R/2$ at
            most
Tolerance   Both clauses hold at every step: a step moves a difference of logits by the rounding of $T + 10$ operations
            on $\eta \max_j |\gamma_j|$, and of one on $\max_j |p_j|$, and $r$ by the exponential of the sum
Findings    The rate $1/N$ of C1 needs no bound on $\eta$. The rate of C2 is shown for $\eta \le 2/R$
"""

import dataclasses

import numpy as np
import pytest

from fixtures.precision import rounding
from fixtures.problems.batches import given_batches
from properties.certificates import (
    assert_at_most,
    assert_equal_within,
    assert_identical,
    assert_within,
    record_series,
)
from theorems.ledger import corrected, observed
from theorems.section_09_architectures.attention.model import softmax
from theorems.section_09_architectures.attention.sparse_problems import Selection, selections
from theorems.section_09_architectures.section_9_3_sparse_attention.ascents import (
    STEPS,
    ascent,
    effective_number,
    lone_best,
    missed_reward_and_bound,
    odds_and_bounds,
    step_rounding,
)


def certify_odds(task):
    """Certify the bounds of C1 at every step of an ascent."""
    p, N, T = ascent(task), np.arange(STEPS + 1)[:, None], task.tokens
    (r, slow, fast), off = odds_and_bounds(task, p, N), np.exp(step_rounding(task, p) * (1 + N))
    assert_at_most((r * (1 / (T - 1) + slow)).T, off.T, why="r_N from above", instance=task)
    assert_at_most(1 / off.T, (r * (1 / (T - 1) + fast)).T, why="r_N from below", instance=task)
    # as s_1 = 1/(1 + r), the effective number of tokens is at most (1 + r)^2
    assert_at_most(effective_number(softmax(p)).T, ((1 + r) ** 2 * off**2).T, why="effective number of tokens")


@corrected("C1", "H1", "H2", "H3")
@given_batches(task=selections())
def test_what_the_best_token_leaves_to_the_others_vanishes_like_one_over_the_steps(task):
    certify_odds(task)


@corrected("C1", "H1", "H2", "H3")
@pytest.mark.slow
@given_batches(task=selections(most=40, steps=(1.0, 2.0**-10, 2.0**8, 2.0**-4, 64.0), leads=(1.0, 2.0**-20, 2.0**20)))
def test_for_forty_tokens_extreme_steps_and_extreme_leads_the_odds_keep_both_bounds(task):
    certify_odds(task)


@corrected("C1", "H1", "H2", "H3")
@given_batches(task=selections())
def test_no_other_token_ever_gains_on_the_best_one(task):
    p = ascent(task)
    # then   a step raises every p_1 - p_j by at least eta s_1 (1 - s_1) Delta and at most eta (1 - s_1^2) R
    behind = task.of_best(p)[..., None] - np.where(task.present > 0, p, 0)
    others = (task.present > 0) & (np.arange(p.shape[-1]) != task.best[:, None])
    rises, s = np.diff(behind, axis=0), task.of_best(softmax(p))[:-1]
    slack = step_rounding(task, p)
    least, most = np.where(others, rises, np.inf).min(-1), np.where(others, rises, -np.inf).max(-1)
    lower, upper = task.eta * s * (1 - s) * task.lead - slack, task.step * (1 - s**2) + slack
    assert_at_most(lower.T, least.T, why="the best token gains", instance=task)
    assert_at_most(most.T, upper.T, why="by no more than that", instance=task)


@corrected("C1", "C2")
def test_the_bounds_of_three_tokens_by_hand():
    # given  gamma = (1, 3, 2), eta R = 1: Delta = 1, R = 2, x = 4/3; from p = 0 the missed reward is 1
    task = Selection(np.array([[1.0, 3, 2]]), np.ones((1, 3)), np.array([1]), *np.array([[1.0], [2], [1]]))
    p, N = np.zeros((2, 1, 3)), np.array([[0], [9]])
    # when
    r, slow, fast = odds_and_bounds(task, p, N)
    missed, bound = missed_reward_and_bound(task, softmax(p), N)
    # then   nine steps: eta Delta N/T^2, 2 eta R N (e^x - 1)/x, and 1/(1/m_0 + eta (1 - eta R/4) N/T^2)
    found = [r[0], slow[1], fast[1] / np.expm1(4 / 3), missed[0], bound[1]]
    assert_equal_within(np.ravel(found), [2, 1 / 2, 27 / 2, 1, 8 / 11], rounding(20, 2), why="r, C1 twice, m, C2")
    assert_identical(step_rounding(task, p), [rounding(13, 3 / 2)], why="T + 10 operations on eta max |gamma|")


@observed
def test_the_constants_of_C1_and_C2_are_attained_but_for_less_than_one_half():
    # given  six tokens and a short first step; two tokens and 300 steps of one half
    first, long = lone_best(6, 1 / 64), lone_best(2, 1 / 2)
    p, q, N = ascent(first, 1), ascent(long), np.arange(STEPS + 1)[:, None]
    # then   the lower bounds are about 5/6 of the true values
    r, slow, _ = odds_and_bounds(first, p, N[:2])
    assert_at_most((1 / r[1] - 1 / r[0]) / 2, slow[1], why="1/r from below, C1")
    missed, bound = missed_reward_and_bound(first, softmax(p), N[:2])
    assert_at_most(
        (1 / missed[1] - 1 / missed[0]) / 2, 1 / bound[1] - 1 / missed[0], why="1/(gamma_1 - f) from below, C2"
    )
    # then   the true value is about 3/4 of the upper bound
    r, slow, fast = odds_and_bounds(long, q, N)
    at = np.unique(np.geomspace(1, STEPS, 40).astype(int))
    inverse_odds = {"left": 1 / r, "most": 1 / r[0] + slow, "least": 1 / r[0] + fast}
    shares = {name: np.round(1 / (1 + curve[at, 0]), 6) for name, curve in inverse_odds.items()}
    record_series("attention that the best of two tokens leaves", step=at, **shares)
    assert_within(slow, 1 / r - 1 / r[0], fast, why="1/r_N - 1/r_0, C1")
    assert_at_most(fast[-1] / 2, 1 / r[-1] - 1 / r[0], why="1/r from above, C1")


@corrected("C2", "H1", "H2", "H3")
@given_batches(task=selections())
def test_with_a_step_below_two_over_the_range_the_reward_converges_at_its_own_rate(task):
    # given  eta R <= 2
    task = dataclasses.replace(task, step=np.minimum(task.step, 2.0))
    p, N = ascent(task), np.arange(STEPS + 1)[:, None]
    s = softmax(p)
    # then   the missed reward is bounded, and 1 - s_1 lies between its quotients by R and by Delta
    missed, bound = missed_reward_and_bound(task, s, N)
    slack = ((N + 1) * step_rounding(task, p) + rounding(3 * task.tokens + 8)) * task.range
    assert_at_most(missed.T, (bound + slack).T, why="gamma_1 - f_N", instance=task)
    left = 1 - task.of_best(s)
    assert_at_most((missed / task.range).T, (left + slack / task.range).T, why="1 - s_1 from below", instance=task)
    assert_at_most(left.T, ((missed + slack) / task.lead).T, why="1 - s_1 from above", instance=task)


def trained_by_torch(values, steps):
    """The output of torch's attention over orthonormal tokens, after SGD has maximized it in W from 0 at the rate 1."""
    import torch

    tokens, values = torch.eye(len(values), dtype=torch.float64), torch.tensor(values, dtype=torch.float64)[:, None]
    W = torch.zeros_like(tokens).requires_grad_()
    optimizer = torch.optim.SGD([W], lr=1.0, maximize=True)
    for _ in range(steps):
        optimizer.zero_grad()
        torch.nn.functional.scaled_dot_product_attention(tokens[:1] @ W.T, tokens, values, scale=1.0).sum().backward()
        optimizer.step()
    return float(torch.softmax(tokens[:1] @ W.T, -1).detach() @ values)


@corrected("C1")
def test_torch_users_see_the_best_of_three_tokens_selected():
    # given  values (1, 3, 2), eta = 1, so that R = 2 and Delta = 1; a step has 30 operations on numbers up to 3
    steps, slack = 50, rounding(50 * 30, 3)
    # when
    missing = 3 - trained_by_torch([1.0, 3.0, 2.0], steps)
    # then   the output misses its maximum by (1 - s_1) Delta at least and (1 - s_1) R at most
    x = 2 * 2 * 2 / 3
    most, least = 1 / (1 / 2 + steps / 9), 1 / (1 / 2 + 4 * steps * np.expm1(x) / x)
    assert_within(least / (1 + least), missing, 2 * most / (1 + most), slack=slack, why="gamma_1 - f after 50 steps")
