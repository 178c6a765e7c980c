r"""Section 6.1: hierarchical representations - lower layers learn general features, upper layers task-specific ones.

Section     6.1
Printed     Gradient descent in the feature learning regime is biased toward hierarchical representations: lower layers
            learn general features, upper layers task-specific features
Idea        "General" speaks of more than one task, and the paper's setting has one: a single sample, a single loss. A
            feature of one trained network is neither general nor specific before a family of tasks, a measure of what
            a layer has in common between them, and a threshold are chosen; each choice can turn the answer around,
            and for a linear network, whose layers can be re-factored without a change of the function, so can a change
            of basis that no run sees
Source      Yosinski, Clune, Bengio, Lipson (2014), How transferable are features in deep neural networks? (what is
            known is a measurement, for one family of tasks and one measure of transfer); Kornblith, Norouzi, Lee,
            Hinton (2019), Similarity of Neural Network Representations Revisited (measures differ in what they see)
Tolerance   None: nothing is asserted
Reason      Neither "general" nor "task-specific" is defined, and no quantity of a single training run could decide
            them: no result could contradict the print. A similarity of layers across tasks would test another
            statement, the one that its author chose
Expected    not testable
"""
