"""Figures of Section 6: beyond lazy training."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from theorems.report.figures import Series, figure
from theorems.report.figures.style import COLORS, FAINT, INK

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas

HERE = "theorems/section_06_beyond_lazy_training"


@figure(
    test=f"{HERE}/section_6_1_incremental_learning/test_one_layer.py"
    "::test_the_deeper_a_linear_network_the_longer_its_second_mode_waits",
    title="With one layer all modes grow at once; the deeper the network, the longer the next mode waits",
    alt="Four panels, for linear networks of one to four layers: the modes 4, 2 and 1 against time, all from 1/100. "
    "With one layer all three are half learned at the same time, 0.69. With two layers the second mode has a "
    "tenth of its size when the first is half learned, with four layers a fiftieth, so that the modes rise in "
    "separate steps.",
)
def modes_one_by_one(canvas: Canvas, series: Series) -> None:
    """Draw the three modes of each depth in a panel of its own."""
    panels = canvas.subplots(2, 2, sharex=True, sharey=True)
    for depth, axes in enumerate(panels.flat, start=1):
        columns = series[f"modes of a linear network of depth {depth}"]
        for name, goal, color, style in zip(
            ("first", "second", "third"), (4, 2, 1), COLORS, ("-", "--", "-."), strict=False
        ):
            axes.axhline(goal, color=FAINT, linewidth=0.6)
            axes.plot(columns["time"], columns[name], color=color, linestyle=style)
        axes.text(5.9, 3.05, f"L = {depth}", color=INK, ha="right", va="center")
        axes.set(xlim=(0, 6), ylim=(0, 4.4), xticks=[0, 2, 4, 6], yticks=[0, 1, 2, 4])
    canvas.supxlabel("time, step size times steps", fontsize=11)
    canvas.supylabel("modes of the network", fontsize=11)


@figure(
    test=f"{HERE}/section_6_1_aligned_features/test_falls.py"
    "::test_from_a_small_silent_start_the_alignment_rises_and_from_one_that_overshoots_it_falls",
    title="A small start turns the kernel towards the target, and one that overshoots turns it away",
    alt="Kernel alignment against time for a linear network in five dimensions. All four runs start at 0.447. From "
    "weights of size 1/64 it rises to 0.707, the most that is possible here, from 1/4 to 0.685, from 1 to 0.505. "
    "From a start of size 2 that overshoots the target it falls to 0.196.",
)
def alignment_in_time(canvas: Canvas, series: Series) -> None:
    """Draw the alignment of the four runs, with that of the start and the limit of small starts."""
    axes = canvas.add_subplot()
    columns = series["alignment against time"]
    axes.axhline(8**-0.5 * 2, color=FAINT, linestyle=":")
    axes.axhline(5**-0.5, color=FAINT, linestyle=":")
    labels = {"small": "$c = 1/64$", "quarter": "$c = 1/4$", "one": "$c = 1$", "overshooting": "overshoots"}
    for (name, label), color, style in zip(labels.items(), COLORS, ("-", "--", "-.", ":"), strict=False):
        axes.plot(columns["time"], columns[name], color=color, linestyle=style)
        height = columns[name][-1] + {"small": 0.012, "quarter": -0.012, "one": 0.012, "overshooting": 0.012}[name]
        axes.text(4, height, label, color=color, ha="right", va="top" if name == "quarter" else "bottom")
    axes.set(xlabel="time, step size times steps", ylabel="alignment of kernel and target", ylim=(0.1, 0.8))


@figure(
    test=f"{HERE}/test_definition_6_1_sharpness.py"
    "::test_one_function_has_every_sharpness_above_the_least_one_as_its_layers_are_scaled",
    title="The same function is sharp or flat: dividing one layer by c and multiplying the other changes no prediction",
    alt="Sharpness of one ReLU network against the factor c between its layers, both axes logarithmic: a valley with "
    "the least sharpness, 3.6, at c = 2. It rises to 542 at c = 1/8 and to 37 at c = 8, along the slopes of minus "
    "two and two.",
)
def sharpness_of_one_function(canvas: Canvas, series: Series) -> None:
    """Draw the sharpness against the factor between the layers."""
    axes = canvas.add_subplot()
    columns = series["sharpness of one function against c"]
    axes.loglog(columns["c"], columns["S"], color=COLORS[0], marker="o")
    lowest = columns["S"].argmin()
    axes.annotate(
        "the least",
        (columns["c"][lowest], columns["S"][lowest]),
        xytext=(0, -16),
        textcoords="offset points",
        ha="center",
        color=INK,
    )
    axes.text(0.16, 450, "$c^{-2}$", color=INK, ha="left", va="bottom")
    axes.text(7, 38, "$c^2$", color=INK, ha="right", va="bottom")
    axes.set(xlabel="$c$: hidden weights $W/c$, output weights $c\\,a$", ylabel="sharpness $S$", ylim=(1.5, 1500))
    axes.set_xticks([1 / 8, 1, 8], ["1/8", "1", "8"])
    axes.minorticks_off()


@figure(
    test=f"{HERE}/section_6_3_flat_minima/test_a_random_search.py"
    "::test_the_random_networks_interpolate_and_are_one_function_in_three_scales_and_descent_fits",
    title="Whether gradient descent is flatter than random search depends on how the same functions are written",
    alt="Sharpness of 24 trained networks and of 24 random networks that fit the same points, one point for each "
    "seed, logarithmic. Random networks of the law of the start lie around the trained ones. The same functions "
    "with ten times the hidden weights are all sharper, with balanced layers all flatter.",
)
def sharpness_of_random_search(canvas: Canvas, series: Series) -> None:
    """Draw the sharpness of every network, in a column for each way to find or write it."""
    axes = canvas.add_subplot()
    columns = series["sharpness of the networks, by seed"]
    kinds = ("trained", "random", "large", "balanced")
    for place, (name, color, marker) in enumerate(zip(kinds, COLORS, "os^v", strict=False)):
        spread = place + 0.4 * (columns["seed"] / columns["seed"].max() - 0.5)
        axes.semilogy(spread, columns[name], marker, color=color, markersize=4)
        axes.plot([place - 0.3, place + 0.3], [np.median(columns[name])] * 2, color=INK, linewidth=1)
    axes.set_xticks(range(4), ["gradient\ndescent", "random", "random,\nlarge", "random,\nbalanced"])
    axes.set(ylabel="sharpness $S$")


@figure(
    test=f"{HERE}/theorem_6_2_sharpness_bound/test_printed_bound.py"
    "::test_the_shorter_the_inputs_the_smaller_the_printed_bound_and_the_risk_stays",
    title="The shorter the inputs, the smaller the printed bound, while the risk stays at 1/4",
    alt="Risk and printed bound against the length epsilon of the inputs, from 1 to 1/10000, both axes logarithmic. "
    "The risk is 0.25 at every length. The bound with C = 1 falls in proportion to epsilon and is below the risk "
    "from epsilon = 1 on, the bound with C = 100 from epsilon = 0.01 on.",
)
def printed_bound_against_length(canvas: Canvas, series: Series) -> None:
    """Draw the risk, and the printed bound for two constants."""
    axes = canvas.add_subplot()
    columns = series["risk and printed bound against epsilon"]
    axes.loglog(columns["epsilon"], columns["risk"], color=COLORS[0], marker="o")
    axes.loglog(columns["epsilon"], columns["times_100"], color=COLORS[1], linestyle="-.")
    axes.loglog(columns["epsilon"], columns["bound"], color=COLORS[1], linestyle="--")
    axes.text(1.2e-4, 0.33, "risk", color=COLORS[0], va="bottom")
    axes.text(0.12, 4, "bound, C = 100", color=COLORS[1], ha="right", va="bottom")
    axes.text(0.03, 0.004, "bound, C = 1", color=COLORS[1], ha="left", va="top")
    axes.set(xlabel="length $\\epsilon$ of the inputs", ylabel="risk, printed bound", ylim=(1e-5, 1e2))


@figure(
    test=f"{HERE}/theorem_6_2_sharpness_bound/test_corrected_gaussian.py"
    "::test_the_divergence_is_what_keeps_the_bound_above_the_risk",
    title="The PAC-Bayes bound is above the risk on every sample, and without the divergence it is not",
    alt="Risk and two bounds against the loss on the sample, one point for each kind of sample of two atoms with "
    "random labels. The risk is about 0.53 on all. The bound with the divergence is above it on all, at 0.55 to "
    "1.02. Without the divergence the bound grows with the loss, from 0.34 to 0.84, and is below the risk where the "
    "loss is small.",
)
def bounds_on_every_sample(canvas: Canvas, series: Series) -> None:
    """Draw the risk and both bounds against the loss on the sample."""
    axes = canvas.add_subplot()
    columns = series["risk and bounds on every sample"]
    axes.plot(columns["loss"], columns["bound"], "o", color=COLORS[0], markersize=4, label="bound")
    axes.plot(columns["loss"], columns["without"], "x", color=COLORS[1], markersize=4, label="without divergence")
    axes.plot(columns["loss"], columns["risk"], ".", color=INK, markersize=4, label="risk")
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3, handletextpad=0.2, columnspacing=1)
    axes.set(xlabel="loss on the sample, of the neighborhood", ylabel="risk, bounds", ylim=(0.2, 1.1))
