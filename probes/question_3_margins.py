r"""Question 3 - which margin does it maximize?

Given     separable data, labels folded in: 12 points in 16 dimensions, or 8 matrices (4, 8). Their largest margins
          gamma* = max_{|W| <= 1} min_i <Z_i, W> in l1, l2, l-infinity, or in the entrywise maximum, Frobenius, spectral
          and nuclear norm have maximizers far apart. The *separation* in a norm: a
          maximizer of another norm lacks at least this share of gamma* in it.
When      the optimizer runs for T steps from zero on the logarithm of the mean exponential loss, at a constant step.
          Its gradient has the direction of that of the exponential loss, and does not vanish. The step is the largest
          of the grid, or a tenth of it where no norm is named at the largest. An optimizer that evaluates the loss
          itself, up to 25 times a step, takes T/100 steps.
Then      min_i <Z_i, W> / (|W| gamma*) in each norm, at T and at T/10; the *deficit* is what it lacks to 1.
So        a norm is named if, in this norm and no other, the deficit is at most half of the separation on every
          instance, and at most a quarter of it on average; if the margin has fallen from T/10 to T, also after the same
          fall once more. Otherwise no norm is named: the optimizer is not there yet, or goes elsewhere.
Expected  Steepest descent in a norm maximizes the margin in that norm (Gunasekar, Lee, Soudry, Srebro 2018, for the
          exponential loss): gradient descent l2, sign descent l-infinity, exact spectral descent the spectral norm.
Differs   The logarithm changes the length of the gradient, which matters to an optimizer that remembers old gradients.
          The sum of squares of AdaGrad converges for a gradient that vanishes (Qian, Qian 2019, find a direction that
          depends on the data and on the step), and grows for this one. The theorem for Adam (Zhang, Zou, Cao 2024) has
          a step that tends to 0, and that for Muon (Fan, Schmidt, Thrampoulidis 2025) the polar factor of the gradient:
          five Newton-Schulz steps with Muon's coefficients are not near enough to it, as was observed here; twenty with
          coefficients 3/2 and -1/2 are.
"""

from __future__ import annotations

import importlib.util

from fixtures.problems.batches import stack
from fixtures.problems.margin_geometry import MATRIX_LENGTH, VECTOR_LENGTH, read_signed_matrices, read_signed_vectors
from probes.measures.margins import NONE, conclude, geometry_of, report_margins, run_towards_a_margin
from probes.profiles.answers import Answering, Status
from probes.profiles.questions import question
from probes.running.candidate import Candidate, gradient_descent
from probes.running.problem import Effort

VECTOR_NORMS = ("l1", "l2", "l-infinity")
MATRIX_NORMS = ("max", "Frobenius", "spectral", "nuclear")


@question("vector margin", title="Margin of vectors", answers=(*VECTOR_NORMS, NONE))
def test_it_maximizes_a_margin_of_vectors(candidate: Candidate, effort: Effort, answer: Answering) -> None:
    # given
    drawn = stack(effort.draw("vector margin", read_signed_vectors, VECTOR_LENGTH))
    geometry = geometry_of(drawn.Z, VECTOR_NORMS)
    # when
    found = run_towards_a_margin(candidate, geometry, effort.steps)
    control = run_towards_a_margin(gradient_descent(), geometry, effort.steps)
    # then
    report_margins(answer, geometry, found, control)
    # so
    conclude(answer, geometry, found)


@question("matrix margin", title="Margin of matrices", answers=(*MATRIX_NORMS, NONE))
def test_it_maximizes_a_margin_of_matrices(candidate: Candidate, effort: Effort, answer: Answering) -> None:
    if importlib.util.find_spec("cvxpy") is None:
        answer.unanswered(Status.NOT_APPLICABLE, "the oracles need cvxpy: install the extra 'oracles'")
        return
    # given
    drawn = stack(effort.draw("matrix margin", read_signed_matrices, MATRIX_LENGTH))
    geometry = geometry_of(drawn.Z, MATRIX_NORMS)
    # when
    found = run_towards_a_margin(candidate, geometry, effort.steps)
    control = run_towards_a_margin(gradient_descent(), geometry, effort.steps)
    # then
    report_margins(answer, geometry, found, control)
    # so
    conclude(answer, geometry, found)
