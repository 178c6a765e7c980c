"""Figures of Section 5, the neural tangent kernel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from theorems.report.figures import Series, figure
from theorems.report.figures.style import COLORS, FAINT, INK

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas

SECTION = "theorems/section_05_neural_tangent_kernel"


@figure(
    test=f"{SECTION}/theorem_5_1_infinite_width/test_a_fixed_widths.py"
    "::test_all_eight_kernels_of_a_width_are_within_a_bound_that_nearly_halves_at_four_times_the_width",
    title="The kernel of a random network is within a bound of its limit that nearly halves at four times the width",
    alt="Largest deviation of an entry of the tangent kernel of ReLU networks from its limit, against the width 16 to "
    "4096, both axes logarithmic. Eight networks at each width lie between 0.1 and 0.8 at width 16 and between 0.02 "
    "and 0.08 at width 4096. The bound falls from 6 to 0.2, about like the width to the power -1/2.",
)
def kernel_against_width(canvas: Canvas, series: Series) -> None:
    """Theorem 5.1 (a)."""
    axes = canvas.add_subplot()
    data = series["deviation of K_m"]
    m = data["m"]
    axes.loglog(m, data["bound"], color=INK, linestyle="--", marker="s")
    axes.fill_between(m, data["least"], data["largest"], color=COLORS[0], alpha=0.25, linewidth=0)
    axes.loglog(m, data["median"], color=COLORS[0], marker="o")
    axes.loglog(m, data["median"][0] * (m / m[0]) ** -0.5 / 25, color=FAINT, linestyle=":")
    axes.annotate("bound at probability $10^{-12}$", (m[2], data["bound"][2]), (m[1] * 1.3, data["bound"][1] * 1.2))
    axes.annotate("eight networks", (m[2], data["median"][2]), (m[0] * 1.1, 0.06), color=COLORS[0])
    axes.annotate("slope $-1/2$", (m[1], 0.03), (m[1], 0.0025), color=FAINT)
    axes.set(xlabel="width $m$", ylabel=r"largest entry of $|K_m - K^\infty|$")
    axes.set_xticks(m, [f"{int(width)}" for width in m], minor=False)
    axes.minorticks_off()
