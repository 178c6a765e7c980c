"""The figures of Experiment 3 and of the limits of the kernel perspective: width."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from theorems.report.figures import Document, Series, figure
from theorems.report.figures.pieces import decades, findings_of, forest, guide, of_setting, plot_with_ends, say_findings
from theorems.report.figures.style import COLORS, FAINT, INK

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas

HERE = "theorems/section_10_experiments"
MOVEMENT = (
    f"{HERE}/experiment_3_width/test_a_movement.py"
    "::test_movement_falls_in_standard_and_ntk_coordinates_and_not_where_wide_networks_learn_features"
)
ACCURACY = f"{HERE}/experiment_3_width/test_b_test_accuracy.py"
GAINS = {
    "wide networks,\nas they are": f"{ACCURACY}::test_narrow_networks_against_wide_ones_with_their_random_functions",
    "wide networks,\ncentered": f"{ACCURACY}::test_narrow_networks_against_wide_ones_without_their_random_functions",
    "their own\nlinearizations": f"{ACCURACY}::test_narrow_networks_against_their_own_centered_linearizations",
    "the kernel of\ninfinite width": f"{ACCURACY}::test_narrow_networks_against_the_tuned_kernel_of_infinite_width",
}
"""What narrow networks are compared with, and the test that does it."""
REGIME = f"{HERE}/section_10_3_limits_of_the_kernel_perspective/test_a_kernel_regime.py"
CHANGES = (
    f"{REGIME}::test_the_kernel_of_narrow_networks_changes_by_more_than_a_tenth",
    f"{REGIME}::test_the_kernel_of_wide_networks_changes_by_less_than_a_tenth",
)
WIDTH = "width $m$"


@figure(
    test=MOVEMENT,
    title="Wide networks stay near their start in standard and ntk coordinates, and not in mean-field ones",
    alt="Two panels against the width from 10 to 10,000, both logarithmic, three curves each. Left: movement relative "
    "to the start falls steadily in standard coordinates and in ntk coordinates, and stays near 1 in mean-field "
    "coordinates. Right: the relative change of the kernel falls in the first two, and stays above 1 in the third.",
)
def movement_and_kernel_change(canvas: Canvas, series: Series) -> None:
    """Draw movement and kernel change side by side, with intervals over seeds."""
    panels = canvas.subplots(1, 2)
    for axes, name in zip(panels, ("relative", "kernel"), strict=True):
        for style, start in enumerate(("standard", "ntk", "mean-field")):
            _, columns = of_setting(series, start)
            plot_with_ends(axes, columns, "m", name, style, label=start)
        decades(axes, "x", "y")
        axes.set_xlabel(WIDTH)
    panels[0].set_ylabel(r"movement, $|\theta_T - \theta_0| / |\theta_0|$")
    panels[1].set_ylabel("change of the kernel, relative")
    canvas.legend(*panels[0].get_legend_handles_labels(), loc="outside upper center", ncols=3)


def say_accuracies(series: Series) -> str:
    """The title: accuracy of the narrowest and of the widest network, with the random start and without."""
    kept, centered = (of_setting(series, start)[1]["accuracy"] for start in ("random start", "standard accuracy"))
    return (
        f"From the narrowest to the widest network, test accuracy goes from {kept[0]:.0f} to {kept[-1]:.0f} % with the "
        f"random start kept, and from {centered[0]:.0f} to {centered[-1]:.0f} % without it"
    )


@figure(
    test=GAINS["wide networks,\ncentered"],
    also=(GAINS["wide networks,\nas they are"],),
    title=say_accuracies,
    alt=lambda series: (
        "Test accuracy in percent against the width from 10 to 10,000, with intervals over seeds. "
        f"{say_accuracies(series)}. Networks in ntk and mean-field coordinates, without the random start, are drawn "
        "beside them. A line is the accuracy of the kernel of infinite width."
    ),
)
def accuracy_against_width(canvas: Canvas, series: Series) -> None:
    """Draw accuracies with the random start and, in three parameterizations, without it."""
    axes = canvas.add_subplot()
    starts = {"standard accuracy": "standard", "ntk accuracy": "ntk", "mean-field accuracy": "mean-field"}
    for style, (start, label) in enumerate(starts.items()):
        setting, columns = of_setting(series, start)
        plot_with_ends(axes, columns, "m", "accuracy", style, label=f"{label}, centered")
    _, columns = of_setting(series, "random start")
    plot_with_ends(axes, columns, "m", "accuracy", 3, label="standard, random start kept", linestyle="--")
    _, infinite = of_setting(series, "infinite width")
    guide(axes, "kernel of infinite width", y=infinite["accuracy"][0], left=True)
    decades(axes, "x")
    axes.set(xlabel=WIDTH, ylabel=f"test accuracy in %\n{setting.split(',')[0]}", ylim=(None, 100))
    canvas.legend(*axes.get_legend_handles_labels(), loc="outside upper center", ncols=2)


def gains_of(document: Document) -> list[dict[str, Any]]:
    """The findings about the gain of narrow networks."""
    return findings_of(document, *GAINS.values())


def say_gains(findings: list[dict[str, Any]]) -> str:
    """The title: the least gain and the largest."""
    gains = [finding["estimate"] for finding in findings]
    return (
        f"The gain of narrow networks lies between {min(gains):+.1f} and {max(gains):+.1f} points: "
        "it depends on what stands for the kernel regime"
    )


@figure(
    test=GAINS["wide networks,\nas they are"],
    read=gains_of,
    title=say_gains,
    alt=lambda findings: say_findings("Four estimates with intervals, and the printed band from 5 to 8", findings),
)
def gain_of_narrow_networks(canvas: Canvas, findings: list[dict[str, Any]]) -> None:
    """Draw the four gains with their intervals beside the printed one."""
    axes = canvas.add_subplot()
    ends = [tuple(finding[end] for end in ("estimate", "lower", "upper")) for finding in findings]
    axes.axvspan(5, 8, color=FAINT, alpha=0.3, linewidth=0)
    axes.annotate(
        "printed: 5 to 8", (6.5, 1), xycoords=("data", "axes fraction"), ha="center", va="bottom", fontsize=10
    )
    axes.axvline(0, color=INK, linewidth=0.8)
    forest(axes, [(label, *end) for label, end in zip(GAINS, ends, strict=True)], range(4))
    axes.set_xlabel("gain of $m = 10, 100$ in test accuracy, points")


def changes_of(document: Document) -> list[dict[str, Any]]:
    """The findings about the change of the kernel, by width."""
    return findings_of(document, *CHANGES)


def say_changes(findings: list[dict[str, Any]]) -> str:
    """The title: the largest and the least change."""
    changes = [finding["estimate"] for finding in findings]
    return (
        f"The kernel of the narrowest network changes by {changes[0]:.2g} of itself in training, "
        f"that of the widest by {changes[-1]:.1g}"
    )


@figure(
    test=CHANGES[0],
    read=changes_of,
    title=say_changes,
    alt=lambda findings: say_findings("Relative change of the kernel against the width, both logarithmic", findings),
)
def change_of_the_kernel(canvas: Canvas, findings: list[dict[str, Any]]) -> None:
    """Draw the change at each width with its interval, and the tenth that separates the regimes."""
    axes = canvas.add_subplot()
    ends = np.array([[finding[end] for end in ("estimate", "lower", "upper")] for finding in findings])
    widths = np.array([10, 100, 1000, 10_000])
    axes.errorbar(widths, ends[:, 0], np.abs(ends[:, 1:] - ends[:, :1]).T, marker="o", color=COLORS[0], capsize=4)
    decades(axes, "x", "y")
    guide(axes, "a tenth", y=0.1, left=True)
    axes.set(xlabel=WIDTH, ylabel=r"$|K_T - K_0| / |K_0|$")
