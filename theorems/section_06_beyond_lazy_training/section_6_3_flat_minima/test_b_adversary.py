r"""Section 6.3: flat minima (b) - gradient descent finds flatter minima than adversarial optimization.

Printed     Gradient descent ends at minima of lower sharpness than adversarial optimization
Kind        observation: "Empirical Observation"
Reading     Adversarial optimization is gradient descent from a start that an adversary has fitted to random labels at
            12 points. What is measured is the share of seeds in which the sharpness of gradient descent from the plain
            start is the lower one
Readings    [opposite labels] the adversary fits the opposite labels at the samples, by gradient descent - inconclusive
Setting     24 ReLU networks of 30 neurons, standard initialization, fitted to $\sin(2x)$ at 4 points of [-1, 1], inputs
            $(x, 1)$, $\eta \lambda_{\max}(K_0) = 1/2$ for the tangent kernel $K_0$ of the start; 60,000 steps, and a
            run that does not fit is left out. $L = \frac{1}{2n} \sum_i (f(x_i) - y_i)^2$; the sharpness $S$ is the
            largest eigenvalue of its Hessian at a minimum
Corrected   (C8) For $f = u_1 v_1 x_1 + u_2 v_2 x_2$, one sample and one step, a start that points away from the truth
            can end flatter, and with the larger risk, than one that points towards it.
Idea        Sharpness weighs the inputs and the split of a product between its factors. Neither knows the target, so a
            start that points away from the target can end flatter (C8)
Tolerance   Measured: the share of seeds, with the interval of Clopper and Pearson at 95 %, judged against 1/2. The
            witness is rational
Chance      A share of one half is called reproduced with probability 2.5 % at most. Laws and rule come from seeds 4000
            to 4023, 5000 to 5023 and 6000; the seeds that decide, 7000 to 7023 and 9000, were fixed before any of them
            was run
Findings    Measured: gradient descent is flatter in 23 of the 23 runs that fit, read as opposite labels in 12 of 24
Expected    inconclusive
"""

from fractions import Fraction

import numpy as np

from fixtures.dynamics.paths import at_time
from fixtures.dynamics.two_layer import fit, network_path
from fixtures.rational import fractions
from properties.certificates import assert_identical, assert_violates
from theorems.ledger import corrected, measured
from theorems.section_06_beyond_lazy_training.section_6_3_flat_minima.scalar_regression import (
    FITTED,
    RUNS,
    X,
    Y,
    least_norm_output,
    record_share,
    scalar_regression,
    sharpness_of_network,
    step_size,
    with_bias,
)
from theorems.section_06_beyond_lazy_training.section_6_3_flat_minima.two_products import risk


@corrected("C8")
def test_gradient_descent_from_a_poisoned_start_can_end_flatter():
    # given  f = u_1 v_1 x_1 + u_2 v_2 x_2, x = (1, 4), y = 4, v_0 = 0, u_0 towards the truth (0, 1) or away from it
    x, y, eta, truth = fractions([1, 4]), 4, Fraction(1, 16), fractions([0, 1])
    plain, poisoned = fractions([0, 1]), fractions([4, 0])
    # when   one step with r = -y: v = eta y x u, and u rests
    (flat, low), (sharp, high) = ((u * v, x**2 @ (u**2 + v**2)) for u in (poisoned, plain) for v in [eta * y * x * u])
    assert_identical([flat @ x, sharp @ x], [y, y], why="both fit the sample")
    assert_identical([risk(flat, truth), risk(sharp, truth)], [Fraction(17, 4), 0], why="the risk from both starts")
    # then
    assert_violates(high, low, reads="sharpness {value} > {limit} from the poisoned start", plain=plain, u=poisoned)


def flatter_than_poisoned(poisoned):
    """Of the runs of 60,000 steps from a poisoned start that fit: in which the plain run is flatter."""
    plain = scalar_regression()["trained"]
    end = at_time(network_path(poisoned, X, Y, step_size(poisoned)), 60_000)
    fits = 0.5 * np.sum((end.predict(X) - Y) ** 2, axis=-1) <= FITTED
    return (sharpness_of_network(plain, X) < sharpness_of_network(end, X))[fits]


@measured
def test_gradient_descent_is_flatter_than_from_output_weights_that_fit_random_labels():
    # given  the hidden weights of the plain start, and 12 random labels at 12 points
    labels = np.random.default_rng(9000).choice([-1.0, 1.0], (RUNS, 12))
    poisoned = least_norm_output(scalar_regression()["start"], with_bias(np.linspace(-1, 1, 12)), labels)
    record_share(flatter_than_poisoned(poisoned), "plain gradient descent is flatter than from random labels")


@measured(reading="opposite labels")
def test_gradient_descent_is_flatter_than_from_a_start_that_it_has_fitted_to_the_opposite_labels():
    # given  the plain start, trained to the opposite labels first
    start = scalar_regression()["start"]
    poisoned = fit(start, X, -Y, step_size(start), loss=FITTED, budget=20_000, period=200)
    record_share(flatter_than_poisoned(poisoned), "plain gradient descent is flatter than from opposite labels")
