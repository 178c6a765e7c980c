"""Figures of Section 6: beyond lazy training."""

from __future__ import annotations

from typing import TYPE_CHECKING

from theorems.report.figures import Series, figure
from theorems.report.figures.style import COLORS, FAINT, INK

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas

HERE = "theorems/section_06_beyond_lazy_training"


@figure(
    test=f"{HERE}/section_6_1_incremental_learning/test_one_layer.py"
    "::test_the_deeper_a_linear_network_the_longer_its_second_mode_waits",
    title="With one layer all modes grow at once; the deeper the network, the longer the next mode waits",
    alt="Four panels, for linear networks of one to four layers: the modes 4, 2 and 1 against time, all from "
    "1/100. With one layer all three are half learned at the same time, 0.69. With two layers the second "
    "mode has a tenth of its size when the first is half learned, with four layers a fiftieth, so that "
    "the modes rise in separate steps.",
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
