"""Self-tests: parities are what they say, on points that do not repeat."""

import numpy as np
import pytest

from properties.certificates import assert_at_most, assert_identical
from theorems.section_06_beyond_lazy_training.features.parity import two_parity


def test_labels_are_the_product_of_the_first_two_signs_at_distinct_points_of_length_one():
    problem = two_parity(16, 100, 300, 1)
    points = np.concatenate([problem.X, problem.Z])
    assert_identical(np.sign(points[:, 0] * points[:, 1]), np.concatenate([problem.y, problem.z]), why="x_1 x_2")
    assert_identical(np.unique(points, axis=0).shape, (400, 16), why="distinct points")
    assert_identical(np.abs(points), np.full((400, 16), 1 / 4), why="signs over sqrt(d)")


def test_shuffled_labels_are_as_balanced_and_say_nothing_about_the_points():
    right, wrong = two_parity(16, 100, 300, 1), two_parity(16, 100, 300, 1, shuffled=True)
    assert_identical([wrong.X, wrong.Z[:100]], [right.X, right.Z[:100]], why="the same points")
    assert_identical(abs(wrong.y.sum()), abs(right.y.sum()), why="the same labels up to a common sign")
    assert_at_most(abs(wrong.y @ right.y), 40, why="four deviations of a shuffle")


def test_too_few_corners_are_refused():
    with pytest.raises(ValueError, match="of 20 points in 4 dimensions are distinct"):
        two_parity(4, 10, 10, 1)
