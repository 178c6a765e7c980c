"""The plans, arms and trials of Experiment 4."""

from __future__ import annotations

from fixtures.sweeps.settings import Setting
from fixtures.training.config import Stop
from theorems.section_10_experiments.classifier import ClassifierTrial
from theorems.section_10_experiments.classifier_plans import Arm, Plan
from theorems.section_10_experiments.measurements import Rule, at_loss_by_choice

PRINTED_DATA = ("cifar10",)
ETAS = (0.001, 0.01, 0.1, 0.5)
PRINTED_BEST = 0.1

PLANS = {
    "digits": Plan(500, 4, loss=0.1, epochs=40, cap_epochs=250, seeds=6, sample=250, recheck=500, relative=True),
    "smoke": Plan(300, 4, loss=1.0, epochs=20, cap_epochs=80, seeds=3, sample=100, recheck=200, relative=True),
    "reduced": Plan(10_000, 16, loss=0.5, epochs=30, cap_epochs=2000, seeds=3, sample=1000, recheck=2000),
    "paper": Plan(50_000, 64, loss=0.1, epochs=30, cap_epochs=500, seeds=3, sample=2000, recheck=5000),
}
"""The caps are chosen so that every learning rate comes to the loss. Steps to the loss times eta, on digits at the loss
0.1, are 2.1 at eta = 0.001, 2.6 at 0.01, 10 at 0.1 and 55 at 0.5: small steps follow one flow, and 0.001 takes 21 times
the steps of 0.1, not 100 times. If that ratio holds on CIFAR-10, the cap of `paper` is enough where 0.1 needs 23 epochs
at most, and that of `reduced` where it needs 95; if steps grew as 1/eta, 5 and 20. A rate that does not come to the
loss is left out of a finding, which lists its rates. A run ends when all its stops have fired: a run that comes to the
loss before its cap is not lengthened by the cap.

On an H100 an epoch of 10,000 images at width 16 is 79 steps of 2 ms, and a loss; of 50,000 at width 64 it takes 3 s; a
sharpness takes 2 s and 13 s. `reduced` is 3 runs at 0.001 of 7 minutes at most and 9 of 20 s, 25 minutes; `paper` is 3
of 26 minutes at most and 9 of 150 s, 1 hour and 40 minutes. To fit them, `paper` has three seeds and no augmentation.
"""
BATCH = {"digits": 32, "smoke": 32, "reduced": 128, "paper": 128}


def plan_name(setting: Setting) -> str:
    """The name of the plan that a setting runs."""
    return "digits" if setting.data == "digits" else setting.scale


def plan_of(setting: Setting) -> Plan:
    """The plan that a setting runs."""
    return PLANS[plan_name(setting)]


def model_of(setting: Setting) -> str:
    """What is trained, in words."""
    return plan_of(setting).model(setting)


def arms_of(setting: Setting) -> list[Arm]:
    """The learning rates, in order."""
    return [Arm(eta, BATCH[plan_name(setting)]) for eta in ETAS]


def trials(setting: Setting) -> list[ClassifierTrial]:
    """All runs of the experiment in this setting."""
    return plan_of(setting).trials(setting, arms_of(setting))


def matched(setting: Setting) -> list[Rule]:
    """The rules of the matched training loss."""
    return at_loss_by_choice(plan_of(setting).loss)


def equal_epochs(setting: Setting) -> list[Rule]:
    """The rule of a fixed number of epochs."""
    return [Rule(Stop("epochs", plan_of(setting).epochs))]


def etas_of(arms: list[Arm]) -> list[float]:
    """The learning rates of these arms."""
    return [arm.eta for arm in arms]
