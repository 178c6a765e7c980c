"""Self-tests: evidence that crosses processes is plain, and a file is written whole or stays as it was."""

import errno
import json
import os
import types
from concurrent.futures import ThreadPoolExecutor
from enum import StrEnum
from fractions import Fraction

import numpy as np
import pytest

from properties.certificates import observed_by, record_finding, record_series
from properties.statistics.paired import judge, student_interval
from theorems.ledger import writing
from theorems.ledger.plugin import Recorder
from theorems.ledger.writing import as_plain, write_json


class Colour(StrEnum):
    RED = "red"


def types_in(data):
    """The types of the data and of all that they hold."""
    entries = [*data.keys(), *data.values()] if isinstance(data, dict) else data if isinstance(data, list) else []
    return {type(data)}.union(*map(types_in, entries))


def test_numbers_of_numpy_and_subclasses_become_the_types_of_json():
    plain = as_plain({"a": np.float64(0.5), "b": np.int64(2), "c": np.bool_(True), "d": Colour.RED, "e": (1, 2)})
    assert plain == {"a": 0.5, "b": 2, "c": True, "d": "red", "e": [1, 2]}
    assert types_in(plain) == {dict, float, int, bool, str, list}


@pytest.mark.parametrize(("data", "name"), [(Fraction(1, 2), "Fraction"), ({1}, "set"), (np.ones(2), "ndarray")])
def test_what_json_does_not_have_is_refused_by_its_type(data, name):
    with pytest.raises(TypeError, match=f"evidence is plain JSON, and .* is a {name}$"):
        as_plain({"witness": data})


def test_a_real_finding_and_a_real_series_cross_from_one_process_to_another():
    interval = student_interval([1.0, 2.0, 3.0], level=0.9)
    finding = judge(interval, null=0, direction=1)
    where = types.SimpleNamespace(title=Colour.RED, binding=np.bool_(True), printed=False)
    recorder = Recorder()
    with observed_by(recorder):
        record_finding(finding, interval, where=where, trials=np.int64(3), reads="{estimate}")
        record_series("a picture", x=np.arange(3), y=[Fraction(1, 2)] * 3)
        recorder.searched(np.int64(4))
    evidence = as_plain(recorder.as_evidence())
    assert types_in(evidence) <= {dict, list, str, int, float, bool, type(None)}
    assert (evidence["findings"][0]["finding"], evidence["examples"]) == ("reproduced", 4)


def test_a_file_is_json_in_utf_8_of_the_permissions_that_the_umask_leaves(tmp_path):
    target = tmp_path / "new" / "folder" / "ledger.json"
    before = os.umask(0o027)
    try:
        write_json(target, {"witness": "σ of \ud800"})
    finally:
        os.umask(before)
    assert json.loads(target.read_bytes()) == {"witness": "σ of \ud800"}
    assert target.stat().st_mode & 0o777 == 0o640


def test_a_full_disk_leaves_the_file_as_it_was_and_nothing_beside_it(tmp_path, monkeypatch):
    target = tmp_path / "ledger.json"
    write_json(target, {"run": 1})

    def full(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left on device") as error:
        write_json(target, {"run": 2})
    assert error.value.filename == str(target)
    assert json.loads(target.read_bytes()) == {"run": 1}
    assert list(tmp_path.iterdir()) == [target]


def test_links_are_not_followed(tmp_path, monkeypatch):
    victim, target = tmp_path / "victim", tmp_path / "ledger.json"
    victim.write_text("mine", encoding="utf-8")
    target.symlink_to(victim)
    write_json(target, {})
    # then   the link itself is replaced; and one under the name of the temporary file, if that could be foreseen, stops
    assert (target.is_symlink(), json.loads(target.read_bytes())) == (False, {})
    monkeypatch.setattr(writing.uuid, "uuid4", lambda: types.SimpleNamespace(hex="known"))
    (tmp_path / ".ledger.json.known.partial").symlink_to(victim)
    with pytest.raises(FileExistsError):
        write_json(target, {"run": 2})
    assert (victim.read_text(encoding="utf-8"), json.loads(target.read_bytes())) == ("mine", {})


def test_two_names_of_temporary_files_differ(tmp_path, monkeypatch):
    names = []
    monkeypatch.setattr(writing.Path, "replace", lambda partial, _: names.append(partial.name))
    for _ in range(2):
        write_json(tmp_path / "ledger.json", {})
    assert len(set(names)) == 2


@pytest.mark.slow
def test_of_several_writers_a_reader_sees_one_whole(tmp_path):
    target = tmp_path / "ledger.json"
    write_json(target, {"runs": []})
    with ThreadPoolExecutor(2) as pool:
        writers = [pool.submit(write_json, target, {"runs": [run] * 5_000}) for run in range(10)]
        seen = [json.loads(target.read_bytes())["runs"] for _ in range(30)]
    assert [writer.result() for writer in writers] == [None] * 10
    assert {len(set(runs)) for runs in seen} <= {0, 1}
    assert {len(runs) for runs in seen} <= {0, 5_000}
    assert list(tmp_path.iterdir()) == [target]
