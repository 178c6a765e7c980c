"""Self-tests: planted and known optimizers are told apart by the row space, the vector norm and the matrix norm."""

import dataclasses
import functools

import numpy as np
import pytest

from probes.measures.nearest import FACTOR, NONE, Excess, answer_nearest, measure_excess, separation
from probes.measures.two_starts import STARTS, Landing, TwoStarts, candidates, problems
from probes.profiles.answers import Answering, Status
from probes.profiles.questions import all_questions, ask
from probes.question_2_interpolants import certified, from_projection, outside_row_space, where
from probes.question_2_matrices import candidates as candidate_matrices
from probes.running.candidate import of_class
from probes.running.problem import Effort
from properties.certificates import assert_at_most, assert_identical
from properties.oracles import nearest_interpolant

SHORT, LONG = Effort(instances=4, steps=400), Effort(instances=4, steps=2000)
ROWS, VECTORS, MATRICES = "row space", "vector norm", "matrix norm"


@functools.cache
def candidate(name, **options):
    """A candidate of a class of torch.optim, or of a planted one, of this name: one, so that its runs are made once."""
    import torch

    from probes import planted

    return of_class(name, getattr(torch.optim, name, None) or getattr(planted, name), options)


def asked(key, name, effort=SHORT, **options):
    """The candidate's answer."""
    question = next(question for question in all_questions() if question.key == key)
    return ask(question, candidate(name, **options), effort)


def numbers(answer, start):
    """The values of the measured number whose name starts so."""
    return np.array(next(measured.values for measured in answer.measured if measured.name.startswith(start)))


def resolution(answer, start):
    return next(measured.resolution for measured in answer.measured if measured.name.startswith(start))


@pytest.mark.slow
@pytest.mark.parametrize(
    "descent",
    [{"lr": 1.0}, {"lr": 0.1, "momentum": 0.9, "nesterov": True}],
    ids=["plain", "nesterov"],
)
def test_gradient_descent_projects_its_start_and_reaches_the_least_norms_of_euclid(descent):
    rows = asked(ROWS, "SGD", **descent)
    assert_identical(rows.says, "projects w_0", why=rows.detail)
    assert_identical(asked(VECTORS, "SGD", **descent).says, "l2", why="vectors")
    assert_identical(asked(MATRICES, "SGD", **descent).says, "Frobenius", why="matrices")
    kept = numbers(rows, "share of P_null w_0")
    assert_at_most(np.abs(kept - 1), resolution(rows, "share of P_null w_0"), why="the part in null(X) is kept")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "options", "says"),
    [
        ("DriftsOffTheRowSpace", {"lr": 1.0}, ("drifts off row(X)", "l2", "Frobenius")),
        ("TakesSteepestStepsInTheMaximumNorm", {"lr": 0.05}, ("leaves row(X)", NONE, NONE)),
        ("TakesSteepestStepsInTheSpectralNorm", {"lr": 0.1}, ("projects w_0", "l2", NONE)),
    ],
    ids=["drift", "maximum norm", "spectral norm"],
)
def test_planted_optimizers_are_told_apart(name, options, says):
    for key, expected in zip((ROWS, VECTORS, MATRICES), says, strict=True):
        answer = asked(key, name, **options)
        assert_identical(answer.says, expected, why=f"{key}: {answer.detail}")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "options", "says"),
    [
        ("LBFGS", {}, ("projects w_0", "l2", "Frobenius")),
        ("Adam", {"lr": 0.1}, ("leaves row(X)", NONE, NONE)),
        ("Muon", {"lr": 0.1, "weight_decay": 0.0}, ("drifts off row(X)", "l2", NONE)),
        ("Muon", {"lr": 0.1, "weight_decay": 0.1}, ("forgets w_0", "l2", NONE)),
    ],
    ids=["LBFGS", "Adam", "Muon without decay", "Muon with decay"],
)
def test_known_optimizers_are_told_apart(name, options, says):
    test_planted_optimizers_are_told_apart(name, options, says)


@pytest.mark.slow
def test_a_jump_to_the_least_l1_norm_is_named():
    assert_identical(asked(ROWS, "JumpsToTheLeastL1Norm").says, "leaves row(X)", why="rows")
    answer = asked(VECTORS, "JumpsToTheLeastL1Norm")
    assert_identical(answer.says, "l1", why=answer.detail)
    excess = np.abs(numbers(answer, "excess over the least l1"))
    assert_at_most(excess, resolution(answer, "excess over the least l1"), why="excess")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "options", "says"),
    [
        ("TakesMirrorStepsInEntropy", {"lr": 2.0}, "entropy"),
        ("TakesMirrorStepsInHyperbolicEntropy", {"lr": 4.0, "beta": 2.0**-6}, "hypentropy"),
        ("TakesMirrorStepsInHyperbolicEntropy", {"lr": 2.0, "beta": 2.0**-3}, NONE),
    ],
    ids=["exponentiated gradient", "hypentropy of the stated scale", "hypentropy of another scale"],
)
def test_mirror_descent_is_named_by_its_potential(name, options, says):
    answer = asked(VECTORS, name, LONG, **options)
    assert_identical(answer.says, says, why=answer.detail)


@pytest.mark.slow
def test_exponentiated_gradient_answers_from_the_start_that_it_can_leave():
    answer = asked(ROWS, "TakesMirrorStepsInEntropy", LONG, lr=2.0)
    assert_identical(answer.says, "leaves row(X)", why=answer.detail)
    assert_identical("from zero, 0 of 4 reach a minimum" in answer.detail, True, why=answer.detail)
    assert_identical(np.isnan(numbers(answer, "share outside row(X), from zero")).all(), True, why="no value")


@pytest.mark.slow
@pytest.mark.parametrize("step", [1e-3, 3.0], ids=["too small", "too large"])
@pytest.mark.parametrize("key", [ROWS, VECTORS, MATRICES])
def test_a_step_that_reaches_no_minimum_is_not_converged(key, step):
    answer = asked(key, "SGD", lr=step)
    assert_identical(answer.status, Status.NOT_CONVERGED, why=answer.detail)
    assert_identical(any(measured.finite for measured in answer.measured), False, why="no value")


def test_a_drift_of_a_thousandth_differs_from_gradient_descent_by_more_than_the_resolution():
    drift, descent = asked(ROWS, "DriftsOffTheRowSpace", lr=1.0), asked(ROWS, "SGD", lr=1.0)
    for name in ("share outside row(X), from zero", "share outside row(X), from w_0"):
        apart = numbers(drift, name).min() - numbers(descent, name).max()
        assert_at_most(max(resolution(drift, name), resolution(descent, name)), apart, why=name)
        assert_at_most(numbers(drift, name), 1 / FACTOR**2, why="it is a small drift")


@pytest.mark.slow
def test_rounding_to_bfloat16_is_what_takes_muon_off_the_row_space():
    exact = asked(ROWS, "TakesSteepestStepsInTheSpectralNorm", lr=0.1, momentum=0.95)
    rounded = asked(ROWS, "Muon", lr=0.1, weight_decay=0.0)
    share = "share outside row(X), from zero"
    assert_at_most(numbers(exact, share), resolution(exact, share), why="polar factors of double precision")
    assert_at_most(100 * resolution(rounded, share), numbers(rounded, share), why="of bfloat16")


@pytest.mark.parametrize(
    ("from_zero", "from_w0", "says"),
    [
        (0.0, 0.0, "projects w_0"),
        (0.0, -0.1, "forgets w_0"),
        (0.0, 0.02, "drifts off row(X)"),
        (1e-8, 1e-8, "drifts off row(X)"),
        (0.01, -0.03, "drifts off row(X)"),
        (0.01, -0.9, "forgets w_0"),
        (0.0, 0.9, "leaves row(X)"),
        (1.0, -0.9, "leaves row(X)"),
    ],
)
def test_decay_is_told_from_a_drift_by_both_starts(from_zero, from_w0, says):
    # given  projections that have gained a multiple of the part of w_0 in null(X)
    drawn = problems(SHORT)
    null, starts = drawn.off_row_space(drawn.w0), (0 * drawn.w0, drawn.w0)
    ends = [
        nearest_interpolant(drawn.X, drawn.y, start) + share * null
        for start, share in zip(starts, (from_zero, from_w0), strict=True)
    ]
    landings = [Landing(name, drawn, *points) for name, *points in zip(STARTS, starts, ends, strict=True)]
    # when, then
    assert_identical(where(TwoStarts(tuple(landings), 0.1, 400)), says, why="from the shares alone")


def test_the_share_and_the_certified_distance_of_a_known_point_are_known():
    # given  unit vectors v of the least singular value and z of null(X), and P(w_0) by the pseudo-inverse
    drawn = problems(SHORT)
    v = np.array([V[:, s.argmin()] for V, s in zip(drawn.V, drawn.s, strict=True)])
    z = drawn.off_row_space(drawn.w0)
    z /= np.linalg.norm(z, axis=-1, keepdims=True)
    projection = drawn.w0 + np.matvec(np.linalg.pinv(drawn.X), drawn.y - np.matvec(drawn.X, drawn.w0))
    away = np.linalg.norm(drawn.w0 - projection, axis=-1)
    # when
    moved, near = (Landing("w_0", drawn, drawn.w0, w) for w in (drawn.w0 + 3 * v + 4 * z, projection + 1e-3 * v))
    # then  sides 3 and 4 of a right angle
    assert_at_most(np.abs(outside_row_space(moved) - 0.8), moved.oracle_rounding, why="share")
    # then  the bound is attained along v
    close = near.oracle_rounding / 1e-3
    assert_at_most(np.abs(from_projection(near) - 1e-3 / away), near.oracle_rounding / away, why="distance")
    assert_at_most(np.abs(certified(near) - 1), 2 * close, why="error/bound")
    assert_at_most(certified(near), 1.0, why="a certificate")


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_each_minimizer_is_named_as_what_it_minimizes(seed):
    from_zero, (entropy, rival) = candidates(Effort(instances=12, seed=seed))
    for asked_about, told_from in ((from_zero, from_zero), ([entropy], [entropy, rival])):
        for true in asked_about:
            assert_identical(named(asked_about, told_from, true.w), true.name, why=f"the minimizer of {true.name}")
    assert_identical(named([entropy], [entropy, rival], rival.w), NONE, why="a rival")


@pytest.mark.slow
def test_each_minimizing_matrix_is_named_as_what_it_minimizes():
    _, least = candidate_matrices(SHORT)
    for true in least:
        assert_identical(named(least, least, true.w), true.name, why=f"the minimizer of {true.name}")


def named(asked_about, told_from, point):
    """The answer at this point, beside which nothing ran."""
    answer = Answering("norm", (*(least.name for least in asked_about), NONE))
    error = np.zeros(len(point))
    answer_nearest(answer, [measure_excess(answer, least, told_from, point, point, error) for least in asked_about])
    return answer.outcome[1]


@pytest.mark.slow
def test_a_point_a_fifth_of_the_way_to_another_minimizer_is_not_named():
    from_zero, _ = candidates(Effort(instances=12))
    l1, l2 = from_zero[:2]
    assert_identical(named(from_zero, from_zero, 0.8 * l1.w + 0.2 * l2.w), NONE, why="between l1 and l2")


def test_what_has_no_value_at_some_point_has_none_at_all():
    _, (entropy, rival) = candidates(SHORT)
    answer = Answering("norm", (NONE,))
    negative = entropy.w * np.where(np.arange(4) == 1, -1, 1)[:, None]
    found = measure_excess(answer, entropy, [entropy, rival], negative, entropy.w, np.zeros(4))
    assert_identical(np.isnan(found.excess).all(), True, why="weights that are not positive")
    missing = np.where(np.arange(4)[:, None] == 1, np.nan, entropy.w)
    found = measure_excess(Answering("norm", (NONE,)), entropy, [entropy], missing, entropy.w, np.zeros(4))
    assert_identical(np.isnan(found.excess), np.arange(4) == 1, why="an instance that has not converged")


def test_a_minimizer_that_coincides_with_another_is_not_identifiable():
    least = candidates(SHORT)[0][0]
    twin = dataclasses.replace(least, name="twin")
    assert_identical(separation(least, [least, twin]), np.zeros(4), why="the same minimizer")
    answer = Answering("norm", ("l1", NONE))
    answer_nearest(answer, [measure_excess(answer, least, [least, twin], least.w, least.w, np.zeros(4))])
    assert_identical(answer.outcome[0], Status.NOT_IDENTIFIABLE, why=answer.outcome[2])


def test_an_instance_that_tells_nothing_neither_names_nor_excludes():
    apart, resolution = np.array([0.0, 1, 1, 1]), np.full(4, 1e-9)
    for excess, says in ((np.array([0.0, 0, 0, 0.01]), "l1"), (np.array([0, 0, 0, 0.2]), NONE)):
        answer = Answering("norm", ("l1", NONE))
        answer_nearest(answer, [Excess("l1", excess, apart, resolution)])
        assert_identical(answer.outcome[1], says, why=answer.outcome[2])
