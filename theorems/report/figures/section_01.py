"""Figures of Section 1: two learning rates that find two minima, and the margin of gradient descent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from theorems.report.figures import Series, figure
from theorems.report.figures.style import COLORS, INK

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas

SECTION = "theorems/section_01_introduction"


@figure(
    test=f"{SECTION}/section_1_2_dependence/test_b_learning_rate.py"
    "::test_two_learning_rates_find_two_minima_of_a_product",
    title="From one start, two learning rates find two minima of the network uvx",
    alt="The plane of the weights u and v, with the branch u > 0 of the hyperbola uv = -1 of all minima. "
    "One step of gradient descent from (3, 2) leads to (1, -1) at the rate 1/7, and to (2/3, -3/2) at the rate 1/6.",
)
def two_rates_two_minima(canvas: Canvas, series: Series) -> None:
    """A branch of the minima, and one step at each rate from one start."""
    data = series["start, and ends of two rates"]
    axes = canvas.add_subplot()
    u, v = data["u"], data["v"]
    branch = np.linspace(0.3, 3.6, 100)
    axes.plot(branch, -1 / branch, color=INK, linewidth=1.2)
    for end, color, marker in ((1, COLORS[0], "o"), (2, COLORS[1], "s")):
        axes.plot([u[0], u[end]], [v[0], v[end]], color=color, linestyle="--", linewidth=1.4)
        axes.plot(u[end], v[end], color=color, marker=marker, markersize=8)
    axes.annotate(r"$\eta = 1/7$", (u[1] + 0.15, v[1] - 0.1), color=COLORS[0], va="top")
    axes.annotate(r"$\eta = 1/6$", (u[2] + 0.2, v[2] - 0.25), color=COLORS[1], va="top")
    axes.plot(u[0], v[0], color=INK, marker="*", markersize=12)
    axes.annotate("start", (u[0] + 0.12, v[0]), va="center")
    axes.annotate("minima: $uv = -1$", (3.55, -0.6), ha="right", va="top")
    axes.set(xlabel="weight $u$", ylabel="weight $v$", xlim=(0, 3.7), ylim=(-2.6, 2.4), xticks=range(4))


@figure(
    test=f"{SECTION}/section_1_2_maximum_margin/test_examples.py"
    "::test_on_four_points_gradient_descent_reaches_nine_tenths_of_the_largest_margin",
    title="On four points, gradient descent reaches nine tenths of the largest margin in 1024 steps",
    alt="Margin of gradient descent over the largest margin, against the number of steps from 1 to 1024 on a "
    "logarithmic scale. It rises from 0.69 to 0.94, below the line 1. Its guarantee is positive from 128 steps on, and "
    "rises to 0.53.",
)
def margin_of_gradient_descent(canvas: Canvas, series: Series) -> None:
    """The normalized margin and its guarantee against the number of steps, below the largest margin."""
    data = series["margin"]
    axes = canvas.add_subplot()
    axes.set_xscale("log", base=2)
    step, promised = data["step"], data["guarantee"] > 0
    axes.axhline(1, color=INK, linewidth=1.2)
    axes.plot(step, data["margin"], color=COLORS[0], marker="o")
    axes.plot(step[promised], data["guarantee"][promised], color=COLORS[1], linestyle="--", marker="s")
    axes.annotate("largest margin", (1, 1.02), va="bottom")
    axes.annotate("gradient descent", (8, 0.69), color=COLORS[0], va="top")
    axes.annotate("guaranteed", (110, 0.3), color=COLORS[1], ha="right")
    axes.set(xlabel="step $t$", ylabel="margin, over the largest", ylim=(0, 1.12), xticks=[1, 4, 16, 64, 256, 1024])
    axes.set_xticklabels(["1", "4", "16", "64", "256", "1024"])
