"""The figures of Experiment 5: batch size."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from theorems.report.figures import Document, Series, figure
from theorems.report.figures.pieces import (
    MARKERS,
    findings_of,
    forest,
    guide,
    of_setting,
    plain_ticks,
    plot_with_ends,
    say_findings,
    ticks_at,
)
from theorems.report.figures.style import COLORS, INK

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas

HERE = "theorems/section_10_experiments/experiment_5_batch_size"
SPEED = f"{HERE}/test_b_convergence.py"
DIFFERENCES = f"{HERE}/test_c_generalization_gap.py::test_differences_under_every_stopping_rule_are_paired"
FAMILIES = {
    "eta ~ sqrt(B)": r"printed, $\eta \propto \sqrt{B}$",
    "fixed eta": r"one $\eta$",
    "20 % label noise": "20 % label noise",
}
RULES = ("equal epochs", "equal steps", "matched, between", "matched, at or below", "matched, last above")
BATCH = "batch size $B$"


def slope(columns: Any, name: str) -> float:
    """The slope of the logarithm of a column in log B by least squares."""
    return float(np.polyfit(np.log(columns["batch"]), np.log(columns[name]), 1)[0])


def say_slope(series: Series) -> str:
    """The title: how sharpness goes with the batch."""
    setting, columns = of_setting(series, "sharpness at a matched loss")
    power = slope(columns, "sharpness")
    return f"At a matched loss, sharpness goes as the batch size to the power {power:.2f} ({setting})"


def above_the_edge(series: Series) -> int:
    """How many batch sizes have a mean sharpness above the edge."""
    _, columns = of_setting(series, "sharpness at a matched loss")
    return int((columns["sharpness"] > columns["edge"]).sum())


@figure(
    test=f"{HERE}/test_a_flatter_minima.py"
    "::test_sharpness_rises_with_the_batch_under_the_printed_rule_at_a_matched_loss",
    title=say_slope,
    alt=lambda series: (
        f"Sharpness against the batch size, both logarithmic, with intervals over seeds. {say_slope(series)}. A dashed "
        "line is the edge of stability, 2 over the learning rate, and falls with the batch size; "
        f"{above_the_edge(series)} of the batch sizes lie above it."
    ),
)
def sharpness_against_the_batch(canvas: Canvas, series: Series) -> None:
    """Draw sharpness with its interval, and the edge 2/eta of each batch."""
    axes = canvas.add_subplot()
    _, columns = of_setting(series, "sharpness at a matched loss")
    plot_with_ends(axes, columns, "batch", "sharpness", 0)
    axes.plot(columns["batch"], columns["edge"], "--", color=INK)
    axes.annotate(r"edge, $2/\eta$", (columns["batch"][0], columns["edge"][0]), (8, 2), textcoords="offset points")
    ticks_at(axes, "x", columns["batch"])
    plain_ticks(axes, "y")
    axes.set(xlabel=BATCH, ylabel=r"sharpness $\lambda$")


def say_speed(series: Series) -> str:
    """The title: how steps and epochs go with the batch."""
    steps, epochs = (slope(of_setting(series, f"{name} to the loss")[1], name) for name in ("steps", "epochs"))
    return f"Steps to the loss go as the batch size to the power {steps:.2f}, and epochs to the power {epochs:.2f}"


@figure(
    test=f"{SPEED}::test_steps_to_the_loss_fall_with_the_batch",
    also=(f"{SPEED}::test_epochs_to_the_loss_fall_with_the_batch",),
    title=say_speed,
    alt=lambda series: (
        f"Two panels against the batch size, logarithmic, with intervals over seeds: steps to the matched loss, and "
        f"epochs to it. {say_speed(series)}."
    ),
)
def steps_and_epochs_against_the_batch(canvas: Canvas, series: Series) -> None:
    """Draw steps and epochs to the loss side by side."""
    for axes, name in zip(canvas.subplots(1, 2), ("steps", "epochs"), strict=True):
        _, columns = of_setting(series, f"{name} to the loss")
        plot_with_ends(axes, columns, "batch", name, 0)
        ticks_at(axes, "x", columns["batch"][[0, 1, -1]])
        plain_ticks(axes, "y")
        axes.set(xlabel=BATCH, ylabel=f"{name} to the loss")


def say_gaps(series: Series) -> str:
    """The title: the gap at a matched loss, under the printed rule and at one learning rate."""
    printed, fixed = (_told(_matched(series, "gap in test error", family)) for family in list(FAMILIES)[:2])
    return (
        f"At a matched loss, the largest batch errs by {printed} points more under the printed rule, and by "
        f"{fixed} at one learning rate"
    )


def _told(ends: Any) -> str:
    """An estimate with its interval, to a tenth: an interval that contains 0 must not read like a difference."""
    middle, low, high = ends
    return f"{middle:.1f} [{low:.1f}, {high:.1f}]"


def say_ratios(series: Series) -> str:
    """The title: the ratio of sharpness at a matched loss, under the printed rule and at one learning rate."""
    ratios = (np.exp(_matched(series, "log ratio of sharpness", family)) for family in list(FAMILIES)[:2])
    printed, fixed = map(_told, ratios)
    return (
        f"At a matched loss, the largest batch is {printed} times as sharp under the printed rule, and "
        f"{fixed} times at one learning rate"
    )


def _matched(series: Series, quantity: str, family: str) -> np.ndarray:
    """Estimate and ends between the epochs around the matched loss, shape (3,); nan where too few runs came there."""
    columns = _rows(series, quantity, family)
    found = np.stack([columns[end] for end in ("estimate", "lower", "upper")], axis=1)
    return np.vstack([found[columns["rule"] == RULES.index("matched, between")], [[np.nan] * 3]])[0]


def _rows(series: Series, quantity: str, family: str) -> Any:
    return of_setting(series, f"{quantity} by epochs, steps and loss, {family}")[1]


def _draw_rows(canvas: Canvas, series: Series, quantity: str, scale: Any) -> Any:
    """A row for each rule and a mark for each family; the axes."""
    canvas.set_size_inches(5.0, 4.4)
    axes = canvas.add_subplot()
    for style, (family, label) in enumerate(FAMILIES.items()):
        columns = _rows(series, quantity, family)
        middle, low, high = (scale(columns[end]) for end in ("estimate", "lower", "upper"))
        rows = columns["rule"] + 0.22 * (style - 1)
        options = {"marker": MARKERS[style], "color": COLORS[style], "linestyle": "none", "capsize": 3, "label": label}
        axes.errorbar(middle, rows, xerr=np.abs(np.stack([middle - low, high - middle])), **options)
    axes.set_yticks(range(len(RULES)), RULES)
    axes.set_ylim(len(RULES) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    canvas.legend(*axes.get_legend_handles_labels(), loc="outside upper right", ncols=1)
    return axes


@figure(
    test=DIFFERENCES,
    title=say_gaps,
    alt=lambda series: (
        f"Test error of the largest batch less that of the smallest, in points with intervals, by five stopping rules "
        f"and under three conditions. {say_gaps(series)}."
    ),
)
def gap_by_stopping_rule(canvas: Canvas, series: Series) -> None:
    """Draw the gap by rule and condition, and the printed gap."""
    axes = _draw_rows(canvas, series, "gap in test error", np.asarray)
    axes.axvline(0, color=INK, linewidth=0.8)
    guide(axes, "printed: 3", x=3)
    axes.set_xlabel("gap in test error, points")


@figure(
    test=DIFFERENCES,
    title=say_ratios,
    alt=lambda series: (
        f"Sharpness of the largest batch over that of the smallest, logarithmic with intervals, by five stopping rules "
        f"and under three conditions. {say_ratios(series)}."
    ),
)
def sharpness_ratio_by_stopping_rule(canvas: Canvas, series: Series) -> None:
    """Draw the ratio of sharpness by rule and condition."""
    axes = _draw_rows(canvas, series, "log ratio of sharpness", np.exp)
    axes.axvline(1, color=INK, linewidth=0.8)
    plain_ticks(axes, "x")
    axes.set_xlabel("sharpness, largest batch over smallest")


NOISE = "theorems/section_10_experiments/section_10_5_noise_as_regularizer"
COMPARED = (
    f"{NOISE}/test_a_test_error.py::test_at_one_learning_rate_the_larger_batch_has_the_larger_test_error",
    f"{NOISE}/test_a_test_error.py::test_under_the_printed_rule_the_larger_batch_has_the_larger_test_error",
    f"{NOISE}/test_b_curvature.py::test_at_one_learning_rate_the_larger_batch_is_sharper",
    f"{NOISE}/test_b_curvature.py::test_under_the_printed_rule_the_larger_batch_is_sharper",
)
"""Error and curvature, at one learning rate and under the printed rule."""


def compared(document: Document) -> list[dict[str, Any]]:
    """The findings about noise alone, and under the printed rule."""
    return findings_of(document, *COMPARED)


def say_noise(findings: list[dict[str, Any]]) -> str:
    """The title: how much worse the largest batch is, with less noise alone and with larger steps too."""
    alone, printed, *_ = (_told(finding[end] for end in ("estimate", "lower", "upper")) for finding in findings)
    return (
        f"With less noise alone the largest batch errs by {alone} points more; with the larger steps of the "
        f"printed rule beside it, by {printed}"
    )


@figure(
    test=COMPARED[0],
    read=compared,
    title=say_noise,
    alt=lambda findings: say_findings("Two panels of estimates with intervals: test error, and sharpness", findings),
)
def noise_alone_and_under_the_printed_rule(canvas: Canvas, findings: list[dict[str, Any]]) -> None:
    """Draw error and ratio of sharpness side by side, each at one learning rate and under the printed rule."""
    canvas.set_size_inches(5.0, 2.2)
    left, right = canvas.subplots(1, 2)
    ends = [[finding[end] for end in ("estimate", "lower", "upper")] for finding in findings]
    labels = ("one $\\eta$", "printed\nrule")
    forest(left, [(label, *end) for label, end in zip(labels, ends[:2], strict=True)], range(2))
    forest(right, [("", *np.exp(end)) for end in ends[2:]], range(2))
    left.axvline(0, color=INK, linewidth=0.8)
    right.axvline(1, color=INK, linewidth=0.8)
    left.set_xlabel("gap in test error, points")
    right.set_xlabel("ratio of sharpness")
