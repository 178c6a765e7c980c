"""Self-tests of the trials of Experiments 4 and 5, in a folder of their own: beside them every test file is a claim."""

import dataclasses
import json
import math
from types import SimpleNamespace

import numpy as np
import pytest

from fixtures.datasets.images import load_images
from fixtures.sweeps.memory_context import MemoryContext, StoppedError
from fixtures.sweeps.settings import Setting
from fixtures.sweeps.trials import Trial
from fixtures.training.config import Stop, TrainingConfig
from fixtures.training.run import Training
from properties.certificates import assert_at_most, assert_identical, assert_within, observed_by
from properties.statistics.matched_loss import CHOICES
from properties.statistics.paired import judge, student_interval
from theorems.section_10_experiments.classifier import (
    SHARPNESS,
    TEST_ERROR,
    Arm,
    ClassifierTrial,
    Plan,
    Runs,
    UnsoundError,
    at_loss,
    at_loss_by_choice,
    at_stop,
    record_by_rules,
)

pytestmark = pytest.mark.slow

U32 = 2.0**-24
STOPS = (Stop("loss", 2.0), Stop("epochs", 2), Stop("steps", 1))


def trial(**changes):
    """A network of 64-3-3-10 on 40 digits."""
    plan = {"data": "digits", "size": 40, "model": "tanh", "width": 3, "eta": 0.5, "batch": 8, "seed": 0}
    config = TrainingConfig(**{**plan, "stops": STOPS, "cap_epochs": 6, **changes})
    return ClassifierTrial(config, sample=20, recheck=40)


def start():
    """The run of that network before its first step."""
    return Training(trial().config, load_images("digits"))


@pytest.fixture(scope="module")
def undisturbed():
    return trial().run(MemoryContext())


def test_a_trial_that_is_killed_again_and_again_ends_as_one_that_never_was(undisturbed):
    # when   a process dies at each epoch's end, until one process reaches the end
    context, result = MemoryContext(stop_after=1), None
    while result is None:
        try:
            result = trial().run(context)
        except StoppedError:
            stop_after = 1 if context.saved[1]["training"]["step"] < 20 else None
            context = MemoryContext(stop_after, saved=context.saved)
    # then
    assert result == undisturbed
    assert [at["rule"] for at in result["measurements"]] == ["steps", "epochs", "before loss", "loss"]


def test_each_stop_is_measured_at_its_own_moment_and_the_first_of_the_list_again_on_more_images(undisturbed):
    # given  the same run made anew, looked at where a rule fires, and at the end of every epoch
    run, moments, ended = Training(trial().config, load_images("digits")), {}, {"step": 0, **start().evaluate()}
    for event in run.events():
        now = {"step": run.step, **run.evaluate()}
        if event is None:
            ended = now
        else:
            moments[event.rule, float(event.at)] = now
        if event == STOPS[0]:
            moments["before loss", 2.0] = ended
    # then
    for at in undisturbed["measurements"]:
        expected = moments.pop((at["rule"], at["at"]))
        assert {name: at[name] for name in expected} == expected
        assert at["sharpness"]["sample"] == 20
        assert (at["recheck"] and at["recheck"]["sample"]) == (40 if at["rule"] == "loss" else None)
    assert moments == {}


def test_a_plan_runs_every_arm_with_the_same_seeds():
    plan = Plan(40, 1, loss=0.1, epochs=3, steps=7, cap_epochs=5, seeds=3, sample=10, recheck=20)
    arms = [Arm(0.25, 8), Arm(0.5, 8, label_noise=0.2)]
    planned = plan.trials(Setting("smoke", "digits", "cpu"), arms)
    assert [(it.config.eta, it.config.label_noise, it.config.seed, it.recheck) for it in planned] == [
        (arm.eta, arm.label_noise, 500 + seed, 0 if seed else 20) for arm in arms for seed in range(3)
    ]
    assert planned[0].config.stops == (Stop("loss", 0.1), Stop("epochs", 3), Stop("steps", 7))


def test_a_trial_crosses_process_boundaries_as_json(undisturbed):
    assert Trial.from_json(json.loads(json.dumps(trial().to_json()))) == trial()
    assert json.loads(json.dumps(undisturbed, allow_nan=False)) == undisturbed


def test_sharpness_is_that_of_the_loss_and_the_labels_that_are_trained():
    import torch

    # given  one full-batch step, with label noise; the exact Hessian in the 231 weights, from the same run made anew
    noisy = trial(batch=40, label_noise=0.5, stops=(Stop("steps", 1),))
    trained = dataclasses.replace(noisy, sample=40, recheck=0, relative=True)
    (at,) = trained.run(MemoryContext())["measurements"]
    run = Training(trained.config, load_images("digits"))
    list(run.events())
    outputs = run.model.double()(run.inputs.double())
    weights = list(run.model.parameters())
    slopes = torch.autograd.grad(torch.nn.functional.cross_entropy(outputs, run.labels), weights, create_graph=True)
    flat = torch.cat([slope.flatten() for slope in slopes])
    rows = [torch.autograd.grad(slope, weights, retain_graph=True) for slope in flat]
    H = np.array([np.concatenate([part.flatten().numpy() for part in row]) for row in rows])
    size = np.concatenate([weight.detach().abs().flatten().numpy() for weight in weights])
    # then   from below, within the hundredth that was asked for; what was trained was measured
    for name, matrix in {"value": H, "scale_invariant": size * H * size[:, None]}.items():
        top = np.linalg.eigvalsh(matrix)[-1]
        assert_within(0.99 * top, at["sharpness"][name], top, slack=len(H) * U32 * top, why=f"{name} on all images")
    assert_identical(at["edge"], 0.5 * at["sharpness"]["value"] / 2, why="eta lambda/2")


def test_a_full_batch_step_moves_the_weights_by_eta_times_the_gradient():
    import torch

    trained = trial(batch=40, stops=(Stop("steps", 1),))
    run = Training(trained.config, load_images("digits"))
    weights = list(run.model.parameters())
    slopes = torch.autograd.grad(torch.nn.functional.cross_entropy(run.model(run.inputs), run.labels), weights)
    w, g = (torch.cat([part.detach().double().flatten() for part in parts]) for parts in (weights, slopes))
    # when
    (at,) = trained.run(MemoryContext())["measurements"]
    # then   in float32: sums of 40 images and of layers of 64 round by less than 200 u of what is summed
    expected = float((w - 0.5 * g).square().sum())
    bound = 200 * U32 * float(w.square().sum() + g.square().sum())
    assert_at_most(abs(at["sharpness"]["squared_norm"] - expected), bound, why="|w|^2 after the step")
    assert_at_most(100 * bound, float((0.5 * g @ w).abs()), why="half the step would be seen")


def test_divergence_is_a_result():
    result = trial(eta=1e30).run(MemoryContext())
    assert result["diverged"]
    assert math.isnan(at_stop(result, TEST_ERROR, STOPS[1]))
    assert ["epochs", 2.0] in [[rule, float(at)] for rule, at in result["unreached"]]


def moment(loss, error, sharpness=1.0, rule="loss", at=0.1, wrong="2:40"):
    found = {"value": sharpness, "loss": loss / 2, "residual": 0.01, "squared_norm": 2.0}
    measured = {"train_loss": loss, "test_error": error, "test_wrong": wrong, "sharpness": found, "recheck": None}
    return {"rule": rule, "at": at, **measured}


def around(above, below):
    """The two measurements around the loss 0.1, each as (loss, error, sharpness)."""
    return moment(*above, rule="before loss"), moment(*below)


def record(eta, seed, *moments):
    config = {"eta": eta, "batch": 8, "label_noise": 0.0, "seed": seed}
    return {"trial": {"fields": {"config": config}}, "result": {"measurements": list(moments)}}


def test_error_and_sharpness_are_those_of_the_two_epochs_around_the_loss():
    result = record(0.1, 0, *around((0.2, 0.4, 8.0), (0.05, 0.2, 2.0)), moment(0.01, 0.9, rule="epochs", at=9))[
        "result"
    ]
    found = {of: [at_loss(result, of, 0.1, choice) for choice in CHOICES] for of in (TEST_ERROR, SHARPNESS)}
    # then   half way between two losses, in logarithms: the mean of errors, the geometric mean of lambdas
    assert_at_most(np.abs(np.array(found[TEST_ERROR]) - [30, 20, 40]), 64 * 2.0**-48, why="test error in percent")
    assert_at_most(np.abs(np.array(found[SHARPNESS]) - [4, 2, 8]), 64 * 2.0**-50, why="lambda")
    # then   a loss that was not a stop was measured on no side
    assert math.isnan(at_loss(result, TEST_ERROR, 0.15, CHOICES[0]))


def test_a_stop_is_found_by_its_rule_and_where_it_is():
    result = record(0.1, 0, *around((0.2, 0.4), (0.1, 0.2)), moment(0.3, 0.6, rule="epochs", at=2))["result"]
    read = [at_stop(result, TEST_ERROR, stop) for stop in (Stop("loss", 0.1), Stop("epochs", 2), Stop("epochs", 3))]
    assert np.array_equal(read, [20.0, 60.0, math.nan], equal_nan=True)


def test_answers_are_weighted_as_errors_are():
    # given  two images, the first wrong above the loss and the second below it
    above, below = moment(0.2, 0.5, rule="before loss", wrong="2:80"), moment(0.05, 0.5, wrong="2:40")
    runs = Runs.of([record(0.25, seed, above, below) for seed in (1, 2)] + [record(0.25, 3, above)])
    wrong = [runs.wrong([Arm(0.25, 8)], rule) for rule in at_loss_by_choice(0.1)]
    # then   the seed that did not come to the loss is left out
    assert_at_most(np.abs(wrong[0] - 0.5), 64 * 2.0**-52, why="between: half of each")
    assert_identical(wrong[1:], [[[[0.0, 1.0]]] * 2, [[[1.0, 0.0]]] * 2], why="below, above")


def test_residuals_are_read_beside_the_size_of_the_eigenvalue():
    runs = Runs.of([record(0.25, 0, *around((0.2, 0.2, -2.0), (0.1, 0.2, 4.0))), record(0.5, 0, moment(1, 1))])
    assert_identical(runs.residuals([Arm(0.25, 8)]), np.array([0.005, 0.0025]), why="0.01 of 2 and of 4")


def test_tables_are_paired_by_seed_whatever_the_order_of_the_records():
    arms, (_, rule, _) = [Arm(0.25, 8), Arm(0.5, 8)], at_loss_by_choice(0.1)
    records = [
        record(eta, seed, *around((0.2, 0.0), (0.1, seed + eta)))
        for eta, seed in ((0.5, 3), (0.25, 1), (0.25, 3), (0.5, 1))
    ]
    runs = Runs.of([*records, record(0.25, 2)])
    table = runs.by_rule(arms, TEST_ERROR, rule)
    assert np.array_equal(table, [[125, 150], [math.nan, math.nan], [325, 350]], equal_nan=True)
    with pytest.raises(UnsoundError, match=r"at or below training loss 0\.1 only 2 seeds of 2 arms"):
        runs.paired(arms, rule, TEST_ERROR)
    with pytest.raises(ValueError, match="two runs of"):
        Runs.of([*records, records[0]])


def test_a_finding_that_hangs_on_the_choice_of_a_moment_is_inconclusive():
    # given  differences of three seeds that are positive at the first epoch at or below the loss alone
    told = []
    notebook = SimpleNamespace(found=told.append)
    gaps = dict(zip(CHOICES, ([-1.0, 0, 1], [1.0, 2, 3], [-1.0, 0, 1]), strict=True))
    with observed_by(notebook):
        record_by_rules(
            at_loss_by_choice(0.1),
            lambda rule: student_interval(gaps[rule.choice], level=0.5),
            lambda gap: judge(gap, null=0, direction=1),
            where=Setting("smoke", "digits", "cpu"),
            runs=6,
            reads="gap",
        )
    (finding,) = told
    assert finding["finding"] == "inconclusive"
    assert finding["reads"].startswith(
        "gap 0 [-0.471, 0.471] between the epochs around training loss 0.1, 2 [1.53, 2.47] at the first epoch"
    )
    assert "at the first epoch at or below: reproduced, excludes 0" in finding["reads"]
