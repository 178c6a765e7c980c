"""A matplotlib figure as compact SVG: text stays text, colors become custom properties, ids are unique in a page.

matplotlib measures text in DejaVu Sans; a reader sees it in a font of the system, which is narrower. So every text is
anchored where the layout aligns it, and the letters of a formula follow each other by themselves.
"""

from __future__ import annotations

import dataclasses
import functools
import io
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from theorems.report.figures.compact import compact
from theorems.report.figures.formula_text import Formula, plain, set_formula

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas
    from matplotlib.text import Text

PHONE, LEAST_TYPE = 343, 9
"""The width of a figure on a phone of 375 px, between the margins of the page, and the least size of type there, px."""
ANCHORS = {"start": 0.0, "middle": 0.5, "end": 1.0}


@dataclasses.dataclass(frozen=True)
class Label:
    """A text of a figure. size: of its smallest letters; box: left, top, right, bottom; in units of the viewBox."""

    words: str
    size: float
    box: tuple[float, float, float, float]


def render(canvas: Canvas, name: str, title: str, alt: str) -> tuple[str, tuple[Label, ...]]:
    """The drawn figure as an `svg` element, and its texts.

    Inside `style.styled`. Raises FigureError for a color that is not of the palette, and for an image.
    """
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    FigureCanvasSVG(canvas)
    canvas.set_dpi(72)
    for text in canvas.findobj(_is_of_several_lines):
        text.set_gid(_aligned(text))
    width, height = (72 * inches for inches in canvas.get_size_inches())
    made = io.StringIO()
    renderer = _renderer()(width, height, made)
    canvas.draw(renderer)
    renderer.finalize()
    return compact(made.getvalue(), name, title, alt), tuple(renderer.labels)


def _is_of_several_lines(artist: Any) -> bool:
    from matplotlib.text import Text

    return isinstance(artist, Text) and "\n" in artist.get_text()


def _aligned(text: Text) -> str:
    return {"left": "start", "center": "middle", "right": "end"}[text.get_horizontalalignment()]


@functools.cache
def _renderer() -> type:
    """The renderer of matplotlib, with texts of our own."""
    from matplotlib.backends.backend_svg import RendererSVG
    from matplotlib.colors import to_hex

    class Renderer(RendererSVG):
        def __init__(self, width: float, height: float, file: io.StringIO) -> None:
            nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
            super().__init__(width, height, file, metadata=nothing)
            self.labels: list[Label] = []
            self._aligned = "start"

        def open_group(self, s: str, gid: str | None = None) -> None:
            self._aligned = gid if gid in ANCHORS else "middle"
            super().open_group(s)

        def draw_text(
            self, gc: Any, x: float, y: float, s: str, prop: Any, angle: float, ismath: Any = False, mtext: Any = None
        ) -> None:
            least = LEAST_TYPE * self.width / PHONE
            made = set_formula(s, prop, least) if ismath else plain(s, prop)
            width, height, descent = self.get_text_width_height_descent(s, prop, ismath)
            anchor = _anchor(mtext, angle) if mtext else self._aligned
            along = math.radians(angle)
            direction = math.cos(along), -math.sin(along)
            start = 0.0 if made.absolute else ANCHORS[anchor] * width
            fill = {"fill": to_hex(gc.get_rgb()[:3]), "fill-opacity": f"{_opacity(gc):g}"}
            _write(self.writer, made, (x + start * direction[0], y + start * direction[1]), angle, anchor, fill)
            corners = [
                (x + a * direction[0] - b * direction[1], y + a * direction[1] + b * direction[0])
                for a in (0, width)
                for b in (descent, descent - height)
            ]
            across, down = zip(*corners, strict=True)
            self.labels.append(Label(s, float(made.least), _box(across, down)))

    return Renderer


def _box(across: Sequence[float], down: Sequence[float]) -> tuple[float, float, float, float]:
    return float(min(across)), float(min(down)), float(max(across)), float(max(down))


def _opacity(gc: Any) -> float:
    return gc.get_alpha() if gc.get_forced_alpha() else gc.get_rgb()[3]


def _anchor(text: Text, angle: float) -> str:
    """Where along its direction a text of one line stays fixed when its font is another one."""
    if angle == 0 or text.get_rotation_mode() == "anchor":
        return _aligned(text)
    return {"bottom": "start", "top": "end"}.get(text.get_verticalalignment(), "middle") if angle == 90 else "middle"


def _write(
    writer: Any, made: Formula, at: tuple[float, float], angle: float, anchor: str, fill: dict[str, str]
) -> None:
    turned = f" rotate({-angle:g})" if angle else ""
    writer.start("g", attrib={"transform": f"translate({at[0]} {at[1]}){turned}", "style": _css(fill)})
    attributes = {"font-size": f"{made.size:g}"} | ({"font-weight": "bold"} if made.bold else {})
    if anchor != "start" and not made.absolute:
        attributes["text-anchor"] = anchor
    writer.start("text", attrib=attributes)
    for run in made.runs:
        writer.element("tspan", run.words, attrib=run.attributes())
    writer.end("text")
    for x, y, width, height in made.bars:
        writer.element("rect", x=f"{x}", y=f"{y}", width=f"{width}", height=f"{height}")
    writer.end("g")


def _css(style: dict[str, str]) -> str:
    return ";".join(f"{key}:{value}" for key, value in style.items())
