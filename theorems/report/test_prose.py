"""Self-tests: a text becomes Markdown that shows its words, formulas and code, and nothing of its own making."""

import pytest

from theorems.report.formulas import FormulaError
from theorems.report.prose import code, escaped, marked


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (r"the norm $\|w\|_2$ of `w_0`", r"the norm $`\|w\|_2`$ of `w_0`"),
        ("$a_1$ and $b_2$ and $x < 1$", "$`a_1`$ and $`b_2`$ and $`x < 1`$"),
        ("a_1 * b_2 | <b>", r"a\_1 \* b\_2 \| \<b\>"),
        ("one $x$\ntwo.\nthree", "one $`x`$. two. three"),
    ],
)
def test_formulas_and_code_are_kept_and_plain_words_escaped(text, shown):
    assert marked(text) == shown


def test_a_lone_dollar_sign_is_refused():
    with pytest.raises(FormulaError, match="no partner"):
        marked("it costs $5")


@pytest.mark.parametrize("sign", list(r"\`*_[]<>|~$&"))
def test_no_sign_of_markdown_is_left_bare_in_plain_words(sign):
    assert escaped(f"a{sign}b") == f"a\\{sign}b"


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("x=<img src=1>, |w|*2", "`x=<img src=1>, |w|*2`"),
        ("a `b` c", "``a `b` c``"),
        ("`b", "`` `b ``"),
        ("one\n two", "`one two`"),
    ],
)
def test_code_shows_its_words_as_they_are(words, shown):
    assert code(words) == shown
