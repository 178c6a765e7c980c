"""Self-tests: every option of a function that a theorem file imports is turned, and gives an independent value.

An option that is ignored, or turned in no test, may be wrong for years. OPTIONS lists calls with a value that is not
the default, beside a value from another computation: by hand, by quadrature, by scipy, by enumeration. The default must
give another result. ELSEWHERE names the test that turns an option, where it needs more than one call. A new option that
is in neither list is an error.
"""

import ast
import enum
import functools
import importlib
import inspect
import itertools
import re
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

import numpy as np
import pytest
import scipy.integrate
import scipy.special
import scipy.stats
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from fixtures.dynamics.mirror_descent import ENTROPY
from fixtures.dynamics.steepest_descent import LOGISTIC
from fixtures.kernels.infinite_width import erf_rounding, relu_rounding
from fixtures.models.diagonal import uniform
from fixtures.models.exact_relu import ExactReluNetwork
from fixtures.models.two_layer import TwoLayer
from fixtures.problems.regression import regression_of_design, regressions
from fixtures.problems.tapes import Tape
from fixtures.rational import fractions
from fixtures.sweeps.memory_context import StoppedError
from fixtures.training.config import Stop
from fixtures.training.run import _model
from properties.certificates import Certificate, Kind, assert_at_most, assert_identical, observed_by
from properties.curvature.lanczos import Krylov, largest_eigenvalue_of_matrix
from properties.curvature.sharpness import HessianOfLoss

ROOT = Path(__file__).parents[1]
U = 2.0**-53
X, Z = np.array([[0.6, 0.3], [-0.2, 0.9]]), np.array([[0.5, -0.4]])
ONE = np.ones((1, 1))


def raised(call):
    """Whether a call raises an error."""
    try:
        call()
    except (ValueError, RuntimeError, AssertionError):
        return 1
    return 0


def told(call):
    """The message of the error that a call raises."""
    with pytest.raises(AssertionError) as error:
        call()
    return str(error.value)


def targets_of(assertion):
    """The ratio that an assertion of 1 <= 2 hands to Hypothesis as a target; 0 where it hands over none."""
    targets = []
    with (
        mock.patch("hypothesis.target", side_effect=lambda value, **_: targets.append(value)),
        mock.patch("hypothesis.currently_in_test_context", return_value=True),
    ):
        assertion()
    return sum(targets)


def kind_of(assertion):
    """Whether an assertion reports a sign condition to the ledger."""
    kinds = []
    with observed_by(SimpleNamespace(certified=lambda kind, *_: kinds.append(kind))):
        assertion()
    return kinds == [Kind.SIGN]


def largest_batch(batched):
    """The size of the largest batch that a test of regressions sees."""
    sizes = []

    @batched(problem=regressions())
    def test(problem):
        sizes.append(len(problem.X))

    test()
    return max(sizes)


def mixing_rows():
    import torch

    return torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.LayerNorm(3), torch.nn.Linear(3, 1)).double()


def shapes_of(make):
    """The number of weights of the layers that a training configuration asks for, 3 x 2 x 2 pixels to 4 classes."""
    import torch

    stop = (Stop("epochs", 1),)
    it = make(data="mnist", size=9, model="tanh", width=5, eta=0.1, batch=3, stops=stop, cap_epochs=1, seed=0)
    return sum(weight.numel() for weight in _model(it, torch.Size([3, 2, 2]), 4).parameters())


def saves(make):
    """How many checkpoints a context takes before it stops the trial, at most three."""
    context = make()
    for taken in range(3):
        try:
            context.save({}, {"taken": taken})
        except StoppedError:
            return taken
    return 3


def cancelling():
    """A Hessian that loses some digits to cancellation: that of log(1 + exp(-w)) by its logit, at 17."""
    import torch

    w = torch.full((1,), 17.0, dtype=torch.float64, requires_grad=True)
    return HessianOfLoss(lambda: torch.nn.functional.binary_cross_entropy_with_logits(w, torch.ones_like(w)), [w])


def linear_sharpness(measure):
    """Whether the residual of a run on curvatures from 1/30 to 1 is above a fiftieth of its value."""
    import torch

    model = torch.nn.Linear(30, 1, bias=False)
    loss = lambda outputs, c: (c * outputs[:, 0] ** 2).mean() / 2  # noqa: E731
    found = measure(model, torch.eye(30), torch.linspace(1, 30, 30), loss=loss, batch=30)
    return found.residual > 0.02 * found.value


def by_quadrature(kind, x, z, hidden_layers, gain):
    """The pair (NNGP, NTK) of two rows by the recursion of the definition, expectations by Gauss-Hermite or polar."""
    p, q, c = x @ x, z @ z, x @ z
    tangent = c
    for _ in range(hidden_layers):
        moments = [MOMENTS[kind](*args) for args in ((p, q, c), (p, p, p), (q, q, q))]
        c, tangent = gain * moments[0][0], gain * moments[0][0] + gain * moments[0][1] * tangent
        p, q = gain * moments[1][0], gain * moments[2][0]
    return c, tangent


def relu_moments(p, q, c):
    """E[s(u)s(v)] and E[s'(u)s'(v)] over N(0, [[p, c], [c, q]]) in polar coordinates."""
    theta = np.arccos(np.clip(c / np.sqrt(p * q), -1, 1))
    inner, _ = scipy.integrate.quad(lambda t: np.cos(t) * np.cos(t - theta), theta - np.pi / 2, np.pi / 2)
    return np.sqrt(p * q) * inner / np.pi, (np.pi - theta) / (2 * np.pi)


def erf_moments(p, q, c):
    """The same for erf, by a Gauss-Hermite rule of 80 nodes in each of two independent normals."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(80)
    weights = weights / weights.sum()
    u = np.sqrt(p) * nodes[:, None]
    v = c / np.sqrt(p) * nodes[:, None] + np.sqrt(max(q - c * c / p, 0)) * nodes
    slopes = 4 / np.pi * np.exp(-(u**2) - v**2)
    return [weights @ values @ weights for values in (scipy.special.erf(u) * scipy.special.erf(v), slopes)]


MOMENTS = {"relu": relu_moments, "erf": erf_moments}


def kernel_options(name):
    """The three options of a kernel of infinite width, at two rows and one other row."""
    kind, which = name.split("_")[0], ["nngp", "ntk"].index(name.split("_")[1])
    path = f"fixtures.kernels.infinite_width.{name}"

    def exact(left, right, layers=1, gain=1.0):
        return [[by_quadrature(kind, x, z, layers, gain)[which] for z in right] for x in left]

    yield path, "Z", X[::-1], lambda kernel: kernel(X), exact(X, X[::-1]), 1e-9
    yield path, "hidden_layers", 3, lambda kernel: kernel(X), exact(X, X, layers=3), 1e-9
    yield path, "gain", 0.7, lambda kernel: kernel(X, hidden_layers=2), exact(X, X, layers=2, gain=0.7), 1e-9


def linear_features(count, features, seed):
    """Random ReLU features of digits, neuron by neuron, from scikit-learn's own array."""
    from sklearn.datasets import load_digits

    images = load_digits().data[:count] / 16
    directions = np.random.default_rng(seed).standard_normal((64, features))
    return np.column_stack([np.maximum(images @ a, 0) for a in directions.T]) / np.sqrt(features)


def second_moment_by_enumeration(M, eta, batch, replacement):
    """E[ee'] after one step from E[ee'] = M: the mean over all minibatches of rows of X."""
    choose = itertools.product if replacement else itertools.combinations
    chosen = list(choose(range(3), repeat=batch) if replacement else choose(range(3), batch))
    maps = [np.eye(2) - eta * ROWS[list(rows)].T @ ROWS[list(rows)] / batch for rows in chosen]
    return sum(A @ M @ A.T for A in maps) / len(maps)


ROWS = np.array([[1.0, 2], [0, 1], [1, -1]])
NET = TwoLayer(np.array([[1.0, 2], [-1, 1]]), np.array([3.0, -2]), "relu", 0.5)
EXACT = ExactReluNetwork(fractions([[1, 2], [-1, 1]]), fractions([3, -2]), Fraction(1, 2))
PRODUCT = TwoLayer(np.full((1, 1), 0.5), np.full(1, 1.5), "identity", 1.0)
SLOW = regression_of_design(np.diag([1.0, 0.5, 0])[:2], np.array([1.0, -1]))
MATRIX, SPREAD = np.diag([3.0, 1, -2]) + 0.25, np.diag(np.linspace(-1, 1, 40))
PAIRS = np.array([[1.0, 2, 4, 9], [2, 1, 5, 6], [1, 3, 4, 5]])


def product_fit(loss):
    """Weights (w, a) of f = aw at step 1/10 towards 1, checked at every step, by a loop of numbers."""
    w, a = 0.5, 1.5
    while (a * w - 1) ** 2 / 2 > loss:
        r = a * w - 1
        w, a = w - 0.1 * a * r, a - 0.1 * w * r
    return [w, a]


def adam(w0, slope):
    """The first step of Adam at rate 1/10: against the sign of every slope."""
    return w0 - 0.1 * np.sign(slope)


def linear_network():
    """The network x -> 2 x_1 - x_2."""
    import torch

    net = torch.nn.Sequential(torch.nn.Linear(2, 1, bias=False), torch.nn.Identity()).double()
    with torch.no_grad():
        net[0].weight.copy_(torch.tensor([[2.0, -1]]))
    return net


def on_torch(*arrays):
    import torch

    return [torch.as_tensor(array) for array in arrays]


def quadratic():
    import torch

    w = torch.linspace(1, 2, 201, dtype=torch.float64, requires_grad=True)
    return lambda: (w**4).sum(), [w]


DYNAMICS, KERNELS, MODELS = "fixtures.dynamics", "fixtures.kernels", "fixtures.models"
PAIRED, CURVATURE = "properties.statistics.paired", "properties.curvature"
COLUMNS, TARGETS = np.array([[3.0, 0, 1], [0, 1, 1]]), np.array([1.0, 2.5])
POINTS = (np.array([[3.0, 0], [0, 4]]), np.ones(2, bool), np.zeros(2))

OPTIONS = [
    ("fixtures.datasets.diabetes.serum_regression", "patients", 2, lambda f: f()[0].shape[1], 2, 0),
    ("fixtures.datasets.digits.random_feature_digits", "count", 5, lambda f: len(f(features=9)[0]), 5, 0),
    (
        "fixtures.datasets.digits.random_feature_digits",
        "features",
        7,
        lambda f: f(count=3)[0][:, :7],
        lambda: linear_features(3, 7, 0),
        1e-12,
    ),
    (
        "fixtures.datasets.digits.random_feature_digits",
        "seed",
        4,
        lambda f: f(count=3, features=7)[0],
        lambda: linear_features(3, 7, 4),
        1e-12,
    ),
    # |c| = (3, 5/2, 7/2) and |c|/|x_j| = (1, 5/2, 2.47): the second column is of largest decrease
    (f"{DYNAMICS}.coordinate_descent.greedy", "scaled", True, lambda f: f(COLUMNS, TARGETS, 1), [0, 2.5, 0], 0),
    (f"{DYNAMICS}.coordinate_descent.greedy", "floor", 4.0, lambda f: f(COLUMNS, TARGETS, 1), [0, 0, 0], 0),
    (f"{DYNAMICS}.coordinate_descent.stagewise", "until", 0.5, lambda f: f(ONE, np.ones(1), 0.25, 9), [0.5], 0),
    (
        f"{DYNAMICS}.diagonal.descend_to_residual",
        "budget",
        1,
        lambda f: raised(lambda: f(ONE, np.ones((1, 1)), uniform(0.5, ONE), np.full(1, 0.1), np.full(1, 1e-6))),
        1,
        0,
    ),
    # du/dt = -2 rate u (w - 1), dv/dt = 2 rate v (w - 1) with w = u^2 - v^2, by another integrator
    (
        f"{DYNAMICS}.diagonal.diagonal_flow",
        "rate",
        2.0,
        lambda f: f(ONE, np.ones(1), uniform(0.5, np.ones(1)), np.array([0.3])).states[0, :, 0],
        lambda: scipy.integrate.solve_ivp(
            lambda _, s: 4 * (s[0] ** 2 - s[1] ** 2 - 1) * np.array([-s[0], s[1]]),
            (0, 0.3),
            [0.5, 0.5],
            method="Radau",
            rtol=1e-10,
            atol=1e-12,
        ).y[:, -1],
        1e-7,
    ),
    (
        f"{DYNAMICS}.diagonal.diagonal_flow",
        "until",
        lambda s: 0.5 - (s[0] ** 2 - s[1] ** 2)[0],
        lambda f: np.diff(f(ONE, np.ones(1), uniform(0.5, np.ones(1)), np.array([9.0])).states[-1, ::-1, 0] ** 2)[0],
        0.5,
        1e-9,
    ),
    # w = 8 - 1 = 7, r = 6, g = 3 * 6: u - 18 u^2/8 and v + 18 v^2/8
    (
        f"{DYNAMICS}.diagonal.diagonal_step",
        "depth",
        3,
        lambda f: np.ravel(f(ONE, np.ones(1), np.full(1, 2.0), np.ones(1), 1 / 8)),
        [-7, 3.25],
        0,
    ),
    (
        f"{DYNAMICS}.gradient_flow.gradient_flow",
        "until",
        lambda w: w[0] - 0.5,
        lambda f: f(lambda w: -w, np.ones(1), [9.0]).times[-1],
        np.log(2),
        1e-9,
    ),
    # the local tolerances are part of the stated error
    (
        f"{DYNAMICS}.gradient_flow.gradient_flow",
        "rtol",
        1e-10,
        lambda f: f(lambda w: -w, np.ones(1), [1.0]).error[0] > 1e-10 * np.exp(-1),
        1,
        0,
    ),
    (
        f"{DYNAMICS}.gradient_flow.gradient_flow",
        "atol",
        1e-6,
        lambda f: f(lambda w: -w, np.ones(4), [1.0]).error[0] > 2e-6,
        1,
        0,
    ),
    (
        f"{DYNAMICS}.mirror_descent.mirror_descent_to_residual",
        "budget",
        1,
        lambda f: raised(lambda: f(ENTROPY, ONE, np.full((1, 1), 2.0), np.ones((1, 1)), 1e-9)),
        1,
        0,
    ),
    # the states 0, 3, 6, ... are looked at, and 10 is asked for
    (f"{DYNAMICS}.paths.until_fitted", "period", 3, lambda f: f(iter(range(99)), lambda t: 10 - t, 0, 98), 12, 0),
    (
        f"{DYNAMICS}.steepest_descent.plain_gradient_descent",
        "loss",
        LOGISTIC,
        lambda f: f(*POINTS, 1, 1).w,
        [0.75, 1],
        0,
    ),
    (
        f"{DYNAMICS}.steepest_descent.steepest_descent",
        "loss",
        LOGISTIC,
        lambda f: f(*POINTS, np.ones(1), 2).first,
        np.log(2 * np.log(2)),
        1e-15,
    ),
    (
        f"{DYNAMICS}.stochastic.second_moment",
        "batch",
        2,
        lambda f: f(ROWS, np.eye(2), 0.1, 1, rows=3),
        lambda: second_moment_by_enumeration(np.eye(2), 0.1, 2, True),
        1e-14,
    ),
    (
        f"{DYNAMICS}.stochastic.second_moment",
        "replacement",
        False,
        lambda f: f(ROWS, np.eye(2), 0.1, 1, rows=3, batch=2),
        lambda: second_moment_by_enumeration(np.eye(2), 0.1, 2, False),
        1e-14,
    ),
    # one of two steps on the row (1) towards 1, at rate 1/2
    (
        f"{DYNAMICS}.stochastic.stochastic_gradient_descent",
        "steps",
        1,
        lambda f: f(ONE, np.ones(1), np.zeros(1), 0.5, np.zeros((2, 1), int)).w,
        [0.5],
        0,
    ),
    (
        f"{DYNAMICS}.stochastic.with_replacement",
        "batch",
        3,
        lambda f: np.shape(f(np.random.default_rng(0), np.array([4]), 5))[-1],
        3,
        0,
    ),
    (
        f"{DYNAMICS}.torch_training.train_deep_linear",
        "optimizer",
        "Adam",
        lambda f: f([np.array([[2.0]]), np.array([[3.0]])], ONE, ONE, steps=1, lr=0.1),
        lambda: [adam(np.array([[2.0]]), 15.0), adam(np.array([[3.0]]), 10.0)],
        1e-8,
    ),
    (
        f"{DYNAMICS}.torch_training.train_linear",
        "optimizer",
        "Adam",
        lambda f: f(ROWS, np.zeros(3), np.array([1.0, 2]), steps=1, lr=0.1),
        lambda: adam(np.array([1.0, 2]), ROWS.T @ ROWS @ [1, 2]),
        1e-8,
    ),
    (
        f"{DYNAMICS}.torch_training.train_linear_classifier",
        "optimizer",
        "Adam",
        lambda f: f(np.eye(2), np.array([1.0, -1]), np.zeros(2), steps=1, loss="SoftMarginLoss", lr=0.1),
        [0.1, -0.1],
        1e-8,
    ),
    (f"{DYNAMICS}.two_layer.gradients", "train", "hidden", lambda f: np.max(f(NET, X, np.ones(2))[1]), 0, 0),
    (
        f"{DYNAMICS}.two_layer.network_path",
        "train",
        "output",
        lambda f: next(itertools.islice(f(PRODUCT, ONE, np.ones(1), 0.1), 1, None)).W[0, 0],
        0.5,
        0,
    ),
    (
        f"{DYNAMICS}.two_layer.fit",
        "train",
        "output",
        lambda f: f(PRODUCT, ONE, np.ones(1), 0.1, loss=1e-3, budget=999).W[0, 0],
        0.5,
        0,
    ),
    (
        f"{DYNAMICS}.two_layer.fit",
        "period",
        1,
        lambda f: f(PRODUCT, ONE, np.ones(1), 0.1, loss=1e-3, budget=999).parameters(),
        lambda: product_fit(1e-3),
        1e-14,
    ),
    (f"{KERNELS}.empirical.empirical_ntk", "Z", Z, lambda f: f(linear_network(), X), X @ Z.T, 1e-15),
    (f"{KERNELS}.empirical.empirical_ntk", "chunk", 8, lambda f: raised(lambda: f(mixing_rows(), X)), 1, 0),
    *itertools.chain.from_iterable(map(kernel_options, ("relu_nngp", "relu_ntk", "erf_nngp", "erf_ntk"))),
    (
        f"{KERNELS}.infinite_width.angles",
        "Z",
        np.array([[0.0, 2]]),
        lambda f: f(np.array([[3.0, 3]])),
        [[np.pi / 4]],
        1e-15,
    ),
    # in proportion to |x||z| and to 1 + |x||z|; to (gain/2)^L, and to (L + 1)^2
    (f"{KERNELS}.infinite_width.relu_rounding", "Z", 7 * ONE, lambda f: f(ONE) / relu_rounding(ONE), 7 * ONE, 1e-12),
    (f"{KERNELS}.infinite_width.relu_rounding", "gain", 6.0, lambda f: f(ONE) / relu_rounding(ONE), 6 * ONE, 1e-12),
    (
        f"{KERNELS}.infinite_width.relu_rounding",
        "hidden_layers",
        4,
        lambda f: f(ONE, gain=2.0) / relu_rounding(ONE, gain=2.0),
        25 / 4 * ONE,
        1e-12,
    ),
    (f"{KERNELS}.infinite_width.erf_rounding", "Z", 7 * ONE, lambda f: f(ONE) / erf_rounding(ONE), 4 * ONE, 1e-12),
    (f"{KERNELS}.regression.working_precision", "entry_error", 0.5, lambda f: f(np.eye(3)), 1.5, 1e-14),
    (f"{MODELS}.diagonal.DiagonalNetwork", "depth", 3, lambda f: f(np.full(1, 2.0), np.ones(1)).w, [7], 0),
    (f"{MODELS}.diagonal.uniform", "depth", 4, lambda f: f(1.0, np.ones(1)).kernel(ONE), [[16 * 2]], 0),
    # f_0 = (1/2)(3 max(w_1 x, 0) - 2 max(w_2 x, 0)); at e_1 the first neuron is active, at e_2 both are
    (
        f"{MODELS}.exact_relu.ExactReluNetwork.kernel",
        "Z",
        fractions([[0, 1]]),
        lambda f: f(EXACT, fractions([[1, 0]])),
        [[(9 * 0 + 1 * 2) / 4]],
        0,
    ),
    (
        f"{MODELS}.exact_relu.ExactReluNetwork.descend",
        "steps",
        0,
        lambda f: f(EXACT, fractions([[1, 0]]), fractions([0]), Fraction(1, 8)).a,
        [3, -2],
        0,
    ),
    (f"{MODELS}.memory.require_memory", "bytes_each", 2**50, lambda f: raised(lambda: f("x", 1)), 1, 0),
    (f"{MODELS}.memory.require_memory", "limit", 7, lambda f: raised(lambda: f("x", 1)), 1, 0),
    # inner 2, at (1, 0): (1/2)(3 max(2, 0) - 2 max(-2, 0))
    (f"{MODELS}.two_layer.TwoLayer", "inner", 2.0, lambda f: f(NET.W, NET.a, "relu", 0.5).predict(np.eye(2))[0], 3, 0),
    (f"{MODELS}.two_layer.TwoLayer.jacobian", "train", "output", lambda f: f(NET, np.eye(2))[0, -3:], [0.5, 0], 0),
    (f"{MODELS}.two_layer.TwoLayer.kernel", "Z", np.array([[0.0, 1]]), lambda f: f(NET, np.eye(2))[0], [0.5], 0),
    (f"{MODELS}.two_layer.TwoLayer.kernel", "train", "hidden", lambda f: f(NET, np.eye(2))[0, 0], 9 / 4, 0),
    (f"{MODELS}.two_layer.TwoLayer.parameters", "train", "output", lambda f: f(NET)[-2:].sum() - f(NET)[0], -2, 0),
    (
        f"{MODELS}.two_layer.two_layer",
        "activation",
        "identity",
        lambda f: f("ntk", 3, 2, 1).predict(X),
        lambda: X @ np.sum(SEEDED[1][:, None] * SEEDED[0], axis=0) / np.sqrt(3),
        1e-14,
    ),
    (f"{MODELS}.two_layer.two_layer", "antisymmetric", True, lambda f: f("ntk", 6, 2, 1).a.sum(), 0, 0),
    # signs of the standard parameterization have the size sqrt(2/m) as well
    (f"{MODELS}.two_layer.two_layer", "signs", True, lambda f: np.abs(f("standard", 8, 2, 1).a), [0.5] * 8, 1e-15),
    ("fixtures.precision.factorization", "columns", 4, lambda f: f(3), 8 * 7, 0),
    ("fixtures.precision.rounding", "scale", 3.0, lambda f: f(1), 6 * U, 0),
    (
        "fixtures.problems.gaussian.gaussian_regressions",
        "chunk",
        3,
        lambda f: len(next(iter(f(2, 4, 9, 5)))[0]),
        3,
        0,
    ),
    (
        "fixtures.problems.tapes.Tape.rotation",
        "factors",
        2,
        lambda f: np.linalg.det(f(Tape(bytes([1, 2, 1, 0, 1, 2, 1, 1, 2])), 3)),
        1,
        1e-14,
    ),
    ("fixtures.rational.enclose_sqrt", "digits", 2, lambda f: f(2), [1.4, 1.5], 0),
    ("fixtures.rational.exponential_of_minus", "terms", 3, lambda f: [float(end) for end in f(1)], [1 / 3, 1 / 2], 0),
    ("fixtures.problems.batches.given_batches", "size", 3, largest_batch, 3, 0),
    (
        "fixtures.problems.examples.require_occurrence",
        "lacking",
        5,
        lambda f: raised(lambda: f(st.integers(0, 9), lambda n: n > 3)),
        1,
        0,
    ),
    ("fixtures.sweeps.memory_context.MemoryContext", "stop_after", 1, saves, 0, 0),
    ("fixtures.sweeps.memory_context.MemoryContext", "saved", (0, 7), lambda f: f().load() == (0, 7), 1, 0),
    ("fixtures.sweeps.random_walk.RandomWalk", "seed", 9, lambda f: f(4).seed, 9, 0),
    ("fixtures.training.config.TrainingConfig", "depth", 3, shapes_of, 5 * (12 + 5 + 5 + 4), 0),
    (
        "properties.certificates.assert_at_most",
        "adversarial",
        True,
        lambda f: targets_of(lambda: f(1, 2, why="")),
        0.5,
        0,
    ),
    (
        "properties.certificates.assert_certified",
        "kind",
        Kind.SIGN,
        lambda f: kind_of(lambda: f(Certificate(-1, 0, ""))),
        1,
        0,
    ),
    (
        "properties.certificates.assert_certified",
        "adversarial",
        True,
        lambda f: targets_of(lambda: f(Certificate(1, 2, ""))),
        0.5,
        0,
    ),
    *[
        (f"properties.certificates.{name}", "instance", {"w": 3}, call, 1, 0)
        for name, call in {
            "assert_at_most": lambda f: "w=3" in told(lambda: f(2, 1, why="")),
            "assert_within": lambda f: "w=3" in told(lambda: f(0, 2, 1, why="")),
            "assert_equal_within": lambda f: "w=3" in told(lambda: f(0, 2, 1, why="")),
            "assert_not_positive": lambda f: "w=3" in told(lambda: f(2, why="")),
            "assert_not_negative": lambda f: "w=3" in told(lambda: f(-2, why="")),
        }.items()
    ],
    ("properties.certificates.assert_within", "slack", 2.0, lambda f: raised(lambda: f(0, 3, 1, why="")), 0, 0),
    ("properties.certificates.assert_violates", "slack", 2.0, lambda f: raised(lambda: f(3, 1, reads="")), 1, 0),
    (
        "fixtures.sweeps.settings.Setting",
        "model",
        "ResNet",
        lambda f: "ResNet" in f("smoke", "digits", "cpu").title,
        1,
        0,
    ),
    ("fixtures.sweeps.settings.Setting", "printed", True, lambda f: f("smoke", "digits", "cpu").printed, 1, 0),
    ("fixtures.sweeps.settings.Setting", "official", False, lambda f: f("smoke", "digits", "cpu").binding, 0, 0),
    (
        f"{CURVATURE}.lanczos.largest_eigenvalue_of_matrix",
        "accuracy",
        0.3,
        lambda f: f(MATRIX).width > 1e-3,
        1,
        0,
    ),
    (
        f"{CURVATURE}.lanczos.largest_eigenvalue_of_matrix",
        "seed",
        2,
        lambda f: f(SPREAD, accuracy=0.5).lower,
        lambda: rayleigh(2, largest_eigenvalue_of_matrix(SPREAD, seed=2, accuracy=0.5).iterations),
        1e-12,
    ),
    (
        f"{CURVATURE}.sharpness.HessianOfLoss.rounding",
        "seed",
        1,
        lambda f: f(cancelling()) != cancelling().rounding(0),
        1,
        0,
    ),
    (f"{CURVATURE}.network_sharpness.network_sharpness", "accuracy", 0.5, linear_sharpness, 1, 0),
    (
        f"{CURVATURE}.sharpness.sharpness",
        "probability",
        1e-3,
        lambda f: f(*quadratic()).probability,
        1e-3,
        0,
    ),
    ("properties.linear_models.limits.limit_of_descent", "step", 1.0, lambda f: f(SLOW, np.zeros(3)).run.steps, 89, 0),
    ("properties.statistics.held_out.describe_test_set_error", "unit", " points", lambda f: tail(f), 1, 0),
    # halfway from 4 at loss 1 to 1 at loss 4, in logarithms of the loss
    (
        "properties.statistics.matched_loss.at_matched_loss",
        "logarithmic",
        True,
        lambda f: f((4.0, 1.0), (1.0, 4.0), 2.0, "between the epochs around"),
        2,
        1e-14,
    ),
    (
        "properties.statistics.concentration.sup_distance",
        "cdf_below",
        lambda x: 0.5 * (np.asarray(x) > 0),
        lambda f: f(np.array([0.0, 1.0]), lambda x: 0.5 * (np.asarray(x) >= 0) + 0.5 * (np.asarray(x) >= 1)),
        0,
        0,
    ),
    ("properties.statistics.observations.Population", "binding", False, lambda f: f("x").binding, 0, 0),
    ("properties.statistics.observations.Population", "printed", True, lambda f: f("x").printed, 1, 0),
    (
        "properties.statistics.observations.share_interval",
        "level",
        0.8,
        lambda f: [f(3, 10).lower, f(3, 10).upper],
        lambda: list(scipy.stats.binomtest(3, 10).proportion_ci(0.8, "exact")),
        1e-12,
    ),
    (f"{PAIRED}.Interval", "method", "by hand", lambda f: f(0, 0, 0, 0.5, 1).method == "by hand", 1, 0),
    (
        f"{PAIRED}.student_interval",
        "level",
        0.8,
        lambda f: f(PAIRS[0]).upper,
        lambda: scipy.stats.ttest_1samp(PAIRS[0], 0).confidence_interval(0.8).high,
        1e-12,
    ),
    (
        f"{PAIRED}.paired_slope",
        "level",
        0.8,
        lambda f: f([1, 2, 4, 8], PAIRS).upper,
        lambda: (
            scipy.stats.ttest_1samp([np.polyfit(np.log([1, 2, 4, 8]), np.log(row), 1)[0] for row in PAIRS], 0)
            .confidence_interval(0.8)
            .high
        ),
        1e-12,
    ),
    (
        f"{PAIRED}.correlation_interval",
        "level",
        0.8,
        lambda f: f(PAIRS, PAIRS[::-1] ** 2).upper,
        lambda: np.tanh(
            scipy.stats.ttest_1samp(
                [np.arctanh(np.corrcoef(x, y)[0, 1]) for x, y in zip(PAIRS, PAIRS[::-1] ** 2, strict=True)], 0
            )
            .confidence_interval(0.8)
            .high
        ),
        1e-12,
    ),
    (
        f"{PAIRED}.fisher_interval",
        "level",
        0.8,
        lambda f: f(0.5, 12).upper,
        lambda: scipy.stats.pearsonr(*correlated(0.5, 12)).confidence_interval(0.8).high,
        1e-12,
    ),
    (
        f"{PAIRED}.fisher_interval",
        "variance",
        4.0,
        lambda f: np.arctanh(f(0.5, 12).upper) - np.arctanh(0.5),
        lambda: 2 * scipy.stats.norm.ppf(0.975) / 3,
        1e-12,
    ),
    # without ties, three points have 0, +-1/2 and +-1; with ties, +-sqrt(3)/2 as well
    (f"{PAIRED}.spearman_values", "ties", True, lambda f: Fraction(3, 4) in f(3), 1, 0),
    # two arms that differ by 1, 2, 3 from one another: t = 2 sqrt(3) = 3.46, between the quantiles 0.95 and 0.99
    (
        f"{PAIRED}.minimizer_interval",
        "level",
        0.99,
        lambda f: len(f([1, 2], np.array([[0.0, 1], [0, 2], [0, 3]])).candidates),
        2,
        0,
    ),
]


def seeded():
    rng = np.random.default_rng(1)
    return rng.standard_normal((3, 2)), rng.standard_normal(3)


SEEDED = seeded()


def rayleigh(seed, products):
    """The largest Ritz value after so many products with SPREAD from the start of a seed."""
    run = Krylov(lambda v: SPREAD @ v, np.random.default_rng(seed).standard_normal(40), 0.0)
    for _ in range(products):
        run.extend()
    return run.ends()[1]


def correlated(r, count):
    """Two samples whose Pearson correlation is r."""
    x, e = np.linalg.qr(np.column_stack([np.ones(count), np.random.default_rng(0).standard_normal((count, 2))]))[0][
        :, 1:
    ].T
    return x, r * x + np.sqrt(1 - r * r) * e


def tail(describe):
    """Whether the unit closes the text, before the bracket."""
    return describe(np.zeros((1, 1, 2)), lambda errors: errors.mean()).endswith(" points)")


PROBLEMS = "fixtures.problems"
STRATEGIES = [
    (f"{PROBLEMS}.deep_linear.deep_regressions", "depth", 2, lambda it: it.depth, 2),
    (f"{PROBLEMS}.deep_linear.deep_regressions", "width", 5, lambda it: max(it.widths), 5),
    (f"{PROBLEMS}.deep_linear.deep_regressions", "max_width", 2, lambda it: max(it.widths), 2),
    (f"{PROBLEMS}.deep_linear.deep_regressions", "max_samples", 1, lambda it: it.X.shape[1], 1),
    (f"{PROBLEMS}.deep_linear.deep_regressions", "bound", 1, lambda it: np.abs(it.weights).max(), 1),
    (f"{PROBLEMS}.deep_linear.spectral_networks", "max_depth", 2, lambda it: len(it.frames) - 1, 2),
    (f"{PROBLEMS}.deep_linear.spectral_networks", "max_width", 2, lambda it: it.frames.shape[1], 2),
    (f"{PROBLEMS}.interpolable.interpolables", "targets", ("generic",), lambda it: np.abs(it.lam).max(), 0),
    (f"{PROBLEMS}.interpolable.interpolables", "scales", (0.7,), lambda it: it.alpha, 0.7),
    (f"{PROBLEMS}.kernel_inputs.kernel_inputs", "max_rows", 3, lambda it: it.rows, 3),
    (f"{PROBLEMS}.kernel_inputs.singular_inputs", "kinds", (1,), lambda it: it.kind, 1),
    (f"{PROBLEMS}.positive.positive_systems", "max_rows", 2, lambda it: it.rows, 2),
    (f"{PROBLEMS}.positive.positive_systems", "max_excess", 1, lambda it: it.columns - it.rows, 1),
    (f"{PROBLEMS}.regression.regressions", "max_rows", 2, lambda it: it.rows, 2),
    (f"{PROBLEMS}.regression.regressions", "max_excess", 1, lambda it: it.columns - it.rows, 1),
    (f"{PROBLEMS}.sensing.commuting_sensing", "scales", (0.7,), lambda it: it.alpha, 0.7),
    (f"{PROBLEMS}.sensing.commuting_sensing", "max_dimension", 2, lambda it: it.dimension, 2),
    (f"{PROBLEMS}.sensing.non_commuting_sensing", "max_dimension", 2, lambda it: it.A.shape[-1], 2),
    (f"{PROBLEMS}.separable.separable_data", "max_rows", 2, lambda it: it.rows, 2),
    (f"{PROBLEMS}.separable.separable_data", "max_columns", 1, lambda it: it.columns, 1),
    (f"{PROBLEMS}.wide.wide_regressions", "full_rank", False, lambda it: len(it.X) - it.rank, 3),
]
"""Options of strategies: the largest value that 150 instances show."""

ELSEWHERE = {
    "fixtures/datasets/test_images.py::test_a_missing_file_is_named_with_the_way_to_get_it": [
        "fixtures.datasets.images.load_images:folder"
    ],
    "fixtures/kernels/test_empirical.py::test_layer_by_layer_is_what_the_jacobian_gives_with_biases_and_depth": [
        f"{KERNELS}.empirical.empirical_ntk:output"
    ],
    "fixtures/kernels/test_regression.py::test_errors_of_entries_widen_what_counts_as_singular": [
        f"{KERNELS}.regression.interpolant_coefficients:entry_error"
    ],
    "fixtures/kernels/test_regression.py::test_targets_in_the_range_of_a_singular_kernel_have_their_pseudo_inverse": [
        f"{KERNELS}.regression.interpolant_coefficients:pseudo_inverse"
    ],
    "fixtures/kernels/test_tuned_ridge.py::test_the_kernel_on_a_device_is_that_in_closed_form": [
        f"{KERNELS}.tuned_ridge.relu_ntk_on_device:z"
    ],
    "fixtures/kernels/test_tuned_ridge.py::"
    "test_what_does_not_fit_is_refused_with_both_numbers_before_it_is_allocated": [
        f"{KERNELS}.tuned_ridge.require_room:available"
    ],
    "fixtures/kernels/test_tuned_ridge.py::"
    "test_coefficients_are_those_of_ridge_regression_whose_penalty_is_a_share_of_the_mean_eigenvalue": [
        f"{KERNELS}.tuned_ridge.tune_ridge:ratios",
        f"{KERNELS}.tuned_ridge.tune_ridge:limits",
    ],
    "fixtures/models/test_fully_connected.py::"
    "test_with_one_hidden_layer_it_is_the_closed_form_network_at_the_start_and_along_sgd": [
        f"{MODELS}.fully_connected.fully_connected:activation",
        f"{MODELS}.fully_connected.fully_connected:parameterization",
    ],
    "fixtures/models/test_fully_connected.py::test_the_gain_enters_once_for_each_hidden_layer": [
        f"{MODELS}.fully_connected.fully_connected:gain"
    ],
    "fixtures/models/test_fully_connected.py::"
    "test_a_width_that_would_not_fit_is_refused_in_one_line_before_it_is_allocated": [
        f"{MODELS}.fully_connected.fully_connected:limit"
    ],
    "fixtures/models/test_fully_connected.py::test_a_network_has_the_precision_that_is_asked_for": [
        f"{MODELS}.fully_connected.fully_connected:dtype"
    ],
    "fixtures/models/test_fully_connected.py::test_a_network_lives_on_the_device_of_its_generator": [
        f"{MODELS}.memory.require_memory:device"
    ],
    "fixtures/sweeps/test_store.py::test_a_checkpoint_is_due_when_the_interval_has_gone_by_since_the_last": [
        "fixtures.sweeps.context.TrialContext:interval",
        "fixtures.sweeps.context.TrialContext:clock",
    ],
    "fixtures/sweeps/test_store.py::test_the_time_left_comes_from_what_is_done_and_under_way": [
        "fixtures.sweeps.context.TrialContext.report:loss",
        "fixtures.sweeps.memory_context.MemoryContext.report:loss",
    ],
    "fixtures/sweeps/test_sweep.py::test_a_record_of_other_data_is_refused_and_neither_returned_nor_lost": [
        "fixtures.sweeps.context.TrialContext:data_folder",
        "fixtures.sweeps.sweep.run_sweep:data_folder",
        "fixtures.sweeps.sweep.usable_records:data_folder",
    ],
    "fixtures/sweeps/test_executors.py::test_what_makes_no_executor_is_refused": [
        "fixtures.sweeps.executors.check_executor:partition",
        "fixtures.sweeps.executors.check_executor:options",
    ],
    "fixtures/sweeps/test_executors.py::test_workers_give_what_this_process_gives": [
        "fixtures.sweeps.executors.make_executor:name",
        "fixtures.sweeps.executors.make_executor:workers",
        "fixtures.sweeps.sweep.run_sweep:progress",
    ],
    "fixtures/sweeps/test_slurm.py::test_options_reach_the_job_and_its_error_comes_back_in_one_line": [
        "fixtures.sweeps.executors.make_executor:folder",
        "fixtures.sweeps.executors.make_executor:partition",
        "fixtures.sweeps.executors.make_executor:options",
    ],
    "fixtures/sweeps/test_trials.py::test_a_title_is_one_line_of_bounded_length": [
        "fixtures.sweeps.random_walk.RandomWalk:dimension",
        "fixtures.sweeps.random_walk.RandomWalk:fails_at",
    ],
    "fixtures/sweeps/test_sweep.py::test_a_trial_that_was_stopped_anywhere_ends_as_if_it_never_was": [
        "fixtures.sweeps.sweep.run_sweep:interval"
    ],
    "fixtures/sweeps/test_slurm.py::test_a_sweep_whose_job_was_cancelled_half_way_is_completed_by_the_next": [
        "fixtures.sweeps.sweep.run_sweep:poll"
    ],
    "fixtures/training/test_preparation.py::test_equal_seeds_give_equal_images_whatever_else_differs": [
        "fixtures.training.config.TrainingConfig:loss",
        "fixtures.training.config.TrainingConfig:momentum",
        "fixtures.training.config.TrainingConfig:augment",
        "fixtures.training.config.TrainingConfig:label_noise",
    ],
    "fixtures/training/test_cuda.py::test_a_graph_trains_like_eager_steps": [
        "fixtures.training.config.TrainingConfig:precision",
        "fixtures.training.config.TrainingConfig:compiled",
    ],
    "fixtures/training/test_run.py::test_a_cuda_that_is_not_there_is_one_line": [
        "fixtures.training.config.TrainingConfig:device"
    ],
    "properties/curvature/test_network_sharpness.py::"
    "test_the_same_seed_gives_the_same_result_and_another_one_another_sample": [
        f"{CURVATURE}.network_sharpness.network_sharpness:sample",
        f"{CURVATURE}.network_sharpness.network_sharpness:seed",
    ],
    "properties/curvature/test_network_sharpness.py::test_a_run_that_spends_its_budget_says_so": [
        f"{CURVATURE}.network_sharpness.network_sharpness:budget",
    ],
    "properties/curvature/test_network_sharpness.py::"
    "test_rescaling_filters_changes_the_normalized_value_and_not_the_scale_invariant_one": [
        f"{CURVATURE}.network_sharpness.network_sharpness:scale_invariant"
    ],
    "properties/curvature/test_sharpness.py::test_the_same_seed_gives_the_same_enclosure": [
        f"{CURVATURE}.sharpness.sharpness:seed"
    ],
    "properties/curvature/test_sharpness.py::"
    "test_the_enclosure_contains_the_curvature_of_cross_entropy_despite_cancellation": [
        f"{CURVATURE}.sharpness.sharpness:accuracy"
    ],
    "properties/test_deep_linear.py::test_the_monotone_rate_of_many_steps_keeps_their_lengths_within_the_radius": [
        "properties.deep_linear.monotone_rate:radius"
    ],
    "properties/test_lazy_training.py::test_jacobian_and_kernel_move_no_further_than_their_bounds": [
        "properties.lazy_training.kernel_drift:train",
        "properties.lazy_training.kernel_rounding:train",
        "properties.lazy_training.turning_rate:train",
    ],
    "properties/test_lazy_training.py::test_the_movement_of_a_lazy_network_is_its_radius_within_a_factor_of_eight": [
        "properties.lazy_training.lazy_radius:train"
    ],
    "properties/test_certificates.py::"
    "test_a_search_shows_an_instance_that_is_no_violation_and_takes_one_from_outside_the_strategy": [
        "properties.search.smallest_violation:spared"
    ],
    "properties/test_certificates.py::test_a_search_without_a_violation_is_an_error": [
        "properties.search.smallest_violation:budget"
    ],
    "properties/spectra/test_nuclear_norm.py::test_the_bracket_of_a_corner_encloses_its_exact_least_norm": [
        "properties.spectra.nuclear_norm.completion_bracket:gamma"
    ],
    "properties/statistics/test_concentration.py::test_relu_entries_show_an_output_weight_that_is_not_squared": [
        "properties.statistics.concentration.chernoff:domain"
    ],
    "properties/statistics/test_paired.py::test_one_rule_judges_effects_of_either_sign": [f"{PAIRED}.judge:printed"],
    "properties/statistics/test_paired.py::test_a_direction_is_judged_without_a_size": [f"{PAIRED}.judge:direction"],
}
"""Tests that turn an option in their own text."""


def named(path):
    """The function, class or method that a dotted path names."""
    parts = path.split(".")
    cut = next(k for k in range(len(parts), 0, -1) if (ROOT / Path(*parts[:k]).with_suffix(".py")).is_file())
    return functools.reduce(getattr, parts[cut:], importlib.import_module(".".join(parts[:cut])))


def ids(rows):
    return [f"{path.rsplit('.', 1)[-1]}-{option}" for path, option, *_ in rows]


@pytest.mark.parametrize(("path", "option", "value", "run", "expected", "slack"), OPTIONS, ids=ids(OPTIONS))
def test_an_option_that_is_turned_gives_an_independent_value(path, option, value, run, expected, slack):
    function = named(path)
    expected = np.asarray(expected() if callable(expected) else expected, float)
    found, plain = (np.asarray(run(f), float) for f in (functools.partial(function, **{option: value}), function))
    assert_identical(found.shape, expected.shape, why=f"shape of {option}={value!r}")
    assert_at_most(np.abs(found - expected).max(), slack, why=f"{option}={value!r}")
    same = plain.shape == expected.shape and np.abs(plain - expected).max() <= slack
    assert_identical(bool(same), False, why=f"without {option} the result is another one")


@pytest.mark.slow
@pytest.mark.parametrize(("path", "option", "value", "observe", "largest"), STRATEGIES, ids=ids(STRATEGIES))
def test_an_option_of_a_strategy_bounds_what_is_drawn_and_is_reached(path, option, value, observe, largest):
    def largest_drawn(strategy):
        seen = []
        rules = settings(
            max_examples=150,
            database=None,
            derandomize=True,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        rules(given(strategy)(lambda instance: seen.append(observe(instance))))()
        return max(seen)

    assert_identical(largest_drawn(named(path)(**{option: value})), largest, why=f"{option}={value!r}")
    assert_identical(largest_drawn(named(path)()) == largest, False, why=f"without {option}")


def imported_by_theorems():
    """The functions and classes of fixtures and properties that files of theorems import, by their dotted paths."""
    for path in (ROOT / "theorems").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            module = getattr(node, "module", None) or ""
            if isinstance(node, ast.ImportFrom) and module.split(".")[0] in ("fixtures", "properties"):
                yield from (f"{module}.{alias.name}" for alias in node.names)


def options_of(path):
    """The options, path:name, of a function, or of a class and its public methods: arguments with a default."""
    found = named(path)
    callables = {path: found}
    if inspect.isclass(found):
        if issubclass(found, (Exception, enum.Enum)):
            return
        callables |= {f"{path}.{name}": part for name, part in vars(found).items() if not name.startswith("_")}
    for name, part in callables.items():
        is_ours = inspect.isfunction(inspect.unwrap(part)) or inspect.isclass(part)
        for option in inspect.signature(part).parameters.values() if is_ours else []:
            if option.default is not inspect.Parameter.empty:
                yield f"{name}:{option.name}"


@pytest.mark.slow
def test_every_option_of_what_theorems_import_is_turned():
    turned = [f"{path}:{option}" for path, option, *_ in [*OPTIONS, *STRATEGIES]]
    turned += itertools.chain.from_iterable(ELSEWHERE.values())
    paths = {path for path in imported_by_theorems() if not (ROOT / Path(*path.split("."))).is_dir()}
    options = set(itertools.chain.from_iterable(map(options_of, sorted(paths))))
    assert_identical(sorted(options - set(turned)), [], why="options that no test turns")
    assert_identical(sorted(set(turned) - options), [], why="options that are gone, or that no theorem imports")
    assert_identical(len(turned), len(set(turned)), why="each option once")


@pytest.mark.parametrize("test", ELSEWHERE)
def test_a_test_that_is_said_to_turn_an_option_exists_and_names_it(test):
    path, name = test.split("::")
    source = (ROOT / path).read_text(encoding="utf-8")
    bodies = [node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef) and node.name == name]
    assert_identical(len(bodies), 1, why=f"tests of this name in {path}")
    first = min([bodies[0].lineno, *(decorator.lineno for decorator in bodies[0].decorator_list)])
    text = "\n".join(source.splitlines()[first - 1 : bodies[0].end_lineno])
    missing = [option for option in ELSEWHERE[test] if not re.search(rf"\b{option.split(':')[1]}\b", text)]
    assert_identical(missing, [], why="options that the test does not name")
