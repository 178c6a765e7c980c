"""Self-tests: enclosures contain the largest eigenvalue, with the stated width and probability; a residual does not."""

import math
from fractions import Fraction

import numpy as np
import pytest
import scipy.special
from hypothesis import given
from hypothesis import strategies as st

from fixtures.precision import UNIT_ROUNDOFF
from fixtures.problems.tapes import tapes
from properties.certificates import assert_at_most, assert_identical, assert_violates, assert_within
from properties.curvature.lanczos import (
    Krylov,
    UncertifiedError,
    cholesky_upper,
    christoffel_upper,
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
    """A Lanczos run of `steps` products with an exact operator."""
    run = Krylov(product, np.asarray(start, float), 0.0)
    for _ in range(steps):
        run.extend()
    return run


def on_two_ends_and_a_middle(start):
    """A run of two products (of three) with diag(3, 1, -2), after which the Christoffel bound is attained."""
    return lanczos(lambda v: np.array([3.0, 1, -2]) * v, start, 2)


def test_theta_plus_residual_is_no_upper_bound():
    # given  A = diag(1, 2, 5) and a start without the top eigenvector
    A = np.diag([1.0, 2, 5])
    run = lanczos(lambda v: A @ v, [1, 1, 0], 2)
    # when   the Krylov space is invariant: the Ritz pair is exact, and its residual is b_k = 0
    theta, residual = run.ends()[1], run.b[-1]
    # then
    assert_violates(5, theta + residual, reads="lambda_max = {value} > theta + residual = {limit}", A="diag(1, 2, 5)")
    assert_identical(cholesky_upper(A, theta, 1.0), math.inf, why="Cholesky refuses theta + 1")


def with_a_hidden_top(component, size=400, seed=0, top=1.3):
    """A symmetric operator in R^size, whose leading eigenvector has this component in the start of `seed`.

    Eigenvalues: `top`, 1, and a bulk in [0, 1/2]. The eigenvectors are the columns of a reflection.
    """
    start = np.random.default_rng(seed).standard_normal(size)
    start /= np.linalg.norm(start)
    aside = np.random.default_rng(seed + 1).standard_normal(size)
    aside -= (aside @ start) * start
    leading = component * start + math.sqrt(1 - component**2) * aside / np.linalg.norm(aside)
    spectrum = np.concatenate([[top, 1.0], np.linspace(0, 0.5, size - 2)])
    normal = leading - np.eye(size)[0]
    reflect = lambda v: v - 2 * (normal @ v) / (normal @ normal) * normal  # noqa: E731
    return start, lambda v: reflect(spectrum * reflect(v))


@pytest.mark.parametrize("component", [1e-4, 1e-6, 1e-8])
def test_a_run_that_has_converged_to_the_second_eigenvalue_goes_on_to_the_first(component):
    # given  1.3 carried by a small component of the start, which is more than one start in 10^9 lacks
    start, product = with_a_hidden_top(component)
    assert_at_most(least_component(400, FALSE_ALARM), component, why="the component that is supposed")
    # when   some products have been taken: theta is near 1, and its residual is tiny
    runs = [lanczos(product, start, k) for k in range(2, 12)]
    pairs = [(run.ends()[1], *run.ritz_vector()) for run in runs]
    misled = min(theta + np.linalg.norm(image - theta * y) for theta, y, image in pairs)
    assert_at_most(misled, 1.02, why="theta plus residual is far below 1.3")
    # then
    found = largest_eigenvalue(product, 400, rounding=64 * UNIT_ROUNDOFF)
    assert_within(found.lower, 1.3, found.upper, why="lambda_max")
    assert_at_most(found.width, 1e-4 * 1.3 * (1 + 1e-9), why="width of the enclosure")


@pytest.mark.slow
@given(symmetric_matrices())
def test_cholesky_encloses_the_largest_eigenvalue_of_a_matrix(instance):
    spectrum, A = instance
    rounding = 40 * len(A) * UNIT_ROUNDOFF * 6
    found = largest_eigenvalue_of_matrix(A)
    assert_within(found.lower, spectrum.max(), found.upper, slack=rounding, why="lambda_max")
    assert_at_most(found.width, 1e-9 * np.abs(spectrum).max(), why="width of the enclosure", instance=A)
    # then   and no less than lambda_max is certified, by a margin of rounding
    below = cholesky_upper(A, spectrum.max(), -rounding - len(A) * rounding)
    assert_identical(below, math.inf, why="Cholesky refuses what is too low")


@pytest.mark.slow
@given(symmetric_matrices(), st.integers(0, 2**16))
def test_a_random_start_encloses_the_largest_eigenvalue_of_an_operator(instance, seed):
    spectrum, A = instance
    found = largest_eigenvalue(lambda v: A @ v, len(A), rounding=2 * len(A) * UNIT_ROUNDOFF, seed=seed, accuracy=1e-2)
    rounding = 40 * len(A) * UNIT_ROUNDOFF * 6
    assert_within(found.lower, spectrum.max(), found.upper, slack=rounding, why="lambda_max")
    assert_at_most(found.width, 1e-2 * np.abs(spectrum).max() + rounding, why="width of the enclosure", instance=A)


@pytest.mark.parametrize("sign", [1, -1])
def test_the_christoffel_bound_is_attained(sign):
    # given  p - 1 products: sum_j c_j^2 = 1 is then all that is known about the top eigenvector
    start = np.array([0.01, 0.3, 0.02])
    run, top = on_two_ends_and_a_middle(start), 3 if sign > 0 else 2
    component = start[0 if sign > 0 else 2] / np.linalg.norm(start)
    # then   knowing c_1 gives lambda_max; the bound is monotone in c_1, and a component 1 % too large is caught
    error = abs(christoffel_upper(run, component, sign) - top)
    assert_at_most(error, 2.0**-19, why="equality, up to the slack left for the orthogonality of V")
    assert_at_most(christoffel_upper(run, 1.01 * component, sign), top - 0.001, why="a component that is too large")
    assert_at_most(top + 0.001, christoffel_upper(run, 0.99 * component, sign), why="one that is too small")


def test_an_enclosure_allows_for_the_stated_rounding_of_the_operator_at_both_ends():
    # given  diag(3, 1, -2), with products that use 3 - 1e-3 or 3 + 1e-3 and state this error as their rounding
    start, error = np.array([0.01, 0.3, 0.02]), 1e-3
    low, high = (Krylov(lambda v, top=top: np.array([top, 1, -2]) * v, start, error) for top in (3 - error, 3 + error))
    # when   the upper bound is attained (two products), and the lower one (three)
    for _ in range(2):
        low.extend()
    for _ in range(3):
        high.extend()
    # then
    assert_at_most(3, christoffel_upper(low, start[0] / np.linalg.norm(start)), why="lambda_max, seen too low")
    assert_at_most(high.lower_bound(), 3, why="lambda_max, seen too high")


def test_a_component_below_the_rounding_of_the_start_excludes_nothing():
    run = on_two_ends_and_a_middle([0.01, 0.3, 0.02])
    assert_identical(christoffel_upper(run, 2 * UNIT_ROUNDOFF), math.inf, why="the bound")


@pytest.mark.parametrize(
    ("A", "theta"),
    [
        ([[0.9998552969136323, 0.0003397124740169565], [0.0003397124740169565, 0.9992024733687472]], 1.0),
        ([[-30.0, -43.0], [-43.0, -61.63333333333333]], 0.0),
    ],
    ids=["lost in the last addition", "far below the matrix"],
)
def test_a_cholesky_that_succeeds_on_an_indefinite_matrix_does_not_mislead(A, theta):
    # given  theta I - A has a negative determinant, so lambda_max > theta; yet it factorizes in floating point
    (a, b), (_, c) = [[Fraction(entry) for entry in row] for row in A]
    assert_at_most((Fraction(theta) - a) * (Fraction(theta) - c) - b**2, -Fraction(1, 10**30), why="det(theta I - A)")
    # then   the bound is right in rational numbers, or LAPACK refuses
    upper = Fraction(min(cholesky_upper(np.array(A), theta, 0.0), 1e9))
    assert_at_most(b**2, (upper - a) * (upper - c), why="det(upper I - A) is not negative")


@pytest.mark.parametrize("power", [-900, -540, 540, 1000])
def test_a_power_of_two_scales_both_enclosures_exactly(power):
    spectrum, A = np.arange(-3.0, 4), np.array([[2.0, 1, 0], [1, 3, 1], [0, 1, -4]])
    products = [lambda v, unit=unit: unit * spectrum * v for unit in (1.0, 2.0**power)]
    found = [largest_eigenvalue(product, 7, rounding=UNIT_ROUNDOFF) for product in products]
    found += [largest_eigenvalue_of_matrix(unit * A) for unit in (1.0, 2.0**power)]
    ends = np.array([[enclosure.lower, enclosure.upper] for enclosure in found])
    assert_identical(ends[1::2], ends[::2] * 2.0**power, why="ends of both enclosures")


@pytest.mark.slow
def test_a_run_that_stops_early_is_as_narrow_as_asked():
    # given  500 eigenvalues from -1 to 1
    spectrum, accuracy = np.linspace(-1, 1, 500), 1e-2
    found = largest_eigenvalue(lambda v: spectrum * v, 500, rounding=UNIT_ROUNDOFF, accuracy=accuracy)
    assert_within(found.lower, 1, found.upper, why="lambda_max")
    assert_at_most(found.width, accuracy, why="width of the enclosure")
    assert_at_most(
        found.iterations, products_needed(500, accuracy / 4, FALSE_ALARM) - 1, why="products, not all of them"
    )


def test_a_run_whose_accuracy_rounding_prevents_is_given_up_soon():
    # given  products with a rounding of 1e-2, so theta comes to rest long before an accuracy of 1e-4
    calls, spectrum = [], np.linspace(-1, 1, 300)
    with pytest.raises(UncertifiedError, match="only known to be in"):
        largest_eigenvalue(lambda v: calls.append(v) or spectrum * v, 300, rounding=1e-2)
    assert_at_most(len(calls), 150, why="products, of the 300 allowed")


def test_an_accuracy_below_that_of_cholesky_is_raised_to_it():
    # given  a rotated projection, and an accuracy whose tau no factorization can distinguish from zero
    Q = np.linalg.qr(np.random.default_rng(0).standard_normal((5, 5)))[0]
    A = (Q * np.array([0, 1, 1, 1, 1])) @ Q.T
    found = largest_eigenvalue_of_matrix((A + A.T) / 2, accuracy=1e-18)
    assert_within(found.lower, 1, found.upper, why="lambda_max")


def test_components_of_uniform_directions_have_the_laws_of_circle_and_sphere():
    # given  |c_1| is |cos| of a uniform angle in the plane, and uniform in space (Archimedes)
    q = 0.2
    laws = [least_component(2, q) - math.sin(math.pi * q / 2), least_component(3, q) - q, least_component(1, q) - 1]
    assert_at_most(np.abs(laws), 16 * UNIT_ROUNDOFF, why="quantile of |c_1| in dimensions 2, 3 and 1")


@pytest.mark.slow
def test_the_christoffel_bound_fails_just_as_often_as_its_start_is_bad():
    # given  1500 starts, and a component such that one start in five has less
    starts, probability = np.random.default_rng(0).standard_normal((1500, 3)), 0.2
    component = least_component(3, probability)
    # when   p - 1 products: up to rounding, the bound fails if and only if |c_1| < component
    failures = np.mean([christoffel_upper(on_two_ends_and_a_middle(b), component) < 3 - 2.0**-15 for b in starts])
    # then   the slack is Hoeffding's at 1e-9, 0.085; half or twice the probability would be off by at least 0.1
    slack = math.sqrt(math.log(2 / FALSE_ALARM) / (2 * len(starts)))
    assert_at_most(abs(failures - probability), slack, why="how often the bound fails")
    assert_at_most(slack, probability / 2, why="power: a probability off by a factor of two is caught")


def failure_probability(size, k, eps):
    """P(c_1^2 < 1/cosh^2((2k - 1) artanh sqrt(eps))), exact for c_1 uniform on the sphere."""
    cosh = math.cosh((2 * k - 1) * math.atanh(math.sqrt(eps)))
    return scipy.special.betainc(0.5, (size - 1) / 2, cosh**-2)


@pytest.mark.parametrize(("size", "eps"), [(2, 0.5), (1000, 0.01), (10**5, 1e-4)])
def test_the_products_needed_are_the_fewest_that_reach_the_probability(size, eps):
    k = products_needed(size, eps, FALSE_ALARM)
    assert_at_most(k, size, why="no more than the dimension")
    reached = failure_probability(size, k, eps) if k < size else 0
    assert_at_most(reached, FALSE_ALARM * (1 + 1e-9), why="k products suffice")
    assert_at_most(FALSE_ALARM, failure_probability(size, k - 1, eps) if k > 1 else 1, why="k - 1 do not")


@pytest.mark.parametrize(
    ("product", "message"),
    [
        (lambda v: v * np.nan, "not finite"),
        (lambda v: np.cumsum(v), "is only known to be in"),
        (lambda v: np.multiply(np.arange(30), v, out=v), "is orthonormal to"),
    ],
    ids=["not finite", "not symmetric", "overwrites its argument"],
)
def test_an_operator_that_cannot_be_enclosed_is_an_error_of_one_line(product, message):
    with pytest.raises(UncertifiedError, match=message) as caught:
        largest_eigenvalue(product, 30, rounding=UNIT_ROUNDOFF)
    assert_at_most(str(caught.value).count("\n"), 0, why="lines after the first")


@pytest.mark.parametrize("wrong", [{"accuracy": 0}, {"accuracy": 5}, {"probability": 2.0}, {"size": 0}])
def test_an_invalid_accuracy_probability_or_size_is_refused(wrong):
    with pytest.raises(ValueError, match=r"below 1, or .* not in \(0, 1\)"):
        largest_eigenvalue(lambda v: v, **{"size": 3, "rounding": 0, **wrong})


def test_probabilities_that_rounding_would_drown_are_refused():
    with pytest.raises(ValueError, match="below rounding"):
        largest_eigenvalue(lambda v: v, 10**6, rounding=0, probability=1e-15)


@pytest.mark.parametrize(
    ("matrix", "error", "message"),
    [
        (np.empty((0, 0)), ValueError, "without entries"),
        (np.array([[1.0, 2], [0, 1]]), UncertifiedError, "not symmetric"),
        (np.array([[np.nan]]), UncertifiedError, "not finite"),
        (np.full((2, 2), 1.5e308), UncertifiedError, "not finite in float64"),
    ],
    ids=["empty", "not symmetric", "not finite", "overflow"],
)
def test_a_matrix_without_a_largest_eigenvalue_is_refused(matrix, error, message):
    with pytest.raises(error, match=message):
        largest_eigenvalue_of_matrix(matrix)
