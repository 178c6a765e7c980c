"""Self-tests: Chromium is found on PATH or in its folder, and one line says why there is none."""

import shutil

import pytest

from theorems.report.chromium import NoChromiumError, find_chromium


def test_the_one_on_path_is_taken(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "which", {"google-chrome": "/opt/chrome"}.get)
    assert find_chromium(tmp_path / "cache").program == "/opt/chrome"
    assert not (tmp_path / "cache").exists()


def test_where_no_package_can_be_unpacked_one_line_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(NoChromiumError, match=r"^Chromium is not on PATH, and this is not a Debian whose packages"):
        find_chromium(tmp_path / "cache")
    assert list(tmp_path.iterdir()) == []


def test_an_unpacked_one_that_does_not_start_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(NoChromiumError, match=rf"chromium does not start \(.*\): remove {tmp_path}"):
        find_chromium(tmp_path)


def test_an_unpacked_one_is_started_with_its_own_libraries(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda _: None)
    program = tmp_path / "usr" / "lib" / "chromium" / "chromium"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\n", encoding="utf-8")
    program.chmod(0o755)
    (program.parent / "libnss.so.1").touch()
    found = find_chromium(tmp_path)
    assert found.program == str(program)
    assert found.environment["LD_LIBRARY_PATH"].split(":")[0] == str(program.parent)
