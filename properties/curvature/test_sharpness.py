"""Self-tests: products with the Hessian are exact on integers; the enclosure contains that of the dense Hessian."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures.precision import UNIT_ROUNDOFF
from properties.certificates import assert_at_most, assert_identical, assert_within
from properties.curvature.lanczos import UncertifiedError
from properties.curvature.sharpness import DENSE, PRODUCT_ROUNDING, HessianOfLoss, SharpnessError, sharpness


def perceptron(width, seed=0):
    """The model nn.Linear(4, width), Tanh, nn.Linear(width, 1), eight Gaussian samples, and the mean squared error."""
    import torch

    generator = torch.Generator().manual_seed(seed)
    layers = [torch.nn.Linear(4, width, dtype=torch.float64), torch.nn.Linear(width, 1, dtype=torch.float64)]
    with torch.no_grad():
        for parameter in (parameter for layer in layers for parameter in layer.parameters()):
            parameter.copy_(torch.randn(parameter.shape, generator=generator, dtype=torch.float64) / 2)
    model = torch.nn.Sequential(layers[0], torch.nn.Tanh(), layers[1])
    X, y = torch.randn(8, 5, generator=generator, dtype=torch.float64).split([4, 1], dim=1)
    return model, X, y, lambda: (model(X) - y).square().mean()


def dense_hessian(model, X, y):
    """The Hessian by torch.autograd.functional, without our code."""
    import torch

    shapes = {name: parameter.shape for name, parameter in model.named_parameters()}
    flat = torch.nn.utils.parameters_to_vector(model.parameters()).detach()

    def loss(theta):
        pieces = theta.split([shape.numel() for shape in shapes.values()])
        named = {name: piece.view(shape) for (name, shape), piece in zip(shapes.items(), pieces, strict=True)}
        return (torch.func.functional_call(model, named, (X,)) - y).square().mean()

    return torch.autograd.functional.hessian(loss, flat).numpy()


def parameter(*values):
    import torch

    return torch.tensor(values, dtype=torch.float64, requires_grad=True)


@pytest.mark.slow
@given(st.lists(st.integers(-5, 5), min_size=5, max_size=5), st.lists(st.integers(-5, 5), min_size=5, max_size=5))
def test_products_are_exact_on_an_integer_polynomial(theta, v):
    # given  L = 7 l + a^2 b c + 3 b d over l, (a, b), (c, d, e): linear in the first, constant in the last
    line, first, second = parameter(0), parameter(*theta[:2]), parameter(*theta[2:])

    def loss():
        return 7 * line.sum() + first[0] ** 2 * first[1] * second[0] + 3 * first[1] * second[1]

    hessian = HessianOfLoss(loss, [line, first, second])
    # then
    a, b, c, _, _ = theta
    rows = [[2 * b * c, 2 * a * c, 2 * a * b, 0, 0], [2 * a * c, 0, a * a, 3, 0], [2 * a * b, a * a, 0, 0, 0]]
    H = np.array([*rows, [0, 3, 0, 0, 0], [0] * 5])
    assert_identical(hessian(np.array([1, *v], float)), [0, *(H @ v)], why="Hv")


@pytest.mark.slow
@pytest.mark.parametrize(("width", "method"), [(6, "Cholesky"), (50, "Christoffel")])
def test_the_sharpness_is_that_of_the_dense_hessian(width, method):
    model, X, y, loss = perceptron(width)
    # when
    found = sharpness(loss, model.parameters())
    # then   LAPACK on the dense Hessian, which rounds by p units of its norm
    H = dense_hessian(model, X, y)
    top, slack = np.linalg.eigvalsh(H)[-1], PRODUCT_ROUNDING * math.sqrt(len(H)) * UNIT_ROUNDOFF * np.linalg.norm(H)
    assert_within(found.lower, top, found.upper, slack=slack, why="lambda_max")
    assert_at_most(found.width, 1e-4 * np.linalg.norm(H, 2), why="width of the enclosure")
    assert_identical(found.method == method, True, why=f"{len(H)} parameters, up to {DENSE} dense")


@pytest.mark.slow
def test_products_round_by_less_than_the_rounding_bound():
    # given  the same product computed from the dense Hessian
    model, X, y, loss = perceptron(50)
    H, v = dense_hessian(model, X, y), np.random.default_rng(0).standard_normal(301)
    error = np.linalg.norm(HessianOfLoss(loss, model.parameters())(v) - H @ v)
    bound = 2 * PRODUCT_ROUNDING * UNIT_ROUNDOFF * np.linalg.norm(H, 2) * np.linalg.norm(v)
    assert_at_most(error, bound, why="rounding of Hv")


def logistic_curvature(margin):
    """The second derivative of log(1 + exp(-margin)), without cancellation."""
    return math.exp(-margin) / (1 + math.exp(-margin)) ** 2


def cross_entropy(margin):
    """Softmax cross-entropy of two classes at this margin, its logits, and the largest eigenvalue of its Hessian."""
    import torch

    logits = parameter(margin, 0.0)
    loss = lambda: torch.nn.functional.cross_entropy(logits[None], torch.zeros(1, dtype=torch.long))  # noqa: E731
    return loss, [logits], 2 * logistic_curvature(margin)


def binary_cross_entropy(margin):
    """Binary cross-entropy at this margin, its single logit, and the only eigenvalue p(1 - p) of its Hessian."""
    import torch

    logit = parameter(margin)
    loss = lambda: torch.nn.functional.binary_cross_entropy_with_logits(logit, torch.ones_like(logit))  # noqa: E731
    return loss, [logit], logistic_curvature(margin)


@pytest.mark.slow
@pytest.mark.parametrize("problem", [cross_entropy, binary_cross_entropy])
@pytest.mark.parametrize("margin", [5.0, 17.3, 20.0, 21.1])
def test_the_enclosure_contains_the_curvature_of_cross_entropy_despite_cancellation(problem, margin):
    loss, parameters, top = problem(margin)
    found = sharpness(loss, parameters, accuracy=1e-2)
    assert_within(found.lower, top, found.upper, slack=16 * UNIT_ROUNDOFF * top, why="p(1 - p)")
    assert_at_most(found.width, 1e-2 * top, why="width of the enclosure")


@pytest.mark.slow
@pytest.mark.parametrize("problem", [cross_entropy, binary_cross_entropy])
@pytest.mark.parametrize("margin", [30.0, 37.9, 38.0, 60.0, 800.0])
def test_a_curvature_that_is_lost_in_cancellation_is_refused(problem, margin):
    loss, parameters, _ = problem(margin)
    with pytest.raises(UncertifiedError, match="lost in cancellation"):
        sharpness(loss, parameters)


@pytest.mark.parametrize("margin", [21.1, 38.0, 600.0])
def test_the_curvature_of_a_loss_that_does_not_cancel_is_enclosed_at_any_margin(margin):
    import torch

    w = parameter(margin)
    found = sharpness(lambda: torch.log1p(torch.exp(-w)).sum(), [w], accuracy=1e-9)
    top = logistic_curvature(margin)
    assert_within(found.lower, top, found.upper, slack=16 * UNIT_ROUNDOFF * top, why="p(1 - p)")


def test_a_zero_that_does_not_come_from_cancellation_is_certified():
    # given  (aw)^2/2 at the origin, and a hinge loss where the margin is satisfied
    a, w = parameter(0.0), parameter(0.0)
    found = [sharpness(lambda: ((a * w) ** 2).sum() / 2, [a, w])]
    b = parameter(3.0)
    found += [sharpness(lambda: (1 - b**2).relu().sum(), [b])]
    assert_identical([[each.lower, each.upper] for each in found], [[0, 0], [0, 0]], why="sharpness")


def test_a_loss_that_a_perturbation_takes_out_of_its_domain_is_refused():
    w = parameter(1e-20, 1.0)
    with pytest.raises(UncertifiedError, match="lost in cancellation"):
        sharpness(lambda: (w**2).sqrt().sum(), [w])


def test_the_measured_rounding_of_a_loss_in_float32_is_that_of_float32():
    # given  binary cross-entropy computed in float32, at a margin where cancellation costs 7 bits
    import torch

    w = parameter(5.0)
    loss = lambda: torch.nn.functional.softplus(-w.float()).double().sum()  # noqa: E731
    hessian = HessianOfLoss(loss, [w])
    error = abs(float(hessian(np.ones(1))[0]) / logistic_curvature(5.0) - 1)
    assert_within(error, hessian.rounding(), 2.0**-14, why="relative rounding of Hv, of a few units of float32")


def test_a_hessian_that_is_not_symmetric_is_refused():
    # given  the product ab with a backward pass that ignores that its second slope depends on a
    import torch

    class Forgetful(torch.autograd.Function):
        @staticmethod
        def forward(ctx, a, b):
            ctx.save_for_backward(a, b)
            return a * b

        @staticmethod
        def backward(ctx, slope):
            a, b = ctx.saved_tensors
            return slope * b, slope * a.detach()

    a, b = parameter(1.0), parameter(2.0)
    with pytest.raises(UncertifiedError, match="off symmetry"):
        sharpness(lambda: (Forgetful.apply(a, b)).sum(), [a, b])


@pytest.mark.parametrize("power", [-600, 600])
def test_sharpness_scales_with_the_loss(power):
    w = parameter(1.0, 2.0)
    plain, scaled = (sharpness(lambda unit=unit: unit * (w**4).sum(), [w]) for unit in (1.0, 2.0**power))
    ends = np.array([[each.lower, each.upper] for each in (plain, scaled)])
    assert_identical(ends[1], ends[0] * 2.0**power, why="both ends")


@pytest.mark.slow
def test_the_same_seed_gives_the_same_enclosure():
    model, _, _, loss = perceptron(50)
    first, again = (sharpness(loss, model.parameters(), seed=3) for _ in range(2))
    assert_identical([first.lower, first.upper], [again.lower, again.upper], why="two runs")


def test_a_loss_without_curvature_has_sharpness_zero():
    w = parameter(*range(300))
    found = sharpness(lambda: (2 * w).sum(), [w])
    assert_identical([found.lower, found.upper], [0, 0], why="a linear loss")


@pytest.mark.parametrize(
    ("loss", "values", "message"),
    [
        (lambda w: w.sum() / 0, [1.0], "the loss is inf"),
        (lambda w: w.sqrt().sum(), [0.0], "the gradient is not finite at a loss of 0"),
        (lambda w: w.detach().sum(), [1.0], "does not depend"),
        (lambda w: w.sum(), [], "no parameters that require grad"),
        (lambda w: w, [1.0, 2.0], "not a tensor with one entry"),
        (lambda _: 1.0, [1.0], "not a tensor with one entry"),
    ],
)
def test_a_loss_without_a_hessian_is_an_error_of_one_line(loss, values, message):
    w = parameter(*values)
    with pytest.raises(SharpnessError, match=message) as caught:
        sharpness(lambda: loss(w), [w])
    assert_at_most(str(caught.value).count("\n"), 0, why="lines after the first")


def test_a_hessian_that_is_not_finite_is_an_error():
    # given  w^(3/2) at 0: the loss and its gradient are 0, the second derivative is infinite
    w = parameter(0.0)
    with pytest.raises(UncertifiedError, match="not finite"):
        sharpness(lambda: (w**1.5).sum(), [w])


def test_models_that_do_not_require_grad_or_are_not_in_double_precision_are_refused():
    import torch

    frozen = torch.nn.Linear(2, 1).requires_grad_(False)
    with pytest.raises(SharpnessError, match="no parameters that require grad"):
        sharpness(lambda: frozen.weight.sum(), frozen.parameters())
    single = torch.nn.Linear(2, 1)
    with pytest.raises(SharpnessError, match=r"torch.float64: call model.double\(\)"):
        sharpness(lambda: single.weight.sum(), single.parameters())


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated:DeprecationWarning")
@pytest.mark.parametrize("width", [6, 50])
def test_curvlinops_and_arpack_find_the_same_sharpness(width):
    curvlinops = pytest.importorskip("curvlinops", reason="needs the extra 'oracles'")
    import torch
    from scipy.sparse.linalg import eigsh

    model, X, y, loss = perceptron(width)
    # when   ARPACK, at full precision, on products by curvlinops
    parameters = list(model.parameters())
    operator = curvlinops.HessianLinearOperator(model, torch.nn.MSELoss(), parameters, [(X, y)]).to_scipy()
    top = eigsh(operator, k=1, which="LA", tol=0, return_eigenvectors=False)[0]
    # then
    found = sharpness(loss, model.parameters(), accuracy=1e-8 if width == 6 else 1e-5)
    slack = operator.shape[0] * PRODUCT_ROUNDING * UNIT_ROUNDOFF * top
    assert_within(found.lower, top, found.upper, slack=slack, why="lambda_max by curvlinops")
