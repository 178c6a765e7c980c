"""Self-tests: every code block of README and of the pages runs and prints what the page says, or says why not."""

import subprocess
import time

import pytest

from docs.code_blocks import NOT_RUN, ROOT, BlockError, blocks_of, pages, run_blocks
from mutants.plant import copy_sources

PAGES = {page.relative_to(ROOT).as_posix(): page for page in pages()}

WITH_BLOCKS = [name for name, page in PAGES.items() if "```" in page.read_text(encoding="utf-8")]


@pytest.mark.slow
@pytest.mark.parametrize("name", WITH_BLOCKS)
def test_the_blocks_of_a_page_run_and_print_what_it_says(name, tmp_path):
    copy_sources(tmp_path)
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)  # a reader's copy is a repository too
    run_blocks(blocks_of(PAGES[name]), tmp_path)


LEFT_OUT = {
    "CONTRIBUTING.md": ["set-up"],
    "README.md": ["set-up", "ci"],
    "docs/cluster.md": ["slurm", "slurm", "set-up", "slurm"],
    "docs/use.md": ["set-up", "slow"],
    "docs/what-optimizers-are-biased-to.md": ["slow"],
    "docs/your-optimizer.md": ["set-up", "set-up"],
}


def test_the_blocks_that_are_not_run_are_these():
    uses = {name: [block.use for block in blocks_of(page) if block.use in NOT_RUN] for name, page in PAGES.items()}
    assert {name: left_out for name, left_out in uses.items() if left_out} == LEFT_OUT


@pytest.fixture
def outcome(tmp_path):
    """Read and run the blocks of this page; the complaint, or None."""

    def run(text):
        page = tmp_path / "page.md"
        page.write_text(text, encoding="utf-8")
        try:
            run_blocks(blocks_of(page, tmp_path), tmp_path)
        except BlockError as error:
            return str(error)
        return None

    return run


@pytest.mark.parametrize(
    ("page", "complaint"),
    [
        ("```\nls\n```\n", "page.md:1: nobody knows what to do with a block ''"),
        ("```console\nls\n```\n", "page.md:1: nobody knows what to do with a block 'console'"),
        ("```sh later\nls\n```\n", "page.md:1: nobody knows what to do with a block 'sh later'"),
        ("```text\nwords\n```\n", "page.md:1: nobody knows what to do with a block 'text'"),
        ("```sh\nls\n", "page.md: a block is not closed"),
        ("1. first\n   ```sh\n   ls\n   ```\n", "page.md: a block is not closed, is indented"),
        ("~~~sh\nls\n~~~\n", "has another fence"),
        ("> ```sh\n> ls\n> ```\n", "is indented or quoted"),
        ("- ```sh\n  ls\n  ```\n", "is indented or quoted"),
        ("```sh\npip install torch\n```\n", "page.md:1: would change the machine"),
        ("```text output\nwords\n```\n", "page.md:1: is the output of nothing"),
    ],
)
def test_a_block_that_nobody_would_run_is_refused(outcome, page, complaint):
    assert complaint in outcome(page)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("page", "complaint"),
    [
        ("\n```sh\nexit 3\n```\n", "page.md:2: ends with status 3"),
        ("```sh\nfalse\ntrue\n```\n", "page.md:1: ends with status 1"),
        ("```sh\ncat nothing | sort\n```\n", "No such file"),
        ("```sh fails\ntrue\n```\n", "page.md:1: ends with status 1"),
        ("```sh fails\nfalse\nfalse\n```\n", "page.md:1: ends with status 1"),
        ("```sh fails\nfalse || true\n```\n", "page.md:1: ends with status 1"),
        ("```sh fails\npytst -q\n```\n", "command not found"),
        ("```python\n1 / 0\n```\n", "ZeroDivisionError"),
        ("```sh\necho a\n```\n```text output\nb\n```\n", "page.md:4: this is not what the block before prints"),
        ("```sh\necho ab\n```\n```text output\nb\n```\n", "page.md:4: this is not what the block before prints"),
        ("```sh\necho a; echo c\n```\n```text output\na\nb\n```\n", "page.md:4: this is not"),
        ("```python a.py\nab\nc\n```\n```python from a.py\nb\nc\n```\n", "page.md:5: these lines are not in a.py"),
        ("```python from no.py\nb\n```\n", "page.md:1: these lines are not in no.py"),
    ],
)
def test_a_block_that_fails_or_prints_something_else_is_found(outcome, page, complaint):
    assert complaint in outcome(page)


@pytest.mark.slow
def test_blocks_find_what_earlier_ones_wrote_and_output_may_be_left_out(outcome):
    assert outcome("```python a.py\nab\nc\n```\n```python from a.py\nc\n```\n") is None
    written = "```python lines.py\nprint('a\\nb 1 c\\nd')\n```\n"
    assert outcome(written + "```sh\npython lines.py\n```\n```text output\nb ... c\n```\n") is None
    assert outcome("```sh fails\ntrue\npython nothing.py\n```\n```text output\n...can't open...\n```\n") is None
    assert outcome("```sh fails\ntrue && false\n```\n") is None
    assert outcome("```sh gpu\nfalse\n```\n") is None


@pytest.mark.slow
def test_a_block_that_takes_too_long_is_ended_with_all_that_it_started(outcome, monkeypatch, tmp_path):
    monkeypatch.setattr("docs.code_blocks.SECONDS", 0.2)
    assert outcome("```sh\n(sleep 1; touch late); true\n```\n") == "page.md:1: takes more than 0.2 seconds"
    time.sleep(1)
    assert not (tmp_path / "late").exists()


def test_the_pages_are_those_of_the_root_and_of_docs():
    assert {"README.md", "CONTRIBUTING.md", "docs/add-a-claim.md", "docs/cluster.md"} <= set(WITH_BLOCKS)
