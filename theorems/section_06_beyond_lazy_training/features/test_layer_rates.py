"""Self-tests: SGD of torch on a network is the descent in closed form, and stops where it is told to."""

from itertools import islice

import numpy as np

from fixtures.dynamics.two_layer import network_path
from fixtures.models.fully_connected import fully_connected
from fixtures.models.two_layer import TwoLayer
from fixtures.precision import rounding
from properties.certificates import assert_at_most, assert_within
from theorems.section_06_beyond_lazy_training.features.layer_rates import descend_at_layer_rates

X, y = np.array([[1.0, 2, -1], [0, 1, 1]]), np.array([1.0, -0.5])


def trained(steps, target=0.0):
    """A mean-field network of four tanh neurons, whose rates are multiplied by 4: in closed form, and after SGD."""
    import torch

    network = fully_connected(
        (3, 4, 1), torch.Generator().manual_seed(2), activation="tanh", parameterization="mean-field"
    )
    W, a = (layer.weight.detach().numpy().copy() for layer in network.layers)
    inputs, targets = torch.as_tensor(X), torch.as_tensor(y)
    descend_at_layer_rates(network, inputs, targets, 0.1, steps, target)
    return TwoLayer(W, a[0], "tanh", 1 / 4), network(inputs)[:, 0].detach().numpy()


def test_seven_steps_are_those_of_the_closed_form_at_the_rate_of_the_layers():
    net, values = trained(7)
    end = list(islice(network_path(net, X, y, 0.1 * 4), 8))[7]
    # then   a step has inner products of 4 neurons, 3 inputs and 2 samples, forward and back, in both
    slack = rounding(7 * 2 * 2 * (4 + 3 + 2), 2)
    assert_at_most(np.abs(values - end.predict(X)), slack, why="values after seven steps")


def test_it_stops_at_the_first_loss_below_its_target():
    net, values = trained(1000, target=0.01)
    losses = [np.sum((at.predict(X) - y) ** 2) / 2 for at in islice(network_path(net, X, y, 0.4), 1000)]
    step, first = next((step, loss) for step, loss in enumerate(losses) if loss <= 0.01)
    slack = rounding(step * 2 * 2 * (4 + 3 + 2), np.sqrt(first))  # the loss is quadratic in values of order 1
    assert_within(first, np.sum((values - y) ** 2) / 2, first, slack=slack, why="the first small loss")
