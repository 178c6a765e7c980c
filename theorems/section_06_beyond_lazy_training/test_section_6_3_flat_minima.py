r"""Section 6.3: flat minima - gradient descent finds no flatter minima than its step forces, and flat is not good.

Section     6.3
Printed     Gradient descent finds flatter minima (lower sharpness) than random search or adversarial optimization, and
            flat minima correlate with better generalization
Reading     An observation, without a law of the random search or a set of problems. As a statement about all of them it
            has counterexamples; what is left of (a) is a theorem about the step, and experiments whose outcome depends
            on the law. Adversarial optimization is gradient descent from a start chosen by an adversary, for which the
            theorem holds as well; its flatness then differs by no more than the start's.
Setting     $L = \frac{1}{2n} \sum_i (f(x_i) - y_i)^2$, S the largest eigenvalue of its Hessian at a minimum (Definition
            6.1). One sample: f = uv, of minima uv = y and sharpness $u^2 + v^2$ there; $r = uv - y$
Hypotheses  Of the corrected statement: (H1) the run converges: $|r_t|$ falls.  (H2) it does not start on a sharp
            minimum, nor on the set of measure zero that is led to one.
Parts       (a) gradient descent finds flatter minima than random search - refuted
            (b) flat minima generalize better - refuted
Corrected   (a): a minimum to which gradient descent with the step eta converges has $S \le 2/\eta$ but for starts of
            measure zero; for f = uv, while the residual falls, $u^2 + v^2 \le 2/\eta + \eta |r| |r + y|$.
Idea        (a): near a sharper minimum the top mode of the error grows. For f = uv one step multiplies r by exactly
            $1 - \eta(u^2 + v^2) + \eta^2 r (r + y)$. The bound binds only where the step is large; below it the minimum
            is the one next to the start. (b): sharpness weighs the inputs and the split of a product between its
            factors, none of which knows the target.
Source      Wu, Ma, E (2018), How SGD Selects the Global Minima in Over-parameterized Learning: A Dynamical Stability
            Perspective (linear stability); Dinh, Pascanu, Bengio, Bengio (2017), Sharp Minima Can Generalize for Deep
            Nets; Lewkowycz, Bahri, Dyer, Sohl-Dickstein, Gur-Ari (2020), The Large Learning Rate Phase of Deep Learning
            (f = uv); the witnesses are ours
Tolerance   Witnesses are rational. The bound of f = uv is exact at every step that lowers |r|; what is left is
            rounding. Experiments are from fixed seeds, and what they assert is what was measured.
Findings    In a linear model all minima are equally sharp, so that nothing can be flatter. For ReLU networks on scalar
            inputs the comparison can be made to come out either way: with eta lambda_max(K_0) = 1/2, gradient descent
            is flatter in 8 of 8 runs than least-norm output weights on random neurons ten times as large, and sharper
            in 8 of 8 than the same functions with balanced neurons. Neither has the lower test error throughout.
Expected    refuted
"""

import dataclasses
import functools
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.linalg import norm

from fixtures.dynamics.factored_descent import product_step
from fixtures.dynamics.two_layer import fit
from fixtures.models.two_layer import two_layer
from fixtures.precision import UNIT_ROUNDOFF
from fixtures.problems.batches import given_batches
from fixtures.problems.regression import regressions
from fixtures.problems.tapes import tapes
from fixtures.rational import fractions
from properties.certificates import assert_at_most, assert_identical, assert_violates, assert_within
from properties.search import smallest_violation
from properties.sharpness import sharpness
from theorems.ledger import corrected, counterexample, necessity, observed

SETTLED, CONVERGED, BUDGET = 1e-6, 1e-9, 3000
RUNS = 8


@dataclasses.dataclass(frozen=True)
class ProductRun:
    """A start (u, v) of gradient descent on (1/2)(uv - y)^2 with the step eta; one run, or a batch."""

    u: float
    v: float
    y: float
    eta: float


@st.composite
def product_runs(draw):
    """Starts with eta(u^2 + v^2) in {1/2, 1.9, 2.5, 3}, off the lines |u| = |v| that are led to a saddle or to balance.

    u : v in small integers, eta y in {1/4, 1/8, 1/16}, eta in {1, 1/4, 1/100}. All 288 runs of eta = 1 were tried: they
    converge within BUDGET steps. Shrinks to u : v = 1 : 2.
    """
    tape = draw(tapes(4))
    u, v = tape.choice([(u, sign * v) for u in range(1, 6) for v in range(1, 4) for sign in (1, -1) if u != v])
    sharpness, y, eta = tape.choice((0.5, 1.9, 2.5, 3.0)), tape.choice((4, 8, 16)), tape.choice((1.0, 0.25, 0.01))
    scale = np.sqrt(sharpness / (eta * (u**2 + v**2)))
    return ProductRun(u * scale, v * scale, 1 / (y * eta), eta)


def settle(runs):
    """Every run at the last step before |eta r| falls below SETTLED for the first time, and eta |r| after BUDGET."""
    u, v = runs.u, runs.v
    at = before = (u, v)
    open_ = np.full(np.shape(u), True)
    for _ in range(BUDGET):
        at = tuple(np.where(open_, now, kept) for now, kept in zip(before, at, strict=True))
        open_ &= np.abs(u * v - runs.y) * runs.eta > SETTLED
        before, (u, v) = (u, v), product_step(u, v, runs.y, runs.eta)
    return at, runs.eta * np.abs(u * v - runs.y)


def sharpness_of_product(u, v):
    """U^2 + v^2: the sharpness of (1/2)(uv - y)^2 where uv = y."""
    return u * u + v * v


def diagonal_minima(p, q):
    """Two minima of f(x) = u_1 v_1 x_1 + u_2 v_2 x_2 on the sample x = (p^2, q^2), y = p^2 q^2, with factors u = v.

    As pairs (beta, S): beta = (q^2, 0) and (0, p^2), S = sum_j x_j^2 (u_j^2 + v_j^2) for one sample. Exact.
    """
    x, factors = fractions([p**2, q**2]), fractions([[q, 0], [0, p]])
    return [(u * u, sum(x * x * 2 * u * u)) for u in factors]


def risk(beta, truth):
    """The mean of (1/2)(beta.x - truth.x)^2 over x = e_1, e_2."""
    return sum((beta - truth) ** 2) / 4


def sharpness_of_network(net, X):
    """lambda_max(K)/n, the sharpness of (1/2n) sum r^2 where r = 0."""
    return np.linalg.eigvalsh(net.kernel(X))[..., -1] / X.shape[-2]


def balanced(net):
    """The same ReLU function with |w_j| = |a_j| in every neuron, both 0 where a_j is."""
    length = norm(net.W, axis=-1)
    size = np.sqrt(length * np.abs(net.a))
    return dataclasses.replace(net, W=net.W * (size / length)[..., None], a=np.sign(net.a) * size)


@functools.cache
def scalar_regression():
    """Gradient descent and random interpolants of sin(2x) at 4 points: their sharpness and test error, (RUNS,) each.

    30 ReLU neurons on (x, 1) at the standard initialization, eta lambda_max(K_0) = 1/2, to a loss of 1e-6. The random
    interpolants have hidden weights of the same law and the output weights of least norm; "large" ones ten times the
    hidden weights, "balanced" ones the same function in balanced neurons.
    """
    points, grid = np.linspace(-1, 1, 4), np.linspace(-1, 1, 201)
    X, Z = (np.stack([x, np.ones_like(x)], axis=1) for x in (points, grid))
    y, target = np.sin(2 * points), np.sin(2 * grid)
    start = two_layer("standard", 30, 2, np.arange(RUNS))
    eta = 0.5 / np.linalg.eigvalsh(start.kernel(X))[:, -1]
    trained = fit(start, X, y, eta, loss=1e-6, budget=20_000, every=200)
    random = two_layer("standard", 30, 2, 100 + np.arange(RUNS))
    features = [np.maximum(X @ W.T, 0) for W in random.W]
    random = dataclasses.replace(random, a=np.stack([np.linalg.lstsq(H, y)[0] for H in features]))
    large = dataclasses.replace(random, W=10 * random.W, a=random.a / 10)
    networks = {"trained": trained, "large": large, "balanced": balanced(random)}
    flatness = {name: sharpness_of_network(net, X) for name, net in networks.items()}
    errors = {name: np.mean((net.predict(Z) - target) ** 2, axis=-1) for name, net in networks.items()}
    return flatness, errors


@counterexample(part="(a)")
def test_gradient_descent_ends_sharper_than_a_random_search_on_the_integers():
    # given  f = uv, y = 1: a random search of the integers can only find (1, 1) and (-1, -1), both of sharpness 2
    u, v, eta = Fraction(2), Fraction(0), Fraction(1, 4)
    # when   one step of gradient descent with eta < 2/S, which ends in a minimum
    u, v = product_step(u, v, 1, eta)
    assert_identical(u * v, 1, why="gradient descent has fitted the sample")
    assert_at_most(sharpness_of_product(u, v), 2 / eta, why="S <= 2/eta")
    # then
    found = sharpness_of_product(u, v)
    assert_violates(found, 2, reads="sharpness {value} > {limit} of the search", start=[2, 0], y=1, eta=eta)


@counterexample(part="(a)")
def test_hypothesis_finds_a_random_minimum_flatter_than_that_of_gradient_descent():
    # given  a start (u, 0), the step 1/u^2 that fits y = pq in one step, and the integer minimum (p, q)
    def sides(instance):
        u, p, q = instance
        trained = product_step(Fraction(u), Fraction(0), p * q, Fraction(1, u * u))
        assert trained[0] * trained[1] == p * q
        return sharpness_of_product(*trained), Fraction(p * p + q * q)

    found = smallest_violation(
        st.tuples(*[st.integers(1, 6)] * 3), lambda instance: sides(instance)[0] > sides(instance)[1]
    )
    ours, theirs = sides(found)
    assert_violates(ours, theirs, reads="sharpness {value} > {limit} of a random minimum", u=found[0], pq=found[1:])


@counterexample(part="(a)")
@given_batches(problem=regressions())
def test_in_a_linear_model_no_minimum_is_flatter_than_another(problem):
    # given  the least interpolant and a random one, off it by the null part of w0; L is sampled around both
    w = np.matvec(problem.V, problem.divide_by_s(problem.modes(problem.y)))
    other, top = w + problem.in_null_space(problem.w0), problem.V[..., 0]
    rise = [((np.matvec(problem.X, at + top) - problem.y) ** 2).sum(-1) / (2 * problem.rows) for at in (w, other)]
    # then   S/2 = s_1^2/(2n) is the rise along the top eigenvector, from both
    size = norm(w, axis=-1) + norm(problem.w0, axis=-1) + norm(problem.y, axis=-1) + 1
    rounding = 64 * (problem.rows + problem.columns) * problem.condition * UNIT_ROUNDOFF * size**2
    S = problem.sigma_max**2 / problem.rows
    assert_at_most(np.abs(np.array(rise) - S / 2).max(0), rounding, why="sharpness of two minima", instance=problem)


@corrected(part="(a)")
@given_batches(runs=product_runs())
def test_where_gradient_descent_settles_the_sharpness_is_at_most_two_over_eta(runs):
    # given  H2: starts off the minima, some of them with eta(u^2 + v^2) > 2
    (u, v), left = settle(runs)
    assert_at_most(left, CONVERGED, why="the run has converged within its budget", instance=runs)
    # given  H1: the next step lowered |r|, to below SETTLED/eta for the first time
    r = np.abs(u * v - runs.y)
    after = product_step(u, v, runs.y, runs.eta)
    assert_at_most(np.abs(after[0] * after[1] - runs.y), r, why="the residual falls")
    # then
    bound = 2 / runs.eta + runs.eta * r * (r + runs.y)
    rounding = 16 * UNIT_ROUNDOFF * bound
    assert_at_most(sharpness_of_product(u, v), bound + rounding, why="S <= 2/eta", instance=runs)


@corrected(part="(a)")
@pytest.mark.parametrize("target", [1.0, 1.9, 1.99])
def test_any_sharpness_below_two_over_eta_is_the_limit_of_a_run(target):
    # given  eta = 1, y = 1/16 and a start at r = 10^-5 from a minimum of this sharpness
    y, r = 1 / 16, 1e-5
    u = np.sqrt((target + np.sqrt(target**2 - 4 * y**2)) / 2)
    start = ProductRun(*(np.array([value]) for value in (u, (y + r) / u, y, 1.0)))
    # when
    (u, v), left = settle(start)
    assert_at_most(left, CONVERGED, why="the run has converged within its budget")
    # then   u^2 + v^2 changes by -4 r(r + y) + r^2 (u^2 + v^2) in a step, and r shrinks by 0.995 at least
    drift = (4 * r * (r + y) + 2 * r**2) / 0.005 + 2 * r
    assert_within(target - drift, sharpness_of_product(u, v), target + drift, why="the sharpness of the start")


@corrected(part="(a)")
@given(tapes(4))
def test_a_step_multiplies_the_residual_by_what_the_sharpness_says(tape):
    u, v, y, eta = fractions(tape.integers(4, 16).astype(int)) / 4
    # when
    r, (after_u, after_v) = u * v - y, product_step(u, v, y, eta)
    # then
    factor = 1 - eta * sharpness_of_product(u, v) + eta**2 * r * (r + y)
    assert_identical(after_u * after_v - y, factor * r, why="residual after one step")


@observed(part="(a)")
def test_tanh_networks_that_start_outside_stability_end_inside():
    # given  24 networks of 10 neurons, 4 samples in R^3, eta lambda_max(K_0) = 2.2, the loss (1/2) sum r^2
    rng = np.random.default_rng(5)
    X, y = rng.standard_normal((24, 4, 3)), rng.integers(0, 2, (24, 4)) - 0.5
    start = two_layer("ntk", 10, 3, np.arange(24), activation="tanh")
    eta = 2.2 / np.linalg.eigvalsh(start.kernel(X))[:, -1]
    # when   to a loss of 1e-12
    found = fit(start, X, y, eta, loss=1e-12, budget=40_000, every=100)
    # then   the largest eta S/2 measured is 0.9962
    assert_at_most(eta * 4 * sharpness_of_network(found, X) / 2, 1.0, why="eta S/2 after training")


@observed(part="(a)")
def test_gradient_descent_is_flatter_than_random_interpolants_with_large_hidden_weights():
    flatness, _ = scalar_regression()
    # then   S is 10 to 27 against 800 to 2800
    assert_at_most(flatness["trained"], flatness["large"], why="sharpness of gradient descent, 8 of 8")


@observed(part="(a)")
def test_gradient_descent_is_sharper_than_the_same_interpolants_with_balanced_neurons():
    flatness, _ = scalar_regression()
    # then   S is 10 to 27 against 2.7 to 5.3
    assert_at_most(flatness["balanced"], flatness["trained"], why="sharpness of balanced interpolants, 8 of 8")


@observed(part="(b)")
def test_the_flatter_of_two_networks_has_the_lower_test_error_in_some_runs_and_the_higher_in_others():
    _, errors = scalar_regression()
    # then   balanced interpolants are flatter in all runs, and better in 5 of 8
    gains = errors["trained"] - errors["balanced"]
    assert_at_most(gains.min(), 0.0, why="a run in which the flatter network is worse")
    assert_at_most(0.0, gains.max(), why="a run in which it is better")


@counterexample(part="(b)")
def test_the_flatter_of_two_minima_generalizes_worse():
    # given  x = (1, 4), y = 4, and the truth beta = (0, 1), which is the sharper minimum
    (flat, flatter), (sharp, sharper) = diagonal_minima(1, 2)
    assert_identical([flat @ fractions([1, 4]), sharp @ fractions([1, 4])], [4, 4], why="both fit the sample")
    assert_at_most(flatter, sharper, why="sharpness 8 against 32")
    # then
    reads = "risk {value} of the flatter minimum > risk {limit} of the sharper one"
    assert_violates(risk(flat, sharp), risk(sharp, sharp), reads=reads, x=[1, 4], y=4, S=[flatter, sharper])


@counterexample(part="(b)")
@pytest.mark.parametrize(("factors", "S"), [((2.0, 0.0), 8), ((0.0, 1.0), 32)])
def test_autograd_finds_the_sharpness_of_both_minima(factors, S):
    import torch

    u, v = (torch.tensor(factors, dtype=torch.float64, requires_grad=True) for _ in range(2))
    x = torch.tensor([1.0, 4.0], dtype=torch.float64)
    found = sharpness(lambda: ((u * v) @ x - 4).square() / 2, [u, v])
    assert_within(found.lower, S, found.upper, why="the sharpness, which 8 or 32 is of this minimum")


@counterexample(part="(b)")
def test_hypothesis_finds_a_flatter_minimum_that_generalizes_worse():
    # given  x = (p^2, q^2) and one of the two minima as the truth
    def flat_and_sharp(instance):
        p, q, truth = instance
        minima = diagonal_minima(p, q)
        return [(S, risk(beta, minima[truth][0])) for beta, S in sorted(minima, key=lambda minimum: minimum[1])]

    def worse(instance):
        (flat, flat_risk), (sharp, sharp_risk) = flat_and_sharp(instance)
        return flat < sharp and flat_risk > sharp_risk

    found = smallest_violation(st.tuples(st.integers(1, 4), st.integers(1, 4), st.integers(0, 1)), worse)
    (flat, value), (sharp, limit) = flat_and_sharp(found)
    assert_violates(value, limit, reads="risk {value} of the flatter > risk {limit}", pq=found[:2], S=[flat, sharp])


@counterexample(part="(b)")
@given(st.integers(1, 9), st.integers(1, 9))
def test_over_both_truths_sharpness_and_risk_are_uncorrelated(p, q):
    # given  each minimum is the truth once
    minima = diagonal_minima(p, q)
    middle = sum(S for _, S in minima) / 2
    # then   the covariances of S and risk cancel
    covariances = [sum((S - middle) * risk(beta, truth) for beta, S in minima) / 2 for truth, _ in minima]
    assert_identical(sum(covariances), 0, why="covariance over both truths")


@counterexample(part="(b)")
@given(st.integers(1, 50), st.integers(1, 50))
def test_one_function_has_one_risk_and_every_sharpness(p, q):
    # given  f = uv at u = c, v = 1/c: the same prediction 1 for every c = p/q
    c = Fraction(p, q)
    u, v = c, 1 / c
    assert_identical(u * v, 1, why="prediction")
    # then   a distribution over c correlates sharpness with nothing: S runs from 2 up
    assert_at_most(2 + (c - 1 / c) ** 2, sharpness_of_product(u, v), why="sharpness")


@necessity("H1", part="(a)")
def test_without_H1_the_sharpness_is_whatever_the_start_had():
    # given  u = 3/2, v = 1/2, y = 1/8, eta = 1, where |r| = 5/8 rises
    u, v, y = Fraction(3, 2), Fraction(1, 2), Fraction(1, 8)
    after = product_step(u, v, y, Fraction(1))
    assert_identical(after[0] * after[1] - y, Fraction(-33, 32) * (u * v - y), why="residual after one step")
    # then   5/2 exceeds 2/eta + eta |r| |r + y| = 2 + 15/32
    bound = 2 + (u * v - y) * u * v
    assert_at_most(bound, sharpness_of_product(u, v), why="the sharpness exceeds the bound")


@necessity("H2", part="(a)")
@given(st.integers(2, 1000))
def test_without_H2_gradient_descent_stays_on_a_sharp_minimum_that_its_neighbors_leave(k):
    # given  u = 2, v = 1/2, y = 1, eta = 1: S = 17/4 > 2/eta
    u, v, eta = Fraction(2), Fraction(1, 2), Fraction(1)
    assert_identical(product_step(u, v, 1, eta), (u, v), why="gradient descent rests")
    # when   v is off by 1/(8k)
    v += Fraction(1, 8 * k)
    after = product_step(u, v, 1, eta)
    # then   the residual triples, but for a term of its own square
    r = abs(u * v - 1)
    assert_at_most(2 * r, abs(after[0] * after[1] - 1), why="residual after one step")
