"""Sharpness of a network of 10,000 parameters: ours, curvlinops with ARPACK, and power iteration on our products.

Every one of them reaches the relative accuracy ACCURACY, held against one certified enclosure. Ours stops on its own
certificate, and its upper bound is part of the result. The others certify nothing, and are given what nobody has
beforehand: ARPACK the loosest tolerance, in powers of ten, that reaches the accuracy on this very problem, for its own
20 basis vectors and for 10; power iteration the least number of products that does. The group's relative column gives
the ratios of one run. Needs the extra 'oracles'.
"""

import itertools
import math

import numpy as np
import pytest
from scipy.sparse.linalg import eigsh

from properties.curvature.sharpness import HessianOfLoss, sharpness

ACCURACY = 1e-4
WIDTHS = (44, 80, 80, 1)
SAMPLES, STEPS, ETA = 256, 300, 0.1


def trained_network():
    """A tanh network without biases after 300 steps of gradient descent, its data, and its mean squared error."""
    import torch

    generator = torch.Generator().manual_seed(0)
    layers = [torch.nn.Linear(*pair, bias=False, dtype=torch.float64) for pair in itertools.pairwise(WIDTHS)]
    with torch.no_grad():
        for layer in layers:
            noise = torch.randn(layer.weight.shape, generator=generator, dtype=torch.float64)
            layer.weight.copy_(noise / math.sqrt(layer.in_features))
    model = torch.nn.Sequential(layers[0], torch.nn.Tanh(), layers[1], torch.nn.Tanh(), layers[2])
    X = torch.randn(SAMPLES, WIDTHS[0], generator=generator, dtype=torch.float64)
    y = torch.sin(X[:, :1]) * X[:, 1:2]
    optimizer = torch.optim.SGD(model.parameters(), lr=ETA)
    for _ in range(STEPS):
        optimizer.zero_grad()
        (model(X) - y).square().mean().backward()
        optimizer.step()
    return model, X, y, lambda: (model(X) - y).square().mean()


def ours(loss, model):
    return sharpness(loss, model.parameters(), accuracy=ACCURACY).lower


def by_power_iteration(loss, model, products):
    hessian = HessianOfLoss(loss, model.parameters())
    v = np.random.default_rng(0).standard_normal(hessian.size)
    for _ in range(products):
        v = v / math.sqrt(v @ v)
        image = hessian(v)
        v, theta = image, v @ image
    return theta


def by_curvlinops(model, X, y, tolerance, vectors=None):
    curvlinops = pytest.importorskip("curvlinops", reason="needs the extra 'oracles'")
    import torch

    mean_square, parameters = torch.nn.MSELoss(), list(model.parameters())
    operator = curvlinops.HessianLinearOperator(model, mean_square, parameters, [(X, y)], check_deterministic=False)
    start = np.random.default_rng(0).standard_normal(operator.shape[0])
    options = {"which": "LA", "tol": tolerance, "ncv": vectors, "v0": start, "return_eigenvectors": False}
    return eigsh(operator.to_scipy(), k=1, **options)[0]


@pytest.fixture(scope="module")
def methods():
    """Every method by name, tuned to the accuracy, and the certified test of having reached it; on one thread."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    model, X, y, loss = trained_network()
    reference = sharpness(loss, model.parameters(), accuracy=ACCURACY / 2, seed=1)

    def reached(value):
        return max(abs(value - reference.lower), abs(value - reference.upper)) <= ACCURACY * reference.lower

    def arpack(vectors):
        tolerances = (10.0**-power for power in range(17))
        tolerance = next(t for t in tolerances if reached(by_curvlinops(model, X, y, t, vectors)))
        return lambda: by_curvlinops(model, X, y, tolerance, vectors)

    products = next(k for k in range(1, 1000) if reached(by_power_iteration(loss, model, k)))
    yield (
        reached,
        {
            "ours, certified": lambda: ours(loss, model),
            "power iteration": lambda: by_power_iteration(loss, model, products),
            "curvlinops, eigsh": arpack(None),
            "curvlinops, eigsh(ncv=10)": arpack(10),
        },
    )
    torch.set_num_threads(threads)


@pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated:DeprecationWarning")
@pytest.mark.benchmark(group=f"sharpness of 10,000 parameters to {ACCURACY:g}")
@pytest.mark.parametrize(
    "name", ["ours, certified", "power iteration", "curvlinops, eigsh", "curvlinops, eigsh(ncv=10)"]
)
def test_sharpness(benchmark, methods, name):
    reached, run = methods
    value = benchmark(run[name])
    assert reached(value), f"{name} is off by more than {ACCURACY:g}: {value}"
