"""Self-tests: the page shows every claim, part and test of a ledger, escaped, with links that lead somewhere."""

import html
import itertools
import re
from collections import Counter

import pytest

from theorems.ledger import ledger
from theorems.ledger.document import as_document
from theorems.ledger.plugin import CLAIMS
from theorems.report.anchors import anchor_of
from theorems.report.figures.drawing import Drawn
from theorems.report.small_ledger import small_document


def a_figure(name, test):
    place = f"theorems/section_03_linear_models/test_refuted.py::{test}"
    return Drawn(name, place, title="It falls", alt="A curve", svg="<svg></svg>", labels=())


def anchors(page):
    return re.findall(r'\sid="([^"]+)"', page)


def about(page, anchor):
    """The text of a claim: a formula is a word, and what stands in a line of its own is apart."""
    block = page.partition(f'aria-labelledby="{anchor}">')[2].partition("</article>")[0]
    lines = re.sub(r"<(?!/?(?:m|span|small|strong|code|wbr))[^>]*>", " ", block)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", "", lines)).split())


@pytest.mark.slow
def test_markup_in_a_witness_is_escaped(root, render):
    page = render(small_document(root, witness="x=<script>alert(1)</script> & 1: risk 2 > bound 1"))
    assert "<script" not in page
    assert "x=&lt;script&gt;alert(1)&lt;/script&gt; &amp; 1" in page


@pytest.mark.slow
def test_every_claim_and_every_part_has_a_permalink(document, render):
    places = [
        (claim["label"], part["part"])
        for claim in document["claims"]
        for part in [{"part": None}, *claim["statements"]]
    ]
    page = render(document)
    assert len(places) == 7
    assert [place for place in places if f'href="#{anchor_of(*place)}"' not in page] == []


@pytest.mark.slow
def test_anchors_are_unique_and_every_link_within_the_page_leads_to_one(document, render):
    page = render(document)
    assert [anchor for anchor, count in Counter(anchors(page)).items() if count > 1] == []
    assert set(re.findall(r'href="#([^"]+)"', page)) <= set(anchors(page))


@pytest.mark.slow
def test_the_page_is_the_same_every_time_and_at_any_speed(root, render):
    again = small_document(root)
    for claim in again["claims"]:
        for item in claim["evidence"]:
            item["seconds"] = 9.0
    assert render(small_document(root)) == render(again)


def test_the_page_needs_nothing_else(document, render):
    page = render(document)
    assert re.findall(r"<(?:script|link|img|iframe|object|embed)\b|@import|url\(|\bon\w+=", page) == []
    assert re.findall(r'href="(?:https?:)?//', page) == []


def test_no_heading_skips_a_level(document, render):
    levels = [int(level) for level in re.findall(r"<h(\d)", render(document))]
    assert [pair for pair in itertools.pairwise(levels) if pair[1] > pair[0] + 1] == []
    assert (levels[0], levels.count(1)) == (1, 1)


def test_a_refuted_claim_shows_what_is_true_and_where_the_print_fails(document, render):
    told = about(render(document), "theorem-3-3")
    assert "✗ refuted corrected" in told
    assert "Not the printed statement. Instead: C1 x≤y+1. What differs. It is weaker." in told
    assert "For n=1 the risk is 5/2, and the bound 1/3. n=1, x=[[1, 2]]: risk 5/2 (= 2.5) > bound 1/3 (≈ 0.333)" in told


def test_a_reading_that_does_not_decide_is_shown_as_such(document, render):
    told = about(render(document), "theorem-3-3")
    assert "Other readings, which do not decide ✗ refuted strict: x<y." in told


def a_measured_statement(document, verdict, first, other):
    """Makes Theorem 3.3 a measurement whose first reading finds this, and the other one that."""
    [claim] = (claim for claim in document["claims"] if claim["label"] == "Theorem 3.3")
    finding = {
        "finding": first,
        "reads": "rho = 0.5",
        "setting": "digits",
        "printed": False,
        "trials": 6,
        "level": 0.95,
    }
    [statement] = claim["statements"]
    statement |= {"is_empirical": True, "verdict": verdict, "findings": [finding | {"binding": True}]}
    statement["readings"][0] |= {"verdict": other}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("first", "other", "told"),
    [
        (
            "not reproduced",
            "inconclusive",
            "readings that the print admits disagree. What the first one finds stands here",
        ),
        (
            "reproduced",
            "not reproduced",
            "readings that the print admits disagree. What the first one finds stands here",
        ),
        ("inconclusive", "inconclusive", "the measurement leaves it open."),
        ("inconclusive", "reproduced", "the measurement leaves it open."),
    ],
)
def test_what_is_inconclusive_says_whether_the_readings_or_the_measurement_leave_it_open(
    document, render, first, other, told
):
    a_measured_statement(document, "inconclusive", first, other)
    assert f"Undecided: {told}" in about(render(document), "theorem-3-3")


def test_of_readings_that_are_measured_none_is_said_to_decide(document, render):
    a_measured_statement(document, "reproduced", "reproduced", "reproduced")
    document["claims"][1]["statements"][0]["fields"]["Reading"] = "As it is"
    told = about(render(document), "theorem-3-3")
    assert "The first reading As it is." in told
    assert "reading that decides" not in told


def test_a_line_that_another_line_says_too_is_left_out(document, render):
    document["claims"][0]["fields"]["Setting"] = "$X$ is full.\n$X$ is full; $y$ is not\n$X$ is full; $y$ is not."
    told = about(render(document), "theorem-3-1")
    assert "Setting X is full; y is not." in told


def test_a_hypothesis_stands_beside_what_happens_without_it(document, render):
    told = about(render(document), "theorem-4-1")
    assert "The printed conclusion, if H1, H2 hold: H1 a>0. H2 b>0." in told
    assert "Name Without it H1 Without H1. H2 Without H2." in told


def test_what_else_is_true_stands_after_the_hypotheses(document, render):
    [statement] = (part for claim in document["claims"] for part in claim["statements"] if part["hypotheses"])
    statement["clauses"] = [{"label": "C1", "text": "$a + b > 0$"}]
    assert "H1 a>0. H2 b>0. Besides: C1 a+b>0." in about(render(document), "theorem-4-1")


def test_a_test_has_its_instances_its_ratio_its_source_and_its_place(document, render):
    told = about(render(document), "theorem-3-1")
    assert "One. 7 instances 0.75 Certifies Worst ratio the error 0.75 @as_printed def test_one():" in told
    link = re.search(r'href="([^"]+test_holds.py#L\d+)"', render(document))[1]
    assert re.fullmatch(r"\.\./theorems/section_03_linear_models/test_holds.py#L\d+", link)


def test_a_figure_stands_with_the_reading_of_its_test(document, render):
    drawn = [a_figure("decides", "test_pinned"), a_figure("other", "test_strictly_pinned")]
    before, _, after = render(document, drawn).partition("Other readings, which do not decide")
    assert ("figure-decides" in before, "figure-other" in before) == (True, False)
    assert ("figure-decides" in after, "figure-other" in after) == (False, True)


def test_a_claim_that_was_not_run_says_why(root, render):
    page = render(small_document(root, runs=lambda test: "section_03" in test.path))
    assert "– not run" in about(page, "theorem-4-1")
    assert "Not judged in this run. Reason: not selected." in about(page, "theorem-4-1")
    assert "✓ holds" in about(page, "theorem-3-1")


def test_a_test_that_failed_is_named(root, render):
    document = small_document(root)
    document["claims"][0] |= {"verdict": "broken", "failures": ["test_one"]}
    document["claims"][0]["statements"][0]["verdict"] = "broken"
    assert "! broken" in about(render(document), "theorem-3-1")
    assert "Failed: test_one" in about(render(document), "theorem-3-1")


@pytest.mark.slow
@pytest.mark.parametrize(
    "change", [lambda text: f"#\n{text}", lambda text: text.replace("import pytest\n", ""), lambda text: f"({text}"]
)
def test_a_source_that_has_moved_since_the_run_is_not_shown(document, root, render, change):
    file = root / "theorems" / "section_03_linear_models" / "test_holds.py"
    file.write_text(change(file.read_text(encoding="utf-8")), encoding="utf-8")
    assert about(render(document), "theorem-3-1").count("The file has changed since this run.") == 2


@pytest.mark.slow
def test_every_claim_of_the_paper_has_its_place_in_order(pytestconfig):
    pytest.importorskip("jinja2", reason="the page needs the extra report")
    from theorems.report.page import as_page

    entries = ledger.build(pytestconfig.stash[CLAIMS], [])
    root = pytestconfig.rootpath
    document = as_document(entries, profile="fast", seed=None, environment={}, root=root)
    found = anchors(as_page(document, root, root))
    assert [anchor for anchor, count in Counter(found).items() if count > 1] == []
    expected = [anchor_of(stated.claim.label) for stated in pytestconfig.stash[CLAIMS]]
    assert [anchor for anchor in found if anchor in set(expected)] == expected
