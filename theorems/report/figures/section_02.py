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


@figure(
    test=f"{SECTION}/section_2_2_steepest_descent/test_c_start.py"
    "::test_starts_on_either_side_of_a_saddle_part_however_close_they_are",
    title="Two starts on either side of a saddle end far apart, however close they are",
    alt="Distance of two gradient flows on the network uvx, y = 1, against time from 0 to 20, on a logarithmic scale, "
    "for the starts u = v = e and u = v = -e with e = 10^-2, 10^-4 and 10^-6. Each distance grows like exp(t) until "
    "the flows reach the minima (1, 1) and (-1, -1), and ends at 2 sqrt(2).",
)
def starts_at_a_saddle(canvas: Canvas, series: Series) -> None:
    """The distance of two flows against time, for three distances of the starts."""
    data = series["distance of two flows"]
    axes = canvas.add_subplot(yscale="log")
    axes.axhline(2 * np.sqrt(2), color=FAINT, linestyle=":", linewidth=1.2)
    labels = {"e = 10^-2": "$10^{-2}$", "e = 10^-4": "$10^{-4}$", "e = 10^-6": "$e = 10^{-6}$"}
    for (name, label), color, line in zip(labels.items(), COLORS, ("-", "--", "-."), strict=False):
        axes.plot(data["t"], data[name], color=color, linestyle=line)
        axes.annotate(label, (data["t"][4], data[name][4]), (6, -6), color=color, va="top", textcoords="offset points")
    axes.annotate("distance of the minima", (20, 4), ha="right", va="bottom")
    axes.set(xlabel="time $t$", ylabel="distance of the two flows", ylim=(1e-6, 30), xlim=(0, 20.5))
    axes.set(xticks=[0, 5, 10, 15, 20], yticks=[1e-6, 1e-4, 1e-2, 1])
    axes.minorticks_off()
