"""Self-tests: imports run one way, and heavy libraries are imported only where they are used.

Not import-linter: its contracts cannot except the self-tests, which sit beside their instruments and use certificates.
"""

import ast
import functools
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FORBIDDEN = {
    "fixtures": ("theorems", "properties", "probes"),
    "fixtures/problems": ("fixtures.dynamics", "fixtures.models", "fixtures.datasets"),
    "properties": ("theorems", "probes"),
    "probes": ("theorems",),
    "theorems": ("probes",),
    "theorems/ledger": ("fixtures", "theorems.section"),
    "theorems/report": ("fixtures", "properties", "theorems.section"),
    "theorems/report/figures": ("theorems.ledger", "theorems.report.page", "theorems.report.write"),
}
# Every option that names a folder is read by one helper, also an option of the ledger. Another helper takes from Debian
# what a machine lacks, also a browser. A profile of an optimizer is written as a ledger is, and its page as theirs.
ALLOWED = {
    "theorems/ledger": ("fixtures.paths",),
    "theorems/report": ("fixtures.debian",),
    "probes": ("theorems.ledger.writing", "theorems.report"),
}
HEAVY = (
    "torch",
    "curvlinops",
    "sklearn",
    "cvxpy",
    "matplotlib",
    "mpmath",
    "pooch",
    "filelock",
    "safetensors",
    "submitit",
    "tqdm",
    "jinja2",
    "latex2mathml",
    "pygments",
    "playwright",
)
# Subclasses of torch's classes, at the top of a file so that they can be pickled: these files count as torch.
TORCH_CLASSES = (
    "fixtures.models.convolutional",
    "fixtures.models.modules",
    "probes.planted",
    "properties.curvature.torch_rounding",
)


@functools.cache
def tree(path):
    """The syntax tree of a file, parsed once for all tests."""
    return ast.parse(path.read_text(encoding="utf-8"))


def imported(nodes):
    """The modules that import statements among these nodes name."""
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (node.module, *(f"{node.module}.{alias.name}" for alias in node.names))


def sources(folder):
    return [path for path in sorted((ROOT / folder).rglob("*.py")) if not path.name.startswith("test_")]


@pytest.mark.slow
@pytest.mark.parametrize("folder", FORBIDDEN)
def test_imports_run_one_way(folder):
    wrong = [
        f"{path.relative_to(ROOT)} imports {module}"
        for path in sources(folder)
        for module in imported(ast.walk(tree(path)))
        if module.startswith(FORBIDDEN[folder]) and not module.startswith(ALLOWED.get(folder, ()))
    ]
    assert wrong == []


@pytest.mark.slow
def test_only_self_tests_of_the_ledger_and_the_house_may_import_theorems():
    wrong = [
        str(path.relative_to(ROOT))
        for folder in ("fixtures", "properties", "probes")
        for path in sorted((ROOT / folder).rglob("test_*.py"))
        for module in imported(ast.walk(tree(path)))
        if module.startswith("theorems") and not module.startswith(ALLOWED.get(folder, ()))
    ]
    assert wrong == []


@pytest.mark.slow
def test_only_the_plugin_of_the_ledger_imports_the_report():
    importers = [
        path.relative_to(ROOT / "theorems").as_posix()
        for path in sources("theorems")
        if any(module.startswith("theorems.report") for module in imported(ast.walk(tree(path))))
    ]
    assert [path for path in importers if not path.startswith("report/")] == ["ledger/plugin.py"]


@pytest.mark.slow
def test_a_section_imports_from_no_other_section():
    sections = sorted((ROOT / "theorems").glob("section_*"))
    wrong = [
        f"{path.relative_to(ROOT)} imports {module}"
        for section in sections
        for path in sorted(section.rglob("*.py"))
        for module in imported(ast.walk(tree(path)))
        if module.startswith("theorems.section_") and not module.startswith(f"theorems.{section.name}")
    ]
    assert wrong == []


@pytest.mark.slow
def test_heavy_libraries_are_imported_inside_functions():
    paths = {
        path for folder in ("theorems", "properties", "fixtures", "probes") for path in (ROOT / folder).rglob("*.py")
    }
    paths -= {ROOT / f"{module.replace('.', '/')}.py" for module in TORCH_CLASSES}
    # Self-tests of the probes plant subclasses of torch's Optimizer, each beside the test that exposes it.
    paths -= set((ROOT / "probes").rglob("test_*.py"))
    wrong = [
        f"{path.relative_to(ROOT)} imports {module}"
        for path in sorted(paths)
        for module in imported(tree(path).body)
        if module.split(".")[0] in HEAVY or module.startswith(TORCH_CLASSES)
    ]
    assert wrong == []


def test_the_check_sees_a_wrong_import():
    tree = ast.parse("def f():\n    from theorems.ledger import claims\n")
    assert "theorems.ledger.claims" in list(imported(ast.walk(tree)))


def careless(texts):
    """The files of these that run pytest within this process and might write pages there.

    Pytester forgets the modules that such a run imports. A second import of matplotlib and of the figures then fails,
    in whichever test comes next.
    """
    run, replaced = "runpytest_inprocess", "theorems.ledger.plugin.write_pages"
    return [name for name, text in texts.items() if run in text and replaced not in text]


def test_a_run_within_a_run_writes_no_pages():
    folders, patterns = (ROOT / "theorems", ROOT / "probes"), ("test_*.py", "conftest.py")
    paths = [path for folder in folders for pattern in patterns for path in sorted(folder.rglob(pattern))]
    assert careless({path.relative_to(ROOT): path.read_text(encoding="utf-8") for path in paths}) == []
    assert careless({"a": "pytester.runpytest_inprocess()"}) == ["a"]
