"""Small theorem files for the self-tests of the ledger, as text."""

from __future__ import annotations

from pathlib import Path

OPENING = '''r"""{heading}.

{fields}"""

from hypothesis import given, strategies as st
import pytest

from properties.certificates import assert_at_most, assert_equal_within, assert_violates
from properties.search import smallest_violation
from theorems.ledger import as_printed, corrected, counterexample, necessity, under_hypotheses, vacuous

'''
CLAIM = {"Section": "0", "Printed": r"$x \le y$", "Source": "None."}
STATEMENT = {"Idea": "None.", "Tolerance": "None."}
AS_PRINTED = """
@as_printed
def test_one():
    assert_at_most(1, 2, why="one")

@as_printed
@given(st.integers(0, 3))
def test_many(x):
    assert_at_most(x, 4, why="many")
"""
PINNED = """
@counterexample
def test_pinned():
    assert_violates(2, 1, reads="risk {value} > bound {limit}", n=1)
"""
SEARCHED = """
@counterexample
def test_searched():
    assert_at_most(2, smallest_violation(st.integers(0, 9), lambda x: x > 1), why="found")
"""
CORRECTED = """
@corrected("C1")
def test_corrected():
    assert_at_most(1, 1, why="tight")
"""
MEASURED = """
import types
from properties.certificates import record_finding
from theorems.ledger import measured, observed

def find(finding, binding=True):
    interval = types.SimpleNamespace(estimate=2.0, lower=1.0, upper=3.25, level=0.95)
    where = types.SimpleNamespace(title="digits" if binding else "the paper's", binding=binding, printed=not binding)
    record_finding(finding, interval, where=where, trials=5, reads="gap {estimate} [{lower}, {upper}]")

@observed
def test_beside():
    assert_at_most(1, 1, why="")
"""
MEASUREMENT = """
@measured
def test_{name}():
    find({arguments})
"""


def measurements(*arguments: str) -> str:
    """Measured tests, each with the arguments of its finding, as source."""
    return MEASURED + "".join(MEASUREMENT.format(name=k, arguments=word) for k, word in enumerate(arguments))


NECESSARY = """
from properties.certificates import assert_keeps

@under_hypotheses("H1", "H2")
def test_under():
    assert_at_most(1, 1, why="both")

@necessity("H1")
def test_without_H1():
    assert_keeps(H2=True)
    assert_at_most(1, 1, why="the second alone")

@necessity("H2")
def test_without_H2():
    assert_keeps(H1=1 < 2)
    assert_at_most(1, 1, why="the first alone")
"""


def read_as(name: str, body: str) -> str:
    """Tests that are about a reading of this name."""
    return (
        body.replace("@as_printed", f"@as_printed(reading='{name}')")
        .replace("@counterexample", f"@counterexample(reading='{name}')")
        .replace("@measured", f"@measured(reading='{name}')")
    )


def page(heading: str, body: str = "", **fields: str) -> str:
    """A module that opens with this heading and these fields."""
    lines = "".join(f"{name:11} {text}\n" for name, text in fields.items())
    return OPENING.format(heading=heading, fields=lines) + body


def write_claim(
    folder: Path, name: str, body: str, *, label: str = "Theorem 3.1", expected: str = "holds", **fields: str
) -> None:
    """A claim of one file, test_NAME.py."""
    heading = f"{label} - a claim to test the ledger with"
    source = page(heading, body, **CLAIM, **fields, **STATEMENT, Expected=expected)
    (folder / f"test_{name}.py").write_text(source, encoding="utf-8")


def write_folder(folder: Path, parts: dict[str, tuple[str, dict[str, str]]], *, label: str = "Theorem 3.1") -> None:
    """A claim of parts in the folder theorem: a file test_LETTER.py for each, with its body and its fields."""
    folder = folder / "theorem"
    folder.mkdir(exist_ok=True)
    (folder / "__init__.py").write_text(page(f"{label} - a claim of parts", **CLAIM), encoding="utf-8")
    for letter, (body, fields) in parts.items():
        own = {"Printed": "$x$", **STATEMENT, **fields}
        (folder / f"test_{letter}.py").write_text(
            page(f"{label} ({letter}) - part {letter}", body, **own), encoding="utf-8"
        )
