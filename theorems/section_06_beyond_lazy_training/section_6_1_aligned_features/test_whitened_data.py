r"""Section 6.1: aligned features - on whitened data the alignment of a linear network is known at every step.

Setting     $f = \alpha X W^\top a$, $L = \frac12 \|f - y\|^2$, both layers trained, $K = \alpha^2 X (W^\top W + \|a\|^2
            I) X^\top$; $y = X\beta$ with $\beta$ not zero; $\alpha = 1$ where it is not named. Whitened data:
            $X^\top X = I_d$, $d \ge 2$. Alignment is $A(K) = y^\top K y/(\|K\|_F \|y\|^2)$. $s = \max(c, \|a_0\|)$,
            $\eta = 1/(4(\|\beta\| + s^2))$
Hypotheses  (H1) An isotropic start, $W_0^\top W_0 = c^2 I$ with $c > 0$. (H2) A silent start, $W_0^\top a_0 = 0$. (H3)
            A small start: every entry of $W_0$ and $a_0$ is small beside $\sqrt{\|\beta\|}$; each clause says how
            small.
Corrected   (C1) On whitened data H1 and H2 give the alignment at every step: $A = x/\sqrt{x^2 + d - 1}$ with
            $x = (\|w\|^2 + \|a\|^2)/(c^2 + \|a\|^2)$ for $w = W\beta/\|\beta\|$, and $w \pm a$ are multiplied by
            $1 \mp \eta \rho$, $\rho = w^\top a - \|\beta\|$. Under H1 and H2, $x \ge 1$: $A$ is not below the alignment
            of $X X^\top$. All of this holds up to rounding.
            (C2) On whitened data, under H1 and H2, the run ends, at a misfit $\epsilon$, with the $x$ of C1 in $2 - 2
            s^2/(\|\beta\| - \epsilon) \le x \le 2$ if $s^2 \le \|\beta\|/4$. Under H3 this is near $A = 2/\sqrt{d+3}$.
            A start with $\|a_0\| = c$ uses half of this interval.
            (C5) An output scale is a larger start: $(\alpha, W, a)$ and $(1, \sqrt{\alpha} W, \sqrt{\alpha} a)$ have
            one function and, up to the factor $\alpha$, one kernel at every step, if $\eta$ is proportional to
            $1/\alpha$.
Idea        Along $\beta$ the sum and the difference of $W \beta/\|\beta\|$ and $a$ are multiplied by $1 - \eta \rho$
            and $1 + \eta \rho$, and nothing else moves.
Tolerance   Iterates are held to two scalar products, up to rounding. Scaling by powers of two is exact in floating
            point
Findings    For linear networks a small start is needed for the size of the rise (C2), and not for a rise (C1). The
            equality $\|a_0\| = c$ is not needed
"""

import numpy as np
import pytest

from fixtures.dynamics.paths import at_time
from fixtures.dynamics.two_layer import fit, network_path
from fixtures.models.two_layer import TwoLayer
from fixtures.problems.batches import given_batches
from properties.certificates import assert_at_most, assert_identical, assert_within
from theorems.ledger import corrected
from theorems.section_06_beyond_lazy_training.section_6_1_aligned_features.alignment import (
    alignment,
    alignment_of_anisotropy,
    anisotropy_on_whitened_data,
)
from theorems.section_06_beyond_lazy_training.section_6_1_aligned_features.linear_targets import (
    FITTED,
    MISFIT,
    alignment_rounding,
    misfit,
    targets,
)


@corrected("C1", "H1", "H2")
@pytest.mark.parametrize("steps", [1, 7, 40])
@given_batches(target=targets(whitened=True))
def test_on_whitened_data_the_alignment_is_known_at_every_step(target, steps):
    # given  H1, H2; weights of any size from 1/64 to 8, lazy or rich; |a_0| is smaller than c, larger or zero
    size = 2.0 ** (target.power - 6)
    net, eta = target.start(size)
    # when
    now = at_time(network_path(net, target.X, target.y, eta), steps)
    # then
    value, known = (
        alignment(now.kernel(target.X), target.y),
        alignment_of_anisotropy(anisotropy_on_whitened_data(target, size, eta, steps), target),
    )
    slack = alignment_rounding(target, steps)
    assert_at_most(np.abs(value - known), slack, why="alignment by two scalar products", instance=target)
    # then   it is not below 1/sqrt(d), the alignment of XX' and of the start
    assert_at_most(1 / np.sqrt(target.dimension), value + slack, why="above the alignment of the start")


@corrected("C2", "H1", "H2", "H3")
@given_batches(target=targets(whitened=True))
def test_a_small_start_on_whitened_data_ends_at_two_over_the_root_of_d_plus_three(target):
    # given  weights of size 2^-11 to 2^-2, so that s is 1/2 at most
    size = 2.0 ** (target.power - 11)
    net, eta = target.start(size)
    # when
    end = fit(net, target.X, target.y, eta, FITTED, budget=800)
    # then   2 - x = (2c^2 - (c^2 - |a_0|^2) GD)/(c^2 + |a|^2), 0 <= GD <= 1, and c^2 + |a|^2 >= w.a >= |beta| - misfit
    value, limit = alignment(end.kernel(target.X), target.y), 2 / np.sqrt(target.dimension + 3)
    least, slack = 2 - 2 * target.largest(size) ** 2 / (target.length - MISFIT), alignment_rounding(target, 800)
    lowest, halfway = (alignment_of_anisotropy(x, target) for x in (least, (2 + least) / 2))
    assert_at_most(misfit(end, target), MISFIT, why="the fit", instance=target)
    assert_within(lowest, value, limit, slack=slack, why="the final alignment", instance=target)
    # then   where |a_0| = c, half of the interval is used
    allowed = np.where(target.ratio == 1, halfway, limit)
    assert_at_most(value, allowed + slack, why="half of the interval is used", instance=target)


@corrected("C5")
@given_batches(target=targets(whitened=True))
def test_a_large_output_scale_is_a_larger_start_and_not_laziness(target):
    # given  weights of size 2^-10 at the output scale 2^10, and of size 2^-5 at the scale 1: the same alpha c^2
    net, eta = target.start(2.0**-5)
    scaled = TwoLayer(net.W / 2**5, net.a / 2**5, "identity", 2.0**10)
    # when   eta goes with 1/alpha
    end = at_time(network_path(net, target.X, target.y, eta), 60)
    same = at_time(network_path(scaled, target.X, target.y, eta / 2**10), 60)
    # then   the same function and, up to the factor alpha, the same kernel. All factors are powers of two, so both are
    #        equal bit for bit
    assert_identical(same.predict(target.X), end.predict(target.X), why="the function")
    assert_identical(same.kernel(target.X), 2.0**10 * end.kernel(target.X), why="the kernel")
    # then   the kernel is aligned: the network is rich, though its output scale is 1024
    known = alignment_of_anisotropy(anisotropy_on_whitened_data(target, 2.0**-5, eta, 60), target)
    value = alignment(same.kernel(target.X), target.y)
    assert_at_most(
        np.abs(value - known), alignment_rounding(target, 60), why="alignment at the scale 1024", instance=target
    )
