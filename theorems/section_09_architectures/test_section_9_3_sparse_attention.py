r"""Section 9.3: sparse attention - learned attention selects the best token if there is one and the loss wants one.

Section     9.3
Printed     Despite dense parameterization, learned attention patterns are often sparse, focusing on relevant tokens, an
            implicit feature selection mechanism
Reading     Sparse: the effective number of tokens that a query attends to, $1/\sum_j s_j^2$, tends to one. "Often"
            names no law, and the claim is read of all losses and rewards; softmax weights are positive at every finite
            time, so that it can only be a limit
Setting     One query q, |q| = 1 (of several, orthonormal ones, each learns by itself), and T tokens, the rows of X: the
            logits are $p = XWq$, the weights $s = \operatorname{softmax}(p)$. Gradient ascent on W, dense, in
            $f = \gamma^\top s$, under H3 $p \leftarrow p + \eta\, s \circ (\gamma - f)$ from 0. The best token is 1,
            $\Delta = \gamma_1 - \max_{j > 1} \gamma_j$, $R = \max \gamma - \min \gamma$, and $r = (1 - s_1)/s_1$
Hypotheses  (H1) one token has the largest $\gamma$.  (H2) the loss is linear in s, as f is.  (H3) the tokens are
            orthonormal, and W starts from 0.
Corrected   Under H1, H2 and H3, for every step $\eta > 0$, all $p_1 - p_j$ rise, and
            $\eta\Delta N/T^2 \le 1/r_N - 1/r_0 \le 2\eta R N (e^x - 1)/x$, $x = 2\eta R (T - 1)/T$: what the best token
            leaves to the others vanishes like 1/N, no faster. For $\eta \le 2/R$ also
            $\gamma_1 - f_N \le 1/(1/(\gamma_1 - f_0) + \eta N/(2T^2))$. For two tokens, $h(z) = 2z + e^z - e^{-z}$ and
            $c = \gamma_1 - \gamma_2$, gradient flow has $h(p_1 - p_2) = 2ct$, gradient ascent
            $2\eta c N \le h(p_1 - p_2) \le 2\eta c N e^{\eta c/2}$. Tied tokens keep equal weights
Idea        $p_1 - p_j$ rises by $\eta(s_1(\gamma_1 - f) - s_j(\gamma_j - f)) \ge \eta s_1 \min(\gamma_1 - f, \Delta)
            \ge \eta s_1(1 - s_1)\Delta$, as $s_j \le s_1$, and by at most $\eta(1 + s_1)(1 - s_1)R$. The odds r fall by
            the exponentials of that. $|\nabla f| \ge (\gamma_1 - f)/T$, and f has the curvature R/2 at most.
Source      Mei, Xiao, Szepesvari, Schuurmans (2020), On the Global Convergence Rates of Softmax Policy Gradient Methods
            (the rate 1/t and a lower bound of its order); Tarzanagh, Li, Thrampoulidis, Oymak (2023), Transformers as
            Support Vector Machines (which token is selected). The constants, and that no step is too large, are ours
Tolerance   Bounds hold at every step. The rounding of a step moves a difference of logits by at most
            $2u(\eta (T + 10) \max|\gamma| + \max|p|)$, and r by the exponential of the sum. Flows carry the error of
            the integrator.
Findings    No step is too large: a rate like 1/N needs no bound on eta, only that of $\gamma_1 - f$ does. The
            parameterization is not dense in the end: the ascent from 0 keeps W of rank one. Averages, and ties, are
            learned as dense patterns, from a sparse start too. A best token in the convex hull of the others, which
            has no larger logit than all of them for any W, never has more than half of the attention
Expected    holds under added hypotheses
"""

import dataclasses
from fractions import Fraction
from itertools import islice

import numpy as np
from hypothesis import strategies as st
from numpy.linalg import norm

from fixtures.dynamics.attention import logit_path, weight_path
from fixtures.dynamics.gradient_flow import gradient_flow
from fixtures.dynamics.paths import at_time
from fixtures.models.attention import attention, logits, softmax, softmax_of_powers, through_softmax, weight_gradient
from fixtures.precision import UNIT_ROUNDOFF
from fixtures.problems.attention import duels, rotated_queries, selections
from fixtures.problems.batches import given_batches
from fixtures.rational import fractions
from properties.certificates import assert_at_most, assert_identical, assert_violates, assert_within
from properties.search import smallest_violation
from theorems.ledger import corrected, counterexample, necessity, under_hypotheses

STEPS = 300


def ascent(task, steps=STEPS):
    """Logits p (N + 1, B, T) of all steps."""
    return np.stack(list(islice(logit_path(task.gamma, task.start, task.eta), steps + 1)))


def odds(task, p):
    """The odds r = (1 - s_1)/s_1, the sum of exp(p_j - p_1) over the others."""
    others = np.arange(p.shape[-1]) != task.best[:, None]
    return (np.exp(p - task.of_best(p)[..., None]) * others).sum(-1)


def step_rounding(task, p):
    """How much rounding a step adds to a difference of logits, along the logits p (N + 1, B, T) of an ascent."""
    largest = np.abs(np.where(task.present > 0, p, 0)).max((0, -1))
    return 2 * UNIT_ROUNDOFF * (task.eta * (task.tokens + 10) * np.abs(task.gamma).max(-1) + largest)


def effective_number(s):
    """1/sum s_j^2, exact on fractions."""
    return 1 / (s * s).sum(-1)


@counterexample
def test_a_target_that_is_an_average_is_best_attended_to_densely():
    # given  four orthonormal tokens, weights 1/4, the loss (1/2)|X's - mean|^2
    X, s = fractions(np.eye(4, dtype=int)), softmax_of_powers(np.zeros((1, 4)))
    residual = s @ X - X.mean(0)
    # then   the loss is 0 and its gradient as well, and no other weights have the output
    assert_identical(residual, 0 * residual, why="the loss is 0")
    assert_identical(through_softmax(s, residual @ X.T), 0 * s, why="gradient descent rests")
    reads = "the optimum attends to {value} tokens effectively > {limit}"
    assert_violates(effective_number(s[0]), Fraction(2), reads=reads, tokens=np.eye(4, dtype=int), target="mean")


@counterexample
def test_equally_good_tokens_are_attended_to_equally_for_ever():
    # given  gamma = (1, 1, 1)
    s = softmax_of_powers(np.zeros((1, 3)))
    assert_identical(through_softmax(s, fractions([1, 1, 1])), 0 * s, why="gradient ascent rests")
    assert_violates(effective_number(s[0]), Fraction(3, 2), reads="{value} tokens > {limit}", gamma=[1, 1, 1])


@counterexample
def test_hypothesis_finds_rewards_whose_attention_stays_on_two_tokens():
    # given  two or three rewards that are not all equal, 50 steps of eta = 1
    def attended(gamma):
        start = np.zeros(len(gamma))
        return effective_number(softmax(at_time(logit_path(np.array(gamma, float), start, 1.0), 50)))

    rewards = st.lists(st.integers(0, 2), min_size=2, max_size=3).filter(lambda gamma: len(set(gamma)) > 1)
    found = smallest_violation(rewards, lambda gamma: attended(gamma) > 3 / 2)
    slack = 50 * 64 * UNIT_ROUNDOFF
    assert_violates(attended(found), 3 / 2, slack=slack, reads="{value} tokens > {limit}", gamma=found)


@under_hypotheses("H1", "H2", "H3")
@given_batches(task=selections())
def test_what_the_best_token_leaves_to_the_others_vanishes_like_one_over_the_steps(task):
    # given  steps eta R up to 16
    p, N, T = ascent(task), np.arange(STEPS + 1)[:, None], task.tokens
    # then   at every step, and the effective number of tokens is at most (1 + r)^2
    x = 2 * task.step * (T - 1) / T
    slow, fast = task.eta * task.lead * N / T**2, 2 * task.step * N * np.expm1(x) / x
    r, off = odds(task, p), np.exp(step_rounding(task, p) * (1 + N))
    assert_at_most((r * (1 / (T - 1) + slow)).T, off.T, why="r_N from above", instance=task)
    assert_at_most(1 / off.T, (r * (1 / (T - 1) + fast)).T, why="r_N from below", instance=task)
    assert_at_most(effective_number(softmax(p)).T, ((1 + r) ** 2 * off**2).T, why="effective number of tokens")


@under_hypotheses("H1", "H2", "H3")
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


@corrected("H1", "H2", "H3")
@given_batches(task=selections())
def test_with_a_step_below_two_over_the_range_the_reward_converges_at_its_own_rate(task):
    # given  eta R <= 2
    task = dataclasses.replace(task, step=np.minimum(task.step, 2.0))
    s, N = softmax(ascent(task)), np.arange(STEPS + 1)[:, None]
    # then   gap_N <= 1/(1/gap_0 + eta N/(2T^2)), and 1 - s_1 lies between gap/R and gap/Delta
    gap = (s * (task.of_best(task.gamma)[:, None] - task.gamma) * task.present).sum(-1)
    slack = 64 * (N + 1) * UNIT_ROUNDOFF * (1 + task.eta) * task.range
    bound = 1 / (1 / gap[0] + task.eta * N / (2 * task.tokens**2))
    assert_at_most(gap.T, (bound + slack).T, why="gamma_1 - f_N", instance=task)
    missing = 1 - task.of_best(s)
    assert_at_most((gap / task.range).T, (missing + slack / task.range).T, why="1 - s_1 from below", instance=task)
    assert_at_most(missing.T, ((gap + slack) / task.lead).T, why="1 - s_1 from above", instance=task)


def weights_along(task, eta, steps):
    """W (N + 1, B, 4, 4) of gradient ascent on gamma . softmax(XWq) from 0, and the queries as an array (B, 1, 4)."""
    q, slope = task.q[:, None, :], -task.gamma[:, None, :]
    gradient = lambda W: weight_gradient(attention(W, task.X, q), slope, task.X, q)  # noqa: E731
    return np.stack(list(islice(weight_path(np.zeros((len(q), 4, 4)), gradient, eta), steps + 1))), q


@corrected("H2", "H3")
@given_batches(task=rotated_queries())
def test_the_logits_of_a_dense_weight_matrix_follow_the_ascent_in_the_logits(task):
    # when   40 steps on all 16 entries of W
    eta, steps = 1 / 4, 40
    W, q = weights_along(task, eta, steps)
    p = logits(W, task.X, q)[:, :, 0]
    # then   each is the step of the logits, but for the rounding of X, q and of the products
    error = norm(p[1:] - at_time(logit_path(task.gamma, p[:-1], eta), 1), axis=-1)
    size = 1 + np.abs(p).max((0, -1)) + np.abs(task.gamma).max(-1)
    assert_at_most(error.max(0), 512 * UNIT_ROUNDOFF * size, why="a step of XWq", instance=task)
    # then   every gradient is a multiple of q on the right
    second = np.linalg.svd(W[-1], compute_uv=False)[:, 1]
    assert_at_most(second, 64 * steps * UNIT_ROUNDOFF * size, why="W has rank one", instance=task)


def h(z):
    return 2 * z + 2 * np.sinh(z)


@corrected("H1", "H2", "H3")
@given_batches(duel=duels())
def test_two_tokens_part_as_their_closed_form_says(duel):
    # when   the drawn number of steps
    path = np.stack(list(islice(logit_path(duel.gamma, np.zeros((len(duel.gamma), 2)), duel.eta), 201)))
    z = -np.diff(path[duel.steps, np.arange(len(duel.gamma))], axis=-1)[:, 0]
    # then   h is convex on z >= 0, and h' grows by e^(eta c/2) in a step at most
    c = duel.gamma[:, 0] - duel.gamma[:, 1]
    flow = 2 * duel.eta * c * duel.steps
    moved = 64 * duel.steps * UNIT_ROUNDOFF * (1 + duel.eta * np.abs(duel.gamma).max(-1)) * (2 + 2 * np.cosh(z))
    assert_within(flow, h(z), flow * np.exp(duel.eta * c / 2), slack=moved, why="h(p_1 - p_2)", instance=duel)


@corrected("H1", "H2", "H3")
@given_batches(duel=duels())
def test_the_gradient_flow_of_two_tokens_has_its_closed_form(duel):
    times = np.array([0.5, 2.0, 10.0])
    run = gradient_flow(lambda p: through_softmax(softmax(p), duel.gamma), np.zeros((len(duel.gamma), 2)), times)
    # then   h(p_1 - p_2) = 2ct, and h' = 2 + 2 cosh z
    z, c = -np.diff(run.states, axis=-1)[..., 0], duel.gamma[:, 0] - duel.gamma[:, 1]
    error = np.abs(h(z) - 2 * c * times[:, None])
    bound = (4 + 4 * np.cosh(z + run.error[:, None])) * (run.error[:, None] + 16 * UNIT_ROUNDOFF * (1 + z))
    assert_at_most(error.T, bound.T, why="h(p_1 - p_2) = 2ct", instance=duel)


def trained_by_torch(values, steps):
    """The output of torch's own attention over orthonormal tokens after SGD with lr 1 on W, from 0, to maximize it."""
    import torch

    tokens, values = torch.eye(len(values), dtype=torch.float64), torch.tensor(values, dtype=torch.float64)[:, None]
    W = torch.zeros_like(tokens).requires_grad_()
    optimizer = torch.optim.SGD([W], lr=1.0, maximize=True)
    for _ in range(steps):
        optimizer.zero_grad()
        torch.nn.functional.scaled_dot_product_attention(tokens[:1] @ W.T, tokens, values, scale=1.0).sum().backward()
        optimizer.step()
    return float(torch.softmax(tokens[:1] @ W.T, -1).detach() @ values)


@under_hypotheses("H1", "H2", "H3")
def test_torch_users_see_the_best_of_three_tokens_selected():
    # given  values (1, 3, 2), eta = 1, so that R = 2 and Delta = 1
    steps, slack = 50, 50 * 64 * 3 * UNIT_ROUNDOFF
    # when
    missing = 3 - trained_by_torch([1.0, 3.0, 2.0], steps)
    # then   the output misses its maximum by (1 - s_1) Delta at least and (1 - s_1) R at most
    x = 2 * 2 * 2 / 3
    most, least = 1 / (1 / 2 + steps / 9), 1 / (1 / 2 + 4 * steps * np.expm1(x) / x)
    assert_within(least / (1 + least), missing, 2 * most / (1 + most), slack=slack, why="gamma_1 - f after 50 steps")


def tied(task):
    """The task with a second token as good as its best, and the index of that token (B,)."""
    rival = (task.best + 1) % task.tokens.astype(int)
    gamma = np.array(task.gamma)
    np.put_along_axis(gamma, rival[:, None], task.of_best(gamma)[:, None], -1)
    return dataclasses.replace(task, gamma=gamma), rival


@necessity("H1")
@given_batches(task=selections())
def test_without_H1_tied_tokens_share_the_attention_for_ever(task):
    # given  a second token as good as the best one
    task, rival = tied(task)
    # when
    s = softmax(ascent(task))
    # then   their weights are the same to the last bit, so that none exceeds one half
    of_rival = dataclasses.replace(task, best=rival).of_best(s)
    assert_identical(task.of_best(s), of_rival, why="equal weights")
    assert_at_most(2 - 64 * UNIT_ROUNDOFF, effective_number(s).min(0), why="two tokens at least", instance=task)


def distance_of_pair(W):
    """DL/dW of half the square of u = s_1 - s_2, the output over the tokens 1 and -1 for the query 1."""
    X, q = np.array([[1.0], [-1.0]]), np.ones((1, 1))
    s = attention(W, X, q)
    return weight_gradient(s, s @ X @ X.T, X, q)


@necessity("H2")
def test_without_H2_a_sparse_start_becomes_dense():
    # given  the loss u^2/2, u = tanh(W) as p_1 - p_2 = 2W, and W = ln 3, where s = (9/10, 1/10) and u = 4/5
    steps, kept = 200, 1 - 4 / 5 * (1 - 16 / 25) / np.log(9)
    # when   eta = 1/2: W goes to W - u(1 - u^2)/2
    path = islice(weight_path(np.full((1, 1), np.log(3)), distance_of_pair, 1 / 2), steps + 1)
    W, N = np.array([w[0, 0] for w in path]), np.arange(steps + 1)
    # then   u(1 - u^2)/(2W) falls in W, from 1/2 at 0 to its value at the start
    slack = 64 * UNIT_ROUNDOFF * steps
    assert_within(W[0] * 2.0**-N, W, W[0] * kept**N, slack=slack, why="half the difference of the logits")
    assert_at_most(kept**steps, 1e-9, why="the weights are equal but for a billionth")


@necessity("H3")
def test_without_H3_a_best_token_between_the_others_leaves_attention_dense_for_ever():
    # given  the tokens 0, 1, 2 on a line, gamma = (0, 1, 0), q = 1: s_2 = 1/(1 + 2 cosh W) is largest at W = 0
    X, s = fractions([[0], [1], [2]]), softmax_of_powers(np.zeros((1, 3)))
    gradient = weight_gradient(s, fractions([[0, -1, 0]]), X, fractions([[1]]))
    # then
    assert_identical(gradient, fractions([[0]]), why="gradient ascent rests at W = 0")
    assert_identical(effective_number(s[0]), 3, why="effective number of tokens")
