"""Self-tests: every strategy of a theorem test can leave the symmetric set, or says why not; none is left out."""

import ast
import importlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docs.strategies import ROOT, strategies_of, used_by_theorems
from fixtures.problems.batches import given_batches
from fixtures.problems.regression import regressions
from fixtures.problems.symmetry import undeclared_faults

USED = used_by_theorems()


@pytest.mark.slow
@pytest.mark.parametrize("used", USED, ids=lambda used: used.name)
def test_every_strategy_leaves_the_symmetric_set_or_declares_why_not(used):
    faults = undeclared_faults(used.strategy)
    assert not faults, "\n".join([used.where, repr(used.strategy), *faults])


def decorated_with_given(path: Path) -> int:
    """How many arguments of tests the file gives to Hypothesis, by its text."""
    calls = [
        decorator
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
        for decorator in node.decorator_list
        if isinstance(decorator, ast.Call) and getattr(decorator.func, "id", "") in ("given", "given_batches")
    ]
    return sum(len(call.args) + sum(keyword.arg != "size" for keyword in call.keywords) for call in calls)


@pytest.mark.slow
def test_every_given_argument_is_among_the_strategies_that_are_checked():
    checked = {(used.section, repr(used.strategy)) for used in USED}
    for path in sorted((ROOT / "theorems").glob("section_*/**/test_*.py")):
        place = path.relative_to(ROOT)
        module = importlib.import_module(".".join(place.with_suffix("").parts))
        tests = [test for name, test in vars(module).items() if name.startswith("test_")]
        strategies = [strategy for test in tests for strategy in strategies_of(test).values()]
        assert len(strategies) == decorated_with_given(path), path
        assert {(place.parts[1], repr(strategy)) for strategy in strategies} <= checked, path


def test_the_strategies_of_a_test_are_those_of_single_instances():
    problems = regressions()

    @given_batches(problem=problems, size=7)
    def batched(problem):
        pass

    @given(problems, st.integers(0, 3))
    def single(problem, t):
        pass

    assert strategies_of(batched) == {"problem": problems}
    assert strategies_of(single).keys() == {"t", "problem"}
    assert strategies_of(test_a_test_whose_strategies_are_not_known_is_refused) == {}


def test_a_test_whose_strategies_are_not_known_is_refused():
    @given(st.integers())
    def hidden(x):
        pass

    hidden.hypothesis = object()  # as if a later Hypothesis kept the strategies elsewhere
    with pytest.raises(ValueError, match="the strategies of hidden are not known"):
        strategies_of(hidden)
