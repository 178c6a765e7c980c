r"""Section 9.1: residual gradient - the printed gradient of a branch is taken one layer too early.

Section     9.1
Printed     $h_{\ell+1} = h_\ell + \mathcal{F}_\ell(h_\ell)$ and $\nabla_{W_\ell} \mathcal{L} = \nabla_{h_\ell}
            \mathcal{L} \cdot \partial \mathcal{F}_\ell/\partial W_\ell$
Reading     $\nabla_{h_\ell} \mathcal{L}$ is the total derivative of the loss in $h_\ell$, and $h_\ell$ is the input of
            block $\ell$. The recursion beside the formula says so, and it is the only definition of $h_\ell$. Section
            2.1 numbers weights by the block that makes a state; to number the states in that way would contradict the
            recursion
Setting     Branches $F_\ell(h) = c\, U_\ell\, s(W_\ell h)$ with $s$ the identity or tanh, weights of any shape,
            $L = \frac12 |h_L - y|^2$; $J_\ell = \partial F_\ell/\partial h$ at $h_\ell$
Corrected   (C1) At any weights, $\nabla_{W_\ell} L = (\partial F_\ell/\partial W_\ell)^\top \nabla_{h_{\ell+1}} L$ and
            $\nabla_{h_\ell} L = (I + J_\ell)^\top \nabla_{h_{\ell+1}} L$.
            (C2) At any weights, the print less the gradient is $(\partial F_\ell/\partial W_\ell)^\top J_\ell^\top
            \nabla_{h_{\ell+1}} L$; at the scalar branch $F(h) = wh$ the print is $1 + w$ times the gradient.
            (C3) The length of that excess is at most $c |U_\ell| |h_\ell| |J_\ell| |\nabla_{h_{\ell+1}} L|$ in the
            spectral norm; every scalar linear branch attains the bound.
            (C4) Where $W_\ell = 0$ in every layer the print is right, and the gradient need not be zero
Differs     The vector that $\partial F_\ell/\partial W_\ell$ is applied to is the gradient in the output of the block,
            $h_{\ell+1}$, and not in its input. The two differ wherever $J_\ell^\top \nabla_{h_{\ell+1}} L$ is not zero
Idea        The weights of $F_\ell$ act on the loss only through $h_{\ell+1} = h_\ell + F_\ell(h_\ell)$. The state
            $h_\ell$ acts on it by two paths: through the branch, and through the skip connection
Source      The chain rule; He, Zhang, Ren, Sun (2016), Identity Mappings in Deep Residual Networks, ECCV, for the sum
            over the two paths; the counterexamples are ours
Tolerance   Linear branches with small dyadic weights are exact in float64, so that they equal torch bit for bit.
            Branches with tanh carry an analysis of rounding. Witnesses are rational: where the loss is affine in $w$, a
            difference quotient is the derivative
Findings    Written for $h_\ell = h_{\ell-1} + F_\ell(h_{\ell-1})$ the printed formula is that of C1. By C3 the error of
            the print is of second order in the branch scale $c$, while the gradient is of first order: a check at small
            branches sees little
Expected    refuted
"""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import strategies as st
from numpy.linalg import norm

from fixtures.precision import rounding
from fixtures.problems.batches import given_batches
from fixtures.problems.expectations import expecting
from fixtures.rational import fractions
from properties.certificates import assert_at_most, assert_equal_within, assert_identical, assert_violates
from properties.search import smallest_violation
from theorems.ledger import corrected, counterexample
from theorems.section_09_architectures.residual.model import ResidualNetwork, autograd
from theorems.section_09_architectures.residual.problems import residual_problems
from theorems.section_09_architectures.residual.rounding import gradient_rounding


def network(problem, activation):
    """The network of a problem."""
    return ResidualNetwork(problem.W, problem.U, problem.scale, activation)


def transposed_at(matrices, vectors):
    """The product M'v for every matrix M and vector v."""
    return np.vecmat(vectors, matrices)


def scalar_block(w, h, y):
    """The gradient of (1/2)(h + w h - y)^2 in w by the print, by the corrected formula, and by differences. Exact.

    The loss q(w) is a polynomial of degree 2, whose derivative is (q(w + 1) - q(w - 1))/2.
    """
    net = ResidualNetwork(fractions([[[w]]]), fractions([[[1]]]), Fraction(1), "identity")
    x, target = fractions([h]), fractions([y])
    right = net.gradients(x, target)
    printed, _ = net.pull_back(net.states(x), right.signals[:-1])

    def loss(at):
        return (h + at * h - y) ** 2 / Fraction(2)

    return printed.item(), right.in_W.item(), (loss(Fraction(w) + 1) - loss(Fraction(w) - 1)) / 2


def distance(left, right):
    """The largest Frobenius distance between two gradients, over the layers, (B,)."""
    return norm(left - right, axis=(-2, -1)).max(-1)


@corrected("C1")
@given_batches(problem=expecting(residual_problems(unit=1.0), integer="W, U"))
def test_at_linear_branches_the_gradient_through_the_next_state_is_that_of_torch_bit_for_bit(problem):
    # given  integer weights and dyadic scales, at which nothing rounds
    net = network(problem, "identity")
    # when
    by_torch = autograd(net, problem.x, problem.y)
    in_W, in_U = net.pull_back(net.states(problem.x), by_torch.signals[:, 1:])
    # then
    assert_identical(in_W, by_torch.in_W, why="dL/dW_l is (dF_l/dW_l)' of the signal at h_{l+1}")
    assert_identical(in_U, by_torch.in_U, why="dL/dU_l is (dF_l/dU_l)' of the signal at h_{l+1}")
    ours = net.gradients(problem.x, problem.y)
    assert_identical(ours.signals, by_torch.signals, why="g_l = (I + J_l)' g_{l+1}")
    assert_identical(ours.in_W, by_torch.in_W, why="dL/dW_l from the signals of our own")


@corrected("C1")
@given_batches(problem=residual_problems())
def test_at_tanh_branches_the_gradient_through_the_next_state_is_that_of_torch(problem):
    net = network(problem, "tanh")
    # when
    by_torch, ours = autograd(net, problem.x, problem.y), net.gradients(problem.x, problem.y)
    in_W, in_U = net.pull_back(net.states(problem.x), by_torch.signals[:, 1:])
    # then
    both = 2 * gradient_rounding(net, problem.x, problem.y)
    assert_at_most(distance(in_W, by_torch.in_W), both, why="dL/dW_l", instance=problem)
    assert_at_most(distance(in_U, by_torch.in_U), both, why="dL/dU_l", instance=problem)
    off = norm(ours.signals - by_torch.signals, axis=-1).max(-1)
    assert_at_most(off, both, why="g_l = (I + J_l)' g_{l+1}", instance=problem)


@counterexample
def test_at_one_scalar_block_the_print_is_twice_the_derivative():
    r"""$h_1 = h_0 + w h_0$ with $h_0 = w = 1$ and $\mathcal{L} = h_1$: the derivative in $w$ is $h_0 = 1$. The print
    takes $\partial \mathcal{L}/\partial h_0 \cdot \partial F/\partial w = (1 + w) \cdot h_0 = 2$."""
    h0, w = Fraction(1), Fraction(1)
    derivative = (h0 + (w + 1) * h0) - (h0 + w * h0)
    # when   dL/dh_0 = 1 + w, and dF/dw = h_0
    printed = (1 + w) * h0
    # then
    assert_violates(printed, derivative, reads="printed dL/dw {value} > {limit}", h_0=h0, w=w, L="h_1")


@counterexample
def test_hypothesis_finds_a_block_at_which_the_print_is_no_derivative():
    integers = st.integers(-3, 3)
    w, h, y = smallest_violation(
        st.tuples(integers, integers, integers), lambda block: scalar_block(*block)[0] != scalar_block(*block)[2]
    )
    printed, through_the_next_state, derivative = scalar_block(w, h, y)
    assert_identical(through_the_next_state, derivative, why="the corrected gradient")
    assert_violates(abs(printed - derivative), 0, reads="|printed - true| {value} > {limit}", w=w, h_0=h, y=y)


@corrected("C2")
@given_batches(problem=expecting(residual_problems(unit=1.0), integer="W, U"))
def test_the_print_is_off_by_the_branch_jacobian_bit_for_bit(problem):
    # given  linear branches, exact
    net = network(problem, "identity")
    states, by_torch = net.states(problem.x), autograd(net, problem.x, problem.y)
    # when
    printed = net.pull_back(states, by_torch.signals[:, :-1])
    # then
    through_the_branch = transposed_at(net.branch_jacobians(states), by_torch.signals[:, 1:])
    excess = net.pull_back(states, through_the_branch)
    assert_identical(printed[0] - by_torch.in_W, excess[0], why="the excess of the print in W")
    assert_identical(printed[1] - by_torch.in_U, excess[1], why="the excess of the print in U")


@corrected("C2")
@given_batches(problem=residual_problems())
def test_at_tanh_branches_the_print_is_off_by_the_branch_jacobian(problem):
    net = network(problem, "tanh")
    states, by_torch = net.states(problem.x), autograd(net, problem.x, problem.y)
    # when
    printed, _ = net.pull_back(states, by_torch.signals[:, :-1])
    # then
    excess, _ = net.pull_back(states, transposed_at(net.branch_jacobians(states), by_torch.signals[:, 1:]))
    slack = 4 * gradient_rounding(net, problem.x, problem.y)
    assert_at_most(distance(printed - by_torch.in_W, excess), slack, why="the excess of the print", instance=problem)


def excess_bound(net, states, signals):
    """The bound c |U_l| |h_l| |J_l| |g_{l+1}| of C3 for every layer, (B, L).

    It follows from |dF_l/dW_l| <= c |U_l| |h_l| and |J_l' g| <= |J_l| |g|.
    """
    steep = norm(net.branch_jacobians(states), 2, (-2, -1)) * norm(signals[:, 1:], axis=-1)
    return np.reshape(net.scale, (-1, 1)) * norm(net.U, 2, (-2, -1)) * norm(states[:, :-1], axis=-1) * steep


@corrected("C3")
def test_the_bound_of_the_excess_by_hand():
    # given  c = 1/2, U = diag(3, 1), W that swaps the axes, twice as long in one, h = (3, 4) and g = (5, 12)
    U, W = np.array([[[[3.0, 0], [0, 1]]]]), np.array([[[[0.0, 2], [1, 0]]]])
    states, signals = (np.array([[vector, vector]], float) for vector in ((3, 4), (5, 12)))
    # then   c |U| |h| |J| |g| for J = c U W, of norm 3
    found = excess_bound(ResidualNetwork(W, U, 0.5, "identity"), states, signals)
    assert_equal_within(found, [[0.5 * 3 * 5 * 3 * 13]], rounding(40, 300), why="1/2 * 3 * 5 * 3 * 13")


@corrected("C3")
@given_batches(problem=residual_problems())
def test_the_print_is_off_by_no_more_than_the_branch_is_steep(problem):
    net = network(problem, "tanh")
    states, by_torch = net.states(problem.x), autograd(net, problem.x, problem.y)
    # when
    error = norm(net.pull_back(states, by_torch.signals[:, :-1])[0] - by_torch.in_W, axis=(-2, -1))
    # then
    slack = 4 * gradient_rounding(net, problem.x, problem.y)[:, None]
    bound = excess_bound(net, states, by_torch.signals) + slack
    assert_at_most(error, bound, why="|excess| <= |dF/dW| |J| |g|", instance=problem)


@corrected("C2", "C3")
@pytest.mark.parametrize(("w", "h", "y"), [(1.0, 1.0, 0.0), (-0.5, 3.0, 1.0), (0.25, -2.0, 4.0)])
def test_at_a_scalar_linear_branch_the_print_is_one_plus_w_times_the_gradient_and_its_excess_is_extreme(w, h, y):
    # given  dyadic numbers, at which nothing rounds
    net = ResidualNetwork(np.full((1, 1, 1, 1), w), np.ones((1, 1, 1, 1)), 1.0, "identity")
    x, target = np.full((1, 1), h), np.full((1, 1), y)
    states, right = net.states(x), net.gradients(x, target)
    # when
    printed, _ = net.pull_back(states, right.signals[:, :-1])
    # then
    assert_identical(printed, (1 + w) * right.in_W, why="the print is 1 + w times the gradient")
    error = norm(printed - right.in_W, axis=(-2, -1))
    assert_identical(error, excess_bound(net, states, right.signals), why="the bound of the excess is attained")


@corrected("C4")
@pytest.mark.parametrize("activation", ["identity", "tanh"])
@given_batches(problem=residual_problems())
def test_at_branches_that_do_not_move_their_state_the_print_is_right_bit_for_bit(problem, activation):
    # given  W_l = 0 in every layer, so that J_l = 0 and the network is the identity; its gradient in W is not zero
    still = ResidualNetwork(0 * problem.W, problem.U, problem.scale, activation)
    # when
    by_torch = autograd(still, problem.x, problem.y)
    printed, _ = still.pull_back(still.states(problem.x), by_torch.signals[:, :-1])
    # then
    assert_identical(printed, by_torch.in_W, why="the print at zero branches")
    force = norm(np.vecmat(problem.x - problem.y, problem.U[:, 0]), axis=-1)
    reach = problem.scale * norm(problem.x, axis=-1)
    # inner products of d entries, a norm of m d of them, and six operations more
    slack = rounding(problem.x.shape[-1] + problem.W[0, 0].size + 6, reach * force)
    assert_at_most(reach * force, norm(by_torch.in_W[:, 0], axis=(-2, -1)) + slack, why="the gradient is not zero")
