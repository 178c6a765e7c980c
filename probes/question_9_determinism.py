r"""Question 9 - is a run repeatable, can it be interrupted, and do its implementations agree?

Given     a network with a matrix and a vector of weights, (1/2)|XWv - y|^2, from 12 starts; and sequences of gradients
          that do not depend on the weights.
When      the optimizer runs at half of its own learning rate, which a checkpoint must therefore restore:
          twice from one torch seed, and once from another one;
          without a break, and interrupted after 2, 5, 17 and 37 steps: a new optimizer, of copies of the weights, loads
          the `state_dict`, once as it is and once through torch.save and torch.load(weights_only=True);
          as a loop over the parameters (foreach=False, fused=False), with foreach=True, and with fused=True. The
          entries of the parameter groups are set before the first step: torch.optim reads them there.
Then      the largest difference of a weight over all steps, relative to how far a weight moves.
So        "bit for bit" where it is 0. Rounding is of the order u, another formula or a forgotten momentum of the order
          1, and the square root of u stands between them: of u = 2^-53 "to rounding", of 2^-24, the u of state that is
          kept in single precision, "to single precision". Interrupted runs are compared only where two runs without a
          break agree. The gradients of the implementations are given, so that no difference grows by feedback.
Expected  torch.optim: repeatable, and a `state_dict` has all of the state. But `load_state_dict` gives state the
          precision of its weight (pytorch #75224): NAdam, which multiplies up a product in single precision, goes on
          in double. ASGD has its rate in single precision, and foreach computes it in single precision too.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from fixtures.precision import UNIT_ROUNDOFF
from fixtures.problems.batches import stack
from fixtures.problems.two_layers import GRADIENTS, STEPS, TWO_LAYERS, read_gradients, read_two_layers
from probes.measures.resuming import Iterates, largest_difference, recorded, resume
from probes.profiles.answers import Answering, Status
from probes.profiles.questions import question
from probes.running.candidate import RAISED, Candidate, gradient_descent, one_line
from probes.running.problem import Effort, Problem

if TYPE_CHECKING:
    import torch

INTERRUPTED = (2, 5, 17, 37)
LENGTH = 100
TO_ROUNDING, TO_SINGLE = UNIT_ROUNDOFF**0.5, 2.0**-12
AGREES = ("bit for bit", "to rounding", "to single precision")
IMPLEMENTATIONS = ("foreach", "fused")


@question("same seed", title="Repeatable", answers=("bit for bit", "from one torch seed", "differs"))
def test_one_seed_gives_one_run(candidate: Candidate, effort: Effort, answer: Answering) -> None:
    # given
    runs, controls = _Runs(candidate, effort), _control(effort)
    answer.step = runs.step
    # when
    repeated, reseeded = runs.repeated(), runs.reseeded()
    # then
    name = "relative difference, {} torch seed".format
    answer.measured(name("same"), repeated, resolution=TO_ROUNDING, control=controls.repeated())
    answer.measured(name("another"), reseeded, resolution=TO_ROUNDING, control=controls.reseeded())
    # so
    if not runs.finite:
        answer.unanswered(Status.NOT_CONVERGED, f"it diverges at half of its own learning rate, {runs.step}")
    elif repeated.any():
        answer.answered("differs", f"two runs from one torch seed differ by {repeated.max():.1e} of the way")
    elif reseeded.any():
        answer.answered("from one torch seed", f"another torch seed changes {reseeded.max():.1e} of the way")
    else:
        answer.answered("bit for bit", "it draws no random numbers of torch")


@question(
    "state_dict",
    title="Can be interrupted",
    answers=(*AGREES, "not from a file", "goes on otherwise", "cannot be resumed"),
)
def test_a_state_dict_has_all_of_the_state(candidate: Candidate, effort: Effort, answer: Answering) -> None:
    # given
    runs, controls = _Runs(candidate, effort), _control(effort)
    answer.step = runs.step
    # when
    (in_memory, reason), (from_file, refusal) = runs.resumed(through_file=False), runs.resumed(through_file=True)
    # then
    control = controls.resumed(through_file=False)[0], controls.resumed(through_file=True)[0]
    answer.measured("relative difference, in memory", in_memory, resolution=TO_ROUNDING, control=control[0])
    answer.measured("relative difference, from a file", from_file, resolution=TO_ROUNDING, control=control[1])
    # so
    worst, worst_from_file = in_memory.max(), from_file.max()
    if not runs.finite:
        answer.unanswered(Status.NOT_CONVERGED, f"it diverges at half of its own learning rate, {runs.step}")
    elif runs.repeated().any():
        answer.unanswered(Status.NOT_IDENTIFIABLE, "two runs without a break differ already")
    elif reason:
        answer.answered("cannot be resumed", reason)
    elif not _agrees(worst):
        answer.answered("goes on otherwise", f"an interrupted run differs by {worst:.1e} of the way")
    elif refusal or not _agrees(worst_from_file):
        answer.answered("not from a file", refusal or f"from a file it differs by {worst_from_file:.1e} of the way")
    else:
        differs = max(worst, worst_from_file)
        files = "in memory, and from a file that torch.load opens with weights_only=True"
        answer.answered(
            _agrees(differs), f"an interrupted run differs by {differs:.1e} of the way" if differs else files
        )


@question("implementations", title="foreach, fused", answers=(*AGREES, "differ"))
def test_implementations_agree(candidate: Candidate, effort: Effort, answer: Answering) -> None:
    # given
    answer.step = _half(candidate)
    # when
    found, control = _of_implementations(candidate, effort), _control_of_implementations(effort)
    # then
    for name, (values, _) in found.items():
        beside = control[name][0]
        answer.measured(f"relative difference, {name}", values, resolution=TO_ROUNDING, control=beside)
    # so
    refused = [f"{name} refuses: {reason}" for name, (_, reason) in found.items() if reason]
    largest = {name: values.max() for name, (values, reason) in found.items() if not reason}
    compared = [f"{name} {f'differs by {v:.1e} of the way' if v else 'agrees'}" for name, v in largest.items()]
    said = "; ".join([*compared, *refused])
    if not largest:
        answer.unanswered(Status.NOT_APPLICABLE, said or "its parameter groups have neither foreach nor fused")
    else:
        answer.answered(_agrees(np.max([*largest.values()])) or "differ", said)  # nan is the largest


def _agrees(difference: float) -> str:
    """One of AGREES, or "" where the difference is larger than that of any rounding."""
    bounds = dict(zip(AGREES, (0.0, TO_ROUNDING, TO_SINGLE), strict=True))
    return next((says for says, bound in bounds.items() if difference <= bound), "")


class _Runs:
    """Runs of one optimizer on the networks, each compared with one that is not interrupted."""

    def __init__(self, candidate: Candidate, effort: Effort) -> None:
        self.count, self.step = effort.instances, _half(candidate)
        self._run = functools.partial(
            recorded, candidate, _networks(effort), min(LENGTH, effort.steps), self.step, at=INTERRUPTED
        )
        self._whole = self._run()
        self.finite = all(np.isfinite(factor).all() for factors in self._whole for factor in factors)

    def repeated(self) -> np.ndarray:
        return largest_difference(self._whole, self._run())

    def reseeded(self) -> np.ndarray:
        return largest_difference(self._whole, self._run(seed=1))

    def resumed(self, through_file: bool) -> tuple[np.ndarray, str]:
        then = functools.partial(resume, through_file=through_file)
        return _difference(self._whole, self.count, functools.partial(self._run, then=then))


@functools.cache
def _control(effort: Effort) -> _Runs:
    return _Runs(gradient_descent(), effort)


@functools.cache
def _control_of_implementations(effort: Effort) -> dict[str, tuple[np.ndarray, str]]:
    return _of_implementations(gradient_descent(), effort)


def _difference(whole: Iterates, count: int, run: Callable[[], Iterates]) -> tuple[np.ndarray, str]:
    """The largest difference from another run, (B,), and ""; where that one raises, nan and the error on a line."""
    try:
        return largest_difference(whole, run()), ""
    except RAISED as error:
        # the question is whether this works: an error is the answer
        return np.full(count, np.nan), one_line(error)


def _of_implementations(candidate: Candidate, effort: Effort) -> dict[str, tuple[np.ndarray, str]]:
    """`_difference` from the loop over parameters, by the name of the implementation, of those that there are."""
    run = functools.partial(recorded, candidate, _gradients(effort), min(STEPS, effort.steps), _half(candidate))
    known = [name for name in IMPLEMENTATIONS if name in candidate.options]
    if not known:
        return {}
    settings = {name: {other: other == name for other in known} for name in ("loop", *known)}
    loop = run(settings=settings["loop"])
    return {
        name: _difference(loop, effort.instances, functools.partial(run, settings=settings[name])) for name in known
    }


def _half(candidate: Candidate) -> float | None:
    return None if candidate.own_step is None else candidate.own_step / 2


def _networks(effort: Effort) -> Problem:
    drawn = stack(effort.draw("same seed", read_two_layers, TWO_LAYERS))

    def loss(data: Sequence[torch.Tensor], factors: Sequence[torch.Tensor], t: int) -> torch.Tensor:  # noqa: ARG001
        X, y = data
        W, v = factors
        return 0.5 * ((X @ W @ v[..., None])[..., 0] - y).square().sum(1)

    return Problem((drawn.W, drawn.v), (drawn.X, drawn.y), loss)


def _gradients(effort: Effort) -> Problem:
    drawn = stack(effort.draw("implementations", read_gradients, GRADIENTS))

    def loss(data: Sequence[torch.Tensor], factors: Sequence[torch.Tensor], t: int) -> torch.Tensor:
        # a second derivative, which is 0, for optimizers that ask for one
        terms = [along[:, t] * factor + 0 * factor.square() for along, factor in zip(data, factors, strict=True)]
        return sum(term.flatten(1).sum(1) for term in terms)

    return Problem((drawn.W, drawn.v), (drawn.along_W, drawn.along_v), loss)
