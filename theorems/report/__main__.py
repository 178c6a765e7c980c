"""Make the pages of a ledger again: `python -m theorems.report LEDGER.json DIR`, from the root of the checkout.

The sources and the figures on the page are those of this checkout; the verdicts and the numbers are those of the run.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from theorems.ledger.document import SCHEMA
from theorems.ledger.writing import read_json, write_json
from theorems.report.write import cause, missing_packages, unwritten, write_pages

ROOT = Path(__file__).parents[2]


class LedgerError(ValueError):
    """A file that is no ledger of this schema; the message is one line."""


def read_ledger(file: Path) -> dict[str, Any]:
    """The ledger in a file. Raises LedgerError for what is no ledger of this schema, and OSError."""
    try:
        document = read_json(file)
    except ValueError:
        raise LedgerError(f"{file} is no JSON in UTF-8") from None
    schema = document.get("schema") if isinstance(document, dict) else None
    if schema != SCHEMA:
        told = "has no schema" if schema is None else f"has schema {schema!r}"
        raise LedgerError(f"{file} {told}, and the pages are made of schema {SCHEMA}: run pytest with --ledger again")
    return document


def main(arguments: list[str] | None = None) -> None:
    """Write `index.html`, `ledger.md`, `errata.md`, the figures and a copy of the ledger into a folder."""
    parser = argparse.ArgumentParser(prog="python -m theorems.report", description=__doc__.splitlines()[0])
    parser.add_argument("ledger", type=Path, help="a ledger.json that pytest --ledger=DIR has written")
    parser.add_argument("directory", type=Path, help="the folder for the pages")
    asked = parser.parse_args(arguments)
    if missing := missing_packages():
        sys.exit(unwritten(missing))
    try:
        document = read_ledger(asked.ledger)
        names = write_pages(document, ROOT, asked.directory)
        write_json(asked.directory / "ledger.json", document)
    except LedgerError as error:
        sys.exit(str(error))
    except OSError as error:
        sys.exit(f"{error.filename or asked.directory}: {error.strerror}")
    except Exception as error:  # a damaged ledger, or one of other sources, can fail anywhere
        sys.exit(f"no pages of {asked.ledger} ({cause(error)})")
    print(f"{len(names)} files written to {asked.directory}")


if __name__ == "__main__":
    main()
