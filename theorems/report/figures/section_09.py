"""Figures of Section 9: architectures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from theorems.report.figures import Series, figure
from theorems.report.figures.style import COLORS

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas

SECTION = "theorems/section_09_architectures"


@figure(
    test=f"{SECTION}/section_9_3_low_rank_attention/test_deep_stacks.py"
    "::test_four_tokens_in_the_plane_collapse_and_with_a_skip_connection_they_do_not",
    title="Through layers of attention alone four tokens collapse into one; with a skip connection they do not",
    alt="Largest range of a coordinate over the tokens, on a logarithmic axis, against the layer from 0 to 6. Without a"
    " skip connection it falls faster and faster: 2, 0.9, 0.1, 2 in 10^4, 1 in 10^12, and then 0 in floating"
    " point. With a skip connection it grows from 2 to 80.",
)
def token_collapse(canvas: Canvas, series: Series) -> None:
    """Draw the range of the tokens layer by layer, as long as it is not zero, with and without skip connections."""
    tokens = series["token oscillation against depth"]
    axes = canvas.add_subplot()
    for name, words, marker, line, color, shift in (
        ("with_skip", "with skip connection", "s", "--", COLORS[1], (-4, 12)),
        ("without", "attention alone", "o", "-", COLORS[0], (10, -4)),
    ):
        positive = tokens[name] > 0
        axes.semilogy(tokens["depth"][positive], tokens[name][positive], marker + line, color=color)
        at = tokens["depth"][3], tokens[name][3]
        axes.annotate(
            words, at, xytext=shift, textcoords="offset points", color=color, ha="left" if shift[0] > 0 else "right"
        )
    axes.set(xlabel="layer", ylabel="range of the tokens", xticks=tokens["depth"], yticks=[1e-12, 1e-8, 1e-4, 1])
    axes.minorticks_off()
