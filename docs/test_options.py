"""Self-tests: every option of a function that a theorem file imports is turned by some test.

An option that is ignored, or turned in no test, may be wrong for years. fixtures/test_options.py and
properties/test_options.py turn most options, one call each. ELSEWHERE names the test that turns an option where that
takes more than one call. A new option that is in none of these lists is an error.
"""

import ast
import enum
import inspect
import itertools
import re
from pathlib import Path

import pytest

from fixtures.test_options import KERNELS, MODELS, STRATEGIES
from fixtures.test_options import OPTIONS as OF_FIXTURES
from properties.certificates import assert_identical
from properties.options import ROOT, named
from properties.test_options import CURVATURE, PAIRED
from properties.test_options import OPTIONS as OF_PROPERTIES

ELSEWHERE = {
    "fixtures/datasets/test_images.py::test_a_missing_file_is_named_with_the_way_to_get_it": [
        "fixtures.datasets.images.load_images:folder"
    ],
    "fixtures/kernels/test_empirical.py::test_layer_by_layer_is_what_the_jacobian_gives_with_biases_and_depth": [
        f"{KERNELS}.empirical.empirical_ntk:output"
    ],
    "fixtures/kernels/test_regression.py::test_errors_of_entries_widen_what_counts_as_singular": [
        f"{KERNELS}.regression.interpolant_coefficients:entry_error"
    ],
    "fixtures/kernels/test_regression.py::test_targets_in_the_range_of_a_singular_kernel_have_their_pseudo_inverse": [
        f"{KERNELS}.regression.interpolant_coefficients:pseudo_inverse"
    ],
    "fixtures/kernels/test_tuned_ridge.py::test_the_kernel_on_a_device_is_that_in_closed_form": [
        f"{KERNELS}.tuned_ridge.relu_ntk_on_device:z"
    ],
    "fixtures/kernels/test_tuned_ridge.py::"
    "test_what_does_not_fit_is_refused_with_both_numbers_before_it_is_allocated": [
        f"{KERNELS}.tuned_ridge.require_room:available"
    ],
    "fixtures/kernels/test_tuned_ridge.py::"
    "test_coefficients_are_those_of_ridge_regression_whose_penalty_is_a_share_of_the_mean_eigenvalue": [
        f"{KERNELS}.tuned_ridge.tune_ridge:ratios",
        f"{KERNELS}.tuned_ridge.tune_ridge:limits",
    ],
    "fixtures/models/test_fully_connected.py::"
    "test_with_one_hidden_layer_it_is_the_closed_form_network_at_the_start_and_along_sgd": [
        f"{MODELS}.fully_connected.fully_connected:activation",
        f"{MODELS}.fully_connected.fully_connected:parameterization",
    ],
    "fixtures/models/test_fully_connected.py::test_the_gain_enters_once_for_each_hidden_layer": [
        f"{MODELS}.fully_connected.fully_connected:gain"
    ],
    "fixtures/models/test_fully_connected.py::"
    "test_a_width_that_would_not_fit_is_refused_in_one_line_before_it_is_allocated": [
        f"{MODELS}.fully_connected.fully_connected:limit"
    ],
    "fixtures/models/test_fully_connected.py::test_a_network_has_the_precision_that_is_asked_for": [
        f"{MODELS}.fully_connected.fully_connected:dtype"
    ],
    "fixtures/models/test_fully_connected.py::test_a_network_lives_on_the_device_of_its_generator": [
        f"{MODELS}.memory.require_memory:device"
    ],
    "fixtures/sweeps/test_store.py::test_a_checkpoint_is_due_when_the_interval_has_gone_by_since_the_last": [
        "fixtures.sweeps.context.TrialContext:interval",
        "fixtures.sweeps.context.TrialContext:clock",
    ],
    "fixtures/sweeps/test_store.py::test_the_time_left_comes_from_what_is_done_and_under_way": [
        "fixtures.sweeps.context.TrialContext.report:loss",
        "fixtures.sweeps.memory_context.MemoryContext.report:loss",
    ],
    "fixtures/sweeps/test_sweep.py::test_a_record_of_other_data_is_refused_and_neither_returned_nor_lost": [
        "fixtures.sweeps.context.TrialContext:data_folder",
        "fixtures.sweeps.sweep.run_sweep:data_folder",
        "fixtures.sweeps.sweep.usable_records:data_folder",
    ],
    "fixtures/sweeps/test_executors.py::test_what_makes_no_executor_is_refused": [
        "fixtures.sweeps.executors.check_executor:partition",
        "fixtures.sweeps.executors.check_executor:options",
    ],
    "fixtures/sweeps/test_executors.py::test_workers_give_what_this_process_gives": [
        "fixtures.sweeps.executors.make_executor:name",
        "fixtures.sweeps.executors.make_executor:workers",
        "fixtures.sweeps.sweep.run_sweep:progress",
    ],
    "fixtures/sweeps/test_slurm.py::test_options_reach_the_job_and_its_error_comes_back_in_one_line": [
        "fixtures.sweeps.executors.make_executor:folder",
        "fixtures.sweeps.executors.make_executor:partition",
        "fixtures.sweeps.executors.make_executor:options",
    ],
    "fixtures/sweeps/test_trials.py::test_a_title_is_one_line_of_bounded_length": [
        "fixtures.sweeps.random_walk.RandomWalk:dimension",
        "fixtures.sweeps.random_walk.RandomWalk:fails_at",
    ],
    "fixtures/sweeps/test_sweep.py::test_a_trial_that_was_stopped_anywhere_ends_as_if_it_never_was": [
        "fixtures.sweeps.sweep.run_sweep:interval"
    ],
    "fixtures/sweeps/test_slurm.py::test_a_sweep_whose_job_was_cancelled_half_way_is_completed_by_the_next": [
        "fixtures.sweeps.sweep.run_sweep:poll"
    ],
    "fixtures/training/test_preparation.py::test_equal_seeds_give_equal_images_whatever_else_differs": [
        "fixtures.training.config.TrainingConfig:loss",
        "fixtures.training.config.TrainingConfig:momentum",
        "fixtures.training.config.TrainingConfig:augment",
        "fixtures.training.config.TrainingConfig:label_noise",
    ],
    "fixtures/training/test_cuda.py::test_a_graph_trains_like_eager_steps": [
        "fixtures.training.config.TrainingConfig:precision",
        "fixtures.training.config.TrainingConfig:compiled",
    ],
    "fixtures/training/test_run.py::test_a_cuda_that_is_not_there_is_one_line": [
        "fixtures.training.config.TrainingConfig:device"
    ],
    "properties/curvature/test_network_sharpness.py::"
    "test_the_same_seed_gives_the_same_result_and_another_one_another_sample": [
        f"{CURVATURE}.network_sharpness.network_sharpness:sample",
        f"{CURVATURE}.network_sharpness.network_sharpness:seed",
    ],
    "properties/curvature/test_network_sharpness.py::test_a_run_that_spends_its_budget_says_so": [
        f"{CURVATURE}.network_sharpness.network_sharpness:budget",
    ],
    "properties/curvature/test_network_sharpness.py::"
    "test_rescaling_filters_changes_the_normalized_value_and_not_the_scale_invariant_one": [
        f"{CURVATURE}.network_sharpness.network_sharpness:scale_invariant"
    ],
    "properties/curvature/test_sharpness.py::test_the_same_seed_gives_the_same_enclosure": [
        f"{CURVATURE}.sharpness.sharpness:seed"
    ],
    "properties/curvature/test_sharpness.py::"
    "test_the_enclosure_contains_the_curvature_of_cross_entropy_despite_cancellation": [
        f"{CURVATURE}.sharpness.sharpness:accuracy"
    ],
    "properties/test_deep_linear.py::test_the_monotone_rate_of_many_steps_keeps_their_lengths_within_the_radius": [
        "properties.deep_linear.monotone_rate:radius"
    ],
    "properties/test_lazy_training.py::test_jacobian_and_kernel_move_no_further_than_their_bounds": [
        "properties.lazy_training.kernel_drift:train",
        "properties.lazy_training.kernel_rounding:train",
        "properties.lazy_training.turning_rate:train",
    ],
    "properties/test_lazy_training.py::test_the_movement_of_a_lazy_network_is_its_radius_within_a_factor_of_eight": [
        "properties.lazy_training.lazy_radius:train"
    ],
    "properties/test_certificates.py::"
    "test_a_search_shows_an_instance_that_is_no_violation_and_takes_one_from_outside_the_strategy": [
        "properties.search.smallest_violation:spared"
    ],
    "properties/test_certificates.py::test_a_search_without_a_violation_is_an_error": [
        "properties.search.smallest_violation:budget"
    ],
    "properties/spectra/test_nuclear_norm.py::test_the_bracket_of_a_corner_encloses_its_exact_least_norm": [
        "properties.spectra.nuclear_norm.completion_bracket:gamma"
    ],
    "properties/statistics/test_concentration.py::test_relu_entries_show_an_output_weight_that_is_not_squared": [
        "properties.statistics.concentration.chernoff:domain"
    ],
    "properties/statistics/test_paired.py::test_one_rule_judges_effects_of_either_sign": [f"{PAIRED}.judge:printed"],
    "properties/statistics/test_paired.py::test_a_direction_is_judged_without_a_size": [f"{PAIRED}.judge:direction"],
}

"""Tests that turn an option in their own text."""


def imported_by_theorems():
    """The functions and classes of fixtures and properties that files of theorems import, by their dotted paths."""
    for path in (ROOT / "theorems").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            module = getattr(node, "module", None) or ""
            if isinstance(node, ast.ImportFrom) and module.split(".")[0] in ("fixtures", "properties"):
                yield from (f"{module}.{alias.name}" for alias in node.names)


def options_of(path):
    """The options, path:name, of a function, or of a class and its public methods: arguments with a default."""
    found = named(path)
    callables = {path: found}
    if inspect.isclass(found):
        if issubclass(found, (Exception, enum.Enum)):
            return
        callables |= {f"{path}.{name}": part for name, part in vars(found).items() if not name.startswith("_")}
    for name, part in callables.items():
        is_ours = inspect.isfunction(inspect.unwrap(part)) or inspect.isclass(part)
        for option in inspect.signature(part).parameters.values() if is_ours else []:
            if option.default is not inspect.Parameter.empty:
                yield f"{name}:{option.name}"


@pytest.mark.slow
def test_every_option_of_what_theorems_import_is_turned():
    turned = [f"{path}:{option}" for path, option, *_ in [*OF_FIXTURES, *STRATEGIES, *OF_PROPERTIES]]
    turned += itertools.chain.from_iterable(ELSEWHERE.values())
    paths = {path for path in imported_by_theorems() if not (ROOT / Path(*path.split("."))).is_dir()}
    options = set(itertools.chain.from_iterable(map(options_of, sorted(paths))))
    assert_identical(sorted(options - set(turned)), [], why="options that no test turns")
    assert_identical(sorted(set(turned) - options), [], why="options that are gone, or that no theorem imports")
    assert_identical(len(turned), len(set(turned)), why="each option once")


@pytest.mark.slow
@pytest.mark.parametrize("test", ELSEWHERE)
def test_a_test_that_is_said_to_turn_an_option_exists_and_names_it(test):
    path, name = test.split("::")
    source = (ROOT / path).read_text(encoding="utf-8")
    bodies = [node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef) and node.name == name]
    assert_identical(len(bodies), 1, why=f"tests of this name in {path}")
    first = min([bodies[0].lineno, *(decorator.lineno for decorator in bodies[0].decorator_list)])
    text = "\n".join(source.splitlines()[first - 1 : bodies[0].end_lineno])
    missing = [option for option in ELSEWHERE[test] if not re.search(rf"\b{option.split(':')[1]}\b", text)]
    assert_identical(missing, [], why="options that the test does not name")
