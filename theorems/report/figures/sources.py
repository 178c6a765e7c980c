"""Which test functions of the theorem files record series, read from the sources without running them."""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).parents[3]


def recording_tests(folder: Path = ROOT / "theorems") -> set[str]:
    """The test functions that call `record_series`, themselves or through functions of their file: `path::name`."""
    return {
        f"{path.relative_to(folder.parent).as_posix()}::{name}"
        for path in sorted(folder.glob("section_*/**/test_*.py"))
        for name in recording_functions(path.read_text(encoding="utf-8"))
        if name.startswith("test_")
    }


def recording_functions(source: str) -> set[str]:
    """The functions of a module that call `record_series`, themselves or through another one of them."""
    if "record_series" not in source:
        return set()
    functions = {node.name: _names(node) for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)}
    found: set[str] = set()
    while new := {name for name, used in functions.items() if used & {"record_series", *found}} - found:
        found |= new
    return found


def _names(function: ast.FunctionDef) -> set[str]:
    return {node.id for node in ast.walk(function) if isinstance(node, ast.Name)}
