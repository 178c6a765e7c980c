"""Self-tests: GTH against exact elimination, where LAPACK has lost every digit."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given

from fixtures.precision import rounding
from fixtures.problems.tapes import tapes
from fixtures.rational import fractions, solve, to_fractions
from theorems.section_08_stochastic_gradient_descent.finite_chains.landscapes import TwoWells
from theorems.section_08_stochastic_gradient_descent.finite_chains.markov_chains import (
    escape_time,
    exit_times,
    gth_rounding,
    stationary_law,
)
from theorems.section_08_stochastic_gradient_descent.finite_chains.two_well_chains import (
    fixed_point_chain,
    gaussian_chain,
)


def rare(tape, shape):
    """Positive floats from 1/8 down to 2^-90, no two alike in size."""
    return np.ldexp(1 + tape.naturals(shape, 16) / 16, -4 - 2 * tape.naturals(shape, 44))


@pytest.mark.slow
@given(tapes(120))
def test_the_law_of_a_chain_with_rare_moves_is_found_entry_by_entry(tape):
    n = 2 + tape.below(4)
    P = rare(tape, (n, n))
    exact = to_fractions(P)
    exact[range(n), range(n)] -= exact.sum(1)
    # pi P = 0 with the first column replaced by sum(pi) = 1
    exact[:, 0] = Fraction(1)
    pi = solve(exact.T, np.eye(n, dtype=int)[0])
    error = np.abs(stationary_law(P) / pi.astype(float) - 1)
    assert error.max() <= gth_rounding(n) + rounding(1)


@given(tapes(120))
def test_times_to_leave_are_found_entry_by_entry_and_enclose_the_escape_time(tape):
    n = 1 + tape.below(4)
    Q, leave = rare(tape, (n, n)), rare(tape, n)
    exact = -to_fractions(Q)
    exact[range(n), range(n)] += to_fractions(leave) - exact.sum(1)
    times = solve(exact, np.ones(n, int)).astype(float)
    assert np.abs(exit_times(Q, leave) / times - 1).max() <= gth_rounding(n) + rounding(1)
    lower, upper = escape_time(Q, leave)
    # three for the enclosure, and three for the times and the two numbers of a quotient
    slack = 6 * gth_rounding(n)
    assert times.min() * (1 - slack) <= lower <= upper <= times.max() * (1 + slack)
    assert slack <= rounding(2000)


def test_solving_with_i_minus_q_gives_a_negative_time_where_gth_is_right():
    # given  two states that exchange with chance 1/10, and the second is left with chance 1e-20
    Q, leave = np.array([[0, 0.1], [0.1, 0]]), np.array([0, 1e-20])
    with_diagonal = Q + np.diag(1 - Q.sum(1) - leave)
    # then   exactly T_2 = 2/leave and T_1 = T_2 + 10
    exact = [2 / Fraction(1e-20) + 1 / Fraction(0.1), 2 / Fraction(1e-20)]
    assert np.linalg.solve(np.eye(2) - with_diagonal, np.ones(2)).max() < 0
    assert np.abs(exit_times(Q, leave) / np.array(exact, float) - 1).max() <= gth_rounding(2) + rounding(1)


def test_at_batch_eight_the_sharp_well_is_left_at_a_negative_time_or_once_in_1e19_steps():
    import mpmath

    wells = TwoWells(1.0, 8.0, -1.5, 1.0)
    x, P = gaussian_chain(wells, 0.1, 4 / 8, 3)
    inside = wells.in_sharp(x)
    Q, leave = P[np.ix_(inside, inside)], P[np.ix_(inside, ~inside)].sum(1)
    time = exit_times(Q, leave)
    # the same entries, with 1 - q_kk as their exact sum, solved with 60 digits
    with mpmath.workdps(60):
        A = -mpmath.matrix(Q.tolist())
        for k in range(len(Q)):
            A[k, k] = mpmath.mpf(leave[k]) + mpmath.fsum(q for j, q in enumerate(Q[k].tolist()) if j != k)
        exact = mpmath.lu_solve(A, mpmath.ones(len(Q), 1))
        error = max(abs(t / T - 1) for t, T in zip(time.tolist(), exact, strict=True))
    assert error <= gth_rounding(len(Q))
    naive = np.linalg.solve(np.eye(len(Q)) - Q, np.ones(len(Q)))
    assert np.abs(naive / time).max() < 1 / 100


def test_one_chain_or_many_and_fractions_or_floats():
    P = fractions([["1/2", "1/4", "1/4"], ["1/8", "1/2", "3/8"], [0, "1/3", "2/3"]])
    pi = stationary_law(P)
    assert (pi @ P).tolist() == pi.tolist()
    both = stationary_law(np.stack([P, P]).astype(float))
    assert np.abs(both - pi.astype(float)).max() <= gth_rounding(3)


def test_the_count_of_operations_is_the_one_that_is_derived():
    counts = [gth_rounding(n) / rounding(1) for n in (2, 3, 4, 24)]
    assert counts == [31, 88, 181, 21_921]


def test_a_chain_that_falls_apart_is_refused():
    with pytest.raises(ValueError, match="state 1 of the chain leads to none"):
        stationary_law(np.eye(2))
    with pytest.raises(ValueError, match="state 0 of the chain is never left"):
        exit_times(np.zeros((1, 1)), np.zeros(1))


def test_in_whole_numbers_the_chain_moves_by_the_mean_of_the_noise():
    # given  L = 7/8 (x - 2)^2 and 1/4 x^2, the noise +-2: from 2 to 0, 2, 4 in batches of two, and 4 - 7/2 is half up
    states, P = fixed_point_chain(TwoWells(2, Fraction(7, 4), 0, Fraction(1, 2)), 2, 2)
    for start, landing in ((2, 2), (4, 1)):
        row = P[states.tolist().index(start)]
        law = {landing - 2: 1 / 4, landing: 1 / 2, landing + 2: 1 / 4}
        assert dict(zip(states[row != 0].tolist(), row[row != 0], strict=True)) == law
    with pytest.raises(ValueError, match="not all whole numbers"):
        fixed_point_chain(TwoWells(2, Fraction(7, 4), 0, Fraction(1, 2)), 2, 3)


def test_the_nodes_lie_on_both_sides_of_the_ridge_and_rows_sum_to_one():
    wells = TwoWells(1.0, 8.0, -1.5, 1.0)
    x, P = gaussian_chain(wells, 0.1, np.array([4.0, 1.0]), 2)
    assert P.shape == (2, 40, 40)
    assert np.abs(P.sum(-1) - 1).max() <= rounding(40 + 1)  # the sum, a quotient and the sum again
    assert (x[:20] < wells.ridges[0]).all()
    assert (x[20:] > wells.ridges[0]).all()
