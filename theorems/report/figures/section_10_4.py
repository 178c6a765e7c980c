"""The figures of Experiment 4: learning rate, sharpness and test error."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from theorems.report.figures import Document, Series, figure
from theorems.report.figures.pieces import (
    MARKERS,
    decades,
    findings_of,
    forest,
    of_setting,
    plain_ticks,
    plot_with_ends,
    say_findings,
)
from theorems.report.figures.style import COLORS, FAINT, INK

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas

HERE = "theorems/section_10_experiments/experiment_4_learning_rate"
FLATTER = f"{HERE}/test_a_flatter_minima.py"
LEAST = f"{HERE}/test_c_least_error.py"
EDGE = {
    "after equal epochs": f"{HERE}/test_d_edge_of_stability.py::test_printed_optimum_ends_slightly_below_the_edge",
    "at a matched loss": (
        f"{HERE}/test_d_edge_of_stability.py::test_printed_optimum_is_slightly_below_the_edge_at_a_matched_loss"
    ),
}
RATE = r"learning rate $\eta$"


def slope(columns: Any, x: str, y: str) -> float:
    """The slope of log y in log x by least squares."""
    return float(np.polyfit(np.log(columns[x]), np.log(columns[y]), 1)[0])


def say_slope(series: Series) -> str:
    """The title: how sharpness goes with the learning rate."""
    setting, columns = of_setting(series, "sharpness at a matched loss")
    power = slope(columns, "eta", "sharpness")
    return f"At a matched loss, sharpness goes as the learning rate to the power {power:.2f} ({setting})"


@figure(
    test=f"{FLATTER}::test_sharpness_falls_with_the_learning_rate_at_a_matched_loss",
    title=say_slope,
    alt=lambda series: (
        f"Sharpness against the learning rate, both logarithmic, with intervals over seeds. {say_slope(series)}. "
        "A dashed line is the edge of stability, 2 over the learning rate."
    ),
)
def sharpness_against_the_learning_rate(canvas: Canvas, series: Series) -> None:
    """Draw sharpness with its interval, and the edge 2/eta."""
    axes = canvas.add_subplot()
    _, columns = of_setting(series, "sharpness at a matched loss")
    plot_with_ends(axes, columns, "eta", "sharpness", 0)
    axes.plot(columns["eta"], columns["edge"], "--", color=INK)
    decades(axes, "x", "y")
    axes.annotate(r"edge of stability, $2/\eta$", (columns["eta"][1], columns["edge"][1]), (6, 4), **OFFSET, color=INK)
    axes.annotate("trained networks", (columns["eta"][0], columns["sharpness"][0]), (0, -26), **OFFSET, color=COLORS[0])
    axes.set(xlabel=RATE, ylabel=r"sharpness $\lambda$")


OFFSET = {"textcoords": "offset points"}


@figure(
    test=f"{FLATTER}::test_the_smallest_learning_rate_takes_no_more_steps_to_the_loss_than_in_proportion_to_its_inverse",
    title="The smallest learning rate takes no more steps to the loss than in proportion to its inverse",
    alt="Steps to the matched loss against the learning rate, both logarithmic, with intervals over seeds. A dashed "
    "line through the value at 0.1 is proportional to the inverse of the learning rate; that at 0.001 lies below it.",
)
def steps_against_the_learning_rate(canvas: Canvas, series: Series) -> None:
    """Draw steps to the loss, and what they would be in proportion to 1/eta."""
    axes = canvas.add_subplot()
    _, columns = of_setting(series, "steps to the loss")
    plot_with_ends(axes, columns, "eta", "steps", 0)
    at = int(np.argmin(np.abs(columns["eta"] - 0.1)))
    inverse = columns["steps"][at] * columns["eta"][at] / columns["eta"]
    axes.plot(columns["eta"], inverse, "--", color=FAINT)
    axes.annotate(r"as $1/\eta$", (columns["eta"][1], inverse[1]), (6, 4), **OFFSET, color=INK)
    decades(axes, "x", "y")
    axes.set(xlabel=RATE, ylabel="steps to the matched loss")


def say_signs(series: Series) -> str:
    """The title: in how many seeds sharper minima err more, and the mean correlation."""
    correlations = np.array([np.corrcoef(np.log(sharp), wrong)[0, 1] for sharp, wrong in seeds_of(series)])
    correlations = correlations.clip(-0.9999, 0.9999)  # two points have 1 or -1, whose Fisher transform is infinite
    mean = float(np.tanh(np.mean(np.arctanh(correlations))))
    more = sum(one > 0 for one in correlations)
    return (
        f"Sharper minima err more in {more} of {len(correlations)} seeds: the correlation is {mean:.2f}, "
        "where -0.89 is printed"
    )


def seeds_of(series: Series) -> list[tuple[np.ndarray, np.ndarray]]:
    """Sharpness and test error of each seed."""
    _, columns = of_setting(series, "sharpness and test error")
    rows = [columns["seed"] == seed for seed in np.unique(columns["seed"])]
    return [(columns["sharpness"][row], columns["test_error"][row]) for row in rows]


@figure(
    test=f"{HERE}/test_b_correlation.py"
    "::test_sharpness_and_test_error_are_correlated_over_learning_rates_at_a_matched_loss",
    title=say_signs,
    alt=lambda series: (
        f"Test error in percent against sharpness, logarithmic: a point for each run, by learning rate, and a thin "
        f"line for each seed. {say_signs(series)}."
    ),
)
def test_error_against_sharpness(canvas: Canvas, series: Series) -> None:
    """Draw a point for each run and a line for each seed."""
    axes = canvas.add_subplot()
    _, columns = of_setting(series, "sharpness and test error")
    for sharp, wrong in seeds_of(series):
        axes.plot(sharp, wrong, color=FAINT, linewidth=0.8, zorder=0)
    for style, eta in enumerate(np.unique(columns["eta"])):
        row = columns["eta"] == eta
        options = {"color": COLORS[style], "markersize": 6, "label": rf"$\eta = {eta:g}$"}
        axes.plot(columns["sharpness"][row], columns["test_error"][row], MARKERS[style], **options)
    plain_ticks(axes, "x", most=6)
    axes.set(xlabel=r"sharpness $\lambda$ at a matched loss", ylabel="test error, %", ylim=(0, None))
    axes.legend(loc="upper left")


def say_least(series: Series) -> str:
    """The title: where the test error is least, by either rule."""
    matched, epochs = (of_setting(series, start)[1] for start in RULES)
    least = [columns["eta"][columns["test_error"].argmin()] for columns in (matched, epochs)]
    where = f"{least[0]:g} by both rules" if least[0] == least[1] else f"{least[0]:g} and {least[1]:g}"
    return f"The mean test error is least at learning rate {where}, where 0.1 is printed"


RULES = ("test error at a matched loss", "test error after equal epochs")


@figure(
    test=f"{LEAST}::test_test_error_is_least_at_one_learning_rate_at_a_matched_loss",
    also=(f"{LEAST}::test_after_equal_epochs_the_smallest_learning_rate_has_fitted_less",),
    title=say_least,
    alt=lambda series: (
        f"Test error in percent against the learning rate, logarithmic, with intervals over seeds, at a matched loss "
        f"and after equal epochs. {say_least(series)}."
    ),
)
def test_error_against_the_learning_rate(canvas: Canvas, series: Series) -> None:
    """Draw the test error by both rules, with intervals."""
    axes = canvas.add_subplot()
    for style, start in enumerate(RULES):
        _, columns = of_setting(series, start)
        plot_with_ends(axes, columns, "eta", "test_error", style, label=start.removeprefix("test error "))
    decades(axes, "x")
    axes.set(xlabel=RATE, ylabel="test error, %", ylim=(0, None))
    axes.legend()


def edges_of(document: Document) -> list[dict[str, Any]]:
    """The findings about eta lambda/2 at the printed optimum."""
    return findings_of(document, *EDGE.values())


def say_edges(findings: list[dict[str, Any]]) -> str:
    """The title: eta lambda/2 at the two moments."""
    after, matched = (finding["estimate"] for finding in findings)
    return (
        f"At learning rate 0.1, eta lambda/2 is {after:.2f} after equal epochs and {matched:.2f} at a matched loss; "
        "the edge of stability is 1"
    )


@figure(
    test=EDGE["after equal epochs"],
    read=edges_of,
    title=say_edges,
    alt=lambda findings: say_findings("Two estimates with intervals, beside the band from 3/4 to 1", findings),
)
def distance_from_the_edge(canvas: Canvas, findings: list[dict[str, Any]]) -> None:
    """Draw both intervals beside what counts as slightly below the edge."""
    canvas.set_size_inches(5.0, 2.4)
    axes = canvas.add_subplot()
    axes.axvspan(3 / 4, 1, color=FAINT, alpha=0.3, linewidth=0)
    axes.annotate(
        "slightly below", (7 / 8, 1), xycoords=("data", "axes fraction"), ha="center", va="bottom", fontsize=10
    )
    rows = [
        (label, *(finding[end] for end in ("estimate", "lower", "upper")))
        for label, finding in zip(EDGE, findings, strict=True)
    ]
    forest(axes, rows, range(2))
    axes.set(xlabel=r"$\eta \lambda / 2$ at $\eta = 0.1$", xlim=(min(0, *(row[2] for row in rows)) - 0.05, None))
