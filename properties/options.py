"""Helpers of the self-tests of options: a function by its path, and one option turned against a known value."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from properties.certificates import assert_identical

ROOT = Path(__file__).parents[1]


def named(path: str) -> Any:
    """The function, class or method of a dotted path, such as "fixtures.models.two_layer.TwoLayer.kernel"."""
    parts = path.split(".")
    cut = next(k for k in range(len(parts), 0, -1) if (ROOT / Path(*parts[:k])).with_suffix(".py").is_file())
    return functools.reduce(getattr, parts[cut:], importlib.import_module(".".join(parts[:cut])))


def ids(rows: Sequence[Sequence[Any]]) -> list[str]:
    """Names of tests for rows that begin with a path and an option."""
    return [f"{path.rsplit('.', 1)[-1]}-{option}" for path, option, *_ in rows]


def raised(call: Callable[[], Any]) -> int:
    """1 if a call raises a ValueError, a RuntimeError or an AssertionError, else 0."""
    try:
        call()
    except (ValueError, RuntimeError, AssertionError):
        return 1
    return 0


def assert_turned(
    path: str, option: str, value: Any, run: Callable[[Callable], Any], expected: Any, slack: float
) -> None:
    """Assert that `run` of a function whose option has this value is as expected, and of the function itself is not.

    path: of the function. run: takes the function and returns numbers. expected: the numbers, or a function without
    arguments that computes them. slack: the largest difference allowed.
    """
    function = named(path)
    expected = np.asarray(expected() if callable(expected) else expected, float)
    found, plain = (np.asarray(run(f), float) for f in (functools.partial(function, **{option: value}), function))
    assert_identical(found.shape, expected.shape, why=f"shape of {option}={value!r}")
    assert_identical(bool(np.abs(found - expected).max() <= slack), True, why=f"{option}={value!r}: {found}")
    same = plain.shape == expected.shape and np.abs(plain - expected).max() <= slack
    assert_identical(bool(same), False, why=f"without {option} the result is another one")
