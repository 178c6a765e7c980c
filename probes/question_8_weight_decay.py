r"""Question 8 - where does weight decay lead?

Given     min (1/2)|(W - A)X'|_F^2 over 6 x 8 matrices, strictly convex, eigenvalues of the Hessian in [8/3, 8]; A lies
          outside the balls |W| <= 1/lambda of the largest entry, of the spectral norm and of the Frobenius norm.
When      `weight_decay` is set to lambda = 4 in every parameter group, and the optimizer runs from W_0 and from -W_0.
          At the least step of the search, 1e-3, decoupled decay shrinks a start to exp(-eta lambda T/2) = exp(-8).
Then      the distance of the ends from A; from the ridge solution, where grad L + lambda W = 0; from the minimum of L
          in each ball; and from zero. Beside it, at the candidate's own setting: the rate at which it shrinks weights
          that the loss does not depend on, for each unit of the learning rate.
So        it goes to the point that, for every instance and both starts, is at least twice as near as any other. None
          of these, if the two ends are twice as near to each other as to any of the points; else not converged.
          A minimum in a ball comes from projected gradients, with a Frank-Wolfe gap that bounds its error.
Expected  Coupled decay adds lambda W to the gradient, so that a limit solves grad L + lambda W = 0, whatever scales the
          coordinates: ridge. So does decoupled decay of plain gradient descent, eta (grad L + lambda W) = 0.
          Normalized steepest descent with decoupled decay converges to the minimum in the ball of its norm, of radius
          1/lambda, for convex losses (Xie, Li (2024), Implicit Bias of AdamW: l-infinity Norm Constrained
          Optimization, ICML, Theorem 3.5); AdamW on full batches goes to a KKT point of the l-infinity ball if it
          converges, with steps that do not increase and whose sum diverges (Theorem 1.1). Lion: the same ball (Chen,
          Liu, Liang, Liu (2024), Lion Secretly Solves Constrained Optimization, ICLR). Muon with exact
          polar factors: the spectral ball (Chen, Li, Liu (2025), Muon Optimizes Under Spectral Norm Constraints,
          arXiv:2506.15054). Steps of torch's Muon have singular values near 0.5 to 1.5, by its source: another radius.
"""

from __future__ import annotations

import numpy as np

from fixtures.precision import UNIT_ROUNDOFF, rounding
from fixtures.problems.batches import stack
from fixtures.problems.outlying import DECAY, LENGTH, Outlying, read_outlying
from probes.measures.fixed_points import (
    POINTS,
    distances,
    ends,
    fixed_points,
    nearest_by,
    two_starts,
    with_an_unused_column,
)
from probes.profiles.answers import Answering, Status
from probes.profiles.questions import question
from probes.running.candidate import GRID, Candidate, gradient_descent
from probes.running.problem import Effort
from probes.running.run import LAST_SHARE, Trained, search, train
from properties.linear_models.norm_balls import ball_norm

FACTOR = 2.0
"""A point is named where every other one is this many times as far."""


@question("weight decay", title="Weight decay leads to", answers=(*POINTS, "none of these"))
def test_weight_decay_leads_to_a_point(candidate: Candidate, effort: Effort, answer: Answering) -> None:
    # given
    drawn = stack(effort.draw("weight decay", read_outlying, LENGTH))
    points, error = fixed_points(drawn)
    problem, settings = two_starts(drawn), {"weight_decay": DECAY}

    def named(run: Trained) -> np.ndarray:
        """Whether the instance has gone to the point that most have gone to, from both starts, (2B,)."""
        found = nearest_by(distances(ends(run), points), FACTOR)
        return np.tile((found == np.bincount(found[found >= 0], minlength=1).argmax()).all(0), 2)

    # when
    if "weight_decay" not in candidate.options:
        measure_own_decay(candidate, candidate.own_step, drawn, effort, answer)
        answer.unanswered(Status.NOT_APPLICABLE, "its parameter groups have no weight_decay")
        return
    run = search(candidate, problem, steps=effort.steps, reached=named, settings=settings)
    control = search(gradient_descent(), problem, steps=effort.steps, reached=named, settings=settings)
    # then
    answer.step = run.step
    left = float(np.exp(-min(run.step or 1.0, GRID[-1]) * DECAY * effort.steps / 2))
    distance, beside = distances(ends(run), points), distances(ends(control), points)
    certificate = f"minima in balls within {error:.0e}: Frank-Wolfe gap"
    for name, values, control_values in zip(POINTS, distance.max(1), beside.max(1), strict=True):
        name = f"distance from {name}, of |A|"
        answer.measured(name, values, resolution=left, control=control_values, certificate=certificate)
    for norm, words in (("l-infinity", "largest entry"), ("spectral", "largest singular value")):
        sizes = [DECAY * ball_norm(ends(r), norm).max(0) for r in (run, control)]
        answer.measured(f"{words}, of 1/decay", sizes[0], resolution=left, control=sizes[1])
    measure_own_decay(candidate, run.step, drawn, effort, answer)
    # so
    found = nearest_by(distance, FACTOR)
    apart = np.linalg.norm(ends(run)[0] - ends(run)[1], axis=(-2, -1)) / np.linalg.norm(drawn.A, axis=(-2, -1))
    if not run.finite.all():
        answer.unanswered(Status.NOT_CONVERGED, f"{(~run.finite).sum()} of {problem.count} runs diverge")
    elif named(run).all():
        ranked = np.sort(distance, axis=0)
        detail = f"within {ranked[0].max():.2g} |A|; the next point is at least {ranked[1].min():.2g} |A| off"
        answer.answered(POINTS[found[0, 0]], detail)
    elif (FACTOR * apart <= distance.min((0, 1))).all():
        answer.answered("none of these", f"the ends of two starts agree to {apart.max():.2g} |A|")
    else:
        answer.unanswered(Status.NOT_CONVERGED, f"the ends of two starts are {apart.max():.2g} |A| apart")


def measure_own_decay(
    candidate: Candidate, step: float | None, drawn: Outlying, effort: Effort, answer: Answering
) -> None:
    """Run T/4 steps at the candidate's own setting: the rate at which weights shrink that the loss does not depend on.

    The rate is log(|start|/|end|) over the sum of the learning rates, so that decoupled decay is measured as it is
    set. An end below the unit roundoff counts as that; nan where the run diverges.
    """
    problem, steps = with_an_unused_column(drawn), effort.steps // 4
    run = train(candidate, problem, steps=steps, step=step)
    decayed = np.maximum(0, 2 * np.arange(1, run.steps + 1) / steps - 1)
    length = (step or 1.0) * float((LAST_SHARE**decayed).sum())
    start, end = (np.linalg.norm(W[..., 0], axis=-1) for W in (problem.start[0], run.factors[0]))
    rate = np.log(start / np.maximum(end, UNIT_ROUNDOFF * start)) / length
    values = np.where(run.finite, rate, np.nan)
    place = f", at step {step:g}" if not candidate.has_step and step is not None else ""
    name = f"own decay of an unused weight, 1/step{place}"  # log(1 - eta decay)/eta depends on the step that was found
    answer.measured(name, values, resolution=rounding(4 * steps, 1.0) / length)
