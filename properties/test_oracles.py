"""Self-tests: a problem without a solution is an error of one line that says so."""

import numpy as np
import pytest

from properties.certificates import assert_at_most
from properties.oracles import (
    OracleError,
    largest_l1_margin,
    least_l1_norm,
    least_max_norm,
    nearest_in_hyperbolic_entropy,
    nearest_in_relative_entropy,
    nearest_point_of_hull,
)
from properties.spectra.nuclear_norm import least_trace

TWICE = np.array([[1.0, 0], [1, 0]])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: least_l1_norm(TWICE[None], np.array([[1.0, 2]])), "least l1 norm has no solution: .* infeasible"),
        (lambda: least_max_norm(TWICE[None], np.array([[1.0, 2]])), "l-infinity norm has no solution: .* infeasible"),
        (lambda: least_trace(np.array([[1.0, 2]]), np.array([-1.0])), "least trace has no solution: .* infeasible"),
        (lambda: nearest_point_of_hull(np.zeros((2, 2))), "the hull of no points"),
        (lambda: largest_l1_margin(np.stack([TWICE, 0 * TWICE])), "the largest margin of no points"),
        (lambda: nearest_in_relative_entropy(np.ones((1, 2)), np.array([-1.0]), np.ones(2)), "no positive solution"),
        (lambda: nearest_in_hyperbolic_entropy(TWICE, np.array([1.0, 2]), np.zeros(2), 1.0), "in hyperbolic entropy"),
    ],
    ids=[
        "least_l1_norm",
        "least_max_norm",
        "least_trace",
        "nearest_point_of_hull",
        "largest_l1_margin",
        "nearest_in_relative_entropy",
        "nearest_in_hyperbolic_entropy",
    ],
)
def test_a_problem_without_a_solution_is_one_line_that_says_so(call, message):
    with pytest.raises(OracleError, match=message) as refused:
        call()
    assert_at_most(str(refused.value).count("\n"), 0, why="lines after the first")


def test_a_solver_that_gives_up_is_an_oracle_error(monkeypatch):
    def gives_up(*_):
        raise RuntimeError("Maximum number of iterations reached.")

    monkeypatch.setattr("scipy.optimize.nnls", gives_up)
    with pytest.raises(OracleError, match=r"gives up on 2 points: Maximum number"):
        nearest_point_of_hull(TWICE)
