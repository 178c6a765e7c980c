"""Figures of Section 9: architectures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from theorems.report.figures import Series, figure
from theorems.report.figures.style import COLORS, FAINT, INK

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas

SECTION = "theorems/section_09_architectures"


@figure(
    test=f"{SECTION}/section_9_3_low_rank_attention/test_deep_stacks.py"
    "::test_four_tokens_in_the_plane_collapse_and_with_a_skip_connection_they_do_not",
    title="Through layers of attention alone four tokens collapse into one; with a skip connection they do not",
    alt="Largest range of a coordinate over the tokens, on a logarithmic axis, against the layer from 0 to 6. Without a"
    " skip connection it falls faster and faster: 2, 0.9, 0.1, 2 in 10^4, 1 in 10^12, and then 0 in floating"
    " point. With a skip connection it grows from 2 to 80.",
)
def token_collapse(canvas: Canvas, series: Series) -> None:
    """Draw the range of the tokens layer by layer, as long as it is not zero, with and without skip connections."""
    tokens = series["token oscillation against depth"]
    axes = canvas.add_subplot()
    for name, words, marker, line, color, shift in (
        ("with_skip", "with skip connection", "s", "--", COLORS[1], (-4, 12)),
        ("without", "attention alone", "o", "-", COLORS[0], (10, -4)),
    ):
        positive = tokens[name] > 0
        axes.semilogy(tokens["depth"][positive], tokens[name][positive], marker + line, color=color)
        at = tokens["depth"][3], tokens[name][3]
        axes.annotate(
            words, at, xytext=shift, textcoords="offset points", color=color, ha="left" if shift[0] > 0 else "right"
        )
    axes.set(xlabel="layer", ylabel="range of the tokens", xticks=tokens["depth"], yticks=[1e-12, 1e-8, 1e-4, 1])
    axes.minorticks_off()


@figure(
    test=f"{SECTION}/section_9_3_low_rank_attention/test_softmax_loss.py"
    "::test_in_softmax_attention_the_second_singular_value_catches_up_with_the_first_from_five_small_starts",
    title="From a small start the weights of the logits pass near rank one, and then the second mode catches up",
    alt="The second singular value of W over the first, on a logarithmic axis, against the step from 0 to 160, from"
    " three starts alpha times the identity. Each curve falls from 1, to about alpha: 0.1, 0.001 and"
    " 0.00001. Then it comes back, the later the smaller alpha is, and all are above 0.8 at step 160.",
)
def attention_rank_in_time(canvas: Canvas, series: Series) -> None:
    """Draw the ratio of the two singular values against the step, a curve for each start."""
    ratios = series["sigma_2/sigma_1 of W"]
    axes = canvas.add_subplot()
    for power, line, color in ((1, "-", COLORS[0]), (3, "--", COLORS[1]), (5, "-.", COLORS[2])):
        curve = ratios[f"alpha_1e_{power}"]
        lowest = curve.argmin()
        axes.semilogy(ratios["step"], curve, line, color=color)
        at = ratios["step"][lowest], curve[lowest]
        axes.annotate(f"$\\alpha = 10^{{-{power}}}$", at, xytext=(10, -6), textcoords="offset points", color=color)
    axes.minorticks_off()
    axes.set(xlabel="step of gradient descent", ylabel=r"$\sigma_2(W)/\sigma_1(W)$", yticks=[1e-4, 1e-2, 1])


@figure(
    test=f"{SECTION}/section_9_2_normalization/test_c_corrected.py"
    "::test_from_192_starts_descent_settles_where_the_rate_times_sharpness_is_at_most_two",
    title="Under normalization no step shortens the weights, and the rate times the sharpness ends at 2 at most",
    alt="Left: length of the weights against the step from 0 to 16, from length 1 at three rates. At the rate 1/2 it"
    " grows to 1.13; at the rate 4 the first step takes it to 3.5, at the rate 32 to 27, and later ones hardly add."
    " Right: the rate times the sharpness of the minimum, which is one over the squared length. It starts at the rate,"
    " is below 2 from the first step on, and ends at 0.39, 0.32 and 0.04. All vertical axes are logarithmic.",
)
def length_under_normalization(canvas: Canvas, series: Series) -> None:
    """Draw the length of the weights, and the rate over its square, against the step: a curve for each rate."""
    lengths = series["length of the weights"]
    left, right = canvas.subplots(1, 2)
    right.axhline(2, color=FAINT)
    right.text(16, 2.3, "stable below 2", color=INK, ha="right")
    for name, eta, words, style, color in (
        ("eta_32", 32, "32", "^-.", COLORS[2]),
        ("eta_4", 4, "4", "s--", COLORS[1]),
        ("eta_0_5", 1 / 2, "1/2", "o-", COLORS[0]),
    ):
        left.semilogy(lengths["step"], lengths[name], style, color=color)
        at = lengths["step"][6], lengths[name][6]
        left.annotate(f"rate {words}", at, xytext=(0, 8), textcoords="offset points", color=color)
        right.semilogy(lengths["step"], eta / lengths[name] ** 2, style, color=color)
    for axes in (left, right):
        axes.minorticks_off()
        axes.set(xlabel="step", xticks=[0, 8, 16])
    left.set(ylabel="length of the weights", ylim=(0.8, 60), yticks=[1, 10])
    right.set(ylabel="rate times sharpness", ylim=(0.02, 60), yticks=[0.1, 1, 10])


@figure(
    test=f"{SECTION}/section_9_3_sparse_attention/test_one_best_token.py"
    "::test_the_constants_of_C1_and_C2_are_attained_but_for_less_than_one_half",
    title="What the best of two tokens leaves to the other vanishes like one over the steps, between both bounds",
    alt="The share of the attention that the best of two tokens leaves, against the step from 1 to 300, both axes"
    " logarithmic. It falls from 0.44 to 0.0034. Two bounds enclose it; all three lines fall like one over the steps.",
)
def attention_left_to_others(canvas: Canvas, series: Series) -> None:
    """Draw the share that the best token leaves, and its two bounds."""
    shares = series["attention that the best of two tokens leaves"]
    axes = canvas.add_subplot()
    for name, words, line, color in (
        ("most", "upper bound of C1", ":", INK),
        ("left", "gradient ascent", "-", COLORS[0]),
        ("least", "lower bound of C1", "--", INK),
    ):
        axes.loglog(shares["step"], shares[name], line, color=color, label=words)
    axes.legend(loc="lower left")
    axes.minorticks_off()
    axes.set(xlabel="step", ylabel="attention left to the other token", xticks=[1, 10, 100], yticks=[0.01, 0.1])


@figure(
    test=f"{SECTION}/theorem_9_1_identity_bias/test_b_corrected.py"
    "::test_twenty_small_branches_are_conditioned_by_less_than_two_where_twenty_layers_are_by_a_million",
    title="Twenty small residual layers have a condition number below two, where twenty plain layers have a million",
    alt="Condition number of the Jacobian, on a logarithmic axis, against the number of layers from 1 to 20. Plain"
    " layers diag(1, 1/2) double it layer by layer, to 1,048,576. Residual layers with branches a fortieth as large"
    " hardly raise it, from 1.01 to 1.28.",
)
def conditioning_of_small_branches(canvas: Canvas, series: Series) -> None:
    """Draw the condition number against the number of layers, with and without skip connections."""
    conditions = series["condition number of the Jacobian"]
    axes = canvas.add_subplot()
    for name, words, style, color, shift in (
        ("plain", "plain layers", "s--", COLORS[1], (-10, 6)),
        ("residual", "residual layers", "o-", COLORS[0], (10, 10)),
    ):
        axes.semilogy(conditions["layers"], conditions[name], style, color=color)
        at, side = (conditions["layers"][9], conditions[name][9]), "right" if shift[0] < 0 else "left"
        axes.annotate(words, at, xytext=shift, textcoords="offset points", color=color, ha=side)
    axes.minorticks_off()
    axes.set(xlabel="layers", ylabel="condition number", xticks=[1, 5, 10, 15, 20], yticks=[1, 1e2, 1e4, 1e6])


@figure(
    test=f"{SECTION}/theorem_9_1_identity_bias/test_b_corrected.py"
    "::test_at_small_branches_a_layer_keeps_its_gradient_at_every_depth_and_without_skip_connections_it_vanishes",
    title="At small branches the first layer keeps its gradient at every depth; without skip connections it vanishes",
    alt="Gradient of the first layer over the error, on a logarithmic axis, against the number L of layers from 1 to"
    " 10, for branches I/(2L). With skip connections it rises slowly from 1 to 1.55. Without them it falls"
    " from 1 to 2 in 10^12.",
)
def gradient_of_the_first_layer(canvas: Canvas, series: Series) -> None:
    """Draw the gradient of the first layer against the number of layers, with and without skip connections."""
    gradients = series["gradient of the first layer"]
    axes = canvas.add_subplot()
    for name, words, style, color, shift in (
        ("with_skip", "with skip connections", "o-", COLORS[0], (0, -18)),
        ("without", "without them", "s--", COLORS[1], (10, 2)),
    ):
        axes.semilogy(gradients["layers"], gradients[name], style, color=color)
        at = gradients["layers"][4], gradients[name][4]
        axes.annotate(words, at, xytext=shift, textcoords="offset points", color=color)
    axes.minorticks_off()
    axes.set(xlabel="layers", ylabel="gradient of the first layer", xticks=gradients["layers"])
    axes.set_yticks([1e-12, 1e-8, 1e-4, 1])


@figure(
    test=f"{SECTION}/theorem_9_1_identity_bias/test_a_negative_targets.py"
    "::test_a_step_of_three_fifths_jumps_over_the_saddle",
    title="Towards -1 three layers that start at the identity stay above zero at the step 0.45, and pass it at 0.6",
    alt="Eigenvalue b of three equal layers against the step from 0 to 30, from 1. At the step size 0.45 it jumps to"
    " 0.1 and creeps towards 0, a saddle of the loss. At the step size 0.6 it jumps below 0 and goes to -1, where the"
    " loss is 0.",
)
def layers_towards_a_negative_target(canvas: Canvas, series: Series) -> None:
    """Draw the eigenvalue of equal layers against the step, at two step sizes, with the saddle and the minimum."""
    paths = series["equal layers towards -1"]
    axes = canvas.add_subplot()
    for height, words in ((0, "saddle, loss 1/2"), (-1, "minimum, loss 0")):
        axes.axhline(height, color=FAINT, linewidth=1)
        axes.text(30, height - 0.16, words, color=INK, ha="right")
    for name, words, style, color, shift in (
        ("eta_0_45", "step size 0.45", "s--", COLORS[1], (0, 8)),
        ("eta_0_6", "step size 0.6", "o-", COLORS[0], (6, 6)),
    ):
        axes.plot(paths["step"], paths[name], style, color=color)
        at = paths["step"][7], paths[name][7]
        axes.annotate(words, at, xytext=shift, textcoords="offset points", color=color)
    axes.set(xlabel="step", ylabel="eigenvalue $b$ of a layer", ylim=(-1.25, 1.1), yticks=[-1, 0, 1])
