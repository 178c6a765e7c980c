"""A run leaves no trace outside, and sees none: random numbers from a seed of its own, and no warnings."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator


@contextlib.contextmanager
def isolated(device: str = "cpu", seed: int = 0) -> Iterator[None]:
    """Within it, torch draws the random numbers of this seed, and warnings are ignored; afterwards both are as before.

    So an optimizer that draws random numbers gives one answer however often it is asked, and the numbers that a
    notebook draws next are those that it would have drawn anyway.
    """
    import torch

    devices = [torch.device(device)] if device.startswith("cuda") else []
    with torch.random.fork_rng(devices=devices), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.random.default_generator.manual_seed(seed)
        if devices:
            torch.cuda.manual_seed(seed)
        yield
