"""Self-tests: planted optimizers are told from known ones by the transformations with which they commute."""

import dataclasses
import functools

import numpy as np
import pytest
import torch

from fixtures.problems import transformed
from probes.measures import equivariance
from probes.measures.lower_precision import in_double, lower_precisions
from probes.profiles.answers import Status
from probes.profiles.questions import all_questions, ask
from probes.running.candidate import Candidate, of_class
from probes.running.problem import Effort, least_squares
from probes.running.run import train

EFFORT = Effort(instances=4, steps=1500)
ASKED = {asked.key: asked for asked in all_questions() if asked.file.endswith("question_4_equivariances.py")}
FIRST = ("permutation", "rotation", "scaling", "loss scale", "scale-free", "shift", "left rotation", "right rotation")


class Planted(torch.optim.Optimizer):
    """Steps along a function of the gradients of all parameters."""

    def __init__(self, params, direction, lr=0.1):
        self.direction = direction
        super().__init__(params, {"lr": lr})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            moves = self.direction([p.grad for p in group["params"]])
            for p, move in zip(group["params"], moves, strict=True):
                p.sub_(group["lr"] * move)


def alone(function):
    """A direction that treats each parameter alone."""
    return lambda gradients: [function(g) for g in gradients]


def clipped(gradients):
    """Clipped by the global norm."""
    total = torch.stack([g.square().sum() for g in gradients]).sum().sqrt()
    return [g / max(1.0, float(total / 0.5)) for g in gradients]


def polar(g):
    """U V' of the gradient, by a singular value decomposition in double precision."""
    U, _, V = torch.linalg.svd(g if g.ndim == 2 else g[None], full_matrices=False)
    return (U @ V).reshape(g.shape)


def asked_of(direction, *keys, effort=EFFORT):
    """What a planted optimizer answers to these questions."""
    candidate = Candidate("planted", functools.partial(Planted, direction=direction), has_step=True)
    return [ask(ASKED[key], candidate, effort) for key in keys]


def says(direction, *keys):
    return [answer.says or answer.status for answer in asked_of(direction, *keys)]


def of(name, *keys, **options):
    candidate = of_class(f"torch.optim:{name}", getattr(torch.optim, name), options)
    return [answer.says for answer in (ask(ASKED[key], candidate, EFFORT) for key in keys)]


def turned(g):
    """Rotated by a fixed matrix, a quarter turn of the first two of the last entries' plane by 0.1."""
    cos, sin = np.cos(0.1), np.sin(0.1)
    move = g.clone()
    move[..., 0], move[..., 1] = cos * g[..., 0] - sin * g[..., 1], sin * g[..., 0] + cos * g[..., 1]
    return move


@pytest.mark.slow
def test_gradient_descent_commutes_with_rotations_permutations_and_shifts():
    expected = ["exact", "to rounding", *3 * ["violated"], *3 * ["to rounding"]]
    assert of("SGD", *FIRST, lr=0.1) == expected
    assert of("SGD", *FIRST, lr=0.1, momentum=0.9, nesterov=True) == expected


@pytest.mark.slow
def test_adam_commutes_with_permutations_and_up_to_epsilon_with_scales_of_the_loss():
    rest = ["shift", "left rotation", "right rotation"]
    assert of("Adam", *FIRST[:5]) == ["exact", "violated", "violated", "up to epsilon", "up to epsilon"]
    assert of("Adam", *rest) == ["to rounding", "violated", "violated"]
    assert of("AdamW", "shift", weight_decay=0.1) == ["violated"]
    assert of("Adam", "loss scale", eps=0.0) == ["exact"]


@pytest.mark.slow
def test_sign_descent_ignores_scales_exactly_and_normalized_descent_only_that_of_the_loss():
    keys = ("permutation", "rotation", "loss scale", "scale-free")
    assert says(alone(torch.sign), *keys) == ["exact", "violated", "exact", "exact"]
    normalized = alone(lambda g: g / g.norm())
    assert says(normalized, "rotation", "loss scale", "scale-free") == ["to rounding", "exact", "violated"]
    assert says(normalized, "left rotation", "right rotation", "coupling") == [*2 * ["to rounding"], "entries"]


@pytest.mark.slow
def test_the_polar_factor_commutes_from_both_sides_and_its_transpose_from_none():
    assert says(alone(polar), "left rotation", "right rotation") == 2 * ["to rounding"]
    transposing = alone(lambda g: polar(g).mT.reshape(g.shape))
    assert says(transposing, "left rotation", "right rotation") == 2 * ["violated"]
    whitened = alone(lambda g: g @ torch.linalg.pinv(g.mT @ g + torch.eye(g.shape[-1])) if g.ndim == 2 else g)
    assert says(whitened, "left rotation", "right rotation") == 2 * ["to rounding"]
    rows = alone(lambda g: g / g.norm(dim=-1, keepdim=True))
    assert says(rows, "left rotation", "right rotation") == ["violated", "to rounding"]


@pytest.mark.slow
def test_a_gradient_rotated_by_a_fixed_matrix_commutes_with_nothing_that_moves_its_plane():
    assert says(alone(turned), "permutation", "rotation", "scaling", "loss scale") == 4 * ["violated"]
    assert says(alone(turned), "shift", "left rotation", "right rotation", "coupling") == [
        "to rounding",
        "to rounding",
        "violated",
        "entries",
    ]


@pytest.mark.slow
def test_a_clip_by_the_global_norm_couples_parameters():
    assert says(clipped, "coupling") == ["parameters"]
    assert says(clipped, "rotation", "loss scale") == ["to rounding", "violated"]


@pytest.mark.slow
def test_a_violation_of_one_in_ten_billion_is_no_rounding():
    slightly = alone(lambda g: g + 1e-10 * g.abs())
    assert says(slightly, "permutation", "rotation", "loss scale") == ["exact", "violated", "violated"]


@pytest.mark.slow
def test_noise_leaves_no_answer():
    generator = torch.Generator().manual_seed(0)
    noisy = alone(lambda g: g + 1e-6 * torch.randn(g.shape, generator=generator, dtype=g.dtype))
    answers = asked_of(noisy, "rotation", "permutation", "coupling")
    assert [answer.status for answer in answers] == 3 * [Status.NOT_IDENTIFIABLE]
    assert answers[0].detail.startswith("two runs on the same problem differ by ")


@pytest.mark.slow
def test_one_that_stands_still_and_one_that_diverges_are_named():
    assert says(alone(torch.zeros_like), "rotation") == [Status.NOT_APPLICABLE]
    assert says(alone(lambda g: -g * torch.inf), "rotation") == [Status.NOT_CONVERGED]


@pytest.mark.slow
def test_a_run_that_diverges_on_the_transformed_problem_alone_is_a_violation_of_two():
    answer = asked_of(alone(lambda g: torch.where(g.abs() > 1.5, torch.inf, g)), "loss scale")[0]
    assert answer.says == "violated"
    assert max(answer.measured[0].values) == 2


@pytest.mark.slow
def test_with_the_identity_as_the_only_rotation_adam_would_commute_with_rotations(monkeypatch):
    def only_the_identity(tape):
        return dataclasses.replace(transformed.read_transformed(tape), rotation=np.eye(20))

    monkeypatch.setattr(equivariance, "read_transformed", only_the_identity)
    candidate = of_class("torch.optim:Adam", torch.optim.Adam, {"lr": 0.1})
    found = equivariance.vector_fingerprint(candidate, EFFORT)
    assert found.kind("rotation") == "exact"


@pytest.mark.slow
def test_rounding_to_bfloat16_is_lower_precision_and_double_precision_is_found_out_of_it():
    rounded = alone(lambda g: (g / g.norm()).bfloat16().double())
    assert says(rounded, "rotation", "loss scale") == ["to lower precision", "exact"]
    candidate = Candidate("planted", functools.partial(Planted, direction=rounded), has_step=True)
    problem = least_squares(np.ones((1, 2, 3)), np.ones((1, 2)), np.zeros((1, 3)))
    assert lower_precisions(candidate, problem) == ("bfloat16",)
    assert lower_precisions(of_class("Adam", torch.optim.Adam, {}), problem) == ()
    with in_double(seen := set()):
        assert torch.ones(3, dtype=torch.float64).float().dtype == torch.float64
    assert seen == {"float32"}


@pytest.mark.slow
def test_what_falls_with_epsilon_in_part_alone_is_violated():
    # given  a decay in the gradient, which epsilon does not cause
    assert of("Adam", "loss scale", lr=0.1, eps=0.1) == ["up to epsilon"]
    assert of("Adam", "loss scale", lr=0.1, eps=0.1, weight_decay=0.1) == ["violated"]


@pytest.mark.slow
def test_rounding_that_the_run_amplifies_is_still_rounding():
    # given  a length that whirls with that of the gradient, and so amplifies rounding ten thousand times and more
    whirls = alone(lambda g: 5 * torch.sin(10 * g.norm()) * g)
    assert says(whirls, "rotation", "permutation") == 2 * ["to rounding"]


@pytest.mark.slow
def test_a_compiled_optimizer_is_looked_into_and_runs_on_afterwards():
    compiled = torch.compile(lambda g: g.bfloat16().double(), fullgraph=True, backend="eager")
    candidate = Candidate("planted", functools.partial(Planted, direction=alone(compiled)), has_step=True)
    problem = least_squares(np.ones((3, 2, 3)), np.ones((3, 2)), np.zeros((3, 3)))
    assert lower_precisions(candidate, problem) == ("bfloat16",)
    assert train(candidate, problem, steps=2, layout="coordinates").finite.all()


@pytest.mark.slow
def test_muon_commutes_from_both_sides_to_bfloat16():
    keys = ("permutation", "loss scale", "left rotation", "right rotation", "shift")
    expected = ["exact", "exact", "to lower precision", "to lower precision", "violated"]
    assert of("Muon", *keys) == expected
    assert of("Muon", "shift", weight_decay=0.0) == ["to rounding"]
