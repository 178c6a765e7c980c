r"""Question 1 - does it reach a minimum?

Given     least squares with n = 6 samples and p = 20 weights, smoothness 1, condition number of X at most 3, from
          zero: the minima are the w with Xw = y.
When      the optimizer runs for T steps, once with the decay of the step and once without.
Then      |Xw - y| at the end, and the first step after which it stays below 1e-3 |y|.
So        it reaches a minimum at a constant step, only where the step decays, or not at all. |Xw - y|/s_n bounds the
          distance from the nearest interpolant.
Expected  Gradient descent with eta < 2 reaches a minimum at a constant step.
"""

from __future__ import annotations

import numpy as np

from fixtures.problems.batches import stack
from fixtures.problems.interpolation import LENGTH, read_interpolation
from probes.answers import Answering, Status
from probes.candidate import Candidate, gradient_descent
from probes.problem import Effort, least_squares
from probes.questions import question
from probes.run import Trained, search, train

REACHED = 1e-6


def reached(run: Trained) -> np.ndarray:
    """Whether |Xw - y| <= 1e-3 |Xw_0 - y|, (B,)."""
    return run.finite & (run.loss <= REACHED * run.first_loss)


@question("interpolation", title="Reaches a minimum", answers=("yes", "only with decay"))
def test_it_reaches_a_minimum(candidate: Candidate, effort: Effort, answer: Answering) -> None:
    # given
    drawn = stack(effort.draw("interpolation", read_interpolation, LENGTH))
    problem = least_squares(drawn.X, drawn.y, 0 * drawn.w0)
    # when
    decayed = search(candidate, problem, steps=effort.steps, reached=reached)
    constant = train(candidate, problem, steps=effort.steps, step=decayed.step, decay=False)
    control = search(gradient_descent(), problem, steps=effort.steps, reached=reached)
    # then
    answer.step = decayed.step
    answer.measured(
        "|Xw - y| with decay", (2 * decayed.loss) ** 0.5, resolution=1e-3, control=(2 * control.loss) ** 0.5
    )
    answer.measured("|Xw - y| without decay", (2 * constant.loss) ** 0.5, resolution=1e-3)
    # so
    if not reached(decayed).all():
        answer.unanswered(
            Status.NOT_CONVERGED, f"{reached(decayed).sum()} of {problem.count} instances reach a minimum"
        )
    elif reached(constant).all():
        answer.answered("yes", "at a constant step and with decay")
    else:
        answer.answered("only with decay", f"{reached(constant).sum()} of {problem.count} at a constant step")
