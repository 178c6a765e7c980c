r"""Section 5.1: neural tangent kernel - the expectation is a kernel; for one hidden layer no width enters it.

Setting     One hidden layer of $m$ neurons in the NTK parameterization, $f(x) = m^{-1/2} \sum_j a_j s(w_j \cdot x)$;
            the weights are standard normal unless said otherwise, and $K_m$ is the kernel of one network. The Gaussian
            mean has closed forms for ReLU (also for three hidden layers) and erf.
Corrected   (C1) One hidden layer, neurons of one law, independent or not: $\mathbb{E} K_m$ is the same at every width.
Idea        An expectation of Gram matrices is a Gram matrix. (C1) $K_m$ is a mean over $m$ neurons.
Tolerance   Expectations over finite laws are sums of fractions. Gaussian ones are closed forms, with the rounding of
            their entries.
Chance      (C1) Chernoff bounds with the exact moment generating function, $10^{-8}$ for 100 examples and $10^{-7}$ for
            1,000, $2.5 \cdot 10^{-12}$ for each entry, side and width. Power: a kernel without the share of either
            layer, or half as large, is missed with a probability below $10^{-9}$ at unit inputs and either width. An
            output weight $|a|$ in place of $a^2$ moves the kernel by a tenth, and would need $2^{14}$ neurons or more.
Findings    By C1 the limit of infinite width adds nothing to the printed expectation of one hidden layer.
Expected    holds
"""

import functools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures.kernels.infinite_width import erf_ntk, erf_rounding, relu_nngp, relu_ntk
from fixtures.kernels.regression import working_precision
from fixtures.problems.batches import given_batches
from fixtures.problems.kernel_inputs import singular_inputs
from properties.certificates import assert_at_most, assert_identical
from properties.statistics.concentration import detectable_error, union_bound_share
from theorems.ledger import as_printed, corrected
from theorems.section_05_neural_tangent_kernel.section_5_1_neural_tangent_kernel.moments import mean_kernel, neuron_laws
from theorems.section_05_neural_tangent_kernel.section_5_1_neural_tangent_kernel.samples import (
    COMPARISONS,
    FALSE_ALARM,
    INPUTS,
    WIDTHS,
    mean_of_networks,
    tolerances,
)

DEEP = functools.partial(relu_ntk, hidden_layers=3)


@as_printed
@pytest.mark.parametrize("kernel", [relu_ntk, DEEP, erf_ntk], ids=["ReLU", "3 x ReLU", "erf"])
@given_batches(problem=singular_inputs())
def test_the_gaussian_mean_is_positive_semidefinite_where_it_is_singular_too(kernel, problem):
    # given  parallel or opposite inputs. (Theorem 5.2 shows that K is positive definite if no two inputs are)
    K = kernel(problem.X)
    # then   the least eigenvalue is at least 0 up to rounding: of the eigensolver, and of the entries, largest for erf
    bound = working_precision(K, erf_rounding(problem.X).max((1, 2)))
    assert_at_most(-np.linalg.eigvalsh(K)[:, 0], bound, why="least eigenvalue", instance=problem)


@corrected("C1")
@given(law=neuron_laws())
def test_the_mean_of_one_hidden_layer_is_the_same_at_every_width(law):
    # given  the law of one neuron; two independent neurons, and two copies of one
    one = mean_kernel(law, width=1)
    assert_identical(mean_kernel(law, width=2), one, why="E K_2 = E K_1")
    assert_identical(mean_kernel(law, width=1, copies=2), one, why="E K_2 = E K_1, copies")


@corrected("C1")
@given(seed=st.integers(0, 2**24))
def test_gaussian_networks_of_width_4_average_to_the_infinitely_wide_kernel_as_those_of_width_256_do(seed):
    # given  640 networks of width 4 and 10 of width 256: 2560 neurons each
    means = np.stack([mean_of_networks(width, 2 * seed + k) for k, width in enumerate(WIDTHS)])
    # then   the mean of R kernels of width m is a mean over R m neurons
    allowed = tolerances(union_bound_share(1e-8, COMPARISONS))
    assert_at_most(means - relu_ntk(INPUTS), allowed.above, why="entries from above")
    assert_at_most(relu_ntk(INPUTS) - means, allowed.below, why="entries from below")


@corrected("C1")
@pytest.mark.parametrize("without", ["hidden", "output"])
def test_the_averages_would_see_a_layer_that_is_missing(without):
    # given  in place of the mean, the share of one layer alone, at the first input
    K, output = relu_ntk(INPUTS)[0, 0], relu_nngp(INPUTS)[0, 0]
    planted = output if without == "hidden" else K - output
    # then   the error is half of K. A mean that is too large or too small by this much is missed with probability 1e-9
    found = detectable_error(tolerances, union_bound_share(1e-8, COMPARISONS), FALSE_ALARM)
    assert_at_most(
        max(found.above[0, 0], found.below[0, 0]), K - planted, why="detectable error, against the planted one"
    )
    assert_identical(K - planted, K / 2, why="the share of either layer")
