"""The source of a test as HTML. Needs pygments (extra `report`)."""

from __future__ import annotations

import ast
import functools
import html
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pygments.token import _TokenType


@functools.lru_cache(maxsize=8)
def _read(file: Path) -> tuple[list[str], dict[str, tuple[int, int]]]:
    """The lines of a module, and the first and the last line of each function, with its decorators.

    A module that is gone, or does not parse, has none.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")
        functions = [node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)]
    except (OSError, SyntaxError, ValueError):
        return [], {}
    places = {
        node.name: (min([node.lineno, *(mark.lineno for mark in node.decorator_list)]), node.end_lineno or node.lineno)
        for node in functions
    }
    return text.splitlines(), places


def source_of(test: dict[str, Any], root: Path) -> str | None:
    """The source of a test of a ledger, or None where its file no longer has this test at these lines.

    test: an entry of a claim's `tests`. root: the checkout.
    """
    first, last = test["lines"]
    lines, places = _read(root / test["file"])
    is_there = places.get(test["test"].rpartition("::")[2]) == (first, last)
    return "\n".join(lines[first - 1 : last]) if is_there else None


def highlighted(source: str) -> str:
    """Python source as HTML: its text escaped, and a `span` for each run of what a reader should tell apart.

    The classes are k (keyword), s (string), n (number), c (comment), d (decorator) and f (name that is defined); all
    else is plain, which keeps a page of a thousand tests small.
    """
    from pygments.lexers import PythonLexer

    lexer = PythonLexer(stripnl=False, ensurenl=False)
    runs = itertools.groupby(_named(lexer.get_tokens(source)), key=lambda pair: pair[0])
    return "".join(_span(name, "".join(text for _, text in run)) for name, run in runs)


def _named(tokens: Iterator[tuple[_TokenType, str]]) -> Iterator[tuple[str, str]]:
    """Each piece of text with its class; blanks belong to what stands before them, so that runs are long."""
    name = ""
    for token, text in tokens:
        if not text.isspace():
            name = _class_of(token)
        yield name, text


@functools.cache
def _class_of(token: _TokenType) -> str:
    from pygments.token import Comment, Keyword, Name, Number, Operator, String

    classes = (
        (Comment, "c"),
        (Keyword, "k"),
        (Operator.Word, "k"),
        (String, "s"),
        (Number, "n"),
        (Name.Decorator, "d"),
        (Name.Function, "f"),
    )
    return next((name for kind, name in classes if token in kind), "")


def _span(name: str, text: str) -> str:
    escaped = html.escape(text, quote=False)
    return f'<span class="{name}">{escaped}</span>' if name else escaped
