"""A sheet of cells and texts that becomes SVG: text is text, and colors follow the page, as in the page of claims."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from probes.pages.cells import DISK, RING, Cell, Tone
from theorems.report.figures.style import PROPERTIES
from theorems.report.figures.svg import Label

WIDTH, SIZE = 360.0, 9.5
"""Width and size of type: 343 px wide, as on a phone, the type is 9 px."""
LINE, MARGIN = 13.0, 4.0
_BY_WIDTH = {"mMwW@%+=\u2026\u221e": 1.0, "ijl.,:;'|()- ": 0.4}
"""Letters whose width is not that of others, in sizes of type: in DejaVu Sans, one of the widest fonts, at most."""

_GROUNDS = {
    Tone.AGREES: ("--figure-1", ".28"),
    Tone.AGAINST: ("--figure-2-text", "1"),
    Tone.OPEN: ("--figure-faint", ".16"),
}


class Sheet:
    """Collects what is drawn. y: where the next line begins, downwards. labels: the texts with their places."""

    def __init__(self) -> None:
        self.y = MARGIN
        self.labels: list[Label] = []
        self._grounds: dict[Tone, list[str]] = {tone: [] for tone in Tone}
        self._disks: dict[bool, list[str]] = {False: [], True: []}
        self._rings: dict[bool, list[str]] = {False: [], True: []}
        self._marks: dict[bool, list[str]] = {False: [], True: []}
        self._texts: list[str] = []
        self._rules: list[str] = []
        self._own: list[str] = []
        self._beside: list[str] = []

    def write(self, words: str, x: float, top: float, *, middle: bool = False) -> None:
        """A line of text; it begins at x, or has its middle there."""
        anchor = ' text-anchor="middle"' if middle else ""
        self._texts.append(f'<text x="{_short(x)}" y="{_short(top + 9.4)}"{anchor}>{escape(words)}</text>')
        self._label(words, x - middle * width_of(words) / 2, top + 9.4)

    def write_upright(self, words: str, x: float, bottom: float) -> None:
        """A text that runs upwards, its middle at x."""
        place = f"translate({_short(x + 0.35 * SIZE)} {_short(bottom)})rotate(-90)"
        self._texts.append(f'<text transform="{place}">{escape(words)}</text>')
        box = (x - 0.4 * SIZE, bottom - width_of(words), x + 0.55 * SIZE, bottom)
        self.labels.append(Label(words, SIZE, box))

    def rule(self, left: float, right: float, y: float) -> None:
        """A faint horizontal line."""
        self._rules.append(f"M{_short(left)} {_short(y)}H{_short(right)}")

    def dots(self, xs: Iterable[float], y: float, *, is_control: bool = False) -> None:
        """Values on a line: full ones, and hollow ones for the control."""
        places = {_short(x): None for x in xs}  # many instances give one dot
        if is_control:
            self._beside += [f"M{float(x) - 2.2:.4g} {_short(y)}a2.2 2.2 0 1 1 0 .01z" for x in places]
        else:
            self._own += [f"M{x} {_short(y)}h0" for x in places]

    def square(self, left: float, top: float, width: float, found: Cell) -> None:
        """A cell: its ground, and its mark in the middle."""
        # a thick line: half as long in the file as a rectangle
        self._grounds[found.tone].append(f"M{_short(left + 0.5)} {_short(top + LINE / 2)}h{_short(width - 1)}")
        x, y, is_full = left + width / 2, top + LINE / 2, found.tone is Tone.AGAINST
        if found.mark == DISK:
            self._disks[is_full].append(f"M{_short(x)} {_short(y)}h0")
        elif found.mark == RING:
            self._rings[is_full].append(f"M{_short(x - 2.7)} {_short(y)}a2.7 2.7 0 1 1 0 .01z")
        elif found.mark:
            self._marks[is_full].append(f'<text x="{_short(x)}" y="{_short(top + 9.9)}">{escape(found.mark)}</text>')
            self._label(found.mark, x - width_of(found.mark) / 2, top + 9.9)

    def svg(self, name: str, title: str, alt: str) -> str:
        """The `svg` element, with title and alternative text."""
        heads = f'<title id="svg-{name}-title">{escape(title)}</title><desc id="svg-{name}-desc">{escape(alt)}</desc>'
        grounds = "".join(
            f'<path d="{"".join(self._grounds[tone])}" style="stroke:{_color(color)};stroke-opacity:{opacity}" '
            f'stroke-width="{_short(LINE - 1)}"/>'
            for tone, (color, opacity) in _GROUNDS.items()
            if self._grounds[tone]
        )
        beside = f'<path d="{"".join(self._beside)}" fill="none" style="stroke:{_color("--figure-faint")}"/>'
        look = f'style="stroke:{_color("--figure-1")};stroke-opacity:.6" stroke-width="4.6" stroke-linecap="round"'
        own = f'<path d="{"".join(self._own)}" fill="none" {look}/>'
        dots = (beside if self._beside else "") + (own if self._own else "")
        rules = f'<path d="{"".join(self._rules)}" fill="none" style="stroke:{_color("--figure-faint")}"/>'
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" class="drawing" viewBox="0 0 {WIDTH:g} {_short(self.y)}" '
            f'width="100%" role="img" aria-labelledby="svg-{name}-title svg-{name}-desc" font-size="{SIZE}" '
            f'fill="currentColor">{heads}{grounds}{rules if self._rules else ""}{dots}{"".join(self._texts)}'
            f"{self._inked(False, 'currentColor')}{self._inked(True, _color('--figure-ground'))}</svg>"
        )

    def _inked(self, is_full: bool, color: str) -> str:
        """The marks of the cells whose ground is full, in the color of the page, or of the others."""
        stroke = f'style="stroke:{color}" fill="none"'
        found = {
            f'<path {stroke} stroke-width="6.4" stroke-linecap="round" d="%s"/>': self._disks,
            f'<path {stroke} stroke-width="1.3" d="%s"/>': self._rings,
            f'<g text-anchor="middle" style="fill:{color}">%s</g>': self._marks,
        }
        return "".join(shape % "".join(items[is_full]) for shape, items in found.items() if items[is_full])

    def _label(self, words: str, left: float, base: float) -> None:
        box = (left, base - 0.73 * SIZE, left + width_of(words), base + 0.2 * SIZE)
        self.labels.append(Label(words, SIZE, box))


def width_of(words: str) -> float:
    """How wide a text is, at most."""
    widths = {letter: width for letters, width in _BY_WIDTH.items() for letter in letters}
    return SIZE * sum(widths.get(letter, 0.79 if letter.isupper() else 0.65) for letter in words)


def _short(number: float) -> str:
    return f"{round(number, 1):g}"


def _color(name: str) -> str:
    shades = PROPERTIES[name.removesuffix("-text")]
    return f"var({name},{shades.text if name.endswith('-text') else shades.line})"
