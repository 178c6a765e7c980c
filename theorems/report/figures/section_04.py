"""Figures of Section 4, deep linear networks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from theorems.report.figures import Series, figure
from theorems.report.figures.style import COLORS, INK

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas

SECTION = "theorems/section_04_deep_linear_networks"


@figure(
    test=f"{SECTION}/theorem_4_1_minimum_nuclear_norm/test_c_linear_measurements.py"
    "::test_on_its_way_to_norm_five_descent_passes_no_completion_of_norm_four",
    title="Descent ends at a completion of nuclear norm 5, and the least is 4",
    alt="Nuclear norm of the completion of a 2 x 2 matrix with the entries 1, 2, 2 against its fourth entry z. "
    "The curve has its least value 4 at z = 1 and rises to 5 at z = 4, where the matrix becomes positive semidefinite. "
    "The path of gradient descent starts near 0, stays below the curve, and meets it at z = 4, where the norm is 5.",
)
def two_by_two_completion(canvas: Canvas, series: Series) -> None:
    """Theorem 4.1 (c)."""
    axes = canvas.add_subplot()
    curve, path = series["all completions"], series["descent"]
    z, norms = curve["z"], curve["nuclear_norm"]
    axes.plot(z[z <= 4], norms[z <= 4], color=INK)
    axes.plot(z[z >= 4], norms[z >= 4], color=COLORS[0], linewidth=4)
    axes.plot(path["z"], path["nuclear_norm"], color=COLORS[1], linestyle="--")
    axes.plot(path["z"][-1], path["nuclear_norm"][-1], "o", color=COLORS[1], markersize=9)
    axes.plot(1, 4, "s", color=INK, markersize=8)
    axes.annotate("least: 4", (1, 4), (0.7, 3.2), ha="right", color=INK)
    axes.annotate("descent ends: 5", (4, 5), (4.3, 4.4), color=COLORS[1])
    axes.annotate("positive\nsemidefinite", (6, 7), (5.8, 7.3), ha="right", color=COLORS[0])
    axes.annotate("descent from $I/10$", (1.6, 2), (2.2, 1.6), color=COLORS[1])
    axes.annotate("indefinite", (-1.3, 5), (-0.9, 4.9), color=INK)
    axes.set(xlabel="missing entry $z$", ylabel="nuclear norm", xlim=(-2, 8), ylim=(0, 9))
