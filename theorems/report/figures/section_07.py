"""Figures of Section 7: initialization and learning rate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from theorems.report.figures import Series, figure
from theorems.report.figures.style import COLORS, FAINT, INK

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas

HERE = "theorems/section_07_initialization_and_learning_rate"
SCALES = (
    f"{HERE}/theorem_7_1_initialization_scale/test_b_limits.py"
    "::test_over_four_decades_of_alpha_neither_norm_falls_below_its_least_value"
)


@figure(
    test=f"{HERE}/section_7_2_edge_of_stability/test_b_networks.py"
    "::test_one_network_climbs_past_the_edge_and_falls_back_to_it_and_at_a_quarter_of_the_step_it_stays_beyond",
    title="The sharpness climbs past 2/eta, the loss jumps, and the sharpness falls back to 2/eta",
    alt="Two panels against time, for one tanh network on 16 patients. Left: the sharpness at step 0.6 rises "
    "from 2.1 to 5.2, drops at once and settles at 2/eta = 3.3, while at a quarter of the step it rises "
    "to 5.8 and stays. Right: the loss at step 0.6 rises by orders of magnitude before the drop; at a "
    "quarter of the step it only falls.",
)
def sharpness_at_the_edge(canvas: Canvas, series: Series) -> None:
    """Draw sharpness and loss of the two runs, side by side."""
    left, right = canvas.subplots(1, 2)
    sharpness, losses, every = (
        series[title] for title in ("sharpness against time", "loss against time", "the loss at every step")
    )
    left.axhline(2 / 0.6, color=FAINT, linestyle=":")
    left.text(180, 3.2, "$2/\\eta$", color=INK, ha="right", va="top")
    left.plot(sharpness["time"], sharpness["quarter"], color=COLORS[1], linestyle="--")
    left.plot(sharpness["time"], sharpness["large"], color=COLORS[0])
    left.text(180, 6.0, "step 0.15", color=COLORS[1], ha="right", va="bottom")
    left.text(180, 3.6, "step 0.6", color=COLORS[0], ha="right", va="bottom")
    left.set(xlabel="time, step times steps", ylabel="sharpness", xticks=[0, 90, 180], ylim=(0, 6.8))
    right.semilogy(losses["time"], losses["quarter"], color=COLORS[1], linestyle="--")
    right.semilogy(every["time"], every["loss"], color=COLORS[0], linewidth=1.2)
    right.set(xlabel="time", ylabel="loss", xticks=[0, 90, 180])


@figure(
    test=SCALES,
    title="From small alpha the limit has nearly the least l1 norm, from large alpha the least l2 norm",
    alt="Two panels, depth 2 and depth 3: by how many percent the l1 norm and the l2 norm of the limit exceed "
    "their least values, against the scale alpha from 1/100 to 100. The l1 excess rises from near 0 to "
    "4.8 percent, the l2 excess falls from about 2 percent to 0. Both turn between alpha = 1/100 and 1, "
    "at depth 3 more steeply.",
)
def excess_against_scale(canvas: Canvas, series: Series) -> None:
    """Draw both excesses in percent, one panel for each depth."""
    panels = canvas.subplots(1, 2, sharey=True)
    for axes, depth in zip(panels, (2, 3), strict=True):
        columns = series[f"l1 and l2 excess against alpha, depth {depth}"]
        axes.semilogx(columns["alpha"], 100 * columns["l1"], color=COLORS[0])
        axes.semilogx(columns["alpha"], 100 * columns["l2"], color=COLORS[1], linestyle="--")
        axes.set(xlabel=f"scale $\\alpha$, depth {depth}", xticks=[0.01, 1, 100], yticks=[0, 1, 2, 3, 4, 5])
    panels[0].set_ylabel("excess over the least norm, %")
    panels[1].text(100, 4.4, "l1 norm", color=COLORS[0], ha="right", va="top")
    panels[1].text(100, 0.4, "l2 norm", color=COLORS[1], ha="right", va="bottom")


@figure(
    test=SCALES,
    title="The kernel moves by many times its size from small alpha, and hardly from large alpha",
    alt="Relative change of the tangent kernel from start to limit against the scale alpha from 1/100 to 100, "
    "both axes logarithmic, for depths 2, 3 and 4. The curves fall from over 1000 to below 1e-9, the "
    "deeper the steeper, and pass 1 between alpha = 0.3 and 1.",
)
def kernel_change_against_scale(canvas: Canvas, series: Series) -> None:
    """Draw the relative change of the kernel, one curve for each depth."""
    axes = canvas.add_subplot()
    axes.axhline(1, color=FAINT, linestyle=":")
    for depth, color, style in zip((2, 3, 4), COLORS, ("-", "--", "-."), strict=False):
        columns = series[f"kernel change against alpha, depth {depth}"]
        axes.loglog(columns["alpha"], columns["change"], color=color, linestyle=style, label=f"depth {depth}")
    axes.legend(loc="lower left")
    axes.set(xlabel="scale $\\alpha$ of the start", ylabel="relative change of the kernel", ylim=(1e-12, 1e12))
