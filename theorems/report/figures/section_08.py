"""Figures of Section 8: stochastic gradient descent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from theorems.report.figures import Series, figure
from theorems.report.figures.style import COLORS, INK

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas

SECTION = "theorems/section_08_stochastic_gradient_descent"


@figure(
    test=f"{SECTION}/theorem_8_1_stationary_distribution/test_a_stationary_density.py"
    "::test_where_the_noise_is_stronger_the_variance_is_four_times_the_printed_one_at_every_step",
    title="Where the noise is stronger in one direction, the iterates vary more than twice as much as printed there",
    alt="Two curves in the plane of the parameters, each at two standard deviations of a law around the minimum at 0,"
    " for equal curvatures, the noise covariance diag(1, 4) and the step 0.1. The printed law is a circle of radius"
    " 0.45. The exact law is an ellipse with the half axes 0.92 across, where the noise is stronger, and 0.46 up.",
)
def stationary_laws(canvas: Canvas, series: Series) -> None:
    """Draw either law as the ellipse of two standard deviations, the direction of more noise across."""
    variances = series["variances at the step 0.1"]
    turn = np.linspace(0, 2 * np.pi, 181)
    axes = canvas.add_subplot(aspect="equal")
    for name, words, line, color, at in (
        ("exact", "exact", "-", COLORS[0], (0.75, 0.32)),
        ("printed", "printed", ":", INK, (-0.14, 0.26)),
    ):
        up, across = 2 * np.sqrt(variances[name])
        axes.plot(across * np.cos(turn), up * np.sin(turn), line, color=color)
        axes.text(*at, words, color=color)
    axes.plot(0, 0, "+", color=INK)
    axes.text(0, -0.12, "minimum", color=INK, ha="center")
    axes.set(xlabel=r"$\theta_2$, noise of variance 4", ylabel=r"$\theta_1$, noise of variance 1")
    axes.set(xlim=(-1, 1), ylim=(-0.65, 0.65), xticks=(-1, -0.5, 0, 0.5, 1), yticks=(-0.5, 0, 0.5))


@figure(
    test=f"{SECTION}/theorem_8_1_stationary_distribution/test_a_varying_noise.py"
    "::test_under_varying_gaussian_noise_half_the_step_is_half_the_distance_to_the_ito_density_and_not_to_the_printed",
    title="With noise that varies, halving the step halves the distance to Ito's density, and not to the printed one",
    alt="Total variation between the stationary law of SGD and two densities, at the steps 0.1, 0.2 and 0.4, on"
    " logarithmic axes. To Ito's density it is 0.013, 0.029 and 0.071, to the printed one 0.042, 0.057 and 0.080: as"
    " the step shrinks the first falls about twice as steeply as the second.",
)
def distance_to_the_stationary_density(canvas: Canvas, series: Series) -> None:
    """Draw the total variations of both densities against the step."""
    found = series["total variation to the law against the step"]
    axes = canvas.add_subplot()
    for name, words, marker, line, color, shift in (
        ("printed", "printed density", "s", ":", INK, (-8, 10)),
        ("ito", "Ito's density", "o", "-", COLORS[0], (12, -12)),
    ):
        axes.loglog(found["eta"], found[name], marker + line, color=color)
        at = found["eta"][1], found[name][1]
        axes.annotate(
            words, at, xytext=shift, textcoords="offset points", color=color, ha="right" if shift[0] < 0 else "left"
        )
    axes.set_xticks(found["eta"], [f"{eta:g}" for eta in found["eta"]])
    axes.set_yticks([0.02, 0.04, 0.08], ["0.02", "0.04", "0.08"])
    axes.minorticks_off()
    axes.set(xlabel=r"step $\eta$", ylabel="total variation to the law of SGD")


@figure(
    test=f"{SECTION}/corollary_8_2_batch_size/test_c_two_wells.py"
    "::test_under_gaussian_noise_of_either_step_the_sharp_well_gains_as_batches_shrink",
    title="Under constant noise, SGD is in the sharper of two wells more often the smaller its batches are",
    alt="Stationary probability of the sharp well, on a logarithmic axis, against the batch sizes 1, 2, 4 and 8, at two"
    " steps. Both curves fall from left to right: at the step 0.1 from 0.03 to 3 in 10^11, at the step 0.02 from 0.2 to"
    " 0.007. The corollary wants them to rise.",
)
def mass_in_the_sharp_well(canvas: Canvas, series: Series) -> None:
    """Draw the probability of the sharp well against the batch size, a curve for each step."""
    masses = series["stationary mass in the sharp well against batch size"]
    axes = canvas.add_subplot()
    for name, step, marker, line, color in (("eta_0_02", "0.02", "s", "--", 1), ("eta_0_1", "0.1", "o", "-", 0)):
        axes.loglog(masses["batch"], masses[name], marker + line, color=COLORS[color], clip_on=False)
        end = masses["batch"][2], masses[name][2]
        axes.annotate(f"step $\\eta$ = {step}", end, xytext=(8, 8), textcoords="offset points", color=COLORS[color])
    axes.set_xticks(masses["batch"], [f"{batch:.0f}" for batch in masses["batch"]])
    axes.minorticks_off()
    axes.set(xlabel="batch size $B$", ylabel="probability of the sharp well")
