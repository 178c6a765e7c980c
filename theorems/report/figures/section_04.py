"""Figures of Section 4, deep linear networks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from theorems.report.figures import Series, figure
from theorems.report.figures.style import COLORS, FAINT, INK

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas

SECTION = "theorems/section_04_deep_linear_networks"


@figure(
    test=f"{SECTION}/theorem_4_1_minimum_nuclear_norm/test_c_linear_measurements.py"
    "::test_on_its_way_to_norm_five_descent_passes_no_completion_of_norm_four",
    title="Descent ends at a completion of nuclear norm 5, and the least is 4",
    alt="Nuclear norm of the completion of a 2 x 2 matrix with the entries 1, 2, 2 against its fourth entry z. The "
    "curve has its least value 4 at z = 1 and rises to 5 at z = 4, where the matrix becomes positive "
    "semidefinite. The path of gradient descent starts near 0, stays below the curve, and meets it at z = 4, "
    "where the norm is 5.",
)
def two_by_two_completion(canvas: Canvas, series: Series) -> None:
    """Theorem 4.1 (c)."""
    axes = canvas.add_subplot()
    curve, path = series["all completions"], series["descent"]
    z, norms = curve["z"], curve["nuclear_norm"]
    axes.plot(z[z <= 4], norms[z <= 4], color=INK)
    axes.plot(z[z >= 4], norms[z >= 4], color=COLORS[0], linewidth=4)
    axes.plot(path["z"], path["nuclear_norm"], color=COLORS[1], linestyle="--")
    axes.plot(path["z"][-1], path["nuclear_norm"][-1], "o", color=COLORS[1], markersize=9)
    axes.plot(1, 4, "s", color=INK, markersize=8)
    axes.annotate("least: 4", (1, 4), (0.7, 3.2), ha="right", color=INK)
    axes.annotate("descent ends: 5", (4, 5), (4.3, 4.4), color=COLORS[1])
    axes.annotate("positive\nsemidefinite", (6, 7), (5.8, 7.3), ha="right", color=COLORS[0])
    axes.annotate("descent from $I/10$", (1.6, 2), (2.2, 1.6), color=COLORS[1])
    axes.annotate("indefinite", (-1.3, 5), (-0.9, 4.9), color=INK)
    axes.set(xlabel="missing entry $z$", ylabel="nuclear norm", xlim=(-2, 8), ylim=(0, 9))


@figure(
    test=f"{SECTION}/section_4_1_balancedness/test_descent.py"
    "::test_at_half_the_rate_descent_to_one_time_builds_up_at_most_half_of_the_imbalance",
    title="In these runs half the step builds up at most half of the imbalance, within the bound",
    alt="Imbalance of two layers after descent to the time 2 from balanced layers, against the learning rate from "
    "1/32 to 1/4, both axes logarithmic. It rises from 0.01 to 0.12, a little faster than in proportion to the "
    "rate. The bound, twice the rate times the decrease of the loss, is two to three times as large.",
)
def imbalance_against_rate(canvas: Canvas, series: Series) -> None:
    """Section 4.1, balancedness."""
    axes = canvas.add_subplot()
    data = series["imbalance at time 2"]
    axes.loglog(data["eta"], data["bound"], "s--", color=INK)
    axes.loglog(data["eta"], data["drift"], "o-", color=COLORS[0])
    axes.annotate("bound", (0.055, 0.085), color=INK)
    axes.annotate("descent", (0.07, 0.012), color=COLORS[0])
    axes.set(xlabel=r"learning rate $\eta$", ylabel=r"imbalance $|D_1|_F$ at time 2", ylim=(0.006, 0.5))
    axes.set_xticks(data["eta"], [f"1/{round(1 / eta)}" for eta in data["eta"]])
    axes.minorticks_off()


@figure(
    test=f"{SECTION}/section_4_2_integral_along_the_path/test_a_shortest_path.py"
    "::test_the_path_of_the_flow_is_longer_than_the_shortest_one",
    title="Gradient flow does not take the path of least integral of the norm of its layers",
    alt="Two paths in the plane of the two entries of diagonal layers, from (1/4, 1/4) to (1, 1/2). The flow first "
    "moves along the first entry, to about 1, and then steeply up along the second. The path of least integral "
    "starts a little flatter and soon rises steadily to the end. The integral along the flow is more than a tenth "
    "larger.",
)
def flow_and_shortest_path(canvas: Canvas, series: Series) -> None:
    """Section 4.2, integral along the path (a)."""
    axes = canvas.add_subplot()
    flow, shortest = series["flow"], series["shortest path"]
    axes.plot(flow["v_1"], flow["v_2"], color=COLORS[1])
    axes.plot(shortest["v_1"], shortest["v_2"], "--", color=COLORS[0])
    for end in (0, -1):
        axes.plot(flow["v_1"][end], flow["v_2"][end], "o", color=INK, markersize=7)
    axes.annotate("start", (0.25, 0.25), (0.25, 0.215), ha="center", color=INK)
    axes.annotate("end", (1, 0.5), (1.03, 0.49), color=INK)
    axes.annotate("gradient flow", (0.7, 0.3), (0.62, 0.27), color=COLORS[1])
    axes.annotate("least integral\nof the norm", (0.5, 0.3), (0.55, 0.38), color=COLORS[0], ha="right")
    axes.set(
        xlabel="first diagonal entry of each layer", ylabel="second diagonal entry", xlim=(0.15, 1.15), ylim=(0.2, 0.55)
    )


@figure(
    test=f"{SECTION}/proposition_4_2_depth/test_b_deeper_networks.py"
    "::test_from_equal_starts_the_second_mode_waits_the_longer_the_deeper_the_network",
    title="From equal starts: the deeper the network, the smaller the second singular value at a given first one",
    alt="Second against first singular value during training at depths 1, 2, 3 and infinity, both from 1/25, with "
    "targets 1 and 2. At depth 1 the second grows along, to 0.95 when the first is 1.9. At depths 2, 3 and "
    "infinity it is 0.56, 0.26 and 0.08 then.",
)
def second_mode_against_first(canvas: Canvas, series: Series) -> None:
    """Proposition 4.2 (b)."""
    axes = canvas.add_subplot()
    data = series["second mode"]
    lines = {"L=1": "-", "L=2": "--", "L=3": "-.", "L=inf": ":"}
    for (name, line), color in zip(lines.items(), COLORS, strict=False):
        axes.plot(data["first_mode"], data[name], line, color=color)
        label = r"$L = \infty$" if name == "L=inf" else f"$L = {name[2:]}$"
        axes.annotate(label, (1.9, data[name][-1]), (1.95, data[name][-1]), va="center", color=color)
    axes.set(xlabel="first singular value $s_1$, target 2", ylabel="second singular value $s_2$, target 1")
    axes.set(xlim=(0, 2.4), ylim=(0, 1), xticks=[0, 0.5, 1, 1.5, 2])


@figure(
    test=f"{SECTION}/proposition_4_2_depth/test_a_proportional_to_depth.py"
    "::test_the_selection_exponent_is_two_less_two_over_the_depth",
    title="The preference for large singular values grows with depth, but stays below the exponent 2",
    alt="The exponent p of the ratio of two singular values in the ratio of their velocities, against the depth 1 to "
    "12. It is 0, 1, 4/3, 3/2, 5/3 and 11/6 at the depths 1, 2, 3, 4, 6 and 12 and stays below 2. In proportion "
    "to depth it would be 2, 3 and 6 at the depths 4, 6 and 12.",
)
def exponent_against_depth(canvas: Canvas, series: Series) -> None:
    """Proposition 4.2 (a)."""
    axes = canvas.add_subplot()
    depth, exponent = ([series[f"depth {L}"][name][0] for L in (1, 2, 3, 4, 6, 12)] for name in ("L", "exponent"))
    axes.axhline(2, color=FAINT, linestyle=":")
    axes.plot([0, 7], [0, 3.5], "--", color=INK)
    axes.plot(depth, exponent, "o-", color=COLORS[0])
    axes.annotate("in proportion to $L$", (5, 2.5), (4.9, 2.7), ha="right", color=INK)
    axes.annotate("2", (12, 2), (12.1, 2.06), color=FAINT)
    axes.annotate("$2 - 2/L$", (8, 1.7), (8.5, 1.45), color=COLORS[0])
    axes.set(xlabel="depth $L$", ylabel="selection exponent $p$", xlim=(0, 12.5), ylim=(0, 3.5), xticks=depth)


@figure(
    test=f"{SECTION}/proposition_4_3_width/test_conditioning.py"
    "::test_the_wider_the_layer_the_nearer_eight_networks_are_to_the_condition_number_ten_of_the_data",
    title="As the layer widens, the bounds on the condition number close in on that of the data, here 10",
    alt="Condition number of the Gram matrix of the gradients of eight networks against the width 128 to 8192, both "
    "axes logarithmic. The networks are between 9.3 and 12.5 at width 128 and between 9.9 and 10.3 at width 8192, "
    "around the condition number 10 of the data. The bounds around them narrow from a factor 97 to a factor 1.5.",
)
def condition_against_width(canvas: Canvas, series: Series) -> None:
    """Proposition 4.3."""
    axes = canvas.add_subplot()
    data = series["condition number"]
    m = data["m"]
    axes.axhline(10, color=FAINT, linestyle=":")
    axes.loglog(m, data["upper"], "s--", color=INK)
    axes.loglog(m, data["lower"], "s--", color=INK)
    axes.errorbar(
        m,
        data["median"],
        [data["median"] - data["least"], data["largest"] - data["median"]],
        fmt="o-",
        color=COLORS[0],
        capsize=4,
    )
    axes.annotate("bounds", (m[1], data["upper"][1]), (m[1] * 1.2, 90), color=INK)
    axes.annotate("eight networks", (m[0], 10), (m[0], 16), color=COLORS[0])
    axes.annotate("data: 10", (m[0], 10), (m[0], 4), color=FAINT)
    axes.set(xlabel="width $m$", ylabel="condition number of $K$")
    axes.set_xticks(m, [f"{int(width)}" for width in m])
    axes.set_yticks([0.1, 1, 10, 100, 1000], ["0.1", "1", "10", "100", "1000"])
    axes.minorticks_off()
