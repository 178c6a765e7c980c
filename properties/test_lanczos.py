"""Self-tests: enclosures hold the largest eigenvalue, as tightly and as surely as they say, and no residual does."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures.precision import UNIT_ROUNDOFF
from fixtures.problems.tapes import tapes
from properties.certificates import assert_at_most, assert_violates, assert_within
from properties.lanczos import (
    Krylov,
    UncertifiedError,
    cholesky_upper,
    christoffel_upper,
    failure_probability,
    kuczynski_upper,
    kuczynski_wozniakowski,
    largest_eigenvalue,
    largest_eigenvalue_of_matrix,
    least_component,
    products_needed,
)

FALSE_ALARM = 1e-9


@st.composite
def symmetric_matrices(draw):
    """Q diag(lambda) Q' of size 1 to 12 with integer lambda in [-6, 6], often repeated; shrinks to [[0]]."""
    tape = draw(tapes(1 + 12 + 3 * 12))
    p = 1 + tape.below(12)
    spectrum, Q = tape.integers(p, 6), tape.rotation(p)
    A = (Q * spectrum) @ Q.T
    return spectrum, (A + A.T) / 2


def lanczos(product, start, steps):
    """A run of so many products with an exact operator."""
    run = Krylov(product, np.asarray(start, float), 0.0)
    for _ in range(steps):
        run.extend()
    return run


def on_two_ends_and_a_middle(start):
    """All but the last product with diag(3, 1, -2), whose run is then exact enough for equality."""
    return lanczos(lambda v: np.array([3.0, 1, -2]) * v, start, 2)


def test_theta_plus_residual_is_no_upper_bound():
    # given  A = diag(1, 2, 5) and a start without the top eigenvector
    A = np.diag([1.0, 2, 5])
    run = lanczos(lambda v: A @ v, [1, 1, 0], 2)
    # when   the Krylov space is invariant: the Ritz pair is exact, and its residual is b_k = 0
    theta, residual = run.ends()[1], run.b[-1]
    # then
    assert_violates(5, theta + residual, reads="lambda_max = {value} > theta + residual = {limit}", A="diag(1, 2, 5)")
    assert_at_most(math.inf, cholesky_upper(A, theta, 1.0), why="Cholesky refuses theta + 1")


@given(symmetric_matrices())
def test_cholesky_encloses_the_largest_eigenvalue_of_a_matrix(instance):
    spectrum, A = instance
    rounding = 40 * len(A) * UNIT_ROUNDOFF * 6
    found = largest_eigenvalue_of_matrix(A)
    assert_within(found.lower, spectrum.max(), found.upper, slack=rounding, why="lambda_max")
    assert_at_most(found.width, 1e-9 * np.abs(spectrum).max(), why="width of the enclosure", instance=A)
    # then   and no less than lambda_max is certified, by a margin of rounding
    below = cholesky_upper(A, spectrum.max(), -rounding - len(A) * rounding)
    assert_at_most(math.inf, below, why="Cholesky refuses what is too low", instance=A)


@given(symmetric_matrices(), st.integers(0, 2**16))
def test_a_random_start_encloses_the_largest_eigenvalue_of_an_operator(instance, seed):
    spectrum, A = instance
    found = largest_eigenvalue(lambda v: A @ v, len(A), rounding=2 * len(A) * UNIT_ROUNDOFF, seed=seed, accuracy=1e-2)
    rounding = 40 * len(A) * UNIT_ROUNDOFF * 6
    assert_within(found.lower, spectrum.max(), found.upper, slack=rounding, why="lambda_max")
    assert_at_most(found.width, 1e-2 * np.abs(spectrum).max() + rounding, why="width of the enclosure", instance=A)


@pytest.mark.parametrize("sign", [1, -1])
def test_the_christoffel_bound_is_attained(sign):
    # given  p - 1 products: then sum_j c_j^2 = 1 is all that there is to know of the top eigenvector
    start = np.array([0.01, 0.3, 0.02])
    run, top = on_two_ends_and_a_middle(start), 3 if sign > 0 else 2
    component = start[0 if sign > 0 else 2] / np.linalg.norm(start)
    # then   knowing c_1 gives lambda_max; the bound is monotone in c_1, and a component 1 % too large is caught
    error = abs(christoffel_upper(run, component, sign) - top)
    assert_at_most(error, 2.0**-19, why="equality, up to the slack left for the orthogonality of V")
    assert_at_most(christoffel_upper(run, 1.01 * component, sign), top - 0.001, why="a component that is too large")
    assert_at_most(top + 0.001, christoffel_upper(run, 0.99 * component, sign), why="one that is too small")


def test_components_of_uniform_directions_have_the_laws_of_circle_and_sphere():
    # given  |c_1| is |cos| of a uniform angle in the plane, and uniform in space (Archimedes)
    q = 0.2
    laws = [least_component(2, q) - math.sin(math.pi * q / 2), least_component(3, q) - q, least_component(1, q) - 1]
    assert_at_most(np.abs(laws), 16 * UNIT_ROUNDOFF, why="quantile of |c_1| in dimensions 2, 3 and 1")


def test_the_christoffel_bound_fails_just_as_often_as_its_start_is_bad():
    # given  1500 starts, and a component that one start in five falls short of
    starts, probability = np.random.default_rng(0).standard_normal((1500, 3)), 0.2
    component = least_component(3, probability)
    # when   p - 1 products, where the bound fails if and only if |c_1| < component, but for rounding
    failures = np.mean([christoffel_upper(on_two_ends_and_a_middle(b), component) < 3 - 2.0**-15 for b in starts])
    # then   Hoeffding at 1e-9: 0.085; half or twice the probability would be off by 0.1
    slack = math.sqrt(math.log(2 / FALSE_ALARM) / (2 * len(starts)))
    assert_at_most(abs(failures - probability), slack, why="how often the bound fails")
    assert_at_most(slack, probability / 2, why="power: a probability off by a factor of two is caught")


def test_our_probability_is_below_the_one_of_kuczynski_and_wozniakowski():
    size, k, eps = np.meshgrid([2, 3, 10, 10**6], [1, 2, 5, 30], [1e-4, 0.01, 0.5, 0.999])
    ours, printed = (np.vectorize(law)(size, k, eps) for law in (failure_probability, kuczynski_wozniakowski))
    assert_at_most(ours.ravel(), printed.ravel(), why="failure of Lanczos")


def test_the_density_of_a_component_gives_the_constant_just_below_that_of_the_print():
    # given  where the exponential is what counts: sqrt(eps) small, (2k - 1)sqrt(eps) = 20
    constant = failure_probability(10**6, 10_000, 1e-6) / (1000 * math.exp(-19.999 * 1))
    assert_within(1.5957, constant, 1.5958, why="4/sqrt(2 pi)")


@pytest.mark.parametrize(("size", "eps"), [(2, 0.5), (1000, 0.01), (10**5, 1e-4)])
def test_the_products_needed_are_the_fewest_that_reach_the_probability(size, eps):
    k = products_needed(size, eps, FALSE_ALARM)
    assert_at_most(k, size, why="no more than the dimension")
    reached = failure_probability(size, k, eps) if k < size else 0
    assert_at_most(reached, FALSE_ALARM * (1 + 1e-9), why="k products suffice")
    assert_at_most(FALSE_ALARM, failure_probability(size, k - 1, eps) if k > 1 else 1, why="k - 1 do not")


@pytest.mark.parametrize("down", [0, 0.9], ids=["positive", "indefinite"])
def test_on_the_spectrum_that_is_worst_for_it_the_kuczynski_bound_holds(down):
    # given  Chebyshev's nodes in [0, 1 - eps], the start that weighs them evenly, and its own c_1
    k, eps = 6, 0.05
    s = np.cos((2 * np.arange(1, k + 1) - 1) * np.pi / (4 * k - 2))
    spectrum = np.append(1.0, (1 - eps) * (1 - s[:-1] ** 2)) - down
    start = np.append(0.05, np.ones(len(s) - 1))
    run = lanczos(lambda v: spectrum * v, start, k - 1)
    # then
    component = start[0] / np.linalg.norm(start)
    assert_at_most(1.0 - down, kuczynski_upper(run, component), why="the bound holds")
    assert_at_most(christoffel_upper(run, component), kuczynski_upper(run, component), why="Christoffel knows the run")


@pytest.mark.parametrize(
    ("product", "message"),
    [
        (lambda v: v * np.nan, "not finite"),
        (lambda v: np.cumsum(v), "is only known to be in"),
    ],
    ids=["not finite", "not symmetric"],
)
def test_an_operator_that_cannot_be_enclosed_is_an_error_of_one_line(product, message):
    with pytest.raises(UncertifiedError, match=message) as caught:
        largest_eigenvalue(product, 30, rounding=UNIT_ROUNDOFF)
    assert_at_most(str(caught.value).count("\n"), 0, why="lines after the first")


def test_probabilities_that_rounding_would_drown_are_refused():
    with pytest.raises(ValueError, match="below rounding"):
        largest_eigenvalue(lambda v: v, 10**6, rounding=0, probability=1e-15)


@pytest.mark.parametrize(
    ("matrix", "error", "message"),
    [
        (np.empty((0, 0)), ValueError, "without entries"),
        (np.array([[1.0, 2], [0, 1]]), UncertifiedError, "not symmetric"),
        (np.array([[np.nan]]), UncertifiedError, "not finite"),
    ],
    ids=["empty", "not symmetric", "not finite"],
)
def test_a_matrix_without_a_largest_eigenvalue_is_refused(matrix, error, message):
    with pytest.raises(error, match=message):
        largest_eigenvalue_of_matrix(matrix)
