r"""Theorem 4.1 - deep linear networks find the interpolant of least nuclear norm.

Section     4.2, the theorem and its proof sketch
Printed     Balanced initialization, in the proof $W_\ell(0) = \alpha I$, and a small learning rate imply
            $W_L \cdots W_1 \to W^* = \arg\min_W \|W\|_* \ \text{s.t.}\ Wx = y$
Reading     (a) is about the constraint as printed, fully observed outputs of n <= d inputs, $WX = Y$; (b) is about the
            convergence that is asserted there; (c) is about the constraints for which a
            least nuclear norm means something of its own, as the title and the words "low-rank solutions" suggest:
            linear measurements $\langle A_i, W \rangle = y_i$ and, as a special case, matrix completion
Setting     Losses $\frac12 \|WX - Y\|_F^2$ and $\frac12 \sum_i (\langle A_i, W \rangle - y_i)^2$; all layers d x d;
            $P = XX^+$; with W = UU', GD is $W \mapsto (I - 2\eta G) W (I - 2\eta G)$, G the gradient in W
Hypotheses  (H1) The start is alpha I: U(0), or every W_l(0).  (H2) The A_i are symmetric and commute.
            (H3) alpha -> 0.  (H4) Some positive semidefinite W fits.  (H5) Y = SX with S + S' positive definite; of one
            sample that is x'y > 0, half of all data.
Corrected   (C1) (b) From H1, at every depth and step size and after every step, $W_1(I-P) = \alpha(I-P)$ and
            $\|W - YX^+\|_F^2 = \|(WX-Y)X^+\|_F^2 + \alpha^2 \|W_L \cdots W_2 (I-P)\|_F^2$, so that $\|W - YX^+\|_F \le
            \|(WX-Y)X^+\|_F + \alpha \|W_L \cdots W_2\|_{op} \sqrt{d-n}$.
            (C2) (b) From H1, where S and XX' commute and S is symmetric, every layer is diagonal in one basis, and each
            mode follows a recursion of its own; modes that no sample shows keep alpha for ever.
            (C3) (b) For x = e_1, y = (3, 4)/5 and depth two the distance to YX^+ that is left is alpha/sqrt(5), within
            a tenth for alpha = 0.1, 0.01 and 0.001: it is of order alpha, and not alpha^2.
            (C4) (c) Two tied layers, W = UU', under H1 and H2, while $2\eta\|G_t\|_F \le 1/2$: after every step
            $W = \alpha^2 \exp(A^*(\nu) - D)$ with $0 \le D \le 2 \sum_t \|2\eta G_t\|_F^2$.
            (C5) (c) As C4 with alpha < 1: the trace exceeds the least trace of a positive semidefinite matrix with the
            same measurements by at most $[K(w_1) - K(w) + \|D\| \operatorname{tr} w_1]/\ln(1/\alpha^2)$,
            $K(w) = \sum w \ln w - w$, where w_1 attains the least.
            (C6) (c) $L = m + 2 \ge 3$ layers under H1 and H2, while no mode is multiplied by less than 1 - z in a step:
            the trace exceeds the least by at most $\alpha^m [\frac L2 (\sum x^{2/L} - \sum w_1^{2/L}) + \|E\|
            \operatorname{tr} w_1]$, x the eigenvalues of W, v those of a layer, g those of G, and
            $0 \le E \le \frac{m(m+1)}{2} (1 - z)^{-m-2} \eta^2 \sum_t g^2 v^m$.
            (C7) (c) As C4, under H4 too: if p >= 0 fits and eta meets
            $\eta\, \lambda_{\max}(a\, \mathrm{diag}(2p + w)\, a^\top) \le 1/2$ on the way, the losses of all steps add
            up to at most $KL(p, \alpha^2)/(4\eta)$.
            (C8) (c) The order of the excess depends on the measurement. With tied layers, alpha = 0.1, 0.01, 0.001 and
            $\langle \mathrm{diag}(1, 2), W \rangle = 2$ it is below 0.7 alpha; for $\mathrm{diag}(1, 1 - 1/S)$ and 1,
            $S = \ln(1/\alpha^2)$, it is between $1/(1 + e)$ and $S/(2S - 1)$ times 1/S, the order of the bound of C5.
Differs     (c) The corrected statements need measurements that commute, which is no open set of measurements, and they
            are about the least trace of a positive semidefinite matrix, not about the least nuclear norm of any matrix.
Parts       (a) the constraint Wx = y sees a nuclear norm - vacuous
            (b) convergence to the least nuclear norm under Wx = y - holds under added hypotheses
            (c) least nuclear norm under linear measurements - refuted
Idea        (a) S = YX^+ + S(I-P) for every interpolant S, so no singular value of YX^+ = SP exceeds that of S: all
            unitarily invariant norms agree, and gradient descent without depth already gets there. (b) From alpha I the
            flow is a product of positive factors, which never crosses zero on its way to y = -x; and what no sample
            shows stays at its start. (c) From alpha I with symmetric data the flow of W stays positive semidefinite,
            while the least nuclear norm of a completion may need a negative eigenvalue; and among positive semidefinite
            matrices, the pinned measurements that do not commute send descent to a matrix of rank one.
Source      Fan (1951), Maximum Properties and Inequalities for the Eigenvalues of Completely Continuous Operators,
            PNAS; Gunasekar, Woodworth, Bhojanapalli, Neyshabur, Srebro (2017), Implicit Regularization in Matrix
            Factorization, NeurIPS (the commuting case, and the conjecture); Arora, Cohen, Hu, Luo (2019), Implicit
            Regularization in Deep Matrix Factorization, NeurIPS (the commuting case of more layers); Razin, Cohen
            (2020), Implicit Regularization in Deep Learning May Not Be Explainable by Norms, NeurIPS (a completion that
            drives every norm to infinity); Li, Luo, Lyu (2021), Towards Resolving the Implicit Bias of Gradient Descent
            for Matrix Factorization: Greedy Low-Rank Learning, ICLR (the conjecture refuted); Bartlett, Helmbold, Long
            (2018), Gradient Descent with Identity Initialization Efficiently Learns Positive Definite Linear
            Transformations by Deep Residual Networks, ICML
Tolerance   Distances: the exact split above plus the rounding of the layers. Nuclear norms: dual certificates checked
            by us, rational where a test pins a value; the misfit of an unconverged run is charged to its certificate.
            Least traces: HiGHS, its dual made feasible by us
Findings    The pinned non-commuting case has its least trace between 57/7 and 204/25, both rational; descent ends near
            12 from alpha = 0.1, 0.01 and 0.001. The least-trace conclusion of (c) does not need depth two: for
            $\langle \mathrm{diag}(1, 2), W \rangle = 2$ and alpha = 0.1 the trace is 1.0488, 1.0030 and 1.0002 at
            depths 2, 3 and 4, where 1 is the least. That H5 suffices for a fit is proved by Bartlett, Helmbold and Long
            for symmetric S, white data and W_l(0) = I. Otherwise it was observed: 600 regressions of dimension 4, whose
            skew part was up to ten times as large as the rest, were all fitted to 1/5000 in 25,000 steps. The nuclear
            norm can be nearer to the least than the distance of C3 says: for x = e_1, y = (1, 2, 2) and depth two its
            excess was 0.55, 0.055 and 0.018 times alpha at alpha = 0.3, 0.03 and 0.01
Expected    refuted
"""

import dataclasses
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.linalg import norm

from fixtures.datasets.diabetes import serum_regression
from fixtures.dynamics.deep_linear import deep_linear_descent, descent_path, end_to_end, regression_gradient
from fixtures.dynamics.matrix_sensing import factored_path
from fixtures.dynamics.paths import at_time, snapshots, until_fitted
from fixtures.dynamics.torch_training import train_deep_linear
from fixtures.precision import UNIT_ROUNDOFF
from fixtures.problems.batches import given_batches
from fixtures.problems.interpolable import interpolables
from fixtures.problems.sensing import Completion, Sensing, commuting_sensing, corner, non_commuting_sensing
from fixtures.problems.tapes import tapes
from fixtures.rational import fractions, leading_pivots
from properties.certificates import assert_at_most, assert_identical, assert_violates, assert_within
from properties.deep_interpolation import modes_of_descent, null_drift, split_distance
from properties.nuclear_norm import (
    entropy,
    least_nuclear_norm_of_corner,
    least_trace,
    nuclear_norm,
    operator_norm,
    regression_bracket,
    spectrum_rounding,
)
from properties.oracles import least_squares_map
from properties.search import smallest_violation
from theorems.ledger import corrected, counterexample, necessity, observed, under_hypotheses, vacuous

FITTED = 1e-6
TIMES = [1, 300]


@dataclasses.dataclass(frozen=True)
class Diagonal:
    """Targets diag(lam) of a fully observed problem; lam (d,) integers in -3..3."""

    lam: np.ndarray


diagonals = tapes(4).map(lambda tape: Diagonal(tape.integers(4, 3)))


def train(problem, depth, steps):
    """The layers after `steps` steps of gradient descent from alpha I, and what is known of their distance to YX^+."""
    eta = problem.step(depth)
    layers = deep_linear_descent(problem.start(depth), problem.X, problem.Y, eta, steps)
    drift = null_drift(problem.X, problem.Y, problem.alpha, depth, eta, steps)
    return layers, split_distance(layers, problem.X, problem.Y, problem.alpha, drift)


# (a) the constraint WX = Y


@vacuous(part="(a)")
@given_batches(problem=interpolables())
def test_least_squares_has_the_least_nuclear_norm_already(problem):
    # when   LAPACK minimizes |WX - Y|_F, and |W|_F among its minimizers
    W = least_squares_map(problem.X, problem.Y)
    # then   no interpolant has a smaller nuclear norm: the polar factor of W is a dual certificate
    dual = regression_bracket(problem.X, problem.Y, W)
    rounding = 8 / problem.sigma_min * spectrum_rounding(W)
    assert_at_most(dual.upper - dual.lower, rounding, why="nuclear norm of YX^+ less its dual", instance=problem)


@vacuous(part="(a)")
@given_batches(problem=interpolables())
def test_every_interpolant_has_every_singular_value_at_least_as_large(problem):
    # given  S interpolates, and so does S P + Z(I - P) for every Z: here Z = S
    W = least_squares_map(problem.X, problem.Y)
    # then   sigma_i(YX^+) <= sigma_i(S) for each i, hence |YX^+| <= |S| in every unitarily invariant norm
    least, other = (np.linalg.svd(matrix, compute_uv=False) for matrix in (W, problem.S))
    rounding = spectrum_rounding(problem.S) * 8 / problem.sigma_min
    assert_at_most((least - other).max(-1), rounding, why="singular values of YX^+ and S", instance=problem)


@vacuous(part="(a)")
@given_batches(problem=interpolables())
def test_gradient_descent_without_depth_finds_the_same_matrix(problem):
    # when   L = 1 from zero, eta = 1/s_1^2 = 1: the slowest mode shrinks by 1 - s_n^2 <= 9/10 a step
    layers = deep_linear_descent([0 * problem.S], problem.X, problem.Y, 1.0, 260)
    dual = regression_bracket(problem.X, problem.Y, least_squares_map(problem.X, problem.Y))
    # then   sqrt(d) |W - YX^+|_F bounds the difference of nuclear norms
    remaining = 2 * (1 - problem.sigma_min**2) ** 260 * norm(problem.least_squares_map, axis=(-2, -1))
    rounding = 260 * 8 / problem.sigma_min * spectrum_rounding(dual.W)
    assert_within(dual.lower, nuclear_norm(layers[0]), dual.upper, slack=remaining + rounding, why="L = 1 from zero")


# (b) convergence to it


@counterexample(part="(b)")
def test_a_positive_start_never_fits_the_reflection_of_its_input():
    # given  x = 1, y = -1, W_1 = W_2 = 1/2, eta = 2/5, in exact arithmetic
    half, eta, x, y = Fraction(1, 2), Fraction(2, 5), fractions([[1]]), fractions([[-1]])
    # when   a step multiplies each layer by 1 - eta (1 + W), between 0 and 1 while 0 < W < 1
    first, fourth = (end_to_end(deep_linear_descent([half * x] * 2, x, y, eta, t))[0, 0] for t in (1, 4))
    # then   W decreases and stays positive for ever, so that the loss (1 + W)^2/2 stays above 1/2
    assert_within(0, fourth, first, why="0 < W_4 < W_1")
    reads = "loss {value} after one step, and > {limit} for ever, as W > 0"
    assert_violates((1 + first) ** 2 / 2, Fraction(1, 2), reads=reads, x=1, y=-1, L=2, alpha=half, eta=eta)


@counterexample(part="(b)")
def test_a_search_finds_a_target_that_identity_layers_never_fit():
    def stays_away(instance):
        depth, y = instance
        W = end_to_end(deep_linear_descent([np.full((1, 1), 0.5)] * depth, np.eye(1), np.full((1, 1), y), 0.03, 500))
        return abs(W[0, 0] - y) > abs(y) / 2 + 1 / 4

    depth, y = smallest_violation(st.tuples(st.integers(2, 4), st.integers(-3, 3)), stays_away, budget=60)
    assert_identical((depth, y), (2, -1), why="the smallest unfitted target is y = -x at depth two")


@counterexample(part="(b)")
@pytest.mark.parametrize("depth", [2, 3])
@given_batches(target=diagonals)
def test_no_run_comes_nearer_to_a_negative_eigenvalue_of_a_diagonal_target_than_zero_is(target, depth):
    # given  X = I, Y = diag(lam) of integers, alpha = 1/2: off-diagonal entries are exactly zero in floating point
    identity = np.eye(4)
    Y = target.lam[:, None, :] * identity
    # when
    W = end_to_end(deep_linear_descent([0 * Y + identity / 2] * depth, 0 * Y + identity, Y, 0.02, 400))
    # then   W_ii > 0 = the limit, so |W - Y|_F^2 >= the sum of squares of the negative eigenvalues
    floor = norm(np.minimum(target.lam, 0), axis=-1)
    assert_at_most(floor, norm(W - Y, axis=(-2, -1)), why="distance to a target with negative eigenvalues")


@counterexample(part="(b)")
def test_what_no_sample_shows_is_kept_and_adds_to_the_nuclear_norm():
    # given  x = y = e_1 and W_1 = W_2 = I/2, in exact arithmetic: the least nuclear norm is |y|/|x| = 1
    half, e_1, identity = Fraction(1, 2), fractions([[1], [0]]), fractions([[1, 0], [0, 1]])
    # when
    W = end_to_end(deep_linear_descent([half * identity] * 2, e_1, e_1, half, 3))
    # then   W = diag(w_t, 1/4) with w_t in (1/4, 1) on its way to 1
    assert_identical(W[:, 1], [0, Fraction(1, 4)], why="W e_2 is the start's")
    assert_within(Fraction(1, 4), W[0, 0], 1, why="w_t rises from 1/4 towards 1")
    reads = "nuclear norm of the limit {value} > least {limit}"
    assert_violates(1 + W[1, 1], 1, reads=reads, x=[1, 0], y=[1, 0], L=2, alpha=half)


@corrected("C1", part="(b)")
@pytest.mark.parametrize("depth", [3])
@given_batches(problem=interpolables())
def test_the_first_layer_never_moves_off_the_data(problem, depth):
    layers = deep_linear_descent(problem.start(depth), problem.X, problem.Y, problem.step(depth), problem.t)
    # then   W_1 (I - P) = alpha (I - P) at the drawn time
    moved = (layers[0] - problem.start(depth)[0]) @ problem.off_the_data
    drift = null_drift(problem.X, problem.Y, problem.alpha, depth, problem.step(depth), problem.t)
    assert_at_most(norm(moved, axis=(-2, -1)), drift, why="W_1 off the data", instance=problem)


@corrected("C1", part="(b)")
@pytest.mark.parametrize("depth", [2, 4])
@given_batches(problem=interpolables())
def test_at_every_time_the_distance_splits_into_misfit_and_start(problem, depth):
    least = least_squares_map(problem.X, problem.Y)
    # when   at the drawn time, fitted or not
    layers, split = train(problem, depth, problem.t)
    # then   exactly; and the printed form, alpha |W_L ... W_2|_op sqrt(d - n), lies above
    distance = norm(end_to_end(layers) - least, axis=(-2, -1))
    exact = split.distance
    assert_within(exact, distance, exact, slack=split.rounding, why="distance to YX^+", instance=problem)
    bound = split.fitted + split.ceiling * np.sqrt(problem.dimension - problem.samples)
    assert_at_most(distance, bound + split.rounding, why="certificate of the distance to YX^+", instance=problem)


@under_hypotheses("H1", "H3", "H5", part="(b)")
@pytest.mark.parametrize("depth", [2, 3])
@given_batches(problem=interpolables(targets=("positive", "skewed"), scales=(0.4,)))
def test_targets_with_a_positive_symmetric_part_are_fitted_with_nearly_the_least_nuclear_norm(problem, depth):
    gradient, eta = regression_gradient(problem.X, problem.Y), problem.step(depth)
    # when   it stops once every instance is fitted, or fails
    layers = until_fitted(
        descent_path(problem.start(depth), gradient, eta),
        lambda moving: norm(end_to_end(moving) @ problem.X - problem.Y, axis=(-2, -1)),
        tolerance=FITTED,
        budget=6000,
    )
    # then   |W|_* lies between the least and the least plus alpha |W_L ... W_2|_op a dimension no sample shows
    drift = null_drift(problem.X, problem.Y, problem.alpha, depth, eta, 6000)
    split = split_distance(layers, problem.X, problem.Y, problem.alpha, drift)
    least = regression_bracket(problem.X, problem.Y, least_squares_map(problem.X, problem.Y))
    slack = problem.dimension * (split.fitted + split.rounding) + 8 / problem.sigma_min * spectrum_rounding(least.W)
    upper = least.upper + split.ceiling * (problem.dimension - problem.samples)
    norms = nuclear_norm(end_to_end(layers))
    assert_within(least.lower, norms, upper, slack=slack, why="nuclear norm of the fit", instance=problem)


@under_hypotheses("H1", "H3", "H5", part="(b)")
@pytest.mark.parametrize("depth", [2, 3])
@pytest.mark.parametrize("y", [[1.0, 2, 2], [0.1, -2, 1]])
def test_as_the_start_shrinks_the_nuclear_norm_tends_to_the_least(depth, y):
    # given  x = e_1 and x'y > 0, so that |y| is the least norm; three starts at once
    X, Y, alpha = np.eye(3)[:, :1], np.array(y)[:, None], np.array([0.3, 0.03, 0.01])
    start = [alpha[:, None, None] * np.eye(3)] * depth
    path = descent_path(start, regression_gradient(X, Y), 0.04)
    # when
    layers = until_fitted(path, lambda moving: norm(end_to_end(moving) @ X - Y, axis=(-2, -1)), FITTED, 10_000)
    # then   balanced layers have |W_L ... W_2|_op = |W|_op^(1 - 1/L), below 3 here: two unseen dimensions cost 6 alpha
    excess = nuclear_norm(end_to_end(layers)) - norm(Y)
    assert_within(-3 * FITTED, excess, 6 * alpha + 3 * FITTED, why="nuclear norm above the least, against alpha")


@corrected("C2", part="(b)")
@pytest.mark.parametrize("depth", [2, 3])
@given_batches(problem=interpolables(targets=("commuting",)))
def test_where_data_and_target_commute_every_iterate_is_known_mode_by_mode(problem, depth):
    # when   at the drawn time, long before the limit
    layers, _ = train(problem, depth, problem.t)
    # then   W_t = basis diag(v_t^L) basis', and v_t = alpha for ever in the modes no sample shows
    modes = modes_of_descent(problem, depth, problem.step(depth), problem.t)
    exact = (problem.basis * modes.v[:, None, :] ** depth) @ problem.basis.mT
    error = norm(end_to_end(layers) - exact, axis=(-2, -1))
    assert_at_most(error, modes.error, why="iterate against its modes", instance=problem)


@corrected("C3", part="(b)")
@pytest.mark.parametrize("alpha", [0.1, 0.01, 0.001])
def test_what_the_start_adds_is_of_order_alpha_at_depth_two_and_not_alpha_squared(alpha):
    # given  x = e_1, y = (3, 4)/5: W_1 e_1 and W_2'y grow along v = (e_1 + y)/|e_1 + y| = (2, 1)/sqrt(5)
    X, Y = np.array([[1.0], [0.0]]), np.array([[0.6], [0.8]])
    # when
    layers = deep_linear_descent([alpha * np.eye(2)] * 2, X, Y, 0.1, 300)
    split = split_distance(layers, X, Y, alpha, null_drift(X, Y, alpha, 2, 0.1, 300))
    # then   W_2 tends to y v', and alpha |W_2 e_2| to alpha/sqrt(5) as alpha -> 0
    assert_at_most(split.fitted, FITTED, why="the misfit after 300 steps")
    assert_within(0.9 / np.sqrt(5), split.unseen / alpha, 1.1 / np.sqrt(5), why="excess over alpha, within a tenth")


# Two orthogonal samples, s_1 = 3, and Y = SX with an asymmetric S, S + S' > 0.
TWO_SAMPLES = np.array([[1.0, 2], [2, -2], [2, 1]])
THEIR_OUTPUTS = np.array([[2.0, 1, 0], [0, 1, 1], [0, 0, 1]]) @ TWO_SAMPLES


@corrected("C1", part="(b)")
def test_torch_users_take_the_same_steps():
    # given  three nn.Linear without bias, torch.optim.SGD, float64
    X, Y, start, eta, steps = TWO_SAMPLES, THEIR_OUTPUTS, [np.eye(3) / 10] * 3, 0.004, 20
    # when
    layers, ours = train_deep_linear(start, X, Y, lr=eta, steps=steps), deep_linear_descent(start, X, Y, eta, steps)
    # then   a step rounds by 8 L^2 d^2 u and multiplies differences by 1 + eta (L-1) rho |(WX - Y)X'|_op at most, which
    #        in twenty steps is below e, as |(WX - Y)X'|_op <= |S|_op s_1^2 < 25 and rho < 1/4 is the largest |W_l|_op
    assert_at_most([norm(layer, 2) for layer in layers], 1 / 4, why="rho after twenty steps")
    error = [norm(layer - mine) for layer, mine in zip(layers, ours, strict=True)]
    assert_at_most(error, steps * 8 * 3**2 * 3**2 * UNIT_ROUNDOFF * np.e, why="layers after twenty steps")


@corrected("C1", part="(b)")
def test_torch_users_get_the_same_certificate():
    X, Y, start, alpha, eta, steps = TWO_SAMPLES, THEIR_OUTPUTS, [np.eye(3) / 10] * 3, 0.1, 0.004, 900
    # when   as above, to the end
    layers = train_deep_linear(start, X, Y, lr=eta, steps=steps)
    split = split_distance(layers, X, Y, alpha, null_drift(X, Y, alpha, 3, eta, steps))
    # then
    distance = norm(end_to_end(layers) - least_squares_map(X, Y))
    assert_within(split.distance, distance, split.distance, slack=split.rounding, why="torch.optim.SGD on nn.Linear")
    assert_at_most(split.fitted, FITTED, why="the stack fits its data in 900 steps")


@corrected("C1", part="(b)")
def test_six_serum_values_of_four_patients_are_certified_as_far_as_the_start_allows():
    # given  diabetes: W is 6 x 6, four patients leave two dimensions unseen; s_4/s_1 = 0.157
    X, Y = serum_regression(patients=4)
    least, alpha, eta, steps = least_squares_map(X, Y), 0.2, 1 / 8, 5000
    # when
    layers = deep_linear_descent([alpha * np.eye(6)] * 2, X, Y, eta, steps)
    split = split_distance(layers, X, Y, alpha, null_drift(X, Y, alpha, 2, eta, steps))
    # then   5000 steps leave a misfit of 1/500, and the start leaves the rest: certified within a fifth of |YX^+|
    distance = norm(end_to_end(layers) - least)
    assert_at_most(split.fitted + split.ceiling * np.sqrt(2), norm(least) / 5, why="the certificate, diabetes")
    assert_within(split.distance, distance, split.distance, slack=split.rounding, why="distance to YX^+, diabetes")
    assert_at_most(norm(end_to_end(layers) @ X - Y), norm(Y) / 500, why="the misfit after 5000 steps, diabetes")


# (c) linear measurements


@counterexample(part="(c)")
def test_completing_one_two_two_costs_five_fourths_of_the_least_nuclear_norm():
    # given  W_11 = 1 and W_12 = W_21 = 2; exact arithmetic
    problem, one = corner(Fraction(1), Fraction(2)), fractions([[1, 0], [0, 1]])
    W, nu = fractions([[1, 2], [2, 1]]), fractions([[0, 1], [1, 0]])
    along, across = fractions([["1/2", "1/2"], ["1/2", "1/2"]]), fractions([["1/2", "-1/2"], ["-1/2", "1/2"]])
    # given  |W|_* <= 3 + 1 fits; nu sits on the observed entries, I - nu'nu >= 0, <values, nu> = 4: the least is 4
    assert_identical(problem.residual(W), 0 * W, why="W fits")
    assert_identical(3 * along - across, W, why="W = 3 along - across, two projections of rank one")
    assert_at_most(0, min(leading_pivots(one - nu.T @ nu)), why="|nu|_op <= 1")
    assert_identical((problem.values * nu).sum(), 4, why="<values, nu>")
    # when   gradient descent on W = UU' from I/2, three exact steps
    state = at_time(factored_path(problem.residual, one / 2, Fraction(1, 16)), 3)
    # then   W stays positive semidefinite, and completed so W_22 >= W_12^2/W_11 = 4
    assert_at_most(0, min(leading_pivots(state.W)), why="UU' is positive semidefinite")
    floor = problem.values[0, 0] + problem.values[0, 1] ** 2 / problem.values[0, 0]
    reads = "nuclear norm of every positive semidefinite completion >= {value} > least {limit}"
    assert_violates(floor, 4, reads=reads, W_11=1, W_12=2, W_21=2)


@counterexample(part="(c)")
@pytest.mark.parametrize("depth", [2, 3, 4])
@pytest.mark.parametrize("alpha", [0.5, 0.1])
def test_descent_ends_at_the_completion_of_norm_five_at_depths_two_to_four(depth, alpha):
    problem = corner(1.0, 2.0)
    # when
    path = descent_path([alpha * np.eye(2)] * depth, problem.residual, 0.02)
    W = end_to_end(until_fitted(path, lambda layers: norm(problem.residual(end_to_end(layers))), 1e-4, 30_000))
    # then   the misfit can have changed the least norm, which is 4, by no more than its own norm
    limit, misfit = least_nuclear_norm_of_corner(1, 2), nuclear_norm(problem.residual(W))
    assert_violates(nuclear_norm(W), limit, slack=misfit, reads="nuclear norm {value} > least {limit}", L=depth)
    # then   W = W' is positive definite, so W_22 >= W_12 W_21/W_11
    assert_at_most(W[0, 1] * W[1, 0] / W[0, 0], W[1, 1], why="the determinant of W is positive")


@counterexample(part="(c)")
@pytest.mark.parametrize("depth", [2, 3, 4])
@given(problem=non_commuting_sensing())
def test_from_a_multiple_of_the_identity_two_small_steps_leave_a_positive_semidefinite_product(problem, depth):
    # given  symmetric measurements that need not commute; exact arithmetic, and steps so small that no layer turns over
    exact, half = Sensing(fractions(problem.A), fractions(problem.y)), fractions(np.eye(problem.A.shape[-1])) / 2
    # when   two steps
    layers = at_time(descent_path([half] * depth, exact.gradient, Fraction(1, 2**14)), 2)
    # then   W_l = W_{L+1-l}', so W = M'M, or M'W_lM around a middle layer: its nuclear norm is its trace
    assert_identical(layers[::-1], [layer.T for layer in layers], why="mirrored layers are transposes")
    assert_at_most(0, min(leading_pivots(end_to_end(layers))), why="W is positive semidefinite")


@counterexample(part="(c)")
def test_a_search_finds_a_completion_of_more_than_the_least_nuclear_norm():
    def exceeds(entries):
        problem = corner(*map(float, entries))
        W = at_time(factored_path(problem.residual, np.eye(2) / 2, 0.02), 300).W
        misfit = nuclear_norm(problem.residual(W))
        return nuclear_norm(W) - misfit > least_nuclear_norm_of_corner(*entries) + 1 / 2

    entries = smallest_violation(st.tuples(st.integers(0, 3), st.integers(0, 3)), exceeds, budget=60)
    # then   W_11 = 0 and W_12 = 1, the next test with its indices exchanged
    assert_identical(entries, (0, 1), why="the smallest completion that costs more by 1/2")


@counterexample(part="(c)")
def test_fitting_a_completion_of_least_norm_two_costs_a_norm_above_eight_at_a_loss_of_1_200():
    # given  W_12 = W_21 = 1 and W_22 = 0: [[0, 1], [1, 0]] has norm 2, and is a dual certificate of it
    problem = Completion(mask=np.array([[0, 1], [1, 1]]), values=np.array([[0, 1], [1, 0]]))
    # when   the loss has fallen to 1/200
    path = factored_path(problem.residual, np.eye(2) / 2, 0.01)
    W = until_fitted(path, lambda state: norm(problem.residual(state.W)), 1 / 10, 30_000).W
    # then   |W_22| <= 1/10 and |W_12 - 1| <= 1/10 while W_11 W_22 >= W_12^2, at any loss l: W_11 >= (1-r)^2/r, r^2 = 2l
    r = Fraction(1, 10)
    assert_at_most(float((1 - r) ** 2 / r), W[0, 0], why="the unobserved entry at loss 1/200")
    reads = "at loss 1/200, nuclear norm >= {value} > least {limit}"
    assert_violates((1 - r) ** 2 / r, 2, reads=reads, W_12=1, W_21=1, W_22=0)


NON_COMMUTING = Sensing(
    A=np.array(
        [[[2, 0, -1], [0, -2, 0], [-1, 0, 1]], [[0, 2, 1], [2, 2, 1], [1, 1, -1]], [[1, 2, -2], [2, -1, 1], [-2, 1, 1]]]
    ),
    y=np.array([12, -12, 12]),
)


@counterexample(part="(c)")
def test_three_measurements_of_a_factored_matrix_lead_to_more_than_the_least_trace():
    # given  one interpolant of trace 204/25 and a dual of value 57/7, both positive semidefinite by exact pivots
    W = fractions([[39, -10, -51], [-10, 15, -19], [-51, -19, 150]]) / 25
    nu = fractions(["-1/8", "-47/56", "-1/28"])
    slack = fractions([[1, 0, 0], [0, 1, 0], [0, 0, 1]]) - NON_COMMUTING.adjoint(nu)
    assert_identical(NON_COMMUTING.measure(W), NON_COMMUTING.y, why="W fits")
    assert_at_most(0, min(leading_pivots(W) + leading_pivots(slack)), why="W and I - A*(nu) are semidefinite")
    assert_within(Fraction(57, 7), nu @ NON_COMMUTING.y, np.trace(W), why="weak duality")
    # when   W = UU' from U = I/100
    path = factored_path(NON_COMMUTING.gradient, np.eye(3) / 100, 5e-4)
    end = until_fitted(path, lambda state: norm(NON_COMMUTING.measure(state.W) - NON_COMMUTING.y), FITTED, 20_000).W
    # then   a misfit e moves the dual value <nu, y> by |nu||e| < 0.85 |e|
    reads = "trace {value} > least trace, at most {limit}"
    assert_violates(np.trace(end), 204 / 25, slack=2 * FITTED, reads=reads, A=NON_COMMUTING.A, y=NON_COMMUTING.y)


def sense(problem, t):
    """Gradient descent on W = UU' from alpha I at time t: the point, and the absolute rounding of its eigenvalues.

    A step rounds U by at most 100 d u |U| in its computation and in the eigenvectors of the measurements; a row of
    Q'UQ is multiplied by its own factors only, at most |U|/alpha in all, and W is quadratic in U. First order in u.
    """
    state = at_time(factored_path(problem.gradient, problem.start(), problem.step()), t)
    size = operator_norm(state.W) + problem.alpha**2
    rounding = 200 * (t + 1) * problem.dimension * UNIT_ROUNDOFF * size * (1 + np.sqrt(size) / problem.alpha)
    return state, rounding


def slowdown(state):
    """How far a step that is not small may have lowered the logarithms of eigenvalues: an upper bound of |D|."""
    return 2 * state.squared


def excess_of_trace(w_1, w, state, alpha):
    """[K(w_1) - K(w) + |D| tr w_1]/ln(1/alpha^2), an upper bound of the trace of w less that of w_1."""
    return (entropy(w_1) - entropy(w) + slowdown(state) * w_1.sum(-1)) / np.log(1 / alpha**2)


def eigenvalues_of_descent(problem, t):
    """The eigenvalues w (B, d) of W_t: w_j <- w_j (1 - 2 eta a_j'(aw - y))^2 from alpha^2."""
    w = problem.alpha[:, None] ** 2 * problem.inside
    for _ in range(t):
        residual = np.matvec(problem.a, w) - problem.y
        w = w * (1 - 2 * problem.step()[:, None] * np.vecmat(residual, problem.a)) ** 2
    return w


@corrected("C4", part="(c)")
@pytest.mark.parametrize("t", TIMES)
@given_batches(problem=commuting_sensing())
def test_every_iterate_is_known_eigenvalue_by_eigenvalue(problem, t):
    # given  H1 and H2 by construction
    state, rounding = sense(problem, t)
    # then
    exact = (problem.Q * eigenvalues_of_descent(problem, t)[:, None, :]) @ problem.Q.mT
    assert_at_most(norm(state.W - exact, axis=(-2, -1)), rounding, why="W_t by its eigenvalues", instance=problem)


@corrected("C4", part="(c)")
@pytest.mark.parametrize("t", TIMES)
@given_batches(problem=commuting_sensing())
def test_at_every_time_W_is_the_exponential_of_its_multipliers(problem, t):
    state, rounding = sense(problem, t)
    # then   Q'WQ = alpha^2 exp(a'nu - D), 0 <= D <= 2 sum (2 eta |G|_F)^2, as 0 <= -ln(1-z) - z <= z^2 for |z| <= 1/2
    assert_at_most(state.largest, 1 / 2, why="2 eta |G|_F", instance=problem)
    flow = problem.alpha[:, None] ** 2 * np.exp(problem.eigenvalues(state.pushed)) * problem.inside
    least, w = flow * np.exp(-slowdown(state))[:, None], problem.eigenvalues(state.W)
    assert_within(least, w, flow, slack=rounding[:, None], why="eigenvalues of W", instance=problem)


@observed(part="(c)")
def test_beyond_the_steps_of_C4_the_iterate_is_above_its_exponential():
    # given  one mode, <1, W> = 0 from U = 1, eta = 3/4: 2 eta |G| = 3/2 > 1/2
    problem, one = Sensing(A=np.ones((1, 1, 1)), y=np.zeros(1)), np.ones((1, 1))
    # when
    state = at_time(factored_path(problem.gradient, one, 0.75), 1)
    # then   W = 1/4 while the exponent is -3, so that D < 0
    assert_identical([state.W[0, 0], state.pushed[0, 0]], [0.25, -3.0], why="W and its exponent after one step")
    assert_at_most(np.exp(-3), state.W[0, 0], why="the exponential against W")


@corrected("C5", part="(c)")
@given_batches(problem=commuting_sensing())
def test_the_trace_exceeds_the_least_one_by_at_most_an_entropy_over_the_logarithm_of_the_start(problem):
    # when   fitted or not: W is compared with the least trace under the measurements that it has itself
    state, rounding = sense(problem, 300)
    w, scale = np.maximum(problem.eigenvalues(state.W), 0), np.log(1 / problem.alpha**2)
    least = [least_trace(*pair) for pair in zip(problem.a, np.vecdot(problem.a, w[:, None]), strict=True)]
    w_1, lower = np.stack([program.w for program in least]), np.array([program.lower for program in least])
    # then   by convexity of the entropy that w minimizes: a primal that is infeasible by e costs |nu||e|, nu = a^+' log
    nu = np.vecmat(problem.eigenvalues(state.pushed), np.linalg.pinv(problem.a))
    wrong = norm(nu, axis=-1) * norm(np.stack([program.infeasibility for program in least]), axis=-1)
    excess = excess_of_trace(w_1, w, state, problem.alpha) + wrong / scale
    slack = problem.dimension * rounding * (2 + np.abs(nu).sum(-1) * np.abs(problem.a).sum((-2, -1)) / scale)
    assert_within(lower, w.sum(-1), lower + excess, slack=slack, why="trace of W", instance=problem)


ALPHAS = np.array([1e-1, 1e-2, 1e-3])


def sense_to_a_fit(a, y, eta):
    """The point where W = UU' from each of ALPHAS fits <diag(a), W> = y; a (2,) or, one for each start, (3, 2)."""
    problem = Sensing(A=(a[..., None] * np.eye(2))[..., None, :, :] * np.ones((3, 1, 1, 1)), y=np.full((3, 1), y))
    path = factored_path(problem.gradient, ALPHAS[:, None, None] * np.eye(2), np.full(3, eta))
    return until_fitted(path, lambda state: np.abs(problem.measure(state.W) - y)[:, 0], FITTED, 3000)


@corrected("C8", part="(c)")
def test_as_the_start_shrinks_the_trace_exceeds_the_least_by_half_of_it():
    # given  <diag(1, 2), W> = 2: the least trace is 1
    end = sense_to_a_fit(np.array([1.0, 2.0]), 2.0, eta=0.002)
    w = np.diagonal(end.W, axis1=-2, axis2=-1)
    # then   the trace exceeds that of y/2 by w_1/2; w = alpha^2 (x, x^2) less D, so that w_1^2/w_2 = alpha^2 less D
    limit, unfitted = ALPHAS * np.sqrt(w[:, 1]) / 2, (w @ [1, 2] - 2) / 2
    lower, upper = limit * np.exp(-slowdown(end)), limit * np.exp(slowdown(end) / 2)
    assert_within(lower, w.sum(-1) - 1 - unfitted, upper, slack=spectrum_rounding(end.W), why="trace above the least")
    assert_at_most(w.sum(-1) - 1, 0.7 * ALPHAS, why="the trace tends to the least as alpha tends to 0")


@corrected("C5", "C8", part="(c)")
def test_the_rate_of_one_over_the_logarithm_is_attained():
    # given  <diag(1, 1 - 1/S), W> = 1, S = ln(1/alpha^2): the least trace is 1
    S = np.log(1 / ALPHAS**2)
    end = sense_to_a_fit(np.stack([np.ones(3), 1 - 1 / S], axis=-1), 1.0, eta=0.005)
    w, gap = np.diagonal(end.W, axis1=-2, axis2=-1), np.trace(end.W, axis1=-2, axis2=-1) - 1
    # then   gap = w_2/S with w_1 + (1 - 1/S) w_2 = 1; the first mode grows faster, x-fold with x < 1/alpha^2 but for D:
    #        w_2/w_1 = x^(-1/S) lies in (1/e, 1)
    assert_within(1 / (1 + np.e), S * gap, S / (2 * S - 1), why="the gap times ln(1/alpha^2)")
    # then   the bound of the theorem lies above it, and is of that order too: K(w_1) - K(w) <= ln 2 + gap, and small D
    bound = excess_of_trace(np.array([1.0, 0.0]), w, end, ALPHAS)
    assert_at_most(gap, bound + 2 * FITTED, why="trace above the least")
    assert_at_most(bound, 1 / S, why="its bound against 1/ln(1/alpha^2)")


@corrected("C5", part="(c)")
def test_without_the_term_of_the_finite_steps_the_bound_of_the_trace_would_be_broken():
    # given  <diag(1, 4/5), W> = 1 from 1e-12 I at a large step: 2 eta |G|_F <= 1/2
    problem, alpha = Sensing(A=np.diag([1.0, 0.8])[None], y=np.ones(1)), 1e-12
    path = factored_path(problem.gradient, alpha * np.eye(2), 0.19)
    end = at_time(path, 150)
    assert_at_most(end.largest, 1 / 2, why="2 eta |G|_F")
    # when   w_1 = diag(y, 0) has the least trace for the y that W has
    w = np.diag(end.W)
    w_1 = np.array([problem.measure(end.W)[0], 0])
    excess, entropic = w.sum() - w_1.sum(), (entropy(w_1) - entropy(w)) / np.log(1 / alpha**2)
    # then   by 3 %, and rounding is below 1e-13
    assert_at_most(1.02 * entropic, excess, why="the entropies alone against the trace above the least")
    assert_at_most(excess, excess_of_trace(w_1, w, end, alpha), why="the bound with the finite steps")


def budget_of_losses(divergence, eta):
    """The bound of C7 on the sum of the losses, KL(p, alpha^2)/(4 eta)."""
    return divergence / (4 * eta)


@corrected("C7", part="(c)")
@given_batches(problem=commuting_sensing())
def test_the_losses_of_all_steps_add_up_to_at_most_the_divergence_from_the_start_over_4_eta(problem):
    # given  H4: p = planted fits; KL(p, w) falls by 4 eta L_t a step while eta lmax(a diag(2p + w) a') <= 1/2
    t, p, start = 300, problem.planted, problem.alpha[:, None] ** 2
    path = factored_path(problem.gradient, problem.start(), problem.step())
    # when
    W = snapshots(path, lambda state: state.W, every=1, count=t)
    # then   the condition holds at every step, so that the mean loss is at most KL(p, alpha^2)/(4 eta t)
    curvature = (problem.a**2).sum((-2, -1)) * (2 * p + problem.eigenvalues(W)).max((0, -1))
    assert_at_most(problem.step() * curvature, 1 / 2, why="eta times the curvature on the way", instance=problem)
    losses = ((problem.measure(W) - problem.y) ** 2).sum((0, -1)) / 2
    divergence = (p * np.log(np.where(p > 0, p, 1) / start) * (p > 0) - p).sum(-1) + problem.dimension * start[:, 0]
    rounding = sense(problem, t)[1] * (1 + divergence)
    bound = budget_of_losses(divergence, problem.step()) + t * rounding
    assert_at_most(losses, bound, why="sum of the losses of W = UU' against its a priori bound", instance=problem)


@corrected("C7", part="(c)")
def test_at_the_largest_step_the_losses_use_up_more_than_half_of_their_bound():
    # given  one mode, a = p = 1 and alpha^2 = 9/10; eta (2p + w) = 1/2 at w = 1, which no step exceeds
    problem, eta = Sensing(A=np.ones((1, 1, 1)), y=np.ones(1)), 1 / 6
    path = factored_path(problem.gradient, np.full((1, 1), np.sqrt(0.9)), eta)
    # when
    W = snapshots(path, lambda state: state.W.ravel(), every=1, count=60)
    assert_at_most(eta * (2 + W), 1 / 2 + 8 * UNIT_ROUNDOFF, why="eta times the curvature on the way")
    # then
    bound = budget_of_losses(-np.log(0.9) - 1 + 0.9, eta)
    assert_within(bound / 2, ((W - 1) ** 2).sum() / 2, bound, why="sum of the losses against KL(p, alpha^2)/(4 eta)")


def modes_of_layers(a, y, alpha, eta, depth, steps):
    """The eigenvalues v (B, d) of each of `depth` layers from alpha I under commuting measurements, and the E of C6."""
    m, v = depth - 2, alpha[:, None] * np.ones(a.shape[::2])
    z, added = np.zeros(len(a)), np.zeros_like(v)
    for _ in range(steps):
        slope = eta[:, None] * np.vecmat(np.matvec(a, v**depth) - y, a)
        share = slope * v**m
        z, added = np.maximum(z, share.max(-1)), added + slope * share
        v = v * (1 - share)
    return v, (m * (m + 1) / 2 * (1 - z)[:, None] ** (-m - 2) * added).max(-1)


def deep_excess(w_1, x, alpha, E, depth):
    """The bound of C6 on the trace of x less that of w_1, for eigenvalues (B, d)."""
    powers = (x ** (2 / depth)).sum(-1) - (w_1 ** (2 / depth)).sum(-1)
    return alpha ** (depth - 2) * (depth / 2 * powers + E * w_1.sum(-1))


@corrected("C6", part="(c)")
def test_three_layers_exceed_the_least_trace_by_more_than_half_of_their_bound():
    # given  <diag(1, 2), W> = 2, so that the least trace is 1, at diag(0, 1); alpha = 1/5 and 1/10
    a, y, alpha = np.array([[[1.0, 2.0]]] * 2), np.full((2, 1), 2.0), np.array([0.2, 0.1])
    # when   5000 steps of 1/1000, to a misfit below 1e-6
    v, E = modes_of_layers(a, y, alpha, np.full(2, 0.001), 3, 5000)
    x = v**3
    assert_at_most(np.abs(x @ [1, 2] - 2), FITTED, why="the misfit")
    # then   rounding of 5000 steps stays below the misfit
    bound = deep_excess(np.array([[0.0, 1.0]] * 2), x, alpha, E, 3)
    assert_within(bound / 2, x.sum(-1) - 1, bound, slack=FITTED, why="trace above the least at depth three")


@corrected("C6", part="(c)")
def test_the_least_trace_is_approached_at_depths_two_three_and_four():
    # given  <diag(1, 2), W> = 2 and alpha = 1/10, by full layers
    problem = Sensing(A=np.diag([1.0, 2])[None], y=np.array([2.0]))
    paths = [descent_path([np.eye(2) / 10] * depth, problem.gradient, 0.02) for depth in (2, 3, 4)]
    # when
    ends = [until_fitted(path, lambda W: norm(problem.measure(end_to_end(W)) - 2), FITTED, 8000) for path in paths]
    # then   of the first mode of the flow, 0.0976, 11/2 to the power -3 and 101/2 to the power -2, half is above 1
    excess = np.array([np.trace(end_to_end(layers)) for layers in ends]) - 1
    assert_within([0.045, 0.0028, 0.00018], excess, [0.052, 0.0032, 0.00022], why="trace above the least")


@pytest.mark.slow
@corrected("C6", part="(c)")
@pytest.mark.parametrize("depth", [3, 4, 6])
@given_batches(problem=commuting_sensing(scales=(0.3, 0.9, 0.05)))
def test_more_layers_exceed_the_least_trace_by_a_power_of_the_start(problem, depth):
    # when   fitted or not: W is compared with the least trace under the measurements that it has itself
    v, E = modes_of_layers(problem.a, problem.y, problem.alpha, problem.step(), depth, 3000)
    x = v**depth * problem.inside
    total = x.sum(-1)
    least = [least_trace(a, a @ share) for a, share in zip(problem.a, x / total[:, None], strict=True)]
    w_1 = np.stack([program.w for program in least]) * total[:, None]
    lower = np.array([program.lower for program in least]) * total
    # then   a primal of HiGHS that is infeasible by e costs |nu||e| with |nu| <= |a^+'| |v^-m - alpha^-m|
    m = depth - 2
    powers = np.where(problem.inside, v**-m - problem.alpha[:, None] ** -m, 0)
    nu = norm(np.vecmat(powers, np.linalg.pinv(problem.a)), axis=-1) * problem.alpha**m
    wrong = nu * total * norm(np.stack([program.infeasibility for program in least]), axis=-1)
    slack = wrong + 1e4 * UNIT_ROUNDOFF * problem.dimension * (1 + nu) * (1 + x.sum(-1) + w_1.sum(-1))
    bound = lower + deep_excess(w_1, x, problem.alpha, E, depth)
    assert_within(lower, x.sum(-1), bound, slack=slack, why="trace of W, more layers", instance=problem)


@corrected("C6", part="(c)")
def test_three_layers_follow_another_law_than_the_exponential():
    # given  <diag(2, 1), W> = 2, alpha = 1/4: the flow of L layers keeps (v_1^(2-L) - alpha^(2-L))/2 = v_2^(2-L) - ...
    problem = Sensing(A=np.diag([2.0, 1])[None], y=np.array([2.0]))
    path = descent_path([np.eye(2) / 4] * 3, problem.gradient, 0.001)
    # when
    layers = until_fitted(path, lambda moving: norm(problem.measure(end_to_end(moving)) - 2), FITTED, 30_000)
    x_1, x_2 = 4 * np.diag(layers[0])
    # then   at L = 3 x_2 = 2 x_1/(1 + x_1) to first order in eta, below sqrt(x_1), where C4 would have it
    slack, reads = (np.sqrt(x_1) - 2 * x_1 / (1 + x_1)) / 2, "mode 2 grows {value}-fold by C4 > {limit}-fold"
    assert_violates(np.sqrt(x_1), x_2, slack=slack, reads=reads, L=3, alpha=1 / 4)


@necessity("H5", part="(b)")
@pytest.mark.parametrize("depth", [2, 3])
def test_without_H5_no_start_however_small_fits_the_reflection_of_its_input(depth):
    # given  H1 and H3: W_l = alpha for three starts; x = 1, y = -1, so that S + S' = -2
    alpha, one = np.array([0.1, 0.01, 0.001])[:, None, None], np.ones((1, 1))
    # when
    W = end_to_end(deep_linear_descent([alpha] * depth, one, -one, 0.1, 2000))
    # then   W decreases and stays positive
    assert_at_most(1.0, (W + 1).ravel(), why="distance to the only fit, W = -1")


@necessity("H1", part="(c)")
@pytest.mark.parametrize("alpha", [0.1, 0.03])
def test_without_H1_an_uneven_start_chooses_another_matrix(alpha):
    # given  <diag(1, 2), W> = 2: the least trace is 1, at W = diag(0, 1), which fits (H4); one measurement (H2)
    problem = Sensing(A=np.diag([1.0, 2])[None], y=np.array([2.0]))
    assert_identical(problem.measure(np.diag([0.0, 1])), problem.y, why="H4: diag(0, 1) fits")
    # when   U(0) = diag(alpha, alpha^4): the entropy now charges W_22 four times as much as W_11
    path = factored_path(problem.gradient, np.diag([alpha, alpha**4]), 0.01)
    W = until_fitted(path, lambda state: np.abs(problem.measure(state.W) - 2)[0], FITTED, 10_000).W
    # then   W tends to diag(2, 0)
    assert_violates(np.trace(W), 3 / 2, slack=FITTED, reads="trace {value} > 3/2 times the least 1", alpha=alpha)


@necessity("H2", part="(c)")
def test_without_H2_no_smaller_start_comes_nearer_to_the_least_trace():
    # given  the three measurements above, which uu' fits (H4), and three starts alpha I at once (H1, H3)
    alpha, u = np.array([1e-1, 1e-2, 1e-3]), np.array([-2, 2, 2])
    assert_identical(NON_COMMUTING.measure(np.outer(u, u)), NON_COMMUTING.y, why="H4: uu' fits")
    path = factored_path(NON_COMMUTING.gradient, alpha[:, None, None] * np.eye(3), np.full(3, 5e-4))
    # when
    end = until_fitted(path, lambda s: norm(NON_COMMUTING.measure(s.W) - NON_COMMUTING.y, axis=-1), FITTED, 30_000)
    traces = np.trace(end.W, axis1=-2, axis2=-1)
    # then   their traces rise towards 12 = |(-2, 2, 2)|^2; the least is at most 204/25
    assert_at_most(204 / 25 * 7 / 5 + 2 * FITTED, traces, why="7/5 of the least trace")
    assert_at_most(traces[:-1], traces[1:], why="a smaller start ends farther away")


@necessity("H3", part="(c)")
@given_batches(problem=commuting_sensing())
def test_without_H3_a_start_that_fits_already_stays_above_the_least_trace(problem):
    # given  one measurement with a_1 > a_j and y = <a, alpha^2 1>, so that alpha^2 I fits; the least trace is y/a_1
    A = problem.A[:, :1] + 4 * (problem.Q[:, :, :1] * problem.Q[:, None, :, 0])[:, None]
    a_1, d = problem.a[:, 0, 0] + 4, problem.dimension
    y = problem.alpha**2 * np.trace(A[:, 0], axis1=-2, axis2=-1)
    # when   one measurement (H2) from alpha I (H1), which fits (H4)
    end = at_time(factored_path(Sensing(A, y[:, None]).gradient, problem.start(), problem.step() / 25), 20)
    # then   a_j <= 3 a_1/5 for the others
    excess = np.trace(end.W, axis1=-2, axis2=-1) - y / a_1
    floor = problem.alpha**2 * (d - 1) * 2 / 5 - 40 * spectrum_rounding(end.W)
    assert_at_most(floor, excess, why="trace above the least", instance=problem)


@necessity("H4", part="(c)")
@given_batches(problem=commuting_sensing())
def test_without_H4_every_residual_stays(problem):
    # given  <A_i^2, W> = -1, which no positive semidefinite W meets; the A_i^2 commute (H2), the start is alpha I (H1)
    squares = Sensing(problem.A @ problem.A, -np.ones_like(problem.y))
    # when
    end = at_time(factored_path(squares.gradient, problem.start(), np.full_like(problem.alpha, 1e-3)), 100)
    # then
    residual = (squares.measure(end.W) - squares.y).min(-1)
    assert_at_most(1.0, residual + spectrum_rounding(end.W), why="residual of a negative square", instance=problem)
