r"""Self-tests: every formula of a docstring stands between dollar signs, and converts to MathML."""

import re

import pytest

pytest.importorskip("latex2mathml", reason="formulas become MathML with the extra report")

from theorems.ledger.claims import FIELDS
from theorems.ledger.verdicts import Role
from theorems.report.formulas import FormulaError, as_html, as_mathml, pieces

GREEK = (
    r"alpha|beta|gamma|delta|epsilon|zeta|eta|theta|iota|kappa|lambda|mu|nu|xi|pi|rho|sigma|tau|phi|chi|psi|omega"
    r"|Gamma|Delta|Theta|Lambda|Xi|Pi|Sigma|Phi|Psi|Omega"
)
UNMARKED = re.compile(
    r"[\\^<>=|]|(?<=\w)_|_(?=\w)|\b(?:sqrt|log|exp|max|min|tr|rank|diag|cond)\(|(?<![\w'])[b-zB-HJ-Z](?![\w'.])"
    rf"|\b(?:{GREEK})\b|\b[A-Za-z]'(?!s\b)|\b[A-Z]{{2}}'|\d[a-z]\b|\b[a-z]\d\b"
)
"""What looks like mathematics: signs, functions, single letters, Greek names, transposes, products."""

UNCHECKED = ("Section", "Source", "Expected")
"""Fields without formulas: places, citations, verdicts."""


def unmarked(text):
    """What stands outside of dollar signs and backquotes and looks like mathematics, each with its neighborhood."""
    plain = "".join(words if kind == "text" else "~" for kind, words in pieces(text))
    plain = re.sub(r"\((?:[a-z]|[HC]\d+|[AB])\)|\b[HC]\d+\b|\bl[12]\b", "~", plain)
    return [plain[max(0, match.start() - 25) : match.end() + 25] for match in UNMARKED.finditer(plain)]


def texts(stated):
    """Every text of a claim that the page shows with its formulas, under the file or folder it comes from."""
    claim = stated.claim
    for fields in (claim.fields, *(statement.fields for statement in claim.statements)):
        yield from ((name, text) for name, text in fields.items() if name not in UNCHECKED)
    told = (test for test in stated.tests if test.role is Role.COUNTEREXAMPLE and test.docstring)
    yield from ((test.name, test.docstring) for test in told)


@pytest.mark.slow
def test_every_formula_stands_between_dollar_signs_and_converts(stated_claims):
    wrong = []
    for stated in stated_claims:
        for name, text in texts(stated):
            try:
                as_html(text)
                wrong += [f"{stated.path}: {name}: {found}" for found in unmarked(text)]
            except FormulaError as error:
                wrong.append(f"{stated.path}: {name}: {error}")
    assert wrong == []


@pytest.mark.parametrize(
    "text",
    ["0 < x", "the step eta is small", "X'X has rank 2", "w_0 is zero", "2n samples", "n samples", "sqrt(2)", r"\rho"],
)
def test_mathematics_outside_of_dollar_signs_is_found(text):
    assert unmarked(text)


@pytest.mark.parametrize(
    "text",
    ["$0 < x$", "a step of `eta`", "A limit, and I say so", "part (b) under (H1) and C2", "descent's limit", "l1 norm"],
)
def test_words_labels_and_code_are_no_mathematics(text):
    assert unmarked(text) == []


@pytest.mark.parametrize("formula", [r"\foo", r"a \foo{b}", r"\begin{cases}1"])
def test_a_command_that_latex2mathml_does_not_know_is_refused(formula):
    with pytest.raises(FormulaError, match="does not convert"):
        as_mathml(formula)


def test_bars_signs_slashes_and_names_stand_as_in_print():
    bar = '<mo fence="false" stretchy="false" lspace="0" rspace="0">&#x0007C;</mo>'
    assert as_mathml("|x| + y").count(bar) == 2
    assert as_mathml("(-1, -2) = -3").count('<mo form="prefix">&#x02212;</mo>') == 3
    assert 'form="prefix"' not in as_mathml("a - b")
    assert '<mo lspace="0" rspace="0">tr</mo>' in as_mathml(r"\operatorname{tr}(A)/n")
    assert '<mo rspace="0">tr</mo>' in as_mathml(r"a \operatorname{tr}(A)")
    assert '<mo lspace="0">tr</mo>' in as_mathml(r"\langle \operatorname{tr} A \rangle")
    assert "<mo>tr</mo>" in as_mathml(r"a \operatorname{tr} A")
    assert '<mo lspace="0" rspace="0">&#x0002F;</mo>' in as_mathml(r"\operatorname{tr}(A)/n")


def test_a_lone_dollar_sign_is_refused():
    with pytest.raises(FormulaError, match="no partner"):
        as_html("it costs $5")


def test_markup_in_a_text_is_escaped():
    assert as_html("<b> & `<i>`") == "&lt;b&gt; &amp; <code>&lt;i&gt;</code>"


def test_the_fields_that_are_left_out_exist():
    assert set(UNCHECKED) < set(FIELDS)
