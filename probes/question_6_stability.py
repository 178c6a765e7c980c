r"""Question 6 - how large a step is stable, and how sharp is the minimum where it ends?

Given     stable step: quadratics (1/2) h w'Hw in four weights with largest curvature h, from a start with a component
          along every eigenvector. Final sharpness: networks v'tanh(W tanh(U x)) with 4 inputs, two layers of 5 neurons
          and 6 samples, half the squared error, in double precision.
When      the optimizer runs at a constant step eta: its own on the quadratics, where h is bisected; on the networks,
          the largest of the grid at which each loss falls to 1e-2 of itself.
Then      stable step: eta h at the border of stability. Some runs follow a recursion w_{t+1} = A w_t + B w_{t-1}; it is
          read off 12 steps from all e_j, and must reproduce a run from another start. Then the border is where its
          spectral radius is 1; runs must fall below the border and grow above it. For all others, the border is where
          runs begin to grow without end.
          Final sharpness: eta times the largest eigenvalue of the Hessian of the network, exact, divided by eta h at
          the border. For an optimizer that keeps second moments v and steps as Adam or RMSprop do, with P =
          diag(sqrt(v) + eps): eta times that of P^{-1/2} H P^{-1/2}, the median over the last quarter of the run.
So        the border is named if it agrees with theory to the width of the bracket and sqrt(u); beta is the momentum of
          the parameter groups. Sharpness: kept below the threshold, if no instance ends above it, and gradient descent
          with a small step ends above it in some. At the preconditioned threshold, if the median over the instances is
          within a factor of 2 of it: the curvature swings, and in some instances it is on its way still.
Expected  Gradient descent is stable for eta < 2/h, heavy ball for eta < 2(1 + beta)/h, Nesterov's method for
          eta < (2 + 2 beta)/((1 + 2 beta) h) (Cohen, Kaur, Li, Kolter, Talwalkar 2021). A sharper minimum
          does not attract. Adam with a frozen preconditioner is stable for eta lambda(P^{-1}H) < (2 + 2 beta_1)/
          (1 - beta_1), which is 38, and RMSprop for less than 2; in training the curvature hovers there, an observation
          on networks at full batch (Cohen, Ghorbani, Krishnan, Agarwal et al. 2022).
"""

from __future__ import annotations

import numpy as np

from fixtures.precision import factorization, rounding
from probes.measures.linear_recursion import TOLERANCE
from probes.measures.network_sharpness import SMALL_STEP, WEIGHTS, edge_of, sharpness_of
from probes.measures.stability import Border, border_of
from probes.profiles.answers import Answering, Status
from probes.profiles.questions import question
from probes.running.candidate import Candidate, gradient_descent
from probes.running.problem import Effort

SHARPNESS = (
    "kept below the threshold",
    "at the preconditioned threshold",
    "below the preconditioned threshold",
    "above the threshold",
)
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


@question("final sharpness", title="Final sharpness", answers=SHARPNESS)
def test_the_sharpness_at_the_end(candidate: Candidate, effort: Effort, answer: Answering) -> None:
    # given
    edge, border = edge_of(candidate, effort.steps), border_of(candidate, effort)
    if edge is None and not (border.linear and np.isfinite(border.values).all()):
        answer.unanswered(Status.NOT_APPLICABLE, "no linear recursion and no second moments: no threshold is known")
        return
    # when
    run, control = (sharpness_of(one, effort) for one in (candidate, gradient_descent()))
    small = sharpness_of(gradient_descent(), effort, SMALL_STEP)
    # then
    answer.step = run.step
    limit = border.values.mean() if edge is None else edge
    over = run.step * (run.curvature if edge is None else run.preconditioned) / limit
    answer.measured(
        "sharpness over its threshold" if edge is None else "preconditioned sharpness over its threshold",
        over,
        resolution=rounding(factorization(WEIGHTS), max(1.0, np.nan_to_num(over).max())),
        control=control.step * control.curvature / 2,
        certificate="all eigenvalues of the exact Hessian",
        worst_ratio=over.max() if edge is None else None,
    )
    # so
    limited = int((run.step * small.curvature > limit).sum())
    detail = f"{over.min():.3g} to {over.max():.3g} times the threshold {limit:.4g}/eta"
    if not run.fitted.all():
        answer.unanswered(Status.NOT_CONVERGED, f"{run.fitted.sum()} of {len(over)} networks are fitted")
    elif np.isnan(over).any():
        answer.unanswered(Status.NOT_CONVERGED, f"{np.isnan(over).sum()} of {len(over)} runs have no sharpness")
    elif edge is not None:
        middle = np.median(over)
        near = "at the preconditioned threshold" if middle >= 0.5 else "below the preconditioned threshold"
        answer.answered(near if middle <= 2 else "above the threshold", f"{detail}, median {middle:.3g}")
    elif not limited:
        answer.unanswered(Status.NOT_IDENTIFIABLE, "no network would end above the threshold with a small step")
    else:
        says = "kept below the threshold" if (over <= 1).all() else "above the threshold"
        answer.answered(says, f"{detail}, which {limited} of {len(over)} would exceed with a small step")
