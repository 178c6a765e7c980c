"""Self-tests: the split and the modes agree with what can be done by hand."""

import numpy as np
from hypothesis import find, settings

from fixtures.precision import UNIT_ROUNDOFF
from fixtures.problems.batches import batches
from fixtures.problems.interpolable import interpolables
from properties.certificates import assert_at_most, assert_identical
from properties.deep_interpolation import condition, modes_of_descent, null_drift, split_distance

E_1 = np.array([[1.0], [0.0]])


def test_the_split_of_the_start_is_its_misfit_and_its_unseen_part():
    # given  alpha = 1/2, L = 2, x = y = e_1: W = I/4 misfits by 3/4 and keeps 1/4 on e_2
    split = split_distance([np.eye(2) / 2] * 2, E_1, E_1, 0.5, 0.0)
    assert_at_most(
        np.abs([split.fitted - 3 / 4, split.unseen - 1 / 4, split.ceiling - 1 / 4]),
        8 * UNIT_ROUNDOFF,
        why="3, 1, 1 quarters",
    )
    assert_at_most(abs(split.distance - np.sqrt(10) / 4), 8 * UNIT_ROUNDOFF, why="|W - YX^+|_F")


def test_padding_does_not_count_in_the_condition():
    X = np.array([[[3.0, 0, 0], [0, 2, 0]], [[1, 0, 0], [0, 0, 0]]])
    assert_at_most(np.abs(condition(X) - [1.5, 1.0]), 8 * UNIT_ROUNDOFF, why="3/2 and 1")


def test_nothing_drifts_before_the_first_step_but_rounding():
    assert_at_most(null_drift(E_1, E_1, 0.5, 2, 0.1, 0), 8 * UNIT_ROUNDOFF, why="drift after no step")


def test_one_step_moves_the_modes_that_samples_show():
    # given  X = e_1, S = I, alpha = 1/5, L = 2, eta = 1/4: v_1 = 1/5 + (1 - 1/25)/20
    problem = find(batches(interpolables(targets=("commuting",)), 1), lambda _: True, settings=settings(database=None))
    modes = modes_of_descent(problem, 2, np.array([0.25]), np.array([1]))
    assert_at_most(abs(modes.v[0, 0] - 0.248), 8 * UNIT_ROUNDOFF, why="v_1 after one step")
    assert_identical(modes.v[0, 1:], [0.2] * 3, why="the other modes rest")
