"""The error of a finding that is due to its test set, beside the one that seeds show.

All runs of an experiment are tested on the same images, so that what these images happen to be is common to all seeds:
an interval over seeds is conditional on them, and more seeds do not narrow what another test set would change. The
jackknife leaves out one test image at a time, in all runs at once, so that it keeps their pairing.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np


def of_test_set(wrong: np.ndarray, statistic: Callable[[np.ndarray], float]) -> float:
    """The jackknife standard error of a statistic of test errors, over the draw of the test images.

    wrong: (seeds, arms, n), 1 where a run answers an image wrongly and 0 where not, or between them where two moments
    of a run are weighted, in any unit; n >= 2. statistic: of the mean (seeds, arms) over images. For a linear one it is
    the standard deviation over images of what one of them contributes, over sqrt(n), exactly; of one run that is the
    binomial sqrt(p(1 - p)/(n - 1)). For others it is approximate (Tukey 1958, Bias and Confidence in Not-Quite Large
    Samples, Annals of Mathematical Statistics 29; Efron, Stein 1981, The Jackknife Estimate of Variance, Annals of
    Statistics 9).
    Raises ValueError for fewer than two images, and for other shapes.
    """
    if wrong.ndim != 3 or wrong.shape[2] < 2:
        raise ValueError(
            f"a test set is left out image by image: (seeds, arms, n >= 2) is asked for, not {wrong.shape}"
        )
    count, total = wrong.shape[2], wrong.sum(axis=2)
    left = [statistic((total - wrong[:, :, i]) / (count - 1)) for i in range(count)]
    return math.sqrt((count - 1) * np.var(left))


def told_of_test_set(wrong: np.ndarray, statistic: Callable[[np.ndarray], float], unit: str = "") -> str:
    """In words that follow an interval over seeds, the error of `of_test_set`, on which it is conditional."""
    error = of_test_set(wrong, statistic)
    return f" (seeds vary, the {wrong.shape[2]:,} test images do not: their own standard error is {error:.2g}{unit})"
