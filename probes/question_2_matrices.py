r"""Question 2, matrices - which norm is least at the matrix that it reaches?

Given     eight linear measurements <A_i, W> = y_i of a 4 x 5 matrix, singular values of W -> (<A_i, W>)_i in [1/3, 1],
          |y| = 1, the loss half the squared error, from zero. Minima: the W that fit.
When      the optimizer runs for T steps with decay, at the largest step of the grid at which all runs fit.
Then      at the minimum nearest to W_T, the excess over the least Frobenius, nuclear and spectral norm.
So        a norm is named if its excess is at most a tenth of its separation in every instance. Its separation is the
          least excess in it of the minimizers of the other norms, or 1 if that is less. Otherwise "none of these". An
          instance whose separation is not above the resolution has no say; if most have none, no norm is identifiable.
Expected  Gradient descent and momentum reach the least Frobenius norm: W_T is a combination of the A_i.
Precision Each least norm has a primal and a dual point that are checked here: the relative gap and the rounding of the
          nearest minimum are the resolution. General measurements, because with WX = Y all three norms are least at
          YX^+.
"""

from __future__ import annotations

import functools

import numpy as np
from numpy.linalg import norm

from fixtures.precision import factorization, rounding
from fixtures.problems.batches import stack
from fixtures.problems.matrix_interpolation import LENGTH, MatrixInterpolation, read_matrix_interpolation
from probes.measures.nearest import NONE, answer_nearest, measure_excess
from probes.profiles.answers import Answering, Status
from probes.profiles.questions import question
from probes.question_1_interpolation import reached
from probes.running.candidate import Candidate, gradient_descent
from probes.running.problem import Effort, Problem, measured_matrices
from probes.running.run import Trained, search
from properties.least import Least
from properties.oracles import nearest_interpolant
from properties.spectra.least_norms import NUCLEAR, SPECTRAL, least_frobenius_norm, least_invariant_norm


@functools.lru_cache(maxsize=4)
def candidates(effort: Effort) -> tuple[MatrixInterpolation, list[Least]]:
    """The instances, as a batch, and what may be least."""
    drawn = stack(effort.draw("matrix norm", read_matrix_interpolation, LENGTH))
    invariant = [least_invariant_norm(drawn.A, drawn.y, one, iterations=2000) for one in (NUCLEAR, SPECTRAL)]
    return drawn, [least_frobenius_norm(drawn.A, drawn.y), *invariant]


def problem_of(drawn: MatrixInterpolation) -> Problem:
    """What the optimizer is given: the measurements, from zero."""
    return measured_matrices(drawn.A, drawn.y, np.zeros((len(drawn.y), *drawn.A.shape[2:])))


@functools.lru_cache(maxsize=4)
def controlled(effort: Effort, device: str) -> np.ndarray:
    """Where gradient descent lands on these instances; see `nearest_minimum`."""
    drawn, _ = candidates(effort)
    run = search(gradient_descent(device), problem_of(drawn), steps=effort.steps, reached=reached)
    return nearest_minimum(drawn, run)


def nearest_minimum(drawn: MatrixInterpolation, run: Trained) -> np.ndarray:
    """The matrix that fits and is nearest to W_T, (B, 4, 5), by LAPACK; nan where W_T has not reached a minimum."""
    ok = reached(run)[:, None, None]
    flat = np.where(ok, run.factors[0], 0).reshape(len(ok), -1)
    return np.where(ok, nearest_interpolant(drawn.flat, drawn.y, flat).reshape(run.factors[0].shape), np.nan)


def oracle_rounding(drawn: MatrixInterpolation, W: np.ndarray) -> np.ndarray:
    """A bound on the error of `nearest_minimum`, (B,): LAPACK's, with the condition number 1/min s."""
    size = 2 * norm(np.nan_to_num(W), axis=(-2, -1))
    return rounding(factorization(*drawn.flat.shape[1:]), 2 / drawn.s.min(-1) * size)


@question("matrix norm", title="Least matrix norm", answers=("Frobenius", "nuclear", "spectral", NONE))
def test_it_reaches_a_least_matrix_norm(candidate: Candidate, effort: Effort, answer: Answering) -> None:
    # given
    drawn, least = candidates(effort)
    # when
    run = search(candidate, problem_of(drawn), steps=effort.steps, reached=reached)
    W, control = nearest_minimum(drawn, run), controlled(effort, candidate.device)
    # then
    answer.step = run.step
    found = [measure_excess(answer, one, least, W, control, oracle_rounding(drawn, W)) for one in least]
    # so
    if not reached(run).all():
        answer.unanswered(Status.NOT_CONVERGED, f"{reached(run).sum()} of {len(W)} instances reach a minimum")
    else:
        answer_nearest(answer, found)
