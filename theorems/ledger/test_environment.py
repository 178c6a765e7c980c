"""Self-tests: what a run refuses to start on."""

import pytest

from theorems.ledger.environment import check_example_database, check_torch, describe_environment


def test_this_environment_is_sound():
    assert check_torch() is None
    assert describe_environment()["device"] == "cpu"


@pytest.mark.parametrize(
    ("version", "complaint"),
    [("2.10.0+cu130", "torch 2.10.0+cu130 is too old, 2.11 or later is needed"), ("missing", "torch is not installed")],
)
def test_a_torch_that_is_old_or_missing_is_one_line_with_the_remedy(version, complaint):
    problem = check_torch(version)
    assert complaint in problem
    assert problem.endswith("pip install -c constraints.txt torch")
    assert "\n" not in problem


def test_later_torch_is_accepted():
    assert check_torch("2.11.0+cu130") is None
    assert check_torch("3.0.1") is None


def test_a_folder_of_examples_is_accepted(tmp_path):
    (tmp_path / "examples").mkdir()
    assert check_example_database(tmp_path) is None
    assert check_example_database(tmp_path / "absent") is None


def test_a_file_in_place_of_the_database_is_named(tmp_path):
    (tmp_path / ".hypothesis").write_text("", encoding="utf-8")
    assert "is not a folder" in check_example_database(tmp_path / ".hypothesis")
