"""A small network of Experiment 3 for the self-tests: the trial, and its mathematics written out in float64."""

from __future__ import annotations

from typing import Any

import numpy as np

from fixtures.datasets.images import load_images
from theorems.section_10_experiments.image_splits import splits_of_seed
from theorems.section_10_experiments.width import NetworkTrial

U32 = 2.0**-24


def trial(size: int = 20, **changes: Any) -> NetworkTrial:
    """Six steps of a network of 64-8-10, on fewer digits than pixels unless size says otherwise."""
    plan = {"parameterization": "ntk", "width": 8, "seed": 3, "target": 0.0, "cap": 6}
    return NetworkTrial("digits", size, 40, 50, **{**plan, **changes})


class WrittenOut:
    """The network of a trial in float64: its weights, its values k_2 a relu(k_1 W x), its Jacobian by the formula."""

    def __init__(self, it: NetworkTrial) -> None:
        self.trial, self.splits = (
            it,
            splits_of_seed(load_images("digits"), it.size, it.validation, it.test, it.seed, "cpu"),
        )
        network = it.network(64, 10)
        self.W, self.a = (layer.weight.detach().double().numpy() for layer in network.layers)
        (self.k, self.rates) = zip(*((scale.multiplier, scale.rate) for scale in network.scales), strict=True)
        self.start = self.W.copy(), self.a.copy()
        scale = 8.0 if it.parameterization == "standard" else 1.0
        self.x = [scale * rows.numpy() for rows in (self.splits.train, self.splits.validation, self.splits.test)]
        self.y = [targets.numpy() for targets in self.splits.targets]

    def values(self, which: int) -> np.ndarray:
        """F at a split: 0 for training, 1 for validation, 2 for test."""
        h = self.k[0] * self.x[which] @ self.W.T
        return self.k[1] * np.maximum(h, 0) @ self.a.T

    def loss(self) -> float:
        """The mean over training images of the squared distance to the targets."""
        return ((self.values(0) - self.y[0]) ** 2).sum(1).mean()

    def accuracy(self, which: int, values: np.ndarray | None = None) -> float:
        """The share of a split whose largest value is at the label; of these values, or of the network's own."""
        values = self.values(which) if values is None else values
        return float((values.argmax(1) == self.y[which].argmax(1)).mean())

    def jacobian(self, which: int) -> np.ndarray:
        """(images, classes, weights), the weights of the first layer first."""
        x = self.x[which]
        h = self.k[0] * x @ self.W.T
        first = self.k[0] * self.k[1] * np.einsum("kj,nj,nd->nkjd", self.a, h > 0, x)
        last = self.k[1] * np.einsum("kl,nj->nklj", np.eye(10), np.maximum(h, 0))
        return np.concatenate([first.reshape(len(x), 10, -1), last.reshape(len(x), 10, -1)], axis=2)

    def kernel(self) -> np.ndarray:
        """The tangent kernel of all outputs at the first `sample` training images."""
        J = self.jacobian(0)[: self.trial.sample].reshape(-1, self.W.size + self.a.size)
        return J @ J.T

    def descend(self, curvature: float) -> None:
        """The steps of the trial, at the rates share/curvature times those of the layers."""
        velocity, it = [np.zeros_like(self.W), np.zeros_like(self.a)], self.trial
        batch = it.batch or it.size
        orders = [np.random.default_rng([it.seed, epoch]).permutation(it.size) for epoch in range(it.cap)]
        for rows in np.concatenate(orders)[: it.cap * batch].reshape(it.cap, batch):
            error = 2 / batch * (self.values(0) - self.y[0])[rows]
            slope = np.einsum("nk,nkp->p", error, self.jacobian(0)[rows])
            slopes = slope[: self.W.size].reshape(self.W.shape), slope[self.W.size :].reshape(self.a.shape)
            velocity = [it.momentum * v + g for v, g in zip(velocity, slopes, strict=True)]
            rates = [it.share / curvature * rate for rate in self.rates]
            self.W, self.a = (w - rate * v for w, rate, v in zip((self.W, self.a), rates, velocity, strict=True))
