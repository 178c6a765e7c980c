"""A run leaves no trace outside, and sees none: random numbers of its own seed, and torch's settings as before it."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable, Iterator
from typing import Any

Setting = tuple[Callable[[], Any], Callable[[Any], Any]]


def settings_of_torch() -> dict[str, Setting]:
    """What torch is set to for all of a process: how each setting is read, and set."""
    import torch

    def set_device(device: torch.device) -> None:
        torch.set_default_device(None if device.type == "cpu" else device)

    return {
        "the default precision": (torch.get_default_dtype, torch.set_default_dtype),
        "the default device": (torch.get_default_device, set_device),
        "the number of threads": (torch.get_num_threads, torch.set_num_threads),
        "whether algorithms are deterministic": (
            torch.are_deterministic_algorithms_enabled,
            torch.use_deterministic_algorithms,
        ),
        "whether anomalies are detected": (torch.is_anomaly_enabled, torch.autograd.set_detect_anomaly),
    }


@contextlib.contextmanager
def settings_kept() -> Iterator[None]:
    """Afterwards torch is set to what it was set to before."""
    settings = settings_of_torch()
    before = {name: read() for name, (read, _) in settings.items()}
    try:
        yield
    finally:
        for name, (read, write) in settings.items():
            if read() != before[name]:
                write(before[name])


@contextlib.contextmanager
def isolated(device: str = "cpu", seed: int = 0) -> Iterator[None]:
    """Within it, torch draws the random numbers of this seed, takes gradients, and warnings are ignored.

    Afterwards all is as before, also what torch is set to. So an optimizer that draws random numbers gives one answer
    however often it is asked, and a notebook goes on with the numbers that it would have drawn anyway.
    """
    import torch

    devices = [torch.device(device)] if device.startswith("cuda") else []
    with settings_kept(), torch.random.fork_rng(devices=devices), torch.enable_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.random.default_generator.manual_seed(seed)
        if devices:
            torch.cuda.manual_seed(seed)
        yield
