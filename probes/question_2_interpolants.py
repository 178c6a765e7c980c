r"""Question 2, vectors - which interpolant does it reach, and is it the projection of the start?

Given     least squares with n = 6 samples and p = 20 weights, singular values in [1/3, 1], and a positive interpolant;
          two starts: zero, and a random w_0 with entries from 1/32 to 1/2. The minima are the w with Xw = y.
When      the optimizer runs for T steps with decay, at the largest step of the grid at which all runs interpolate.
Then      (row space) the share |P_null(w_T - w_0)|/|w_T - w_0| that lies outside row(X), from both starts, and the
          distance of w_T from the l2 projection of w_0 onto the minima, relative to that of w_0;
          from w_0 also the share of P_null w_0 that w_T keeps.
          (vector norm) at the interpolant nearest to w_T, the excess over the least l1, l2 and l-infinity norm and the
          least hypentropy (its Bregman divergence from the start, beta = 1/64), from zero; and over the least relative
          entropy KL(w || w_0), from w_0.
So        (row space) The projection of w_0 is the only interpolant w with w - w_0 in row(X). So the share decides.
          "projects w_0": the share is rounding. T steps along the rows of X, none longer than S = |w_0| + |w_T| +
          |y|/s_1, leave row(X) by at most T roundings of a gradient of scale 2 sqrt(n) S. "drifts off row(X)": the
          share is larger, but its median is at most a tenth, as with a lower precision. "forgets w_0": so it is from
          zero, but the share from w_0 is ten times as large, and the part of w_0 in null(X) has shrunk, as with decay.
          "leaves row(X)": the share is larger still.
          (vector norm) A norm is named if its excess is at most a tenth of its separation in every instance. Its
          separation is the least excess in it of the minimizers of the other norms, or 1 if that is less. Otherwise
          "none of these". An instance whose separation is not above the resolution has no say; if most have none, no
          norm is identifiable. Entropy is told from hypentropy from w_0, whose minimizer is the nearest by far.
Expected  Gradient descent and momentum project w_0, because their steps lie in row(X); from zero this is the least l2
          norm. Mirror descent that converges has the least Bregman divergence from its start (Gunasekar, Lee, Soudry,
          Srebro 2018, for losses with a unique finite root): exponentiated gradient in entropy.
Precision Each least value has a primal and a dual point that are checked here: the relative gap and the rounding of the
          nearest interpolant are the resolution. |w_T - P(w_0)| <= |P_null(w_T - w_0)| + |Xw_T - y|/s_n is certified.
"""

from __future__ import annotations

import numpy as np
from numpy.linalg import norm

from fixtures.precision import rounding
from probes.measures.nearest import FACTOR, NONE, answer_nearest, measure_excess
from probes.measures.two_starts import Landing, TwoStarts, candidates, two_starts
from probes.profiles.answers import Answering, Status
from probes.profiles.questions import question
from probes.running.candidate import Candidate, gradient_descent
from probes.running.problem import Effort
from properties.certificates import Certificate


def outside_row_space(landed: Landing) -> np.ndarray:
    """|P_null(w - w_0)|/|w - w_0|, (B,)."""
    moved = landed.w - landed.w0
    return norm(landed.drawn.off_row_space(moved), axis=-1) / norm(moved, axis=-1)


def left_by_rounding(landed: Landing, steps: int) -> np.ndarray:
    """The share outside row(X), (B,), that rounding leaves in steps which are combinations of gradients."""
    n, p = landed.drawn.X.shape[1:]
    scale = norm(landed.w0, axis=-1) + norm(landed.w, axis=-1) + norm(landed.drawn.y, axis=-1)
    moved = norm(landed.w - landed.w0, axis=-1)
    return rounding(max(steps, 1) * (n + p + 3), 2 * np.sqrt(n) * scale) / moved


def kept(landed: Landing) -> np.ndarray:
    """<P_null w, P_null w_0>/|P_null w_0|^2, (B,): what w keeps of the part of w_0 in null(X); nan from zero."""
    null, of_start = (landed.drawn.off_row_space(point) for point in (landed.w, landed.w0))
    with np.errstate(invalid="ignore"):
        return np.vecdot(null, of_start) / np.vecdot(of_start, of_start)


def from_projection(landed: Landing) -> np.ndarray:
    """|w - P(w_0)|/|w_0 - P(w_0)|, (B,)."""
    distance, whole = (norm(point - landed.projection, axis=-1) for point in (landed.w, landed.w0))
    return distance / whole


def certified(landed: Landing) -> np.ndarray:
    """The error/bound, (B,), of |w - P(w_0)| <= |P_null(w - w_0)| + |Xw - y|/s_n, with the rounding of LAPACK."""
    null = norm(landed.drawn.off_row_space(landed.w - landed.w0), axis=-1)
    error = norm(landed.w - landed.projection, axis=-1)
    return Certificate(error, null + landed.left, "distance from the projection").ratio()


@question(
    "row space",
    title="Projects its start",
    answers=("projects w_0", "drifts off row(X)", "forgets w_0", "leaves row(X)"),
)
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
            resolution=np.fmax.reduce(left_by_rounding(landed, run.steps), initial=0),
            control=outside_row_space(beside),
        )
        answer.measured(
            f"distance from P(w_0), from {landed.name}",
            from_projection(landed),
            resolution=np.fmax.reduce(landed.left / norm(landed.w0 - landed.projection, axis=-1), initial=0),
            control=from_projection(beside),
            certificate="part in null(X) and residual over s_n",
            worst_ratio=np.fmax.reduce(certified(landed), initial=0),
        )
    answer.measured(
        "share of P_null w_0 that is kept",
        kept(run.from_w0),
        resolution=np.max(run.from_w0.oracle_rounding / norm(run.from_w0.drawn.off_row_space(run.from_w0.w0), axis=-1)),
        control=kept(control.from_w0),
    )
    # so
    if not run.converged:
        answer.unanswered(Status.NOT_CONVERGED, run.told.removeprefix("; "))
    else:
        largest = ", ".join(f"{outside_row_space(landed).max():.2g} from {landed.name}" for landed in run.converged)
        answer.answered(where(run), f"up to {largest} of w_T - w_0 is outside row(X){run.told}")


def where(run: TwoStarts) -> str:
    """The answer, from the starts whose runs have all reached a minimum."""
    limits = [left_by_rounding(landed, run.steps) for landed in run.converged]
    shares = [np.maximum(outside_row_space(landed), limit) for landed, limit in zip(run.converged, limits, strict=True)]
    if np.all(shares == np.array(limits)):
        return "projects w_0"
    half = [np.median(share) for share in shares]
    if half[0] <= 1 / FACTOR and len(half) == 2 and half[1] > FACTOR * half[0] and kept(run.from_w0).max() < 1:
        return "forgets w_0"
    return "drifts off row(X)" if max(half) <= 1 / FACTOR else "leaves row(X)"


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
