"""The answers of one optimizer to all questions: asked from Python, shown as a table, kept as JSON."""

from __future__ import annotations

import dataclasses
import functools
import platform
from collections.abc import Callable, Iterable, Mapping
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from probes.profiles.answers import Answer, Question, Status
from probes.profiles.questions import all_questions, ask
from probes.profiles.specs import SpecError, check_device, near_misses
from probes.running.candidate import RAISED, Candidate, OptimizerFault, one_line
from probes.running.faults import Fault, Severity, faults
from probes.running.problem import Effort
from probes.running.surroundings import silent, undisturbed

if TYPE_CHECKING:
    import torch

    from probes.compare import Comparison


@dataclasses.dataclass(frozen=True)
class Profile:
    """All answers of one optimizer.

    name: what the user called it. family: its class, "" where none could be made. effort: what was spent. answers: one
    for each question asked. arguments: what it was called with, as text by name. step: whether the learning rate was
    "given" or "found". settings: the numbers and switches of its parameter groups as it is made, such as momentum; of
    several groups the largest. package, version: where its class comes from, None where that is no installed package.
    device: as torch names it. environment: versions, the name of the device, the kernels of the processor. faults: what
    is wrong with the optimizer.
    """

    name: str
    family: str
    effort: Effort
    answers: tuple[Answer, ...]
    arguments: Mapping[str, str] = dataclasses.field(default_factory=dict)
    step: str = "given"
    settings: Mapping[str, float] = dataclasses.field(default_factory=dict)
    package: str | None = None
    version: str | None = None
    device: str = "cpu"
    environment: Mapping[str, str] = dataclasses.field(default_factory=dict)
    faults: tuple[Fault, ...] = ()

    @property
    def seconds(self) -> float:
        """How long the answers took, together."""
        return sum(answer.seconds for answer in self.answers)

    @property
    def failed(self) -> tuple[Answer, ...]:
        """The questions that could not be asked."""
        return tuple(answer for answer in self.answers if answer.status is Status.FAILED)

    def __str__(self) -> str:
        from probes.pages.table import as_text

        return as_text(self)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        from probes.pages.table import as_html

        return as_html([self])

    def save(self, path: str | Path) -> None:
        """Write the profile as JSON, completely or not at all. Raises OSError."""
        from probes.profiles.document import save

        save([self], Path(path))

    def compare(self, other: Profile) -> Comparison:
        """What is different from another profile, which is the older one. Raises ProfileError for another effort."""
        from probes.compare import compare

        return compare(other, self)


def bias_profile(
    make: Callable[[list[torch.nn.Parameter]], torch.optim.Optimizer],
    *,
    name: str = "optimizer",
    has_step: bool = True,
    questions: Iterable[str] | None = None,
    seed: int = 0,
    device: str = "cpu",
) -> Profile:
    """Which minimum the optimizer picks: its answers to all questions, or to those of these keys.

    make: a function of a list of parameters that returns a torch.optim.Optimizer. has_step: whether its learning rate
    is the one to use; otherwise each question finds the largest of a grid that converges. The numbers are those of the
    command line: one thread, double precision, random states of the seed. What torch is set to is untouched.
    Raises ValueError for a question or a device that there is not.
    """
    candidate, effort = Candidate(name, make, has_step, device), Effort(seed=seed)
    asked = questions_of(questions)
    check_device(device)
    wrong = find_faults(candidate, effort)
    answers = [answer_of(question, candidate, effort, wrong) for question in asked]
    return assemble(candidate, effort, answers, faults=wrong)


def questions_of(keys: Iterable[str] | None) -> list[Question]:
    """The questions of these keys in their order, or all. Raises SpecError for a key that no question has."""
    known = all_questions()
    if keys is None:
        return known
    wanted = set(keys)
    for key in sorted(wanted - {question.key for question in known}):
        keys_known = [question.key for question in known]
        near = near_misses(key, keys_known)
        told = f"near it are {', '.join(near)}" if near else f"the questions are {', '.join(keys_known)}"
        raise SpecError(f"there is no question {key!r}; {told}")
    return [question for question in known if question.key in wanted]


def answer_of(question: Question, candidate: Candidate, effort: Effort, wrong: Iterable[Fault]) -> Answer:
    """The answer of an optimizer with these faults. A fatal one is a failed answer, and no question is asked.

    An error in the question itself is a failed answer too, so that the other questions are asked.
    """
    for fault in wrong:
        if fault.severity == Severity.FATAL:
            return Answer(question.key, Status.FAILED, "", fault.line, None, ())
    try:
        return ask(question, candidate, effort)
    except RAISED as error:
        return Answer(question.key, Status.FAILED, "", f"the question fails: {one_line(error)}", None, ())


def find_faults(candidate: Candidate, effort: Effort) -> tuple[Fault, ...]:
    """What is wrong with the optimizer, looked for with the threads and random states of a question, in silence."""
    with undisturbed(effort.seed, candidate.device), silent():
        try:
            return tuple(faults(candidate))
        except RAISED as error:
            return (Fault(Severity.FAULT, f"{candidate.name} cannot be looked at: {one_line(error)}"),)


def assemble(
    candidate: Candidate,
    effort: Effort,
    answers: Iterable[Answer],
    *,
    arguments: Mapping[str, str] | None = None,
    faults: Iterable[Fault] = (),
) -> Profile:
    """The profile of these answers, with what the optimizer is and where it ran."""
    family, settings, package, version = "", {}, None, None
    try:
        with undisturbed(effort.seed, candidate.device), silent():
            optimizer = candidate.build(_one_matrix(candidate.device))
        kind = type(optimizer)
        family, settings = kind.__name__, _settings_of(optimizer)
        package, version = _package_of(kind)
    except OptimizerFault:
        pass  # the faults and the answers say so
    return Profile(
        name=candidate.name,
        family=family,
        effort=effort,
        answers=tuple(answers),
        arguments=dict(arguments or {}),
        step="given" if candidate.has_step else "found",
        settings=settings,
        package=package,
        version=version,
        device=candidate.device,
        environment=_environment(candidate.device),
        faults=tuple(faults),
    )


def _one_matrix(device: str) -> list[torch.nn.Parameter]:
    import torch

    return [torch.nn.Parameter(torch.zeros(2, 3, dtype=torch.float64, device=device))]


def _settings_of(optimizer: torch.optim.Optimizer) -> dict[str, float]:
    found: dict[str, float] = {}
    for group in optimizer.param_groups:
        for name, value in group.items():
            if name != "lr" and isinstance(value, int | float):
                found[name] = max(float(value), found.get(name, float(value)))
    return found


def _package_of(kind: type) -> tuple[str | None, str | None]:
    for package in _distributions().get(kind.__module__.partition(".")[0], ()):
        return package, metadata.version(package)
    return None, None


@functools.cache
def _distributions() -> Mapping[str, list[str]]:
    return metadata.packages_distributions()


def _environment(device: str) -> dict[str, str]:
    import torch

    is_cuda = torch.device(device).type == "cuda"
    versions = {name: metadata.version(name) for name in ("numpy", "scipy", "torch")}
    return {
        "whichmin": _own_version(),
        "python": platform.python_version(),
        **versions,
        "device": torch.cuda.get_device_name(device) if is_cuda else "cpu",
        "processor": _processor(),
    }


def _processor() -> str:
    """The instructions that torch uses and the processor that BLAS computes for: sums are rounded in their order."""
    import threadpoolctl
    import torch

    kernels = {library["architecture"] for library in threadpoolctl.threadpool_info() if "architecture" in library}
    return ", ".join([torch.backends.cpu.get_cpu_capability(), *sorted(kernels)])


def _own_version() -> str:
    import tomllib

    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))
    return project["project"]["version"]
