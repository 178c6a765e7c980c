r"""Question 2, vectors - which interpolant does it reach, and is it the projection of the start?

Given     least squares with n = 6 samples and p = 20 weights, singular values in [1/3, 1], a positive interpolant of
          length 1; two starts: zero, and a random positive w_0 with entries from 1/32 to 1/2. Minima: the w with Xw = y.
When      the optimizer runs for T steps with decay, at the largest step of the grid at which all runs interpolate.
Then      (row space) the share |P_null(w_T - w_0)|/|w_T - w_0| that lies outside row(X), from both starts, and the
          distance of w_T from the l2 projection of w_0 onto the minima, relative to that of w_0.
          (vector norm) at the interpolant nearest to w_T, the excess over the least l1, l2 and l-infinity norm and the
          least hypentropy (its Bregman divergence from the start, beta = 1/64), from zero; and over the least relative
          entropy KL(w || w_0), from w_0.
So        (row space) An interpolant w with w - w_0 in row(X) is the projection of w_0, and no other one is. So there is
          one scale, the share. If no step is longer than S = |w_0| + |w_T| + |y|/s_1, then T steps along the rows of X
          leave row(X) by rounding alone, at most T roundings of a gradient of scale 2 sqrt(n) S: "projects w_0". Up to
          2^-8, what rounding of each update to bfloat16 may leave: "in low precision". Beyond: "leaves row(X)".
          (vector norm) A candidate is named where its excess is at most a tenth of its separation in every instance:
          the least excess that another candidate's minimizer has in it, at most 1. Otherwise "none of these".
Expected  Gradient descent and momentum project w_0, so from zero they reach the least l2 norm (Gunasekar, Lee, Soudry,
          Srebro 2018, Theorem 1 with the l2 potential). Mirror descent has the least Bregman divergence (same theorem).
Precision Each least value has a primal and a dual point that are checked here: the relative gap and the rounding of the
          nearest interpolant are the resolution. |w_T - P(w_0)| <= |P_null(w_T - w_0)| + |Xw_T - y|/s_n is certified.
"""

from __future__ import annotations

import numpy as np
from numpy.linalg import norm

from fixtures.precision import rounding
from probes.answers import Answering, Status
from probes.candidate import Candidate, gradient_descent
from probes.nearest import NONE, answer_nearest, measure_excess
from probes.problem import Effort
from probes.questions import question
from probes.two_starts import Landing, candidates, two_starts
from properties.certificates import Certificate

LOW_PRECISION = 2.0**-8
"""The unit roundoff of bfloat16, with its eight bits."""


def outside_row_space(landed: Landing) -> np.ndarray:
    """|P_null(w - w_0)|/|w - w_0|, (B,); nan where w has not reached a minimum."""
    moved = landed.where_reached(landed.w - landed.w0)
    return norm(landed.drawn.off_row_space(moved), axis=-1) / norm(moved, axis=-1)


def left_by_rounding(landed: Landing, steps: int) -> np.ndarray:
    """The share outside row(X), (B,), that rounding leaves in steps which are combinations of gradients."""
    n, p = landed.drawn.X.shape[1:]
    scale = norm(landed.w0, axis=-1) + norm(landed.w, axis=-1) + norm(landed.drawn.y, axis=-1)
    moved = norm(landed.where_reached(landed.w - landed.w0), axis=-1)
    return rounding(max(steps, 1) * (n + p + 3), 2 * np.sqrt(n) * scale) / moved


def from_projection(landed: Landing) -> np.ndarray:
    """|w - P(w_0)|/|w_0 - P(w_0)|, (B,); nan where w has not reached a minimum."""
    distance, whole = (norm(point - landed.projection, axis=-1) for point in (landed.w, landed.w0))
    return landed.where_reached(distance / whole)


def certified(landed: Landing) -> np.ndarray:
    """The error/bound, (B,), of |w - P(w_0)| <= |P_null(w - w_0)| + |Xw - y|/s_n, with the rounding of LAPACK."""
    null = norm(landed.drawn.off_row_space(landed.w - landed.w0), axis=-1)
    error = norm(landed.w - landed.projection, axis=-1)
    return landed.where_reached(Certificate(error, null + landed.left, "distance from the projection").ratio())


@question("row space", title="Projects its start", answers=("projects w_0", "in low precision", "leaves row(X)"))
def test_it_projects_its_start(candidate: Candidate, effort: Effort, answer: Answering) -> None:
    # given: the instances of `two_starts.problems`
    # when
    run, control = two_starts(candidate, effort), two_starts(gradient_descent(candidate.device), effort)
    # then
    answer.step = run.step
    for landed, beside in zip(run.landings, control.landings, strict=True):
        answer.measured(
            f"share outside row(X), from {landed.name}",
            outside_row_space(landed),
            resolution=np.nanmax(left_by_rounding(landed, run.steps), initial=0),
            control=outside_row_space(beside),
        )
        answer.measured(
            f"distance from P(w_0), from {landed.name}",
            from_projection(landed),
            resolution=np.max(landed.left / norm(landed.w0 - landed.projection, axis=-1)),
            control=from_projection(beside),
            certificate="part in null(X) and residual over s_n",
            worst_ratio=np.nanmax(certified(landed), initial=0),
        )
    # so
    shares = np.array([outside_row_space(landed) for landed in run.converged])
    limits = np.array([left_by_rounding(landed, run.steps) for landed in run.converged])
    if not run.converged:
        answer.unanswered(Status.NOT_CONVERGED, run.told.removeprefix("; "))
    elif np.all(shares <= limits):
        answer.answered("projects w_0", f"at most {shares.max():.1g} of w_T - w_0 is outside row(X){run.told}")
    else:
        says = "in low precision" if shares.max() <= LOW_PRECISION else "leaves row(X)"
        answer.answered(says, f"up to {shares.max():.2g} of w_T - w_0 is outside row(X){run.told}")


@question("vector norm", title="Least vector norm", answers=("l1", "l2", "l-infinity", "entropy", "hypentropy", NONE))
def test_it_reaches_a_least_norm(candidate: Candidate, effort: Effort, answer: Answering) -> None:
    # given
    from_zero, from_w0 = candidates(effort)
    # when
    run, control = two_starts(candidate, effort), two_starts(gradient_descent(candidate.device), effort)
    # then
    answer.step = run.step
    asked = {"zero": from_zero, "w_0": from_w0[:1]}
    found = [
        measure_excess(answer, least, others, landed.interpolant, beside.interpolant, landed.oracle_rounding)
        for landed, beside, others in zip(run.landings, control.landings, (from_zero, from_w0), strict=True)
        for least in asked[landed.name]
    ]
    # so
    if not run.converged:
        answer.unanswered(Status.NOT_CONVERGED, run.told.removeprefix("; "))
    else:
        answer_nearest(answer, found, run.told)
