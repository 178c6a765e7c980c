"""Self-tests: every theorem file is one sitting, and the check sees one that is not."""

import pytest

from docs.house import LONG, Measures, excesses, measure


@pytest.mark.slow
def test_every_theorem_file_is_one_sitting():
    assert excesses(measure(), LONG) == []


def file(name="test_a.py", lines=100, docstring=20, names=10):
    return Measures(f"theorems/section_03/{name}", lines, docstring, names)


@pytest.mark.parametrize(
    ("one", "complaint"),
    [
        (file(lines=251), "test_a.py has 251 lines"),
        (file(docstring=46), "test_a.py has a docstring of 46 lines"),
        (file(names=41), "test_a.py has 41 project names"),
        (file("runs.py", lines=201), "runs.py is a helper module of 201 lines"),
    ],
)
def test_a_file_that_is_too_much_for_one_sitting_is_named(one, complaint):
    assert excesses([one, *[file("test_b.py")] * 2], {}) == [f"theorems/section_03/{complaint}"]


def test_a_long_file_is_listed_with_a_reason_and_no_other_is():
    long = {file().path: "one proof"}
    assert excesses([file(lines=300), file("test_b.py"), file("test_c.py")], long) == []
    assert excesses([file(lines=351), file("test_b.py"), file("test_c.py")], long) == [f"{file().path} has 351 lines"]
    assert excesses([file()], long) == [f"{file().path} is listed as long, and is not"]


def test_half_of_the_files_are_short():
    assert excesses([file(lines=161)], {}) == ["the median theorem file has 161 lines"]


def test_project_names_and_docstrings_are_counted(tmp_path):
    folder = tmp_path / "theorems" / "section_03" / "theorem"
    folder.mkdir(parents=True)
    (folder / "test_a.py").write_text(
        '"""One.\n\nTwo.\n"""\n\nimport numpy\nfrom properties.search import a, b\n', encoding="utf-8"
    )
    (folder / "test_b.py").write_text('"""Self-tests: an instrument."""\n', encoding="utf-8")
    assert measure(tmp_path) == [Measures("theorems/section_03/theorem/test_a.py", 7, 3, 2)]


def test_a_question_file_has_the_limits_of_a_theorem_file(tmp_path):
    (tmp_path / "probes").mkdir()
    (tmp_path / "probes" / "question_1_a.py").write_text('"""One."""\nfrom probes.run import a\n' * 126, "utf-8")
    (tmp_path / "probes" / "run.py").write_text("x = 1\n" * 300, encoding="utf-8")
    (question,) = measure(tmp_path)
    assert excesses([question, *[file("test_b.py")] * 2], {}) == ["probes/question_1_a.py has 252 lines"]
