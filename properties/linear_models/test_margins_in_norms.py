"""Self-tests: enclosures contain largest margins that are known, from closed forms and from other solvers."""

import numpy as np
import pytest

from fixtures.problems.batches import given_batches
from fixtures.problems.margin_geometry import signed_matrices, signed_vectors
from fixtures.problems.separable import signed
from properties.certificates import assert_at_most, assert_identical, assert_within
from properties.linear_models.margins import largest_margin
from properties.linear_models.margins_in_norms import NORMS, largest_margins, margin
from properties.oracles import OracleError, largest_schatten_margin

VECTORS, MATRICES = ("l1", "l2", "l-infinity"), ("max", "Frobenius", "spectral", "nuclear")
SCHATTEN = ("spectral", "nuclear")


def needs_oracles(name):
    if name in SCHATTEN:
        pytest.importorskip("cvxpy", reason="needs the extra 'oracles'")


@pytest.mark.slow
@pytest.mark.parametrize("name", NORMS)
def test_the_largest_margin_of_one_point_is_its_dual_norm(name):
    needs_oracles(name)
    # given   dual norms of [[3, 0], [0, -4]]: entrywise, or of its singular values 4 and 3
    Z = np.array([[[[3.0, 0], [0, -4]]]])
    exact = {"l1": 4, "l2": 5, "l-infinity": 7, "max": 7, "Frobenius": 5, "spectral": 7, "nuclear": 4}[name]
    found = largest_margins(NORMS[name], Z if name in MATRICES else Z.reshape(1, 1, 4))
    assert_within(found.lower, exact, found.upper, why=f"largest {name} margin")
    assert_at_most(found.upper - found.lower, 1e-6 * exact, why="width: 100 tolerances of Clarabel")


@pytest.mark.slow
@pytest.mark.parametrize("name", NORMS)
def test_two_equal_and_one_longer_point_leave_the_margin_of_the_short_one(name):
    needs_oracles(name)
    # given   a multiple of a point, on which no margin is active
    Z = np.array([[[3.0, 1], [0, -2]], [[6, 2], [0, -4]], [[3, 1], [0, -2]]])
    Z = Z[None] if name in MATRICES else Z.reshape(1, 3, 4)
    found = largest_margins(NORMS[name], Z)
    exact = NORMS[name].dual(Z[:, 0])
    assert_within(found.lower, exact, found.upper, why=f"largest {name} margin")


@pytest.mark.slow
@pytest.mark.parametrize("name", NORMS)
def test_a_norm_and_its_dual_are_dual(name):
    rng = np.random.default_rng(0)
    count = 20 if name in SCHATTEN else 200
    shape = (count, 3, 5) if name in MATRICES else (count, 7)
    W, V = rng.standard_normal(shape), rng.standard_normal(shape)
    norm = NORMS[name]
    product = (W * V).reshape(count, -1).sum(1)
    assert_at_most(product, norm.of(W) * norm.dual(V), why="|<W, V>| <= |W| |V|_*")
    needs_oracles(name)
    best = largest_margins(norm, V[:, None]).W
    assert_at_most(norm.dual(V) * (1 - 1e-6), (best * V).reshape(count, -1).sum(1), why="attained")


@pytest.mark.slow
@given_batches(size=20, problem=signed_vectors)
def test_enclosures_agree_with_those_of_other_code(problem):
    for order, name in ((1, "l1"), (2, "l2")):
        found = largest_margins(NORMS[name], problem.Z)
        for Z, lower, upper in zip(problem.Z, found.lower, found.upper, strict=True):
            other = largest_margin(signed(Z, np.ones(len(Z))), order)
            assert_at_most(lower, other.upper, why="our primal against their dual")
            assert_at_most(other.lower, upper, why="their primal against our dual")


@pytest.mark.slow
@pytest.mark.parametrize(("names", "problems"), [(VECTORS, signed_vectors), (MATRICES, signed_matrices)])
def test_enclosures_are_narrow_and_contain_the_planted_margin(names, problems):
    needs_oracles(names[-1] if names is MATRICES else "l1")

    @given_batches(size=10, problem=problems)
    def check(problem):
        for name in names:
            found = largest_margins(NORMS[name], problem.Z)
            planted = problem.planted / NORMS[name].of(problem.u)
            slack = 1e-12 * planted  # the planted point rounds
            assert_at_most(planted - slack, found.upper, why=f"planted {name} margin")
            assert_at_most(found.upper - found.lower, 1e-6 * found.upper, why=f"width of the {name} margin")
            assert_identical((margin(problem.Z, found.W) >= found.lower).all(), True, why="attained")

    check()


@pytest.mark.parametrize("name", ["l1", *SCHATTEN])
def test_points_that_are_not_separable_are_refused_where_a_solver_has_no_direction(name):
    needs_oracles(name)
    Z = np.array([[[1.0, 0], [0, 0]], [[-1, 0], [0, 0]]])
    with pytest.raises(OracleError, match=r"not separable|no solution"):
        largest_margins(NORMS[name], Z[None] if name in MATRICES else Z.reshape(1, 2, 4))


@pytest.mark.parametrize("name", ["l2", "l-infinity", "max", "Frobenius"])
def test_points_that_are_not_separable_have_no_positive_margin_certified(name):
    Z = np.array([[[1.0, 0], [0, 0]], [[-1, 0], [0, 0]]])
    found = largest_margins(NORMS[name], Z[None] if name in MATRICES else Z.reshape(1, 2, 4))
    assert_within(found.lower, 0.0, found.upper, why=f"the largest {name} margin is 0")


def test_another_order_is_refused():
    pytest.importorskip("cvxpy", reason="needs the extra 'oracles'")
    with pytest.raises(ValueError, match="neither 1, the nuclear norm, nor inf"):
        largest_schatten_margin(np.ones((1, 1, 2, 2)), 2)
