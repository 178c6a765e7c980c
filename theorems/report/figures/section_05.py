"""Figures of Section 5, the neural tangent kernel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from theorems.report.figures import Series, figure
from theorems.report.figures.style import COLORS, FAINT, INK

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas

SECTION = "theorems/section_05_neural_tangent_kernel"


@figure(
    test=f"{SECTION}/theorem_5_1_infinite_width/test_a_fixed_widths.py"
    "::test_all_eight_kernels_of_a_width_are_within_a_bound_that_nearly_halves_at_four_times_the_width",
    title="Kernels of eight random networks are within a bound of the limit that nearly halves at four times the width",
    alt="Largest deviation of an entry of the tangent kernel of ReLU networks from its limit, against the width 16 to "
    "4096, both axes logarithmic. Eight networks at each width lie between 0.1 and 0.8 at width 16 and between "
    "0.01 and 0.08 at width 4096. The bound falls from 6 to 0.2, about like the width to the power -1/2.",
)
def kernel_against_width(canvas: Canvas, series: Series) -> None:
    """Theorem 5.1 (a)."""
    axes = canvas.add_subplot()
    data = series["deviation of K_m"]
    m = data["m"]
    axes.loglog(m, data["bound"], color=INK, linestyle="--", marker="s")
    axes.fill_between(m, data["least"], data["largest"], color=COLORS[0], alpha=0.25, linewidth=0)
    axes.loglog(m, data["median"], color=COLORS[0], marker="o")
    axes.loglog(m, data["median"][0] * (m / m[0]) ** -0.5 / 25, color=FAINT, linestyle=":")
    axes.annotate("bound at probability $10^{-12}$", (m[2], data["bound"][2]), (m[1] * 1.3, data["bound"][1] * 1.2))
    axes.annotate("eight networks", (m[2], data["median"][2]), (m[0] * 1.1, 0.06), color=COLORS[0])
    axes.annotate("slope $-1/2$", (m[1], 0.03), (m[1], 0.0025), color=FAINT)
    axes.set(xlabel="width $m$", ylabel=r"largest entry of $|K_m - K^\infty|$")
    axes.set_xticks(m, [f"{int(width)}" for width in m], minor=False)
    axes.minorticks_off()


@figure(
    test=f"{SECTION}/theorem_5_1_infinite_width/test_b_wide_networks.py"
    "::test_standard_and_ntk_networks_keep_their_kernel_as_they_widen_and_mean_field_and_mup_networks_do_not",
    title="On two samples, standard and NTK networks keep their kernel as they widen; mean-field and muP do not",
    alt="Two panels against the width 16 to 1024, all axes logarithmic, with the parameterizations standard, NTK, "
    "mean-field and muP. Left, the movement of the weights: it falls for standard, is flat for NTK and muP, and "
    "grows for mean-field. Right, the relative change of the kernel: it falls to less than a thousandth for "
    "standard and NTK, and stays between 0.2 and 0.4 for mean-field and muP, which are one curve.",
)
def four_parameterizations(canvas: Canvas, series: Series) -> None:
    """Theorem 5.1 (b)."""
    panels = canvas.subplots(1, 2)
    styles = {"mean-field": "^-.", "mup": "D:", "ntk": "o-", "standard": "s--"}
    names = {"mup": "muP", "ntk": "NTK"}
    for axes, title in zip(panels, ("movement", "relative kernel change"), strict=True):
        data = series[title]
        for (name, line), color in zip(styles.items(), (COLORS[1], COLORS[3], COLORS[0], COLORS[2]), strict=True):
            axes.loglog(data["m"], data[name], line, color=color, label=names.get(name, name))
        axes.set(xlabel="width $m$", ylabel=title)
        axes.set_xticks([16, 128, 1024], ["16", "128", "1024"])
        axes.minorticks_off()
    panels[0].set_ylabel(r"movement $|\theta_T - \theta_0|$")
    handles, labels = panels[0].get_legend_handles_labels()
    canvas.legend(handles, labels, loc="outside upper center", ncols=4, columnspacing=1, handletextpad=0.3)


@figure(
    test=f"{SECTION}/theorem_5_1_infinite_width/test_d_early_stopping.py"
    "::test_the_ratio_of_the_variances_of_flow_and_ridge_has_its_supremum_enclosed",
    title="Stopped at time t, the flow has at most 1.69 times the variance of ridge at the penalty 1/t",
    alt="Flow over ridge in one mode, against the eigenvalue times the time from 0.01 to 100, logarithmic. The ratio "
    "of the variances is 1 at both ends and has its maximum 1.686 at 1.79. The ratio of the squared biases falls "
    "from 1 to 0.",
)
def flow_over_ridge(canvas: Canvas, series: Series) -> None:
    """Theorem 5.1 (d)."""
    axes = canvas.add_subplot()
    data = series["flow over ridge"]
    axes.axhline(1.6861, color=FAINT, linestyle=":")
    axes.axhline(1, color=FAINT, linewidth=0.8)
    axes.semilogx(data["s"], data["variance"], color=COLORS[1])
    axes.semilogx(data["s"], data["squared_bias"], "--", color=COLORS[0])
    axes.annotate("1.686", (0.01, 1.6861), (0.01, 1.72), color=FAINT)
    axes.annotate("variance", (10, 1.2), (11, 1.28), color=COLORS[1])
    axes.annotate("squared bias", (0.5, 0.7), (0.4, 0.5), ha="right", color=COLORS[0])
    axes.set(xlabel="eigenvalue times time, $w t$", ylabel="flow over ridge, in one mode", ylim=(0, 2))
    axes.set_xticks([0.01, 0.1, 1, 10, 100], ["0.01", "0.1", "1", "10", "100"])
    axes.minorticks_off()


@figure(
    test=f"{SECTION}/theorem_5_2_minimum_rkhs_norm/test_limit_of_descent.py"
    "::test_on_the_circle_descent_nears_the_interpolant_at_every_angle",
    title="From zero, descent in the kernel regime nears the interpolant of least RKHS norm at every input",
    alt="Functions on the circle against the angle, for five samples. After 1 and 4 steps the function of descent is "
    "too flat. After 10 steps it nearly agrees with the interpolant of least norm, which passes through all "
    "samples.",
)
def descent_on_the_circle(canvas: Canvas, series: Series) -> None:
    """Theorem 5.2."""
    axes = canvas.add_subplot()
    data, inputs = series["functions"], series["inputs"]
    lines = {"t=1": (":", COLORS[0]), "t=4": ("-.", COLORS[2]), "t=10": ("--", COLORS[1]), "limit": ("-", INK)}
    labels = {"limit": "least norm"}
    for name, (line, color) in lines.items():
        label = labels.get(name, f"$t = {name[2:]}$")
        axes.plot(data["angle"], data[name], line, color=color, label=label)
    axes.plot(inputs["angle"], inputs["y"], "o", color=INK, markersize=8)
    axes.set(xlabel="angle of the input, degrees", ylabel="value $f(x)$", xticks=[-180, -90, 0, 90, 180])
    axes.legend(loc="upper left", bbox_to_anchor=(0.1, 1.03))


@figure(
    test=f"{SECTION}/section_5_1_neural_tangent_kernel/test_two_hidden_layers.py"
    "::test_the_mean_of_two_hidden_layers_at_opposite_inputs_nears_its_limit_like_one_over_the_width",
    title="With two hidden layers the mean kernel at opposite inputs nears its limit like one over the width",
    alt="How far the mean kernel of two hidden ReLU layers at opposite inputs is below its limit, against the width 1 "
    "to 300, both axes logarithmic. It falls from 0.08 to 0.0004. It starts at its upper bound, 3/(4 pi (m + 2)), "
    "and ends at its lower bound, which is half of it.",
)
def mean_kernel_against_width(canvas: Canvas, series: Series) -> None:
    """Section 5.1."""
    axes = canvas.add_subplot()
    data = series["limit less mean"]
    axes.loglog(data["m"], data["upper"], "--", color=INK)
    axes.loglog(data["m"], data["lower"], "--", color=INK)
    axes.loglog(data["m"], data["distance"], "o-", color=COLORS[0])
    axes.annotate(r"$3/(4\pi(m + 2))$", (20, 0.011), (25, 0.014), color=INK)
    axes.annotate(r"$3/(8\pi(m + 2))$", (5, 0.017), (5, 0.008), ha="right", color=INK)
    axes.set(xlabel="width $m$", ylabel=r"limit less mean kernel")
    axes.set_xticks([1, 10, 100], ["1", "10", "100"])
    axes.minorticks_off()
