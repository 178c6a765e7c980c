"""Self-tests: each refuted reading has one counterexample that its docstring works by hand, in at most three lines.

docs/test_formulas.py sees that its formulas convert. That its test shows the witness of the ledger is a rule of a run.
"""

import ast
import textwrap
from pathlib import Path

import pytest

from theorems.ledger.verdicts import Role

ROOT = Path(__file__).parents[1]
LONGEST = 3
"""How many lines of source a counterexample may take: as many as a reader checks with a pencil."""


def counterexamples(claims):
    """The counterexamples to each reading of each part, under words that name the reading."""
    found = {}
    for stated in claims:
        for test in stated.tests:
            if test.role is Role.COUNTEREXAMPLE:
                words = (stated.claim.label, test.part, test.reading and f"read as {test.reading}")
                found.setdefault(" ".join(filter(None, words)), []).append(test)
    return found


def function_of(test):
    """The syntax tree of a test, read from its lines."""
    first, last = test.lines
    lines = (ROOT / test.path).read_text(encoding="utf-8").splitlines()[first - 1 : last]
    return ast.parse(textwrap.dedent("\n".join(lines))).body[0]


def lines_of_docstring(function):
    """How many lines of source the docstring of a function takes."""
    node = function.body[0]
    return node.end_lineno - node.lineno + 1


def test_each_refuted_reading_has_one_counterexample_that_is_worked_by_hand(stated_claims):
    every = counterexamples(stated_claims)
    assert len(every) > 50
    worked = {words: [test.name for test in tests if test.docstring] for words, tests in every.items()}
    assert {words: names for words, names in worked.items() if len(names) != 1} == {}


def told(claims):
    """The counterexamples that are worked by hand."""
    return [test for tests in counterexamples(claims).values() for test in tests if test.docstring]


def test_a_counterexample_takes_at_most_three_lines(stated_claims):
    long = {test.name: lines_of_docstring(function_of(test)) for test in told(stated_claims)}
    assert {name: lines for name, lines in long.items() if lines > LONGEST} == {}


def is_generated(function):
    """Whether Hypothesis draws the instances of a test."""
    return any(ast.unparse(decorator).startswith("given") for decorator in function.decorator_list)


def test_a_counterexample_that_is_worked_by_hand_is_pinned(stated_claims):
    assert [test.name for test in told(stated_claims) if is_generated(function_of(test))] == []


@pytest.mark.parametrize(("quoted", "lines"), [('"""One."""', 1), ('"""One,\n    two,\n    three,\n    four."""', 4)])
def test_the_lines_of_a_docstring_are_those_of_the_source(quoted, lines):
    assert lines_of_docstring(ast.parse(f"def test():\n    {quoted}\n    pass\n").body[0]) == lines
