"""A small ledger for the self-tests of the pages, made without a run."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from theorems.ledger import ledger
from theorems.ledger.document import as_document
from theorems.ledger.evidence import Evidence
from theorems.ledger.registry import PromisedTest, scan
from theorems.ledger.small_theory import (
    AS_PRINTED,
    CORRECTED,
    NECESSARY,
    PINNED,
    SEARCHED,
    read_as,
    write_claim,
    write_folder,
)
from theorems.ledger.verdicts import Role

WITNESS = "n=1, x=[[1, 2]]: risk 5/2 > bound 1/3"
WORKED = PINNED.replace("():\n", '():\n    r"""For $n = 1$ the risk is $5/2$, and the bound $1/3$."""\n')


def write_small_theory(root: Path) -> None:
    """Write three claims: Theorem 3.1 holds, 3.3 is refuted and read in another way too, 4.1 has two parts."""
    linear, deep = (root / "theorems" / name for name in ("section_03_linear_models", "section_04_deep_networks"))
    linear.mkdir(parents=True)
    deep.mkdir()
    write_claim(linear, "holds", AS_PRINTED)
    strict = read_as("strict", PINNED.replace("test_", "test_strictly_") + SEARCHED.replace("test_", "test_strictly_"))
    write_claim(
        linear,
        "refuted",
        WORKED + SEARCHED + CORRECTED + strict,
        label="Theorem 3.3",
        expected="refuted",
        Readings="[strict] $x < y$ - refuted",
        Corrected=r"(C1) $x \le y + 1$",
        Differs="It is weaker.",
    )
    added = {"Hypotheses": "(H1) $a > 0$ (H2) $b > 0$", "Expected": "holds under added hypotheses"}
    parts = {"a": (AS_PRINTED, {"Expected": "holds"}), "b": (PINNED + SEARCHED + NECESSARY, added)}
    write_folder(deep, parts, label="Theorem 4.1")


def evidence_of(test: PromisedTest, *, part: str | None, witness: str = WITNESS, ratio: float = 0.75) -> Evidence:
    """What a test that passed has shown, with this witness if it is a counterexample."""
    refutes = test.role is Role.COUNTEREXAMPLE
    hypotheses = [label for label in test.labels if label.startswith("H")]
    return Evidence(
        test=f"{test.path}::{test.name}",
        role=test.role,
        part=part,
        reading=test.reading,
        outcome="passed",
        examples=7,
        promised=0,
        certificates={"risk {value} > bound {limit}": ratio} if refutes else {"the error": ratio},
        inequalities=[],
        suppressed=[],
        slacks={},
        batch=0,
        is_batched=False,
        worst_ratio=ratio,
        hypothesis=", ".join(hypotheses) or None,
        clauses=", ".join(label for label in test.labels if label.startswith("C")) or None,
        witness=witness if refutes else None,
        exact=refutes,
        kept=[label for label in ("H1", "H2") if label not in hypotheses] if test.role is Role.NECESSITY else [],
        searched=refutes and test.name.endswith("searched"),
        cases=1,
        series={},
        findings=[],
        seconds=0.001,
    )


def small_document(
    root: Path, *, witness: str = WITNESS, runs: Callable[[PromisedTest], bool] = lambda _: True
) -> dict[str, Any]:
    """The ledger of the small theory. runs: whether a test is run."""
    claims = scan(root)
    evidence: Iterable[Evidence] = (
        evidence_of(test, part=test.part, witness=witness) for stated in claims for test in stated.tests if runs(test)
    )
    return as_document(
        ledger.build(claims, evidence), profile="fast", seed=None, environment={"python": "3.11"}, root=root
    )
