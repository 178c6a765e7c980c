"""Self-tests: the bound on the log ratio of law and density, term by term, and the lattices on which it is used."""

import dataclasses

import numpy as np
import scipy.integrate
from hypothesis import given

from fixtures.precision import rounding
from fixtures.problems.examples import simplest
from properties.certificates import assert_at_most, assert_identical, assert_within
from theorems.section_08_stochastic_gradient_descent.finite_chains.birth_death import (
    stationary_weights,
    three_point_descent,
)
from theorems.section_08_stochastic_gradient_descent.finite_chains.detailed_balance import (
    balance_bound,
    log_ratio_bound,
    log_ratio_rounding,
    log_ratio_terms,
    total_variation,
)
from theorems.section_08_stochastic_gradient_descent.finite_chains.lattice_descents import lattice, lattice_descents


def test_the_total_variation_of_two_laws_by_hand():
    assert_identical(total_variation(np.array([1.0, 3]), np.array([6.0, 2])), 1 / 2, why="(1/4, 3/4) and (3/4, 1/4)")


def test_the_potential_is_the_integral_that_quadrature_finds():
    chain = simplest(lattice_descents())
    found, error = scipy.integrate.quad(lambda x: x / (((1 + x) ** 2 + 1) / 2), 0, chain.x[-1], epsabs=1e-14)
    assert_at_most(abs(chain.potential()[-1] - found), error + rounding(4 + 5), why="int L'/D")


@given(chain=lattice_descents())
def test_the_bound_holds_at_every_point_and_wastes_less_than_a_factor_of_twenty(chain):
    law, density = stationary_weights(*three_point_descent(chain.slope, chain.D, chain.s)), chain.density()
    middle = len(law) // 2
    error, E = np.log(law / law[middle]) - np.log(density / density[middle]), log_ratio_bound(chain)
    # then
    assert_at_most(np.abs(error), E + log_ratio_rounding(chain), why="ln(law/density)", instance=chain)
    assert_at_most(log_ratio_rounding(chain), 2e-7, why="ceiling: 30,000 points, logarithms up to 64", instance=chain)
    assert_at_most(
        balance_bound(chain), 20 * total_variation(law, density), why="the bound is not idle", instance=chain
    )


def test_where_the_variance_hardly_changes_every_term_of_the_bound_is_nearly_attained():
    # given  b = 1/64, x up to 1/8: the four quantities that the first four terms bound, at the last point
    chain = lattice(h=1.0, s=2.0, b=1 / 64, D_0=1.0, eta=1e-3)
    chain = dataclasses.replace(chain, x=chain.x[np.abs(chain.x) <= 1 / 8])
    x, D = chain.x[chain.x >= 0], chain.D[chain.x >= 0]
    V, u = D + x**2, 2 * x / (D + x**2)
    sums = [2 * np.trapezoid(g, dx=1.0) for g in (np.arctanh(u) - u, 2 * x / D - 2 * x / V)]
    # then
    terms = np.array([term[-1] for term in log_ratio_terms(chain)[:4]])
    found = np.array([np.log(V / D)[-1], -np.log(1 - u**2)[-1] / 2, *sums])
    assert_within(terms / 2, found, terms, why="ln V/D, ln(1 - u^2), artanh u - u, sL'/V - sL'/D")


def test_the_three_gradients_have_the_named_mean_and_variance():
    chain = simplest(lattice_descents())
    up, down = three_point_descent(chain.slope, chain.D, chain.s)
    # then   within the lattice, where both neighbors exist; a chance has 6 operations
    mean, square = chain.s * (down[:-1] - up[1:]), chain.s**2 * (down[:-1] + up[1:])
    assert_at_most(np.abs(mean - chain.slope[1:-1]), rounding(6 + 2, chain.s), why="mean")
    assert_at_most(np.abs(square - mean**2 - chain.D[1:-1]), rounding(6 + 6, chain.s**2), why="variance")
