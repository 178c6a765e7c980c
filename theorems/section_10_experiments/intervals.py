"""Columns of a picture with their intervals: a mean over seeds for each arm, and Student's 95 % interval for it."""

from __future__ import annotations

import numpy as np

from properties.statistics.paired import student_interval


def columns_with_ends(logarithmic: bool = False, **tables: np.ndarray) -> dict[str, np.ndarray]:
    """For each table NAME (seeds, arms) the columns NAME, NAME_lower and NAME_upper, (arms,), of four digits.

    logarithmic: means and intervals are of the logarithms, so that the mean is the geometric one.
    """
    columns = {}
    for name, table in tables.items():
        found = [student_interval(np.log(arm) if logarithmic else arm) for arm in table.T]
        for end in ("estimate", "lower", "upper"):
            values = np.array([getattr(interval, end) for interval in found])
            values = np.exp(values) if logarithmic else values
            columns[name if end == "estimate" else f"{name}_{end}"] = np.array([float(f"{v:.4g}") for v in values])
    return columns
