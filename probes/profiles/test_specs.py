"""Self-tests: optimizers are named on the command line, and a name that is wrong is refused in one line."""

import pytest

from probes.profiles.specs import SpecError, check_device, named, near_misses, read_arguments, torch_optimizers
from probes.running.candidate import OptimizerFault


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("", {}),
        ("lr=1e-2", {"lr": 0.01}),
        ("lr=1e-2 betas=(0.9,0.99)", {"lr": 0.01, "betas": (0.9, 0.99)}),
        (" lr = 1e-2,  betas = (0.9, 0.99) , amsgrad=True ", {"lr": 0.01, "betas": (0.9, 0.99), "amsgrad": True}),
        ("mode='a b=c' eps=None", {"mode": "a b=c", "eps": None}),
        ("names=['x', 'y'] deep={'a': (1, -2)}", {"names": ["x", "y"], "deep": {"a": (1, -2)}}),
    ],
)
def test_arguments_are_literals_of_python(text, values):
    assert read_arguments(text) == values


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("lr", "'lr' is no name=value: write 'lr=1e-2 betas=(0.9,0.99)'"),
        ("0.1", "'0.1' is no name=value"),
        ("lr==1", "'lr==1' is no name=value"),
        ("lr=", "lr= is no literal value of Python"),
        ("lr=fast", "lr=fast is no literal value of Python"),
        ("lr=1e-2 mode=sum", "mode=sum is no literal"),
        ("lr=__import__('os').getcwd()", "lr=__import__('os').getcwd() is no literal"),
        ("betas=(0.9,", "betas=(0.9, is no literal"),
        ("lr=0.1 lr=0.2", "lr has two values"),
    ],
)
def test_other_arguments_are_refused(text, complaint):
    with pytest.raises(SpecError) as refusal:
        read_arguments(text)
    assert str(refusal.value).startswith(f"--optimizer-args: {complaint}")
    assert "\n" not in str(refusal.value)


@pytest.fixture
def file(tmp_path):
    """A file with an optimizer, and one that cannot be imported."""
    text = """
import torch

class Slow(torch.optim.SGD):
    def __init__(self, params, lr=0.5):
        super().__init__(params, lr=lr)

def make(params, rate=0.25):
    return Slow(params, lr=rate)

speed = 3
"""
    (tmp_path / "mine.py").write_text(text, encoding="utf-8")
    (tmp_path / "broken.py").write_text("import no_such_package\n", encoding="utf-8")
    (tmp_path / "exits.py").write_text("raise SystemExit('done')\n", encoding="utf-8")
    return tmp_path / "mine.py"


def test_a_class_has_its_step_found_unless_it_is_given(file):
    assert named("torch.optim:SGD").candidate.has_step is False
    assert named("torch.optim:SGD", "lr=0.1").candidate.has_step is True
    assert named("torch.optim:SGD", step="given").candidate.has_step is True
    assert named("torch.optim:SGD", "lr=0.1", step="found").candidate.has_step is False
    assert named(f"{file}:Slow").candidate.has_step is False
    assert named(f"{file}:make").candidate.has_step is True
    assert named(f"{file}:make", step="found").candidate.has_step is False


@pytest.mark.slow
def test_the_arguments_reach_the_optimizer_and_its_name(file):
    one = named(f"{file}:make", "rate=0.125")
    assert (one.candidate.own_step, one.candidate.family) == (0.125, "Slow")
    assert one.candidate.name == f"{file}:make(rate=0.125)"
    adam = named("torch.optim:Adam", "lr=1e-2 betas=(0.9,0.99)")
    assert adam.candidate.name == "torch.optim:Adam(lr=0.01, betas=(0.9, 0.99))"
    assert adam.arguments == {"lr": "0.01", "betas": "(0.9, 0.99)"}
    assert named("torch.optim:Adam").candidate.name == "torch.optim:Adam"


@pytest.mark.slow
def test_state_that_is_kept_in_single_precision_is_kept_in_double_where_the_optimizer_would_raise(tmp_path):
    text = """
import torch
class Free(torch.optim.SGD):
    def __init__(self, params, storage_dtype="float32", lr=0.1):
        super().__init__(params, lr=lr)
        self.held = storage_dtype
class Strict(Free):
    def step(self, closure=None):
        if self.held == "float32":
            raise TypeError("expected Float")
        super().step(closure)
"""
    (tmp_path / "stored.py").write_text(text, encoding="utf-8")
    strict, free = (f"{tmp_path}/stored.py:{name}" for name in ("Strict", "Free"))
    assert named(strict).candidate.name == f"{strict}(storage_dtype='float64')"
    assert named(strict).arguments == {"storage_dtype": "'float64'"}
    assert named(strict).candidate.has_step is False
    assert named(free).candidate.name == free
    chosen = "storage_dtype='float32'"
    assert named(strict, chosen).candidate.name == f"{strict}({chosen})"


def test_arguments_that_the_optimizer_refuses_are_a_fault_of_the_run():
    candidate = named("torch.optim:SGD", "learning=0.1").candidate
    with pytest.raises(OptimizerFault, match=r"torch.optim:SGD\(learning=0.1\) cannot be made: TypeError"):
        candidate.build([])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("spec", "complaint"),
    [
        ("torch.optim", "'torch.optim' is no module:Name and no file.py:name: write torch.optim:Adam"),
        ("torch.optim:", "'torch.optim:' is no module:Name"),
        (":Adam", "':Adam' is no module:Name"),
        ("torch.optim:adm", "torch.optim has no adm; near it are Adam, RAdam, NAdam"),
        ("torch.optim:adam.Adm", "torch.optim has no adam.Adm; near it are Adam"),
        ("torch.optm:Adam", "there is no module torch.optm; near it are torch.optim"),
        ("numpi:Adam", "there is no module numpi; near it are numpy"),
        ("torch.optim.no.way:Adam", "there is no module torch.optim.no"),
        ("torch.optim:__doc__", "__doc__ is no class and no function, but a str"),
        ("{folder}/min.py:make", "there is no file {folder}/min.py; near it are mine.py"),
        ("{folder}/no/min.py:make", "there is no file {folder}/no/min.py"),
        ("{folder}/mine.py:mak", "{folder}/mine.py has no mak; near it are make"),
        ("{folder}/mine.py:speed", "speed is no class and no function, but a int"),
        (
            "{folder}/broken.py:make",
            "{folder}/broken.py cannot be imported (ModuleNotFoundError: No module named 'no_s",
        ),
        ("{folder}/exits.py:make", "{folder}/exits.py cannot be imported (SystemExit: done)"),
    ],
)
def test_a_name_that_leads_nowhere_is_refused_in_one_line(file, spec, complaint):
    spec, complaint = (text.replace("{folder}", str(file.parent)) for text in (spec, complaint))
    with pytest.raises(SpecError) as refusal:
        named(spec)
    assert complaint in str(refusal.value)
    assert spec in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_all_of_torch_optim_is_asked_but_for_the_one_of_sparse_gradients():
    found = torch_optimizers()
    assert {"torch.optim:SGD", "torch.optim:Adam", "torch.optim:LBFGS", "torch.optim:Muon"} <= set(found)
    assert not {"torch.optim:SparseAdam", "torch.optim:Optimizer"} & set(found)
    assert found == sorted(found)


def test_a_device_that_torch_lacks_is_refused_in_one_line():
    check_device("cpu")
    with pytest.raises(SpecError, match=r"^--device abacus: torch cannot use it \(RuntimeError: .*\)$"):
        check_device("abacus")


def test_near_misses_ignore_the_case_and_far_names():
    assert near_misses("ADAM", ["Adam", "RAdam", "SGD"]) == ["Adam", "RAdam"]
    assert near_misses("xyz", ["Adam"]) == []
