"""What a question must not depend on: threads, random states and settings of torch that belong to whoever asks."""

from __future__ import annotations

import contextlib
import io
import random
import warnings
from collections.abc import Iterator

import numpy as np

from probes.running.isolation import settings_kept


@contextlib.contextmanager
def undisturbed(seed: int, device: str = "cpu") -> Iterator[None]:
    """One thread, double-precision work on this device, and the random states of this seed; then all as it was.

    Restored: the random states of torch (also of a CUDA device), numpy and Python; the threads of BLAS; what torch is
    set to, such as its threads, default dtype and default device. Inside, gradients are enabled, and warnings are
    ignored, whatever the caller has chosen: what a package deprecates is no fault of its optimizer. What is compiled by
    torch.compile runs uncompiled: on problems as small as ours, compilation alone takes minutes.
    One thread, since a sum over several threads is rounded in another order.
    """
    import threadpoolctl
    import torch

    states = random.getstate(), np.random.get_state()  # noqa: NPY002 - an optimizer may use the global state
    cuda = [torch.device(device)] if torch.device(device).type == "cuda" else []
    with contextlib.ExitStack() as stack:
        stack.enter_context(settings_kept())
        stack.enter_context(warnings.catch_warnings())
        warnings.simplefilter("ignore")
        stack.enter_context(torch.random.fork_rng(devices=[d.index or 0 for d in cuda]))
        stack.enter_context(threadpoolctl.threadpool_limits(1))
        stack.callback(random.setstate, states[0])
        stack.callback(np.random.set_state, states[1])
        stack.enter_context(torch.compiler.set_stance("force_eager"))
        stack.enter_context(torch.inference_mode(False))
        stack.enter_context(torch.enable_grad())
        if torch.get_default_device().type != "cpu":
            torch.set_default_device("cpu")
        torch.set_num_threads(1)
        torch.set_default_dtype(torch.float32)
        torch.manual_seed(seed)
        random.seed(seed)
        np.random.seed(seed)  # noqa: NPY002
        yield


@contextlib.contextmanager
def silent() -> Iterator[None]:
    """What an optimizer prints in it is not seen."""
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        yield
