"""Section 6.1: hierarchical representations (a) - lower layers learn general features.

Printed     Gradient descent in the feature learning regime is biased toward lower layers that learn general features
Kind        observation: "Recent work shows"
Reading     A layer is general if its features serve a task that it was not trained on. The first hidden layer, once it
            is trained on the task $A$, has a lower probe error on the task $B$ than before training
Setting     Digits; ten classes split at random into two tasks $A$ and $B$ of five. A probe is a linear readout for $B$
            on the features of a layer of a ReLU network
Idea        The usual explanation: what all images share is extracted first. For a linear network this is no property of
            the function: its layers can be re-factored, and a probe without a ridge sees only the range of a layer.
Tolerance   Student's interval at 95 % over the splits, each with its own networks, judged against 0 by
            `properties.statistics.paired.judge`
Findings    Measured: training on $A$ lowers the probe error of layer 1 on $B$ by 0.4 points [-0.7, 1.5], which decides
            nothing
Expected    inconclusive
"""

from properties.certificates import record_finding
from properties.statistics.paired import judge, student_interval
from theorems.ledger import measured
from theorems.section_06_beyond_lazy_training.section_6_1_hierarchical_representations.probes import (
    SPLITS,
    WHERE,
    probe_errors_of_layers,
)


@measured
def test_the_first_layer_of_a_trained_network_serves_another_task_better_than_before_training():
    (on_A, _, untrained), _, _ = probe_errors_of_layers()
    # when   the fall of the probe error on B of the first layer, by training on A
    gain = student_interval(untrained[0] - on_A[0])
    # then
    reads = "training on A lowers the probe error of layer 1 on B by {estimate} [{lower}, {upper}]"
    record_finding(judge(gain, null=0, direction=1), gain, where=WHERE, trials=len(SPLITS), reads=reads)
