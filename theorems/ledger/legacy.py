"""The layout before folders: one docstring with the field Parts. To be removed with the last such file."""

from __future__ import annotations

import re

from theorems.ledger.claims import Page

DROPPED = ("Parts", "Kind", "Readings", "Reason", "Differs")


def legacy_pages(page: Page) -> list[Page]:
    """A page for each part."""
    pages = []
    fields = page.fields
    kind = re.fullmatch(r"observation((?:,? \([a-z]\))*): .+", " ".join(fields.get("Kind", "").split()))
    for line in fields["Parts"].splitlines():
        label, name, verdict = re.fullmatch(r"(\([a-z]\)) (.+) - ([a-z ]+)", line.strip()).groups()
        mine = {key: text for key, text in fields.items() if key not in DROPPED}
        mine["Expected"] = verdict
        if "Reason" in fields and verdict == "not testable":
            mine["Reason"] = fields["Reason"]
        if label in fields.get("Differs", ""):
            mine["Differs"] = fields["Differs"]
        if kind and (not kind[1] or label in kind[1]):
            mine["Kind"] = "observation: words"
        entries = re.split(r"\n(?=(?:\([a-z]\) )?\[)", fields.get("Readings", ""))
        entries = [entry for entry in entries if entry.startswith(label)]
        if entries:
            mine["Readings"] = "\n".join(entry.removeprefix(f"{label} ") for entry in entries)
        pages.append(Page(page.file, page.label, label, name, mine))
    return pages
