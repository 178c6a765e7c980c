r"""Question 7 - what does noise do at a constant step?

Given     two problems; their noise is drawn beforehand, so that all runs and all optimizers see the same.
          Label noise: (1/2)|WX' - Xi_t|^2 over 6 x 8 matrices from its minimum 0, eigenvalues of X'X in [8/3, 8]; Xi_t
          normal with variance 1/b, as the mean of b noisy labels. Interpolation: least squares with n = 6 and p = 20
          from zero; each step sees 2 rows, and at an interpolant the gradient of every row is zero.
When      the optimizer runs for T steps at a constant learning rate: the user's, or the largest of a few at which a law
          is named (label noise; 1e-2, 1e-3) or noise vanishes (1e-1, 1e-2), after its own default where that is larger.
Then      label noise: the slopes of log |W|^2 (mean over the last 7/8 of a run) against the logarithms of the step,
          eta and eta/4, and of the batch, 1 and 16; |W|^2 over eta 48/2, which it is for small eta in gradient descent.
          Interpolation: |Xw - y| in the last quarter of the run, at every step that is tried.
So        a law is named if both median slopes are within 1/8 of its slopes, a quarter of the distance between the laws.
          |W|^2 falls with time if it does in every instance, between the halves of the run, at least like t^(-1/4):
          stationary halves have one law, so that 12 instances agree in the sign alone with probability 2^-12.
          Noise vanishes at a minimum if |Xw - y| falls below 1e-6 in all instances. A floor has a slope in the step of
          1 or 0, the median within a quarter of their difference and every instance within half of it.
Expected  SGD: the stationary covariance is eta/b (2I - eta H)^-1, the discrete Lyapunov equation (Mandt, Hoffman, Blei
          (2017), Stochastic Gradient Descent as Approximate Bayesian Inference, JMLR 18, has its limit of small eta).
          Steps divided by the root of the second moment of the noise, sigma/sqrt(b), are an SGD with step
          eta sqrt(b)/sigma, hence the variance eta/sqrt(b): the square-root scaling rule of Malladi, Lyu, Panigrahi,
          Arora (2022), On the SDEs and Scaling Rules for Adaptive Gradient Algorithms, NeurIPS, in the limit of small
          steps where noise dominates the gradient. Interpolation: mini-batch SGD with a constant step converges
          exponentially for convex losses (Ma, Bassily, Belkin (2017), The Power of Interpolation, arXiv:1712.06559).
"""

from __future__ import annotations

import numpy as np

from fixtures.precision import UNIT_ROUNDOFF, rounding
from fixtures.problems.batches import stack
from fixtures.problems.interpolation import LENGTH as INTERPOLATION_LENGTH
from fixtures.problems.interpolation import read_interpolation
from fixtures.problems.outlying import LENGTH, ROWS, read_outlying
from probes.measures.noisy import (
    Series,
    gradient_descent_variance,
    series,
    squared_length,
    steps_under_noise,
    with_label_noise,
    with_minibatches,
)
from probes.profiles.answers import Answering, Status
from probes.profiles.questions import question
from probes.running.candidate import GRID, Candidate, gradient_descent
from probes.running.problem import Effort

BATCHES = (1, 16)
SMALL = 1e-2
LAWS = {"like step/batch": (1.0, -1.0), "like step/sqrt(batch)": (1.0, -0.5)}
WITHIN = 0.125
"""A quarter of the distance between the slopes of the two laws."""
FALLS = float(np.log2((1 - 0.5625**0.75) / (0.5625**0.75 - 0.125**0.75)))
"""The trend of t^(-1/4): halfway, in the exponent, between a variance that stays and one that steps 1/sqrt(t) leave."""

CLOSURE = "a step with a closure is many steps on one draw of the noise"
VANISHED = 1e-6
ROWS_SEEN = 2
FLOORS = {"floor like the step": 1.0, "floor at any step": 0.0}


@question("label noise", title="Label noise leaves", answers=(*LAWS, "falls with time", "none of these"))
def test_label_noise_leaves_a_variance(candidate: Candidate, effort: Effort, answer: Answering) -> None:
    # given
    drawn = stack(effort.draw("label noise", read_outlying, LENGTH))
    problem = with_label_noise(drawn, BATCHES, effort.steps, effort.rng("labels"))
    if candidate.calls.with_closure:
        answer.unanswered(Status.NOT_APPLICABLE, CLOSURE)
        return

    def variances(asked: Candidate, step: float | None) -> tuple[Series, Series]:
        """|W|^2 along a run with this step, for all batches, and with a quarter of it, for the first."""
        small = None if step is None else step / 4
        first = problem.only(slice(len(drawn.A)))
        return (
            series(asked, problem, effort.steps, step, squared_length),
            series(asked, first, effort.steps, small, squared_length),
        )

    # when
    for step in steps_under_noise(candidate, SMALL, SMALL / 10):
        large, small = variances(candidate, step)
        if law := _law(large, small):
            break
    control = variances(gradient_descent(), SMALL)
    # then
    answer.step, exact = large.step, rounding(8 * effort.steps)
    # one law may be named at another step on other instances: numbers at two steps are two numbers
    place = f", at step {step:g}" if not candidate.has_step and step is not None else ""
    slopes, beside = _slopes(large, small), _slopes(*control)
    answer.measured(f"slope in the step{place}", slopes[0], resolution=exact, control=beside[0])
    answer.measured(f"slope in the batch{place}", slopes[1], resolution=exact, control=beside[1])
    small_step_law = drawn.A[0].size / 2
    values = np.log10(large.level[: len(drawn.A)] / ((answer.step or 1.0) * small_step_law))
    found = control[0].level[: len(drawn.A)]
    off = np.abs(found / gradient_descent_variance(drawn.h, ROWS, SMALL, 1, effort.steps) - 1).max()
    answer.measured(
        f"log10 |W|^2 over step 48/2{place}",
        values,
        resolution=exact,
        control=np.log10(found / (SMALL * small_step_law)),
        certificate=f"gradient descent is within {off:.1%} of its discrete Lyapunov equation",
    )
    trend = large.trend.reshape(len(BATCHES), -1).mean(0)
    answer.measured(f"log2 of its trend{place}", trend, resolution=exact, control=control[0].trend[: len(drawn.A)])
    # so
    middle = np.median(slopes, axis=1)
    detail = f"slopes {middle[0]:.2f} in the step and {middle[1]:.2f} in the batch"
    if not (large.finite.all() and small.finite.all()):
        answer.unanswered(Status.NOT_CONVERGED, "runs diverge")
    elif large.step is None and not law:
        answer.unanswered(Status.NOT_APPLICABLE, "it has no learning rate that could shrink")
    elif law:
        answer.answered(law, f"{detail}; trend 2^{np.median(trend):.2f} between the halves of the run")
    elif (large.trend > 0).all() and (small.trend > 0).all():
        answer.unanswered(Status.NOT_CONVERGED, f"the variance still grows; {detail}")
    else:
        answer.answered("none of these", detail)


@question("noise at a minimum", title="Noise at a minimum", answers=("vanishes", *FLOORS, "none of these"))
def test_minibatch_noise_vanishes_at_an_interpolant(candidate: Candidate, effort: Effort, answer: Answering) -> None:
    # given
    drawn = stack(effort.draw("noise at a minimum", read_interpolation, INTERPOLATION_LENGTH))
    problem = with_minibatches(drawn, ROWS_SEEN, effort.steps, effort.rng("minibatches"))
    if candidate.calls.with_closure:
        answer.unanswered(Status.NOT_APPLICABLE, CLOSURE)
        return

    def residuals(asked: Candidate, step: float | None) -> Series:
        """|Xw - y| along a run with this step."""
        return series(
            asked,
            problem,
            effort.steps,
            step,
            lambda factors: np.linalg.norm(np.matvec(drawn.X, factors[0]) - drawn.y, axis=-1),
        )

    # when
    tried = steps_under_noise(candidate, GRID[0], SMALL)
    quarter = (tried[0] / 4,) if len(tried) == 1 and tried[0] is not None else ()
    runs = [residuals(candidate, step) for step in tried + quarter]
    control = residuals(gradient_descent(), GRID[0])
    asked = runs[: len(tried)]
    vanishing = next((run for run in asked if _vanishes(run)), None)
    staying = [run for run in asked if run.finite.all() and not (run.trend < 0).all()]
    if vanishing is None and len(staying) == 1 and staying[0].step is not None:
        slower = runs[1] if quarter else residuals(candidate, staying[0].step / 4)
        staying += [slower] if _is_a_floor(slower) else []
    last = vanishing or (staying[0] if staying else asked[-1])
    # then  one number for each step: which of them is the last depends on all instances together
    answer.step, exact = last.step, rounding(8 * effort.steps)
    places = ("as it is made", "at a quarter of that step") if len(tried) == 1 else [f"at step {s:g}" for s in tried]
    for place, run in zip(places, runs, strict=False):
        answer.measured(f"log10 |Xw - y| {place}, at least -8", _log(run), resolution=exact, control=_log(control))
    # so
    if vanishing:
        answer.answered("vanishes", f"|Xw - y| falls to {last.late.max():.1g}")
    elif last.step is None:
        answer.unanswered(Status.NOT_APPLICABLE, "it has no learning rate that could shrink")
    elif len(staying) < 2:
        answer.unanswered(
            Status.NOT_CONVERGED,
            f"|Xw - y| is {np.median(last.late):.1g}, and falls or diverges with this step or another",
        )
    else:
        large, small = staying[:2]
        slopes = np.log(large.late / small.late) / np.log(large.step / small.step)
        says = [
            name
            for name, expected in FLOORS.items()
            if abs(np.median(slopes) - expected) <= 1 / 4 and np.abs(slopes - expected).max() <= 1 / 2
        ]
        detail = f"|Xw - y| stays at {np.median(large.late):.2g}; its slope in the step is {np.median(slopes):.2f}"
        answer.answered(says[0] if says else "none of these", detail)


def _is_a_floor(run: Series) -> bool:
    return bool(run.finite.all() and not (run.late <= VANISHED).any() and not _still_falls(run))


def _still_falls(run: Series) -> bool:
    """Whether all fall, between the last two quarters of the run, at least like t^(-1/4)."""
    before = run.values[: -(len(run.values) // 4)]
    share = (1 - 0.75**0.75) / (0.75**0.75 - 0.5**0.75)
    return bool((run.late < share * before[-(len(run.values) // 4) :].mean(0)).all())


def _log(run: Series) -> np.ndarray:
    return np.log10(np.maximum(run.late, UNIT_ROUNDOFF**0.5))


def _vanishes(run: Series) -> bool:
    return bool(run.finite.all() and (run.late <= VANISHED).all())


def _law(large: Series, small: Series) -> str:
    """The law that the variances follow, or "" where they follow none."""
    if not (large.finite.all() and small.finite.all()):
        return ""
    if large.trend.max() < FALLS:
        return "falls with time"
    middle = np.median(_slopes(large, small), axis=1)
    return next((name for name, slopes in LAWS.items() if np.abs(middle - slopes).max() <= WITHIN), "")


def _slopes(large: Series, small: Series) -> np.ndarray:
    """The slopes of log |W|^2 against log step (nan without a step) and log batch, (2, B)."""
    one, other = np.split(np.log(large.level), len(BATCHES))
    in_step = (one - np.log(small.level)) / (np.nan if large.step is None else np.log(4))
    return np.stack([in_step, (other - one) / np.log(BATCHES[1] / BATCHES[0])])
