"""Least-squares and separable losses, and the same losses of transformed weights, as one batch."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from fixtures.problems.interpolation import COLUMNS, ROWS
from fixtures.problems.transformed import LEFT, RIGHT, TURNS, Transformed
from probes.running.problem import Problem

if TYPE_CHECKING:
    import torch

JITTER = 2.0**-26
"""The relative perturbation of the weights by which the sensitivity of a run is measured, another one in each step as
that of rounding is: about the square root of u, which is far above rounding and far below a change of the problem."""


@dataclasses.dataclass(frozen=True)
class View:
    """B instances of the loss (1/2) sum_i c_i ((X(Aw + b) - y)_i)^2 in the weights w, which start at A^{-1}(w_0 - b).

    X, A, inverse (B, p, p); y, b, c, w0 (B, p). X is padded with rows of zeros. A jitter J (B, p, p) is added to A with
    the sign of the step, signs (B, 64).
    """

    X: np.ndarray
    y: np.ndarray
    w0: np.ndarray
    A: np.ndarray
    inverse: np.ndarray
    b: np.ndarray
    c: np.ndarray
    J: np.ndarray
    signs: np.ndarray


def plain_view(drawn: Sequence[Transformed]) -> View:
    """The least-squares problems as they are."""
    X, y = np.zeros((len(drawn), COLUMNS, COLUMNS)), np.zeros((len(drawn), COLUMNS))
    X[:, :ROWS], y[:, :ROWS] = [d.problem.X for d in drawn], [d.problem.y for d in drawn]
    one = np.broadcast_to(np.eye(COLUMNS), X.shape)
    return View(
        X, y, np.array([d.problem.w0 for d in drawn]), one, one, 0 * y, 1 + 0 * y, 0 * X, np.ones((len(y), TURNS))
    )


def separable_view(drawn: Sequence[Transformed]) -> View:
    """Losses that are sums of one function of each weight, (1/2) a_i (w_i - m_i)^2."""
    roots = np.array([d.curvatures for d in drawn]) ** 0.5
    X = roots[..., None] * np.eye(COLUMNS)
    return dataclasses.replace(plain_view(drawn), X=X, y=roots * np.array([d.targets for d in drawn]))


def vector_views(drawn: Sequence[Transformed]) -> dict[str, View]:
    """The plain and the separable problems and their transformations, as vectors of p weights."""
    plain, separable = plain_view(drawn), separable_view(drawn)
    order = np.eye(COLUMNS)[np.array([d.order for d in drawn])]
    rotation = np.array([d.rotation for d in drawn])
    scales = np.array([d.scales for d in drawn])
    factors, rows = np.array([d.factor for d in drawn]), np.array([d.row_factors for d in drawn])
    return {
        "plain": plain,
        "separable": separable,
        "repetition": plain,
        "jitter": _jittered(plain, drawn),
        "permutation": dataclasses.replace(plain, A=order, inverse=order.mT),
        "rotation": dataclasses.replace(plain, A=rotation.mT, inverse=rotation),
        "scaling": dataclasses.replace(
            plain, A=scales[..., None] * np.eye(COLUMNS), inverse=1 / scales[..., None] * np.eye(COLUMNS)
        ),
        "loss scale": dataclasses.replace(plain, c=plain.c * factors[:, None]),
        "scale-free": dataclasses.replace(separable, c=rows),
        "shift": dataclasses.replace(plain, b=np.array([d.shift for d in drawn])),
    }


def matrix_views(drawn: Sequence[Transformed]) -> dict[str, View]:
    """The plain problems and their rotations from the left and from the right, as matrices (4, 5) of weights."""
    plain = plain_view(drawn)
    left = np.array([np.kron(d.left, np.eye(RIGHT)) for d in drawn])
    right = np.array([np.kron(np.eye(LEFT), d.right) for d in drawn])
    return {
        "plain": plain,
        "repetition": plain,
        "jitter": _jittered(plain, drawn),
        "left rotation": dataclasses.replace(plain, A=left.mT, inverse=left),
        "right rotation": dataclasses.replace(plain, A=right.mT, inverse=right),
    }


def _jittered(plain: View, drawn: Sequence[Transformed]) -> View:
    """The plain problems with other weights in every step: the perturbation is about JITTER |w|."""
    jitter = JITTER * COLUMNS**0.5 * np.array([d.jitter for d in drawn])
    return dataclasses.replace(plain, J=jitter, signs=np.array([d.signs for d in drawn]))


def as_problem(views: Sequence[View], shape: tuple[int, ...]) -> Problem:
    """All views as one batch, with weights of this shape."""
    data = tuple(
        np.concatenate([getattr(view, name) for view in views]) for name in ("X", "y", "A", "b", "c", "J", "signs")
    )
    starts = np.concatenate([np.matvec(view.inverse, view.w0 - view.b) for view in views])

    def loss(data: Sequence[torch.Tensor], factors: Sequence[torch.Tensor], t: int) -> torch.Tensor:
        import torch

        X, y, A, b, c, J, signs = data
        A = A + signs[:, t % TURNS, None, None] * J
        w = torch.einsum("bpq,bq->bp", A, factors[0].flatten(1)) + b
        return 0.5 * (c * (torch.einsum("bnp,bp->bn", X, w) - y).square()).sum(1)

    return Problem((starts.reshape(-1, *shape),), data, loss)
