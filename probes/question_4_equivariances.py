r"""Question 4 - with which transformations of the weights does it commute?

Given     least squares with n = 6, p = 20 from a start w_0 that is not zero, and the loss L'(w') = c L(A w' + b) from
          A^{-1}(w_0 - b): a permutation; a rotation; a power of two for each weight, which scales the columns of X; a
          power of two for c; a shift b. A separable loss, sum_i f_i(w_i), and sum_i c_i f_i(w_i). The 20 weights as a
          matrix W (4, 5), rotated from the left and from the right.
When      the optimizer runs on both for T/125 steps, at a constant step that does not amplify rounding, if there is
          one.
Then      the violation max_t |A w'_t + b - w_t| over t = 1, 2, 4, ..., T/125, divided by the longer of the two ways
          max_t |w_t - w_0|: at most 2. Permutations and powers of two are exact in floating point. The bound on
          rounding is u times the number of roundings times the sensitivity of the run, measured with weights that are
          perturbed by about sqrt(u).
So        exact: no bit differs. To rounding: the violation is below this bound. To lower precision: it falls below the
          bound if the bfloat16 or float32 inside the optimizer is replaced by float64. Up to epsilon: with 2^-20 of its
          epsilon, the violation falls to 2^-10 of itself, or below the bound. Otherwise violated. If two runs on the
          same problem differ, there is no answer.
Couples   The term of the first weight in the separable loss is changed. Parameters are coupled if several in
          one optimizer do not run as each runs alone; otherwise entries, if a bit of another weight changes.
Expected  Gradient descent commutes with rotations, permutations and shifts. Adam commutes with permutations, and up to
          epsilon with the scale of a loss and with those of the terms of a separable loss: its updates do not depend on
          the scale of each component of the gradient (Kingma, Ba 2015, Section 2.1; called scale-free by Zhuang, Liu,
          Cutkosky, Orabona 2022, who show that epsilon and a decay in the gradient break it). It does not commute with
          the scales of the columns of X: the update does not change, and should. Muon commutes with rotations of a
          matrix from both sides, to bfloat16. Weight decay toward zero does not commute with shifts.
"""

from __future__ import annotations

from fixtures.precision import rounding
from probes.measures.equivariance import (
    KINDS,
    OPERATIONS,
    Fingerprint,
    Run,
    coupling,
    matrix_fingerprint,
    vector_fingerprint,
)
from probes.profiles.answers import Answering, Status
from probes.profiles.questions import question
from probes.running.candidate import Candidate, gradient_descent
from probes.running.problem import Effort


def measure(answer: Answering, name: str, found: Fingerprint, control: Fingerprint) -> None:
    """Store the violations of one transformation."""
    run = found.plain
    answer.step = run.step
    answer.measured(
        "violation",
        run.violations[name],
        resolution=run.bounds[name].max(),
        control=control.plain.violations[name],
        certificate="rounding, at the measured sensitivity",
        worst_ratio=(run.violations[name] / run.bounds[name]).max() if found.kind(name) == "to rounding" else None,
    )


def conclude(answer: Answering, name: str, found: Fingerprint) -> None:
    """State what the violation is, or why that cannot be said."""
    run, worst = found.plain, found.plain.violations[name].max()
    if not run.finite:
        answer.unanswered(Status.NOT_CONVERGED, "the plain runs diverge")
    elif not run.moved.all():
        answer.unanswered(Status.NOT_APPLICABLE, "the weights do not move")
    elif not run.holds("repetition"):
        _do_not_repeat(answer, run)
    else:
        details = {
            "exact": "no bit differs",
            "to rounding": f"violated by {worst:.1g}, which is rounding",
            "to lower precision": f"violated by {worst:.1g}, and not without {' and '.join(found.lower)}",
            "up to epsilon": f"violated by {worst:.1g}, which falls with epsilon",
            "violated": f"violated by {run.violations[name].min():.1g} to {worst:.1g}",
        }
        answer.answered(found.kind(name), details[found.kind(name)])


def _do_not_repeat(answer: Answering, run: Run) -> None:
    apart = run.violations["repetition"].max()
    answer.unanswered(Status.NOT_IDENTIFIABLE, f"two runs on the same problem differ by {apart:.1g} of their way")


@question("permutation", title="Permutation", answers=KINDS)
def test_it_commutes_with_permutations(candidate: Candidate, effort: Effort, answer: Answering) -> None:
    # given, when
    found, control = (vector_fingerprint(one, effort) for one in (candidate, gradient_descent()))
    # then
    measure(answer, "permutation", found, control)
    # so
    conclude(answer, "permutation", found)


@question("rotation", title="Rotation", answers=KINDS)
def test_it_commutes_with_rotations(candidate: Candidate, effort: Effort, answer: Answering) -> None:
    # given, when
    found, control = (vector_fingerprint(one, effort) for one in (candidate, gradient_descent()))
    # then
    measure(answer, "rotation", found, control)
    # so
    conclude(answer, "rotation", found)


@question("scaling", title="Scale of each weight", answers=KINDS)
def test_it_commutes_with_a_scale_of_each_weight(candidate: Candidate, effort: Effort, answer: Answering) -> None:
    # given, when
    found, control = (vector_fingerprint(one, effort) for one in (candidate, gradient_descent()))
    # then
    measure(answer, "scaling", found, control)
    # so
    conclude(answer, "scaling", found)


@question("loss scale", title="Scale of the loss", answers=KINDS)
def test_it_ignores_the_scale_of_the_loss(candidate: Candidate, effort: Effort, answer: Answering) -> None:
    # given, when
    found, control = (vector_fingerprint(one, effort) for one in (candidate, gradient_descent()))
    # then
    measure(answer, "loss scale", found, control)
    # so
    conclude(answer, "loss scale", found)


@question("scale-free", title="Scale of each term", answers=KINDS)
def test_it_ignores_the_scale_of_each_term(candidate: Candidate, effort: Effort, answer: Answering) -> None:
    # given, when
    found, control = (vector_fingerprint(one, effort) for one in (candidate, gradient_descent()))
    # then
    measure(answer, "scale-free", found, control)
    # so
    conclude(answer, "scale-free", found)


@question("shift", title="Shift", answers=KINDS)
def test_it_commutes_with_shifts(candidate: Candidate, effort: Effort, answer: Answering) -> None:
    # given, when
    found, control = (vector_fingerprint(one, effort) for one in (candidate, gradient_descent()))
    # then
    measure(answer, "shift", found, control)
    # so
    conclude(answer, "shift", found)


@question("left rotation", title="Rotation from left", answers=KINDS)
def test_it_commutes_with_rotations_from_the_left(candidate: Candidate, effort: Effort, answer: Answering) -> None:
    # given, when
    found, control = (matrix_fingerprint(one, effort) for one in (candidate, gradient_descent()))
    # then
    measure(answer, "left rotation", found, control)
    # so
    conclude(answer, "left rotation", found)


@question("right rotation", title="Rotation from right", answers=KINDS)
def test_it_commutes_with_rotations_from_the_right(candidate: Candidate, effort: Effort, answer: Answering) -> None:
    # given, when
    found, control = (matrix_fingerprint(one, effort) for one in (candidate, gradient_descent()))
    # then
    measure(answer, "right rotation", found, control)
    # so
    conclude(answer, "right rotation", found)


@question("coupling", title="What it couples", answers=("nothing", "entries", "parameters"))
def test_it_couples_weights(candidate: Candidate, effort: Effort, answer: Answering) -> None:
    # given, when
    share, layout = coupling(candidate, effort)
    run = matrix_fingerprint(candidate, effort).plain
    # then
    answer.step = run.step
    answer.measured(
        "other entries over the first",
        share,
        resolution=rounding(OPERATIONS),
        control=coupling(gradient_descent(), effort)[0],
        certificate="one term of a separable loss is changed",
    )
    # so
    if not run.holds("repetition"):
        _do_not_repeat(answer, run)
    elif layout == "apart":
        answer.answered("parameters", f"the first entry moves other entries by up to {share.max():.1g} of its own way")
    elif share.any():
        answer.answered("entries", f"the first entry moves others by up to {share.max():.1g} of its own way")
    else:
        answer.answered("nothing", "no other entry changes by a bit")
