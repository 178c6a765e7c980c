"""The figures of Experiments 1 and 2."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from theorems.report.figures import Series, figure
from theorems.report.figures.pieces import MARKERS, guide
from theorems.report.figures.style import COLORS, INK

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas

HERE = "theorems/section_10_experiments"
DEEP = f"{HERE}/experiment_2_deep_linear_rank"
STYLES = {
    "entropic": ("by entropy", "-"),
    "absolute": ("above 0.01", "--"),
    "relative": ("above 1 % of the largest", ":"),
}
"""The definitions of rank: name and line."""


@figure(
    test=f"{HERE}/test_experiment_1_minimum_norm.py::test_every_one_of_a_hundred_trials_ends_within_a_tenth_of_a_percent",
    title="All hundred trials lie below a bound that was known before anything was drawn, and end below 0.1 %",
    alt="Relative distance to the least-norm interpolant against the step, logarithmic. The bound is a straight line "
    "from 1 to below 0.001 at step 40. A hundred points each at steps 8 and 40 lie below it; those at step 40 lie "
    "below the printed 0.1 percent.",
)
def a_hundred_trials_against_the_bound(canvas: Canvas, series: Series) -> None:
    """Draw the bound as a line and the trials, in increasing order, as columns of points."""
    axes = canvas.add_subplot()
    bound = series["a priori bound"]
    axes.semilogy(bound["step"], bound["bound"], color=INK)
    axes.annotate(
        "bound known beforehand", (15, bound["bound"][15]), (4, 4), textcoords="offset points", fontsize=10, color=INK
    )
    for title, errors in series.items():
        if title.startswith("errors after"):
            errors = errors["error"]
            step = int(title.split()[2])
            spread = np.linspace(-1, 1, len(errors))
            axes.plot(step + spread, errors, MARKERS[0], color=COLORS[0], markersize=2.5)
            right = step > 20
            place = step + (-2 if right else 2), np.median(errors)
            axes.annotate("100 trials", place, ha="right" if right else "left", va="center", color=COLORS[0])
    guide(axes, "", y=1e-3)
    axes.annotate("0.1 %, as printed", (16, 1e-3), (0, -4), textcoords="offset points", va="top", fontsize=10)
    axes.set(xlabel="step $t$", ylabel="distance to the limit, $|w_t - w_*| / |w_*|$", xlim=(0, 42))


@figure(
    test=f"{DEEP}/test_a_nuclear_norm.py::test_completions_of_low_rank_end_above_the_least_nuclear_norm_on_average",
    title="At every depth tried, completions of low rank end above the least nuclear norm on average",
    alt="For depths 2, 3 and 5, twenty points each: the nuclear norm at which training ends over the least one, by "
    "completion. A line at 1 is the least norm. The means, drawn as lines, lie above it, the higher the deeper.",
)
def nuclear_norms_over_their_least(canvas: Canvas, series: Series) -> None:
    """Draw a point for each completion, in increasing order, and the mean of each depth as a line."""
    axes = canvas.add_subplot()
    depths = [title.rpartition(" ")[2] for title in series]
    for place, (_, columns) in enumerate(series.items()):
        ratios = columns["ratio"]
        axes.plot(
            place + np.linspace(-0.3, 0.3, len(ratios)), ratios, MARKERS[place], color=COLORS[place], markersize=4
        )
        axes.plot([place - 0.35, place + 0.35], 2 * [ratios.mean()], color=COLORS[place])
    axes.annotate("mean", (place + 0.37, ratios.mean()), va="center", fontsize=10)
    guide(axes, "the least norm", y=1)
    axes.set_xticks(range(len(depths)), [f"depth {depth}" for depth in depths])
    axes.set(ylabel="nuclear norm at the end / the least", xlim=(-0.5, len(depths) - 0.1))


@figure(
    test=f"{DEEP}/test_b_rank.py::test_from_the_identity_every_rank_falls_to_eight",
    title="From layers that start at the identity, counted ranks fall to the target's, 8, and that by entropy to 9",
    alt="Rank against the step, by three definitions: by entropy, singular values above 0.01, singular values above "
    "one percent of the largest. All fall from 50 at the start to 8 or 9 and do not rise in between.",
)
def ranks_from_the_identity(canvas: Canvas, series: Series) -> None:
    """Draw the three ranks, with a label at each curve."""
    axes = canvas.add_subplot()
    columns = series["ranks from the identity"]
    _ranks(axes, columns, "step")
    for number, place in enumerate([(190, 16.5), (1900, 42), (690, 32)]):
        words, _ = list(STYLES.values())[number]
        axes.annotate(words, place, ha="right" if number == 1 else "left", color=COLORS[number])
    guide(axes, "", y=8)
    axes.annotate("8, the rank of the target", (0, 8), (4, -4), textcoords="offset points", va="top", fontsize=10)
    axes.set(xlabel="step $t$", ylabel="rank, of 50", ylim=(0, 52))


def _ranks(axes: Any, columns: Any, x: str) -> None:
    for number, (name, (words, line)) in enumerate(STYLES.items()):
        axes.plot(columns[x], columns[name], line, color=COLORS[number], label=words, linewidth=2.2)


@figure(
    test=f"{DEEP}/test_b_rank.py::test_while_twenty_completions_are_fitted_both_kinds_of_rank_grow",
    title="From a small start, the mean effective rank of completions falls below 2, and then rises to the end",
    alt="Effective rank of twenty completions of rank 2 in dimension 12 against the step. The mean falls from 12 to "
    "below 2 within some 400 steps and then rises; a band shows the smallest and the largest of the twenty. The mean "
    "number of singular values above 0.01 starts at 0 and rises.",
)
def ranks_of_twenty_completions(canvas: Canvas, series: Series) -> None:
    """Draw the mean rank by entropy with a band of all twenty, and the mean count."""
    axes = canvas.add_subplot()
    columns = series["ranks of twenty completions"]
    axes.fill_between(columns["step"], columns["lower"], columns["upper"], color=COLORS[0], alpha=0.2, linewidth=0)
    axes.plot(columns["step"], columns["effective"], color=COLORS[0], label="by entropy: mean, all twenty")
    axes.plot(columns["step"], columns["counted"], "--", color=COLORS[1], label="singular values above 0.01: mean")
    axes.legend()
    axes.set(xlabel="step $t$", ylabel="rank, of 12", ylim=(0, 12.5))


@figure(
    test=f"{DEEP}/test_c_printed_number.py::test_one_scale_and_one_definition_give_the_printed_number",
    title="One start, of scale 0.223, and one definition, the rank by entropy, give the printed 8.2",
    alt="Final rank against the scale of the start, for three definitions of rank. The rank by entropy falls from 41 "
    "at 0.17 to 8.2 at 0.223 and rises slowly beyond it, to 10.4 at 0.4. The two counted ranks are 8 from there on.",
)
def final_rank_against_the_start(canvas: Canvas, series: Series) -> None:
    """Draw the three ranks against the scale, and the pair that is printed."""
    axes = canvas.add_subplot()
    columns = series["final rank against the scale of the start"]
    _ranks(axes, columns, "alpha")
    guide(axes, "", y=8.2)
    axes.annotate("8.2, as printed", (0.4, 8.2), (0, -4), textcoords="offset points", ha="right", va="top", fontsize=10)
    guide(axes, "0.223", x=0.223)
    axes.legend()
    axes.set(xlabel=r"scale of the start, $\alpha$", ylabel="rank after 250 steps, of 50", ylim=(0, 52))
