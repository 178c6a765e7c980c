r"""Question 5 - what does it pick in models that are products of their parameters?

Given     (a) two layers W_2 W_1 towards a matrix, unbalanced at the start; (b) a diagonal network u*u - v*v on least
          squares with many interpolants, from u = v = alpha 1 with alpha = 1/2 and 1/8; (c) the completion of
          [[1, 2], [2, .]] by UV' and by UU', from starts of size 1e-8; (d) two layers from a start of size 1e-3 towards
          three modes s_1 >= 2 s_2 >= 4 s_3.
When      the optimizer runs with the largest step of the grid that fits; in (a) with the largest that takes at least
          10 steps to half of the loss, and with a quarter of it for as long; in (d) with the largest that takes at
          least 20 steps to half of a mode.
Then      (a) how far the imbalance W_2'W_2 - W_1W_1' has drifted, and with which power of the step; (b) the distances
          from the interpolants Q_alpha of least hypentropy, in units of the distance between those of the two starts;
          (c) nuclear norms; (d) the p for which the times to half of a mode s grow like s^(-p).
So        (a) kept as the step shrinks, if the power is at least 1 - 1/4 or the drift is rounding; not kept, if it is at
          most 1/4. (b) Q of the start, if both results are within 1/4 of Q_alpha of their starts; Q of another alpha,
          if both are within 1/4 of the curve of all Q_alpha, and not both of their own; off the curve, if one is
          farther from it. (c) Least rank, if UV' and UU' are within 1/4 of 5, the norm of the completion of rank one;
          least nuclear norm, if UV' is within 1/4 of 4. (d) One after another, if each mode is at 9/10 before the next
          is at 1/10; together, if |p| is at most 1/4 for neighbors; overlapping or weakest first, if the halves are in
          one order.
          An answer is given where its rule holds for all instances.
Expected  Gradient flow keeps the imbalance (Arora, Cohen, Hazan 2018), small steps to first order, and ends at Q of the
          start (Woodworth et al. 2020); from small starts it has the least rank (Li, Luo, Lyu 2021) and learns one mode
          after another, with p = 1 (Saxe, McClelland, Ganguli 2014). These are about gradient flow or small steps: at
          the largest step that fits, momentum 0.9 takes a diagonal network off the curve.
"""

from __future__ import annotations

import numpy as np

from fixtures.problems.batches import stack
from fixtures.problems.interpolation import LENGTH as INTERPOLATION_LENGTH
from fixtures.problems.interpolation import read_interpolation
from fixtures.problems.linear_layers import LENGTH, read_two_layers
from probes.measures.factored_modes import RESOLVED, Learned, learn_modes
from probes.measures.factored_runs import ALPHAS, TINY, Completed, complete, drift, fitted, land_on_diagonal, learned
from probes.profiles.answers import Answering, Status
from probes.profiles.questions import question
from probes.running.candidate import Candidate, gradient_descent
from probes.running.problem import Effort

NEAR = 1 / 4
"""A candidate is named where it is nearer than this share of the distance between two candidates."""

LEAST_RANK, LEAST_NORM = 5, 4
"""The nuclear norms of the completion of [[1, 2], [2, .]] by 4, of rank one, and by 1."""


def unfitted(answer: Answering, *ends: np.ndarray) -> bool:
    """Whether an instance has not reached its end, which is the answer then."""
    if missing := int((~np.concatenate(ends)).sum()):
        count = sum(len(end) for end in ends)
        answer.unanswered(Status.NOT_CONVERGED, f"{missing} of {count} instances are not fitted")
    return missing > 0


@question("balancedness", title="Balancedness", answers=("kept as the step shrinks", "not kept"))
def test_the_imbalance_is_kept_as_the_step_shrinks(candidate: Candidate, effort: Effort, answer: Answering) -> None:
    # given
    drawn = stack(effort.draw("balancedness", read_two_layers, LENGTH))
    # when
    found = drift(candidate, drawn, effort.steps)
    control = drift(gradient_descent(), drawn, effort.steps)
    # then
    answer.step = found.run.step
    answer.measured("drift over size", found.fine, resolution=found.noise, control=control.fine)
    answer.measured("power of the step", found.power, resolution=found.blur, control=control.power)
    # so
    if unfitted(answer, learned(found.run) & np.isfinite(found.fine)):
        return
    if found.run.step is None:
        answer.unanswered(Status.NOT_APPLICABLE, "it has no learning rate that could shrink")
    elif found.kept(NEAR):
        answer.answered("kept as the step shrinks", f"to {found.fine.max():.1e} of the size of the layers")
    elif found.lost(NEAR):
        answer.answered("not kept", f"with a quarter of the step to {found.fine.max():.1e} of the size of the layers")
    else:
        low, high = np.nanmin(found.power), np.nanmax(found.power)
        answer.unanswered(
            Status.NOT_IDENTIFIABLE, f"the drift falls with the powers {low:.2f} to {high:.2f} of the step"
        )


@question(
    "diagonal alpha",
    title="Diagonal network",
    answers=("Q of the start", "Q of another alpha", "off the curve"),
)
def test_a_diagonal_network_ends_at_Q_of_its_start(candidate: Candidate, effort: Effort, answer: Answering) -> None:
    # given
    drawn = stack(effort.draw("diagonal alpha", read_interpolation, INTERPOLATION_LENGTH))
    # when
    found = land_on_diagonal(candidate, drawn, effort.steps)
    control = land_on_diagonal(gradient_descent(), drawn, effort.steps)
    # then
    answer.step, off = found.run.step, largest(found.off)
    own, curve = found.own.max(0), found.curve.max(0)
    within = "distance of the nearest interpolant"
    answer.measured("from Q of the start", own, resolution=off, control=control.own.max(0), certificate=within)
    answer.measured("from the curve", curve, resolution=off, control=control.curve.max(0), certificate=within)
    for alpha, *its in zip(ALPHAS, found.curve, found.effective, found.blur, control.effective, strict=True):
        near, name = its[0] <= NEAR, f"log2 of effective over alpha = {alpha:g}"
        values, blur = (np.where(near, one, np.nan) for one in its[1:3])
        answer.measured(name, values, resolution=largest(blur), control=its[3])
    # so
    if unfitted(answer, fitted(found.run)):
        return
    if (own <= NEAR).all():
        answer.answered("Q of the start", f"within {own.max():.2g} of the distance between the starts' own")
    elif (curve <= NEAR).all() and (own > NEAR).all():
        answer.answered("Q of another alpha", f"at {own.min():.2g} or more from that of the start")
    elif (curve > NEAR).all():
        answer.answered("off the curve", f"at {curve.min():.2g} to {curve.max():.2g} from it")
    else:
        reason = (
            f"{(own <= NEAR).sum()} of {len(own)} instances are at Q of the start, {(curve <= NEAR).sum()} on the curve"
        )
        answer.unanswered(Status.NOT_IDENTIFIABLE, reason)


@question("completion", title="Completion", answers=("least rank", "least nuclear norm", "neither"))
def test_from_small_starts_the_completion_has_the_least_rank(
    candidate: Candidate, effort: Effort, answer: Answering
) -> None:
    # given
    starts = TINY * effort.rng("completion").standard_normal((3, effort.instances, 2, 2))
    # when
    two, one = complete(candidate, starts, effort.steps)
    two_control, one_control = complete(gradient_descent(), starts, effort.steps)
    # then
    answer.step = two.run.step
    answer.measured("nuclear norm of UV'", two.norms, resolution=two.misfit, control=two_control.norms)
    answer.measured("nuclear norm of UU'", one.norms, resolution=one.misfit, control=one_control.norms)
    # so
    if unfitted(answer, fitted(two.run), fitted(one.run)):
        return
    ranges = f"UV' {two.norms.min():.2f} to {two.norms.max():.2f}, UU' {one.norms.min():.2f} to {one.norms.max():.2f}"
    if is_near(two, LEAST_RANK) and is_near(one, LEAST_RANK):
        answer.answered("least rank", ranges)
    elif is_near(two, LEAST_NORM):
        answer.answered("least nuclear norm", ranges)
    else:
        answer.answered("neither", ranges)


@question(
    "order of modes",
    title="Order of modes",
    answers=("one after another", "overlapping", "together", "weakest first", "in no order"),
)
def test_modes_are_learned_one_after_another(candidate: Candidate, effort: Effort, answer: Answering) -> None:
    # given
    drawn = stack(effort.draw("order of modes", read_two_layers, LENGTH))
    # when
    found = learn_modes(candidate, drawn, effort.steps // 2)
    control = learn_modes(gradient_descent(), drawn, effort.steps // 2)
    # then
    answer.step = found.run.step
    for index, names in enumerate(("first to second", "second to third")):
        beside = control.powers[:, index]
        answer.measured(f"p from {names}", found.powers[:, index], resolution=found.resolution, control=beside)
    # so
    if unfitted(answer, fitted(found.run)):
        return
    half = found.half
    if half.min() < RESOLVED:
        answer.unanswered(Status.NOT_IDENTIFIABLE, f"half of a mode is learned in {half.min():.1f} steps")
    else:
        answer.answered(order(found), f"half of each in {spans(half)} steps")


def largest(numbers: np.ndarray) -> float:
    """The largest of the numbers that are known, 0 where none is."""
    return float(np.max(numbers, initial=0, where=np.isfinite(numbers)))


def order(found: Learned) -> str:
    """The order in which the modes are learned, in all instances."""
    if (found.most[:, :-1] <= found.tenth[:, 1:]).all():
        return "one after another"
    if (np.abs(found.powers) <= NEAR).all():
        return "together"
    if (np.diff(found.half) > 0).all():
        return "overlapping"
    return "weakest first" if (np.diff(found.half) < 0).all() else "in no order"


def is_near(found: Completed, norm: float) -> bool:
    """Whether every nuclear norm is within NEAR of this one."""
    return bool((np.abs(found.norms - norm) <= NEAR * (LEAST_RANK - LEAST_NORM)).all())


def spans(times: np.ndarray) -> str:
    """The least and the largest time of each mode, of times (B, 3)."""
    return ", ".join(f"{low:.0f} to {high:.0f}" for low, high in zip(times.min(0), times.max(0), strict=True))
