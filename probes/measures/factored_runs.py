"""Runs on factored problems, and what is read off them: drifts, the nearest Q_alpha, nuclear norms."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.linalg import norm

from fixtures.precision import rounding
from fixtures.problems.interpolation import Interpolation
from fixtures.problems.linear_layers import TwoLayers
from fixtures.problems.sensing import Completion, one_missing_entry
from probes.measures.factored import (
    completion_of_one_factor,
    completion_of_two_factors,
    diagonal_network,
    imbalance,
    squared_size,
    two_layers,
)
from probes.measures.unhurried import search_unhurried
from probes.running.candidate import Candidate
from probes.running.run import Trained, search, train
from properties.linear_models.hypentropy import GRID, TOLERANCE, least_hypentropy, nearest_on_the_curve
from properties.oracles import nearest_interpolant
from properties.spectra.nuclear_norm import nuclear_norm, spectrum_rounding

FINER = 4
"""The drift is measured with a step and with this part of it."""

UNHURRIED = 10
"""Half of the loss takes at least so many steps where a drift is measured: below, no power of the step is seen."""

ALPHAS = 1 / 2, 1 / 8
"""The starts of the diagonal networks."""

TINY = 1e-8
"""The size of the start of a completion. From a start alpha the second mode of descent ends at about alpha^(3/4)."""

UNIT = 1 / 4


def fitted(run: Trained) -> np.ndarray:
    """Whether the residual is at most 1e-3 of that at the start, (B,)."""
    return run.finite & (run.loss <= 1e-6 * run.first_loss)


def learned(run: Trained) -> np.ndarray:
    """Whether the residual is at most 1/10 of that at the start, (B,)."""
    return run.finite & (run.loss <= 1e-2 * run.first_loss)


@dataclasses.dataclass(frozen=True)
class Drift:
    """|D_T - D_0|_F over |W_1|_F^2 + |W_2|_F^2 at the start, D = W_2'W_2 - W_1W_1', at a step and at a part of it.

    run: that with the larger step. coarse, fine (B,). noise: what rounding alone leaves of a drift.
    """

    run: Trained
    coarse: np.ndarray
    fine: np.ndarray
    noise: float

    @property
    def power(self) -> np.ndarray:
        """The q (B,) with drift ~ step^q; nan where one drift is rounding."""
        heard = np.minimum(self.coarse, self.fine) > self.noise
        coarse, fine = (np.where(heard, one, 1.0) for one in (self.coarse, self.fine))
        return np.where(heard, np.log(coarse / fine) / np.log(FINER), np.nan)

    @property
    def blur(self) -> float:
        """What rounding leaves of a power: the relative error of both drifts, over ln FINER."""
        heard = np.isfinite(self.power)
        return float(2 * self.noise / self.fine[heard].min() / np.log(FINER)) if heard.any() else 0.0

    def kept(self, near: float) -> bool:
        """Whether every drift falls like the step or faster, up to `near` in the power, or is rounding."""
        return bool(np.all((self.fine <= self.noise) | (self.power >= 1 - near)))

    def lost(self, near: float) -> bool:
        """Whether no drift is rounding, and none falls faster than with the power `near`."""
        return bool(np.all(self.power <= near))


def drift(candidate: Candidate, drawn: TwoLayers, steps: int) -> Drift:
    """The drifts with the largest step that learns in steps/FINER but not in UNHURRIED, and with 1/FINER of it.

    Where every step hurries, the coarse run has the largest. A candidate without a learning rate runs twice with what
    it has. Noise: a number of D goes through at most 10 roundings at the end and 20 in each step, which do not expand
    while the factors keep their size.
    """
    problem, short = two_layers(drawn), max(1, steps // FINER)

    def loss(factors: list[np.ndarray]) -> np.ndarray:
        return ((factors[1] @ factors[0] - drawn.T) ** 2).sum((-2, -1)) / 2

    def is_hurried(run: Trained) -> bool:
        return not np.all(np.min(list(run.watched.values()), axis=0) > run.first_loss / 2)

    rules = {"reached": learned, "early": UNHURRIED, "watch": loss, "is_hurried": is_hurried}
    coarse = search_unhurried(candidate, problem, steps=short, **rules)
    step = None if coarse.step is None else coarse.step / FINER
    fine = train(candidate, problem, steps=FINER * short, step=step)
    size, before = squared_size(problem.start), imbalance(problem.start)
    with np.errstate(over="ignore", invalid="ignore"):  # of a run that diverges, whose drift is then not finite
        moved = [norm(imbalance(run.factors) - before, axis=(-2, -1)) / size for run in (coarse, fine)]
    return Drift(coarse, *moved, noise=rounding(20 * steps + 10))


@dataclasses.dataclass(frozen=True)
class OnDiagonal:
    """Where diagonal networks from u = v = alpha 1 end; axes: ALPHAS (2), instances (B); nan where a run does not fit.

    The nearest interpolant of the end is compared. own: its distance from Q_alpha of its start; curve: from the nearest
    Q_alpha; both over the distance between Q_alpha of the two starts. off: |w - nearest interpolant| in the same unit.
    effective: log2 of the nearest alpha over that of the start, nan at an end of the curve. blur: what `off` and the
    search leave of it, to first order: off over the speed of the curve, and TOLERANCE.
    """

    run: Trained
    own: np.ndarray
    curve: np.ndarray
    off: np.ndarray
    effective: np.ndarray
    blur: np.ndarray


def land_on_diagonal(candidate: Candidate, drawn: Interpolation, steps: int) -> OnDiagonal:
    """The end of the run with the largest step that fits."""
    count = len(drawn.X)
    X, y, alpha = np.tile(drawn.X, (2, 1, 1)), np.tile(drawn.y, (2, 1)), np.repeat(ALPHAS, count)
    run = search(candidate, diagonal_network(X, y, alpha), steps=steps, reached=fitted)
    u, v = (np.where(fitted(run)[:, None], factor, 0) for factor in run.factors)
    w = u**2 - v**2
    end, (Q, _) = nearest_interpolant(X, y, w), least_hypentropy(X, y, alpha)
    unit, nearest = np.tile(norm(Q[:count] - Q[count:], axis=-1), 2), nearest_on_the_curve(X, y, end)
    off, log2 = norm(w - end, axis=-1), np.log2(nearest.alpha)
    inside = np.abs(log2 - np.log2(GRID[[0, -1]]).mean()) < np.ptp(np.log2(GRID)) / 2 - 2 * TOLERANCE
    effective = np.where(inside, log2 - np.log2(alpha), np.nan)
    numbers = norm(end - Q, axis=-1) / unit, nearest.distance / unit, off / unit, effective, off / nearest.speed
    *numbers, blur = (np.where(fitted(run), number, np.nan).reshape(2, count) for number in numbers)
    return OnDiagonal(run, *numbers, blur + TOLERANCE)


@dataclasses.dataclass(frozen=True)
class Completed:
    """The completions (B, 2, 2) of [[1, 2], [2, .]] nearest to the ends of runs.

    norms (B,): their nuclear norms, nan where a run does not fit. misfit: the largest nuclear norm of what the ends
    miss of the observed entries, by which it may change a norm, and the rounding.
    """

    run: Trained
    norms: np.ndarray
    misfit: float


def complete(candidate: Candidate, starts: np.ndarray, steps: int) -> tuple[Completed, Completed]:
    """The ends of UV' and of UU' with the largest steps that fit; starts (3, B, 2, 2) of U, V and the U of UU'.

    The instance that is run is [[1, 2], [2, .]]/4, which makes steps of 1/10 stable.
    """
    problem = one_missing_entry(UNIT, 2 * UNIT)
    two = search(candidate, completion_of_two_factors(problem, *starts[:2]), steps=steps, reached=fitted)
    one = search(candidate, completion_of_one_factor(problem, starts[2]), steps=steps, reached=fitted)
    return _completed(problem, two), _completed(problem, one)


def _completed(problem: Completion, run: Trained) -> Completed:
    factors = [np.where(fitted(run)[:, None, None], factor, 0) for factor in run.factors]
    W = factors[0] @ factors[-1].mT
    misfit = np.where(fitted(run), nuclear_norm(problem.residual(W)) + spectrum_rounding(W), 0)
    norms = np.where(fitted(run), nuclear_norm(problem.fill(W)), np.nan)
    return Completed(run, norms / UNIT, float(misfit.max()) / UNIT)
