"""A run leaves no trace outside, and sees none: random numbers of its own seed, and torch's settings as before it."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator


@contextlib.contextmanager
def isolated(device: str = "cpu", seed: int = 0) -> Iterator[None]:
    """Within it, torch draws the random numbers of this seed, takes gradients, and warnings are ignored.

    Afterwards all is as before, also the default precision. So an optimizer that draws random numbers gives one answer
    however often it is asked, and a notebook goes on with the numbers that it would have drawn anyway.
    """
    import torch

    devices = [torch.device(device)] if device.startswith("cuda") else []
    precision = torch.get_default_dtype()
    with torch.random.fork_rng(devices=devices), torch.enable_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.random.default_generator.manual_seed(seed)
        if devices:
            torch.cuda.manual_seed(seed)
        try:
            yield
        finally:
            torch.set_default_dtype(precision)
