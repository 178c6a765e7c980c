r"""Section 9.3: sparse attention - what trained transformers show, and when one token must take all the attention.

Section     9.3
Printed     Despite dense parameterization, learned attention patterns are often sparse, focusing on relevant tokens, an
            implicit feature selection mechanism
Kind        observation: "often"
Reading     Transformers trained on digits, as in the row on low rank and by the same rule. Sparse: a query attends
            effectively, by $1/\sum_j s_j^2$, to at most a quarter of the tokens, 4 of 16. Often: more than half of the
            queries, over layers and unseen images, in the mean over seeds. Which tokens are relevant the print does not
            say, so that sparseness alone is measured
Setting     For the clauses: one query q, |q| = 1 (of several, orthonormal ones, each learns by itself), and T tokens,
            the rows of X: the logits are $p = XWq$, the weights $s = \operatorname{softmax}(p)$. Gradient ascent on W,
            dense, in $f = \gamma^\top s$, under H3 $p \leftarrow p + \eta\, s \circ (\gamma - f)$ from 0. The best
            token is 1, $\Delta = \gamma_1 - \max_{j > 1} \gamma_j$, $R = \max \gamma - \min \gamma$, and
            $r = (1 - s_1)/s_1$
Hypotheses  Of C1 and C2: (H1) one token has the largest $\gamma$.  (H2) the loss is linear in s, as f is.  (H3) the
            tokens are orthonormal, and W starts from 0.
Corrected   (C1) Under H1, H2 and H3, for every step $\eta > 0$, all $p_1 - p_j$ rise, and $\eta\Delta N/T^2 \le 1/r_N -
            1/r_0 \le 2\eta R N (e^x - 1)/x$, $x = 2\eta R (T - 1)/T$: the best token takes all the attention, and what
            it leaves to the others vanishes like 1/N, no faster. (C2) Under H1, H2 and H3, for $\eta \le 2/R$,
            $\gamma_1 - f_N \le 1/(1/(\gamma_1 - f_0) + \eta (1 - \eta R/4) N/T^2)$. (C3) Under H2 and H3 the logits of
            the dense W follow the ascent in p, and W keeps rank one. (C4) For two tokens with $c = \gamma_1 - \gamma_2$
            and $h(z) = 2z + e^z - e^{-z}$, under H2 and H3, gradient flow has $h(p_1 - p_2) = 2ct$, gradient ascent
            $2\eta c N \le h(p_1 - p_2) \le 2\eta c N e^{\eta c/2}$. (C5) Attention need not become sparse: a target
            that is the average of four orthonormal tokens is fitted by equal weights and by no others; where all tokens
            are equally good, ascent rests at any weights, such as equal ones and (9/10, 1/10); the tokens 1 and -1 with
            the loss $(s_1 - s_2)^2/2$ go from the weights (9/10, 1/10) to equal ones. (C6) A token that is the mean of
            two others never has more than a third of the attention, for any W and q, which it has for W = 0
Idea        $p_1 - p_j$ rises by $\eta(s_1(\gamma_1 - f) - s_j(\gamma_j - f)) \ge \eta s_1 \min(\gamma_1 - f, \Delta)
            \ge \eta s_1(1 - s_1)\Delta$, as $s_j \le s_1$, and by at most $\eta(1 + s_1)(1 - s_1)R$. The odds r fall by
            the exponentials of that. $|\nabla f| \ge (\gamma_1 - f)/T$, and f has the curvature R/2 at most. Softmax
            weights are positive at every finite time, so that sparse can only be a limit, or a number.
Source      Mei, Xiao, Szepesvari, Schuurmans (2020), On the Global Convergence Rates of Softmax Policy Gradient
            Methods, ICML (the rate 1/t and a lower bound of its order); Tarzanagh, Li, Thrampoulidis, Oymak (2023),
            Transformers as Support Vector Machines, arXiv:2308.16898 (which token is selected). The constants, and that
            no step is too large, are ours
Tolerance   The rule, the quarter, the population and its five seeds were fixed before they were run: 95 % intervals,
            Student's over seeds; reproduced above one half, not below, else inconclusive. Clauses hold at every step:
            the rounding of a step moves a difference of logits by at most $2u(\eta (T + 10) \max|\gamma| + \max|p|)$,
            and r by the exponential of the sum. Flows carry the error of the integrator.
Chance      The interval misses with probability 5 % if effects of seeds are normal, which five seeds cannot show
Findings    On digits a share of 0.73 [0.50, 0.95] of the queries ends sparse, none of them at the start, where
            attention is nearly uniform: training made attention sparser for every seed, but in one half of it is dense,
            and five seeds cannot say whether more than half is the rule. The lower end is so near to one half that the
            rounding of another machine may decide. Of C1, a rate like 1/N needs no bound on eta; that of C2 is shown
            for $\eta \le 2/R$. By C5 an average is learned as a dense pattern, from a sparse start too, and where all
            tokens are equally good the pattern of the start stays
Expected    inconclusive
"""

import dataclasses
from fractions import Fraction
from itertools import islice

import numpy as np
import pytest
from hypothesis import given
from numpy.linalg import norm

from fixtures.dynamics.attention import logit_path, weight_path
from fixtures.dynamics.gradient_flow import gradient_flow
from fixtures.dynamics.paths import at_time
from fixtures.models.attention import attention, logits, softmax, softmax_of_powers, through_softmax, weight_gradient
from fixtures.precision import UNIT_ROUNDOFF
from fixtures.problems.attention import Selection, duels, rotated_queries, selections
from fixtures.problems.batches import given_batches
from fixtures.problems.tapes import tapes
from fixtures.rational import fractions
from properties.certificates import assert_at_most, assert_identical, assert_keeps, assert_within, record_finding
from theorems.ledger import corrected, measured, necessity, observed
from theorems.section_09_architectures.attention_runs import (
    LOSS,
    SEEDS,
    WHERE,
    often,
    share_of_low_rank,
    share_of_sparse_rows,
)
from theorems.section_09_architectures.attention_runs import trained as trained_transformer

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


@measured
def test_of_trained_transformers_more_than_half_of_the_queries_attend_to_a_quarter_of_the_tokens():
    # given  transformers trained to a mean loss of LOSS, and images that they have not seen
    runs = [trained_transformer(seed) for seed in SEEDS]
    assert_at_most(np.array([run.loss for run in runs]), LOSS, why="the training loss was reached")
    # when   the share of sparse queries at the end, and at the start
    end, start = (
        [share_of_sparse_rows(P) for P in pair] for pair in zip(*((r.P, r.P_start) for r in runs), strict=True)
    )
    finding, interval = often(end)
    # then
    reads = f"share of sparse queries {{estimate}} [{{lower}}, {{upper}}], {np.mean(start):.2g} at the start"
    record_finding(finding, interval, where=WHERE, trials=len(runs), reads=reads)


@observed
def test_the_rule_calls_three_of_sixteen_low_and_five_not_of_tokens_and_of_ranks_alike():
    # given  queries that attend to blocks of equal tokens: 16 in blocks of 3 and a rest of 1, of 5 and a rest of 1
    def shares(size):
        blocks = np.arange(15) // size
        P = np.zeros((16, 16))
        P[:15, :15] = (blocks[:, None] == blocks) / size
        P[15] = P[0]
        return share_of_sparse_rows(P), share_of_low_rank(P)

    # then   blocks of 3 make five dimensions, and blocks of 5 make three
    assert_identical([shares(3), shares(5)], [[1, 0], [0, 1]], why="shares of sparse queries, and of low-rank matrices")
    # then   a quarter on one token and the rest on twelve is effectively 256/28 tokens
    spread = np.repeat([1 / 4, 1 / 16, 0], [1, 12, 3])
    assert_identical(share_of_sparse_rows(np.tile(spread, (16, 1))), 0, why="one heavy token is not sparse")
    assert_identical([often([0.5, 0.6, 0.7])[0], often([0.6, 0.61])[0]], ["inconclusive", "reproduced"], why="often")


@corrected("C5")
def test_a_target_that_is_an_average_is_best_attended_to_densely():
    # given  four orthonormal tokens, weights 1/4, the loss (1/2)|X's - mean|^2
    X, s = fractions(np.eye(4, dtype=int)), softmax_of_powers(np.zeros((1, 4)))
    residual = s @ X - X.mean(0)
    # then   the loss is 0 and its gradient as well, and no other weights have the output
    assert_identical(residual, 0 * residual, why="the loss is 0")
    assert_identical(through_softmax(s, residual @ X.T), 0 * s, why="gradient descent rests")
    assert_identical(effective_number(s[0]), 4, why="the optimum attends to four tokens")


@corrected("C5")
def test_equally_good_tokens_are_attended_to_equally_for_ever():
    # given  gamma = (1, 1, 1)
    s = softmax_of_powers(np.zeros((1, 3)))
    assert_identical(through_softmax(s, fractions([1, 1, 1])), 0 * s, why="gradient ascent rests")
    assert_identical(effective_number(s[0]), 3, why="effective number of tokens")
    # then   two of them rest at unequal weights as well
    unequal = fractions([["9/10", "1/10"]])
    assert_identical(through_softmax(unequal, fractions([1, 1])), 0 * unequal, why="so it does when it is sparse")


@corrected("C6")
@given(tape=tapes(9))
def test_a_token_halfway_between_two_others_never_has_more_than_a_third_of_the_attention(tape):
    # given  integer tokens 2y, y + z and 2z in two dimensions, one more, and a row q'W' in units of log 2
    y, z, last, w = tape.integers((4, 2), 3)
    exponents = np.stack([y + z, 2 * y, 2 * z, last]) @ w
    third = Fraction(1, 3)
    assert_at_most(softmax_of_powers(exponents[None])[0, 0], third, why="attention on y + z")
    assert_identical(softmax_of_powers(np.zeros((1, 3)))[0, 0], third, why="attained for W = 0 by three tokens")


@corrected("C1", "H1", "H2", "H3")
@pytest.mark.slow
@given_batches(task=selections(most=40, steps=(1.0, 2.0**-10, 2.0**8, 2.0**-4, 64.0), leads=(1.0, 2.0**-20, 2.0**20)))
def test_so_it_does_for_forty_tokens_extreme_steps_and_extreme_leads(task):
    certify_odds(task)


@corrected("C1", "H1", "H2", "H3")
@given_batches(task=selections())
def test_what_the_best_token_leaves_to_the_others_vanishes_like_one_over_the_steps(task):
    certify_odds(task)


def certify_odds(task):
    """Certify the bounds of C1 along an ascent, at every step."""
    p, N, T = ascent(task), np.arange(STEPS + 1)[:, None], task.tokens
    # the effective number of tokens is at most (1 + r)^2
    (r, slow, fast), off = odds_and_bounds(task, p, N), np.exp(step_rounding(task, p) * (1 + N))
    assert_at_most((r * (1 / (T - 1) + slow)).T, off.T, why="r_N from above", instance=task)
    assert_at_most(1 / off.T, (r * (1 / (T - 1) + fast)).T, why="r_N from below", instance=task)
    assert_at_most(effective_number(softmax(p)).T, ((1 + r) ** 2 * off**2).T, why="effective number of tokens")


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


def gap_and_bound(task, s, N):
    """Gamma_1 - f along weights s (N + 1, B, T), and its bound 1/(1/gap_0 + eta (1 - eta R/4) N/T^2), (N + 1, B)."""
    gap = (s * (task.of_best(task.gamma)[:, None] - task.gamma) * task.present).sum(-1)
    return gap, 1 / (1 / gap[0] + task.eta * (1 - task.step / 4) * N / task.tokens**2)


def lone_best(tokens, step):
    """One of `tokens` rewards is 1 and the others are 0; eta R = step."""
    gamma = np.eye(1, tokens)
    return Selection(gamma, np.ones((1, tokens)), np.array([0]), np.ones(1), np.ones(1), np.array([step]))


def odds_and_bounds(task, p, N):
    """R along the logits p, and the two bounds of 1/r_N - 1/r_0, all (N + 1, B)."""
    x = 2 * task.step * (task.tokens - 1) / task.tokens
    slow, fast = task.eta * task.lead * N / task.tokens**2, 2 * task.step * N * np.expm1(x) / x
    return odds(task, p), slow, fast


@observed
def test_the_constants_of_C1_and_C2_are_attained_but_for_less_than_one_half():
    # given  six tokens and a short first step; two tokens and 300 steps of one half
    first, long = lone_best(6, 1 / 64), lone_best(2, 1 / 2)
    p, q, N = ascent(first, 1), ascent(long), np.arange(STEPS + 1)[:, None]
    # then   near 5/6 of what happens, from below
    r, slow, _ = odds_and_bounds(first, p, N[:2])
    assert_at_most((1 / r[1] - 1 / r[0]) / 2, slow[1], why="1/r from below, C1")
    gap, bound = gap_and_bound(first, softmax(p), N[:2])
    assert_at_most((1 / gap[1] - 1 / gap[0]) / 2, 1 / bound[1] - 1 / gap[0], why="1/(gamma_1 - f) from below, C2")
    # then   near 3/4 of the bound, from above
    r, _, fast = odds_and_bounds(long, q, N)
    assert_at_most(fast[-1] / 2, 1 / r[-1] - 1 / r[0], why="1/r from above, C1")


@corrected("C2", "H1", "H2", "H3")
@given_batches(task=selections())
def test_with_a_step_below_two_over_the_range_the_reward_converges_at_its_own_rate(task):
    # given  eta R <= 2
    task = dataclasses.replace(task, step=np.minimum(task.step, 2.0))
    s, N = softmax(ascent(task)), np.arange(STEPS + 1)[:, None]
    # then   gap_N is bounded, and 1 - s_1 lies between gap/R and gap/Delta
    gap, bound = gap_and_bound(task, s, N)
    slack = 64 * (N + 1) * UNIT_ROUNDOFF * (1 + task.eta) * task.range
    assert_at_most(gap.T, (bound + slack).T, why="gamma_1 - f_N", instance=task)
    missing = 1 - task.of_best(s)
    assert_at_most((gap / task.range).T, (missing + slack / task.range).T, why="1 - s_1 from below", instance=task)
    assert_at_most(missing.T, ((gap + slack) / task.lead).T, why="1 - s_1 from above", instance=task)


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
    # then   each is the step of the logits, but for the rounding of X, q and of the products
    error = norm(p[1:] - at_time(logit_path(task.gamma, p[:-1], eta), 1), axis=-1)
    size = 1 + np.abs(p).max((0, -1)) + np.abs(task.gamma).max(-1)
    assert_at_most(error.max(0), 512 * UNIT_ROUNDOFF * size, why="a step of XWq", instance=task)
    # then   every gradient is a multiple of q on the right
    second = np.linalg.svd(W[-1], compute_uv=False)[:, 1]
    assert_at_most(second, 64 * steps * UNIT_ROUNDOFF * size, why="W has rank one", instance=task)


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
    moved = 64 * duel.steps * UNIT_ROUNDOFF * (1 + duel.eta * np.abs(duel.gamma).max(-1)) * (2 + 2 * np.cosh(z))
    assert_within(flow, h(z), flow * np.exp(duel.eta * c / 2), slack=moved, why="h(p_1 - p_2)", instance=duel)


@corrected("C4", "H2", "H3")
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


@corrected("C1")
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
    assert_keeps(H2=True, H3=(task.present == 0) | (task.start == 0))
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
def test_without_H2_a_loss_that_wants_three_quarters_gets_three_quarters():
    # given  two orthonormal tokens, W = 0, and the loss (s_1 - 3/4)^2/2; at the start token 1 alone is wanted
    X, W, q, t, steps = np.eye(2), np.zeros((2, 2)), np.eye(1, 2), 3 / 4, 400
    assert_keeps(H1=attention(W, X, q)[0, 0] < t, H3=np.array_equal(X @ X.T, np.eye(2)) and not W.any())
    gradient = lambda W: weight_gradient(attention(W, X, q), [[1, 0]] * (attention(W, X, q) - t), X, q)  # noqa: E731
    # when   eta = 1
    s = attention(at_time(weight_path(W, gradient, 1.0), steps), X, q)[0]
    # then   p_1 - p_2 approaches log 3 from below, by 1 - 2(t(1 - t))^2 a step at least
    error = np.log(3) / 4 * (1 - 2 * (t * (1 - t)) ** 2) ** steps + 64 * steps * UNIT_ROUNDOFF
    assert_at_most(abs(s[0] - t), error, why="s_1 tends to 3/4")


@corrected("C5")
def test_a_pair_that_should_balance_becomes_dense_from_a_sparse_start():
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
    X, gamma, s = fractions([[0], [1], [2]]), fractions([[0, 1, 0]]), softmax_of_powers(np.zeros((1, 3)))
    assert_keeps(H1=(gamma == gamma.max()).sum() == 1, H2=True)
    gradient = weight_gradient(s, -gamma, X, fractions([[1]]))
    # then
    assert_identical(gradient, fractions([[0]]), why="gradient ascent rests at W = 0")
    assert_identical(effective_number(s[0]), 3, why="effective number of tokens")
