"""Self-tests: every rounding bound and radius is at most a ceiling that is derived beforehand, from a count by hand.

A theorem holds a bound from below: one that is too small fails. Nothing there holds it from above, and a bound that is
a thousand times too large passes everywhere. So each bound is computed on one instance whose condition number is 1 and
whose sizes are known, and compared with its operations, counted here, times u times the size of what is rounded. A
ceiling is at most HEADROOM times the bound that it limits.
"""

import ast
import dataclasses
import re
from pathlib import Path

import numpy as np
import pytest

from fixtures.dynamics.gradient_descent import gradient_descent
from fixtures.dynamics.gradient_flow import gradient_flow
from fixtures.dynamics.langevin import law_rounding
from fixtures.dynamics.steepest_descent import steepest_descent
from fixtures.kernels.infinite_width import erf_rounding, relu_rounding
from fixtures.kernels.regression import working_precision
from fixtures.models.two_layer import TwoLayer
from fixtures.precision import factorization, rounding
from fixtures.problems.examples import simplest
from fixtures.problems.interpolable import interpolables
from fixtures.problems.positive import PositiveSystem
from fixtures.problems.regression import regression_of_design
from fixtures.problems.separable import separable_data, signed
from fixtures.problems.sparse import recoverable_problems
from properties.certificates import assert_at_most, assert_identical, assert_within
from properties.curvature.lanczos import Krylov, cholesky_upper
from properties.curvature.sharpness import HessianOfLoss
from properties.deep_linear import gradient_rounding, loss_rounding
from properties.lazy_training import kernel_rounding, lazy_radius
from properties.linear_models.divergences import (
    radius_of_projection,
    relative_entropy_rounding,
    residual_with_rounding,
)
from properties.linear_models.least_squares import (
    distance_to_limit,
    iterate_rounding,
    oracle_rounding,
    residual_rounding,
)
from properties.linear_models.limits import flow_rounding, interpolant_rounding, limit_of_descent
from properties.linear_models.margins import angle_bound, dual_bound, largest_margin, radius, run_rounding
from properties.spectra.nuclear_norm import spectrum_rounding

U = 2.0**-53
HEADROOM = 100
ROOT = Path(__file__).parents[1]

# X has orthonormal rows, so that s = (1, 1) and cond(X) = 1; n + p = 5, |y| = 5, |w_0| = 3.
DESIGN = regression_of_design(np.array([[0.6, 0.8, 0], [-0.8, 0.6, 0]]), np.array([3.0, 4.0]))
START = np.array([2.0, 2, 1])
LIMIT = DESIGN.X.T @ DESIGN.y + [0, 0, 1]
SYSTEM = PositiveSystem(
    **vars(regression_of_design(np.array([[1.0, 0]]), np.ones(1))), w_p=np.ones(2), mu=np.zeros(1), exponent=0
)
# Two points on the axes: R = 1, and gamma* = 1/sqrt(2) in l2.
POINTS = signed(np.eye(2), np.ones(2))
LINEAR = TwoLayer(np.ones((4, 2)) / 2, np.ones(4), "identity", 0.5)


def a_run(steps):
    return gradient_descent(DESIGN.X, DESIGN.y, START, 1.0, steps)


def a_krylov():
    run = Krylov(lambda v: np.array([3.0, 1, -2]) * v, np.array([1.0, 2, 2]), 0.0)
    for _ in range(3):
        run.extend()
    return run


def a_hessian():
    import torch

    w = torch.ones(3, dtype=torch.float64, requires_grad=True)
    return HessianOfLoss(lambda: (w**2).sum() ** 2, [w])


def a_descent_of_points():
    return steepest_descent(POINTS.Z, POINTS.present, np.zeros(2), np.full(10, 0.1), 2)


CEILINGS = {
    # a step: inner products of 3 and of 2 terms, two updates, of |w| + |y| < 11; SVD of the construction: 8 (n + p)
    "iterate_rounding": lambda: (iterate_rounding(DESIGN, a_run(10)), 16 * (10 + 1) * 8 * 5 * U * 11),
    "residual_rounding": lambda: (residual_rounding(DESIGN, LIMIT), 16 * 5 * U * (np.sqrt(2) * 6 + 5)),
    "residual_with_rounding": lambda: (residual_with_rounding(DESIGN, LIMIT), 16 * 5 * U * (np.sqrt(2) * 6 + 5)),
    "oracle_rounding": lambda: (oracle_rounding(DESIGN, 1.0), 8 * 8 * 5 * U),
    "interpolant_rounding": lambda: (interpolant_rounding(DESIGN, START), 8 * 8 * 5 * U * (3 * 3 + 5)),
    "distance_to_limit": lambda: (
        distance_to_limit(DESIGN, dataclasses.replace(a_run(1), w=LIMIT), START, LIMIT).bound,
        8 * 8 * 5 * U * (3 + 6 + 5),
    ),
    "flow_rounding": lambda: (flow_rounding(DESIGN, START, 7.0), 8 * 8 * 5 * (1 + 7) * U * (3 + 5)),
    # the run stops where 1e-11 of the first residual is left, |Xw_0 - y| = |(2.8 - 3, -0.4 - 4)|
    "Limit.radius": lambda: (limit_of_descent(DESIGN, START).radius, 2e-11 * np.hypot(0.2, 4.4)),
    "radius_of_projection": lambda: (radius_of_projection(SYSTEM, np.ones(2), np.ones(2)), 64 * 3 * U * np.sqrt(2)),
    # 300 roundings a term: ten terms of a series, a logarithm, five products
    "relative_entropy_rounding": lambda: (relative_entropy_rounding(np.ones(2), np.ones(2)), 4 * 300 * U * 4),
    "Regression.construction": lambda: (DESIGN.construction, 2 * 8 * 5 * U),
    "Interpolable.construction": lambda: (simplest(interpolables()).construction, 2 * 8 * 2 * 4 * 4 * U),
    # products of 3 layers and data with inner dimension 3: 8 products of norms 3
    "gradient_rounding": lambda: (
        np.max(gradient_rounding([np.eye(3)] * 3, np.eye(3), np.eye(3))),
        4 * 2 * 4 * 3 * U * np.sqrt(3) * (9 + np.sqrt(3)) * 3,
    ),
    "loss_rounding": lambda: (
        loss_rounding([np.eye(3)] * 3, np.eye(3), 0 * np.eye(3)),
        4 * (2 * 4 * 3 * 9 * np.sqrt(3) + 9 * 1.5) * U,
    ),
    # ten steps of length 1/10, |z| = 1, |w| <= 1: a step has some 8 (n + d + 3) operations of margins below 2
    "run_rounding": lambda: (run_rounding(POINTS, a_descent_of_points(), 2), 4 * 8 * 7 * (1 + 10 + 1) * U * 3),
    "dual_bound": lambda: (dual_bound(POINTS, np.full(2, 0.5), 2) - 0.5**0.5, 8 * (2 * 2 + 2 + 2) * U),
    "LargestMargin": lambda: (
        largest_margin(POINTS, 2).upper - largest_margin(POINTS, 2).lower,
        16 * (2 * 2 + 2 + 2) * U,
    ),
    "angle_bound": lambda: (angle_bound(0.0, largest_margin(POINTS, 2)), np.sqrt(2 * 16 * 8 * U / 0.7)),
    "radius": lambda: (radius(POINTS, 2), 1.0),
    "Separable.certified_margin": lambda: (1 - simplest(separable_data()).certified_margin(2), 32 * (1 + 2) * U),
    "Recoverable.sigma_min": lambda: (1 - simplest(recoverable_problems()).sigma_min, 2e-12),
    "spectrum_rounding": lambda: (spectrum_rounding(np.eye(2)), 4 * 8 * 4 * 2 * U * np.sqrt(2)),
    # a kernel of unit rows in d = 2: products of 2 terms, an arccosine near 0.99 that loses a factor 7, sines
    "relu_rounding": lambda: (relu_rounding(np.eye(2)).max(), 4 * 4 * (2 * 2 + 12) * U),
    "erf_rounding": lambda: (erf_rounding(np.eye(2)).max(), 4 * 24 * (2 + 4) * U * 2),
    "working_precision": lambda: (working_precision(np.eye(3)), 8 * 3 * U),
    # m + d + 32 roundings of |J|_F^2 = 2 m/4, and no bend: s'' = 0
    "kernel_rounding": lambda: (kernel_rounding(LINEAR, np.eye(2)), 4 * (4 + 2 + 32) * U * 2),
    # one weight: J = x = 1, r_0 = w x - y = -1, and R = 4 |r_0|/s_0
    "lazy_radius": lambda: (
        lazy_radius(TwoLayer(np.ones((1, 1)), np.ones(1), "identity", 1.0), np.ones((1, 1)), np.full(1, 2.0)).radius,
        4.0,
    ),
    "law_rounding": lambda: (law_rounding(np.eye(2), 0.5, 1.0, 4), 4 * (16 * 2 * 16 + 8 * (2 + 3) * 4) * U * 1.5),
    # DOP853 at rtol 1e-12 against 1e-10, from 1 to exp(-1)
    "Flow.error": lambda: (gradient_flow(lambda w: -w, np.ones(1), np.ones(1)).error[0], 100 * 1e-12),
    # three products with a diagonal, orthonormal to 3 p u: 2 (|V'V - I| (2 theta + b) + |F|) + 8 k u theta
    "Krylov.misfits": lambda: (a_krylov().misfits.max(), 32 * U * 3),
    "Krylov.lower_bound": lambda: (3 - a_krylov().lower_bound(), 4 * (3 * 3 * 9 + 2 * 16 * 3 + 8 * 3 * 3) * U),
    "cholesky_upper": lambda: (cholesky_upper(np.eye(4), 1.0, 2.0**-10) - 1 - 2.0**-10, 4 * (6 * 4 * 2.0**-10 + 2) * U),
    "HessianOfLoss.rounding": lambda: (a_hessian().rounding(), 64 * 16 * U),
    "rounding": lambda: (rounding(1), 4 * U),
    "factorization": lambda: (factorization(1, 1), 4 * 8 * 2),
}

ELSEWHERE = {
    "Certificate.error": "the error itself",
    "Estimate.rounding": "test_the_value_is_the_largest_eigenvalue_of_the_dense_hessian",
    "LazyRadius.radius": "lazy_radius",
    "LayerFlow.error": "Flow.error",
}
"""The entry above of whose result it is a field, or the test that limits it."""

BOUND = re.compile("rounding|radius|construction")
FIELD = re.compile("error|radius|rounding")


@pytest.mark.parametrize("name", CEILINGS)
def test_a_bound_is_at_most_its_ceiling_and_the_ceiling_is_near(name):
    bound, ceiling = CEILINGS[name]()
    assert_at_most(bound, ceiling, why=f"{name} against its count by hand")
    assert_at_most(ceiling, HEADROOM * bound, why=f"{name}: the ceiling is no more than this many times the bound")


def bounds_of(path):
    """The public functions, methods and fields of a module that are rounding bounds or radii by their names."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef) and BOUND.search(node.name):
            yield node.name
        for part in getattr(node, "body", []) if isinstance(node, ast.ClassDef) else []:
            if isinstance(part, ast.FunctionDef) and BOUND.search(part.name):
                yield f"{node.name}.{part.name}"
            if isinstance(part, ast.AnnAssign) and FIELD.fullmatch(part.target.id):
                yield f"{node.name}.{part.target.id}"


def test_every_rounding_bound_and_radius_has_a_ceiling():
    modules = [path for folder in ("fixtures", "properties") for path in (ROOT / folder).rglob("[!_]*.py")]
    found = {name for path in modules if not path.name.startswith("test_") for name in bounds_of(path)}
    public = {name for name in found if not name.startswith("_")}
    assert_identical(sorted(public - {*CEILINGS, *ELSEWHERE}), [], why="bounds without a ceiling")
    assert_identical(sorted({*ELSEWHERE} - public), [], why="exceptions that no longer exist")
    assert_within(15, len(public), len(CEILINGS), why="the search sees the bounds")
