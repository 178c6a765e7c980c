"""Self-tests: curvature and kernel regressions beside the Jacobian by its formula."""

import dataclasses

import numpy as np
import pytest

from fixtures.kernels.infinite_width import relu_ntk
from fixtures.sweeps.memory_context import MemoryContext
from fixtures.training.answers import unpack_answers
from properties.certificates import assert_at_most, assert_identical, assert_within
from theorems.section_10_experiments.tangent_model import largest_curvature
from theorems.section_10_experiments.width import InfiniteKernelTrial
from theorems.section_10_experiments.width_results import tuned
from theorems.section_10_experiments.written_out import U32, WrittenOut, trial

pytestmark = pytest.mark.slow


def test_curvature_is_what_twelve_power_steps_find_of_the_tangent_hessian():
    import torch

    it = trial(parameterization="mean-field")
    written = WrittenOut(it)
    inputs = torch.from_numpy(written.x[0]).float()
    found = largest_curvature(it.network(64, 10), inputs)
    J = written.jacobian(0).reshape(200, -1)
    rates = np.repeat(written.rates, [written.W.size, written.a.size])
    M = 2 / 20 * (J * rates) @ J.T
    v = torch.randn(20, 10, generator=torch.Generator().manual_seed(0)).numpy().ravel().astype(float)
    for _ in range(12):
        v = M @ (v / np.linalg.norm(v))
    expected = np.linalg.norm(v)
    assert_within(expected, found, expected, slack=2**10 * U32 * expected, why="2/n |J R J'| by power steps")
    assert_at_most(expected, np.linalg.eigvalsh((M + M.T) / 2)[-1] * (1 + 200 * U32), why="from below")


def ridge_accuracies(K, targets, predictors, written, kept=(0.0, 0.0)):
    """Validation and test accuracy of each ratio of the grid; predictors: kernels at the two splits."""
    found = {}
    for exponent in range(-10, 3):
        ridge = 10.0**exponent * np.trace(K)
        alpha = np.linalg.solve(K + ridge * np.eye(len(K)), targets)
        values = [f_0 + (P @ alpha).reshape(-1, 10) for P, f_0 in zip(predictors, kept, strict=True)]
        found[exponent] = [written.accuracy(which, value) for which, value in enumerate(values, 1)]
    return found


def assert_tuned(told, expected, why):
    """The tuned regression is one of the best on the validation split, and its accuracies are the expected ones."""
    exponents = np.rint(np.log10(told["ratios"])).astype(int)
    assert_identical(exponents, np.arange(exponents[0], exponents[-1] + 1), why=f"{why}: every decade between")
    assert_at_most([exponents[0], -1], [-7, exponents[-1]], why=f"{why}: the grid that was tried")
    assert_identical(tuned(told)["ratio"], told["ratio"], why=f"{why}: the best ridge lies inside the grid")
    assert_identical(told["validation"], [expected[e][0] for e in exponents], why=f"{why}: validation accuracies")
    assert_identical(told["best_validation"], max(told["validation"]), why=f"{why}: the best")
    chosen = round(np.log10(told["ratio"]))
    assert_identical(expected[chosen][0], told["best_validation"], why=f"{why}: the chosen ridge")
    assert_identical(told["test"], expected[chosen][1], why=f"{why}: test accuracy")
    wrong = unpack_answers(told["test_wrong"])
    assert_identical(len(wrong) - wrong.sum(), round(len(wrong) * told["test"]), why=f"{why}: right answers")


@pytest.mark.parametrize("centered", [True, False])
def test_linearizations_are_kernel_regressions_with_the_jacobian_at_the_start(centered):
    it = dataclasses.replace(trial(parameterization="standard", cap=0), antisymmetric=False, linearize=True)
    told = it.run(MemoryContext())["linearization" if centered else "linearization_with_f0"]
    written = WrittenOut(it)
    J, *others = (written.jacobian(which).reshape(-1, 8 * 74) for which in range(3))
    values = [np.zeros_like(y) if centered else written.values(which) for which, y in enumerate(written.y)]
    targets = (written.y[0] - values[0]).ravel()
    expected = ridge_accuracies(J @ J.T, targets, [other @ J.T for other in others], written, values[1:])
    assert_tuned(told, expected, "J J'")


def test_the_infinite_kernel_is_tuned_and_centered():
    it = InfiniteKernelTrial("digits", 60, 40, 50, seed=3)
    told = it.run(MemoryContext())
    written = WrittenOut(trial(60))
    x = written.x
    expected = ridge_accuracies(relu_ntk(x[0], x[0]), written.y[0], [relu_ntk(rows, x[0]) for rows in x[1:]], written)
    assert_tuned(told, expected, "infinite width")
