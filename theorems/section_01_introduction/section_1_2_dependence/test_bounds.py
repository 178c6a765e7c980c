"""Self-tests: the bounds on what two networks keep, by hand, and how large their rounding may be."""

from fractions import Fraction

from fixtures.rational import fractions
from properties.certificates import assert_at_most, assert_identical
from theorems.section_01_introduction.section_1_2_dependence import product_network, squares_difference


def test_what_a_product_keeps_by_hand():
    # given  eta = 1/10, r = -2 and m = 5
    least, most = product_network.kept_between(Fraction(1, 10), Fraction(-2), Fraction(5))
    assert_identical([least, most], fractions(["23/25", "24/25"]), why="1 - 4/50 and 1 - 4/100")


def test_what_a_difference_of_squares_keeps_by_hand():
    # given  eta = 1/20, g = (2, -3) and k = 16
    least, most = squares_difference.kept_between(Fraction(1, 20), fractions([2, -3]), Fraction(16))
    assert_identical(least, fractions(["19/20", "71/80"]), why="1 - 16/320 and 1 - 36/320")
    assert_identical(most, fractions(["24/25", "91/100"]), why="1 - 16/400 and 1 - 36/400")


def test_a_thousand_steps_round_by_less_than_a_trillionth():
    assert_at_most(product_network.descent_rounding(1.0, 1000), 1e-12, why="of u^2 + v^2")
    assert_at_most(squares_difference.descent_rounding(1000), 2e-12, why="of uv")
