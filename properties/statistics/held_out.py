"""The standard error that is due to the test set, to be shown beside an interval over seeds.

All runs of an experiment are tested on the same images. So an interval over seeds is conditional on these images. More
seeds do not narrow the error that another test set would show. The jackknife leaves out one test image at a time, in
all runs at once, so the runs stay paired.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np


def standard_error_of_test_set(wrong: np.ndarray, statistic: Callable[[np.ndarray], float]) -> float:
    """The jackknife standard error of a statistic of test errors, over the draw of the test images.

    wrong (seeds, arms, n), n >= 2: 1 where a run answers an image wrongly, 0 where it answers correctly, in any unit.
    Values between the two occur where two moments of a run are averaged with weights. statistic: a function of the mean
    of `wrong` over images, (seeds, arms).

    For a linear statistic the result is exactly the standard deviation over images of the contribution of one image,
    over sqrt(n). For a single run this is the binomial sqrt(p(1 - p)/(n - 1)). For other statistics it is approximate
    (Tukey 1958, Bias and Confidence in Not-Quite Large Samples, Annals of Mathematical Statistics 29; Efron, Stein
    1981, The Jackknife Estimate of Variance, Annals of Statistics 9).
    Raises ValueError for fewer than two images, and for other shapes.
    """
    if wrong.ndim != 3 or wrong.shape[2] < 2:
        raise ValueError(
            f"a test set is left out image by image: (seeds, arms, n >= 2) is asked for, not {wrong.shape}"
        )
    count, total = wrong.shape[2], wrong.sum(axis=2)
    left = [statistic((total - wrong[:, :, i]) / (count - 1)) for i in range(count)]
    return math.sqrt((count - 1) * np.var(left))


def describe_test_set_error(wrong: np.ndarray, statistic: Callable[[np.ndarray], float], unit: str = "") -> str:
    """The standard error of `standard_error_of_test_set` in words, to be put after an interval over seeds."""
    error = standard_error_of_test_set(wrong, statistic)
    return f" (seeds vary, the {wrong.shape[2]:,} test images do not: their own standard error is {error:.2g}{unit})"
