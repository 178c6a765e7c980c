"""Figures of Section 2: samples that no network without biases fits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from theorems.report.figures import Series, figure
from theorems.report.figures.style import COLORS, FAINT, INK

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas

SECTION = "theorems/section_02_preliminaries"


@figure(
    test=f"{SECTION}/section_2_1_overparameterization/test_obstructions.py"
    "::test_the_best_relu_network_misses_two_samples_on_a_ray",
    title="On the samples x = 1, 2 with y = 1, 1 the best ReLU network without biases still has the loss 1/20",
    alt="Output against input x from 0 to 2.5. The two samples are at height 1. Three networks are rays from the "
    "origin, of slopes 1/2, 3/5 and 1. The best is 3x/5: it gives 3/5 and 6/5, and misses the samples by 2/5 and 1/5.",
)
def best_network_on_a_ray(canvas: Canvas, series: Series) -> None:
    """The two samples, the best network, and two that fit one sample each."""
    data = series["two samples on a ray"]
    axes = canvas.add_subplot()
    ray = np.array([0, 2.5])
    for slope in (data["y"] / data["x"]).tolist():
        axes.plot(ray, slope * ray, color=FAINT, linestyle=":", linewidth=1.4)
    axes.plot(ray, data["best"][0] / data["x"][0] * ray, color=COLORS[0])
    axes.vlines(data["x"], data["best"], data["y"], color=COLORS[1], linestyle="--", linewidth=1.4)
    axes.plot(data["x"], data["best"], color=COLORS[0], marker="o", linestyle="none")
    axes.plot(data["x"], data["y"], color=INK, marker="s", linestyle="none", markersize=8)
    axes.annotate("best: $3x/5$", (2.5, 1.55), color=COLORS[0], ha="right", va="bottom")
    axes.annotate("2/5", (1.04, 0.78), color=COLORS[1], va="center")
    axes.annotate("1/5", (2.05, 0.9), color=COLORS[1], va="center")
    axes.annotate("samples", (0.95, 1.1), ha="right")
    axes.annotate("other networks", (1.5, 1.65), ha="right")
    axes.set(xlabel="input $x$", ylabel="output $f(x)$", xlim=(0, 2.55), ylim=(0, 1.8), xticks=[0, 1, 2], yticks=[0, 1])
