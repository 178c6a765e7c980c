"""Optimizers that the command line names: `module:Name` and `./file.py:make`, with arguments."""

from __future__ import annotations

import ast
import contextlib
import dataclasses
import difflib
import functools
import importlib
import importlib.util
import inspect
import pkgutil
import re
import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from probes.running.candidate import Candidate, OptimizerFault, one_line
from probes.running.smoke import smoke
from probes.running.surroundings import undisturbed

EXAMPLE = "lr=1e-2 betas=(0.9,0.99)"
STEPS = ("given", "found")
_STORAGE = "storage_dtype"
"""The option of heavyball's classes for the precision of their state; some raise unless it is that of the weights."""
_NAME = re.compile(r"\s*([A-Za-z_]\w*)\s*=(?!=)\s*")


class SpecError(ValueError):
    """What the user named cannot be used. The message is one line: what was named, the cause, the remedy."""


@dataclasses.dataclass(frozen=True)
class Named:
    """A candidate, and the arguments that it is called with, as text by name."""

    candidate: Candidate
    arguments: Mapping[str, str] = dataclasses.field(default_factory=dict)


def read_arguments(text: str) -> dict[str, Any]:
    """The values of `name=value name=value`, parted by spaces or commas; each value is a literal of Python.

    Raises SpecError for a value that is no literal, a name used twice, or text without a name.
    """
    found: dict[str, Any] = {}
    rest = text.strip()
    while rest:
        name = _NAME.match(rest)
        if name is None:
            raise SpecError(f"--optimizer-args: {rest!r} is no name=value: write {EXAMPLE!r}")
        if name[1] in found:
            raise SpecError(f"--optimizer-args: {name[1]} has two values")
        found[name[1]], rest = _first_literal(name[1], rest[name.end() :])
    return found


def _first_literal(name: str, text: str) -> tuple[Any, str]:
    """The shortest literal that `text` begins with and that ends the text or stands before another name."""
    ends = [match.start() for match in re.finditer(r"[\s,]", text)] + [len(text)]
    for end in ends:
        rest = text[end:].lstrip(" \t\n,")
        if rest and not _NAME.match(rest):
            continue
        with contextlib.suppress(ValueError, SyntaxError, MemoryError, RecursionError):
            return ast.literal_eval(text[:end].strip()), rest
    raise SpecError(
        f"--optimizer-args: {name}={text.split(' ')[0]} is no literal value of Python (numbers, 'words' in quotes,"
        f" True, None, tuples): write {EXAMPLE!r}"
    )


def named(spec: str, arguments: str = "", step: str | None = None, device: str = "cpu") -> Named:
    """The candidate of SPEC: `module:Name` or `file.py:make`, a class or a function of (params, **arguments).

    step: "given" uses the learning rate that the optimizer is made with, "found" searches for one. None: found for a
    class that is given no `lr`, given otherwise. Imports the module. A class that raises with weights of double
    precision unless its option storage_dtype is 'float64' is given that, and its name says so. Raises SpecError.
    """
    values = read_arguments(arguments)
    place, _, attribute = spec.rpartition(":")
    if not place or not attribute:
        raise SpecError(f"--optimizer {spec!r} is no module:Name and no file.py:name: write torch.optim:Adam")
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        module = _module_of_file(spec, place) if place.endswith(".py") else _module(spec, place)
    make = _attribute(spec, module, attribute)
    is_given = step == "given" if step else ("lr" in values or not inspect.isclass(make))
    found = _with_arguments(spec, make, values, is_given, device)
    if _STORAGE in _options_of(make) and _STORAGE not in values:
        return _in_double(found, _with_arguments(spec, make, {**values, _STORAGE: "float64"}, is_given, device))
    return found


def _with_arguments(
    spec: str, make: Callable[..., Any], values: Mapping[str, Any], is_given: bool, device: str
) -> Named:
    shown = {name: repr(value) for name, value in values.items()}
    inside = ", ".join(f"{name}={value}" for name, value in shown.items())
    called = functools.partial(_call, make, values)
    return Named(Candidate(f"{spec}({inside})" if inside else spec, called, is_given, device), shown)


def _in_double(as_it_is: Named, other: Named) -> Named:
    """The other one where the first raises with weights of double precision, as its state is of single, and it not."""
    with undisturbed(0, as_it_is.candidate.device):
        raises = [_raises(one.candidate) for one in (as_it_is, other)]
    return other if raises == [True, False] else as_it_is


def _options_of(make: Callable[..., Any]) -> Sequence[str]:
    """What a class can be called with; nothing for a function, whose author has chosen."""
    with contextlib.suppress(ValueError, TypeError):  # a class of an extension may have no signature
        return tuple(inspect.signature(make).parameters) if inspect.isclass(make) else ()
    return ()


def _raises(candidate: Candidate) -> bool:
    try:
        return bool(smoke(candidate, candidate.calls).error)
    except OptimizerFault:
        return True


def _call(make: Callable[..., Any], values: Mapping[str, Any], parameters: list[Any]) -> Any:
    return make(parameters, **values)


def _module_of_file(spec: str, name: str) -> ModuleType:
    file = Path(name).expanduser().absolute()
    if not file.is_file():
        near = _near(file.name, [path.name for path in file.parent.glob("*.py")] if file.parent.is_dir() else [])
        raise SpecError(f"--optimizer {spec}: there is no file {name}{near}")
    if str(file.parent) not in sys.path:
        sys.path.append(str(file.parent))  # last: the file's neighbours must not hide our own packages
    found = importlib.util.spec_from_file_location(f"whichmin_asked_{file.stem}", file)
    module = importlib.util.module_from_spec(found)
    sys.modules[found.name] = module
    try:
        found.loader.exec_module(module)
    except BaseException as error:
        del sys.modules[found.name]
        raise _unusable(spec, name, error) from error
    return module


def _module(spec: str, name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise _unusable(spec, name, error) from error
        parent = error.name.rpartition(".")[0]
        places = sys.modules[parent].__path__ if parent else None
        known = [f"{parent}.{found.name}".lstrip(".") for found in pkgutil.iter_modules(places)]
        what = f"there is no module {error.name}{_near(error.name, known)}"
        raise SpecError(f"--optimizer {spec}: {what}") from None
    except (Exception, SystemExit) as error:
        raise _unusable(spec, name, error) from error


def _unusable(spec: str, name: str, error: BaseException) -> BaseException:
    """The error as one line; an interrupt stays what it is."""
    if isinstance(error, KeyboardInterrupt):
        return error
    return SpecError(f"--optimizer {spec}: {name} cannot be imported ({one_line(error)})")


def _attribute(spec: str, module: ModuleType, dotted: str) -> Callable[..., Any]:
    found: Any = module
    for name in dotted.split("."):
        if not hasattr(found, name):
            known = [other for other in dir(found) if not other.startswith("_")]
            raise SpecError(f"--optimizer {spec}: {spec.rpartition(':')[0]} has no {dotted}{_near(name, known)}")
        found = getattr(found, name)
    if not callable(found):
        raise SpecError(f"--optimizer {spec}: {dotted} is no class and no function, but a {type(found).__name__}")
    return found


def near_misses(name: str, known: Sequence[str]) -> list[str]:
    """At most three of the known names that are like this one; another case counts as equal."""
    by_lower = {other.lower(): other for other in known}
    return [by_lower[lower] for lower in difflib.get_close_matches(name.lower(), by_lower, n=3, cutoff=0.5)]


def _near(name: str, known: Sequence[str]) -> str:
    near = near_misses(name, known)
    return f"; near it are {', '.join(near)}" if near else ""


def torch_optimizers() -> list[str]:
    """SPECs of all of torch.optim, but for SparseAdam, which takes sparse gradients alone."""
    import torch

    kinds = {name: kind for name, kind in vars(torch.optim).items() if inspect.isclass(kind)}
    base = torch.optim.Optimizer
    return [
        f"torch.optim:{name}"
        for name, kind in sorted(kinds.items())
        if issubclass(kind, base) and kind is not base and name != "SparseAdam"
    ]


def check_device(device: str) -> None:
    """Raise SpecError where torch cannot compute in double precision on this device."""
    import torch

    try:
        torch.zeros(1, dtype=torch.float64, device=device)
    except Exception as error:
        raise SpecError(f"--device {device}: torch cannot use it ({one_line(error)})") from None
