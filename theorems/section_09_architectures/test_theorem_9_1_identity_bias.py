r"""Theorem 9.1 - small branches trained from zero stay near the identity: gradual, well conditioned and smooth.

Section     9.1
Printed     Residual networks exhibit implicit bias toward identity-like transformations in early training, leading to:
            1. More gradual feature changes across layers. 2. Better conditioning of optimization. 3. Implicit
            regularization toward smooth functions
Reading     "More gradual" and "better" name no alternative: they compare with the plain network $h_{\ell+1} =
            F_\ell(h_\ell)$ of the same branches, start and budget. (a): "identity-like in early training" says that the
            relative changes $|h_{\ell+1} - h_\ell|/|h_\ell|$ sum to at most 1/2, and that random layers stretch the
            mean square at most threefold; "more gradual", that no layer changes its input more than the plain layer
            does. (b): as in Proposition 4.3, optimization is conditioned like the map from the gradient in the
            end-to-end map to the gradients in the layers, $G \mapsto (\partial L/\partial A_\ell)_\ell$; its condition
            number is at most that of the plain network. (c) compares nothing: the Lipschitz constant is at most 5/3,
            and the second derivative at most e times those of the branches together, whatever the depth
Readings    (b) [Jacobian] the conditioning of optimization is that of the Jacobian of the network in its input, the
            next best quantity - holds under added hypotheses
            (c) [smoother than the plain network] "toward smooth functions" compares, as the other two items do: the
            Lipschitz constant is at most that of the plain network - refuted
Setting     $h_{\ell+1} = h_\ell + F_\ell(h_\ell)$, $\ell < L$, $F_\ell(h) = c\, U_\ell s(W_\ell h)$ with s the
            identity or tanh, or $F_\ell(h) = c A_\ell h$; $L(A) = \frac12 \|\prod_\ell (I + c A_\ell) X - Y\|_F^2$;
            $\epsilon_\ell$ and $\beta_\ell$ bound the Lipschitz constant and the second derivative of F_l
Hypotheses  (H1) small branches: $\sum_\ell \epsilon_\ell \le 1/2$, as at $\epsilon_\ell = 1/(2L)$; random ones have the
            mean square c^2/L, c <= 1.  (H2) training starts at zero branches.  (H3) linear branches and a positive
            definite target R.  (H4) gradient flow, or $\eta \le 1/\beta$, $\beta = (2L - 1) \max(1,
            |\lambda|)^{(2L-2)/L}$ over the eigenvalues lambda of R; in early training beta of the ball that the run can
            reach.  (H5) the branches are small for their direction: $81^{\sum \epsilon_\ell} \le \kappa$, the condition
            number of (b) of their plain network, which does not depend on their common scale; for the Jacobian,
            $9^{\sum \epsilon_\ell}$ is at most its condition number.
Parts       (a) gradual feature changes, identity-like in early training - holds under added hypotheses
            (b) conditioning - holds under added hypotheses
            (c) smoothness - holds under added hypotheses
Corrected   (C1) (a) Along the gradient flow, from any start, all weights together have moved by $\|\theta_t -
            \theta_0\|^2 \le t (L_0 - L_t)$. (C2) (a) Under H2, H3 and H4 and for X = I and c = 1 all layers are alike
            at all times, $Q \operatorname{diag}(b) Q'$ for $R = Q \operatorname{diag}(\lambda) Q'$, and b moves as $b'
            = -b^{L-1}(b^L - \lambda)$, in steps or in time, to $\lambda^{1/L}$: the branches end at $R^{1/L} - I$. (C3)
            (a) Under H2, three layers towards the target -1 end at layers of 0 under gradient flow and at $\eta \le
            1/2$, with the loss 1/2; but $\eta = 3/5$ and $\eta = 1$ jump over this saddle to A = -2, with the loss 0.
            (C4) (a) Branches F(h) = sAh of random signs A change their input less than their plain layers do in the
            mean square, at any scale s, as E F = 0: $E|F(h)|^2 = E|F(h) - h|^2 - |h|^2$. (C5) (a) The bias belongs to
            the start: descent on A from 0 at the rate eta is descent of the plain network from $W_\ell = I$ at the rate
            $c^2 \eta$. (C6) (a) A branch F(h) = wh with w > 1/2 changes its input more with the skip connection, by w,
            than without, by |w - 1|. (C7) (b) Two layers of branches c diag(1, -1), 0 < c < 1, are conditioned by $((1
            + c)/(1 - c))^2$, their plain network by 1. (C8) (b) Twenty branches diag(1, 1/2)/40, which meet H1, have a
            Jacobian of condition number below 2, their plain network of $2^{20}$. (C9) (c) At any weights $Lip \le
            \prod (1 + \epsilon_\ell)$ and $\|D^2 h_\ell\| \le M_\ell$, $M_{\ell+1} = (1 + \epsilon_\ell) M_\ell +
            \beta_\ell \prod_{j<\ell} (1 + \epsilon_j)^2$, and a scalar branch attains both. (C10) (c) Linear branches
            under H2 stay the identity on directions to which samples and targets are orthogonal, at any step, so that
            $Lip \ge 1$ as long as they train; a target in such a direction can move two layers there. (C11) (c) Linear
            branches fitted to the one sample (e_1, 2 e_1/3) from zero at $\eta = 1/(2L - 1)$ end at diag(2/3, 1), which
            meets H1 and is half as steep again as diag(2/3, 0), the smoothest interpolant. (C12) (c) Under H1 the plain
            network of linear branches is no steeper than the residual one: it stretches no direction by more than
            $\prod \epsilon_\ell \le \prod (1 - \epsilon_\ell)$, and the residual one stretches every direction by the
            latter at least. For F(h) = -h/2 alone they are equal. (C13) (b) Under H1 the condition number of linear
            branches is at most 9, and that of the Jacobian of branches with the identity or tanh at most 3
Idea        A branch that is small against the identity moves its input by $\epsilon_\ell$ and is itself moved from the
            identity by $1 - \epsilon_\ell$. Gradient flow moves by $\int |\nabla L|$ at most, so that branches which
            start at zero are small early. A gradient is the error between products of layers, whose singular values lie
            in $1 \pm \epsilon_\ell$, and $\log((1 + \epsilon)/(1 - \epsilon)) \le 2 \epsilon \log 3$. The condition
            number of a plain network does not change when its layers are scaled together, so that branches which are
            small enough win, except against a plain network that is perfectly conditioned. Without a scale $F_\ell(h) =
            -h + G_\ell(h)$ is any plain network
Source      Hardt, Ma (2017), Identity Matters in Deep Learning, ICLR (the bound of the gradient from below); Bartlett,
            Helmbold, Long (2018), Gradient Descent with Identity Initialization Efficiently Learns Positive Definite
            Linear Transformations by Deep Residual Networks, ICML (H3); Newman (1986), The Distribution of Lyapunov
            Exponents: Exact Results for Random Matrices, Communications in Mathematical Physics (products of Gaussian
            layers). The proofs here are short and our own
Tolerance   Budgets are $\log(10^9)/(-\log(1 - \eta \mu))$ steps, $\mu = L \min(1, \lambda)^{2(L-1)/L}$: a step moves b
            towards $\lambda^{1/L}$ by a factor between $1 - \eta L \max(1, \lambda)^{2(L-1)/L}$ and $1 - \eta \mu$.
            Random branches are sums over all signs, in fractions; steps up to rounding, flows up to the estimate of
            two tolerances
Chance      One test samples: 4,000 products of eight Gaussian layers. By Chernoff's bound it fails by chance with
            probability below 1e-9
Findings    The counterexample of (b) is no accident of one point: two layers within 1/16 of diag(1, -1, 1)/2 are
            conditioned worse with the skip connection. In the other direction, Gaussian plain layers in the plane have
            a Jacobian whose condition number is at least $2^L$ in the geometric mean; seen on eight layers. As a
            comparison (c) fails for the small branches that (a) and (b) want, by C12. A target -1 shows what H3 is for:
            the flow from zero branches never fits it
Expected    holds under added hypotheses
"""

import dataclasses
import math
from fractions import Fraction
from functools import reduce
from itertools import islice

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.linalg import norm

from fixtures.dynamics.deep_linear import (
    descent_path,
    end_to_end,
    layer_gradients,
    regression_gradient,
    regression_loss,
)
from fixtures.dynamics.gradient_descent import steps_to_contract
from fixtures.dynamics.paths import at_time
from fixtures.dynamics.residual import (
    network_flow,
    residual_descent_path,
    residual_gradients,
    residual_layers,
    shared_layer_descent,
    shared_layer_flow,
    shared_layer_step,
)
from fixtures.models.residual import ResidualNetwork
from fixtures.precision import UNIT_ROUNDOFF
from fixtures.problems.batches import given_batches, stack
from fixtures.problems.residual import (
    linear_residual_problems,
    negative_targets,
    positive_targets,
    residual_problems,
    start_directions,
)
from fixtures.problems.signs import every_sign_network
from fixtures.problems.tapes import tapes
from fixtures.rational import fractions
from properties.certificates import assert_at_most, assert_identical, assert_keeps, assert_violates, assert_within
from properties.deep_linear import loss_rounding, monotone_rate
from properties.search import smallest_violation
from theorems.ledger import corrected, counterexample, necessity, observed, under_hypotheses

WITHIN, STEPS, CAUTION = 1e-9, 12, 64
fifths = st.integers(-9, 9).map(lambda numerator: Fraction(numerator, 5))


def small_branches(problem, activation):
    """The network of a problem with its branches scaled to H1: eps_l sum to c/2, c in (0, 1], or to zero."""
    net = ResidualNetwork(problem.W, problem.U, 1.0, activation)
    return dataclasses.replace(net, scale=problem.scale / 2 / np.maximum(net.branch_lipschitz().sum(-1), 1e-3))


def scalar_states(slopes):
    """h_0 = 1, h_1, ..., h_L of a scalar network of branches F_l(h) = w_l h, exact."""
    w = fractions(slopes)[:, None, None]
    return ResidualNetwork(w, w**0, Fraction(1), "identity").states(fractions([1]))[:, 0]


def total_change(slopes):
    """The sum of |h_{l+1} - h_l|/|h_l| over the layers of a scalar network without zeros, exact."""
    h = scalar_states(slopes)
    return (abs(np.diff(h)) / abs(h[:-1])).sum()


def mean_square_of_signs(d, L, s, x):
    """E|h_L|^2 and E|h_1 - h_0|^2 for h_{l+1} = h_l + s A_l h_l, over all signs A_l (d, d). Exact, s a fraction."""
    p, q = s.numerator, s.denominator
    h = np.broadcast_to(x, (2 ** (L * d * d), d))
    layers = every_sign_network((d,) * (L + 1))
    first = p * np.matvec(layers[0], h)
    for A in layers:
        h = q * h + p * np.matvec(A, h)
    count = len(h)
    return Fraction(int((h**2).sum()), count * q ** (2 * L)), Fraction(int((first**2).sum()), count * q**2)


@st.composite
def random_branches(draw):
    """A dimension, a depth, the size s of the signs and an integer input: twelve signs at most, and L d s^2 <= 1."""
    tape = draw(tapes(5))
    d, L = tape.choice([(1, 1), (1, 2), (2, 1), (2, 2), (1, 5), (2, 3), (1, 9), (3, 1)])
    return d, L, Fraction(1, math.isqrt(L * d - 1) + 1 + tape.below(4)), 1 + tape.naturals(3, 3)[:d]


def tangent_condition(layers, real):
    """The condition number, (B,), of G -> (dL/dA_l)_l for G = dL/dW, W the product of layers (B, L, d, d).

    real (B, L) says which layers are trained; the others are I. Its square is K = sum_l (A_l A_l') x (B_l'B_l), A_l
    and B_l the products above and below layer l. Infinite where the least eigenvalue is lost in the rounding of K.
    """
    B, L, d, _ = layers.shape
    below, above, K = [np.eye(d) + 0 * layers[:, 0]], [np.eye(d) + 0 * layers[:, 0]], 0
    for layer in range(L - 1):
        below.append(layers[:, layer] @ below[-1])
        above.append(above[-1] @ layers[:, L - 1 - layer])
    for layer, (left, right) in enumerate(zip(above[::-1], below, strict=True)):
        both = np.einsum("bij,bkl->bikjl", left @ left.mT, right.mT @ right).reshape(B, d * d, d * d)
        K = K + real[:, layer, None, None] * both
    eigenvalues = np.linalg.eigvalsh(K)
    seen = eigenvalues[:, 0] > 64 * d * d * (L + 1) * UNIT_ROUNDOFF * eigenvalues[:, -1]
    return np.where(seen, eigenvalues[:, -1] / np.where(seen, eigenvalues[:, 0], 1), np.inf)


def jacobian_condition(diagonal, skip):
    """The condition number of two equal layers skip I + diag(diagonal). Exact."""
    stretch = [abs(skip + w) ** 2 for w in diagonal]
    return max(stretch) / min(stretch) if min(stretch) else math.inf


@dataclasses.dataclass(frozen=True)
class EarlyRun:
    """Descent from zero branches: A (STEPS + 1, B, L, d, d), losses (STEPS + 1, B), their rounding (B,), eta (B,)."""

    A: np.ndarray
    losses: np.ndarray
    rounding: np.ndarray
    eta: np.ndarray


def early_run(problem):
    """H2, and H4: a step that is proved to lower the loss, over CAUTION, in the metric of A."""
    zero = 0 * problem.A
    layers = residual_layers(zero, problem.scale)
    eta = monotone_rate(layers, problem.X, problem.Y, STEPS) / (CAUTION * problem.scale**2)
    path = residual_descent_path(zero, problem.X, problem.Y, eta, problem.scale, problem.depth)
    A = np.stack(list(islice(path, STEPS + 1)))
    at = [residual_layers(weights, problem.scale) for weights in A]
    losses = np.stack([regression_loss(layers, problem.X, problem.Y) for layers in at])
    rounding = np.max([loss_rounding(layers, problem.X, problem.Y) for layers in at], axis=0)
    return EarlyRun(A, losses, rounding, eta)


def length(problem, run):
    """STEPS steps of the largest gradient there can be: c |X|(|X| + |Y|), times 2^(L-1) for layers within 1 of I."""
    x, y = norm(problem.X, axis=(-2, -1)), norm(problem.Y, axis=(-2, -1))
    return STEPS * run.eta * problem.scale * x * (x + y) * 2.0 ** (problem.depth - 1)


def step_rounding(problem, run):
    """The rounding of A(T): a gradient takes L + 2 products of matrices 3 x 3, 6 u of their size each."""
    return 6 * (problem.depth + 4) * UNIT_ROUNDOFF * length(problem, run)


def travelled(problem, run):
    """Eta T (L_0 - L_T)/(1 - eta beta/2), which bounds sum |A_l(T)|^2, with eta beta <= 1/CAUTION; and its rounding."""
    most = run.eta * STEPS / (1 - 0.5 / CAUTION)
    steps = 2 * length(problem, run) * step_rounding(problem, run)
    return most * (run.losses[0] - run.losses[-1]), 2 * most * run.rounding + steps


def turned(q):
    """The share ((1 + q)^T - 1)/(qT) - 1 by which T steps may differ from T first steps; q bounds eta beta."""
    return ((1 + q) ** STEPS - 1) / (q * STEPS) - 1


def target_of(problem):
    """R = Q diag(spectrum) Q', (B, 3, 3)."""
    return (problem.Q * problem.spectrum[:, None, :]) @ problem.Q.mT


def rates(problem):
    """The root r = lambda^(1/L), (B, 3), 1/beta over all eigenvalues (B, 1), and the factors of a step (B, 3).

    A step multiplies b - r by 1 - eta s with s = b^{L-1} sum_k b^k r^{L-1-k}, b between 1 and r.
    """
    L, lam = problem.depth[:, None], problem.spectrum
    eta = 1 / ((2 * L - 1) * np.maximum(1, lam.max(-1, keepdims=True)) ** ((2 * L - 2) / L))
    slow, fast = (L * bound(1, lam) ** ((2 * L - 2) / L) for bound in (np.minimum, np.maximum))
    return lam ** (1 / L), eta, 1 - eta * fast, 1 - eta * slow


def shared_rounding(problem, slow):
    """The rounding of a run of b: (4L + 12) u max(1, lambda) a step, of which a share 1 - slow is forgotten."""
    return (4 * problem.depth[:, None] + 12) * UNIT_ROUNDOFF * np.maximum(1, problem.spectrum) / (1 - slow)


def kernel_condition(diagonal, skip):
    """The condition number of G -> gradient at two equal layers skip I + diag(diagonal), over all errors G. Exact.

    For diagonal layers the matrices E_ij are its eigenvectors, and sum_l |gradient_l|^2 its eigenvalues.
    """
    A = fractions([np.diag(diagonal)] * 2) + (skip - 1) * fractions(np.eye(2, dtype=int))
    W, X = np.prod([np.diag(layer) + 1 for layer in A], axis=0), fractions(np.eye(2, dtype=int))
    errors = [np.outer(left, right) for left in X for right in X]
    squares = [(residual_gradients(A, X, np.diag(W) - G) ** 2).sum() for G in errors]
    return max(squares) / min(squares) if min(squares) else math.inf


def error_map(problem):
    """Eps_l = |c A_l|, |G|^2 and sum |dL/dA_l|^2 for X = I, where G = prod (I + c A_l) - Y; which layers are real."""
    d = problem.A.shape[-1]
    samples = np.eye(d) * np.ones((len(problem.A), 1, 1))
    Y = np.zeros_like(samples)
    kept = min(d, problem.Y.shape[-1])
    Y[..., :kept] = problem.Y[..., :kept]
    G = end_to_end(residual_layers(problem.A, problem.scale)) - Y
    slopes = residual_gradients(problem.A, samples, Y, problem.scale)
    real = np.arange(problem.A.shape[-3]) < problem.depth[:, None]
    eps = problem.scale[:, None] * norm(problem.A, 2, (-2, -1))
    return eps, (G**2).sum((-2, -1)), ((slopes**2).sum((-2, -1)) * real).sum(-1), real


def iterate(b, target, L, eta):
    """Exact iterates of `shared_layer_step`."""
    while True:
        yield b
        b = shared_layer_step(b, target, L, eta)


@counterexample(part="(a)")
def test_a_branch_that_copies_its_input_changes_it_and_its_plain_layer_does_not():
    # given  F(h) = h, which a whole interval w > 1/2 of branches is like (C6)
    w = Fraction(1)
    reads = "relative change {value} with the skip connection > {limit} without"
    assert_violates(total_change([w]), abs(w - 1), reads=reads, F="h -> h")


@counterexample(part="(a)")
def test_ten_random_layers_of_variance_one_stretch_the_mean_square_a_thousandfold():
    # given  at the start of training, branches of independent signs
    last, _ = mean_square_of_signs(1, 10, Fraction(1), np.array([1]))
    assert_violates(last, 3, reads="E|h_L|^2 {value} > {limit}", F="h -> +-h", L=10, h_0=1)


@counterexample(part="(a)")
def test_hypothesis_finds_branches_that_change_their_input_more_than_their_plain_layers_do():
    # given  two scalar branches, at least one of which changes its input
    nonzero = fifths.filter(lambda w: w != -1)

    def changes(slopes):
        return total_change(slopes), sum(abs(w - 1) for w in slopes)

    found = smallest_violation(st.tuples(nonzero, nonzero), lambda slopes: np.greater(*changes(slopes)))
    assert_violates(*changes(found), reads="sum of relative changes {value} > {limit} without", slopes=found)


@corrected("C6", part="(a)")
@given(p=st.integers(1, 10**6), q=st.integers(1, 1000))
def test_every_scalar_branch_above_one_half_changes_its_input_more_with_the_skip_connection(p, q):
    w = Fraction(1, 2) + Fraction(p, q)
    assert_identical(total_change([w]), w, why="relative change with the skip connection")
    assert_at_most(abs(w - 1) + min(2 * w - 1, 1), w, why="and less without, by the smaller of 2w - 1 and 1")


@under_hypotheses("H1", part="(a)")
@pytest.mark.parametrize("activation", ["identity", "tanh"])
@given_batches(problem=residual_problems())
def test_small_branches_change_their_input_by_eps_and_less_than_plain_layers_do(problem, activation):
    # given  H1
    net = small_branches(problem, activation)
    states, eps = net.states(problem.x), net.branch_lipschitz()
    # when   the same layers at the same states, without the skip connection
    change, size = norm(np.diff(states, axis=-2), axis=-1), norm(states[..., :-1, :], axis=-1)
    plain = norm(np.diff(states, axis=-2) - states[..., :-1, :], axis=-1)
    # then
    rounding = 64 * UNIT_ROUNDOFF * size
    assert_at_most(eps.sum(-1), 1 / 2 + 8 * UNIT_ROUNDOFF, why="relative changes sum to 1/2 at most")
    assert_at_most(change, eps * size + rounding, why="|h_{l+1} - h_l| <= eps_l |h_l|", instance=problem)
    assert_at_most((1 - eps) * size - rounding, plain, why="the plain layer changes 1 - eps_l", instance=problem)
    assert_at_most(change, plain + 2 * rounding, why="more gradual than the plain layer", instance=problem)


@under_hypotheses("H1", part="(a)")
@given(branches=random_branches())
def test_random_branches_of_mean_square_c2_over_L_stretch_the_mean_square_by_at_most_exp_c2(branches):
    # given  H1: c^2 = L d s^2 <= 1
    d, L, s, x = branches
    assert_at_most(L * d * s**2, 1, why="c <= 1")
    # when   all signs are summed over
    last, change = mean_square_of_signs(d, L, s, x)
    # then   exact; (1 + c^2/L)^L < exp(c^2) < 3 whatever the depth
    start = Fraction(int(x @ x))
    assert_identical(change, s**2 * d * start, why="E|h_1 - h_0|^2 = (c^2/L)|h_0|^2")
    assert_identical(last, (1 + s**2 * d) ** L * start, why="E|h_L|^2 = (1 + c^2/L)^L |h_0|^2")
    assert_at_most(last, 3 * start, why="at most threefold")


@corrected("C4", part="(a)")
@given(d=st.integers(1, 3), tape=tapes(5))
def test_in_the_mean_square_branches_of_random_signs_change_less_with_the_skip_connection_at_any_scale(d, tape):
    # given  branches F(h) = (p/q) A h of random signs A, of any scale
    (A,), p, q, x = every_sign_network((d, d)), tape.below(256), 1 + tape.below(8), tape.integers(3, 3)[:d]
    # when   all signs are summed over, in integers
    F, h = p * np.matvec(A, x), q * x
    # then
    assert_identical(((F - h) ** 2).sum() - (F**2).sum(), len(F) * (h @ h), why="E|F - h|^2 = E|F|^2 + |h|^2")


@observed(part="(a)")
def test_one_layer_of_random_signs_and_nine_come_near_the_constants_of_the_reading():
    # given  c = 1
    last = [mean_square_of_signs(1, L, Fraction(1, root), np.array([1]))[0] for L, root in ((1, 1), (9, 3))]
    assert_identical(last, [2, Fraction(10, 9) ** 9], why="(1 + 1/L)^L")
    assert_at_most(Fraction(5, 2), last[1], why="against threefold")
    assert_identical(total_change(["1/2"]), Fraction(1, 2), why="a branch h/2 alone has the sum 1/2")


@under_hypotheses("H2", "H4", part="(a)")
@given_batches(problem=linear_residual_problems())
def test_in_early_training_branches_are_at_most_as_large_as_the_loss_that_fell(problem):
    run = early_run(problem)
    # given  H4 is seen on the run: every step lowers the loss by eta (1 - eta beta/2) |gradient|^2
    moved = (np.diff(run.A, axis=0) ** 2).sum((-3, -2, -1))
    due = (1 - 0.5 / CAUTION) * moved / run.eta
    assert_at_most(due, -np.diff(run.losses, axis=0) + 2 * run.rounding, why="descent in every step")
    # then   Cauchy and Schwarz over the steps; from below, the gradient has hardly turned or grown, as shown next
    bound, rounding = travelled(problem, run)
    size, q = (run.A[-1] ** 2).sum((-3, -2, -1)), 1 / CAUTION
    least = (1 - turned(q)) ** 2 * (1 - q / 2) / ((1 + q / 2) * (1 + q) ** (2 * STEPS)) * bound
    why = "sum |A_l|^2 <= eta T (L_0 - L_T)/(1 - eta beta/2)"
    assert_within(least, size, bound, slack=rounding, why=why, instance=problem)
    # then   sum eps_l <= c sum |A_l| <= c sqrt(L sum |A_l|^2)
    rate = problem.scale * np.sqrt(problem.depth * (bound + rounding))
    eps = problem.scale * norm(run.A[-1], 2, (-2, -1)).sum(-1)
    assert_at_most(eps, rate * (1 + 64 * UNIT_ROUNDOFF), why="sum eps_l", instance=problem)
    assert_at_most(rate, 1 / 2, why="early, so that H1 holds", instance=problem)


@under_hypotheses("H2", "H4", part="(a)")
@given_batches(problem=linear_residual_problems())
def test_in_early_training_every_branch_grows_alike_along_the_error_of_the_identity(problem):
    run = early_run(problem)
    # when   at zero branches the gradient in every A_l is c (X - Y) X'
    slope = problem.scale[:, None, None] * (problem.X - problem.Y) @ problem.X.mT
    trained = np.arange(problem.A.shape[-3]) < problem.depth[:, None]
    line = -STEPS * run.eta[:, None, None, None] * slope[:, None] * trained[..., None, None]
    # then   |g_s - g_0| <= beta |way|, so that the way grows by 1 + eta beta <= 1 + q a step, and its excess is
    drift = np.sqrt((line**2).sum((-3, -2, -1)))
    off = np.sqrt(((run.A[-1] - line) ** 2).sum((-3, -2, -1)))
    bound = turned(1 / CAUTION) * drift + 2 * problem.depth * step_rounding(problem, run)
    assert_at_most(off, bound, why="A_l(T) + T eta c (X - Y) X'", instance=problem)


@corrected("C1", part="(a)")
@given_batches(size=50, problem=residual_problems())
def test_along_the_flow_from_any_start_tanh_weights_move_by_at_most_the_loss_that_fell(problem):
    start = ResidualNetwork(problem.W, problem.U, problem.scale, "tanh")
    times = np.array([0.02, 0.1])
    # when
    networks, error = network_flow(start, problem.x, problem.y, times)
    losses = [norm(net.states(problem.x)[:, -1] - problem.y, axis=-1) ** 2 / 2 for net in (start, *networks)]
    way = [((net.W - start.W) ** 2 + ((net.U - start.U) ** 2).mT).sum((-3, -2, -1)) for net in networks]
    slopes = [net.gradients(problem.x, problem.y) for net in networks]
    steep = [np.sqrt((s.in_W**2).sum((-3, -2, -1)) + (s.in_U**2).sum((-3, -2, -1))) for s in slopes]
    # then   |way|^2 and the loss are off by the error of the flow times their slopes, to first order
    error, times = error[:, None], times[:, None]
    slack = 2 * error * (2 * np.sqrt(way) + error) + 2 * times * error * steep + 64 * UNIT_ROUNDOFF * losses[0]
    bound = times * (losses[0] - np.stack(losses[1:])) + slack
    assert_at_most(np.stack(way), bound, why="|theta_t - theta_0|^2 <= t (L_0 - L_t)")


@corrected("C2", "H2", "H3", "H4", part="(a)")
@given_batches(problem=positive_targets())
def test_from_zero_branches_every_layer_follows_the_same_scalar_map(problem):
    # given  H2, and eta = 1/beta; R is seen through X = I
    _, eta, _, _ = rates(problem)
    R, start = target_of(problem), np.zeros((len(problem.t), problem.depth.max(), 3, 3))
    X = np.broadcast_to(np.eye(3), R.shape)
    # when
    path = residual_descent_path(start, X, R, eta[:, 0], 1.0, problem.depth)
    A = np.stack(list(islice(path, problem.t.max() + 1)))[problem.t, np.arange(len(problem.t))]
    # then   A_l = Q diag(b - 1) Q' for all l
    L, one = problem.depth[:, None], np.ones_like(problem.spectrum)
    b = shared_layer_descent(one, problem.spectrum, L, eta, problem.t[:, None])
    mode = (problem.Q * (b - 1)[:, None, :]) @ problem.Q.mT
    real = (np.arange(A.shape[1]) < L)[..., None, None]
    off = norm(A - mode[:, None] * real, axis=(-2, -1)).max(-1)
    # a step of L + 2 products of 3 x 3 matrices of norms up to lambda_max; layers that have come apart by a rounding
    # part by a factor of max(lambda, 1/lambda) at most, which is at most that norm twice
    lam = np.maximum(problem.spectrum.max(-1), 2)
    rounding = 64 * (1 + problem.t) * (problem.depth + 2) * UNIT_ROUNDOFF * lam**2
    assert_at_most(off, rounding, why="A_l(t) against the scalar map", instance=problem)


@corrected("C2", "H2", "H3", "H4", part="(a)")
@given_batches(problem=positive_targets())
def test_trained_branches_are_the_root_of_the_target_less_the_identity(problem):
    # given  the steps after which |b - r| <= WITHIN |1 - r|
    r, eta, fast, slow = rates(problem)
    steps = steps_to_contract(slow.max(-1), WITHIN)[:, None]
    L, lam = problem.depth[:, None], problem.spectrum
    # when
    early, late = (shared_layer_descent(np.ones_like(r), lam, L, eta, t) for t in (problem.t[:, None], steps))
    # then   exact rates on the way, and the root in the end
    way, rounding = np.abs(1 - r), shared_rounding(problem, slow)
    t = problem.t[:, None]
    assert_within(np.maximum(fast, 0) ** t * way, np.abs(early - r), slow**t * way, slack=rounding, why="|b_t - r|")
    assert_at_most(np.abs(late - r), WITHIN * way + rounding, why="A_l = R^{1/L} - I within the budget")
    # so every layer changes its input by about |log lambda|/L
    share, slack = np.abs(np.log(lam)), L * (WITHIN * way + rounding)
    lower, upper = np.minimum(1, r) * share, np.maximum(1, r) * share
    assert_within(lower, L * np.abs(late - 1), upper, slack=slack, why="L |relative change|", instance=problem)


@corrected("C2", "H2", "H3", "H4", part="(a)")
@given_batches(problem=positive_targets())
def test_along_the_flow_every_layer_approaches_the_root_of_the_target(problem):
    L, times = problem.depth[:, None], np.array([0.25, 1.0, 3.0])
    r, eta, fast, slow = rates(problem)
    # when   from b = 1, which is A = 0, at the speed 1/beta
    run = shared_layer_flow(np.ones_like(r), problem.spectrum, L, times, eta)
    # then   d|b - r|/dt is between -eta s_max and -eta s_min times |b - r|
    t, way = times[:, None, None], np.abs(1 - r)
    lower, upper = (np.exp(-t * (1 - factor)) * way for factor in (fast, slow))
    error = run.error[:, None, None] + 64 * UNIT_ROUNDOFF * np.maximum(1, r)
    assert_within(lower, np.abs(run.states - r), upper, slack=error, why="|b(t) - r| along the flow")


@corrected("C5", part="(a)")
@pytest.mark.parametrize("c", [Fraction(1), Fraction(1, 2), Fraction(-2)])
def test_descent_from_zero_branches_is_descent_of_the_plain_network_from_the_identity(c):
    # given  three layers, two samples that are not orthogonal
    X, Y, eta = fractions([[1, 2], [0, -1]]), fractions([[3, 1], [1, 0]]), Fraction(1, 64)
    plain = [fractions(np.eye(2, dtype=int))] * 3
    # when   four steps at eta, and at c^2 eta
    A = at_time(residual_descent_path(fractions(np.zeros((3, 2, 2), int)), X, Y, eta, c), 4)
    W = at_time(descent_path(plain, regression_gradient(X, Y), c**2 * eta), 4)
    assert_identical(residual_layers(A, c), W, why="I + c A_l, layer by layer")


@necessity("H1", part="(a)")
@pytest.mark.parametrize("L", [2, 5, 9])
def test_without_H1_random_branches_of_variance_one_double_the_mean_square_in_every_layer(L):
    last, change = mean_square_of_signs(1, L, Fraction(1), np.array([1]))
    assert_identical([last, change], [2**L, 1], why="E|h_L|^2 = 2^L, and a layer changes its input by its own size")


@necessity("H2", part="(a)")
@given(lam=st.integers(1, 16), half=st.integers(1, 3), steps=st.integers(0, 3))
def test_without_H2_layers_that_start_at_minus_the_identity_mirror_those_that_start_at_it(lam, half, steps):
    # given  an even depth and b_0 = -1, A = -2: the same function at the start, and at all times
    target, L, eta = Fraction(lam, 4), 2 * half, Fraction(1, 128)
    assert_keeps(H3=target > 0, H4=((2 * L - 1) * eta) ** L * max(1, target) ** (2 * L - 2) <= 1)
    # when
    near, far = Fraction(1), Fraction(-1)
    near, far = (at_time(iterate(b, target, L, eta), steps) for b in (near, far))
    # then   the same fit by layers that turn their input round: relative change 1 + b > 1
    assert_identical(far, -near, why="b_t from -1 is minus b_t from 1")
    assert_at_most(1, abs(far - 1), why="no layer is near the identity")


@necessity("H3", part="(a)")
@given_batches(problem=negative_targets())
def test_without_H3_a_negative_target_is_never_approached_beyond_zero(problem):
    # given  X = I, and a step that makes eta (1 + |lambda|) < 1
    L, one = problem.depth, np.ones_like(problem.lam)
    beta = (2 * L - 1) * np.maximum(1, problem.lam) ** ((2 * L - 2) / L)
    eta = problem.share / beta
    assert_keeps(H2=one - 1 == 0, H4=eta * beta <= 1)
    assert_at_most(eta * (1 + problem.lam), problem.share, why="b = 1 is not moved below 0")
    # when
    b = shared_layer_descent(one, -problem.lam, problem.depth, eta, problem.t)
    # then   so that |b^L - lambda| >= |lambda|, and the loss is at least lambda^2/2
    assert_at_most(0.0, b, why="b_t >= 0", instance=problem)


def creep_to_zero(eta):
    """Certify three layers towards -1 at steps eta < 1/2: 1/b grows by between eta and 2 eta/(1 - 2 eta) a step."""
    t = np.array([1, 10, 100, 1000, 4000])
    # as b <- b (1 - eta b (1 + b^3))
    b = shared_layer_descent(np.ones(5), -1.0, 3, eta, t)
    rounding = 16 * t * UNIT_ROUNDOFF
    assert_within(1 / (1 + 2 * eta * t / (1 - 2 * eta)), b, 1 / (1 + eta * t), slack=rounding, why="A_l = b - 1 -> -1")


@necessity("H3", part="(a)")
@pytest.mark.parametrize("eta", [0.05, 0.2])
def test_without_H3_three_layers_towards_minus_one_creep_to_zero(eta):
    # given  X = I and lambda = -1, from b = 1
    assert_keeps(H2=True, H4=eta * (2 * 3 - 1) <= 1)
    creep_to_zero(eta)


@corrected("C3", part="(a)")
@pytest.mark.parametrize("eta", [0.25, 0.45])
def test_steps_beyond_H4_creep_to_zero_as_well_below_one_half(eta):
    creep_to_zero(eta)


@corrected("C3", part="(a)")
def test_the_flow_towards_minus_one_creeps_to_zero():
    # given  b' = -b^2 (1 + b^3) from b = 1, so that 1/b grows at a rate between 1 and 2
    t = np.array([0.5, 5.0, 50.0])
    run = shared_layer_flow(np.ones(1), -np.ones(1), np.array([3]), t)
    assert_within(1 / (1 + 2 * t), run.states[:, 0], 1 / (1 + t), slack=run.error, why="A_l = b - 1 -> -1")


@corrected("C3", part="(a)")
def test_a_step_of_one_jumps_over_the_saddle_that_a_step_of_one_half_ends_in():
    # given  three layers towards -1 from A = 0; 1/beta is 1/5
    half, one = (shared_layer_step(Fraction(1), Fraction(-1), 3, eta) for eta in (Fraction(1, 2), Fraction(1)))
    # then   b = 0 is the saddle, and b = -1 fits with A = -2
    assert_identical([half, one], [0, -1], why="one step of 1/2, and of 1")
    assert_identical([half**2 * (half**3 + 1), one**3 + 1], [0, 0], why="no gradient, and no loss")


@corrected("C3", part="(a)")
def test_a_step_of_three_fifths_jumps_over_the_saddle():
    # given  within 1/100 of b = -1 the slope 1 - (3/5)(5b^4 + 2b) of a step is between -11/12 and -2/3
    caught, later = (shared_layer_descent(np.ones(1), -1.0, 3, 0.6, np.array([t])) for t in (120, 320))
    assert_at_most(np.abs(caught + 1), 1 / 100, why="caught by A = -2")
    assert_at_most(np.abs(later + 1), (11 / 12) ** 200 / 100 + 256 * UNIT_ROUNDOFF, why="and led to it")


@necessity("H4", part="(a)")
def test_without_H4_two_layers_leave_a_positive_target():
    # given  L = 2 and lambda = 4, where 1/beta is 1/12, and eta = 1
    start, target = Fraction(1), Fraction(4)
    assert_keeps(H2=start - 1 == 0, H3=target > 0)
    b = [at_time(iterate(start, target, 2, Fraction(1)), t) for t in range(3)]
    losses = [(at**2 - 4) ** 2 / 2 for at in b]
    assert_identical(b, [1, 4, -44], why="exact iterates")
    assert_at_most(losses[0], losses[1] / 10, why="the loss rises tenfold")
    assert_at_most(losses[1], losses[2] / 10, why="and again")


WORSE = "condition number {value} with the skip connection > {limit} without"


def assert_a_search_finds_worse(condition):
    """Search two equal diagonal branches whose condition number is larger with the skip connection than without."""

    def conditions(pair):
        return [condition(pair, skip) for skip in (1, 0)]

    pairs = st.tuples(fifths, fifths).filter(lambda pair: -1 not in pair and 0 not in pair)
    found = smallest_violation(pairs, lambda pair: np.greater(*conditions(pair)))
    assert_violates(*conditions(found), reads=WORSE, diagonal=found, L=2)


@counterexample(part="(b)")
def test_two_small_branches_of_an_orthogonal_plain_network_are_conditioned_worse_with_the_skip_connection():
    # given  two branches diag(1, -1)/2
    branches = fractions(["1/2", "-1/2"])
    residual, plain = (kernel_condition(branches, skip) for skip in (1, 0))
    assert_violates(residual, plain, reads=WORSE, A="diag(1/2,-1/2)", L=2)


@counterexample(part="(b)")
@given_batches(start=start_directions())
def test_so_are_all_branches_within_a_sixteenth_of_them(start):
    # given  A_l = diag(1, -1, 1)/2 + E_l, |E_l| <= 1/16, two layers
    E, real = start.A[:, :2] / np.maximum(16 * norm(start.A[:, :2], 2, (-2, -1)), 1)[..., None, None], np.ones((1, 2))
    A = np.diag([1, -1, 1]) / 2 + E
    # when   singular values of the plain layers lie in 1/2 -+ 1/16, and those of the others leave 1 -+ 1/2 by 1/16
    residual, plain = (tangent_condition(skip * np.eye(3) + A, real + 0 * A[..., 0, 0]) for skip in (1, 0))
    # then
    rounding = 4096 * UNIT_ROUNDOFF
    assert_at_most(plain, (9 / 7) ** 2 * (1 + rounding), why="without the skip connection", instance=start)
    assert_at_most((23 / 9) ** 2 * (1 - rounding), residual, why="with it", instance=start)


@counterexample(part="(b)")
def test_hypothesis_finds_branches_that_are_conditioned_worse_with_the_skip_connection():
    assert_a_search_finds_worse(kernel_condition)


@counterexample(part="(b)", reading="Jacobian")
def test_the_jacobian_of_two_branches_of_an_orthogonal_plain_network_is_conditioned_worse():
    branches = fractions(["1/2", "-1/2"])
    residual, plain = (jacobian_condition(branches, skip) for skip in (1, 0))
    assert_violates(residual, plain, reads=WORSE, A="diag(1/2,-1/2)", L=2)


@counterexample(part="(b)", reading="Jacobian")
def test_hypothesis_finds_branches_whose_jacobian_is_conditioned_worse():
    assert_a_search_finds_worse(jacobian_condition)


def jacobian_bound(eps):
    """9^eps, at least prod (1 + eps_l)/(1 - eps_l) for eps = sum eps_l <= 1/2, and its rounding."""
    return 9**eps * (1 + 4096 * UNIT_ROUNDOFF)


def condition_of_product(layers):
    """The condition number, (B,), of the product of layers (B, L, d, d), infinite where it is lost in rounding."""
    s = np.linalg.svdvals(reduce(lambda W, layer: layer @ W, np.moveaxis(layers, 1, 0)))
    seen = s[:, -1] > 64 * layers.shape[1] * UNIT_ROUNDOFF * norm(layers, 2, (-2, -1)).prod(-1)
    return np.where(seen, np.maximum(s[:, 0] / np.where(seen, s[:, -1], 1), 1), np.inf)


def condition_bound(eps):
    """81^eps, at least prod ((1 + eps_l)/(1 - eps_l))^2 for eps = sum eps_l <= 1/2, and its rounding."""
    return 81**eps * (1 + 4096 * UNIT_ROUNDOFF)


def certify_better_conditioning(start):
    """Certify branches of these directions, at the largest scale that H1 and H5 allow, against their plain network."""
    identity, real = np.eye(start.A.shape[-1]), np.arange(start.A.shape[1]) < start.depth[:, None]
    plain = tangent_condition(np.where(real[..., None, None], start.A, identity), real)
    total = np.minimum(1 / 2, np.log(np.maximum(plain, 1)) / np.log(81))
    c = total / np.maximum(norm(start.A, 2, (-2, -1)).sum(-1), 1 / 2**20)
    residual = tangent_condition(identity + c[:, None, None, None] * start.A, real)
    assert_at_most(residual, condition_bound(total), why="by the sum of eps_l", instance=start)
    assert_at_most(residual, plain * (1 + 4096 * UNIT_ROUNDOFF), why="conditioned better", instance=start)


@under_hypotheses("H1", "H5", part="(b)")
@given_batches(start=start_directions())
def test_a_start_that_is_small_for_its_direction_is_conditioned_better_with_the_skip_connection(start):
    certify_better_conditioning(start)


@under_hypotheses("H1", "H5", part="(b)")
@pytest.mark.slow
@pytest.mark.parametrize("dimension", [1, 2, 5])
@given(data=st.data())
def test_so_is_one_of_up_to_eight_layers_whose_scales_are_far_apart(dimension, data):
    certify_better_conditioning(stack([data.draw(start_directions(dimension, most=8, octaves=8))]))


@under_hypotheses("H2", "H4", part="(b)")
@given_batches(problem=linear_residual_problems())
def test_early_in_training_from_zero_branches_it_is_conditioned_by_nine_and_the_plain_network_has_no_gradient(problem):
    run, real = early_run(problem), np.arange(problem.A.shape[1]) < problem.depth[:, None]
    # when
    layers = np.stack(residual_layers(run.A[-1], problem.scale), 1)
    # then   a plain network of two zero layers or more rests
    eps = problem.scale * norm(run.A[-1], 2, (-2, -1)).sum(-1)
    assert_at_most(eps, 1 / 2, why="early, so that H1 holds", instance=problem)
    condition = tangent_condition(layers, real)
    assert_at_most(condition, condition_bound(eps), why="condition number", instance=problem)
    slopes = layer_gradients([0 * problem.A[:, 0]] * 2, regression_gradient(problem.X, problem.Y))
    assert_identical(slopes, np.zeros(np.shape(slopes)), why="no gradient without the skip connection")


@observed(part="(b)", reading="Jacobian")
def test_gaussian_plain_layers_have_twice_the_condition_number_a_layer_and_small_residual_ones_at_most_three():
    # given  8 Gaussian layers in the plane, and branches along them with eps_l = 1/16, which meet H1
    N, L, t = 4000, 8, 1 / 32
    A = np.random.default_rng(9100).standard_normal((N, L, 2, 2))
    A = A / (2 * L * norm(A, 2, (-2, -1)))[..., None, None]
    # when
    plain, residual = (reduce(lambda W, layer: layer @ W, np.moveaxis(at, 1, 0)) for at in (A, np.eye(2) + A))
    (widest, least), (large, small) = (np.linalg.svdvals(W).T for W in (plain, residual))
    assert_at_most(large, 3 * small * (1 + 64 * L * UNIT_ROUNDOFF), why="condition number of the residual network")
    # then   log cond >= 2 log|W e_1| - log|det W|, the sum of log(chi_2/chi_1) over the layers, whose mean is log 2 and
    #        E(chi_2/chi_1)^-t = Gamma(1 - t/2) Gamma((1 + t)/2)/sqrt(pi): Chernoff at 1e-9
    excess = math.lgamma(1 - t / 2) + math.lgamma((1 + t) / 2) - math.log(math.pi) / 2 + t * math.log(2)
    due = L * (math.log(2) - excess / t) - math.log(1e9) / (t * N)
    assert_at_most(due, np.log(widest / least).mean(), why="mean of the logarithm without the skip connection")
    assert_at_most(math.log(2 * 3), due, why="more than twice the bound of the residual network")


@under_hypotheses("H1", "H5", part="(b)", reading="Jacobian")
@given_batches(start=start_directions())
def test_the_jacobian_of_a_start_that_is_small_for_its_direction_is_conditioned_better(start):
    # given  the largest common scale that H1 and H5 allow; the identity pads a batch
    identity, real = np.eye(start.A.shape[-1]), (np.arange(start.A.shape[1]) < start.depth[:, None])[..., None, None]
    plain = condition_of_product(np.where(real, start.A, identity))
    total = np.minimum(1 / 2, np.log(plain) / np.log(9))
    c = total / np.maximum(norm(start.A * real, 2, (-2, -1)).sum(-1), 1 / 2**20)
    # when
    residual = condition_of_product(identity + c[:, None, None, None] * start.A * real)
    # then
    assert_at_most(residual, jacobian_bound(total), why="by the sum of eps_l", instance=start)
    assert_at_most(residual, plain * (1 + 4096 * UNIT_ROUNDOFF), why="conditioned better", instance=start)


@corrected("C13", "H1", part="(b)", reading="Jacobian")
@pytest.mark.parametrize("activation", ["identity", "tanh"])
@given_batches(problem=residual_problems())
def test_small_branches_keep_the_jacobian_conditioned(problem, activation):
    # given  H1
    net = small_branches(problem, activation)
    eps = net.branch_lipschitz()
    # when   the padding of a batch is the identity, whose singular value 1 lies between the bounds too
    s = np.linalg.svdvals(net.jacobian(problem.x))
    # then
    rounding = 64 * UNIT_ROUNDOFF * np.prod(1 + eps, axis=-1)
    assert_at_most(np.prod(1 - eps, axis=-1), s[:, -1] + rounding, why="prod (1 - eps_l) <= s_min", instance=problem)
    assert_at_most(s[:, 0], np.prod(1 + eps, axis=-1) + rounding, why="s_max <= prod (1 + eps_l)", instance=problem)
    # and   log((1 + eps)/(1 - eps)) is convex, so that the product is largest where one layer has all of the sum
    assert_at_most(s[:, 0], 3 * s[:, -1] + 4 * rounding, why="condition number", instance=problem)


@corrected("C13", "H1", part="(b)")
@given_batches(problem=linear_residual_problems())
def test_small_branches_keep_the_gradient_between_two_multiples_of_the_error(problem):
    # given  H1: branches scaled until eps_l sum to 1/2, 1/4 or 1/8
    total = np.maximum(norm(problem.A, 2, (-2, -1)).sum(-1), 1 / 16)
    problem = dataclasses.replace(problem, scale=problem.scale / 4 / total)
    eps, G, gradient, real = error_map(problem)
    # when   dL/dA_l is c G between the other layers
    lower, upper = (
        problem.scale**2 * G * (np.prod(b, axis=-1, keepdims=True) ** 2 / b**2 * real).sum(-1)
        for b in (1 - eps, 1 + eps)
    )
    # then
    rounding = 256 * UNIT_ROUNDOFF * (upper + problem.scale**2 * 4**problem.depth * (1 + G))
    assert_within(lower, gradient, upper, slack=rounding, why="sum |gradient_l|^2", instance=problem)
    assert_at_most(upper, 9 * lower + rounding, why="condition number", instance=problem)


@corrected("C13", "H1", part="(b)")
@pytest.mark.parametrize("sign", [1, -1])
@given(L=st.integers(1, 8), tenths=st.integers(0, 10))
def test_both_bounds_of_the_gradient_are_attained(sign, L, tenths):
    # given  A_l = +-eps I, eps <= 1/(2L), and any error
    eps, X = Fraction(sign * tenths, 20 * L), fractions([[1, 0], [0, 1]])
    A, G = fractions(np.stack([eps * X] * L)), fractions([[1, 2], [0, -3]])
    # when
    slopes = residual_gradients(A, X, (1 + eps) ** L * X - G)
    # then
    assert_identical((slopes**2).sum(), L * (1 + eps) ** (2 * L - 2) * (G**2).sum(), why="L (1 + eps)^(2L-2) |G|^2")


@corrected("C7", part="(b)")
@given(tenths=st.integers(1, 9))
def test_branches_of_an_orthogonal_plain_network_are_better_conditioned_without_skip_connections(tenths):
    # given  two layers of branches c diag(1, -1), however small
    c = Fraction(tenths, 10)
    residual, plain = (kernel_condition([c, -c], skip) for skip in (1, 0))
    assert_identical([residual, plain], [((1 + c) / (1 - c)) ** 2, 1], why="condition numbers")


@corrected("C8", part="(b)")
def test_twenty_small_branches_are_conditioned_by_less_than_two_where_twenty_layers_are_by_a_million():
    # given  A = diag(1, 1/2): the plain network A^20, and the residual one of branches A/40, which has H1
    A, identity = fractions([[1, 0], [0, "1/2"]]), fractions([[1, 0], [0, 1]])
    nets = (np.stack([A - identity] * 20), np.stack([A / 40] * 20))
    plain, residual = (W[0, 0] / W[1, 1] for W in (end_to_end(residual_layers(net, Fraction(1))) for net in nets))
    # then
    assert_identical(20 * Fraction(1, 40), Fraction(1, 2), why="H1: sum eps_l")
    assert_identical([plain, residual], [2**20, Fraction(82, 81) ** 20], why="condition numbers")
    assert_at_most(residual, 2, why="less than two")


@observed(part="(b)")
def test_the_constants_three_and_nine_are_nearly_attained_within_H1():
    # given  one steep branch diag(1/2, -1/2), alone, and first of nine of which the others are zero
    D, none = fractions([["1/2", 0], [0, "-1/2"]]), fractions([[0, 0], [0, 0]])
    assert_identical(jacobian_condition([Fraction(1, 2), Fraction(-1, 2)], 1), 9, why="the Jacobian of two layers")
    alone = condition_of_product(np.diag([3 / 2, 1 / 2])[None, None])
    assert_within(jacobian_bound(1 / 2) / (1 + 8192 * UNIT_ROUNDOFF), alone, jacobian_bound(1 / 2), why="9^(1/2)")
    nine = np.stack(residual_layers(np.stack([D] + [none] * 8), Fraction(1)))[None].astype(float)
    found = tangent_condition(nine, np.ones((1, 9)))
    assert_within(condition_bound(1 / 2) / 2, found, condition_bound(1 / 2), why="81^(1/2) is attained but for a third")
    # then   19/3, as eight layers have the squares 9/4 and 1/4, and the steep one has 1
    assert_at_most(np.abs(found - 19 / 3), 4096 * UNIT_ROUNDOFF, why="condition number of nine layers, against 9")


@necessity("H1", part="(b)")
def test_without_H1_branches_that_cancel_the_skip_connection_along_one_axis_have_no_gradient_there():
    # given  two branches diag(-1, 1/100): 81^2 <= 10^4
    branches = fractions([-1, "1/100"])
    residual, plain = (kernel_condition(branches, skip) for skip in (1, 0))
    assert_identical(plain, 10**4, why="condition number of the plain network")
    assert_keeps(H5=81 ** (2 * max(abs(branches))) <= plain)
    assert_identical(residual, math.inf, why="with the skip connection")


@necessity("H5", part="(b)")
def test_without_H5_small_branches_of_a_perfectly_conditioned_plain_network_are_conditioned_worse():
    # given  two branches diag(1, -1)/4
    branches = fractions(["1/4", "-1/4"])
    assert_keeps(H1=2 * max(abs(branches)) <= Fraction(1, 2))
    residual, plain = (kernel_condition(branches, skip) for skip in (1, 0))
    assert_identical([residual, plain], [Fraction(25, 9), 1], why="condition numbers with and without")


@counterexample(part="(c)")
def test_three_steep_branches_are_eight_times_as_steep_as_the_identity():
    # given  three scalar branches F(h) = h
    steep = scalar_states([1, 1, 1])[-1]
    assert_violates(steep, Fraction(5, 3), reads="Lipschitz constant {value} > {limit}", F="h -> h", L=3)


@counterexample(part="(c)")
def test_hypothesis_finds_two_branches_that_are_steep():
    limit = Fraction(5, 3)
    found = smallest_violation(st.tuples(fifths, fifths), lambda slopes: abs(scalar_states(slopes)[-1]) > limit)
    steep = abs(scalar_states(found)[-1])
    assert_violates(steep, limit, reads="Lipschitz constant {value} > {limit}", slopes=found)


@counterexample(part="(c)", reading="smoother than the plain network")
def test_two_branches_that_halve_their_input_are_nine_times_as_steep_with_the_skip_connection():
    w = Fraction(1, 2)
    reads = "Lipschitz constant {value} with the skip connection > {limit} without"
    assert_violates(scalar_states([w, w])[-1], w * w, reads=reads, F="h -> h/2", L=2)


@counterexample(part="(c)", reading="smoother than the plain network")
def test_hypothesis_finds_two_branches_that_are_steeper_with_the_skip_connection():
    def steep(slopes):
        return abs(scalar_states(slopes)[-1]), abs(math.prod(slopes))

    found = smallest_violation(st.tuples(fifths, fifths), lambda slopes: np.greater(*steep(slopes)))
    assert_violates(*steep(found), reads="Lipschitz constant {value} > {limit} without", slopes=found)


@under_hypotheses("H1", part="(c)")
@given_batches(problem=residual_problems())
def test_small_branches_keep_two_derivatives_small(problem):
    # given  H1
    net = small_branches(problem, "tanh")
    # when
    first, second = np.matvec(net.jacobian(problem.x), problem.v), net.second_derivative(problem.x, problem.v)
    # then   prod (1 + eps_l) <= exp(1/2) < 5/3, and M_L <= exp(2 sum eps_l) sum beta_l
    curved, rounding = np.e * net.branch_curvature().sum(-1), 256 * UNIT_ROUNDOFF
    assert_at_most(norm(first, axis=-1), np.exp(1 / 2) + rounding, why="|Dh_L v|", instance=problem)
    assert_at_most(norm(second, axis=-1), curved * (1 + rounding) + rounding, why="|D^2 h_L[v, v]|", instance=problem)


@under_hypotheses("H2", "H4", part="(c)")
@given_batches(problem=linear_residual_problems())
def test_early_in_training_the_lipschitz_constant_is_bounded_by_the_loss_that_fell(problem):
    run = early_run(problem)
    # when
    W = end_to_end(residual_layers(run.A[-1], problem.scale))
    # then   prod (1 + c|A_l|) <= exp(c sum |A_l|) <= exp(c sqrt(L sum |A_l|^2)), at most exp(1/2) < 5/3
    bound, rounding = travelled(problem, run)
    rate = problem.scale * np.sqrt(problem.depth * (bound + rounding))
    assert_at_most(rate, 1 / 2, why="early, so that H1 holds", instance=problem)
    slack = 1 + 64 * UNIT_ROUNDOFF * problem.depth
    assert_at_most(norm(W, 2, (-2, -1)), slack * np.exp(rate), why="Lip after T steps", instance=problem)


@necessity("H2", part="(c)")
@given(a=st.integers(1, 1000), steps=st.integers(0, 5))
def test_without_H2_a_steep_branch_stays_where_no_sample_points(a, steps):
    # given  one layer diag(1, 1 + a), the sample (e_1, e_1/2); beta is |x|^2 for one layer
    x, y, eta = fractions([[1], [0]]), fractions([["1/2"], [0]]), Fraction(1, 2)
    assert_keeps(H4=eta * (x * x).sum() <= 1)
    path = residual_descent_path(fractions([[[0, 0], [0, a]]]), x, y, eta)
    # when
    (W,) = residual_layers(at_time(path, steps), 1)
    # then
    assert_identical(W[1, 1], 1 + a, why="as steep as at the start, however much it is")


@corrected("C11", part="(c)")
@pytest.mark.parametrize("L", [1, 2, 5])
def test_fitted_from_zero_branches_a_network_is_half_as_steep_again_as_the_smoothest_interpolant(L):
    # given  one sample (e_1, 2 e_1/3), H2, eta = 1/beta, and the steps after which |b - r| <= WITHIN |1 - r|
    x, y, root = np.eye(2)[:, :1], np.eye(2)[:, :1] * 2 / 3, (2 / 3) ** (1 / L)
    eta = 1 / (2 * L - 1)
    steps = steps_to_contract(1 - eta * L * root ** (2 * L - 2), WITHIN)
    # when
    A = at_time(residual_descent_path(np.zeros((L, 2, 2)), x, y, eta), int(steps))
    W = end_to_end(residual_layers(A, 1))
    # then   small branches which fit, to diag(2/3, 1), where diag(2/3, 0) would do
    assert_at_most(norm(A, 2, (-2, -1)).sum(), 1 / 2, why="H1")
    assert_at_most(norm(W @ x - y), L * WITHIN * (1 - root) + 64 * L * UNIT_ROUNDOFF, why="the fit")
    assert_identical([W[0, 1], W[1, 0], W[1, 1]], [0, 0, 1], why="the identity where there is no sample")


@corrected("C12", "H1", part="(c)")
@given_batches(start=start_directions())
def test_plain_layers_of_small_branches_are_no_steeper_than_the_residual_network_is_anywhere(start):
    # given  linear branches whose eps_l sum to 1/2; the identity pads a batch
    identity, real = np.eye(start.A.shape[-1]), (np.arange(start.A.shape[1]) < start.depth[:, None])[..., None, None]
    branches = start.A * (1 / 2 / np.maximum(norm(start.A * real, 2, (-2, -1)).sum(-1), 1 / 8))[:, None, None, None]
    # when
    plain = reduce(lambda W, layer: layer @ W, np.moveaxis(np.where(real, branches, identity), 1, 0))
    residual = reduce(lambda W, layer: layer @ W, np.moveaxis(identity + real * branches, 1, 0))
    # then
    rounding = 256 * UNIT_ROUNDOFF
    least = np.linalg.svdvals(residual)[:, -1]
    assert_at_most(norm(plain, 2, (-2, -1)), least + rounding, why="Lip of the plain network", instance=start)
    # then   one branch of -h/2 attains it
    assert_identical(abs(scalar_states([Fraction(-1, 2)])[-1]), Fraction(1, 2), why="h - h/2 is as steep as -h/2")


@corrected("C10", part="(c)")
@given_batches(problem=linear_residual_problems())
def test_where_no_sample_points_training_leaves_the_identity_bit_for_bit(problem):
    # given  H2, and samples and targets in the first coordinates, one more being unseen
    extra = ((0, 0), (0, 1), (0, 0))
    X, Y, A = np.pad(problem.X, extra), np.pad(problem.Y, extra), np.pad(problem.A, ((0, 0), (0, 0), (0, 1), (0, 1)))
    wider = dataclasses.replace(problem, A=A, X=X, Y=Y)
    # when   small steps, and two of the rate 1, which blow up
    far = at_time(residual_descent_path(0 * A, X, Y, np.ones(len(A)), problem.scale, problem.depth), 2)
    W = np.stack([end_to_end(residual_layers(run, problem.scale)) for run in (early_run(wider).A[-1], far)])
    # then   so that Lip >= 1 whatever the sample
    unseen = np.broadcast_to(np.eye(X.shape[1])[-1], W.shape[:-1])
    assert_identical(W[..., -1], unseen, why="W n = n")
    assert_identical(W[..., -1, :], unseen, why="n' W = n'")


@corrected("C10", part="(c)")
def test_a_target_in_a_direction_without_samples_moves_two_layers_there():
    # given  the sample e_1 with the target e_2, H2, eta = 1/8
    x, y, zero = fractions([[1], [0]]), fractions([[0], [1]]), fractions(np.zeros((2, 2, 2), int))
    # when   two steps
    W = end_to_end(residual_layers(at_time(residual_descent_path(zero, x, y, Fraction(1, 8)), 2), 1))
    assert_at_most(Fraction(1, 128), abs(W[0, 1]), why="the e_1-part of W e_2")


@corrected("C9", part="(c)")
@given_batches(problem=residual_problems(unit=1.0))
def test_two_derivatives_are_bounded_by_how_steep_and_how_curved_the_branches_are(problem):
    net = ResidualNetwork(problem.W, problem.U, problem.scale, "tanh")
    # when
    first, second = np.matvec(net.jacobian(problem.x), problem.v), net.second_derivative(problem.x, problem.v)
    # then
    steep, M = net.derivative_bounds()
    rounding = 256 * UNIT_ROUNDOFF * (1 + steep) ** 2 * (1 + M)
    assert_at_most(norm(first, axis=-1), steep + rounding, why="|Dh_L v| <= prod (1 + eps_l)", instance=problem)
    assert_at_most(norm(second, axis=-1), M + rounding, why="|D^2 h_L[v, v]| <= M_L", instance=problem)


@observed(part="(c)")
def test_the_constants_of_both_derivatives_are_nearly_attained_within_H1():
    # given  eps = (31/64, 1/64): (31/8) tanh(h/8), almost straight, below tanh(8 h)/512, which bends
    W, U = np.array([[[1 / 8]], [[8.0]]]), np.array([[[31 / 8]], [[1 / 512]]])
    net = ResidualNetwork(W, U, 1.0, "tanh")
    assert_at_most(net.branch_lipschitz().sum(), 1 / 2, why="H1")
    # when   at 0, and where the second branch bends most, which is where h_1 = 3x/2 but for the cube of x
    x = np.array([-np.arctanh(1 / np.sqrt(3)) / 8 / 1.5])
    first, second = net.jacobian(np.zeros(1)).item(), net.second_derivative(x, np.ones(1)).item()
    # then
    assert_at_most(3 / 2, first, why="against 5/3")
    assert_at_most(2 * net.branch_curvature()[1], second, why="against e times the curvature")


@corrected("C9", part="(c)")
@given(w=st.integers(1, 20), u=st.integers(1, 20))
def test_one_scalar_branch_attains_both_bounds(w, u):
    # given  F(h) = u tanh(w h): steepest at 0, most curved where tanh^2 = 1/3
    net = ResidualNetwork(np.full((1, 1, 1), w / 4), np.full((1, 1, 1), u / 4), 1.0, "tanh")
    bend = -np.arctanh(1 / np.sqrt(3)) / (w / 4)
    # when
    first = net.jacobian(np.zeros(1)).item()
    second = net.second_derivative(np.array([bend]), np.ones(1)).item()
    # then
    steep, M = net.derivative_bounds()
    assert_within(steep, first, steep, slack=8 * UNIT_ROUNDOFF * steep, why="1 + u w")
    assert_within(M, second, M, slack=64 * UNIT_ROUNDOFF * M, why="u w^2 4/(3 sqrt(3))")


@corrected("C9", part="(c)")
@pytest.mark.parametrize(("steep", "bent", "times"), [(0, 1, 2), (1, 0, 1)])
def test_a_steep_layer_counts_twice_below_a_bent_one_and_once_above(steep, bent, times):
    # given  24 tanh(h/8), of slope 3 and almost straight, and tanh(h), at the point where that bends most
    order = [steep, bent]
    W, U = (np.array(weights)[order, None, None] for weights in ([0.125, 1.0], [24.0, 1.0]))
    net = ResidualNetwork(W, U, 1.0, "tanh")
    x = np.array([-np.arctanh(1 / np.sqrt(3)) / 4 ** (times - 1)])
    # when
    second = net.second_derivative(x, np.ones(1)).item()
    # then   between half of beta (1 + eps)^times, which is above the bound with one factor less, and the bound
    eps, beta = net.branch_lipschitz(), net.branch_curvature()
    _, M = net.derivative_bounds()
    assert_within(beta[bent] * (1 + eps[steep]) ** times / 2, second, M, why="D^2 h_2")
    assert_at_most(M / 2, second, why="a factor more would be seen as well")
