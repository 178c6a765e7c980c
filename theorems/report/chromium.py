"""A Chromium without a screen for self-tests of the page: the one on PATH, or Debian's, unpacked into a cache folder.

Nothing is installed, and any user may run it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from fixtures.debian import NoPackagesError, library_path, unpack

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-sync")
"""The flags that a test adds to those of Playwright, which starts a browser with an empty profile and no updates."""


class NoChromiumError(RuntimeError):
    """Chromium cannot run on this machine. The message is one line with the reason."""


@dataclasses.dataclass(frozen=True)
class Chromium:
    """A program, and the environment variables with which it finds its libraries."""

    program: str
    environment: dict[str, str]


def find_chromium(cache: Path | None = None) -> Chromium:
    """The Chromium on PATH, or Debian's, which is unpacked once and found again.

    cache: the folder for it; without one, `whichmin/chromium` in the user's folder for caches. Raises NoChromiumError.
    """
    if found := next(filter(None, map(shutil.which, PROGRAMS)), None):
        return Chromium(found, dict(os.environ))
    folder = cache or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "whichmin" / "chromium"
    if not folder.exists():
        _unpack(folder)
    program = str(folder / "usr" / "lib" / "chromium" / "chromium")
    found = Chromium(program, os.environ | {"LD_LIBRARY_PATH": library_path(folder)})
    try:
        subprocess.run((program, "--version"), env=found.environment, check=True, capture_output=True, timeout=60)
    except (OSError, subprocess.SubprocessError) as error:
        raise NoChromiumError(f"{program} does not start ({error}): remove {folder}") from None
    return found


def _unpack(folder: Path) -> None:
    """Unpack Chromium beside the folder and move it there at the end, since several runs may do so at once."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".chromium-") as beside:
            root = unpack(Path(beside), "chromium")
            with contextlib.suppress(OSError):  # another run was first
                root.rename(folder)
    except NoPackagesError as reason:
        raise NoChromiumError(f"Chromium is not on PATH, and {reason}") from None
    except OSError as error:
        raise NoChromiumError(f"Chromium cannot be unpacked into {folder} ({error.strerror})") from None
