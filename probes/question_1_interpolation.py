r"""Question 1 - does it reach a minimum?

Given     least squares with n = 6 samples and p = 20 weights, s_1(X) = 1 and s_n(X) >= 1/3, from w_0 = 0: the minima
          are the w with Xw = y, and the smoothness is 1.
When      the optimizer runs for T steps: with a step that decays over the second half to 1e-8 of itself, the largest
          of the grid at which all instances end with |Xw - y| <= 1e-3 |y|; and with the same step kept constant.
Then      |Xw - y|/|y| at the end with decay, its largest value over the last quarter at the constant step (the floor),
          and the number of steps after which it stays below 1e-3.
          |Xw - y|/s_n is a certificate: the nearest interpolant w + X^+(y - Xw) is no further away than that, because
          |X^+| = 1/s_n. We compute s_n and the distance by LAPACK, apart from how X was drawn.
So        "at a constant step": the floor is at most 1e-3 for all instances. "only with decay": it is not, and the end
          with decay is at most 1e-3. Neither: not converged, with what was reached. An optimizer without a learning
          rate has no decay, and its two runs are one.
Expected  Gradient descent with eta s_1^2 < 2 reaches a minimum at a constant step: |Xw_t - y| is at most
          max_i |1 - eta s_i^2|^t |y|. A step of fixed length, as of the sign of the gradient, has a floor of the
          order of that length.
"""

from __future__ import annotations

import functools
import math

import numpy as np
from numpy.linalg import norm

from fixtures.precision import factorization, rounding
from fixtures.problems.batches import stack
from fixtures.problems.interpolation import COLUMNS, LENGTH, ROWS, Interpolation, read_interpolation
from probes.profiles.answers import Answering, Status
from probes.profiles.questions import question
from probes.running.candidate import Candidate, gradient_descent
from probes.running.problem import Effort, least_squares
from probes.running.run import Trained, search, train

REACHED = 1e-6
THRESHOLD = REACHED**0.5
LOOK = 10
SMALLEST = rounding(COLUMNS + ROWS / 2 + 2, 2 * 3 * ROWS**0.5 + 1)
"""The rounding of |Xw - y|, counted as in `residual_rounding`, where |y| = 1 and |w| <= |y|/s_n = 3."""

LOG_RESOLUTION = math.log10(2)
"""A residual and its rounding, which is at most as large, differ from the residual by a factor of at most 2."""

ENDS = "log10 |Xw - y|/|y| at the end, with decay"
FLOOR = "log10 of its floor, at a constant step"
SETTLES = ("steps until below 1e-3, with decay", "steps until below 1e-3, at a constant step")


def reached(run: Trained) -> np.ndarray:
    """Whether |Xw - y| <= 1e-3 |Xw_0 - y|, (B,)."""
    return run.finite & (run.loss <= REACHED * run.first_loss)


@question("interpolation", title="Reaches a minimum", answers=("at a constant step", "only with decay"))
def test_it_reaches_a_minimum(candidate: Candidate, effort: Effort, answer: Answering) -> None:
    # given
    drawn = _drawn(effort)
    # when
    decayed, constant = _both(candidate, effort)
    controls = _control(effort)
    answer.step = decayed.step
    # then
    kept = {"certificate": "|Xw - y|/s_n, above the distance to the nearest interpolant"}
    kept["worst_ratio"] = worst_ratio(drawn, decayed.factors[0])
    control = _log10(last(controls[0], effort))
    answer.measured(ENDS, _log10(last(decayed, effort)), resolution=LOG_RESOLUTION, control=control, **kept)
    control = _log10(floor(controls[1], effort))
    answer.measured(FLOOR, _log10(floor(constant, effort)), resolution=LOG_RESOLUTION, control=control)
    for name, run, beside, within in zip(SETTLES, (decayed, constant), controls, (1, 0.75), strict=True):
        control = settles(beside, effort, within)
        answer.measured(name, settles(run, effort, within), resolution=LOOK, control=control)
    # so
    _conclude(answer, decayed, floor(constant, effort))


def _conclude(answer: Answering, decayed: Trained, floors: np.ndarray) -> None:
    if (floors <= THRESHOLD).all():
        answer.answered("at a constant step", f"|Xw - y|/|y| stays at or below {floors.max():.1e}")
    elif reached(decayed).all():
        answer.answered("only with decay", f"at a constant step |Xw - y|/|y| returns to {_worst(floors)}")
    else:
        ends = np.where(decayed.finite, np.sqrt(decayed.loss / decayed.first_loss), np.nan)
        count = f"{reached(decayed).sum()} of {len(ends)} instances reach a minimum"
        answer.unanswered(Status.NOT_CONVERGED, f"{count}; |Xw - y|/|y| ends at {_worst(ends)}")


def _worst(relative: np.ndarray) -> str:
    return "no number at worst: it diverges" if np.isnan(relative).any() else f"{relative.max():.1e} at worst"


def _drawn(effort: Effort) -> Interpolation:
    return stack(effort.draw("interpolation", read_interpolation, LENGTH))


def _both(candidate: Candidate, effort: Effort) -> tuple[Trained, Trained]:
    """The run with decay, at the step that is found, and the run at this step without decay."""
    drawn = _drawn(effort)
    problem = least_squares(drawn.X, drawn.y, 0 * drawn.w0)
    asked = {
        "steps": effort.steps,
        "watch": lambda factors: norm(np.matvec(drawn.X, factors[0]) - drawn.y, axis=1) / norm(drawn.y, axis=1),
        "times": _times(effort),
    }
    decayed = search(candidate, problem, reached=reached, **asked)
    return decayed, train(candidate, problem, step=decayed.step, decay=False, **asked)


@functools.cache
def _control(effort: Effort) -> tuple[Trained, Trained]:
    return _both(gradient_descent(), effort)


def _times(effort: Effort) -> list[int]:
    return sorted({*range(0, effort.steps + 1, LOOK), effort.steps})


def _history(run: Trained, effort: Effort) -> np.ndarray:
    """|Xw - y|/|y| (times, B); nan where the run has ended before, because it diverged."""
    missing = np.full(len(run.loss), np.nan)
    return np.array([run.watched.get(time, missing) for time in _times(effort)])


def last(run: Trained, effort: Effort) -> np.ndarray:
    """|Xw - y|/|y| at the end, (B,)."""
    return _history(run, effort)[-1]


def floor(run: Trained, effort: Effort) -> np.ndarray:
    """The largest |Xw - y|/|y| over the last quarter of the steps, (B,); nan where the run diverged."""
    return _history(run, effort)[np.array(_times(effort)) >= 0.75 * effort.steps].max(0)


def settles(run: Trained, effort: Effort, within: float) -> np.ndarray:
    """The number of steps, a multiple of LOOK, from which |Xw - y|/|y| stays at or below 1e-3, (B,).

    nan where it does not settle within this share of the steps: at a constant step, what stays below for a moment at
    the end has merely not returned yet.
    """
    above = ~(_history(run, effort) <= THRESHOLD)
    # the number of looks up to the last one above
    looks = len(above) - np.argmax(above[::-1], axis=0)
    settled = np.append(_times(effort), np.nan)[np.where(above.any(0), looks, 0)]
    return np.where(settled <= within * effort.steps, settled, np.nan)


def _log10(relative: np.ndarray) -> np.ndarray:
    """log10, where numbers below the rounding of the residual of a weight of length 3 count as that rounding."""
    return np.log10(np.maximum(relative, SMALLEST))


def worst_ratio(drawn: Interpolation, w: np.ndarray) -> float:
    """The largest ratio of the distance |X^+(y - Xw)| to |Xw - y|/s_n and its rounding; nan where w is not finite."""
    ratios = []
    for X, y, one in zip(drawn.X, drawn.y, w, strict=True):
        if not np.isfinite(one).all():
            return float("nan")
        s_n = np.linalg.svd(X, compute_uv=False)[-1]
        nearest = np.linalg.lstsq(X, y - X @ one, rcond=None)[0]
        slack = rounding(factorization(ROWS, COLUMNS), (norm(one) + norm(y)) / s_n**2)
        ratios.append(norm(nearest) / (norm(X @ one - y) / s_n + slack))
    return max(ratios)
