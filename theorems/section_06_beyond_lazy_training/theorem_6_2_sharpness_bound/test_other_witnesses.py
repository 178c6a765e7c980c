r"""Theorem 6.2 - inputs of length one, other units, other models, and the norm of the weights in the bound.

Readings    [times the norm of the weights] "$\lesssim$" hides $\|\theta^*\|^2$ as well, as PAC-Bayes bounds have it, so
            that $S$ stands for $S \|\theta^*\|^2$ - refuted
Setting     $L(\theta) = \frac{1}{2n} \sum_i (f(x_i; \theta) - y_i)^2$. $R$ is its mean over a fresh sample. $S$ is the
            largest eigenvalue of the Hessian of $L$. The print bounds $R$ by $C$ times $L + \sqrt{S \log(n/\delta)/n}$.
            Most witnesses have $x$ uniform on $N$ vectors $\epsilon e_i$ and $y = 1$
Idea        Short inputs are not what refutes the print. With many atoms of length one, no atom is seen twice, and $R$
            stays near 1/2. Other units of $y$ multiply $R$ alone. A predictor that ignores the length of $w$ can have
            any small sharpness
Tolerance   Risk, loss, sharpness and probabilities are rational. Logarithms and roots are enclosed between decimal
            fractions; the side taken favors the print
Findings    Inputs of length one refute $C = 1$ and $C = 100$ with probability more than 1/2, at $n = 40 C$ and
            $N = n^2$. So do a predictor that ignores the length of $w$ (Section 9.2) and a ReLU network with both
            layers trained
"""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import strategies as st

from fixtures.rational import fractions
from properties.certificates import assert_at_most, assert_identical, assert_violates
from properties.search import smallest_violation
from theorems.ledger import counterexample
from theorems.section_06_beyond_lazy_training.theorem_6_2_sharpness_bound.bounds import DELTA, printed_bound
from theorems.section_06_beyond_lazy_training.theorem_6_2_sharpness_bound.witnesses import (
    assert_sharpness,
    atoms,
    exact_hessian,
    half_square,
)


@counterexample
@pytest.mark.parametrize("constant", [1, 100])
def test_inputs_of_length_one_refute_the_print_when_no_atom_is_seen_twice(constant):
    # given  epsilon = 1; n distinct atoms out of N = n^2, which a sample shows with more than half of all chances:
    #        (1 - 0/N) ... (1 - (n - 1)/N) >= 1 - n(n - 1)/(2N)
    n = 40 * constant
    assert_at_most(DELTA, 1 - Fraction(n * (n - 1), 2 * n**2), why="chance of n distinct atoms, more than delta")
    # then   H = diag(1/n or 0), the mean of f = 1 on n atoms and f = 0 on the rest
    risk, bound = Fraction(n**2 - n, 2 * n**2), printed_bound(0, Fraction(1, n), n, constant)
    reads = f"risk {{value}} > bound {{limit}} with C = {constant}"
    assert_violates(risk, bound, reads=reads, n=n, N=n**2, epsilon=1)


@counterexample(reading="times the norm of the weights")
@pytest.mark.parametrize(("n", "constant"), [(40, 1), (400, 2)])
def test_the_norm_of_the_weights_does_not_save_the_bound_where_no_atom_is_seen_twice(n, constant):
    r"""$x$ uniform on 1600 vectors $e_i$, $y = 1$, $n = 40$. With a chance over $\frac12$ no $e_i$ is seen twice: then
    $w$ is their sum, $L = 0$, $S = \frac1{40}$, $S \|w\|^2 = 1$. The bound with $\delta = \frac1{20}$ is
    $\sqrt{\ln(800)/40} < 0.409$, and $R = \frac12 \cdot \frac{1560}{1600} = \frac{39}{80}$ is larger."""
    risk, bound = Fraction(n**2 - n, 2 * n**2), printed_bound(0, Fraction(1, n) * n, n, constant)
    reads = f"risk {{value}} > bound {{limit}} with S |w|^2 for S and C = {constant}"
    assert_violates(risk, bound, reads=reads, n=n, N=n**2, epsilon=1)


@counterexample(reading="times the norm of the weights")
def test_hypothesis_finds_a_number_of_atoms_that_refutes_it():
    found = smallest_violation(
        st.integers(1, 100), lambda n: Fraction(n**2 - n, 2 * n**2) > printed_bound(0, Fraction(1), n)
    )
    risk = Fraction(found**2 - found, 2 * found**2)
    assert_violates(risk, printed_bound(0, Fraction(1), found), reads="risk {value} > bound {limit}", n=found)


@counterexample
def test_a_relu_network_with_both_layers_trained_refutes_the_print():
    # given  f(x) = a max(w'x, 0), n = 1, N = 2, epsilon = 10^-4; w = e_1/(100 epsilon), a = 100 fits (epsilon e_1, 1)
    epsilon = Fraction(1, 10**4)
    X, theta = atoms(2, epsilon), fractions([1 / (100 * epsilon), 0, 100])

    def loss(sample, theta):
        return half_square(theta[-1] * np.maximum(sample @ theta[:-1], 0), 1).sum() / len(sample)

    # then   the Hessian is that of the loss itself: no activation changes its sign within the stencil
    H = exact_hessian(lambda v: loss(X[:1], v), theta)
    assert_sharpness(H, Fraction(2, 10**4))
    assert_identical(loss(X[:1], theta), 0, why="the sample is fitted")
    bound = printed_bound(0, Fraction(2, 10**4), 1)
    assert_violates(loss(X, theta), bound, reads="risk {value} > bound {limit}", epsilon=epsilon, w=theta[:2], a=100)


@counterexample
@pytest.mark.parametrize("unit", [100, 10**6])
def test_a_change_of_the_units_of_y_breaks_any_constant(unit):
    # given  epsilon = 1, y = unit: w -> unit w keeps L = 0 and S = 1, and squares the unit in R
    X = atoms(2, 1)
    w = fractions([unit, 0])
    risk = half_square(X @ w, unit).sum() / 2
    assert_identical(half_square(X[:1] @ w, unit).sum(), 0, why="the sample is fitted")
    assert_sharpness(exact_hessian(lambda v: half_square(X[:1] @ v, unit).sum(), w), 1)
    constant = unit**2 // 8
    reads = f"risk {{value}} > bound {{limit}} with C = {constant}"
    assert_violates(risk, printed_bound(0, 1, 1, constant), reads=reads, n=1, N=2, epsilon=1, y=unit)


@counterexample
@pytest.mark.parametrize("constant", [1, 10**6])
def test_a_predictor_that_ignores_the_length_of_w_breaks_any_constant(constant):
    # given  f(x) = w'x/|w| at w = c (3/5, 4/5); the sample (e_1, 3/5), the other atom (e_2, 0): inputs of length one
    c, unit = 100 * constant, fractions(["3/5", "4/5"])
    X, y = fractions([[1, 0], [0, 1]]), fractions(["3/5", 0])
    f = X @ unit
    # then   the residual is zero, so the Hessian is gg' with g = (x - f unit)/c, the gradient of f
    g = (X[0] - f[0] * unit) / c
    assert_identical(f[0] - y[0], 0, why="the sample is fitted")
    assert_sharpness(np.outer(g, g), Fraction(16, 25) / c**2)
    bound = printed_bound(0, Fraction(16, 25) / c**2, 1, constant)
    reads = f"risk {{value}} > bound {{limit}} with C = {constant}"
    assert_violates(half_square(f, y).sum() / 2, bound, reads=reads, w=c * unit, delta=DELTA)
