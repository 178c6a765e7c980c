"""Self-tests: without what only POSIX has, every test is collected, and a theorem runs to its verdict."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]

# Libraries ask at import what the system has, and this one has POSIX: they are loaded before it is taken away.
WITHOUT_POSIX = """
import os, signal, sys
import pytest

class WithoutPosix:
    @pytest.hookimpl(tryfirst=True)
    def pytest_load_initial_conftests(self):
        import numpy, scipy.optimize, sklearn.linear_model, torch
        for module in ("fcntl", "grp", "pwd", "resource", "termios"):
            sys.modules[module] = None
        for name in (
            "O_DIRECTORY", "fork", "forkpty", "geteuid", "getloadavg", "getuid", "killpg", "register_at_fork",
            "sched_getaffinity", "setsid", "sysconf", "uname",
        ):
            delattr(os, name)
        for name in ("SIGCHLD", "SIGHUP", "SIGKILL", "SIGUSR1", "SIGUSR2", "pause"):
            delattr(signal, name)

sys.exit(pytest.main(sys.argv[1:], plugins=[WithoutPosix()]))
"""


def run_without_posix(*arguments):
    command = (sys.executable, "-c", WITHOUT_POSIX, "-p", "no:cacheprovider", "-q", *map(str, arguments))
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=240)


@pytest.mark.skipif(sys.platform != "linux", reason="takes away what Linux has")
def test_a_theorem_holds_without_posix(tmp_path):
    (theorem,) = (ROOT / "theorems").glob("section_03_*/*theorem_3_1_*")
    run = run_without_posix("-m", "fast", f"--ledger={tmp_path}", theorem)
    assert run.returncode == 0, run.stdout + run.stderr
    claims = json.loads((tmp_path / "ledger.json").read_text(encoding="utf-8"))["claims"]
    assert [claim["verdict"] for claim in claims if claim["label"] == "Theorem 3.1"] == ["holds"]


@pytest.mark.skipif(sys.platform != "linux", reason="takes away what Linux has")
def test_every_test_is_collected_without_posix():
    run = run_without_posix("--collect-only")
    assert run.returncode == 0, run.stdout[-3000:] + run.stderr
