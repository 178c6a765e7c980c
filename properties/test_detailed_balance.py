"""Self-tests: the logarithm of the law and of the density, term by term, and the lattices they are compared on."""

import numpy as np
import scipy.integrate
from hypothesis import given

from fixtures.dynamics.birth_death import stationary_weights, three_point_descent
from fixtures.problems.examples import simplest
from fixtures.problems.lattice_descents import lattice_descents
from properties.certificates import assert_at_most, assert_identical
from properties.detailed_balance import apart, balance_bound, log_ratio_bound, log_ratio_rounding


def test_two_laws_by_hand():
    assert_identical(apart(np.array([1.0, 3]), np.array([6.0, 2])), 1 / 2, why="(1/4, 3/4) and (3/4, 1/4)")


def test_the_potential_is_the_integral_that_quadrature_finds():
    chain = simplest(lattice_descents())
    found, error = scipy.integrate.quad(lambda x: x / (((1 + x) ** 2 + 1) / 2), 0, chain.x[-1], epsabs=1e-14)
    assert_at_most(abs(chain.potential()[-1] - found), error + 1e-15, why="int L'/D")


@given(chain=lattice_descents())
def test_the_bound_holds_at_every_point_and_wastes_less_than_a_factor_of_twenty(chain):
    law, density = stationary_weights(*three_point_descent(chain.slope, chain.D, chain.s)), chain.density()
    middle = len(law) // 2
    error, E = np.log(law / law[middle]) - np.log(density / density[middle]), log_ratio_bound(chain)
    # then
    assert_at_most(np.abs(error), E + log_ratio_rounding(chain), why="ln(law/density)", instance=chain)
    assert_at_most(balance_bound(chain), 20 * apart(law, density), why="the bound is not idle", instance=chain)


def test_on_every_lattice_the_three_gradients_have_the_mean_and_the_variance_that_are_named():
    chain = simplest(lattice_descents())
    up, down = three_point_descent(chain.slope, chain.D, chain.s)
    # then   within the lattice, where both neighbors exist; 8 u of numbers below s^2 = 4
    mean, square = chain.s * (down[:-1] - up[1:]), chain.s**2 * (down[:-1] + up[1:])
    assert_at_most(np.abs(mean - chain.slope[1:-1]), 8 * 4 * 2.0**-53, why="mean")
    assert_at_most(np.abs(square - mean**2 - chain.D[1:-1]), 8 * 4 * 2.0**-53, why="variance")
