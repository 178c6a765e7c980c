"""Self-tests: the area between two directions by hand, for both powers of the weight."""

from fractions import Fraction

import pytest

from properties.certificates import assert_identical
from theorems.section_04_deep_linear_networks.section_4_2_integral_along_the_path.shortest_paths import (
    area_between_directions,
)


@pytest.mark.parametrize(("power", "shortest"), [(1, (13, 1)), (2, (43, -9))])
def test_the_area_is_the_cross_product_of_the_two_directions(power, shortest):
    # given  alpha = 1/4, end = (1, 1/2): the flow goes along (1 - 1/16, 1/4 - 1/16). With z = 1 + i/2 the segments of
    #        z^2 and z^3 are 3/4 + 7i/8 and (9 + 43i)/32, times (1 - i) and (1 - i)^2 = -2i
    flow = Fraction(15, 16), Fraction(3, 16)
    along = [Fraction(entry, 8 * power) for entry in shortest]
    exact = along[0] * flow[1] - along[1] * flow[0]
    assert_identical(area_between_directions(Fraction(1, 4), (Fraction(1), Fraction(1, 2)), power), exact, why="area")
