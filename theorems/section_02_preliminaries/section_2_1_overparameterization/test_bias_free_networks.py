"""Self-tests: losses and least losses of networks without biases, by hand."""

from fractions import Fraction

from properties.certificates import assert_identical
from theorems.section_02_preliminaries.section_2_1_overparameterization.bias_free_networks import least_loss, loss


def test_the_loss_of_two_samples_by_hand():
    assert_identical(loss([3, 1], [1, 2]), Fraction(5, 4), why="(4 + 1)/(2 * 2)")


def test_the_least_loss_of_two_samples_on_a_ray_and_one_on_the_other_by_hand():
    # given  x = (1, 2, -1), y = (1, 1, 3): on x > 0 the best slope is 3/5, which leaves 2/5 and 1/5
    least, best = least_loss([1, 2, -1], [1, 1, 3])
    assert_identical(least, Fraction(1, 30), why="(4/25 + 1/25)/(2 * 3)")
    assert_identical(best[-1], [[Fraction(3, 5), 3]], why="the two slopes")
