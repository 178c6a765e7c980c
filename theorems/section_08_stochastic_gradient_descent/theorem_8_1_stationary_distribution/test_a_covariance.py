r"""Theorem 8.1 (a) - the covariance and the current of the stationary law.

Setting     $\theta_{t+1} = \theta_t - \eta(\nabla L(\theta_t) + \xi_t)$ with $E\xi = 0$;
            $L = \frac12 \theta^\top H \theta$, gradient noise of covariance $C$, $A = I - \eta H$; $S$ is the
            stationary covariance. The printed covariance is $\eta H^{-1}/2$
Hypotheses  (H1) $\eta h < 2$ for every eigenvalue $h$ of $H$.  (H2) $H$ and $C$ do not depend on $\theta$ or on the
            step.  (H3) $L$ confines: $H$ is positive definite.
Corrected   (C1) With H1, H2, H3 the stationary covariance is the one solution of $S = ASA + \eta^2 C$. After $k$ steps
            from a point the covariance is $S - A^k S A^k$. In an eigenbasis of $H$,
            $S_{ij} = \eta C_{ij}/(h_i + h_j - \eta h_i h_j)$.  (C2) With H2, H3 the law of small steps,
            $S_1 = \lim_{\eta \to 0} S/\eta$, has $\|C - I\|_F/(2 h_{\max}) \le \|S_1 - H^{-1}/2\|_F \le \|C - I\|_F/(2
            h_{\min})$: it is the printed one if and only if $C = I$. Then each variance exceeds the printed one by the
            share $\eta h/(2 - \eta h)$ of the latter exactly, by H1.  (C3) With H1, H2, H3 the current $E[\theta_{t+1}
            \theta_t^\top - \theta_t \theta_{t+1}^\top]$ has the entries $\eta^2 C_{ij} (h_j - h_i)/(h_i + h_j - \eta
            h_i h_j)$: it is zero if and only if $H$ and $C$ commute
Idea        A step takes the covariance $S$ to $ASA + \eta^2 C$. In an eigenbasis of $H$ that is one equation for each
            entry
Tolerance   scipy's discrete Lyapunov solver, with its residual over the gap $1 - \rho^2$, $\rho$ the spectral radius of
            $A$, and rounding (`stationary_noise.stationary`); what is stated by hand is exact
"""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.linalg import norm

from fixtures.precision import rounding
from fixtures.problems.tapes import tapes
from fixtures.rational import fractions
from properties.certificates import assert_at_most, assert_identical, assert_keeps, assert_within
from theorems.ledger import corrected, necessity
from theorems.section_08_stochastic_gradient_descent.stationary_noise.noisy_quadratics import (
    basis_rounding,
    noisy_quadratics,
)
from theorems.section_08_stochastic_gradient_descent.stationary_noise.stationary import (
    covariance_after,
    recursion_rounding,
    stationary_covariance,
)
from theorems.section_08_stochastic_gradient_descent.theorem_8_1_stationary_distribution.covariances import (
    eigen_pairs,
    exact_stationary,
    power_in_eigenbasis,
    small_step_covariance,
    stationary_in_eigenbasis,
)

problems = noisy_quadratics(sizes=(1 / 2, 1.0, 1.5, 1.9, 1 / 64))


@corrected("C1", "H1", "H2", "H3")
@given(problem=problems)
def test_after_k_steps_the_covariance_is_s_less_a_to_the_k_s_a_to_the_k(problem):
    # given  H1, H2, H3 by the strategy; S by scipy, its residual checked
    S, error = stationary_covariance(problem.H, problem.C, problem.eta)
    # when
    S_k = covariance_after(problem.H, problem.C, problem.eta, problem.steps)
    # then   S - S_k = A^k S A^k, between 0 and rho^2k S
    A_k, A_error = power_in_eigenbasis(problem)
    p, x = len(problem.h), problem.eta * problem.h
    gap = np.min(x * (2 - x))  # an error shrinks by 1 - gap a step, so that at most 1/gap of them add up
    slack = 2 * error + recursion_rounding(problem.C, problem.eta, min(problem.steps, 1 / gap), norm(S))
    slack += (2 * A_error + rounding(2 * p + 2, np.sqrt(p))) * norm(S)  # two products and two differences
    assert_at_most(norm(S - S_k - A_k @ S @ A_k), slack, why="S - S_k against A^k S A^k", instance=problem)
    assert_at_most(slack, rounding(500, norm(S) / gap), why="ceiling", instance=problem)


@corrected("C1", "H1", "H2", "H3")
@given(problem=problems)
def test_in_an_eigenbasis_s_is_the_small_step_law_over_one_minus_eta_times_half_the_harmonic_mean(problem):
    # given  scipy's continuous Lyapunov solution of H S_1 + S_1 H = C, the law of small steps
    (S, error), (S_1, error_1) = stationary_in_eigenbasis(problem), small_step_covariance(problem)
    # then   S_ij (1 - eta h_i h_j/(h_i + h_j)) = eta S_1,ij
    s, product = eigen_pairs(problem)
    distance = norm(S * (1 - problem.eta * product / s) - problem.eta * S_1)
    slack = error + problem.eta * error_1 + rounding(8, norm(S))  # the operations on s and product
    assert_at_most(distance, slack, why="S against S_1", instance=problem)
    condition = problem.h.max() / problem.h.min()
    assert_at_most(error_1, rounding(500, condition * norm(S_1)), why="ceiling of the error of S_1", instance=problem)
    slack = s.max() * error_1 + basis_rounding(problem) * norm(problem.C) + rounding(3, s.max() * norm(S_1))
    assert_at_most(norm(s * S_1 - problem.Q.T @ problem.C @ problem.Q), slack, why="S_1", instance=problem)


def distance_bounds(h, anisotropy):
    """The bounds of C2 on |S_1 - H^-1/2|, for curvatures h and anisotropy = |C - I|."""
    return anisotropy / (2 * h.max()), anisotropy / (2 * h.min())


@corrected("C2")
@pytest.mark.parametrize(("noise", "end"), [([1, 4], 0), ([4, 1], 1)])
def test_noise_that_differs_from_the_identity_along_one_axis_attains_either_bound(noise, end):
    # given  H = diag(1, 3): S_1 = diag(c_i/(2 h_i)), and |C - I| = 3
    h, c = fractions([1, 3]), fractions(noise)
    # then
    assert_identical(distance_bounds(h, Fraction(3))[end], sum(abs(c - 1) / (2 * h)), why="|S_1 - H^-1/2|")


@corrected("C2", "H2", "H3")
@given(problem=problems)
def test_the_small_step_law_is_as_far_from_the_printed_one_as_c_from_the_identity_up_to_the_curvatures(problem):
    # given  in an eigenbasis of H, S_1 - H^-1/2 has the entries (C - I)_ij/(h_i + h_j)
    S_1, error = small_step_covariance(problem)
    p, anisotropy = len(problem.h), norm(problem.C - np.eye(len(problem.h)))
    # then   zero if and only if C = I
    distance = norm(S_1 - np.diag(1 / (2 * problem.h)))
    lower, upper = distance_bounds(problem.h, anisotropy)
    slack = error + rounding(p**2 + 4, upper) + rounding(2, norm(1 / problem.h))  # two norms of p^2 entries
    assert_within(lower, distance, upper, slack=slack, why="|S_1 - H^-1/2|", instance=problem)


@corrected("C1")
def test_the_stationary_covariance_of_two_directions_by_hand():
    # given  H = diag(1, 3), C = [[1, 1/2], [1/2, 2]], eta = 1/2: 1/2 over 2 - 1/2, 1/4 over 4 - 3/2, 1 over 6 - 9/2
    S = exact_stationary(fractions([1, 3]), fractions([[1, "1/2"], ["1/2", 2]]), Fraction(1, 2))
    assert_identical(S, fractions([["1/3", "1/10"], ["1/10", "2/3"]]), why="S")


@corrected("C2", "H1", "H2", "H3")
@given(tapes(6))
def test_for_noise_of_the_identity_the_printed_variance_is_off_by_eta_h_over_two_minus_eta_h(tape):
    # given  C = I, and eta h in (0, 2)
    h = fractions(1 + tape.naturals(3, 16))
    eta = Fraction(2 * (1 + tape.below(60)), 61 * int(h.max()))
    S, printed = np.diag(exact_stationary(h, fractions(np.eye(3, dtype=int)), eta)), eta / (2 * h)
    # then   the relative gap vanishes with eta
    assert_identical((S - printed) / printed, eta * h / (2 - eta * h), why="relative gap")


@corrected("C3", "H1", "H2", "H3")
@given(problem=problems)
def test_the_current_is_the_part_of_the_noise_that_does_not_commute_with_the_curvature(problem):
    # given  E[theta_(t+1) theta_t' - theta_t theta_(t+1)'] = AS - SA = eta(SH - HS), zero for a reversible chain
    S, _ = stationary_covariance(problem.H, problem.C, problem.eta)
    current = problem.Q.T @ (problem.eta * (S @ problem.H - problem.H @ S)) @ problem.Q
    # then   eta^2 C_ij (h_j - h_i)/(h_i + h_j - eta h_i h_j)
    s, product = eigen_pairs(problem)
    C, h, formed = problem.Q.T @ problem.C @ problem.Q, problem.h, basis_rounding(problem)
    factor = problem.eta**2 * np.subtract.outer(-h, -h) / (s - problem.eta * product)
    # and    S and H are off, products of p entries are rotated; C is rotated, its factor has 8 operations
    slack = (
        2
        * problem.eta
        * norm(h)
        * (stationary_in_eigenbasis(problem)[1] + (2 * formed + rounding(len(h) + 2)) * norm(S))
    )
    slack += (formed + rounding(8)) * np.abs(factor).max() * norm(C)
    assert_at_most(norm(current - factor * C), slack, why="current", instance=problem)


@corrected("C3")
def test_the_current_of_a_gaussian_law_by_hand():
    # given  H = diag(1, 3), C = [[1, 1/2], [1/2, 1]]
    h, C = fractions([1, 3]), fractions([[1, "1/2"], ["1/2", 1]])
    S_1 = C / np.add.outer(h, h)
    assert_identical(np.diag(h) @ S_1 + S_1 @ np.diag(h), C, why="H S_1 + S_1 H = C")
    # then
    assert_identical((S_1 @ np.diag(h) - np.diag(h) @ S_1)[0, 1], Fraction(1, 4), why="S_1 H - H S_1")


@necessity("H1")
@given(tapes(3))
def test_without_H1_the_variance_grows_without_bound(tape):
    # given  eta h = 2 or more along one direction, where the noise is not zero
    excess, k, h = Fraction(tape.below(8), 8), 1 + tape.below(10), fractions([1, 4])
    eta, C = (2 + excess) / h[1], fractions([[2, 1], [1, 1]])
    assert_keeps(H2=True, H3=h > 0)
    # when
    S_k = covariance_after(np.diag(h), C, eta, k)
    # then   at eta h = 2 a step adds eta^2 c to the variance, beyond that it adds more
    assert_at_most(k * eta**2 * C[1, 1], S_k[1, 1], why="variance after k steps")


@necessity("H3")
@given(st.integers(1, 20))
def test_without_H3_the_noise_along_the_minima_is_a_random_walk(k):
    # given  H = diag(1, 0), C of full rank
    eta, h, C = Fraction(1, 2), fractions([1, 0]), fractions([[1, 1], [1, 2]])
    assert_keeps(H1=eta * h < 2, H2=True)
    # when
    S_k = covariance_after(np.diag(h), C, eta, k)
    # then
    assert_identical(S_k[1, 1], k * eta**2 * C[1, 1], why="variance along the minima")
