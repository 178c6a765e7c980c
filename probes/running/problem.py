"""What an optimizer is given: a batch of independent instances of one problem, as starts, data and a loss."""

from __future__ import annotations

import dataclasses
import zlib
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from fixtures.problems.tapes import Tape

if TYPE_CHECKING:
    import torch

Instance = TypeVar("Instance")
Loss = Callable[["Sequence[torch.Tensor]", "Sequence[torch.Tensor]", int], "torch.Tensor"]


@dataclasses.dataclass(frozen=True)
class Problem:
    """B instances of minimizing a loss over the same number of factors.

    start: one array (B, *shape) for each factor, the parameters of a run. data: arrays (B, ...) that the loss reads.
    loss: a function of data, factors (both as torch tensors with the axis B in front) and the number t of the step from
    0, which returns the loss (B,) of each instance. It must not mix instances. A loss with noise reads the noise of
    step t from data, so that a second run sees the same noise.
    """

    start: tuple[np.ndarray, ...]
    data: tuple[np.ndarray, ...]
    loss: Loss

    @property
    def count(self) -> int:
        """B, the number of instances."""
        return len(self.start[0])

    @property
    def shapes(self) -> tuple[tuple[int, ...], ...]:
        """The shape of each factor of one instance."""
        return tuple(factor.shape[1:] for factor in self.start)

    def only(self, instances: slice) -> Problem:
        """The problem of some of the instances."""
        taken = [tuple(array[instances] for array in arrays) for arrays in (self.start, self.data)]
        return Problem(*taken, self.loss)


def least_squares(X: np.ndarray, y: np.ndarray, start: np.ndarray) -> Problem:
    """Half the squared error, (1/2)|Xw - y|^2: X (B, n, p), y (B, n), start (B, p).

    Half of the sum over samples, not the mean: the smoothness is s_1(X)^2.
    """
    import torch

    def loss(data: Sequence[torch.Tensor], factors: Sequence[torch.Tensor], t: int) -> torch.Tensor:  # noqa: ARG001
        X, y = data
        return 0.5 * (torch.einsum("bnp,bp->bn", X, factors[0]) - y).square().sum(1)

    return Problem((start,), (X, y), loss)


def measured_matrices(A: np.ndarray, y: np.ndarray, start: np.ndarray) -> Problem:
    """Half the squared error of measurements, (1/2) sum_i (<A_i, W> - y_i)^2: A (B, m, d, n), start (B, d, n)."""
    import torch

    def loss(data: Sequence[torch.Tensor], factors: Sequence[torch.Tensor], t: int) -> torch.Tensor:  # noqa: ARG001
        A, y = data
        return 0.5 * (torch.einsum("bmij,bij->bm", A, factors[0]) - y).square().sum(1)

    return Problem((start,), (A, y), loss)


@dataclasses.dataclass(frozen=True)
class Effort:
    """How much is spent on a question.

    instances: how many instances a question draws, at least; its answer is a distribution over them. steps: the length
    T of a run: T/2 steps at a constant learning rate, then T/2 in which it decays. seed: what the instances depend on.
    """

    instances: int = 12
    steps: int = 4000
    seed: int = 0

    def rng(self, question: str) -> np.random.Generator:
        """A generator for this question: the same for every optimizer, so that all see the same instances."""
        return np.random.default_rng([self.seed, zlib.crc32(question.encode())])

    def draw(self, question: str, read: Callable[[Tape], Instance], length: int) -> list[Instance]:
        """`instances` instances, each read off a tape of `length` random bytes.

        The strategy of the same instances is `tapes(length).map(read)`: Hypothesis draws it in the self-tests. Here the
        bytes come from numpy's PCG64, so that another version of Hypothesis does not change a profile.
        """
        rng = self.rng(question)
        return [read(Tape(rng.bytes(length))) for _ in range(self.instances)]
