"""Self-tests: the splits of a seed are disjoint, of unit length and centered by the training images."""

import numpy as np
import pytest

from fixtures.datasets.images import load_images
from fixtures.precision import rounding
from properties.certificates import assert_at_most, assert_identical
from theorems.section_10_experiments.image_splits import splits_of_seed
from theorems.section_10_experiments.written_out import WrittenOut, trial

pytestmark = pytest.mark.slow


def test_splits_are_apart_of_unit_length_and_centered_by_the_training_images():
    images = load_images("digits")
    splits = splits_of_seed(images, 20, 40, 50, 3, "cpu")
    # then   the rows of some training images less one vector, the mean of twenty, over their length, of 64 pixels
    rows = images.train[np.random.default_rng([3, 20]).permutation(1000)[:60]].reshape(60, 64) / 16
    rows = np.concatenate([rows, images.test[:50].reshape(50, 64) / 16]) - rows[:20].mean(0)
    found = np.concatenate([part.numpy() for part in (splits.train, splits.validation, splits.test)])
    error = np.abs(found - rows / np.linalg.norm(rows, axis=1)[:, None])
    assert_at_most(error.max(), rounding(20 + 64 + 4), why="rows")
    assert_identical(splits.targets[2].argmax(1).numpy(), images.test_labels[:50], why="targets of the test images")


def test_seeds_draw_other_images_and_other_weights():
    first, second = (WrittenOut(trial(seed=seed)) for seed in (3, 4))
    assert not np.array_equal(first.x[0], second.x[0])
    assert not np.array_equal(first.W, second.W)
    assert not np.array_equal(first.W, WrittenOut(trial(width=16)).W[:8])


@pytest.mark.parametrize(("size", "validation", "test"), [(600, 401, 50), (1001, 0, 50), (20, 40, 798)])
def test_more_images_than_there_are_are_refused(size, validation, test):
    with pytest.raises(ValueError, match=rf"^digits has 1000 \+ 797 images, and {size} \+ {validation} \+ {test} are"):
        splits_of_seed(load_images("digits"), size, validation, test, 3, "cpu")
