"""Self-tests in a browser: the page opens from a file, needs nothing, fits a phone, prints, and is accessible.

Chromium has no screen here. Where it is not on PATH, Debian's package is unpacked.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from theorems.report.chromium import FLAGS, NoChromiumError, find_chromium
from theorems.report.write import missing_packages, write_pages

ROOT = Path(__file__).parents[2]
COMMITTED = ROOT / "docs" / "ledger" / "index.html"
PACKAGES = ("axe_playwright_python", "playwright")
CLAIMS = ("Theorem 3.3", "Section 4.1: gradient flow equations", "Theorem 7.2", "Experiment 2")
"""A refuted claim with another reading, wide formulas, a vacuous claim of parts, and an experiment with readings."""
PHONE = {"width": 375, "height": 700}

# A busy machine downloads and starts a browser slowly: this limit is there to end a hang only.
pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]


def lacks(reason):
    """End here: where CI is set a browser is a must, and elsewhere a reason to skip."""
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="module")
def browser():
    absent = [name for name in PACKAGES if importlib.util.find_spec(name) is None]
    if absent or missing_packages():
        lacks(f"{', '.join(absent + missing_packages())} not installed: pip install -e '.[report,browser]'")
    from playwright.sync_api import sync_playwright

    try:
        chromium = find_chromium()
    except NoChromiumError as reason:
        lacks(str(reason))
    with sync_playwright() as playwright:
        program = playwright.chromium.launch(
            executable_path=chromium.program, env=chromium.environment, args=list(FLAGS), headless=True
        )
        yield program
        program.close()


@pytest.fixture(scope="module")
def narrow(tmp_path_factory):
    """The page of a run of a few claims, without the claims that were not selected."""
    out = tmp_path_factory.mktemp("page")
    options = [f"--claim={label}" for label in CLAIMS]
    command = [sys.executable, "-m", "pytest", "-q", "-m", "fast", f"--ledger={out}", "-p", "no:cacheprovider"]
    ended = subprocess.run([*command, *options], cwd=ROOT, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout[-2000:]
    document = json.loads((out / "ledger.json").read_text(encoding="utf-8"))
    document["claims"] = [claim for claim in document["claims"] if claim["evidence"]]
    write_pages(document, ROOT, out)
    return out / "index.html"


@pytest.fixture(scope="module", params=["narrow", "committed"])
def address(request):
    """The page of a narrow run, and the one of a full run that is committed."""
    if request.param == "committed" and not COMMITTED.exists():
        pytest.skip(f"there is no {COMMITTED.relative_to(ROOT)}")
    return (COMMITTED if request.param == "committed" else request.getfixturevalue("narrow")).as_uri()


@pytest.fixture
def told():
    """What the browser has complained of, and which addresses it has asked for."""
    return {"complaints": [], "requests": []}


@pytest.fixture
def page(browser, address, told):
    """The page, open in a window of its own."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    window = context.new_page()
    window.on("console", lambda message: told["complaints"].append(message.text))
    window.on("pageerror", lambda error: told["complaints"].append(str(error)))
    window.on("request", lambda request: told["requests"].append(request.url))
    window.goto(address)
    yield window
    context.close()


def open_all(page, within="details"):
    page.evaluate(f"document.querySelectorAll('{within}').forEach(details => {{ details.open = true }})")


def test_it_opens_from_a_file_without_a_complaint_and_asks_for_nothing_else(page, address, told):
    open_all(page)
    page.wait_for_load_state("networkidle")
    assert page.title().startswith("whichmin")
    assert told == {"complaints": [], "requests": [address]}


def test_every_details_opens_by_the_keyboard_and_shows_something(page):
    closed = page.locator("main details:not([open]) > summary:visible")
    for _ in range(3):
        closed.first.focus()
        page.keyboard.press("Enter")
    assert page.locator("main details[open]").count() == 3
    open_all(page)
    empty = "[...document.querySelectorAll('details')].filter(e => e.lastElementChild.offsetHeight == 0).length"
    assert page.evaluate(empty) == 0


def test_a_link_to_a_test_opens_it(page):
    anchor = page.locator(".hypotheses a").first.get_attribute("href")
    page.locator(".hypotheses a").first.click()
    page.wait_for_function("a => document.getElementById(a).checkVisibility()", arg=anchor.removeprefix("#"))
    assert page.locator(f"[id='{anchor.removeprefix('#')}'] pre").is_visible()


def test_a_phone_shows_it_without_scrolling_sideways(page):
    page.set_viewport_size(PHONE)
    open_all(page)
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]


def test_the_table_of_claims_fits_a_screen(page):
    page.set_viewport_size({"width": 1366, "height": 768})
    assert page.locator(".glance").bounding_box()["height"] <= 768


def test_it_prints_with_the_evidence_open_and_the_sources_closed(page, tmp_path):
    page.pdf(path=tmp_path / "page.pdf")
    data = (tmp_path / "page.pdf").read_bytes()
    assert data.startswith(b"%PDF-")
    assert len(re.findall(rb"/Type\s*/Page\b", data)) >= 3
    page.emulate_media(media="print")
    assert page.locator(".evidence .sentence").first.is_visible()
    assert not page.locator(".evidence pre").first.is_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_violation(page, scheme):
    from axe_playwright_python.sync_playwright import Axe

    page.emulate_media(color_scheme=scheme)
    open_all(page, "header details, .chapter:nth-of-type(2) details")
    # A formula becomes its text: axe would take minutes for the parts of formulas, which have no colors of their own.
    page.evaluate("document.querySelectorAll('math').forEach(math => math.replaceWith(math.textContent))")
    found = Axe().run(page).response
    wrong = [f"{rule['id']}: {node['html'][:200]}" for rule in found["violations"] for node in rule["nodes"]]
    assert wrong == []
    assert len(found["passes"]) > 20
