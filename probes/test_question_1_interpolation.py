"""Self-tests: what reaches a minimum, what needs a decay, and what reaches none, told apart by a certified distance."""

import dataclasses

import numpy as np
import pytest
import torch

from fixtures.precision import factorization, rounding
from fixtures.problems.batches import stack
from fixtures.problems.interpolation import COLUMNS, LENGTH, ROWS, read_interpolation
from probes.planted import PlainDescent
from probes.profiles.answers import Status
from probes.profiles.questions import all_questions, ask
from probes.question_1_interpolation import ENDS, FLOOR, SETTLES, floor, reached, settles, worst_ratio
from probes.running.candidate import Candidate, of_class
from probes.running.problem import Effort
from probes.running.run import Trained

EFFORT = Effort(instances=3, steps=1000)


def answer(candidate):
    return ask(next(question for question in all_questions() if question.key == "interpolation"), candidate, EFFORT)


def numbers(found, name):
    return np.array(next(measured.values for measured in found.measured if measured.name == name))


class Planted(PlainDescent):
    def __init__(self, params, lr=0.5):
        super().__init__(params, lr)


class Signs(Planted):
    def update(self, p):
        return p.grad.sign()


class OneCoordinateAlone(Planted):
    """Moves the first weight of each instance alone, so that it reaches no minimum."""

    def update(self, p):
        return torch.where(torch.arange(p.shape[-1]) == 0, p.grad, 0)


class Climbs(Planted):
    def update(self, p):
        return -p.grad


@pytest.mark.slow
def test_gradient_descent_reaches_a_minimum_at_a_constant_step():
    found = answer(Candidate("planted", Planted))
    assert found.says == "at a constant step"
    # then  the residual contracts by max |1 - eta s^2| <= 1 - 1/18 in a step, so it is below 1e-3 after 121 steps
    assert (numbers(found, SETTLES[1]) <= 130).all()
    assert (numbers(found, ENDS) < -12).all()


@pytest.mark.slow
def test_a_step_of_fixed_length_needs_the_decay_and_its_floor_is_of_that_length():
    # given
    found = answer(Candidate("planted", Signs, has_step=False))
    # then
    assert found.says == "only with decay"
    assert np.isnan(numbers(found, SETTLES[1])).all()
    # so  one step changes the residual by at most s_1 eta sqrt(p), and near the floor by more than it
    assert (numbers(found, FLOOR) < np.log10(found.step * 20**0.5)).all()
    assert (numbers(found, FLOOR) > np.log10(found.step / 100)).all()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "words"), [(OneCoordinateAlone, "0 of 3 instances"), (Climbs, "ends at no number at worst: it diverges")]
)
def test_where_no_minimum_is_reached_the_answer_says_what_was(kind, words):
    found = answer(Candidate("planted", kind))
    assert found.status is Status.NOT_CONVERGED
    assert words in found.detail


@pytest.mark.slow
def test_rmsprop_needs_the_decay():
    assert answer(of_class("RMSprop", torch.optim.RMSprop, {})).says == "only with decay"


def test_the_certificate_bounds_the_distance_to_the_nearest_interpolant_and_no_more_than_it_must():
    # given  a point away from an interpolant along the last singular vector, where the bound is attained
    drawn = stack(Effort(instances=3).draw("interpolation", read_interpolation, LENGTH))
    V = np.linalg.svd(drawn.X)[2]
    nearest = np.array([np.linalg.lstsq(X, y, rcond=None)[0] for X, y in zip(drawn.X, drawn.y, strict=True)])
    close = rounding(factorization(ROWS, COLUMNS), (2 + 3) * 3**2 / 1e-3)
    # then
    assert 1 - close < worst_ratio(drawn, nearest + 1e-3 * V[:, 5]) <= 1
    # and  along the first one it is s_n/s_1 of the bound
    assert abs(worst_ratio(drawn, nearest + 1e-3 * V[:, 0]) - drawn.s.min(1).max()) < close


def trained(residuals):
    """A run of one instance with these residuals after 0, 10, 20, ... steps."""
    watched = {10 * look: np.array([residual]) for look, residual in enumerate(residuals)}
    return Trained((np.zeros((1, 2)),), np.ones(1), np.ones(1), np.ones(1, bool), 0.1, 10 * len(watched) - 10, watched)


def test_a_minimum_is_reached_where_the_residual_is_at_most_a_thousandth():
    residuals = np.array([0.999e-3, 1.001e-3, 0.0])
    run = dataclasses.replace(
        trained([1]), loss=residuals**2 / 2, first_loss=np.full(3, 0.5), finite=np.array([True, True, False])
    )
    assert reached(run).tolist() == [True, False, False]


@pytest.mark.parametrize(
    ("residuals", "settled", "worst"),
    [
        ((1, 0, 0, 0, 0), 10, 0),
        ((0, 0, 0, 0, 0), 0, 0),
        ((1, 0, 1, 0, 0), 30, 0),
        ((1, 0, 0, 0, 1), np.nan, 1),
        ((1, 1, 1, 1, 0), np.nan, 1),
        ((1, 0), np.nan, np.nan),
    ],
)
def test_a_residual_settles_after_its_last_return(residuals, settled, worst):
    run, effort = trained(residuals), Effort(steps=40)
    assert np.array_equal(settles(run, effort, 0.75), [settled], equal_nan=True)
    assert np.array_equal(floor(run, effort), [worst], equal_nan=True)
