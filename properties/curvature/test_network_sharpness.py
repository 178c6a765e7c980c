"""Self-tests: the sharpness of a network is that of its dense Hessian; measuring leaves the model unchanged."""

import functools
import itertools
import math
import weakref

import numpy as np
import pytest

from fixtures.precision import UNIT_ROUNDOFF
from fixtures.training.losses import mean_loss
from properties.certificates import assert_at_most, assert_identical, assert_within
from properties.curvature.lanczos import Krylov, UncertifiedError, least_component
from properties.curvature.network_sharpness import MISSED, BatchedHessian, fixed_batches, network_sharpness
from properties.curvature.sharpness import SharpnessError

pytestmark = pytest.mark.slow

SINGLE = 2.0**-24
"""The unit roundoff of float32."""


def images(count, seed=0, shape=(1, 4, 4), classes=2):
    """Gaussian images and random labels."""
    import torch

    generator = torch.Generator().manual_seed(seed)
    inputs = torch.randn(count, *shape, generator=generator)
    return inputs, torch.randint(classes, (count,), generator=generator)


def normalized_network(seed=0, eps=1e-5):
    """Convolution, batch normalization, tanh, mean over positions, linear: 34 parameters, none of them zero."""
    import torch
    from torch import nn

    generator = torch.Generator().manual_seed(seed)
    pooled = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 2)]
    model = nn.Sequential(nn.Conv2d(1, 3, 2, bias=False), nn.BatchNorm2d(3, eps=eps), nn.Tanh(), *pooled)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator))
        for buffer in (model[1].running_mean, model[1].running_var):
            buffer.copy_(1 + torch.rand(buffer.shape, generator=generator))
    return model


def dense_hessian(model, inputs, labels, batches):
    """The float64 Hessian of the mean cross-entropy, with the normalization written out, without our products."""
    import torch

    kernel, gain, shift, weight, bias = (parameter.detach().double() for parameter in model.parameters())
    shapes = [each.shape for each in (kernel, gain, shift, weight, bias)]
    flat = torch.cat([each.reshape(-1) for each in (kernel, gain, shift, weight, bias)])

    def total(w):
        kernel, gain, shift, weight, bias = (
            piece.view(shape) for piece, shape in zip(w.split([s.numel() for s in shapes]), shapes, strict=True)
        )
        log_probability = 0.0
        for batch in batches:
            x = torch.nn.functional.conv2d(inputs[batch].double(), kernel)
            x = x - x.mean((0, 2, 3), keepdim=True)
            x = x / (x.square().mean((0, 2, 3), keepdim=True) + model[1].eps).sqrt()
            x = (x * gain[:, None, None] + shift[:, None, None]).tanh().mean((2, 3)) @ weight.T + bias
            log_probability = log_probability + x.log_softmax(1)[range(len(batch)), labels[batch]].sum()
        return -log_probability / sum(map(len, batches))

    return torch.autograd.functional.hessian(total, flat).numpy(), float(total(flat))


@pytest.fixture(scope="module")
def measured():
    """For a network and ten images in batches of 4, 3 and 3: its sharpness, dense Hessian, loss and weights."""
    model, (inputs, labels) = normalized_network(), images(12)
    found = network_sharpness(model, inputs, labels, loss="cross_entropy", batch=4, sample=10, scale_invariant=True)
    H, loss = dense_hessian(model, inputs, labels, fixed_batches(12, sample=10, batch=4, seed=0))
    w = np.concatenate([parameter.detach().numpy().ravel() for parameter in model.parameters()]).astype(float)
    return found, H, loss, w


def assert_leads(estimate, H, why):
    """Assert that the value is the largest eigenvalue up to residual^2/gap (Kato 1949, Temple 1928) and rounding."""
    *_, second, top = np.linalg.eigvalsh(H)
    slack = 64 * len(H) * UNIT_ROUNDOFF * np.linalg.norm(H, 2)
    assert_at_most(second + estimate.residual, estimate.value, why=f"{why}: the residual is that of the leading pair")
    below = estimate.residual**2 / (estimate.value - second)
    assert_within(top - below, estimate.value, top, slack=slack, why=why)


def test_the_value_is_the_largest_eigenvalue_of_the_dense_hessian(measured):
    found, H, _, _ = measured
    assert_leads(found, H, "lambda_max")
    # then   to the accuracy at which the run stops; float32 does not limit it
    assert_at_most(found.residual, 1e-2 * np.linalg.norm(H, 2) + found.rounding, why="residual")
    assert_at_most(np.linalg.eigvalsh(H)[-1] - found.value, 1e-2 * np.linalg.norm(H, 2), why="what is left to find")
    assert_at_most(found.rounding, 2**10 * SINGLE * found.value, why="what float32 does to a product")
    assert_within(found.value, found.christoffel, 1.01 * found.value, slack=found.rounding, why="Christoffel")
    assert_identical(found.converged, True, why="converged")


def test_a_small_eigenvalue_beside_large_negative_ones_is_known_to_a_hundredth_of_itself():
    import torch

    # given  the loss mean(c_i w_i^2)/2, whose curvatures c_i/n reach from -100 to 1
    c = torch.cat([torch.linspace(-3000, -1500, 20), torch.linspace(1, 30, 10)])
    model = torch.nn.utils.skip_init(torch.nn.Linear, 30, 1, bias=False)
    torch.nn.init.zeros_(model.weight)
    found = network_sharpness(
        model, torch.eye(30), c, loss=lambda outputs, c: (c * outputs[:, 0] ** 2).mean() / 2, batch=30
    )
    assert_identical(found.converged, True, why="converged")
    assert_within(1.0 - found.residual**2 / 0.1, found.value, 1.0, slack=64 * SINGLE, why="30/30")
    assert_at_most(found.residual, 0.01 * found.value + found.rounding, why="residual")


def test_lanczos_goes_on_in_float64_where_float32_is_too_coarse():
    import torch

    # given  the loss sum(c_i (x_i . w)^2)/2n at oblique x_i, whose curvatures reach from -10^6 to 1
    c = torch.cat([torch.full((20,), -3e7), torch.linspace(1, 30, 10)])
    X = torch.linalg.qr(torch.randn(30, 30, generator=torch.Generator().manual_seed(0))).Q
    model = torch.nn.utils.skip_init(torch.nn.Linear, 30, 1, bias=False)
    torch.nn.init.zeros_(model.weight)
    found = network_sharpness(model, X, c, loss=lambda outputs, c: (c * outputs[:, 0] ** 2).mean() / 2, batch=30)
    H = (X.double().T * c.double() / 30) @ X.double()
    top = torch.linalg.eigvalsh(H)[-1].item()
    # then   a product in float32 is off by more than a hundredth of the eigenvalue, but the value is not
    assert_at_most(0.01 * top, found.rounding, why="float32")
    assert_at_most(found.residual, 0.01 * found.value, why="residual")
    slack = 64 * 30 * UNIT_ROUNDOFF * 1e6
    assert_within(top - 0.01 * top, found.value, top, slack=slack, why="lambda_max")
    assert_at_most([1, found.refining], [found.refining, 30], why="products in float64")


def test_the_scale_invariant_value_is_that_in_relative_coordinates(measured):
    found, H, _, w = measured
    assert_leads(found.relative, np.abs(w) * H * np.abs(w)[:, None], "lambda_max of DHD")
    assert_identical(found.scale_invariant, found.relative.value, why="its name")
    assert_at_most(found.scale_invariant, found.value * (w**2).max() * (1 + 2.0**-20), why="at most lambda max w_i^2")


def test_loss_norm_and_sample_are_reported(measured):
    found, _, loss, w = measured
    assert_at_most(abs(found.loss - loss), 2**10 * UNIT_ROUNDOFF * loss, why="the loss of the batches")
    assert_at_most(abs(found.squared_norm - w @ w), len(w) * UNIT_ROUNDOFF * (w @ w), why="|w|^2")
    assert_identical(found.normalized, found.value * found.squared_norm, why="lambda |w|^2")
    assert_identical([found.batch, found.sample], [4, 10], why="batch and sample")


def linear_network(rows):
    """nn.Linear without bias at zero weights. With squared error over two classes its Hessian is two blocks X'X/n."""
    import torch

    model = torch.nn.Linear(len(rows[0]), 2, bias=False)
    torch.nn.init.zeros_(model.weight)
    return model, torch.tensor(rows, dtype=torch.float32), torch.zeros(len(rows), dtype=torch.long)


def hessian_of(model, inputs, labels, batch, loss="squared"):
    import torch

    batches = fixed_batches(len(inputs), sample=len(inputs), batch=batch, seed=0)
    function = functools.partial(mean_loss, loss) if isinstance(loss, str) else loss
    return BatchedHessian(model, inputs, labels, function, batches, torch.float32)


def test_a_product_sums_batches_in_float64():
    # given  2^24 + 1 is not representable in float32, but its two terms are; four images, in batches of one
    hessian = hessian_of(*linear_network([[8192.0, 0], [2, 0], [0, 2], [0, 0]]), batch=1)
    assert_identical(hessian(np.array([1.0, 1, 1, 0])), [2.0**24 + 1, 1, 2.0**24 + 1, 0], why="Hv")


def test_batches_of_unequal_size_count_by_their_images():
    # given  five images in batches of 3 and 2
    hessian = hessian_of(*linear_network([[5.0, 0], [5, 0], [5, 0], [5, 0], [0, 5]]), batch=3)
    top = 20.0
    assert_within(top, hessian(np.array([1.0, 0, 0, 0]))[0], top, slack=4 * SINGLE * top, why="X'X/n")


def test_a_linear_layer_has_the_eigenvalues_of_its_data():
    found = network_sharpness(*linear_network([[6.0, 0, 0], [0, 4, 0], [0, 0, 2]]), loss="squared", batch=2)
    assert_within(12.0, found.value, 12.0, slack=found.residual**2 / 6 + 100 * UNIT_ROUNDOFF, why="36/3")
    assert_at_most(found.products, 4, why="three eigenvalues, and the product that finds no more")
    assert_identical(found.converged, True, why="an invariant space")


def quadratic(*spectrum):
    """A model with output sum lambda_i w_i^2 / 2 for every image, at w = (1, ..., 1), and the loss that returns it."""
    import torch

    class Quadratic(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.w = torch.nn.Parameter(torch.ones(len(spectrum)))

        def forward(self, inputs):
            scale = torch.tensor(spectrum, dtype=self.w.dtype)
            return (scale * self.w**2).sum() / 2 + 0 * inputs.sum(1)

    inputs = torch.zeros(2, 1)
    return (Quadratic(), inputs, torch.zeros(2, dtype=torch.long)), lambda outputs, _: outputs.mean()


@pytest.mark.parametrize("spectrum", [(-10.0, 3, 1), (-10.0, -3, -1), (4.0, 4, 4), (0.0, 0, 0)])
def test_the_result_is_the_largest_eigenvalue_and_not_the_largest_modulus(spectrum):
    problem, loss = quadratic(*spectrum)
    found = network_sharpness(*problem, loss=loss, batch=2)
    top = max(spectrum)
    assert_within(top, found.value, top, slack=20 * SINGLE, why="lambda_max")


def test_a_run_that_has_converged_to_the_second_eigenvalue_goes_on_to_the_first():
    import torch

    # given  curvatures 1.3, 1 and a bulk in [0, 1/2] along orthonormal samples. The start is nearly the second of them;
    #        it has 1e-3 of the first, more than one start in a hundred lacks
    n, rng = 300, np.random.default_rng(1)
    start = np.random.default_rng([0, 1]).standard_normal(n)
    start /= np.linalg.norm(start)
    others = np.linalg.qr(np.column_stack([start, rng.standard_normal((n, n - 1))]))[0][:, 1:]
    leading = 1e-3 * start + math.sqrt(1 - 1e-6) * others[:, 0]
    second = start + 1e-3 * others[:, 1]
    X = np.linalg.qr(np.column_stack([leading, second, others[:, 2:], others[:, 1]]))[0].T
    c = np.concatenate([[1.3, 1.0], np.linspace(0, 0.5, n - 2)])
    assert_at_most(least_component(n, MISSED), 1e-3, why="the component that is supposed")
    model = torch.nn.utils.skip_init(torch.nn.Linear, n, 1, bias=False)
    torch.nn.init.zeros_(model.weight)
    found = network_sharpness(
        model,
        torch.as_tensor(X),
        torch.as_tensor(n * c),
        loss=lambda outputs, c: (c * outputs[:, 0] ** 2).mean() / 2,
        batch=n,
    )
    assert_identical(found.converged, True, why="converged")
    assert_within(1.3 - 0.02, found.value, 1.3, slack=64 * SINGLE, why="lambda_max")


def test_a_run_that_spends_its_budget_says_so():
    problem, loss = quadratic(*np.linspace(0, 1, 50).tolist())
    found = network_sharpness(*problem, loss=loss, batch=2, budget=3)
    assert_identical([found.converged, found.products], [False, 3], why="three of the products needed")
    assert_identical([found.relative, found.scale_invariant], [None, None], why="what was not asked for")
    # then   the value is a lower bound, and some eigenvalue lies within the residual
    assert_at_most(found.value, 1.0, why="a Rayleigh quotient")
    nearest = np.abs(np.linspace(0, 1, 50) - found.value).min()
    assert_at_most(nearest, found.residual * (1 + 2.0**-20), why="distance to the nearest eigenvalue")
    assert_at_most(1.0, found.christoffel, why="what the run leaves room for")


def test_the_basis_of_a_run_stays_orthonormal():
    # given  products in float32 and one eigenvalue far above the rest: without re-orthogonalization its vector returns
    problem, loss = quadratic(1000.0, *np.linspace(0, 1, 60).tolist())
    hessian = hessian_of(*problem, batch=2, loss=loss)
    run = Krylov(hessian, np.random.default_rng(0).standard_normal(61), 0.0)
    for _ in range(30):
        run.extend()
    # then   lower_bound does not raise, as it does for a basis that is not orthonormal
    assert_within(1000 * (1 - 2.0**-16), run.lower_bound(), 1000 * (1 + 2.0**-20), why="lambda_max")


def test_the_ritz_vector_and_its_image_are_exact_to_float64():
    # given  a spectrum of integers, so that each entry of a product is rounded once
    spectrum = np.arange(1.0, 41)
    run = Krylov(lambda v: spectrum * v, np.random.default_rng(0).standard_normal(40), 0.0)
    for _ in range(20):
        run.extend()
    y, image = run.ritz_vector()
    bound = 40 * 20 * UNIT_ROUNDOFF * spectrum.max()
    assert_at_most(np.linalg.norm(spectrum * y - image), bound, why="Ay = theta y + b_k s_k v_{k+1}")
    assert_at_most(abs(y @ y - 1), 80 * UNIT_ROUNDOFF, why="|y|^2")


def test_samples_are_nested_and_divided_as_evenly_as_possible():
    few, many = (fixed_batches(50, sample=sample, batch=6, seed=3) for sample in (20, 50))
    assert_identical([*map(len, few)], [5, 5, 5, 5], why="four batches of at most six")
    assert_identical(np.concatenate(few), np.concatenate(many)[:20], why="the first twenty of fifty")
    assert_identical(sorted(np.concatenate(many)), range(50), why="all of them, once")


def state(model):
    """Everything in a model that a measurement could change."""
    tensors = itertools.chain(model.parameters(), model.buffers())
    flags = [(part.training, [each.requires_grad for each in part.parameters()]) for part in model.modules()]
    return [each.clone() for each in tensors], [each.grad for each in model.parameters()], flags


def test_the_model_and_the_settings_are_left_as_they_were():
    # given  modes of every kind, a frozen layer, and a gradient
    import torch

    settings = [torch.backends.cuda.matmul, torch.backends.cudnn.conv]
    settings += [torch.backends.mkldnn.matmul, torch.backends.mkldnn.conv]
    model, (inputs, labels) = normalized_network().train(), images(6)
    model[4].eval()
    model[0].weight.requires_grad_(False)
    model[1].weight.grad = torch.ones(3)
    inside = set()
    model[2].register_forward_hook(lambda *_: inside.update(setting.fp32_precision for setting in settings))
    before, generator = state(model), torch.get_rng_state()
    precisions = [setting.fp32_precision for setting in settings]
    # when
    network_sharpness(model, inputs, labels, loss="cross_entropy", batch=3, budget=2)
    # then
    after = state(model)
    assert_identical(all(map(torch.equal, before[0], after[0])), True, why="parameters and running statistics")
    assert_identical([g is h for g, h in zip(before[1], after[1], strict=True)], [True] * 5, why="gradients")
    assert_identical(model[1].weight.grad, torch.ones(3), why="the gradient there was")
    assert_identical(str(before[2]), str(after[2]), why="modes and requires_grad")
    assert_identical(torch.equal(generator, torch.get_rng_state()), True, why="the global generator")
    assert_identical([setting.fp32_precision for setting in settings], precisions, why="precisions of torch")
    assert_identical(sorted(inside), ["ieee"], why="their value in between: TF32 is the default of cuDNN")


def test_mode_autocast_and_the_precision_of_torch_have_no_effect():
    import torch

    model, (inputs, labels) = normalized_network(), images(8)
    model.insert(4, torch.nn.Dropout(0.5))
    plain = network_sharpness(model.eval(), inputs, labels, loss="cross_entropy", batch=4)
    matmul = torch.backends.mkldnn.matmul
    precision = matmul.fp32_precision
    try:
        matmul.fp32_precision = "bf16"
        with torch.autocast("cpu", torch.bfloat16), torch.no_grad():
            again = network_sharpness(model.train(), inputs, labels, loss="cross_entropy", batch=4)
        assert_identical(matmul.fp32_precision, "bf16", why="the precision that was set")
    finally:
        matmul.fp32_precision = precision
    assert_identical(again == plain, True, why="two measurements")


def test_only_one_graph_is_alive_at_a_time():
    import torch

    model, (inputs, labels) = normalized_network(), images(9)
    outputs, alive = [], []

    def watch(_module, _inputs, output):
        alive.append(sum(each() is not None for each in outputs))
        outputs.append(weakref.ref(output))

    model[2].register_forward_hook(watch)
    hessian = hessian_of(model, inputs, labels, batch=3, loss="cross_entropy")
    hessian(np.ones(hessian.size))
    assert_identical(alive, [0, 0, 0], why="graphs of earlier batches when one is built")
    assert_identical(torch.is_tensor(outputs[-1]()), False, why="the last one")


def test_rescaling_filters_changes_the_normalized_value_and_not_the_scale_invariant_one():
    # given  filters times 4, 1/2, 16 before a normalization whose eps is lost in rounding; powers of two do not round
    import torch

    (inputs, labels), found = images(8), []
    for scales in ([1.0, 1, 1], [4.0, 0.5, 16]):
        model = normalized_network(eps=1e-300)
        with torch.no_grad():
            model[0].weight *= torch.tensor(scales)[:, None, None, None]
        measure = network_sharpness(model, inputs, labels, loss="cross_entropy", batch=4, scale_invariant=True)
        found.append(measure)
    assert_identical(found[0].loss, found[1].loss, why="the loss")
    assert_identical(found[0].relative == found[1].relative, True, why="the scale-invariant estimate")
    assert_at_most(2 * found[0].normalized, found[1].normalized, why="lambda |w|^2, which is no invariant")


def test_the_same_seed_gives_the_same_result_and_another_one_another_sample():
    model, (inputs, labels) = normalized_network(), images(12)
    first, again, other = (
        network_sharpness(model, inputs, labels, loss="cross_entropy", batch=4, sample=8, seed=seed)
        for seed in (1, 1, 2)
    )
    assert_identical(first == again, True, why="two runs")
    assert_identical(first.loss == other.loss, False, why="the loss of another sample")


def compiled(model):
    """A model as torch.nn.Module.compile leaves it; the compiler itself would take two seconds."""
    model._compiled_call_impl = model.forward  # noqa: SLF001
    return model


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"accuracy": 0.0}, r"accuracy 0 is not inside \(0, 1\)"),
        ({"budget": 0}, "a budget of 0 products is none"),
        ({"sample": 9}, "a sample of 9 cannot be drawn from 6 images"),
        ({"batch": 0}, "a batch of 0 images is none"),
        ({"batch": 1}, "a batch of one image has no variance"),
        ({"labels": [0]}, "there are 6 inputs and 1 labels"),
        ({"change": lambda model: model.requires_grad_(False)}, "no parameters that require grad"),
        ({"change": lambda model: model.bfloat16()}, "parameters are torch.bfloat16"),
        ({"change": compiled}, "the model is compiled"),
        ({"inputs": math.nan}, "the loss is nan, .*: the training has diverged"),
    ],
)
def test_bad_input_is_an_error_of_one_line(arguments, message):
    model, (inputs, labels) = normalized_network(), images(6)
    given = {"loss": "cross_entropy", "batch": 3, **arguments}
    model = given.pop("change", lambda model: model)(model)
    inputs = inputs * given.pop("inputs", 1)
    with pytest.raises(SharpnessError, match=message) as caught:
        network_sharpness(model, inputs, given.pop("labels", labels), **given)
    assert_at_most(str(caught.value).count("\n"), 0, why="lines after the first")


def test_a_product_that_is_not_finite_is_an_error():
    # given  w^(3/2) at 0: the loss and its gradient are 0, the second derivative is infinite
    problem, _ = quadratic(0.0)
    with pytest.raises(UncertifiedError, match="not finite"):
        network_sharpness(*problem, loss=lambda outputs, _: outputs.mean() ** 1.5, batch=2)


def test_attention_and_missing_derivatives_are_handled_as_in_a_certified_sharpness():
    import torch

    # given  attention, whose fused kernel has no second derivative, and an activation that has none
    with torch.random.fork_rng():
        torch.manual_seed(0)
        encoder = torch.nn.TransformerEncoderLayer(4, 2, 8, batch_first=True)
        model = torch.nn.Sequential(encoder, torch.nn.Flatten(), torch.nn.Linear(8, 2))
    inputs, labels = images(6, shape=(2, 4))
    found = network_sharpness(model, inputs, labels, loss="cross_entropy", batch=6)
    model.insert(2, torch.nn.Hardsigmoid())
    # then
    assert_within(0, found.residual, 1e-2 * found.value + found.rounding, why="residual")
    with pytest.raises(SharpnessError, match="torch has no derivative of hardsigmoid_backward"):
        network_sharpness(model, inputs, labels, loss="cross_entropy", batch=6)
