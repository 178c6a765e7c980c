"""Figures of Section 7: initialization and learning rate."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from theorems.report.figures import Series, figure
from theorems.report.figures.style import COLORS, FAINT, INK

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas

HERE = "theorems/section_07_initialization_and_learning_rate"
SCALES = (
    f"{HERE}/theorem_7_1_initialization_scale/test_b_limits.py"
    "::test_over_four_decades_of_alpha_neither_norm_falls_below_its_least_value"
)


@figure(
    test=f"{HERE}/section_7_2_edge_of_stability/test_b_networks.py"
    "::test_one_network_climbs_past_the_edge_and_falls_back_to_it_and_at_a_quarter_of_the_step_it_stays_beyond",
    title="The sharpness climbs past 2/eta, the loss jumps, and the sharpness falls back near 2/eta",
    alt="Two panels against time, for one tanh network on 16 patients. Left: the sharpness at step 0.6 rises from 2.1 "
    "to 5.2, drops at once and settles near 2/eta = 3.3, while at a quarter of the step it rises to 5.8 and stays. "
    "Right: the loss at step 0.6 rises by orders of magnitude before the drop; at a quarter of the step it only "
    "falls.",
)
def sharpness_at_the_edge(canvas: Canvas, series: Series) -> None:
    """Draw sharpness and loss of the two runs, side by side."""
    left, right = canvas.subplots(1, 2)
    sharpness, losses, every = (
        series[title] for title in ("sharpness against time", "loss against time", "the loss at every step")
    )
    left.axhline(2 / 0.6, color=FAINT, linestyle=":")
    left.text(180, 3.2, "$2/\\eta$", color=INK, ha="right", va="top")
    left.plot(sharpness["time"], sharpness["quarter"], color=COLORS[1], linestyle="--")
    left.plot(sharpness["time"], sharpness["large"], color=COLORS[0])
    left.text(180, 6.0, "step 0.15", color=COLORS[1], ha="right", va="bottom")
    left.text(180, 3.6, "step 0.6", color=COLORS[0], ha="right", va="bottom")
    left.set(xlabel="time, step times steps", ylabel="sharpness", xticks=[0, 90, 180], ylim=(0, 6.8))
    right.semilogy(losses["time"], losses["quarter"], color=COLORS[1], linestyle="--")
    right.semilogy(every["time"], every["loss"], color=COLORS[0], linewidth=1.2)
    right.set(xlabel="time", ylabel="loss", xticks=[0, 90, 180])


@figure(
    test=SCALES,
    title="From small alpha the limit has nearly the least l1 norm, from large alpha the least l2 norm",
    alt="Two panels, depth 2 and depth 3: by how many percent the l1 norm and the l2 norm of the limit exceed their "
    "least values, against the scale alpha from 1/100 to 100. The l1 excess rises from near 0 to 4.8 percent, the "
    "l2 excess falls from about 2 percent to 0. Both turn between alpha = 1/100 and 1, at depth 3 more steeply.",
)
def excess_against_scale(canvas: Canvas, series: Series) -> None:
    """Draw both excesses in percent, one panel for each depth."""
    panels = canvas.subplots(1, 2, sharey=True)
    for axes, depth in zip(panels, (2, 3), strict=True):
        columns = series[f"l1 and l2 excess against alpha, depth {depth}"]
        axes.semilogx(columns["alpha"], 100 * columns["l1"], color=COLORS[0])
        axes.semilogx(columns["alpha"], 100 * columns["l2"], color=COLORS[1], linestyle="--")
        axes.set(xlabel=f"scale $\\alpha$, depth {depth}", xticks=[0.1, 10], yticks=[0, 1, 2, 3, 4, 5])
    panels[0].set_ylabel("excess over the least norm, %")
    panels[1].text(100, 4.4, "l1 norm", color=COLORS[0], ha="right", va="top")
    panels[1].text(100, 0.4, "l2 norm", color=COLORS[1], ha="right", va="bottom")


@figure(
    test=SCALES,
    title="The kernel moves by many times its size from small alpha, and hardly from large alpha",
    alt="Relative change of the tangent kernel from start to limit against the scale alpha from 1/100 to 100, both "
    "axes logarithmic, for depths 2, 3 and 4. The curves fall from over 1000 to below 1e-9, the deeper the "
    "steeper, and pass 1 between alpha = 0.3 and 1.",
)
def kernel_change_against_scale(canvas: Canvas, series: Series) -> None:
    """Draw the relative change of the kernel, one curve for each depth."""
    axes = canvas.add_subplot()
    axes.axhline(1, color=FAINT, linestyle=":")
    for depth, color, style in zip((2, 3, 4), COLORS, ("-", "--", "-."), strict=False):
        columns = series[f"kernel change against alpha, depth {depth}"]
        axes.loglog(columns["alpha"], columns["change"], color=color, linestyle=style, label=f"depth {depth}")
    axes.legend(loc="lower left")
    axes.set(xlabel="scale $\\alpha$ of the start", ylabel="relative change of the kernel", ylim=(1e-12, 1e12))


@figure(
    test=f"{HERE}/section_7_1_variance_preservation/test_preservation.py"
    "::test_over_eight_layers_each_law_preserves_the_mean_square_with_its_own_activation_alone",
    title="Xavier preserves the signal without an activation, He with ReLU, and neither the other way round",
    alt="Mean square of the signal against the layer, from 0 to 8, logarithmic. Xavier without an activation stays at "
    "1, He with ReLU at 2 from the first layer on. He without an activation doubles in every layer, to 256. "
    "Xavier with ReLU halves from the second layer on, to 1/128.",
)
def variance_against_depth(canvas: Canvas, series: Series) -> None:
    """Draw the mean square of the four pairs of a law and an activation."""
    axes = canvas.add_subplot()
    columns = series["mean square against depth"]
    lines = (
        ("identity_he", "He, no activation", "--", (5.2, 64), "right"),
        ("relu_he", "He, ReLU", "-", (8, 2.5), "right"),
        ("identity_xavier", "Xavier, no activation", "-", (8, 0.75), "right"),
        ("relu_xavier", "Xavier, ReLU", "--", (4.6, 0.04), "right"),
    )
    for (name, label, style, place, side), marker in zip(lines, "s^ov", strict=True):
        color = COLORS[name.startswith("relu")]
        axes.plot(columns["layer"], columns[name], color=color, linestyle=style, marker=marker)
        above = name in ("identity_he", "relu_he")
        axes.text(*place, label, color=color, ha=side, va="bottom" if above else "top")
    axes.set_yscale("log", base=2)
    axes.set(xlabel="layer", ylabel="mean square of the signal", xticks=[0, 2, 4, 6, 8])
    axes.set_yticks([2.0**k for k in (-6, -3, 0, 3, 6)], ["1/64", "1/8", "1", "8", "64"])


@figure(
    test=f"{HERE}/section_7_2_small_learning_rate/test_second_order.py"
    "::test_of_one_mode_descent_is_off_the_flow_by_order_one_and_off_the_corrected_flow_by_order_two",
    title="Descent is off the gradient flow by the first order of the step, off the corrected flow by the second",
    alt="Distance of gradient descent from two flows at time 1 against the step, from 1/1024 to 1/2, both axes "
    "logarithmic. The distance from gradient flow falls in proportion to the step, that from the flow of the "
    "corrected loss in proportion to its square, from 0.04 to 1e-7.",
)
def distance_to_the_flows(canvas: Canvas, series: Series) -> None:
    """Draw the distance of descent from both flows."""
    axes = canvas.add_subplot()
    columns = series["distance to the flows against the step"]
    axes.loglog(columns["eta"], columns["flow"], color=COLORS[0], marker="o")
    axes.loglog(columns["eta"], columns["corrected"], color=COLORS[1], marker="s", linestyle="--")
    axes.text(0.01, 0.004, "gradient flow", color=COLORS[0], ha="right", va="bottom")
    axes.text(0.03, 5e-5, "corrected flow", color=COLORS[1], ha="left", va="top")
    axes.set(xlabel="step $\\eta$, in units of 1/curvature", ylabel="distance of descent at time 1")


@figure(
    test=f"{HERE}/section_7_2_edge_of_stability/test_a_edge.py"
    "::test_the_loss_falls_below_the_edge_stays_on_it_and_grows_beyond_it_unless_the_top_mode_is_zero",
    title="A quadratic loss falls where eta S is below 2 and grows above, unless the start lacks the top mode",
    alt="Loss against step over 20 steps, logarithmic. From 2.5 at the start it falls to 0.0003 at eta S = 1.8, "
    "settles at 2 at eta S = 2, and grows to 3000 at eta S = 2.2. At eta S = 3 from a start without the top mode, of "
    "loss 0.5, it falls fastest, below one in a million in five steps.",
)
def loss_around_the_edge(canvas: Canvas, series: Series) -> None:
    """Draw the loss of the four runs."""
    axes = canvas.add_subplot()
    columns = series["loss against step"]
    labels = (
        ("above", "$\\eta S = 2.2$", "-", "^", (20, 300), "top"),
        ("at", "$\\eta S = 2$", "--", "s", (20, 5), "bottom"),
        ("below", "$\\eta S = 1.8$", "-", "o", (14, 0.0003), "top"),
        ("without", "$\\eta S = 3$, no top mode", "-.", "v", (9.2, 1e-5), "center"),
    )
    for (name, label, style, marker, place, side), color in zip(labels, COLORS, strict=False):
        axes.semilogy(columns["step"], columns[name], color=color, linestyle=style, marker=marker, markersize=3.5)
        axes.text(*place, label, color=color, ha="left" if name == "without" else "right", va=side)
    axes.set(xlabel="step", ylabel="loss", xticks=[0, 5, 10, 15, 20], ylim=(1e-7, 1e4))


@figure(
    test=f"{HERE}/section_7_2_edge_of_stability/test_a_minima.py"
    "::test_runs_that_start_near_a_minimum_beyond_the_edge_leave_it_for_one_inside",
    title="Runs that start near a minimum sharper than 2/eta leave it and end at one that is flatter",
    alt="The plane of u and v with the minima uv = 1 as a hyperbola and the circle of sharpness 2/eta = 5. Two runs "
    "of gradient descent start near minima outside of the circle, swing to and fro across the hyperbola and end "
    "at minima inside. A third run starts inside and goes straight to a minimum.",
)
def minimal_model_in_the_plane(canvas: Canvas, series: Series) -> None:
    """Draw the minima, the circle of sharpness 2/eta and three runs."""
    axes = canvas.add_subplot()
    u, angle = np.geomspace(0.3, 3.2, 80), np.linspace(-0.35, np.pi / 2 + 0.35, 80)
    axes.plot(u, 1 / u, color=INK, linewidth=1)
    axes.plot(5**0.5 * np.cos(angle), 5**0.5 * np.sin(angle), color=FAINT, linestyle=":")
    for name, color, style in (("right", COLORS[0], "-"), ("top", COLORS[1], "--"), ("inside", COLORS[2], "-")):
        run = series[f"run from {name}"]
        axes.plot(run["u"], run["v"], color=color, linestyle=style, linewidth=1, marker=".", markersize=4)
        axes.plot(run["u"][0], run["v"][0], color=color, marker="o", markersize=7)
        axes.plot(run["u"][-1], run["v"][-1], color=color, marker="*", markersize=11)
    axes.text(1.65, 1.65, "$u^2 + v^2 = 2/\\eta$", color=INK, ha="left", va="bottom")
    axes.text(0.42, 3.1, "$uv = 1$", color=INK, ha="left", va="center")
    axes.set(xlabel="$u$", ylabel="$v$", aspect="equal", xticks=[0, 1, 2, 3], yticks=[0, 1, 2, 3])


@figure(
    test=f"{HERE}/test_section_7_2_large_learning_rate.py"
    "::test_the_risk_of_the_limit_falls_with_the_rate_beyond_one_over_the_curvature_alone",
    title="Up to the rate 1/curvature the limit is that of the flow; beyond it, this neuron ends at a lower risk",
    alt="Risk of the limit against the rate in units of 1/curvature, from 0 to 2. It is 1.5 up to the rate 1, falls "
    "from there along a parabola to 0 at the rate 7/4, and stays at 0.",
)
def risk_against_the_rate(canvas: Canvas, series: Series) -> None:
    """Draw the risk of the limit against the rate."""
    axes = canvas.add_subplot()
    columns = series["risk of the limit against the rate"]
    axes.axvline(1, color=FAINT, linestyle=":")
    axes.axvline(2, color=FAINT, linestyle=":")
    axes.plot(columns["rate"], columns["risk"], color=COLORS[0], marker="o", markersize=4)
    axes.text(0.97, 0.1, "limit of the flow", color=INK, ha="right", va="bottom")
    axes.text(1.97, 1.55, "edge of stability", color=INK, ha="right", va="top")
    axes.set(xlabel="rate, in units of 1/curvature", ylabel="risk on fresh inputs", xticks=[0, 0.5, 1, 1.5, 2])


@figure(
    test=f"{HERE}/theorem_7_2_learning_rate/test_a_limit.py::test_three_rates_take_three_paths_to_one_limit",
    title="On a quadratic loss the rate changes the path of descent, not its limit",
    alt="Three paths of gradient descent in the plane, from (0, 0) to the same limit (1, 2). At a fifth of "
    "1/curvature the path is a smooth bend. At 1/curvature it jumps to the first coordinate of the limit and then "
    "rises. At 1.9 times 1/curvature it swings to and fro in the first coordinate, less and less.",
)
def three_rates_one_limit(canvas: Canvas, series: Series) -> None:
    """Draw the three paths and their common limit."""
    axes = canvas.add_subplot()
    paths = (("slow", 0.2, "-", "o"), ("one", 1, "--", "s"), ("fast", 1.9, "-", "^"))
    for (name, rate, style, marker), color in zip(paths, COLORS, strict=False):
        path = series[f"path at {name}"]
        label = f"$\\eta\\lambda_{{max}}$ = {rate}"
        axes.plot(
            path["first"],
            path["second"],
            color=color,
            linestyle=style,
            linewidth=1.2,
            marker=marker,
            markersize=4,
            label=label,
        )
    axes.plot(1, 2, color=INK, marker="*", markersize=13, linestyle="none", label="limit")
    axes.legend(loc="upper left")
    axes.set(xlabel="$\\theta_1$", ylabel="$\\theta_2$", ylim=(-0.1, 2.9), xticks=[0, 1, 2], yticks=[0, 1, 2])
