"""Self-tests: the table of mutants can be planted, a sample dies, and the program tells killed from survived."""

import subprocess
import sys
from collections import Counter

import pytest

from mutants import plant
from mutants.plant import KINDS, ROOT, Mutant, Result, TableError, known_results, mutated, read_table, sample

MUTANTS = read_table(plant.TABLE)
ENTRY = {"kind": "bound", "file": "x.py", "old": "2", "new": "3", "mistake": "m", "test": "test_x.py::test_x"}
SUM = Mutant("bound", "x.py", "return a + b", "return a - b", "minus", "test_x.py::test_sum")


@pytest.mark.slow
@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: f"{mutant.file}: {mutant.mistake}")
def test_a_mutant_changes_its_file_and_names_a_test_that_exists(mutant):
    mutated(mutant)
    path, _, name = mutant.test.partition("::")
    if "::" in mutant.test and name not in ("verdict", "power"):
        assert f"def {name.partition('[')[0]}(" in (ROOT / path).read_text(encoding="utf-8")
    else:
        assert mutant.run
    assert (ROOT / mutant.selection.partition("::")[0]).exists()


def test_the_table_has_eighty_mutants_of_every_kind_and_at_most_one_in_twenty_survives():
    kinds = Counter(mutant.kind for mutant in MUTANTS)
    assert set(kinds) == set(KINDS)
    assert min(kinds.values()) >= 5
    assert len({(it.file, it.old, it.new) for it in MUTANTS}) == len(MUTANTS) >= 80
    assert 20 * sum(bool(it.survives) for it in MUTANTS) <= len(MUTANTS)


@pytest.mark.slow
def test_twelve_mutants_of_the_table_die(tmp_path):
    # given  a sample that changes when a file of the table changes
    chosen = sample([mutant for mutant in MUTANTS if not mutant.survives], 12)
    # when
    found = plant.run(chosen, tmp_path / "results", jobs=2)
    # then
    assert [plant.describe(mutant, result) for mutant, result in found.items() if not result.killed] == []


@pytest.fixture
def small(tmp_path):
    """A repository with one function and two tests."""
    (tmp_path / "x.py").write_text("def add(a, b):\n    return a + b\n", encoding="utf-8")
    tests = ["def test_sum():\n    assert add(1, 2) == 3\n", "def test_zero():\n    assert add(0, 0) == 0\n"]
    (tmp_path / "test_x.py").write_text("\n".join(["from x import add\n", *tests]), encoding="utf-8")
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    return tmp_path


@pytest.mark.slow
def test_a_mutant_is_killed_by_the_test_that_it_names_and_its_file_is_restored(small):
    before = (small / "x.py").read_text(encoding="utf-8")
    assert plant.plant(SUM, small) == Result(True, ("test_x.py::test_sum",))
    assert (small / "x.py").read_text(encoding="utf-8") == before


@pytest.mark.slow
def test_a_mutant_that_its_test_does_not_notice_survives(small):
    blind = Mutant(**{**vars(SUM), "test": "test_x.py::test_zero"})
    assert plant.plant(blind, small) == Result(False, ())
    assert plant.describe(blind, Result(False, ())).startswith("survived x.py: minus (not by test_x.py::test_zero")


@pytest.mark.slow
def test_a_mutant_that_stops_the_run_is_killed_by_the_words_of_the_error(small):
    broken = Mutant("ledger", "x.py", "def add", "def sub", "renamed", "ImportError", run="test_x.py")
    assert not plant.plant(broken, small).killed
    named = Mutant("ledger", "x.py", "def add", "def sub", "renamed", "test_x.py", run="test_x.py")
    assert plant.plant(named, small).killed


@pytest.mark.slow
def test_a_run_goes_on_where_it_was_interrupted(small, capsys):
    results = small / "results"
    assert plant.run([SUM], results, 1, small)[SUM].killed
    with results.open("a", encoding="utf-8") as file:
        file.write('{"digest": "cut o')
    capsys.readouterr()
    assert plant.run([SUM], results, 1, small)[SUM].killed
    assert capsys.readouterr().out == ""
    (small / "x.py").write_text("# another version\ndef add(a, b):\n    return a + b\n", encoding="utf-8")
    plant.run([SUM], results, 1, small)
    assert capsys.readouterr().out == "killed   x.py: minus\n"


def test_results_that_were_cut_off_are_left_out(tmp_path):
    path = tmp_path / "results"
    path.write_text('{"digest": "a", "killed": true, "failed": []}\n{"digest": "b", "kil', encoding="utf-8")
    assert known_results(path) == {"a": Result(True, ())}


@pytest.mark.slow
def test_a_sample_depends_on_the_sources_alone():
    assert sample(MUTANTS, 5) == sample(MUTANTS, 5)
    assert len(set(sample(MUTANTS, 5))) == 5


@pytest.mark.parametrize(
    ("change", "message"),
    [({"old": "4"}, "occurs 0 times"), ({"old": "1"}, "occurs 2 times"), ({"new": "2"}, "changes nothing")],
)
def test_a_mutant_that_cannot_be_planted_is_refused(tmp_path, change, message):
    (tmp_path / "x.py").write_text("1, 1, 2", encoding="utf-8")
    with pytest.raises(TableError, match=message):
        mutated(Mutant(**{**ENTRY, **change}), tmp_path)


def test_an_entry_with_an_unknown_field_is_refused(tmp_path):
    (tmp_path / "table.toml").write_text("[[mutant]]\ncolour = 'red'\n", encoding="utf-8")
    with pytest.raises(TableError, match="colour"):
        read_table(tmp_path / "table.toml")


@pytest.mark.slow
def test_the_program_says_when_a_mutant_survives(tmp_path):
    # given  an entry of the table whose test cannot notice it
    table = tmp_path / "table.toml"
    lines = [
        'kind = "bound"',
        'file = "fixtures/precision.py"',
        'old = "SAFETY = 2.0"',
        'new = "SAFETY = 2.5"',
        'mistake = "a larger safety factor"',
        'test = "fixtures/test_rational.py::test_an_exponential_is_enclosed_to_rounding"',
    ]
    table.write_text("[[mutant]]\n" + "\n".join(lines) + "\n", encoding="utf-8")
    command = [sys.executable, "-m", "mutants.plant", f"--table={table}", f"--results={tmp_path / 'results'}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert "UNEXPECTED survived fixtures/precision.py: a larger safety factor" in done.stdout
    assert done.stdout.splitlines()[-1] == "0 of 1 killed, 1 survived, 1 unexpectedly"
    assert done.returncode == 1
