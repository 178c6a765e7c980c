"""The population in which the observations of Section 9.3 are measured: small transformers trained on digits.

All numbers here were fixed and committed before a deciding seed was run. Seeds 1 to 3 had been run before that, to see
how long training takes and what its test error is. Their attention was not looked at. One choice was made afterwards:
training uses one thread. With several threads, and with AVX2 alone, the findings are the same.
"""

from __future__ import annotations

import dataclasses
import functools

import numpy as np

from fixtures.datasets.digits import digits
from properties.spectra.effective_rank import entropic_rank
from properties.statistics.observations import Population
from properties.statistics.paired import Finding, Interval, judge, student_interval
from theorems.section_09_architectures.attention.classifier import (
    attention_weights,
    logit_weights,
    patch_transformer,
    patches,
    train_classifier,
)

SEEDS = (9700, 9701, 9702, 9703, 9704)
TRAINING_IMAGES, UNSEEN_IMAGES, LOSS, CAP_EPOCHS = 500, 200, 0.02, 300
LOW = 1 / 4
"""A rank is low, and a query is sparse, at or below this share of the largest possible value."""
POPULATION = Population("digits in 16 patches, two layers of one head")


@dataclasses.dataclass(frozen=True)
class Trained:
    """A transformer before and after training.

    P (layers, images, T, T): attention weights at unseen images. W (layers, width, width): weights of the logits. loss:
    the mean training loss of the last epoch.
    """

    P_start: np.ndarray
    P: np.ndarray
    W_start: np.ndarray
    W: np.ndarray
    loss: float


@functools.cache
def trained_transformer(seed: int) -> Trained:
    """Train on TRAINING_IMAGES digits until the mean loss of an epoch is at most LOSS.

    Attention is evaluated at UNSEEN_IMAGES others.
    """
    images, labels = digits()
    order = np.random.default_rng(seed).permutation(len(images))
    tokens = patches(images[order])
    model = patch_transformer(seed)
    unseen = tokens[TRAINING_IMAGES : TRAINING_IMAGES + UNSEEN_IMAGES]
    P_start, W_start = attention_weights(model, unseen), logit_weights(model)
    labels = labels[order][:TRAINING_IMAGES]
    loss = train_classifier(model, tokens[:TRAINING_IMAGES], labels, seed, loss=LOSS, cap_epochs=CAP_EPOCHS)
    return Trained(P_start, attention_weights(model, unseen), W_start, logit_weights(model), loss)


def often(shares: list[float]) -> tuple[Finding, Interval]:
    """The rule for "often", from one share for each seed: Student's interval of the mean share against one half.

    Reproduced: the interval lies above one half. Not reproduced: it lies below. Inconclusive: it contains one half.
    """
    interval = student_interval(shares)
    return judge(interval, null=1 / 2, direction=1), interval


def share_of_low_rank(matrices: np.ndarray) -> float:
    """The share of square matrices (..., T, T) whose entropic rank is at most LOW T."""
    ranks = entropic_rank(np.linalg.svd(matrices, compute_uv=False))
    return float((ranks <= LOW * matrices.shape[-1]).mean())


def share_of_sparse_rows(P: np.ndarray) -> float:
    """The share of queries, rows s of P (..., T, T), whose effective number of tokens 1/sum s_j^2 is at most LOW T."""
    return float((1 / (P**2).sum(-1) <= LOW * P.shape[-1]).mean())
