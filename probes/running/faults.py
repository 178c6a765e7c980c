"""What is wrong with an optimizer, found by short runs before it is asked anything: a line each, with the remedy."""

from __future__ import annotations

import dataclasses
import enum
import time

import numpy as np

from probes.running.candidate import RAISED, Candidate, OptimizerFault
from probes.running.problem import Problem, least_squares
from probes.running.run import layout_of, train
from probes.running.smoke import STEPS, VECTORS, Smoke, smoke

CLIMB = 200
"""How many steps an optimizer has to lower the loss of a quadratic."""

RUN, RUNS_OF_A_PROFILE = 4_000, 35
"""The steps of a run, and how many runs all questions take together: Adam takes 138,000 steps, its control included."""

LONG = 60.0
"""An optimizer whose profile takes longer than this many seconds announces it."""


class Severity(enum.StrEnum):
    """fatal: no question can be asked. fault: answers may be missing, or about something else. remark: for reading."""

    FATAL = "fatal"
    FAULT = "fault"
    REMARK = "remark"


@dataclasses.dataclass(frozen=True)
class Fault:
    """One thing that is wrong or odd. line: cause and remedy, without a line break."""

    severity: Severity
    line: str


def faults(candidate: Candidate) -> list[Fault]:
    """What is wrong with the candidate, the worst first; empty where nothing is. Raises nothing."""
    fatal = _fatal(candidate)
    if fatal:
        return [Fault(Severity.FATAL, fatal)]
    seen = smoke(candidate, candidate.calls)
    found = [Fault(Severity.FAULT, line) for line in _about_parameters(seen) or _about_descent(candidate)]
    return [*found, *(Fault(Severity.REMARK, line) for line in _remarks(candidate, seen))]


def _fatal(candidate: Candidate) -> str:
    """Why no question can be asked, or ""."""
    import torch

    name = candidate.name
    if candidate.device.startswith("cuda") and not torch.cuda.is_available():
        return f"{name} is to run on {candidate.device}, and torch finds no CUDA here: leave out the device"
    try:
        calls = candidate.calls
    except OptimizerFault as error:
        return f"{error}. {_remedy_of_making(candidate, str(error))}"
    seen = smoke(candidate, calls)
    if seen.error:
        return _why_it_raises(candidate, seen)
    if not any(seen.moved):
        if not seen.held:
            return (
                f"{name} optimizes other parameters than those that it is given: make the optimizer anew in each call"
            )
        return f"{name} moves no weight in {STEPS} steps: does `step` write to the parameters, and is `lr` above 0?"
    if not any(seen.finite):
        return (
            f"{name} makes every weight infinite or nan within {STEPS} steps of a quadratic: look for a division by 0"
        )
    return ""


def _remedy_of_making(candidate: Candidate, error: str) -> str:
    if "no torch.optim.Optimizer" in error:
        return "Return the optimizer that you made of the parameters"
    if "super().__init__" in error:
        return "Without it, it holds no parameters"
    if _speaks_of_cuda(error) and candidate.device == "cpu":
        return "It may need CUDA: choose the device cuda"
    return "The function is called with a list of torch.nn.Parameter, all of double precision"


def _why_it_raises(candidate: Candidate, seen: Smoke) -> str:
    where = f"{candidate.name} raises {f'in step {seen.raised_in}' if seen.raised_in else 'when it is made'}"
    if not smoke(candidate, candidate.calls, sparse=True).error:
        return f"{candidate.name} takes sparse gradients only, and the questions have dense ones: it cannot be asked"
    if not smoke(candidate, candidate.calls, dtype="float32").error:
        return f"{where} with double precision, which the questions have{_option_of_precision(candidate)}: {seen.error}"
    if _speaks_of_cuda(seen.error) and candidate.device == "cpu":
        return f"{where}: {seen.error}. It may need CUDA: choose the device cuda"
    return f"{where}: {seen.error}. Run a few steps on a matrix of double precision to see the whole error"


def _option_of_precision(candidate: Candidate) -> str:
    """What to do about it: its option for a precision, such as storage_dtype, or that single precision does."""
    found = sorted(name for name in candidate.options if "dtype" in name)
    return f"; choose its option {found[0]}='float64'" if found else ", and not with single"


def _speaks_of_cuda(error: str) -> bool:
    return any(word in error.lower() for word in ("cuda", "triton", "gpu"))


def _about_parameters(seen: Smoke) -> list[str]:
    lines = []
    count, moved = len(seen.moved), sum(seen.moved)
    if seen.held < count:
        lines.append(f"its groups hold {seen.held} of {count} parameters: put all that are given into them")
    elif moved < count:
        lines.append(f"{count - moved} of {count} parameters never move: does `step` go through all of a group?")
    if seen.strangers:
        lines.append(f"it optimizes {seen.strangers} parameters that it was not given: make them of the list alone")
    if not all(seen.finite):
        lines.append(f"{count - sum(seen.finite)} of {count} parameters become infinite or nan within {STEPS} steps")
    changed = sorted(seen.changed - {"p.grad"})
    return [*lines, *(f"it changes {what}: leave it as it is, or restore it" for what in changed)]


def _about_descent(candidate: Candidate) -> list[str]:
    runs, steps = [], candidate.steps_to_try()
    for step in steps:
        try:
            run = train(candidate, _quadratic(), steps=CLIMB, step=step)
        except OptimizerFault as error:
            return [str(error)]
        if run.finite.all() and (run.loss < run.first_loss).all():
            return []
        runs.append(run)
    tried = (
        "as it is made"
        if steps[0] is None
        else " to ".join(f"{step:.0e}" for step in dict.fromkeys((steps[-1], steps[0])))
    )
    if not any(run.finite.all() for run in runs):
        remedy = "choose a smaller one" if candidate.has_step else "is the sign of its update right?"
        return [f"it diverges on a quadratic of smoothness 1, learning rate {tried}: {remedy}"]
    remedy = "is the sign of its update right?" + (" Or choose a smaller one" if candidate.has_step else "")
    return [f"it does not lower the loss of a quadratic in {CLIMB} steps, learning rate {tried}: {remedy}"]


def _quadratic() -> Problem:
    X = np.array([[[1.0, 0.0, 0.0], [0.0, 0.6, 0.8]], [[0.6, 0.8, 0.0], [0.4, -0.3, 0.0]]])
    return least_squares(X, np.array([[1.0, -2.0], [3.0, 1.0]]), np.full((2, 3), 0.5))


def _remarks(candidate: Candidate, seen: Smoke) -> list[str]:
    calls, lines = candidate.calls, []
    if smoke(candidate, calls, shapes=VECTORS).error:
        lines.append("takes matrices only: vectors are laid out as (1, p)")
    if candidate.own_step is None:
        lines.append("has no `lr` in its parameter groups: its step is neither searched for nor decays")
    if calls.creates_graph:
        lines.append("needs gradients with their graph, as loss.backward(create_graph=True) gives them")
    if "p.grad" in seen.changed:
        lines.append("changes p.grad: clone it before it is changed, should anything else read it")
    if seen.aliased:
        lines.append("keeps p.grad itself in its state: clone it, or zero_grad(set_to_none=False) overwrites the state")
    if seen.warned:
        lines.append(f"warns: {seen.warned}")
    again, other, beside = (smoke(candidate, calls, **how) for how in ({}, {"seed": 1}, {"beside": True}))
    if not _same(seen, again):
        lines.append("is random: two runs with the same torch seed differ")
    elif not _same(seen, other):
        lines.append("draws random numbers of torch: its answers are those of one seed")
    elif not _same(seen, beside):
        lines.append("shares state with other optimizers of its kind: two at once disturb each other")
    return lines


def _same(seen: Smoke, other: Smoke) -> bool:
    return all(np.array_equal(a, b, equal_nan=True) for a, b in zip(seen.end, other.end, strict=True))


def seconds_of_a_run(candidate: Candidate) -> float:
    """How long a run of RUN steps takes on 12 instances of a small quadratic, extrapolated from a tenth of it.

    A run that ends early, as one of L-BFGS does, is not extrapolated. A slow step is measured 20 times only. The time
    is that of the processor where other programs keep it busy, and that of the clock where several threads compute.
    Raises OptimizerFault where the optimizer does.
    """
    small = _quadratic()
    start, data = (tuple(np.repeat(array, 6, axis=0) for array in arrays) for arrays in (small.start, small.data))
    problem = Problem(start, data, small.loss)
    layout = layout_of(candidate, problem)
    for steps in (20, RUN // 10):
        began = time.perf_counter(), time.process_time()
        run = train(candidate, problem, steps=steps, decay=False, layout=layout)
        took = min(time.perf_counter() - began[0], time.process_time() - began[1])
        if run.steps < steps:
            return took
        if took * RUN / steps > LONG:
            break
    return took * RUN / steps


def announcement(candidate: Candidate) -> str | None:
    """One line that says how long a profile takes, where that is more than a minute; else None. Takes a short run."""
    try:
        seconds = seconds_of_a_run(candidate) * RUNS_OF_A_PROFILE
    except RAISED:
        return None  # the faults or the answers say so
    if seconds <= LONG:
        return None
    each = seconds / RUNS_OF_A_PROFILE / RUN
    return f"{candidate.name} takes {each * 1e6:.0f} microseconds for a step, and a profile {seconds / 60:.1f} minutes"
