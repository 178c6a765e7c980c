"""What the body of a theorem test may not have: ways to lose a failure, and certificates that nobody can tell apart."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator

_CATCHING = ("suppress", "raises")
_BROAD = ("AssertionError", "Exception", "BaseException")


def fault_of(test: ast.FunctionDef) -> str | None:
    """Why this test function hides a failure or a certificate, to follow its name; or None.

    A `try`, a `suppress`, or a `raises` of AssertionError catches what a certificate says. A plain `assert` is not
    reported: the ledger would not miss it. Certificates are told apart by their words, so two of a test differ in them.
    """
    words: Counter[str] = Counter()
    for node in ast.walk(test):
        if isinstance(node, ast.Try | ast.TryStar) or (isinstance(node, ast.Call) and _catches(node)):
            return "catches what its own certificates raise"
        if isinstance(node, ast.Assert):
            return "has a plain assert, which is not reported: use a certificate"
        if isinstance(node, ast.Call):
            words.update(_words(node))
    repeated = [text for text, count in words.items() if count > 1]
    return f"has two certificates with the words {repeated[0]}" if repeated else None


def _catches(call: ast.Call) -> bool:
    if getattr(call.func, "attr", getattr(call.func, "id", "")) not in _CATCHING:
        return False
    named = {node.id for argument in call.args for node in ast.walk(argument) if isinstance(node, ast.Name)}
    return bool(named & set(_BROAD))


def _words(call: ast.Call) -> Iterator[str]:
    """The source of `why` and `reads` of a call, if it is a certificate."""
    if getattr(call.func, "id", "").startswith("assert_"):
        yield from (ast.unparse(word.value) for word in call.keywords if word.arg in ("why", "reads"))
