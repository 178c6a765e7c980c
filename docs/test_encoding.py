"""Self-tests: text is read and written as UTF-8, not in the encoding of the machine.

Not ruff's rule for this (PLW1514): it is a preview, and it sees only paths whose type it can infer.
"""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = ("benchmarks", "docs", "fixtures", "mutants", "properties", "theorems")
# Where an encoding stands among the arguments, and where the mode does; text is read where no mode says otherwise.
ENCODING_AT = {"read_text": 0, "write_text": 1, "open": 3, "fdopen": 3, "NamedTemporaryFile": 2, "TemporaryFile": 2}
MODE_AT = {"open": 1, "fdopen": 1, "NamedTemporaryFile": 0, "TemporaryFile": 0}
# Modules whose `open` is another function: of bytes unless asked for text.
OTHERS = ("bz2", "gzip", "lzma", "os", "tarfile", "zipfile")


def without_encoding(source):
    """The lines of calls that read or write text and name no encoding."""
    if not any(f"{name}(" in source for name in ENCODING_AT):
        return []  # most files: they need not be parsed
    return [node.lineno for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call) and leaves_it_open(node)]


def leaves_it_open(call):
    function = call.func
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    module = getattr(getattr(function, "value", None), "id", "")
    if name not in ENCODING_AT or (name == "open" and module in OTHERS):
        return False
    # Path.open has the arguments of open but for the file, which is the path.
    first = int(name == "open" and isinstance(function, ast.Attribute) and module != "io")
    keywords = {keyword.arg: keyword.value for keyword in call.keywords}
    given = dict(enumerate(call.args, start=first))
    mode = keywords.get("mode", given.get(MODE_AT[name])) if name in MODE_AT else ast.Constant("r")
    if mode is None:
        mode = ast.Constant("w+b" if name.endswith("File") else "r")
    is_text = isinstance(mode, ast.Constant) and isinstance(mode.value, str) and "b" not in mode.value
    return is_text and "encoding" not in keywords and None not in keywords and ENCODING_AT[name] not in given


@pytest.mark.slow
def test_every_text_is_read_and_written_in_an_encoding_that_is_named():
    files = [ROOT / "conftest.py", *(file for folder in FOLDERS for file in sorted((ROOT / folder).rglob("*.py")))]
    wrong = [f"{file.relative_to(ROOT)}:{line}" for file in files for line in without_encoding(file.read_text("utf-8"))]
    assert wrong == []


@pytest.mark.parametrize(
    "call",
    [
        "path.read_text()",
        "path.read_text(errors='replace')",
        "(a / b).write_text(text)",
        "open(path)",
        "open(path, 'w')",
        "open(path, mode='a')",
        "path.open()",
        "path.open('w')",
        "os.fdopen(3, 'w')",
        "tempfile.NamedTemporaryFile('w')",
        "io.open(path, 'r')",
    ],
)
def test_the_check_sees_a_text_without_an_encoding(call):
    assert without_encoding(f"def f():\n    {call}\n") == [2]


@pytest.mark.parametrize(
    "call",
    [
        "path.read_text('utf-8')",
        "path.read_text(encoding='utf-8')",
        "path.write_text(text, 'utf-8')",
        "path.write_text(text, encoding='utf-8')",
        "open(path, 'rb')",
        "open(path, 'w', encoding='utf-8')",
        "path.open('wb')",
        "path.open(mode)",
        "path.open('w', encoding='utf-8')",
        "path.open('w', -1, 'utf-8')",
        "opened(path, mode, **options)",
        "path.open(**options)",
        "os.open(path, 0)",
        "tarfile.open(path, 'r:gz')",
        "tempfile.NamedTemporaryFile()",
        "path.read_bytes()",
    ],
)
def test_the_check_leaves_bytes_and_named_encodings_alone(call):
    assert without_encoding(call) == []
