"""Figures of Section 3: descent, ridge, the printed bound, mirror descent and coordinate descent on least squares."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from theorems.report.figures import Series, figure
from theorems.report.figures.style import COLORS, FAINT, INK

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas

SECTION = "theorems/section_03_linear_models"
OFFSET = {"textcoords": "offset points"}
CORNERS = np.array([[0, 0], [1, 0], [1 / 2, np.sqrt(3) / 2]])
"""The corners of the triangle in which a distribution on three points is drawn."""


@figure(
    test=f"{SECTION}/theorem_3_1_minimum_norm/test_necessity.py"
    "::test_without_H3_descent_in_the_plane_ends_at_the_interpolant_nearest_its_start",
    title="From zero, descent ends at the interpolant of least norm; from elsewhere, at the one nearest its start",
    alt="The plane of the weights w_1 and w_2, with the line w_1 + 2 w_2 = 5 of all interpolants. Five paths of "
    "gradient descent go straight to the line, at a right angle; each step halves the distance. The path from (0, 0) "
    "ends at (1, 2), where a circle about zero touches the line. The other four end elsewhere on the line.",
)
def descent_in_the_plane(canvas: Canvas, series: Series) -> None:
    """Five paths to the line of interpolants, and the circle that touches it."""
    data = series["descent in the plane"]
    axes = canvas.add_subplot(aspect="equal")
    turn = np.linspace(0, 2 * np.pi, 200)
    axes.plot(np.sqrt(5) * np.cos(turn), np.sqrt(5) * np.sin(turn), color=FAINT, linestyle=":", linewidth=1.2)
    line = np.array([-3.4, 5.4])
    axes.plot(line, (5 - line) / 2, color=INK, linewidth=1.2)
    axes.annotate("all interpolants", (-3.3, 4.25), va="bottom")
    for start in range(5):
        here = data["start"] == start
        color = COLORS[1] if start == 0 else COLORS[0]
        axes.plot(data["w_1"][here], data["w_2"][here], color=color, marker="o", markersize=3.5)
    axes.plot(1, 2, color=COLORS[1], marker="*", markersize=13)
    axes.annotate("least norm", (1.15, 2.15), color=COLORS[1], va="bottom")
    axes.annotate("start 0", (0.25, -0.1), color=COLORS[1], va="top")
    axes.set(xlabel="weight $w_1$", ylabel="weight $w_2$", xlim=(-3.6, 5.6), ylim=(-2.5, 4.8), xticks=[-2, 0, 2, 4])


@figure(
    test=f"{SECTION}/theorem_3_1_minimum_norm/test_limit.py::test_three_modes_shrink_by_their_own_factors",
    title="Each mode of the error shrinks by its own factor; here that of the least singular value is the slowest",
    alt="Size of three modes of the error over its initial size, on a logarithmic scale, against the number of steps "
    "from 0 to 60, with eta = 1/5. All three are straight lines. The factors are |1 - 9/5| = 4/5 for s^2 = 9, 3/5 for "
    "s^2 = 2 and 19/20 for s^2 = 1/4, which is the slowest.",
)
def modes_of_the_error(canvas: Canvas, series: Series) -> None:
    """Three modes against the number of steps."""
    data = series["modes of the error"]
    axes = canvas.add_subplot(yscale="log")
    styles = (("s^2 = 1/4", "1/4", "-", "o"), ("s^2 = 9", "9", "--", "s"), ("s^2 = 2", "2", "-.", "D"))
    for (name, square, line, marker), color in zip(styles, COLORS, strict=False):
        axes.plot(data["t"], data[name], color=color, linestyle=line, marker=marker, markersize=3.5)
        axes.annotate(f"$s_i^2 = {square}$", (60, data[name][-1]), (6, 0), color=color, va="center", **OFFSET)
    axes.set(xlabel="step $t$", ylabel="mode of the error, over its start", xlim=(0, 75), xticks=[0, 20, 40, 60])
    axes.set_yticks([1, 1e-4, 1e-8, 1e-12])
    axes.minorticks_off()


@figure(
    test=f"{SECTION}/test_corollary_3_2_ridge_limit.py::test_random_features_of_digits_have_the_same_rate",
    title="On digits, ridge approaches the min-norm interpolant between the rates of its first and its last mode",
    alt="Distance of the ridge solution to the min-norm interpolant, over the norm of the interpolant, against the "
    "penalty lambda from 10^-6 to 10^6, both on logarithmic scales. The distance falls in proportion to lambda where "
    "lambda is small, and lies between the bounds lambda/(s_1^2 + lambda) and lambda/(s_n^2 + lambda).",
)
def ridge_path(canvas: Canvas, series: Series) -> None:
    """Distance to the interpolant against the penalty, with the two bounds."""
    data = series["distance of ridge to the interpolant"]
    axes = canvas.add_subplot(xscale="log", yscale="log")
    penalty = data["penalty"]
    axes.fill_between(penalty, data["lower"], data["upper"], color=FAINT, alpha=0.18, linewidth=0)
    axes.plot(penalty, data["upper"], color=INK, linestyle="--")
    axes.plot(penalty, data["lower"], color=INK, linestyle=":")
    axes.plot(penalty, data["distance"], color=COLORS[0], marker="o")
    axes.annotate(r"$\lambda / (s_n^2 + \lambda)$", (penalty[2], 2.5 * data["upper"][2]), ha="right")
    axes.annotate(r"$\lambda / (s_1^2 + \lambda)$", (penalty[6], data["lower"][6] / 4), va="top")
    axes.annotate("ridge", (penalty[4], data["distance"][4] / 3), color=COLORS[0], va="top")
    axes.set(xlabel=r"penalty $\lambda$", ylabel=r"$\|w_\lambda - w^*\| \; / \; \|w^*\|$")
    axes.set(xticks=[1e-6, 1e-3, 1, 1e3, 1e6], yticks=[1e-8, 1e-6, 1e-4, 1e-2, 1])
    axes.minorticks_off()


@figure(
    test=f"{SECTION}/theorem_3_3_generalization_bound/test_gaussian_designs.py"
    "::test_on_gaussian_averages_the_print_holds_from_a_signal_to_noise_ratio_on",
    title="Below a signal-to-noise ratio of 5/8 the mean risk exceeds the printed bound (Gaussian data, n = 5, p = 10)",
    alt="Mean risk and mean of the printed bound, over the noise variance, against the signal-to-noise ratio from 0 to "
    "2. The bound starts at 1 and rises with slope 5/2. The risk starts at 9/4, since noise alone costs 5/4, and rises "
    "with slope 1/2. They cross at 5/8. Half of the risk starts at 9/8, also above the bound.",
)
def printed_bound_against_risk(canvas: Canvas, series: Series) -> None:
    """The mean risk, half of it, and the mean of the printed bound against the signal-to-noise ratio."""
    data = series["risk and bound, n = 5, p = 10"]
    axes = canvas.add_subplot()
    ratio, risk, bound = data["ratio"], data["risk"], data["bound"]
    axes.fill_between(ratio, bound, risk, where=bound <= risk, color=COLORS[1], alpha=0.15, linewidth=0)
    axes.plot(ratio, bound, color=INK, linestyle="--")
    axes.plot(ratio, risk, color=COLORS[1])
    axes.plot(ratio, risk / 2, color=COLORS[0], linestyle="-.")
    axes.annotate("printed bound", (ratio[22], bound[22]), ha="right", va="bottom", xytext=(-4, 4), **OFFSET)
    axes.annotate("mean risk", (ratio[-1], risk[-1]), ha="right", va="top", xytext=(0, -6), color=COLORS[1], **OFFSET)
    axes.annotate(
        "half of it", (ratio[-1], risk[-1] / 2), ha="right", va="top", xytext=(0, -6), color=COLORS[0], **OFFSET
    )
    axes.annotate("violated", (0.03, 1.95), color=COLORS[1])
    axes.set(xlabel=r"signal-to-noise ratio $\|w_*\|^2 / \sigma^2$", ylabel=r"risk and bound, over $\sigma^2$")
    axes.set(xlim=(0, 2), ylim=(0, 6), xticks=[0, 0.5, 1, 1.5, 2])


@figure(
    test=f"{SECTION}/section_3_3_mirror_descent/test_necessity.py"
    "::test_without_H3_two_starts_on_the_simplex_end_with_less_entropy_than_its_center_does",
    title="On the simplex, mirror descent from the center ends with the most entropy; two other starts end with less",
    alt="The triangle of distributions on 0, 1, 2, with level lines of the entropy and the segment of distributions of "
    "mean 10/7. Three paths of mirror descent end on the segment. The path from the center ends at (1, 2, 4)/7, the "
    "point of most entropy. The paths from (2, 9, 2)/13 and (18, 1, 3)/22 end at (1, 18, 16)/35 and (9, 2, 24)/35, on "
    "either side.",
)
def mirror_descent_on_the_simplex(canvas: Canvas, series: Series) -> None:
    """Three paths in the triangle of distributions, and the level lines of the entropy."""
    data = series["mirror descent on the simplex"]
    axes = canvas.add_subplot(aspect="equal")
    axes.set_axis_off()
    first, second = np.meshgrid(np.linspace(0, 1, 81), np.linspace(0, 1, 81))
    w = np.stack([first, second, 1 - first - second])
    with np.errstate(divide="ignore", invalid="ignore"):
        entropy = np.where(w.min(0) > -1e-9, -np.where(w > 1e-9, w * np.log(w), 0).sum(0), np.nan)
    where = np.tensordot(CORNERS.T, w, 1)
    levels = [0.5, 0.7, 0.8, 0.9, 1.0, 1.06]
    axes.contour(*where, entropy, levels=levels, colors=[FAINT], linewidths=0.7, linestyles=":")
    axes.plot(*CORNERS[[0, 1, 2, 0]].T, color=INK, linewidth=1.2)
    axes.plot(*(np.array([[0, 4, 3], [2, 0, 5]]) / 7 @ CORNERS).T, color=INK, linestyle="--", linewidth=1.2)
    for start, (color, marker) in enumerate(zip((COLORS[1], COLORS[0], COLORS[2]), "osD", strict=True)):
        here = data["start"] == start
        path = np.stack([data[f"w_{k}"][here] for k in (1, 2, 3)], axis=1) @ CORNERS
        axes.plot(*path.T, color=color, marker=marker, markersize=3)
        axes.plot(*path[-1], color=color, marker="*", markersize=13)
    for corner, name, side in zip(CORNERS, "012", ((-0.05, -0.03), (0.05, -0.03), (0, 0.05)), strict=True):
        axes.annotate(name, corner + side, ha="center", va="center")
    best, leader = np.array([1, 2, 4]) / 7 @ CORNERS, {"arrowstyle": "-", "color": FAINT, "shrinkB": 6}
    axes.annotate("most entropy", best, (0.7, 0.6), color=COLORS[1], va="center", arrowprops=leader)
    axes.annotate("mean 10/7", (0.29, 0.62), ha="right")
    axes.annotate("dotted: equal entropy", (0.5, -0.03), ha="center", va="top")
    axes.set(xlim=(-0.15, 1.15), ylim=(-0.08, 0.95))


@figure(
    test=f"{SECTION}/section_3_3_coordinate_descent/test_cyclic.py"
    "::test_the_cyclic_rule_fits_with_whichever_coordinate_comes_first",
    title="Cyclic coordinate descent ends at the l1 norm 1, where another interpolant has 1/2",
    alt="The plane of the weights w_1 and w_2, with the line w_1 + 2 w_2 = 1 of all interpolants. Coordinate descent "
    "goes from zero along the first axis to (1, 0), and stays. The smallest l1 ball that reaches the line touches it "
    "at (0, 1/2).",
)
def coordinate_descent_misses_the_least_l1_norm(canvas: Canvas, series: Series) -> None:
    """The path of one sweep, the line of interpolants, and the l1 ball that touches it."""
    data = series["one sweep"]
    axes = canvas.add_subplot(aspect="equal")
    axes.fill([0.5, 0, -0.5, 0], [0, 0.5, 0, -0.5], color=FAINT, alpha=0.2, linewidth=0)
    axes.annotate("l1 norm at\nmost 1/2", (-0.05, -0.2), ha="center", va="center", fontsize=10)
    line = np.array([-0.5, 1.4])
    axes.plot(line, (1 - line) / 2, color=INK, linewidth=1.2)
    axes.plot(data["w_1"], data["w_2"], color=COLORS[0], marker="o")
    axes.plot(0, 1 / 2, color=COLORS[1], marker="*", markersize=13)
    axes.annotate("coordinate descent", (0.72, 0.03), color=COLORS[0], ha="right", va="bottom")
    axes.annotate("least l1 norm", (0.05, 0.55), color=COLORS[1])
    axes.annotate("all interpolants", (-0.5, 0.8))
    axes.set(xlabel="weight $w_1$", ylabel="weight $w_2$", xlim=(-0.8, 1.5), ylim=(-0.6, 0.95))
    axes.set(xticks=[-0.5, 0, 0.5, 1], yticks=[-0.5, 0, 0.5])


@figure(
    test=f"{SECTION}/section_3_3_stochastic_gradient_descent/test_necessity.py"
    "::test_without_H3_the_noise_selects_another_interpolant",
    title="In the factored model SGD and gradient descent from one start end at different interpolants",
    alt="Component of the weights w = u^2 - v^2 in the null space of X, against the step from 1 to 2000 on a "
    "logarithmic scale. In a linear model it would stay at 0. Gradient descent settles at 0.185 and SGD at 0.261.",
)
def noise_selects_another_interpolant(canvas: Canvas, series: Series) -> None:
    """The null part of the weights against the step, for SGD and for gradient descent."""
    data = series["null part of the weights"]
    axes = canvas.add_subplot(xscale="log")
    axes.axhline(0, color=FAINT, linestyle=":", linewidth=1.2)
    axes.plot(data["step"], data["sgd"], color=COLORS[1])
    axes.plot(data["step"], data["gd"], color=COLORS[0], linestyle="--")
    axes.annotate("SGD", (2000, data["sgd"][-1]), (0, 5), color=COLORS[1], ha="right", va="bottom", **OFFSET)
    axes.annotate("gradient descent", (2000, data["gd"][-1]), (0, -5), color=COLORS[0], ha="right", va="top", **OFFSET)
    axes.annotate("a linear model", (2000, 0), (0, 3), ha="right", va="bottom", **OFFSET)
    axes.set(xlabel="step $t$", ylabel="part of $w_t$ in the null space", xticks=[1, 10, 100, 1000])
    axes.minorticks_off()
