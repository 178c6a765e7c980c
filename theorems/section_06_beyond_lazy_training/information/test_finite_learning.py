"""Self-tests: every data set is listed once, with its probability, and the strategy shrinks as promised."""

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given

from fixtures.problems.examples import simplest
from properties.certificates import assert_identical
from theorems.section_06_beyond_lazy_training.information.finite_learning import compositions, finite_learning


@pytest.mark.parametrize(("total", "parts"), [(0, 1), (3, 1), (4, 2), (5, 3)])
def test_compositions_are_complete_and_distinct(total, parts):
    rows = compositions(total, parts)
    assert_identical(rows.sum(axis=1), [total] * len(rows), why="sums")
    distinct = len(set(map(tuple, rows.tolist())))
    assert_identical([len(rows), distinct], [math.comb(total + parts - 1, parts - 1)] * 2, why="count")


@given(finite_learning(max_samples=3, levels=2))
def test_counts_and_chances_are_those_of_all_sequences(problem):
    # given  every sequence of outcomes with its probability
    k, n = len(problem.weights), problem.n
    expected = dict.fromkeys(map(tuple, problem.counts.tolist()), Fraction(0))
    for sequence in itertools.product(range(k), repeat=n):
        expected[tuple(np.bincount(sequence, minlength=k).tolist())] += math.prod(problem.weights[list(sequence)])
    # then
    assert_identical(problem.chances, list(expected.values()), why="chances")
    assert_identical(problem.chances @ problem.empirical_risks, problem.risks, why="E L = R")


def test_the_simplest_problem_is_one_hypothesis_without_loss():
    instance = simplest(finite_learning(max_samples=4))
    assert_identical([len(instance.prior), instance.n, *instance.risks], [1, 1, 0], why="sizes and risk")
    assert_identical(instance.weights, [Fraction(1, 2)] * 2, why="weights")
