"""Figures of Section 8: stochastic gradient descent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from theorems.report.figures import Series, figure
from theorems.report.figures.style import COLORS, FAINT, INK

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
    " the step shrinks the first falls more than twice as steeply as the second.",
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
    " steps. Both curves fall from left to right: at the step 0.1 from 0.03 to 3.5 in 10^11, at the step 0.02 from 0.2"
    " to 0.007. The corollary wants them to rise.",
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


@figure(
    test=f"{SECTION}/proposition_8_3_label_noise/test_corrected.py"
    "::test_in_a_cluster_of_three_the_separating_weight_lies_between_in_every_step",
    title="The ridge regression that the stopped run solves weighs the corrupted one of three samples less",
    alt="Weights against the step at which the run is stopped, from 1 to 8, for a cluster of three samples of which one"
    " label is flipped. Both curves grow. The weight of a clean sample goes from 0.36 to 2.96, that of the corrupted"
    " one from 0.21 to 2.57, and the number that separates them in theory lies between them at every step.",
)
def weights_of_a_stopped_run(canvas: Canvas, series: Series) -> None:
    """Draw the weights of both kinds of samples against the step, and the number between them."""
    weights = series["weights of the samples"]
    axes = canvas.add_subplot()
    for name, words, style, color, shift in (
        ("clean", "clean samples", "o-", COLORS[0], (-10, 8)),
        ("between", "bound of C1", ":", INK, None),
        ("corrupted", "corrupted sample", "s--", COLORS[1], (8, -16)),
    ):
        axes.plot(weights["t"], weights[name], style, color=color)
        if shift:
            at, side = (weights["t"][4], weights[name][4]), "right" if shift[0] < 0 else "left"
            axes.annotate(words, at, xytext=shift, textcoords="offset points", color=color, ha=side)
    axes.annotate("bound of C1", (weights["t"][-1], weights["between"][-1]), xytext=(6, -4), textcoords="offset points")
    axes.set(xlabel="step at which the run stops", ylabel="weight", xlim=(0.8, 9.9), ylim=0, xticks=weights["t"])


@figure(
    test=f"{SECTION}/section_8_3_robustness_to_label_noise/test_clean_signs.py"
    "::test_a_window_may_close_after_four_steps",
    title="Stopped after one to four steps, the run predicts the clean labels; later it learns the flipped one",
    alt="Predictions times the clean label against the step, from 0 to 8, for a cluster of three samples of which one"
    " label is flipped. That of a clean sample rises to 0.6. That of the corrupted sample rises to 0.19 after one step,"
    " falls, and is negative from step 5 on. The steps 1 to 4, at which both are positive, are shaded.",
)
def early_stopping_window(canvas: Canvas, series: Series) -> None:
    """Draw the predictions of both kinds of samples, and shade the steps at which both have the clean sign."""
    predictions = series["predictions times the clean label"]
    t, corrupted, clean = (predictions[name] for name in ("t", "corrupted", "clean"))
    window = t[(corrupted > 0) & (clean > 0)]
    axes = canvas.add_subplot()
    axes.axvspan(window[0] - 0.3, window[-1] + 0.3, color=FAINT, alpha=0.25, linewidth=0)
    axes.axhline(0, color=FAINT, linewidth=1)
    axes.plot(t, clean, "o-", color=COLORS[0])
    axes.plot(t, corrupted, "s--", color=COLORS[1])
    axes.text(t[-1], clean[-1] - 0.17, "clean sample", color=COLORS[0], ha="right")
    axes.text(t[6], corrupted[7] - 0.04, "corrupted sample", color=COLORS[1], ha="right")
    axes.text(window.mean(), 0.62, "all signs are clean", color=INK, ha="center")
    axes.set(xlabel="step $t$", ylabel="prediction times the clean label", ylim=(-0.28, 0.7), xticks=t)


@figure(
    test=f"{SECTION}/section_8_1_stochastic_differential_equation/test_printed_noise.py"
    "::test_at_a_fixed_time_the_printed_fluctuation_is_above_that_of_sgd_by_a_factor_that_stays",
    title="At a fixed time the printed equation varies more than three times as much as SGD, at small steps too",
    alt="Variance at the time 1 over the step, against steps from 1/10 down to 1/1000 on a logarithmic axis, for one"
    " parameter of curvature 1 and gradient noise of variance 4. The printed equation has 6.9 at every step, SGD has"
    " 1.85 at the step 1/10 and 1.73 at 1/1000.",
)
def fluctuation_at_a_fixed_time(canvas: Canvas, series: Series) -> None:
    """Draw the variance over the step of SGD and of the printed equation, against the step."""
    found = series["Var/eta at the time 1"]
    axes = canvas.add_subplot()
    for name, words, style, color in (
        ("printed", "printed equation", "s:", INK),
        ("sgd", "SGD", "o-", COLORS[0]),
    ):
        axes.semilogx(found["eta"], found[name], style, color=color)
        at = found["eta"][2], found[name][2]
        axes.annotate(words, at, xytext=(0, -20), textcoords="offset points", color=color, ha="center")
    axes.minorticks_off()
    axes.set(xlabel=r"step $\eta$", ylabel=r"variance at the time 1, over $\eta$", ylim=(0, 8), yticks=[0, 2, 4, 6, 8])
