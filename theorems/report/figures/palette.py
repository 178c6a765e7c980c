"""Which colors a figure may name in its source: none; it takes them from `style`."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

COLORED = re.compile(
    r"(?:^|_)(?:c|colors?|fc|ec|mfc|mec|facecolors?|edgecolors?|markerfacecolor|markeredgecolor|cmap)$"
)
"""The names of arguments that are colors."""
NEUTRAL = ("none", "face", "")
LITERAL = re.compile(r"#[0-9a-fA-F]{3,8}|C\d")
"""What is a color wherever it stands."""


def literal_colors(source: str) -> list[str]:
    """The colors that a module writes out, as `line: color`."""
    return [f"{line}: {color}" for line, color in _colors(ast.parse(source))]


def _colors(tree: ast.AST) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and LITERAL.fullmatch(node.value):
            yield node.lineno, node.value
        elif isinstance(node, ast.keyword) and COLORED.search(node.arg or ""):
            yield from (
                (part.lineno, repr(part.value))
                for part in ast.walk(node.value)
                if isinstance(part, ast.Constant) and isinstance(part.value, str | float)
                if part.value not in NEUTRAL and not LITERAL.fullmatch(str(part.value))
            )
