"""ReLU networks fitted to sin(2x) at four points, by gradient descent and random search: sharpness and test error."""

from __future__ import annotations

import dataclasses
import functools

import numpy as np
from numpy.linalg import norm

from fixtures.dynamics.two_layer import fit
from fixtures.models.two_layer import TwoLayer, two_layer
from properties.certificates import record_finding
from properties.statistics.observations import Population, share_interval
from properties.statistics.paired import judge

RUNS, FITTED = 24, 1e-6
"""The number of networks, and the loss (1/2) sum r^2 at which a run counts as fitted."""
POPULATION = Population("ReLU networks on 4 scalar inputs")


def sharpness_of_network(net: TwoLayer, X: np.ndarray) -> np.ndarray:
    """lambda_max(K)/n, the sharpness of (1/2n) sum r^2 where r = 0."""
    return np.linalg.eigvalsh(net.kernel(X))[..., -1] / X.shape[-2]


def balanced(net: TwoLayer) -> TwoLayer:
    """The same ReLU function with |w_j| = |a_j| in every neuron, both 0 where a_j is."""
    length = norm(net.W, axis=-1)
    size = np.sqrt(length * np.abs(net.a))
    return dataclasses.replace(net, W=net.W * (size / length)[..., None], a=np.sign(net.a) * size)


def with_bias(x: np.ndarray) -> np.ndarray:
    """The inputs (x, 1)."""
    return np.stack([x, np.ones_like(x)], axis=1)


POINTS, GRID = np.linspace(-1, 1, 4), np.linspace(-1, 1, 201)
X, Z, Y = with_bias(POINTS), with_bias(GRID), np.sin(2 * POINTS)


def step_size(net: TwoLayer) -> np.ndarray:
    """The step eta of gradient descent: eta lambda_max(K) = 1/2."""
    return 0.5 / np.linalg.eigvalsh(net.kernel(X))[:, -1]


def least_norm_output(net: TwoLayer, inputs: np.ndarray, labels: np.ndarray) -> TwoLayer:
    """The networks with the output weights of least norm that fit labels (RUNS, n) at these inputs (n, d)."""
    features = [np.maximum(inputs @ W.T, 0) for W in net.W]
    return dataclasses.replace(
        net, a=np.stack([np.linalg.lstsq(*pair)[0] for pair in zip(features, labels, strict=True)])
    )


@functools.cache
def scalar_regression() -> dict[str, TwoLayer]:
    """RUNS networks of 30 ReLU neurons, fitted to sin(2x) at 4 points in four ways, and the start of the first.

    "trained": gradient descent from the standard initialization, eta lambda_max(K_0) = 1/2, to FITTED.
    "random": hidden weights of the same law with the output weights of least norm; "large": the same functions with ten
    times the hidden weights; "balanced": the same functions with balanced neurons. "start": not yet trained.
    """
    start = two_layer("standard", 30, 2, 7000 + np.arange(RUNS))
    trained = fit(start, X, Y, step_size(start), loss=FITTED, budget=20_000, period=200)
    random = least_norm_output(two_layer("standard", 30, 2, 8000 + np.arange(RUNS)), X, np.tile(Y, (RUNS, 1)))
    large = dataclasses.replace(random, W=10 * random.W, a=random.a / 10)
    return {"start": start, "trained": trained, "random": random, "large": large, "balanced": balanced(random)}


def error_on_the_grid(net: TwoLayer) -> np.ndarray:
    """The mean of (f(x) - sin(2x))^2 over 201 points."""
    return np.mean((net.predict(Z) - np.sin(2 * GRID)) ** 2, axis=-1)


def flatter_and_better(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Whether gradient descent is flatter than the networks `name`, and whether its test error is lower, (RUNS,)."""
    networks = scalar_regression()
    ours, theirs = networks["trained"], networks[name]
    is_flatter = sharpness_of_network(ours, X) < sharpness_of_network(theirs, X)
    return is_flatter, error_on_the_grid(ours) < error_on_the_grid(theirs)


def record_share(runs: np.ndarray, reads: str) -> None:
    """Record in which share of the runs (n,), booleans, a fact was seen; the print says in most of them."""
    found = share_interval(int(np.sum(runs)), len(runs))
    reads = f"{reads} in {int(np.sum(runs))} of {len(runs)}, a share of {{estimate}} [{{lower}}, {{upper}}]"
    record_finding(judge(found, null=1 / 2, direction=1), found, where=POPULATION, trials=len(runs), reads=reads)
