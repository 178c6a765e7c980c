"""The lower precision inside an optimizer: which one it uses, and the same optimizer without it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from probes.running.candidate import Candidate, OptimizerFault
from probes.running.problem import Problem
from probes.running.run import train


@contextmanager
def in_double(seen: set[str]) -> Iterator[None]:
    """Inside, what asks torch for bfloat16, float16 or float32 is given float64; `seen` collects what was asked for.

    So an optimizer that rounds its direction to bfloat16, as Muon does, runs in double precision, and is otherwise the
    same. Numbers (tensors without an axis) are given float64 too, but do not enter `seen`: torch keeps counts of steps
    in float32. What is compiled by torch.compile runs uncompiled inside. What does not pass through torch's dispatcher,
    such as numpy, is not seen.
    """
    import torch
    from torch.utils._python_dispatch import TorchDispatchMode

    low = {torch.bfloat16: "bfloat16", torch.float16: "float16", torch.float32: "float32"}

    class InDouble(TorchDispatchMode):
        def __torch_dispatch__(
            self, func: Any, types: Any, args: tuple = (), kwargs: dict[str, Any] | None = None
        ) -> Any:
            kwargs = dict(kwargs or {})
            asked = kwargs.get("dtype")
            if asked in low:
                kwargs["dtype"] = torch.float64
            result = func(*args, **kwargs)
            if asked in low and getattr(result, "ndim", 0) > 0:
                seen.add(low[asked])
            return result

    with torch.compiler.set_stance("force_eager"), InDouble():
        yield


def lower_precisions(candidate: Candidate, problem: Problem) -> tuple[str, ...]:
    """The lower precisions that the optimizer asks for in its first two steps, such as ("bfloat16",).

    None where it does not run in double precision, because it expects the precision that it asked for.
    """
    seen: set[str] = set()
    try:
        with in_double(seen):
            train(candidate, problem, steps=2, decay=False, layout="apart")
    except OptimizerFault:
        return ()
    return tuple(sorted(seen))
