"""Linear probes of networks that were trained on one of two tasks of digits.

Ten classes are split at random into two tasks A and B of five. One network is trained on A and one on B, on 300 images
each. A probe is a linear readout for the task B on the features of one layer; its error is measured on 500 other images
of B.
"""

from __future__ import annotations

import functools
from itertools import pairwise

import numpy as np
from numpy.linalg import norm

from fixtures.datasets.digits import digits
from properties.statistics.observations import Population

SPLITS = range(100, 116)
SIZES = (64, 32, 32, 32, 5)
WHERE = Population("digits in two tasks, ReLU networks")


def draw_split(seed: int) -> tuple[list[tuple[np.ndarray, np.ndarray]], list[list[np.ndarray]]]:
    """Draw a split: images (800, 64) and labels (800, 5) of both tasks, and two networks at their start."""
    images, labels = digits()
    rng = np.random.default_rng(seed)
    classes, tasks = rng.permutation(10), []
    for half in (classes[:5], classes[5:]):
        chosen = rng.permutation(np.flatnonzero(np.isin(labels, half)))[:800]
        tasks.append((images[chosen], 1.0 * (labels[chosen][:, None] == half)))
    shapes = list(pairwise(SIZES))
    return tasks, [[rng.standard_normal(shape) * np.sqrt(2 / shape[0]) for shape in shapes] for _ in range(2)]


def layers(net: list[np.ndarray], X: np.ndarray) -> list[np.ndarray]:
    """X and the features of every hidden layer."""
    found = [X]
    for W in net[:-1]:
        found.append(np.maximum(found[-1] @ W, 0))
    return found


def train(net: list[np.ndarray], X: np.ndarray, T: np.ndarray) -> tuple[list[np.ndarray], np.ndarray]:
    """Train the networks (S, ...) of S splits by 400 steps on the mean cross-entropy; and the final loss (S,)."""
    velocity = [0 * W for W in net]
    for _ in range(400):
        H = layers(net, X)
        P = np.exp(H[-1] @ net[-1])
        P /= P.sum(-1, keepdims=True)
        pull = (P - T) / X.shape[-2]
        for layer in range(len(net) - 1, -1, -1):
            velocity[layer] = 0.9 * velocity[layer] - 0.1 * H[layer].mT @ pull
            if layer:
                pull = (pull @ net[layer].mT) * (H[layer] > 0)
        net = [W + v for W, v in zip(net, velocity, strict=True)]
    return net, -np.log((P * T).sum(-1)).mean(-1)


def probe_error(F: np.ndarray, T: np.ndarray, G: np.ndarray, U: np.ndarray) -> np.ndarray:
    """Fit a readout to features F with labels T; its share of errors at features G with labels U, (S,)."""
    F, G = (np.concatenate([H, np.ones_like(H[..., :1])], axis=-1) for H in (F, G))
    gram = F.mT @ F
    ridge = 1e-3 * np.trace(gram, axis1=-2, axis2=-1)[:, None, None] / gram.shape[-1] * np.eye(gram.shape[-1])
    readout = np.linalg.solve(gram + ridge, F.mT @ T)
    return ((G @ readout).argmax(-1) != U.argmax(-1)).mean(-1)


@functools.cache
def probe_errors_of_layers() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Probe errors on B of three networks, and loss and movement of the two that were trained.

    errors (3, 3, S): the first axis is the network (trained on A, trained on B, the first one at its start), the second
    the layer, the third the split. losses (2, S): the final training loss, on A and on B. moved (2, S): the distance
    of the trained weights from their start.
    """
    tasks, networks = zip(*map(draw_split, SPLITS), strict=True)
    (XA, TA), (XB, TB) = ([np.stack(each) for each in zip(*task, strict=True)] for task in zip(*tasks, strict=True))
    starts = [[np.stack(W) for W in zip(*net, strict=True)] for net in zip(*networks, strict=True)]
    ends = [train(net, X[:, :300], T[:, :300]) for net, X, T in ((starts[0], XA, TA), (starts[1], XB, TB))]
    errors = [
        [
            probe_error(F, TB[:, :300], G, TB[:, 300:])
            for F, G in list(zip(layers(net, XB[:, :300]), layers(net, XB[:, 300:]), strict=True))[1:]
        ]
        for net in (ends[0][0], ends[1][0], starts[0])
    ]
    moved = [
        np.sqrt(sum(norm(W - start, axis=(-2, -1)) ** 2 for W, start in zip(end, net, strict=True)))
        for (end, _), net in zip(ends, starts, strict=False)
    ]
    return np.array(errors), np.array([loss for _, loss in ends]), np.array(moved)
