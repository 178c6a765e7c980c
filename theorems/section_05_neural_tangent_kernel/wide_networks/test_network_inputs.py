"""Self-tests: inputs are nonzero, their lengths exact, and the corners that the kernels have to stand occur."""

import numpy as np
import pytest
from hypothesis import Phase, find, settings

from fixtures.precision import rounding
from fixtures.problems.batches import given_batches
from properties.certificates import assert_at_most, assert_identical
from theorems.section_05_neural_tangent_kernel.wide_networks.network_inputs import network_inputs, trainings

pytestmark = pytest.mark.slow

NO_DATABASE = settings(database=None)
UNSHRUNK = settings(database=None, phases=[Phase.generate], max_examples=2000)


@given_batches(start=network_inputs())
def test_lengths_and_products_are_those_of_the_inputs_and_one_in_the_padding(start):
    padding = ~start.X.any(-1)
    assert_identical(padding.sum(-1), start.X.shape[1] - start.rows, why="rows of zeros are padding")
    assert_identical(start.gram - start.X @ start.X.mT, padding[..., None] * np.eye(start.X.shape[1]), why="x . x'")
    assert_at_most(np.abs(start.gram), start.lengths * (1 + rounding(4)), why="Cauchy and Schwarz")


def test_the_simplest_instance_is_done_by_hand():
    start = find(network_inputs(), lambda _: True, settings=NO_DATABASE)
    assert (start.X.tolist(), start.width, start.seed, start.rows) == ([[1, 0]], 4, 0, 1)


@pytest.mark.parametrize(
    ("strategy", "interesting"),
    [
        (network_inputs(), lambda p: p.rows == 2 and np.linalg.matrix_rank(p.X) == 1 and (p.X[0] != p.X[1]).any()),
        (network_inputs(), lambda p: p.rows > p.X.shape[1] and p.width == 1024 and p.seed > 255),
        (trainings(log_widths=range(6, 9)), lambda p: p.rows == 3 and p.width == 256 and p.seed > 255),
    ],
    ids=["parallel", "more inputs than dimensions", "wide"],
)
def test_interesting_corners_occur(strategy, interesting):
    find(strategy, interesting, settings=UNSHRUNK)
