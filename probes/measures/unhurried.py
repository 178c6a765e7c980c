"""A search for the largest step with which what is to be seen takes more than a few steps."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence

import numpy as np

from probes.running.candidate import Candidate, needs_closure
from probes.running.problem import Problem
from probes.running.run import Trained, train


def search_unhurried(
    candidate: Candidate,
    problem: Problem,
    *,
    steps: int,
    reached: Callable[[Trained], np.ndarray],
    early: int,
    watch: Callable[[list[np.ndarray]], np.ndarray],
    is_hurried: Callable[[Trained], bool],
    times: Sequence[int] = (),
) -> Trained:
    """As `search`, from the largest step with which a run of `early` steps is not hurried; with the largest if all are.

    A few steps tell. A method that needs closures iterates within its steps, so that a smaller step makes it slow, not
    calm: it runs with its largest step.
    """
    import torch

    tries, soon, runs = candidate.steps_to_try(), range(early + 1), []
    if needs_closure(
        candidate.build([torch.nn.Parameter(torch.zeros(2, 3, dtype=torch.float64, device=candidate.device))])
    ):
        tries = tries[:1]
    first = functools.partial(train, candidate, problem, steps=early, decay=False, watch=watch, times=soon)
    calm = next((index for index, step in enumerate(tries) if not is_hurried(first(step=step))), None)
    for step in tries[:1] if calm is None else tries[calm:]:
        runs.append(train(candidate, problem, steps=steps, step=step, watch=watch, times=times))
        if reached(runs[-1]).all():
            break
    return max(runs, key=lambda run: int(reached(run).sum()))
