"""The second moments of an optimizer, and whether its steps are divided by their square root as Adam's are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch

FACTORS = 3
"""How many factors a network has: U, W and v."""


def is_of_torch(optimizer: torch.optim.Optimizer) -> bool:
    """Whether it is one of torch's whose threshold is known."""
    import torch

    return isinstance(optimizer, (torch.optim.Adam, torch.optim.NAdam, torch.optim.RAdam, torch.optim.RMSprop))


def flat(factors: Sequence[np.ndarray]) -> np.ndarray:
    """All entries of the factors, one after another."""
    return np.concatenate([factor.reshape(-1) for factor in factors])


def steps_like_adam(optimizer: torch.optim.Optimizer, P: np.ndarray, before: np.ndarray, after: np.ndarray) -> bool:
    """Whether the second step was eta P^{-1} m/(1 - beta_1^2), or this and eta times the decay of the weights.

    The state may be in single precision, whose rounding is 2^-24; another formula differs in the first digits.
    """
    group = optimizer.param_groups[0]
    moments = [optimizer.state[p].get("exp_avg") for p in group["params"]]
    if "betas" not in group or "lr" not in group or any(m is None for m in moments):
        return False
    mean = flat([m.detach().cpu().numpy() for m in moments]) / (1 - group["betas"][0] ** 2)
    steps = [float(group["lr"]) * (mean / P[0] + decay * before) for decay in (0.0, group.get("weight_decay", 0.0))]
    return any(np.abs(before - after - step).max() <= 2.0**-12 * np.abs(step).max() for step in steps)


def preconditioner(optimizers: Sequence[torch.optim.Optimizer], count: int) -> np.ndarray | None:
    """P = sqrt(v) + eps of each weight, (B, p), by the optimizers of a batch; None where one has no such moments.

    v is `exp_avg_sq`, or `max_exp_avg_sq` where that is kept, over 1 - beta_2^t; or `square_avg`.
    """
    moments = [_moments(optimizer) for optimizer in optimizers]
    if any(own is None for own in moments):
        return None
    if len(moments) > 1:
        return np.array([np.concatenate([moment.reshape(-1) for moment in own]) for own in moments])
    (own,) = moments
    if len(own) > FACTORS:
        own = [np.array(own[start : start + count]) for start in range(0, len(own), count)]
    return np.concatenate([moment.reshape(count, -1) for moment in own], axis=1)


def _moments(optimizer: torch.optim.Optimizer) -> list[np.ndarray] | None:
    """sqrt(v) + eps of every parameter, None where one has no second moment of its shape."""
    found = []
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            state = optimizer.state[parameter]
            v = state.get("max_exp_avg_sq", state.get("exp_avg_sq", state.get("square_avg")))
            if v is None or v.shape != parameter.shape or "acc_delta" in state or "grad_avg" in state:
                return None
            steps = float(state.get("step", group.get("step", np.inf)))
            correction = 1 - group["betas"][1] ** steps if "betas" in group else 1.0
            found.append((v.detach().cpu().numpy() / correction) ** 0.5 + group.get("eps", 0.0))
    return found
