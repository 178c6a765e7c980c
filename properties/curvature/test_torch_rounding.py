"""Self-tests: a perturbation keeps masks and indices, so every activation and pooling of torch.nn can be certified."""

import math

import numpy as np
import pytest

from fixtures.precision import UNIT_ROUNDOFF
from properties.certificates import assert_at_most, assert_identical, assert_within
from properties.curvature.lanczos import UncertifiedError
from properties.curvature.sharpness import PRODUCT_ROUNDING, SharpnessError, sharpness

ARGUMENTS = {
    "Threshold": (0.1, 0.5),
    "GLU": (1,),
    "Softmax": (1,),
    "Softmin": (1,),
    "LogSoftmax": (1,),
} | {f"{kind}{d}d": (2,) for kind in ("MaxPool", "AvgPool", "AdaptiveMaxPool", "AdaptiveAvgPool") for d in (1, 2, 3)}
ARGUMENTS |= {f"LPPool{d}d": (2, 2) for d in (1, 2, 3)}
PLAIN = (
    "ReLU RReLU Hardtanh ReLU6 Sigmoid Tanh SiLU Mish Hardswish ELU CELU SELU GELU Hardshrink LeakyReLU LogSigmoid "
    "Softplus Softshrink PReLU Softsign Tanhshrink Softmax2d"
)
INPLACE = "Threshold Hardtanh ReLU6 SiLU Mish Hardswish ELU CELU SELU LeakyReLU"
LAYERS = [*ARGUMENTS, *PLAIN.split()]
ELSEWHERE = {"Hardsigmoid", "MultiheadAttention"}
"""Tested below: the first has no second derivative in torch, and the second takes three inputs."""

PAIRED = {f"{kind}{d}d" for kind in ("MaxUnpool", "FractionalMaxPool") for d in (1, 2, 3)} - {"FractionalMaxPool1d"}
"""Poolings that take indices or random samples as well."""


def network(name, *, inplace=False):
    """Convolution, this layer of torch.nn, and a linear layer in float64; with five inputs and targets.

    One input is zero, and another one is zero in half of its pixels, as the border of an image is. The rest are large,
    so that units lie on both sides of every kink.
    """
    import torch
    from torch import nn

    d = int(name[-2]) if name[-2].isdigit() else 2
    options = {"inplace": True} if inplace else {}
    with torch.random.fork_rng():
        torch.manual_seed(0)
        layer = getattr(nn, name)(*ARGUMENTS.get(name, ()), **options)
        first = getattr(nn, f"Conv{d}d")(1, 4, 2)
        X = 3 * torch.randn(5, 1, *[5] * d, dtype=torch.float64)
        X[0], X[1, :, :2] = 0, 0
        features = nn.Sequential(first, layer, nn.Flatten())
        model = nn.Sequential(features, nn.Linear(features(X.float()).shape[1], 1)).double().eval()
        return model, X, torch.randn(5, 1, dtype=torch.float64)


def largest_of_dense_hessian(model, X, y):
    """The largest eigenvalue of the Hessian by torch.autograd.functional and LAPACK, and its rounding."""
    import torch

    named = dict(model.named_parameters())
    flat = torch.nn.utils.parameters_to_vector(named.values()).detach()

    def loss(theta):
        pieces = theta.split([parameter.numel() for parameter in named.values()])
        weights = {name: piece.view_as(named[name]) for name, piece in zip(named, pieces, strict=True)}
        return (torch.func.functional_call(model, weights, (X.clone(),)) - y).square().mean()

    H = torch.autograd.functional.hessian(loss, flat).numpy()
    return np.linalg.eigvalsh(H)[-1], PRODUCT_ROUNDING * math.sqrt(len(H)) * UNIT_ROUNDOFF * np.linalg.norm(H)


def assert_certified_as_dense(model, X, y):
    found = sharpness(lambda: (model(X.clone()) - y).square().mean(), model.parameters())
    top, slack = largest_of_dense_hessian(model, X, y)
    assert_within(found.lower, top, found.upper, slack=slack, why="lambda_max")
    assert_at_most(found.width, 1e-3 * top, why="width of the enclosure")


@pytest.mark.slow
@pytest.mark.parametrize("name", LAYERS)
def test_a_network_with_any_activation_or_pooling_of_torch_is_certified(name):
    assert_certified_as_dense(*network(name))


@pytest.mark.slow
@pytest.mark.parametrize("inplace", [False, True])
def test_a_relu_network_is_certified(inplace):
    assert_certified_as_dense(*network("ReLU", inplace=inplace))


@pytest.mark.slow
@pytest.mark.parametrize("name", INPLACE.split())
def test_an_activation_that_works_in_place_is_certified_too(name):
    assert_certified_as_dense(*network(name, inplace=True))


def test_no_activation_or_pooling_of_torch_is_left_out():
    from torch.nn.modules import activation, pooling

    known = {*LAYERS, *ELSEWHERE, *PAIRED}
    assert_identical(sorted({*activation.__all__, *pooling.__all__} - known), [], why="layers without a test")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["max", "amax", "sort", "median", "clamp", "maximum", "abs", "fractional", "unpool"])
def test_other_selections_are_certified(name):
    import torch
    from torch import nn

    shares = torch.full((5, 4, 2), 0.3, dtype=torch.float64)
    selections = {
        "max": lambda h: h.flatten(2).max(2).values,
        "amax": lambda h: h.flatten(2).amax(2),
        "sort": lambda h: h.flatten(2).sort(2).values[..., 1:4].flatten(1),
        "median": lambda h: h.flatten(2).median(2).values,
        "clamp": lambda h: h.clamp(0, 1).flatten(1),
        "maximum": lambda h: torch.maximum(h, h.flip(2)).flatten(1),
        "abs": lambda h: h.abs().flatten(1),
        "fractional": lambda h: nn.FractionalMaxPool2d(2, 2, _random_samples=shares)(h).flatten(1),
        "unpool": lambda h: nn.functional.max_unpool2d(*nn.functional.max_pool2d(h, 2, return_indices=True), 2),
    }

    class Selection(nn.Module):
        def forward(self, h):
            return selections[name](h)

    model, X, y = network("ReLU")
    features = nn.Sequential(model[0][0], Selection(), nn.Flatten())
    wide = features(X).shape[1]
    head = nn.Linear(wide, 1, dtype=torch.float64)
    with torch.no_grad():
        head.weight.copy_(torch.linspace(-1, 1, wide))
    assert_certified_as_dense(nn.Sequential(features, head), X, y)


@pytest.mark.slow
def test_attention_is_certified_by_the_kernel_that_has_a_second_derivative():
    import torch

    # given  an encoder layer, whose forward takes a fused kernel without one
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = torch.nn.TransformerEncoderLayer(4, 2, 8, dropout=0.0, batch_first=True).double()
        X, y = torch.randn(2, 2, 5, 4, dtype=torch.float64)
    with torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):
        top, slack = largest_of_dense_hessian(model, X, y)
    found = sharpness(lambda: (model(X) - y).square().mean(), model.parameters(), accuracy=1e-3)
    assert_within(found.lower, top, found.upper, slack=slack, why="lambda_max")


def test_an_operation_without_a_second_derivative_is_named():
    model, X, y = network("Hardsigmoid")
    with pytest.raises(SharpnessError, match="torch has no derivative of hardsigmoid_backward"):
        sharpness(lambda: (model(X) - y).square().mean(), model.parameters())


@pytest.mark.slow
@pytest.mark.parametrize("share", [0.5, 1e-9])
def test_dropout_is_told_from_cancellation(share):
    import torch

    # given  dropout that drops half of the units, or draws numbers and drops none
    model, X, y = network("Tanh")
    model = torch.nn.Sequential(model, torch.nn.Dropout(share))
    with torch.random.fork_rng(), pytest.raises(SharpnessError, match="the loss is random"):
        sharpness(lambda: (model(X) - y).square().mean(), model.parameters())
    assert_certified_as_dense(model.eval(), X, y)


def test_a_loss_that_draws_from_its_own_generator_is_random_too():
    model, X, y = network("Tanh")
    rng = np.random.default_rng(0)

    def loss():
        rows = rng.choice(5, 3, replace=False)
        return (model(X[rows]) - y[rows]).square().mean()

    with pytest.raises(SharpnessError, match="the loss is random"):
        sharpness(loss, model.parameters())


@pytest.mark.slow
def test_a_loss_that_seeds_its_own_draws_is_not_random():
    import torch

    model, X, y = network("Tanh")

    def loss():
        torch.manual_seed(3)
        return (torch.nn.functional.dropout(model(X), 0.5) - y).square().mean()

    with torch.random.fork_rng():
        found = sharpness(loss, model.parameters())
    assert_at_most(found.width, 1e-3 * found.upper, why="width of the enclosure")


def test_a_perturbation_moves_sums_and_keeps_zeros_masks_and_maxima():
    import torch

    from properties.curvature.torch_rounding import STRETCH, MovedInputs

    x = torch.tensor([[0.0, 3, -2], [0, 0, 1]], dtype=torch.float64)
    with MovedInputs():
        product, rectified, largest, exponential = x @ x.mT, x.relu(), x.amax(1), x.exp()
    assert_identical(rectified, [[0, 3, 0], [0, 0, 1]], why="relu")
    assert_identical(largest, [3, 1], why="maxima")
    change = (product - x @ x.mT).abs()
    assert_within(STRETCH * UNIT_ROUNDOFF / 16, change.max(), 4 * 13 * STRETCH * UNIT_ROUNDOFF, why="a sum moves")
    assert_within(STRETCH * UNIT_ROUNDOFF / 16, (exponential - x.exp())[x == 0].abs().max(), 1e-11, why="exp(0) moves")
    first, second = torch.eye(2, dtype=torch.float64)
    with MovedInputs():
        assert_identical([(first @ second).item(), (first * second).sum().item()], [0, 0], why="zeros stay zero")


def test_a_kink_within_rounding_is_refused_as_one():
    import torch

    # given  sixteen units relu(a - b) at a - b = 2^-53: autograd takes the active piece, a rounding of b the other one
    def loss(a, b):
        return ((a - b).relu() - 1).square().sum()

    a, b = (torch.full((16,), size, dtype=torch.float64, requires_grad=True) for size in (1.0, 1 - 2.0**-53))
    with pytest.raises(UncertifiedError, match="or a kink lies within rounding"):
        sharpness(lambda: loss(a, b), [a, b])
    # then   well inside the active piece the curvature is 2 |(1, -1)|^2
    far = torch.full((16,), 0.5, dtype=torch.float64, requires_grad=True)
    found = sharpness(lambda: loss(a, far), [a, far])
    assert_within(found.lower, 4, found.upper, why="lambda_max")
