"""The images of one seed in three splits: training, validation and test; and what is counted on them.

Images have the mean training image subtracted and are scaled to length 1. Targets are centered one-hot vectors.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np

from fixtures.kernels.tuned_ridge import centered_one_hot
from fixtures.training.answers import pack_answers

if TYPE_CHECKING:
    import torch

    from fixtures.datasets.images import Images

SHAPES = {"digits": (1, 8, 8), "mnist": (1, 28, 28), "cifar10": (3, 32, 32)}


@dataclasses.dataclass(frozen=True)
class Split:
    """Rows of unit length and targets of the three splits, float64 on a device.

    train (n, d), validation (v, d), test (t, d); targets: centered one-hot targets of each, (., k).
    """

    train: torch.Tensor
    validation: torch.Tensor
    test: torch.Tensor
    targets: tuple[torch.Tensor, torch.Tensor, torch.Tensor]

    @property
    def classes(self) -> int:
        """The number of classes, k."""
        return self.targets[0].shape[1]


def splits_of_seed(images: Images, size: int, validation: int, test: int, seed: int, device: str) -> Split:
    """The splits of a seed: training and validation images are drawn from the pool; test images are the first ones.

    Raises ValueError where the pool is too small.
    """
    import torch

    if size + validation > len(images.train) or test > len(images.test):
        raise ValueError(
            f"{images.name} has {len(images.train)} + {len(images.test)} images, "
            f"and {size} + {validation} + {test} are asked for"
        )
    chosen = np.random.default_rng([seed, size]).permutation(len(images.train))[: size + validation]
    pixels = np.concatenate([images.train[chosen], images.test[:test]])
    rows = pixels.reshape(len(pixels), -1) / images.peak
    rows -= rows[:size].mean(0)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    labels = np.concatenate([images.train_labels[chosen], images.test_labels[:test]])
    splits = [
        torch.as_tensor(array, device=device).split([size, validation, test])
        for array in (rows, centered_one_hot(labels, images.classes))
    ]
    return Split(*splits[0], splits[1])


def accuracy(values: torch.Tensor, targets: torch.Tensor) -> float:
    """The share of rows whose largest value is at the label."""
    return (values.argmax(1) == targets.argmax(1)).double().mean().item()


def wrong_answers(values: torch.Tensor, targets: torch.Tensor) -> str:
    """The rows whose largest value is elsewhere, as fixtures.training.answers writes them."""
    return pack_answers((values.argmax(1) != targets.argmax(1)).cpu().numpy())
