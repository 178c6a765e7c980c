"""The linearization of a network at its start: its largest curvature, its kernel, and kernel regression with it.

The linearization of f at theta_0 is f_0 + J_0 (theta - theta_0); its kernel is J_0 J_0'.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import numpy as np

from fixtures.kernels.empirical import empirical_ntk_of_all_outputs
from fixtures.kernels.tuned_ridge import TunedRidge, require_room, tune_ridge
from fixtures.models.fully_connected import linearized, rate_scales
from theorems.section_10_experiments.image_splits import Split, accuracy, wrong_answers

if TYPE_CHECKING:
    import torch

POWER_STEPS = 12
"""Steps of the power iteration for the largest curvature."""


def largest_curvature(network: torch.nn.Module, inputs: torch.Tensor) -> float:
    """The largest eigenvalue of (2/n) J R J', n rows of inputs, R the rates of the layers, by power iteration.

    For a linearized f it is the largest eigenvalue of the Hessian of the mean squared distance, in the metric of these
    rates. It is approached from below, by POWER_STEPS products with J and J' from a start drawn from a fixed seed.
    """
    import torch

    tangent, rates = linearized(network), list(rate_scales(network).values())
    displacement = list(tangent.parameters())
    with torch.no_grad():
        at_start = network(inputs)
        v = torch.randn(at_start.shape, generator=torch.Generator().manual_seed(0)).to(at_start)
    found = 0.0
    for _ in range(POWER_STEPS):
        v = v / v.norm()
        slopes = torch.autograd.grad((tangent(inputs) * v).sum(), displacement)
        with torch.no_grad():
            for delta, slope, rate in zip(displacement, slopes, rates, strict=True):
                delta.copy_(rate * slope)
            v = tangent(inputs) - at_start
        found = v.norm().item()
    return 2 * found / len(inputs)


def kernel_of_all_outputs(network: torch.nn.Module, inputs: torch.Tensor) -> np.ndarray:
    """The tangent kernel (n k, n k) of a network in float64 arithmetic, whatever the precision of its weights."""
    exact = copy.deepcopy(network).double()
    return empirical_ntk_of_all_outputs(exact, inputs.cpu().numpy(), exact.layers[-1].out_features)


def own_linearization(network: torch.nn.Module, splits: Split, scale: float, *, centered: bool) -> dict[str, Any]:
    """Kernel regression with the tangent kernel of a network, all outputs, the ridge tuned; see `regression_result`.

    centered: predictions start from zero. Otherwise f_0, the network's own values, is kept and the regression is on the
    targets less f_0, as descent on the linearized network would do. Predictions are J delta with delta = J'alpha, so
    that no kernel at other images is formed. Inputs are the rows of `splits` times scale.
    """
    import torch

    exact = copy.deepcopy(network).double()
    tangent = linearized(exact)
    displacement = list(tangent.parameters())
    train, validation, test = (scale * rows for rows in (splits.train, splits.validation, splits.test))
    needed = 4 * 8 * (len(train) * splits.classes) ** 2
    require_room(needed, train.device, f"the linearization on {len(train)} images of {splits.classes} classes")
    with torch.no_grad():
        at_start = [exact(rows) for rows in (train, validation, test)]
    kept = [0.0 if centered else values for values in at_start]

    def predict(alpha: torch.Tensor, which: int) -> torch.Tensor:
        cotangents = alpha.view(len(train), splits.classes)
        slopes = torch.autograd.grad((tangent(train) * cotangents).sum(), displacement)
        with torch.no_grad():
            for delta, slope in zip(displacement, slopes, strict=True):
                delta.copy_(slope)
            rows = (train, validation, test)[which]
            return tangent(rows) - at_start[which] + kept[which]

    K = torch.as_tensor(kernel_of_all_outputs(exact, train), device=train.device)
    targets = (splits.targets[0] - kept[0]).reshape(-1, 1)
    tuned = tune_ridge(K, targets, lambda alpha: predict(alpha, 1), splits.targets[1])
    return regression_result(tuned, predict(tuned.coefficients, 2), splits)


def regression_result(tuned: TunedRidge, values: torch.Tensor, splits: Split) -> dict[str, Any]:
    """The tuned regression as JSON: its ridge, whether that lies at an edge, the whole grid, accuracies."""
    return {
        "ratio": tuned.ratio,
        "at_edge": tuned.at_edge,
        "ratios": list(tuned.ratios),
        "validation": list(tuned.accuracies),
        "best_validation": max(tuned.accuracies),
        "test": accuracy(values, splits.targets[2]),
        "test_wrong": wrong_answers(values, splits.targets[2]),
    }
