"""Evidence: what one executed test of a claim has shown."""

from __future__ import annotations

import dataclasses
from typing import Any


@dataclasses.dataclass
class Evidence:
    """One executed test of a claim: its role, its outcome, its instances, and its largest ratio of error to bound.

    part, reading: what it is about; no reading means the one that decides. clauses: those of the corrected statement.
    hypothesis: the labels that the test names. kept: those that a necessity test asserted of its instance.
    promised: the instances that a generated test must try at least. batch: the instances of its largest example.
    slacks: of its equalities up to rounding, by their words, the largest slack as a share of what is compared.
    certificates: the largest ratios by the words of the certificates; 0 for those that have none to compare.
    inequalities: the words of those that are inequalities. suppressed: an assertion that failed in it. exact: whether a
    witness was recorded whose two sides are rational. searched: whether a directed search found one. cases: how many
    parameter sets its function has in all. series: the data of its pictures by title. findings: what it measured, as
    `properties.certificates.record_finding` has them.
    """

    test: str
    role: str
    part: str | None
    reading: str | None
    outcome: str
    examples: int
    promised: int
    certificates: dict[str, float]
    inequalities: list[str]
    suppressed: list[str]
    slacks: dict[str, float]
    batch: int
    is_batched: bool
    worst_ratio: float | None
    hypothesis: str | None
    clauses: str | None
    witness: str | None
    exact: bool
    kept: list[str]
    searched: bool
    cases: int
    series: dict[str, dict[str, list[float]]]
    findings: list[dict[str, Any]]
    seconds: float

    @property
    def function(self) -> str:
        """The name of the test function, without parameters."""
        return self.test.partition("::")[2].partition("[")[0]

    @property
    def place(self) -> tuple[str, str]:
        """The file and the test function: two files of a claim may have functions of one name."""
        return self.test.partition("::")[0], self.function
