"""Experiment 1's hundred trials: batched gradient descent, the loop one would write first, and a direct solver.

All three solve the same problems to 0.1 % or better; the group's relative column gives the ratios of one run.
"""

import numpy as np
import pytest
import scipy.linalg

from fixtures.dynamics.gradient_descent import gradient_descent
from fixtures.problems.gaussian import gaussian_regressions
from theorems.section_10_experiments import test_experiment_1_minimum_norm as experiment


@pytest.fixture(scope="module")
def chunks():
    return list(gaussian_regressions(experiment.ROWS, experiment.COLUMNS, experiment.TRIALS, experiment.SEED))


def batched(chunks):
    return [
        gradient_descent(X, y, np.zeros((len(y), X.shape[-1])), experiment.ETA, experiment.STEPS).w for X, y in chunks
    ]


def one_by_one(chunks):
    solutions = []
    for X, y in ((X, y) for designs, targets in chunks for X, y in zip(designs, targets, strict=True)):
        w = np.zeros(X.shape[-1])
        for _ in range(experiment.STEPS):
            w = w - experiment.ETA * (X.T @ (X @ w - y))
        solutions.append(w)
    return solutions


def direct(chunks):
    return [scipy.linalg.lstsq(X, y)[0] for designs, targets in chunks for X, y in zip(designs, targets, strict=True)]


@pytest.mark.benchmark(group="experiment 1, 100 trials of 100 x 1000")
@pytest.mark.parametrize("solve", [batched, one_by_one, direct], ids=["batched", "loop", "scipy lstsq"])
def test_a_hundred_trials(benchmark, chunks, solve):
    benchmark(solve, chunks)
