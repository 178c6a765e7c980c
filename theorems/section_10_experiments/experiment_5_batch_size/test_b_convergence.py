r"""Experiment 5 (b) - large batches converge faster.

Printed     Batch sizes $B \in \{32, 128, 512, 2048, 8192\}$ with learning rate scaled as $\sqrt{B}$. Large batches
            (2048, 8192): faster convergence
Reading     The model, the first learning rate and the stopping rule are not printed. From section 10.4 we take
            ResNet-18 on CIFAR-10, and $\eta = 0.05$ at $B = 32$, which is 0.1 at 128. To converge faster is to need
            fewer steps to a matched training loss: steps are time on a machine that takes a batch at once. The loss is
            matched at each of three moments: interpolated between the epochs around this loss, at the first epoch at or
            below it, and at the last epoch above it
Readings    [epochs] to converge faster is to need fewer epochs, that is less work - not reproduced
Setting     ResNet-18 with cross-entropy, plain SGD, constant $\eta$. A seed fixes images, noise and initialization for
            all batches; seeds are 500, 501, .... Where $B$ exceeds the training set, the batch is the full one. At the
            smallest scale, smoke: width 4, 800 images, so $B$ is 32, 128, 512 and 800
Idea        A step of a larger batch has less noise and, by the printed rule, a larger $\eta$. An epoch of a larger
            batch has fewer steps
Tolerance   Rule, frozen before the seeds were run, with 95 % intervals, Student's over seeds. The slope of log steps,
            or log epochs, to the loss in $\log B$: reproduced below 0, not reproduced above. All else is inconclusive,
            and so is a comparison at the matched loss whose three choices of a moment do not find the same. A batch
            size that half of the seeds do not train to the loss is left out, and the finding says so
Chance      Each interval misses with probability 5 % if the effects of seeds are normal; seven seeds cannot show that
            they are. All seeds draw from one pool of training images and share the test images. Intervals are
            conditional on both: the standard error that is due to the test images is told beside them
Findings    On digits, seeds 500 to 506, at training loss 0.1: steps to the loss fall as $B^{-0.63}$, and epochs rise
            from 5 to 17
Expected    inconclusive
"""

from properties.certificates import record_series
from properties.statistics.paired import judge, paired_slope
from theorems.ledger import measured
from theorems.section_10_experiments import batch_sweep
from theorems.section_10_experiments.batch_sweep import matched, printed_arms, sizes_of
from theorems.section_10_experiments.classifier_runs import record_by_rules
from theorems.section_10_experiments.intervals import columns_with_ends
from theorems.section_10_experiments.measurements import EPOCHS, STEPS

EXPERIMENT = batch_sweep


def record_speed(runs, setting, quantity, name):
    """The finding about the slope of the log of steps, or epochs, to the matched loss in log B."""
    arms = printed_arms(setting)
    kept, (found,) = runs.paired(arms, matched(setting)[0], quantity)
    record_by_rules(
        matched(setting),
        lambda rule: paired_slope(sizes_of(kept), runs.paired(arms, rule, quantity)[1][0]),
        lambda slope: judge(slope, null=0, direction=-1),
        where=setting,
        runs=found.size,
        reads=f"{name} to the loss go as B, {sizes_of(kept)}, to the",
    )
    record_series(f"{name} to the loss, {setting.title}", batch=sizes_of(kept), **columns_with_ends(**{name: found}))


@measured
def test_steps_to_the_loss_fall_with_the_batch(runs, setting):
    record_speed(runs, setting, STEPS, "steps")


@measured(reading="epochs")
def test_epochs_to_the_loss_fall_with_the_batch(runs, setting):
    record_speed(runs, setting, EPOCHS, "epochs")
