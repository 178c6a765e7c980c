"""SVG as matplotlib writes it, made compact and fit for a page that holds many figures.

Numbers have two decimals. What nobody refers to has no id, and other ids begin with `svg-NAME-`. Colors are custom
properties with the light shade as a fallback. There is no style sheet in it: inline, it would hold for the whole page.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from html import escape
from xml.etree import ElementTree

from theorems.report.figures import FigureError
from theorems.report.figures.style import INK, PROPERTIES

Element = ElementTree.Element

NAMESPACE = "http://www.w3.org/2000/svg"
GROUP = f"{{{NAMESPACE}}}g"
LINK = "{http://www.w3.org/1999/xlink}href"
REFERENCE = re.compile(r"url\(#([^)]+)\)")
NUMBER = re.compile(r"-?\d*\.\d+(?:e-?\d+)?")
DEFAULTS = {"stroke-linejoin": "round", "stroke-dashoffset": "0", "stroke-opacity": "1", "fill-opacity": "1"}
"""What the element `svg` sets for all, or what goes without saying."""
SHAPES = ("path", "use", "rect", "circle", "polygon")


def compact(text: str, name: str, title: str, alt: str) -> str:
    """The SVG of a figure, without a header. Raises FigureError for a color that is not of the palette."""
    root = ElementTree.fromstring(text)
    used = dict.fromkeys(reference for element in root.iter() for reference in _references(element))
    ids = {old: f"svg-{name}-{number}" for number, old in enumerate(used)}
    _flatten(root, ids)
    heads = "".join(
        f'<{tag} id="svg-{name}-{tag}">{escape(words)}</{tag}>' for tag, words in (("title", title), ("desc", alt))
    )
    return (
        f'<svg xmlns="{NAMESPACE}" class="drawing" viewBox="{root.get("viewBox")}" width="100%" role="img" '
        f'aria-labelledby="svg-{name}-title svg-{name}-desc" stroke-linejoin="round">'
        f"{heads}{_inside(root, ids, is_styled=False)}</svg>"
    )


def _references(element: Element) -> Iterator[str]:
    yield from (link[1:] for link in [element.get(LINK, "")] if link)
    for value in element.attrib.values():
        yield from REFERENCE.findall(value)


def _inside(element: Element, ids: Mapping[str, str], *, is_styled: bool) -> str:
    return "".join(_written(child, ids, is_styled=is_styled) for child in element)


def _written(element: Element, ids: Mapping[str, str], *, is_styled: bool) -> str:
    """An element; is_styled: it may take its colors from around it, or from where it is used."""
    tag = element.tag.partition("}")[2]
    if tag == "style":
        return ""
    if tag == "image":
        raise FigureError("an image cannot follow the colors of the page")
    attributes = _attributes(element, ids, is_styled=is_styled)
    inside = _inside(element, ids, is_styled=is_styled or tag in ("defs", "clipPath") or "style" in element.attrib)
    words = escape(element.text or "", quote=False) if tag == "tspan" else ""
    return (
        f"<{tag}{attributes}>{words}{inside}</{tag}>" if words or inside else f"<{tag}{attributes}/>" * (tag != "defs")
    )


def _flatten(element: Element, ids: Mapping[str, str]) -> None:
    """Remove groups that say nothing, and what is not seen; give neighbors of one style a common group."""
    children: list[Element] = []
    for child in element:
        _flatten(child, ids)
        if child.get("id") not in ids:
            child.attrib.pop("id", None)
        if child.tag == GROUP and not child.attrib:
            children += child
        elif not (child.tag.endswith("}path") and child.get("style") == "fill: none"):
            children.append(child)
    for child in list(element):
        element.remove(child)
    for style, alike in itertools.groupby(children, lambda child: child.get("style") if _is_shape(child) else None):
        found = list(alike)
        if style and len(found) > 1:
            for child in found:
                del child.attrib["style"]
            element.append(Element(GROUP, {"style": style}))
            element[-1].extend(found)
        else:
            element.extend(found)


def _is_shape(element: Element) -> bool:
    return element.tag.partition("}")[2] in SHAPES


def _attributes(element: Element, ids: Mapping[str, str], *, is_styled: bool) -> str:
    kept = []
    for key, value in element.attrib.items():
        if key == "id":
            kept.append(f' id="{ids[value]}"')
        elif key == LINK:
            kept.append(f' href="#{ids[value[1:]]}"')
        elif key != "style":
            kept.append(f' {key}="{escape(_path(value) if key == "d" else _rounded(_referring(value, ids)))}"')
    is_painted = not is_styled and (_is_shape(element) or "style" in element.attrib)
    if style := _style(element.get("style", ""), ids, is_text=_has_text(element), fills=is_painted):
        kept.append(f' style="{escape(style)}"')
    return "".join(kept)


def _has_text(element: Element) -> bool:
    return any(child.tag.endswith("}text") for child in element)


def _style(css: str, ids: Mapping[str, str], *, is_text: bool, fills: bool) -> str:
    """The rules of a style. fills: whether a missing fill is matplotlib's word for black."""
    rules = {key.strip(): value.strip() for key, _, value in (rule.partition(":") for rule in css.split(";")) if value}
    rules = {"fill": "#000000"} | rules if fills else rules
    return ";".join(
        f"{key}:{_color(value, is_text=is_text) if value.startswith('#') else _rounded(_referring(value, ids))}"
        for key, value in rules.items()
        if DEFAULTS.get(key) != value
    )


def _referring(value: str, ids: Mapping[str, str]) -> str:
    return REFERENCE.sub(lambda match: f"url(#{ids[match[1]]})", value)


def _color(shade: str, *, is_text: bool) -> str:
    """The custom property of a color of the palette; that of its text shade, if asked for."""
    if shade == INK:
        return "currentColor"
    for name, shades in PROPERTIES.items():
        if shade == shades.line:
            return f"var({name}-text,{shades.text})" if is_text else f"var({name},{shade})"
    raise FigureError(f"the color {shade} is not of the palette; style.py has COLORS, INK, FAINT and GROUND")


def _rounded(text: str) -> str:
    """Every number with a point, with two decimals at most and no zero before it."""
    return NUMBER.sub(lambda match: _short(round(float(match[0]), 2)), text)


def _short(number: float) -> str:
    return re.sub(r"^(-?)0\.", r"\1.", f"{number:g}") if number else "0"


def _path(data: str) -> str:
    """Path data with two decimals at most, and no blank that is not needed."""
    words = _rounded(data).split()
    return re.sub(r" ?([MLQCz]) ?", r"\1", " ".join(words)).replace(" -", "-")
