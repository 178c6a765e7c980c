"""The empirical NTK of a two-layer ReLU network: layer by layer, by the Jacobian, and by vector products.

n = 64, d = 32, m = 1,024, one thread, float64. The Jacobian and the vector products are the two ways of torch's own
tutorial on tangent kernels. All three are checked against the closed form inside the benchmark; the group's relative
column gives the ratios of one run.
"""

import numpy as np
import pytest
import torch
from torch.func import functional_call, jacrev, vjp, vmap

from fixtures.kernels.empirical import empirical_ntk
from fixtures.models.two_layer import two_layer
from fixtures.precision import UNIT_ROUNDOFF
from properties.certificates import assert_at_most

ROWS, DIMENSION, WIDTH = 64, 32, 1024


@pytest.fixture(scope="module")
def problem():
    """A network in numpy, its twin in torch, and inputs."""
    net = two_layer("standard", WIDTH, DIMENSION, seeds=0)
    hidden, last = torch.nn.Linear(DIMENSION, WIDTH, bias=False), torch.nn.Linear(WIDTH, 1, bias=False)
    module = torch.nn.Sequential(hidden, torch.nn.ReLU(), last).double()
    with torch.no_grad():
        hidden.weight.copy_(torch.as_tensor(net.W))
        last.weight.copy_(torch.as_tensor(net.a[None]))
    return net, module, np.random.default_rng(0).standard_normal((ROWS, DIMENSION))


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def weights_of(module):
    return {name: theta.detach() for name, theta in module.named_parameters()}


def jacobian_contraction(module, X):
    rows = torch.as_tensor(X)
    per_row = vmap(jacrev(lambda theta, x: functional_call(module, theta, (x,))[0]), in_dims=(None, 0))
    slopes = [slope.flatten(1) for slope in per_row(weights_of(module), rows).values()]
    return sum(slope @ slope.T for slope in slopes).numpy()


def batched_jacrev(module, X):
    rows = torch.as_tensor(X)
    slopes = jacrev(lambda theta: functional_call(module, theta, (rows,))[:, 0])(weights_of(module))
    return sum(slope.flatten(1) @ slope.flatten(1).T for slope in slopes.values()).numpy()


def vector_products(module, X):
    rows, weights = torch.as_tensor(X), weights_of(module)

    def values(theta):
        return functional_call(module, theta, (rows,))[:, 0]

    # J J'v for every unit vector v; J is the transpose of the linear map v -> J'v
    _, pull_back = vjp(values, weights)
    _, push_forward = vjp(lambda v: pull_back(v)[0], torch.zeros(ROWS, dtype=torch.float64))
    return vmap(lambda v: push_forward(pull_back(v)[0])[0])(torch.eye(ROWS, dtype=torch.float64)).numpy()


@pytest.mark.benchmark(group="empirical NTK, n = 64, d = 32, m = 1024")
@pytest.mark.parametrize(
    "kernel",
    [empirical_ntk, jacobian_contraction, batched_jacrev, vector_products],
    ids=["layer by layer", "vmap of jacrev, contracted", "jacrev of the batch, contracted", "NTK-vector products"],
)
def test_the_gram_matrix(benchmark, problem, kernel):
    net, module, X = problem
    K = benchmark(kernel, module, X)
    # then   inner products of m(d + 1) terms, each entry of the Jacobian out of at most d + m more operations
    exact = net.kernel(X)
    operations = WIDTH * (DIMENSION + 2) + DIMENSION
    assert_at_most(np.abs(K - exact).max(), 4 * operations * UNIT_ROUNDOFF * exact.max(), why="the closed form")
