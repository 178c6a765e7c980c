"""Self-tests: a run of a classifier is measured where its stops fire, and can be killed and resumed."""

import dataclasses
import json
import math

import numpy as np
import pytest

from fixtures.datasets.images import load_images
from fixtures.sweeps.memory_context import MemoryContext, StoppedError
from fixtures.sweeps.settings import Setting
from fixtures.sweeps.trials import Trial
from fixtures.training.config import Stop, TrainingConfig
from fixtures.training.run import Training
from properties.certificates import assert_at_most, assert_identical, assert_within
from theorems.section_10_experiments.classifier import ClassifierTrial
from theorems.section_10_experiments.classifier_plans import Arm, Plan
from theorems.section_10_experiments.measurements import TEST_ERROR, at_stop

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
