r"""Theorem 5.1 - in the limit of infinite width training is kernel regression with a fixed kernel.

Section     5.1
Printed     As $m \to \infty$ the NTK converges to a deterministic $K^\infty$ and remains approximately constant in
            training; $\frac{df(x_i)}{dt} = -\sum_{j=1}^n K(x_i, x_j)(f(x_j) - y_j)$; this is identical to kernel ridge
            regression with kernel $K$
Reading     K_m is the empirical kernel $J J^\top$ of one network of width m at its start, K_t that at time t; with the
            printed expectation, convergence of a kernel that is deterministic already would say nothing. The network
            is that of Section 2.1 with the initialization of Section 7.1 (standard parameterization), a fixed rate
Setting     Two layers, $f(x) = \text{scale} \sum_j a_j s(w_j \cdot x)$. Loss $\frac12 \|f(X) - y\|^2$ in (b) and (d),
            $\frac{1}{2n} \|f(X) - y\|^2$ of Section 2.1 in (c); $r = f(X) - y$. $k_x = K(x, X)$; $\Sigma$ is the
            covariance of f_0; flow and descent on the linearized network have filter $1 - e^{-kt}$ and $1 - (1-hk)^t$
Hypotheses  (H1) NTK parameterization: scale m^(-1/2), weights of order 1.  (H2) All weights are independent standard
            normal, or signs for a.  (H3) Both layers are trained, in (a).  And for (b), which trains W alone:
            (H4) |s''| <= L2.  (H5) eta |K_0| <= 1/3.  (H6) The width is large for the data: with s_0 the least
            singular value of J_0 and Lip = L2 |X| max|x_i|/sqrt(m),  Lip * 8 |r_0| <= s_0^2, which needs K_0 > 0.
Corrected   (c) $\frac{df(X)}{dt} = -\frac1n K_t (f(X) - y)$, exact at every width, $K_t$ empirical and moving; and for
            descent of a network as in H4 and $d_s = \|W_s - W_0\|_F$, $\|r_t - r_t^{lin}\| \le \eta \sum_{s<t}
            [Lip \frac{d_s + d_{s+1}}{2} \|J_s\| + \|J_0\| Lip\, d_s] \|r_s\|$. (d) $f_\infty(x) = k_x K^{-1} y +
            f_0(x) - k_x K^{-1} f_0(X)$, an offset of variance $c^\top \Sigma c$, $c = (1, -K^{-1} k_x)$, at every
            width, which an antisymmetric start removes; from f_0 = 0 mode k of the fit at time t is off ridge's by
            $\lambda/(k+\lambda) - e^{-kt}$; and the expected in-sample risk of flow at time t, under independent
            centred noise, is at most 1.6861 times that of ridge at $\lambda = 1/t$; no constant below 1.6858 will do
Parts       (a) convergence of K_m - holds under added hypotheses
            (b) constancy in training - holds under added hypotheses
            (c) the function-space ODE - refuted
            (d) identical to kernel ridge regression - refuted
Idea        (a) m K_m is a sum of m independent terms with a known moment generating function; without the factor
            1/sqrt(m), E K_m(x, x) = |x|^2 (1 + m/d). (b) J is Lipschitz of order 1/sqrt(m), and the path of length 4
            |r_0|/s_0 at most; the mean field has the same path at every width. (c) The chain rule. (d) The start is
            remembered; and lambda = k/(e^{kt} - 1) depends on the mode k. (1 - e^{-s})(1 + s)/s has one maximum.
Source      Jacot, Gabriel, Hongler (2018), Neural Tangent Kernel: Convergence and Generalization in Neural Networks;
            Cho, Saul (2009), Kernel Methods for Deep Learning; Williams (1997), Computing with Infinite Networks;
            Lee, Xiao, Schoenholz, Bahri, Novak, Sohl-Dickstein, Pennington (2019), Wide Neural Networks of Any Depth
            Evolve as Linear Models Under Gradient Descent; Chizat, Oyallon, Bach (2019), On Lazy Training in
            Differentiable Programming; Oymak, Soltanolkotabi (2019), Overparameterized Nonlinear Learning: Gradient
            Descent Takes the Shortest Path?; Dyer, Gur-Ari (2020), Asymptotics of Wide Networks from Feynman Diagrams;
            Ali, Kolter, Tibshirani (2019), A Continuous-Time View of Early Stopping for Least Squares
Tolerance   Witnesses are rational; exponentials are enclosed. (a) exact Chernoff, Hoeffding and DKW
            (properties.concentration); (b), (c) deterministic inequalities (properties.lazy_training) and rounding
Chance      (a) 1e-13 for each of 20 comparisons an instance with Chernoff and 10 with Hoeffding: 4e-10 for 121
            instances, 4e-9 for the 1021 of `thorough`; and 32 comparisons with fixed seeds at 1e-12. The file stays
            below 1e-8 in both. (b) and (c) leave nothing to chance but which networks they look at
Findings    At a fixed rate a wide standard network does not keep its kernel: with tanh it overflows, with ReLU all of
            its neurons leave the data within a few steps and the kernel is zero for ever. The 1/sqrt(m) of (b) bounds
            from above: a smooth network's kernel moves like 1/m, and a test that its slope is -1/2 would fail.
            Limitations 1 to 3 of Section 5.3 are what (b), (c) and the parameterizations show
Expected    refuted
"""

import dataclasses
from fractions import Fraction
from itertools import islice

import numpy as np
import pytest
import scipy.linalg
from hypothesis import strategies as st
from numpy.linalg import norm

from fixtures.dynamics.gradient_descent import gradient_descent
from fixtures.dynamics.paths import NonFiniteLossError
from fixtures.dynamics.two_layer import fit, gradients, network_path
from fixtures.kernels.infinite_width import erf_nngp, erf_ntk, relu_nngp, relu_ntk
from fixtures.kernels.regression import interpolant_coefficients, ridge_coefficients
from fixtures.models.exact_relu import ExactReluNetwork, signed_network
from fixtures.models.two_layer import TwoLayer, two_layer
from fixtures.precision import UNIT_ROUNDOFF
from fixtures.problems.batches import given_batches
from fixtures.problems.kernel_inputs import KernelInputs, kernel_inputs
from fixtures.problems.tapes import tapes
from fixtures.rational import exponential_of_minus, fractions
from properties.certificates import assert_at_most, assert_identical, assert_violates, assert_within
from properties.concentration import (
    chernoff,
    chi_square_interval,
    chi_square_power,
    detectable,
    dvoretzky_kiefer_wolfowitz,
    hoeffding,
    relu_ntk_deviations,
    relu_ntk_diagonal_cdf,
    sup_distance,
)
from properties.lazy_training import (
    LAZY_STEP,
    displacement,
    kernel_drift,
    kernel_rounding,
    lazy_radius,
    linearization_gap,
    spectral,
    turning_rate,
)
from properties.oracles import nearest_interpolant
from properties.search import smallest_violation
from theorems.ledger import corrected, counterexample, necessity, observed, under_hypotheses

EACH, ONCE = 1e-13, 1e-12
SUPREMUM = Fraction(16861, 10000)


@dataclasses.dataclass(frozen=True)
class Start:
    """Inputs X (n, d), integer and nonzero, parallel and opposite ones among them; width and seed of a network."""

    X: np.ndarray
    width: int | np.ndarray
    seed: int | np.ndarray
    rows: int | np.ndarray

    @property
    def gram(self):
        """The products x_i . x_j, exact; 1 on the diagonal of the padding."""
        padding = (np.arange(self.X.shape[-2]) >= self.rows[:, None])[..., None] * np.eye(self.X.shape[-2])
        return self.X @ self.X.mT + padding

    @property
    def lengths(self):
        """|x_i||x_j|."""
        squares = np.diagonal(self.gram, axis1=-2, axis2=-1)
        return np.sqrt(squares[..., :, None] * squares[..., None, :])


@st.composite
def starts(draw):
    tape = draw(tapes(25))
    n, d = 1 + tape.below(4), 2 + tape.below(4)
    X = tape.integers((n, d), 2)
    X[~X.any(1), 0] = 1
    return Start(X=X, width=2 ** (2 + tape.below(9)), seed=tape.below(256) + 256 * tape.below(256), rows=n)


@dataclasses.dataclass(frozen=True)
class Training(KernelInputs):
    """Separated inputs, targets, a step and a time, with the width, a multiple of four, and seed of a network."""

    width: int | np.ndarray
    seed: int | np.ndarray

    def network(self, activation, **options):
        """The network of this width and seed in the NTK parameterization."""
        return two_layer("ntk", self.width, self.X.shape[-1], self.seed, activation=activation, **options)


@st.composite
def trainings(draw, log_widths=range(2, 7)):
    problem, tape = draw(kernel_inputs(max_rows=3)), draw(tapes(3))
    return Training(**vars(problem), width=2 ** tape.choice(log_widths), seed=tape.below(256) + 256 * tape.below(256))


def kernel_entry_rounding(net, X):
    """How far a computed entry of K_m or its limit may be off: 4(m + d + 32)u times the geometric mean of diagonals.

    An entry sums m nonnegative products of computed factors. That rounding decides on the sign of w . x is an event of
    probability about u; the closed forms are good to some dozens of u.
    """
    diagonal = np.sqrt(np.diagonal(net.kernel(X), axis1=-2, axis2=-1))
    sizes = diagonal[..., :, None] * diagonal[..., None, :] + norm(X, axis=-1).max(-1)[..., None, None] ** 2
    return 4 * (net.width + X.shape[-1] + 32) * UNIT_ROUNDOFF * sizes


def value_rounding(net, X):
    """How far computed values (n,) of a tanh network may be off, in norm: (m + d + 32)u times the sum of |a_j| scale.

    A value sums m terms below |a_j| in size, each with a preactivation off by d u |w||x|, and tanh does not expand.
    """
    steep = 1 + norm(net.W, axis=-1).max(-1) * norm(X, axis=-1).max(-1)
    units = (net.width + X.shape[-1] + 32) * np.sqrt(X.shape[-2]) * UNIT_ROUNDOFF
    return units * net.scale * np.abs(net.a).sum(-1) * steep


# (a) convergence of K_m


@under_hypotheses("H1", "H2", "H3", part="(a)")
@given_batches(start=starts())
def test_every_entry_of_a_relu_kernel_is_within_its_exact_deviation_of_the_limit(start):
    # given  H1, H2, H3; delta = EACH a side. Power: what a dropped layer changes is seen at width 4096, below
    net = two_layer("ntk", start.width, start.X.shape[-1], start.seed)
    allowed = relu_ntk_deviations(start.gram / start.lengths, start.width[:, None, None], EACH)
    # then   |x||x'| times the deviation for unit vectors, either side
    gap, rounding = net.kernel(start.X) - relu_ntk(start.X), kernel_entry_rounding(net, start.X)
    assert_at_most(gap, start.lengths * allowed.above + rounding, why="K_m above its limit", instance=start)
    assert_at_most(-gap, start.lengths * allowed.below + rounding, why="K_m below its limit", instance=start)


@under_hypotheses("H1", "H2", "H3", part="(a)")
@given_batches(start=starts())
def test_every_entry_of_an_erf_kernel_with_signs_is_within_hoeffdings_deviation(start):
    # given  a neuron adds erf erf in [-1, 1], or [0, 1] on the diagonal, and x.x' times a number in [0, 4/pi]
    net = two_layer("ntk", start.width, start.X.shape[-1], start.seed, activation="erf", signs=True)
    spread = 2 - np.eye(start.X.shape[-2]) + 4 / np.pi * np.abs(start.gram)
    # then   delta = EACH an entry. Power: an error of twice the bound, 1/10 for unit vectors at width 2^16, is missed
    #        with probability EACH
    gap = np.abs(net.kernel(start.X) - erf_ntk(start.X))
    bound = hoeffding(spread, start.width[:, None, None], EACH) + kernel_entry_rounding(net, start.X)
    assert_at_most(gap, bound, why="erf kernel, Hoeffding", instance=start)


@under_hypotheses("H1", "H2", "H3", part="(a)")
@pytest.mark.parametrize("width", [16, 64])
def test_the_diagonal_of_a_relu_kernel_has_its_exact_law_and_so_variance_three_over_the_width(width):
    # given  4000 networks, |x| = 1
    count, x = 4000, np.array([[0.6, 0.8]])
    neurons = two_layer("ntk", count * width, 2, width)
    nets = TwoLayer(neurons.W.reshape(count, width, 2), neurons.a.reshape(count, width), "relu", width**-0.5)
    # then   m K_m ~ Gamma(N, 2), N ~ Bin(m, 1/2), up to P(sup > e) <= 2 exp(-2 count e^2), e = 0.060
    samples = nets.kernel(x)[:, 0, 0]
    bound = dvoretzky_kiefer_wolfowitz(count, ONCE)
    deviation = sup_distance(samples, lambda k: relu_ntk_diagonal_cdf(k, width))
    assert_at_most(deviation, bound, why="law of K_m(x, x), DKW")
    # and    power: the law of twice the width, where the deviation is smaller by sqrt(2), is told apart
    other = sup_distance(samples, lambda k: relu_ntk_diagonal_cdf(k, 2 * width))
    assert_at_most(bound, other, why="the law of another width, DKW")


@under_hypotheses("H1", "H2", "H3", part="(a)")
def test_a_quarter_of_a_million_neurons_are_within_a_thirtieth_of_the_limit():
    # given  delta = ONCE a side and entry
    X = np.array([[1.0, 0], [0.6, 0.8], [-0.8, 0.6]])
    net = two_layer("ntk", 2**18, 2, 18)
    r = np.clip(X @ X.T, -1, 1)
    allowed = relu_ntk_deviations(r, net.width, ONCE)
    gap = net.kernel(X) - relu_ntk(X)
    assert_within(-allowed.below, gap, allowed.above, slack=kernel_entry_rounding(net, X), why="entries of K_m - K")
    assert_at_most(np.maximum(allowed.above, allowed.below), 1 / 30, why="deviation that is allowed at this width")
    # and    power
    found = detectable(lambda delta: relu_ntk_deviations(r, net.width, delta), ONCE, ONCE)
    assert_at_most(np.maximum(found.above, found.below), 1 / 15, why="error that is missed with probability ONCE")


@counterexample(part="(a)")
def test_the_kernel_of_the_papers_own_network_grows_with_its_width():
    # given  scale 1, weights of He's variances 2/d = 1 and 2/m: weights +-1 and +-sqrt(2/m) have them, and the kernel
    #        at e_1 depends on nothing else in expectation
    e_1, widths = fractions([[1, 0]]), [8, 32, 128, 512]
    nets = [signed_network(m, Fraction(1), Fraction(1, 2 ** (1 + k))) for k, m in enumerate(widths)]
    kernels = [net.kernel(e_1)[0, 0] for net in nets]
    # then   E K_m(x, x) = |x|^2 (1 + m/d): the differences grow where a limit would make them vanish
    assert_identical(kernels, [1 + Fraction(m, 2) for m in widths], why="E K_m = 1 + m/d")
    steps = kernels[1] - kernels[0], kernels[3] - kernels[2]
    assert_violates(steps[1], steps[0], reads="K_512 - K_128 = {value} > K_32 - K_8 = {limit}", x=[1, 0], d=2)


@counterexample(part="(a)")
def test_a_search_finds_a_width_from_which_the_kernel_is_off_any_limit():
    # given  a candidate limit and an exponent; E K_m = |x|^2 (1 + m/2) increases in m, so that a width at which it
    #        exceeds the candidate by more than one refutes it for good
    def exceeds(instance):
        limit, exponent, x = instance
        net = signed_network(8 * 4**exponent, Fraction(1), Fraction(1, 2 ** (1 + exponent)))
        return net.kernel(fractions([[x, 0]]))[0, 0] - limit > 1

    found = smallest_violation(st.tuples(st.integers(9, 40), st.integers(0, 3), st.integers(1, 2)), exceeds, budget=60)
    assert_identical(found, (9, 0, 2), why="|x|^2 (1 + m/2) = 20 at x = 2 e_1 and width 8, less 9")


@necessity("H1", part="(a)")
@pytest.mark.parametrize("width", [64, 4096])
def test_without_H1_the_kernel_over_the_width_converges_instead(width):
    # given  the standard parameterization with Gaussian weights, d = 2, |x| = 1
    x, (c, b) = np.array([[0.6, 0.8]]), (1.0, 2 / width)
    net = two_layer("standard", width, 2, 64)
    # then   K_std(x, x) is a sum of 1(u > 0)(c u^2 + b v^2), c = 2/d and b = 2/m, of mean (c + b)/2; delta = ONCE a
    #        side. Power: Xavier's variance 1/d, half the mean, is below the deviation at width 4096
    allowed = chernoff(
        lambda s: np.log(0.5 + 0.5 / np.sqrt((1 - 2 * c * s) * (1 - 2 * b * s))),
        (c + b) / 2,
        width,
        ONCE,
        domain=(-np.inf, 1 / (2 * c)),
    )
    mean = net.kernel(x)[0, 0] / width
    assert_within((c + b) / 2 - allowed.below, mean, (c + b) / 2 + allowed.above, why="K_std(x, x)/m")


@necessity("H2", part="(a)")
def test_without_H2_another_variance_has_another_limit():
    X = np.array([[1.0, 2], [2, 1]])
    net = two_layer("ntk", 4096, 2, 3)
    other = dataclasses.replace(net, a=np.sqrt(2) * net.a)
    # then   the limit gains x.x' k_0(r), the share of the hidden weights, once more
    lengths = 5.0
    allowed = relu_ntk_deviations(X @ X.T / lengths, net.width, ONCE)
    assert_at_most(lengths * allowed.above, other.kernel(X) - relu_ntk(X), why="output weights of variance two")


@necessity("H2", part="(a)")
def test_without_H2_neurons_that_repeat_one_another_have_no_deterministic_limit():
    # given  copies of one neuron, which rests at x for one seed and is active for the other
    x, seeds, widths = np.array([[1.0, 2]]), (0, 11), (1, 64, 1024)
    own = np.array([[_repeated(two_layer("ntk", 1, 2, seed), m).kernel(x)[0, 0] for m in widths] for seed in seeds])
    # then   the kernel is that of the one neuron at every width: 0, and three times the limit
    rounding = 4 * (1024 + 34) * UNIT_ROUNDOFF * own[:, :1]
    assert_at_most(np.abs(own - own[:, :1]), rounding, why="kernel of one neuron, whatever the width")
    assert_at_most(2 * relu_ntk(x)[0, 0], own[1] - own[0], why="difference of two seeds, against the limit")


def _repeated(net, width):
    return TwoLayer(np.repeat(net.W, width, 0), np.repeat(net.a, width), net.activation, width**-0.5)


@necessity("H3", part="(a)")
@pytest.mark.parametrize("train", ["hidden", "output"])
def test_without_H3_a_layer_that_rests_is_missing_in_the_kernel(train):
    X = np.array([[1.0, 2], [2, 1]])
    net = two_layer("ntk", 4096, 2, 5)
    # then   it falls out of the deviation at 1e-12 on every entry
    lengths = 5.0
    allowed = relu_ntk_deviations(X @ X.T / lengths, net.width, ONCE)
    assert_at_most(lengths * allowed.below, relu_ntk(X) - net.kernel(X, train=train), why=f"only the {train} layer")


# (b) constancy in training


@under_hypotheses("H4", part="(b)")
@given_batches(problem=trainings())
def test_at_every_step_jacobian_and_kernel_have_moved_no_further_than_the_weights_allow(problem):
    # given  H4, tanh and signs; any legal step, any width, any targets: nothing is small here
    start = problem.network("tanh", signs=True)
    eta = problem.step / spectral(start.kernel(problem.X, train="hidden"))
    # when   thirty steps of gradient descent
    path = list(islice(network_path(start, problem.X, problem.y, eta, "hidden"), 0, 31, 6))
    # then
    distances = np.array([displacement(net, start) for net in path])
    J_0, K_0 = start.jacobian(problem.X, "hidden"), start.kernel(problem.X, train="hidden")
    turn = np.array([norm(net.jacobian(problem.X, "hidden") - J_0, axis=(-2, -1)) for net in path])
    drift = np.array([spectral(net.kernel(problem.X, train="hidden") - K_0) for net in path])
    rounding = sum(kernel_rounding(net, problem.X) for net in path)
    lip = turning_rate(start, problem.X, "hidden")
    assert_at_most(turn.T, (lip * distances + rounding / spectral(J_0)).T, why="|J_t - J_0|_F", instance=problem)
    bound = kernel_drift(start, problem.X, distances, "hidden") + rounding
    assert_at_most(drift.T, bound.T, why="|K_t - K_0|", instance=problem)


@under_hypotheses("H4", part="(b)")
def test_one_neuron_attains_what_the_weights_allow_up_to_the_third_order():
    # given  tanh where its slope is steepest, at s'(u) = 2/3, moved by h along its input: s''' = 0, |s''''| <= 12
    h, u, x = 1e-2, np.arctanh(1 / np.sqrt(3)), np.array([[2.0, 0]])
    start, moved = (TwoLayer(np.array([[at / 2, 0.0]]), np.array([-1.0]), "tanh", 0.5) for at in (u, u - h))
    turn = norm(moved.jacobian(x, "hidden") - start.jacobian(x, "hidden"))
    drift = (moved.kernel(x, train="hidden") - start.kernel(x, train="hidden"))[0, 0]
    # then   scale |x| = 1: J moves by L2 h - 2 h^3 at least, and K = J^2 along with it
    low, high = 4 / (3 * np.sqrt(3)) * h - 2 * h**3, turning_rate(start, x, "hidden") * displacement(moved, start)
    slack = kernel_rounding(start, x)
    assert_within(low, turn, high, slack=slack, why="|J - J_0| of one neuron")
    upper = kernel_drift(start, x, displacement(moved, start), "hidden")
    assert_within(2 * 2 / 3 * low + low**2, drift, upper, slack=slack, why="|K - K_0| of one neuron")


@under_hypotheses("H1", "H4", "H5", "H6", part="(b)")
@given_batches(problem=trainings(log_widths=range(6, 9)))
def test_what_is_known_at_the_start_bounds_the_kernel_and_the_loss_for_ever(problem):
    # given  H5, and H6 by construction: f_0 = 0, and targets shrunk until Lip 8 |r_0| = s_0^2
    start = problem.network("tanh", signs=True, antisymmetric=True)
    y = problem.y / lazy_radius(start, problem.X, problem.y).laziness[:, None]
    known, K_0 = lazy_radius(start, problem.X, y), start.kernel(problem.X, train="hidden")
    eta = LAZY_STEP / spectral(K_0)
    # when
    path = list(islice(network_path(start, problem.X, y, eta, "hidden"), 0, 41, 8))
    # then   at every step, the first included
    moved = np.array([displacement(net, start) for net in path])
    drift = np.array([spectral(net.kernel(problem.X, train="hidden") - K_0) for net in path])
    loss = np.array([norm(net.predict(problem.X) - y, axis=-1) for net in path])
    rate = np.array([known.residual_factor(eta, 8 * k) for k in range(len(path))]) * norm(y, axis=-1)
    slack = 2 * kernel_rounding(start, problem.X) / spectral(K_0)
    assert_at_most(moved.T, ((1 + slack) * known.radius)[:, None], why="|W_t - W_0|", instance=problem)
    bound = kernel_drift(start, problem.X, (1 + slack) * known.radius, "hidden") + 4 * slack * spectral(K_0)
    assert_at_most(drift.T, bound[:, None], why="|K_t - K_0| for ever", instance=problem)
    rounding = 41 * slack * norm(y, axis=-1) + value_rounding(start, problem.X)
    assert_at_most(loss.T, (rate + rounding).T, why="|r_t| contracts", instance=problem)


@under_hypotheses("H1", "H2", "H4", "H5", "H6", part="(b)")
def test_the_kernel_stays_near_its_infinite_limit_and_four_times_the_width_halves_the_bound():
    # given  erf, f_0 = 0, targets of length 1/20; widths 2^12 and 2^14, of which half the neurons are independent
    X, y, widths = np.array([[1.0, 0], [0.6, 0.8]]), np.array([0.03, -0.04]), np.array([2**12, 2**14])
    start = two_layer("ntk", widths, 2, np.array([1, 2]), activation="erf", signs=True, antisymmetric=True)
    limit = erf_ntk(X) - erf_nngp(X)
    # given  |K_0 - K| <= h but for a probability 1e-12, hence s_0, |J_0| and the radius before anything is drawn
    h = norm(hoeffding(4 / np.pi * np.abs(X @ X.T), widths[:, None, None] / 2, ONCE / 4), axis=(-2, -1))
    least, largest = np.linalg.eigvalsh(limit)
    lip_radius = turning_rate(start, X, "hidden") * 4 * norm(y) / np.sqrt(least - h)
    assert_at_most(lip_radius, np.sqrt(least - h) / 2, why="H6")
    bound = h + 2 * np.sqrt(largest + h) * lip_radius + lip_radius**2
    # when
    path = list(islice(network_path(start, X, y, LAZY_STEP / (largest + h), "hidden"), 0, 41, 20))
    # then   a priori; h is 0.18 and 0.09, nearly all of it. Power: an error of 2h is missed with probability ONCE
    drift = np.array([spectral(net.kernel(X, train="hidden") - limit) for net in path])
    assert_at_most(drift.T, bound[:, None], why="|K_t - K| at t = 0, 20, 40")
    assert_at_most(bound[1], bound[0] / 2, why="the bound at four times the width")


@observed(part="(b)")
def test_the_kernel_of_a_smooth_network_moves_much_less_than_the_square_root_of_the_width_says():
    # given  tanh, both layers trained, five seeds at widths 64 and 1024: slope -1/2 would divide the change by 4
    X, y = np.array([[1.0, 0.5], [-0.5, 1], [1, -1]]), np.array([1.0, -1, 0.5])
    widths, seeds = np.repeat([64, 1024], 5), np.arange(10)
    start = two_layer("ntk", widths, 2, seeds, activation="tanh", antisymmetric=True)
    # when
    end = fit(start, X, y, 0.3, loss=1e-3, budget=2000)
    # then   the medians are off by more than a factor of 8, near the 16 of Theta(1/m)
    change = spectral(end.kernel(X) - start.kernel(X)) / spectral(start.kernel(X))
    narrow, wide = np.median(change.reshape(2, 5), axis=1)
    assert_at_most(wide, narrow / 8, why="relative kernel change at sixteen times the width")


@observed(part="(b)")
def test_the_kernel_of_a_relu_network_moves_more_than_one_over_the_width_says():
    # given  ReLU, both layers trained, nine seeds at widths 256 and 16384: slope -1 would divide the change by 64
    X, y = np.array([[1.0, 0.5], [-0.5, 1], [1, -1]]), np.array([1.0, -1, 0.5])
    changes = []
    for width in (256, 16384):
        start = two_layer("ntk", np.repeat(width, 9), 2, np.arange(9), antisymmetric=True)
        end = fit(start, X, y, 0.1, loss=1e-3, budget=2000)
        changes.append(np.median(spectral(end.kernel(X) - start.kernel(X)) / spectral(start.kernel(X))))
    # then   sign flips keep it near the 8 of 1/sqrt(m): between 4 and 24
    assert_within(changes[0] / 24, changes[1], changes[0] / 4, why="relative kernel change at 64 times the width")


@counterexample(part="(b)")
def test_at_a_fixed_rate_the_kernel_of_the_papers_own_network_changes_by_a_quarter_in_one_step_at_every_width():
    # given  the network of (a), f_0 = 0; x = e_1, y = 2, eta = 1/4
    x, y, eta, widths = fractions([[1, 0]]), fractions([2]), Fraction(1, 4), [8, 32, 128, 512]
    starts = [signed_network(m, Fraction(1), Fraction(1, 2 ** (1 + k))) for k, m in enumerate(widths)]
    # when
    ends = [net.descend(x, y, eta) for net in starts]
    # then   (a, w.x) -> (a + eta y w.x, w.x + eta y a) multiplies K by 1 + (eta y)^2, whatever m
    changes = [
        (end.kernel(x) - net.kernel(x))[0, 0] / net.kernel(x)[0, 0] for net, end in zip(starts, ends, strict=True)
    ]
    assert_identical(changes, [(eta * y[0]) ** 2] * 4, why="relative change of K, widths 8 to 512")
    reads = "relative change of K in one step {value} at every width > {limit} if it stays constant"
    assert_violates(changes[-1], 0, reads=reads, x=[1, 0], y=2, eta=eta, m=512)


@counterexample(part="(b)")
def test_in_the_mean_field_parameterization_the_kernel_changes_as_much_at_every_width_while_the_network_learns():
    # given  scale 1/m and the rate m eta that goes with it; weights +-1, x = e_1, y = 2
    x, y, widths = fractions([[1, 0]]), fractions([2]), [8, 64, 512]
    starts = [signed_network(m, Fraction(1, m), Fraction(1)) for m in widths]
    # when   four exact steps
    ends = [net.descend(x, y, Fraction(m, 4), 4) for net, m in zip(starts, widths, strict=True)]
    # then   width is immaterial: the loss falls below a twentieth and the kernel grows by more than half
    values = [end.predict(x)[0] for end in ends]
    ratios = [(end.kernel(x) / net.kernel(x))[0, 0] for net, end in zip(starts, ends, strict=True)]
    assert_identical(values + ratios, [values[0]] * 3 + [ratios[0]] * 3, why="the same run at every width")
    assert_at_most((values[0] - 2) ** 2, Fraction(4, 20), why="twice the loss after four steps")
    reads = "K_4/K_0 - 1 = {value} > {limit} at widths 8, 64 and 512"
    assert_violates(ratios[0] - 1, Fraction(1, 2), reads=reads, x=[1, 0], y=2, eta="m/4")


@counterexample(part="(b)")
def test_a_search_finds_a_target_for_which_the_kernel_change_does_not_shrink_with_the_width():
    def persists(instance):
        exponent, y = instance
        starts = [signed_network(8 * 4**k, Fraction(1), Fraction(1, 2 ** (1 + k))) for k in (exponent, exponent + 1)]
        x, eta = fractions([[1, 0]]), Fraction(1, 4)
        grown = [(net.descend(x, fractions([y]), eta).kernel(x) / net.kernel(x))[0, 0] for net in starts]
        return min(grown) > Fraction(11, 10) and grown[1] >= grown[0]

    found = smallest_violation(st.tuples(st.integers(0, 2), st.integers(-4, 4)), persists, budget=60)
    assert_identical(found, (0, 2), why="y = 2 at widths 8 and 32: the smallest with (y/4)^2 > 1/10")


@necessity("H1", part="(b)")
def test_without_H1_a_fixed_rate_multiplies_the_residual_by_more_than_the_width_over_nine():
    # given  the standard network at eta = 1/4; r_1 = (1 - eta K_0) r_0 exactly, as f_0 = 0
    x, y, eta = fractions([[1, 0]]), fractions([2]), Fraction(1, 4)
    net = signed_network(512, Fraction(1), Fraction(1, 16))
    growth = -(net.descend(x, y, eta).predict(x) - y)[0] / (net.predict(x) - y)[0]
    assert_identical(growth, eta * (1 + Fraction(512, 2)) - 1, why="eta (1 + m/d) - 1")
    assert_violates(growth, Fraction(512, 9), reads="residual times {value} > {limit}", x=[1, 0], y=2, eta=eta, m=512)


@necessity("H1", part="(b)")
def test_without_H1_a_rate_that_trains_a_narrow_network_makes_a_wide_one_overflow():
    # given  tanh, standard parameterization, eta = 1/10, where |K_0| is near 0.6 m
    X, y = np.array([[1.0, 0], [0.6, 0.8]]), np.array([0.5, -0.5])
    narrow, wide = (two_layer("standard", m, 2, 7, activation="tanh") for m in (8, 1024))
    end = fit(narrow, X, y, 0.1, loss=1e-6, budget=2000)
    # then   the run that is lost says where
    assert_at_most(0.5 * norm(end.predict(X) - y) ** 2, 1e-6, why="loss at width 8")
    with pytest.raises(NonFiniteLossError, match=r"instance 0 has misfit (inf|nan) after \d+ steps"):
        fit(wide, X, y, 0.1, loss=1e-6, budget=2000)


@necessity("H1", part="(b)")
def test_without_H1_a_wide_relu_network_dies_of_the_same_rate_and_its_kernel_with_it():
    # given  the same with ReLU, ten seeds at width 1024: the steps throw every neuron off the data
    X, y = np.array([[1.0, 0], [0.6, 0.8]]), np.array([0.5, -0.5])
    start = two_layer("standard", np.repeat(1024, 10), 2, np.arange(10))
    *_, end = islice(network_path(start, X, y, 0.1), 21)
    # then   f = 0 and J = 0 exactly, so that nothing ever moves again
    assert_identical(end.predict(X), np.zeros((10, 2)), why="values after twenty steps")
    assert_identical(end.jacobian(X), 0 * start.jacobian(X), why="Jacobian after twenty steps")


@necessity("H4", part="(b)")
def test_without_H4_an_arbitrarily_small_movement_turns_the_jacobian_of_a_relu_network():
    # given  one ReLU neuron of width one, moved across the hyperplane of x by 2^-30
    x, tiny = fractions([[1, 0]]), Fraction(1, 2**30)
    net = ExactReluNetwork(fractions([[0, 1]]) - tiny * fractions([["1/2", 0]]), fractions([1]), Fraction(1))
    moved = net.moved(fractions([1, 0, 0]), tiny)
    # then   J(w) - J(v) has an entry 1, more than any Lipschitz constant below 2^30 allows
    turn = max(abs(entry) for entry in (moved.jacobian(x) - net.jacobian(x)).ravel())
    assert_violates(turn, 2**29 * tiny, reads="change of J {value} > Lip |W - V| = {limit}", x=[1, 0], Lip=2**29)


@necessity("H5", part="(b)")
def test_without_H5_a_long_step_throws_the_weights_out_of_their_radius():
    # given  the lazy network of the a priori test, but eta |K_0| = 8
    X, y = np.array([[1.0, 0.5], [0.8, 0.6]]), np.array([1.0, -0.5])
    start = two_layer("ntk", 256, 2, 11, activation="tanh", signs=True, antisymmetric=True)
    y = y / lazy_radius(start, X, y).laziness
    known, eta = lazy_radius(start, X, y), 8 / spectral(start.kernel(X, train="hidden"))
    *_, end = islice(network_path(start, X, y, eta, "hidden"), 30)
    assert_at_most(known.radius, displacement(end, start), why="radius against displacement after a long step")
    change = spectral(end.kernel(X, train="hidden") - start.kernel(X, train="hidden"))
    assert_at_most(kernel_drift(start, X, known.radius, "hidden"), change, why="bound against kernel after a long step")


@necessity("H6", part="(b)")
def test_without_H6_targets_that_are_large_for_the_width_change_the_kernel_by_half():
    # given  four tanh neurons, whose values stay below 2, and targets of that size
    X, y = np.array([[1.0, 0.5], [-0.5, 1]]), np.array([1.8, -1.8])
    start = two_layer("ntk", 4, 2, 11, activation="tanh", signs=True, antisymmetric=True)
    K_0 = start.kernel(X, train="hidden")
    end = fit(start, X, y, LAZY_STEP / spectral(K_0), loss=1e-3, budget=20000, train="hidden")
    change = spectral(end.kernel(X, train="hidden") - K_0) / spectral(K_0)
    assert_at_most(1 / 2, change, why="relative kernel change of a narrow network")


@necessity("H6", part="(b)")
@given_batches(problem=trainings())
def test_without_H6_a_singular_kernel_leaves_contradictory_targets_unfitted(problem):
    # given  the first input twice, with targets y_1 and y_1 + 2: no width helps
    X = np.concatenate([problem.X, problem.X[:, :1]], axis=1)
    y = np.concatenate([problem.y, problem.y[:, :1] + 2], axis=1)
    start = problem.network("tanh", signs=True, antisymmetric=True)
    eta = LAZY_STEP / spectral(start.kernel(X, train="hidden"))
    # when
    *_, end = islice(network_path(start, X, y, eta, "hidden"), 20)
    # then   two residuals that differ by 2, but for the rounding of one value
    residual = norm(end.predict(X) - y, axis=-1)
    assert_at_most(np.sqrt(2), residual + value_rounding(end, X), why="residual of a repeated input", instance=problem)


# (c) the function-space equation

# One neuron, w = (1, 1) and a = 1, at the inputs e_1 and e_2: K = [[2, 1], [1, 2]], f = (1, 1).
ONE_NEURON = ExactReluNetwork(fractions([[1, 1]]), fractions([1]), Fraction(1))


def flow_rate(net, X, y):
    """D f(X)/dt under the flow of (1/2n)|f(X) - y|^2, exact: a central difference of a function quadratic in h."""
    velocity = -((net.predict(X) - y) @ net.jacobian(X)) / len(X)
    h = Fraction(1, 2**20)
    return (net.moved(velocity, h).predict(X) - net.moved(velocity, -h).predict(X)) / (2 * h)


@counterexample(part="(c)")
def test_the_printed_equation_runs_n_times_too_fast():
    # given  r = (1, 0)
    X, y = fractions([[1, 0], [0, 1]]), fractions([0, 1])
    printed = -ONE_NEURON.kernel(X) @ (ONE_NEURON.predict(X) - y)
    # when
    rate = flow_rate(ONE_NEURON, X, y)
    # then   (2, 1) against (2, 1)/2, for the loss with 1/(2n)
    assert_identical(printed, 2 * rate, why="the print is n times the rate of the flow")
    reads = "printed speed of f(x_1) {value} > speed of the flow {limit}"
    assert_violates(-printed[0], -rate[0], reads=reads, K=[[2, 1], [1, 2]], r=[1, 0], n=2)


@counterexample(part="(c)")
def test_the_printed_solution_is_a_fifth_of_the_residual_off_at_time_one():
    # given  K = [[2, 1], [1, 2]] with eigenvalues 1 and 3, r_0 = (1, 0) half in each mode; e^{-K} r_0 was printed
    modes = [[exponential_of_minus(Fraction(k)), exponential_of_minus(Fraction(k, 2))] for k in (1, 3)]
    # then   |e^{-K} r_0 - e^{-K/2} r_0|^2 = sum over the modes of (e^{-k/2} - e^{-k})^2/2, enclosed from below
    gaps = [half[0] - full[1] for full, half in modes]
    squared = sum(gap**2 for gap in gaps) / 2
    reads = "squared distance {value} > {limit}"
    assert_violates(squared, Fraction(1, 25), reads=reads, K=[[2, 1], [1, 2]], r_0=[1, 0], t=1)


@counterexample(part="(c)")
def test_a_search_finds_the_lost_factor_and_needs_two_samples_for_it():
    def misses(instance):
        (w, a), y = instance
        X = fractions([[1, 0], [0, 1]])[: len(y)]
        net = ExactReluNetwork(fractions([w]), fractions([a]), Fraction(1))
        r = net.predict(X) - fractions(list(y))
        return np.any(flow_rate(net, X, fractions(list(y))) != -net.kernel(X) @ r)

    network = st.tuples(st.tuples(st.integers(1, 3), st.integers(1, 3)), st.integers(0, 2))
    targets = st.lists(st.integers(0, 2), min_size=1, max_size=2).map(tuple)
    found = smallest_violation(st.tuples(network, targets), misses, budget=200)
    assert_identical(len(found[1]), 2, why="the smallest violation has two samples")


@corrected(part="(c)")
@pytest.mark.parametrize("activation", ["relu", "tanh"])
@given_batches(problem=trainings(log_widths=range(1, 5)))
def test_at_every_width_the_residual_moves_by_one_nth_of_the_kernel_of_the_moment(problem, activation):
    # given  both layers, away from the start: after two steps of descent
    n, start = problem.rows, problem.network(activation)
    *_, net = islice(network_path(start, problem.X, problem.y, problem.step / 40), 3)
    r = net.predict(problem.X) - problem.y
    # when   the derivative of f along -grad L, L with 1/(2n), by a complex step: exact but for rounding
    in_W, in_a = gradients(net, problem.X, r / n[:, None])
    h = 1e-30
    beside = dataclasses.replace(net, W=net.W - 1j * h * in_W, a=net.a - 1j * h * in_a)
    rate = beside.predict(problem.X).imag / h
    # then   eight roundings of a product, for m + d + n products, and for slopes that see a rounded w.x
    expected = -np.matvec(net.kernel(problem.X), r) / n[:, None]
    size = norm(net.jacobian(problem.X), axis=(-2, -1)) ** 2 * norm(r, axis=-1) / n
    steep = 1 + norm(net.W, axis=-1).max(-1) * norm(problem.X, axis=-1).max(-1)
    rounding = 8 * (net.width + sum(problem.X.shape[1:]) + 8) * UNIT_ROUNDOFF * size * steep
    assert_at_most(norm(rate - expected, axis=-1), rounding, why="df/dt = -(1/n) K_t r", instance=problem)


@corrected(part="(c)")
@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning")  # torch's own, in jvp
def test_torch_users_see_the_same_factor():
    import torch

    # given  nn.Sequential of two linear layers and tanh, with our weights; nn.MSELoss is twice the loss of Section 2.1
    X, y = np.array([[1.0, 2], [0, 1], [-1, 1]]), np.array([1.0, -2, 0])
    net = two_layer("standard", 7, 2, 3, activation="tanh")
    layers = (torch.nn.Linear(2, 7, bias=False), torch.nn.Tanh(), torch.nn.Linear(7, 1, bias=False))
    model, inputs, targets = torch.nn.Sequential(*layers).double(), torch.as_tensor(X), torch.as_tensor(y)
    weights = {"0.weight": torch.as_tensor(net.W), "2.weight": torch.as_tensor(net.a[None])}

    def f(weights):
        return torch.func.functional_call(model, weights, (inputs,))[:, 0]

    # when   the gradient by reverse mode, the rate of f along it by forward mode
    gradient = torch.func.grad(lambda weights: torch.nn.MSELoss()(f(weights), targets) / 2)(weights)
    _, rate = torch.func.jvp(f, (weights,), ({name: -part for name, part in gradient.items()},))
    # then
    r, size = net.predict(X) - y, norm(net.jacobian(X)) ** 2
    bound = 64 * (net.W.size + len(X)) * UNIT_ROUNDOFF * size * norm(r) / len(X)
    expected = -net.kernel(X) @ r / len(X)
    assert_at_most(norm(rate.numpy() - expected), bound, why="jvp(f; -grad L) = -(1/n) K r, torch.func")


@corrected(part="(c)")
@given_batches(problem=trainings(log_widths=range(2, 6)))
def test_the_linearized_network_follows_its_closed_form_at_all_times_and_off_the_data(problem):
    # given  tanh, both layers; the loss with 1/(2n) and rate eta, so that h = eta/n; the drawn time
    start, X, Z, t = problem.network("tanh"), problem.X, problem.Z, problem.t
    J, J_Z, r_0 = start.jacobian(X), start.jacobian(Z), problem.y - start.predict(X)
    eta = problem.rows * problem.step / spectral(start.kernel(X))
    h = eta / problem.rows
    # when   gradient descent in the weights of f_0 + J (theta - theta_0)
    run = gradient_descent(J, r_0, np.zeros((len(J), J.shape[-1])), h, t)
    # then   f_0(x) + k_x V diag((1 - (1 - hw)^t)/w) V'(y - f_0), by the eigenvectors of the kernel
    filtered = np.matvec(start.kernel(Z, X), _filter(start.kernel(X), h, t, r_0))
    error = norm(np.matvec(J_Z, run.w) - filtered, axis=-1)
    # the filter's derivative in K is at most (ht)^2/2, and K and each step are known to (m + d + n)u |J|^2
    size, reach = norm(J, axis=(-2, -1)), norm(J_Z, axis=(-2, -1))
    units = 8 * (start.width + sum(X.shape[1:]) + 8) * UNIT_ROUNDOFF * (1 + h * t * size**2) * (1 + t)
    assert_at_most(error, units * h * reach * size * norm(r_0, axis=-1), why="linearized network", instance=problem)


def _filter(K, h, t, r):
    """The sum over s < t of h (I - hK)^s r, the coefficients of the linearized fit after t steps."""
    w, V = np.linalg.eigh(K)
    steps = np.arange(max(int(t.max()), 1))[:, None, None]
    powers = np.where(steps < t[:, None], (1 - h[:, None] * w) ** steps, 0).sum(0)
    return np.matvec(V, h[:, None] * powers * np.vecmat(r, V))


@corrected(part="(c)")
@given_batches(problem=trainings(log_widths=range(4, 9)))
def test_a_finite_network_is_no_further_from_its_linearization_than_its_own_path_shows(problem):
    # given  H4 and a step below 1/lambda_max(K_0)
    start, X, y = problem.network("tanh", signs=True), problem.X, problem.y
    K_0 = start.kernel(X, train="hidden")
    eta = problem.step / (2 * spectral(K_0))
    # when   twenty steps of the network, and of its linearization
    states = list(islice(network_path(start, X, y, eta, "hidden"), 21))
    linear = start.predict(X) - y
    contraction = np.eye(X.shape[-2]) - eta[:, None, None] * K_0
    linear = np.matvec(np.linalg.matrix_power(contraction, 20), linear)
    # then
    gap = norm(states[-1].predict(X) - y - linear, axis=-1)
    rounding = 20 * kernel_rounding(start, X) / spectral(K_0) * norm(start.predict(X) - y, axis=-1)
    bound = linearization_gap(states, X, y, eta) + rounding + 2 * value_rounding(states[-1], X)
    assert_at_most(gap, bound, why="network against its linearization", instance=problem)


@corrected(part="(c)")
def test_one_neuron_attains_the_distance_from_its_linearization_after_a_short_time():
    # given  tanh where its slope 2/3 is steepest, pulled towards larger slopes: s''' = 0 there, |s''''| <= 12
    X, y, eta, steps = np.array([[1.0, 0]]), np.array([0.0]), 1e-4, 100
    start = TwoLayer(np.array([[np.arctanh(1 / np.sqrt(3)), 0.0]]), np.array([1.0]), "tanh", 1.0)
    states = list(islice(network_path(start, X, y, eta, "hidden"), steps + 1))
    K_0 = start.kernel(X, train="hidden")[0, 0]
    # then   the slope gains L2 d - 2 d^3 at least, and (1 - eta K_0)^t of what was added is left
    gap = states[-1].predict(X)[0] - (1 - eta * K_0) ** steps * start.predict(X)[0]
    bound = linearization_gap(states, X, y, eta)
    third_order = 1 - 2 * displacement(states[-1], start) ** 2 / (4 / (3 * np.sqrt(3)))
    lower = third_order * (1 - eta * K_0) ** steps * bound
    assert_within(lower, abs(gap), bound, slack=steps * kernel_rounding(start, X), why="gap of one neuron")


@corrected(part="(c)")
def test_a_wide_network_is_certified_to_follow_its_linearization_within_a_tenth_of_the_residual():
    # given  2^14 erf neurons, f_0 = 0
    X, y = np.array([[1.0, 0], [0.6, 0.8]]), np.array([0.3, -0.4])
    start = two_layer("ntk", 2**14, 2, 14, activation="erf", signs=True, antisymmetric=True)
    eta = 1 / spectral(start.kernel(X, train="hidden"))
    states = list(islice(network_path(start, X, y, eta, "hidden"), 30))
    # then   certified, while the linearization contracts by 1 - lambda_min/lambda_max a step, to a twentieth
    gap, w = linearization_gap(states, X, y, eta), np.linalg.eigvalsh(start.kernel(X, train="hidden"))
    left = (1 - w[0] / w[-1]) ** (len(states) - 1) * norm(y)
    assert_at_most(gap, norm(y) / 10, why="certified distance over thirty steps")
    assert_at_most(left, norm(y) / 20, why="residual of the linearization after thirty steps")
    assert_at_most(norm(states[-1].predict(X) - y), left + gap, why="residual of the network")


# (d) identical to kernel ridge regression


@counterexample(part="(d)")
def test_with_targets_zero_the_network_predicts_what_it_started_with_and_ridge_predicts_zero():
    # given  two ReLU neurons (1, 0) and (0, 1), a = (1, 1); one sample (2, -1) with y = 0: K = 9
    net = ExactReluNetwork(fractions([[1, 0], [0, 1]]), fractions([1, 1]), Fraction(1))
    X, x = fractions([[2, -1]]), fractions([[1, 1]])
    K, k, f_0 = net.kernel(X)[0, 0], net.kernel(x, X)[0, 0], net.predict(X)[0]
    # when   the linearized network takes one step of eta = 1/K, which ends its descent
    theta = -f_0 / K * net.jacobian(X)[0]
    assert_identical(f_0 + net.jacobian(X)[0] @ theta, 0, why="the sample is fitted")
    limit = (net.predict(x) + net.jacobian(x) @ theta)[0]
    # then   f_0(x) - k K^-1 f_0(X) = 2 - 3/9 * 2, while k (K + lambda)^-1 y = 0 for every lambda
    assert_identical(limit, net.predict(x)[0] - k / K * f_0, why="the offset")
    assert_violates(limit, 0, reads="prediction {value} > ridge's {limit}", X=[[2, -1]], y=0, x=[1, 1], w="e_1, e_2")


@counterexample(part="(d)")
def test_from_zero_no_penalty_gives_the_fit_at_time_one_of_two_modes():
    # given  K = diag(1, 4), y = (1, 1), f_0 = 0, gradient flow at t = 1: the fit is 1 - e^{-k}
    fits = [(1 - high, 1 - low) for low, high in (exponential_of_minus(1), exponential_of_minus(4))]
    middle = Fraction(4133, 10000)
    # then   ridge's k/(k + lambda) falls with lambda: below the middle mode 1 is too large, above it mode 4 too small
    too_large, too_small = 1 / (1 + middle) - fits[0][1], fits[1][0] - 4 / (4 + middle)
    reads = "worst mode of ridge is off by at least {value} > {limit} at every lambda"
    assert_violates(min(too_large, too_small), Fraction(3, 40), reads=reads, K="diag(1, 4)", t=1)


@counterexample(part="(d)")
def test_a_search_finds_two_eigenvalues_without_a_common_penalty():
    # given  eigenvalues and a time; descent with h = 1/5 has the filter q = 1 - (1 - h k)^t, which ridge has for
    #        lambda = k (1 - q)/q
    def disagree(instance):
        eigenvalues, t = instance
        left = [(1 - Fraction(k, 5)) ** t for k in eigenvalues]
        return len({k * rest / (1 - rest) for k, rest in zip(eigenvalues, left, strict=True)}) > 1

    spectra = st.lists(st.integers(1, 4), min_size=1, max_size=3).map(tuple)
    found = smallest_violation(st.tuples(spectra, st.integers(1, 3)), disagree, budget=200)
    assert_identical(sorted(found[0]), [1, 2], why="the smallest spectrum without a penalty")


@counterexample(part="(d)")
def test_ridge_with_the_inverse_time_for_its_penalty_is_off_by_a_fifth():
    # given  lambda = 1/t, s = kt = 5/2: 1 - e^{-s} against s/(1 + s)
    s = Fraction(5, 2)
    gap = 1 - exponential_of_minus(s)[1] - s / (1 + s)
    assert_violates(gap, Fraction(1, 5), reads="filters differ by {value} > {limit}", s=s)


@corrected(part="(d)")
@given_batches(problem=trainings(log_widths=range(6, 9)))
def test_the_limit_is_the_interpolant_of_least_norm_plus_what_the_start_leaves(problem):
    # given  ReLU, both layers, any start
    start, X, Z = problem.network("relu"), problem.X, problem.Z
    J, f_0 = start.jacobian(X), start.predict(X)
    # when   LAPACK finds the limit of descent in the weights of the linearized network, the one nearest to theta_0
    theta = nearest_interpolant(J, problem.y - f_0, np.zeros((len(J), J.shape[-1])))
    limit = start.predict(Z) + np.matvec(start.jacobian(Z), theta)
    # then   k_x K^-1 y + f_0(x) - k_x K^-1 f_0(X)
    K, k = problem.gram(lambda inputs: start.kernel(inputs)), start.kernel(Z, X)
    offset = start.predict(Z) - np.matvec(k, interpolant_coefficients(K, f_0))
    error = norm(limit - np.matvec(k, interpolant_coefficients(K, problem.y)) - offset, axis=-1)
    w = np.linalg.eigvalsh(K)
    scale = norm(start.jacobian(Z), axis=(-2, -1)) * (norm(problem.y, axis=-1) + norm(f_0, axis=-1)) / np.sqrt(w[:, 0])
    rounding = 8 * (start.width + sum(X.shape[1:]) + 8) * UNIT_ROUNDOFF * w[:, -1] / w[:, 0] * scale
    assert_at_most(error, rounding, why="limit against interpolant and offset", instance=problem)


def offsets_of_networks(width):
    """The offset at x = (-.6, .8) for X = (1, 0), (.6, .8) as c'f_0, over 2^18 neurons in networks of this width.

    Returns c = (1, -K^-1 k_x), the points x and X, the networks, and v = c' Sigma_m c, an offset's variance given W.
    """
    points, count = np.array([[-0.6, 0.8], [1, 0], [0.6, 0.8]]), 2**18 // width
    c = np.append(1, -interpolant_coefficients(relu_ntk(points[1:]), relu_ntk(points)[0, 1:]))
    neurons = two_layer("ntk", 2**18, 2, width)
    nets = TwoLayer(neurons.W.reshape(count, width, 2), neurons.a.reshape(count, width), "relu", width**-0.5)
    return c, points, nets, np.vecdot(nets.kernel(points, train="output") @ c, c)


@corrected(part="(d)")
@pytest.mark.parametrize("width", [16, 64])
def test_given_the_hidden_weights_the_offset_is_gaussian_with_the_empirical_variance(width):
    c, points, nets, v = offsets_of_networks(width)
    # then   c'f_0 ~ N(0, v) given W: a sum of squares over v is chi-square. delta = ONCE
    squares = np.sum((nets.predict(points) @ c) ** 2 / v)
    inside = chi_square_interval(len(v), ONCE)
    assert_within(inside[0], squares, inside[1], why="squares of the offsets over their variances, chi-square")
    # and    power
    found = chi_square_power(len(v), ONCE, [1 / 1.3, 1.3])
    assert_at_most(1 - 1e-5, found, why="chance that a variance wrong by a factor 1.3 is seen")


@corrected(part="(d)")
@pytest.mark.parametrize("width", [16, 64])
def test_the_variance_of_the_offset_has_the_same_exact_mean_at_every_width(width):
    c, points, _, v = offsets_of_networks(width)
    variance, G = c @ relu_nngp(points) @ c, (np.abs(c) @ norm(points, axis=1)) ** 2
    ends = (-np.inf, 1 / (2 * G))

    # given  v is a mean of |w|^2 g with |w|^2/2 exponential and independent of g in [0, G], E g = variance/2, whose
    #        moment generating function E 1/(1 - 2sg) is convex in g, hence largest for g in {0, G}
    def deviations(delta):
        return chernoff(
            lambda s: np.log1p(variance * s / (1 - 2 * s * G)), variance, v.size * width, delta, domain=ends
        )

    # then
    allowed, found = deviations(ONCE), detectable(deviations, ONCE, ONCE)
    assert_within(variance - allowed.below, v.mean(), variance + allowed.above, why="mean variance of the offset")
    assert_at_most(max(found.below, found.above), 2 / 5 * variance, why="error that is missed with probability ONCE")
    assert_within(0.358, variance, 0.359, why="c' Sigma c: nothing that width would make small")


@corrected(part="(d)")
@given_batches(problem=trainings(log_widths=range(6, 9)))
def test_from_an_antisymmetric_start_descent_is_off_ridge_by_the_difference_of_their_filters(problem):
    # given  f_0 = 0; the drawn time, and lambda = 1/(ht), ridge in the loss without 1/n
    start, X, y = problem.network("relu", antisymmetric=True), problem.X, problem.y
    J, K, t = start.jacobian(X), problem.gram(lambda inputs: start.kernel(inputs)), problem.t + 1
    w = np.linalg.eigvalsh(K)
    h = problem.step / w[:, -1]
    penalty = 1 / (h * t)
    # when
    fitted = np.matvec(J, gradient_descent(J, y, np.zeros((len(J), J.shape[-1])), h, t).w)
    ridge = np.matvec(K, ridge_coefficients(K, y, penalty / K.shape[-1]))
    # then   no further and no nearer than the modes are; both vanish as t -> infinity and lambda -> 0
    modes = np.abs((1 - h[:, None] * w) ** t[:, None] - penalty[:, None] / (w + penalty[:, None]))
    rounding = 8 * (start.width + sum(X.shape[1:]) + 8) * UNIT_ROUNDOFF * (1 + t) ** 2 * norm(y, axis=-1)
    lower, upper = modes.min(-1) * norm(y, axis=-1), modes.max(-1) * norm(y, axis=-1)
    error = norm(fitted - ridge, axis=-1)
    assert_within(lower, error, upper, slack=rounding, why="descent against ridge", instance=problem)


def excess(s, bound):
    """Bounds below and above bound * s - (1 + s)(1 - e^{-s}), which is positive where the ratio of fits is < bound."""
    low, high = exponential_of_minus(s)
    return bound * s - (1 + s) * (1 - low), bound * s - (1 + s) * (1 - high)


@corrected(part="(d)")
def test_the_ratio_of_the_variances_of_flow_and_ridge_has_its_supremum_enclosed():
    # given  s = kt, lambda = 1/t: the ratio is phi^2, phi = (1 - e^{-s})(1 + s)/s; bound^2 < 1.6861
    bound, s = Fraction(129848, 100000), Fraction(17933, 10000)
    low, high = exponential_of_minus(s)
    assert_at_most(bound**2, SUPREMUM, why="square of the bound on phi")
    assert_violates(((1 - high) * (1 + s) / s) ** 2, Fraction(16858, 10000), reads="phi(s)^2 {value} > {limit}", s=s)
    # then   g = bound s - (1 + s)(1 - e^{-s}) has g'' = (s - 1)e^{-s}: concave up to 1 with g(0) = 0 and g(1) >= 0
    assert_at_most(0, excess(Fraction(1), bound)[0], why="g(1)")
    # and    convex from 1 on, with g' = bound - 1 - s e^{-s} changing its sign between 1.79 and 1.80, so that the least
    #        value beyond 1 is at least g(s) - |g'| 0.007 there
    near, far = Fraction(179, 100), Fraction(180, 100)
    assert_at_most(bound - 1, near * exponential_of_minus(near)[0], why="g' < 0 at 1.79")
    assert_at_most(far * exponential_of_minus(far)[1], bound - 1, why="g' > 0 at 1.80")
    slope = max(abs(bound - 1 - s * low), abs(bound - 1 - s * high))
    assert_at_most(slope * (far - near), excess(s, bound)[0], why="g at 1.7933 against its slope")


@corrected(part="(d)")
@given_batches(problem=kernel_inputs())
def test_flow_at_time_t_risks_at_most_the_supremum_times_ridge_at_one_over_t(problem):
    # given  f_0 = 0, a true function with values y at X, independent noise of variance 1; t K_11 from 2^-10 to 2^5
    K = problem.gram(relu_ntk)
    t = 2.0 ** (problem.t % 32 / 2 - 10) / K[:, 0, 0]
    # when   the matrices that take targets to fits, by scipy's expm and by a solve
    identity = np.eye(K.shape[-1])
    flow_rest = scipy.linalg.expm(-t[:, None, None] * K)
    ridge_rest = np.linalg.solve(identity + t[:, None, None] * K, np.broadcast_to(identity, K.shape))
    bias, ridge_bias = (np.matvec(rest, problem.y) for rest in (flow_rest, ridge_rest))
    noise, ridge_noise = (norm(identity - rest, axis=(-2, -1)) ** 2 for rest in (flow_rest, ridge_rest))
    # then   bias by bias and variance by variance, hence the in-sample risk
    units = 64 * K.shape[-1] * UNIT_ROUNDOFF * (1 + t * norm(K, axis=(-2, -1)))
    loose = units * norm(problem.y, axis=-1)
    assert_at_most(norm(bias, axis=-1), norm(ridge_bias, axis=-1) + loose, why="bias of flow", instance=problem)
    slack = units * (1 + 4 * noise)
    assert_at_most(noise, float(SUPREMUM) * ridge_noise + slack, why="variance of flow", instance=problem)
