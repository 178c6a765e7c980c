r"""Question 6 - how large a step is stable, and how sharp is the minimum where it ends?

Given     stable step: quadratics (1/2) h w'Hw in four weights with largest curvature h, from a start with a component
          along every eigenvector. Final sharpness: networks v'tanh(W tanh(U x)) with 4 inputs, two layers of 5 neurons
          and 6 samples, half the squared error, in double precision.
When      the optimizer runs at a constant step eta: its own on the quadratics, where h is bisected; on the networks,
          the largest of the grid at which each loss falls to 1e-2 of itself.
Then      eta h at the border of stability. If the runs follow a recursion w_{t+1} = A w_t + B w_{t-1}, which is read
          off 12 steps from all e_j and must reproduce a run from another start, it is where the spectral radius is 1,
          and runs must fall below it and grow above it. Otherwise it is where runs begin to grow without end.
          The largest eigenvalue of the Hessian of the network, exact, times eta, over eta h at the border. For an
          optimizer that keeps second moments v, with P = diag(sqrt(v) + eps): that of P^{-1/2} H P^{-1/2} times eta,
          its median over the last quarter of the run.
So        the border is named if it agrees with theory to the width of the bracket and sqrt(u); beta is the momentum of
          the parameter groups. Sharpness: kept below the threshold, if no instance ends above it, and gradient descent
          with a small step ends above it in some. At the preconditioned threshold, if every instance is within a
          factor of 2 of it.
Expected  Gradient descent is stable for eta < 2/h, heavy ball for eta < 2(1 + beta)/h, Nesterov's method for
          eta < (2 + 2 beta)/((1 + 2 beta) h) (Cohen, Kaur, Li, Kolter, Talwalkar 2021, Section 2). No minimum that is
          sharper attracts. Adam with a frozen preconditioner is stable for eta lambda(P^{-1}H) < (2 + 2 beta_1)/
          (1 - beta_1), which is 38, and RMSprop for less than 2; in training the curvature hovers there, an observation
          on networks at full batch (Cohen, Ghorbani, Krishnan, Agarwal et al. 2022).
"""

from __future__ import annotations

import numpy as np

from probes.answers import Answering, Status
from probes.candidate import Candidate, gradient_descent
from probes.problem import Effort
from probes.questions import question
from probes.stability import TOLERANCE, Border, border_of

THEORY = ("2/lambda", "2(1+beta)/lambda", "(2+2beta)/((1+2beta)lambda)")


def thresholds(beta: float) -> dict[str, float]:
    """The border eta h by the names of THEORY; without momentum they agree, and the first stands for them."""
    return dict(zip(THEORY, (2.0, 2 * (1 + beta), (2 + 2 * beta) / (1 + 2 * beta)), strict=True))


def named(border: Border, beta: float) -> str:
    """The name of the theory that all instances agree with, or "another step"."""
    for name, value in thresholds(beta).items():
        if (np.abs(border.values / value - 1) <= border.width + TOLERANCE).all():
            return name
    return "another step"


@question("stable step", title="Largest stable step", answers=(*THEORY, "stable at every step", "another step"))
def test_the_largest_stable_step(candidate: Candidate, effort: Effort, answer: Answering) -> None:
    # given, when
    border, control = border_of(candidate, effort), border_of(gradient_descent(), effort)
    # then
    answer.step = border.step
    answer.measured(
        "largest stable step times curvature",
        border.values,
        resolution=(border.width + TOLERANCE) * np.nan_to_num(border.values).max(),
        control=control.values,
        certificate="spectral radius of the recursion, and runs on both sides" if border.linear else "growing runs",
    )
    # so
    beta = candidate.setting("momentum", 0.0)
    if border.fault:
        answer.unanswered(Status.NOT_IDENTIFIABLE, border.fault)
    elif np.isnan(border.values).all():
        answer.answered(
            "stable at every step", f"no run grows at a curvature of up to {border.highest:g} over the step"
        )
    else:
        low, high = np.nanmin(border.values), np.nanmax(border.values)
        answer.answered(named(border, beta), f"eta lambda from {low:.7g} to {high:.7g}, at momentum {beta:g}")
