"""Self-tests: a profile comes back from its file as it was, and another file is refused in one line."""

import dataclasses
import json
import math
from pathlib import Path

import jsonschema
import pytest

from probes import load, load_all
from probes.profiles.answers import Answer, Measured, Status
from probes.profiles.document import SCHEMA, ProfileError, as_document, plain_answer, read_answer, save
from probes.running.faults import Fault, Severity


@pytest.fixture
def profile(profile_of):
    """A profile in which every field has a value of its own."""
    measured = Measured("share", (0.1, math.nan, math.inf, -math.inf), 2.0**-52, (0.0,), "dual gap", 0.5)
    full = profile_of([1.0, 2.0], seed=3, package="torch", version="2.13.0", environment={"torch": "2.13.0"})
    return dataclasses.replace(
        full,
        arguments={"lr": "0.1", "betas": "(0.9, 0.99)"},
        step="found",
        settings={"momentum": 0.9, "eps": 2.0**-30},
        device="cuda",
        faults=(Fault(Severity.FAULT, "it never moves"),),
        answers=(*full.answers, Answer("interpolation", Status.NOT_CONVERGED, "", "no", None, (measured,), 1.25)),
    )


def test_a_profile_comes_back_bit_for_bit(profile, tmp_path):
    save([profile], tmp_path / "a.json")
    found = load(tmp_path / "a.json")
    assert as_document([found]) == as_document([profile])
    assert dataclasses.replace(found, answers=()) == dataclasses.replace(profile, answers=())
    back = found.answers[1].measured[0].values
    assert (back[0], math.isnan(back[1]), back[2:]) == (0.1, True, (math.inf, -math.inf))


def test_an_answer_goes_through_another_process_as_plain_json(profile):
    for answer in profile.answers:
        sent = json.loads(json.dumps(plain_answer(answer), allow_nan=False))
        assert repr(read_answer(sent)) == repr(answer)


def test_a_profile_saves_itself(profile, tmp_path):
    profile.save(tmp_path / "folder" / "a.json")
    assert load(str(tmp_path / "folder" / "a.json")).name == profile.name


@pytest.mark.slow
def test_the_file_is_what_its_schema_describes(profile):
    schema = json.loads((Path(__file__).parents[2] / "docs" / "bias.schema.json").read_text(encoding="utf-8"))
    document = as_document([profile])
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(document, schema)
    for broken in (document | {"schema": SCHEMA + 1}, document | {"more": 1}, {"profiles": document["profiles"]}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(broken, schema)


def edited(document, edit):
    copy = json.loads(json.dumps(document))
    edit(copy)
    return json.dumps(copy)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("edit", "complaint"),
    [
        (lambda d: d.update(schema=2), "has schema 2, and this whichmin reads 1: save it anew"),
        (lambda d: d.pop("schema"), "has schema None, and this whichmin reads 1"),
        (lambda d: d.pop("profiles"), "is no file of profiles"),
        (lambda d: d.update(profiles={}), "is damaged: a list is missing"),
        (lambda d: d["profiles"].clear(), "is damaged: it has no profile"),
        (lambda d: d["profiles"].append(d["profiles"][0]), "is damaged: two profiles have one name"),
        (lambda d: d["profiles"][0].pop("family"), "is damaged: a profile lacks 'family'"),
        (lambda d: d["profiles"][0].update(new=1), "is damaged: a profile has the unknown field 'new'"),
        (lambda d: d["profiles"][0].update(seconds=10**400), "is damaged: a profile has 'seconds': '1000"),
        (lambda d: d["profiles"][0].update(name=7), "is damaged: a profile has 'name': '7'"),
        (lambda d: d["profiles"][0].update(arguments=[]), "is damaged: arguments is no object"),
        (lambda d: d["profiles"][0]["effort"].update(steps=-1), "is damaged: the effort has 'steps': '-1'"),
        (lambda d: d["profiles"][0]["answers"].append(3), "is damaged: an answer is no object"),
        (lambda d: d["profiles"][0]["faults"][0].update(severity="sad"), "is damaged: a fault has 'severity': 'sad'"),
        (lambda d: answer(d).update(status="maybe"), "is damaged: an answer has 'status': 'maybe'"),
        (lambda d: answer(d).update(question="entropy"), "has the question 'entropy', which is not asked here"),
        (lambda d: answer(d)["measured"].append(answer(d)["measured"][0]), "has two numbers of one name"),
        (lambda d: answer(d)["measured"][0].update(values=["1"]), "a number has 'values'"),
        (lambda d: answer(d)["measured"][0].update(values=[True]), "a number has 'values'"),
        (lambda d: answer(d)["measured"][0].update(values=7), "is damaged: a list is missing"),
    ],
)
def test_a_file_of_another_kind_is_refused_in_one_line(profile, tmp_path, edit, complaint):
    (tmp_path / "a.json").write_text(edited(as_document([profile]), edit), encoding="utf-8")
    with pytest.raises(ProfileError) as refusal:
        load_all(tmp_path / "a.json")
    assert str(refusal.value).startswith(f"{tmp_path / 'a.json'} ")
    assert complaint in str(refusal.value)
    assert "\n" not in str(refusal.value)


def answer(document):
    return document["profiles"][0]["answers"][0]


@pytest.mark.parametrize("text", ["", "{", '{"profiles": NaN}', "\udcff", "[" * 9_999])
def test_a_file_that_is_cut_off_or_no_json_is_damaged(tmp_path, text):
    (tmp_path / "a.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(ProfileError, match="is damaged: it is no JSON"):
        load(tmp_path / "a.json")


def test_a_file_that_is_not_there_or_has_several_profiles_is_told(profile, tmp_path):
    with pytest.raises(ProfileError, match=r"b.json cannot be read \(No such file or directory\)"):
        load(tmp_path / "b.json")
    save([profile, dataclasses.replace(profile, name="other")], tmp_path / "a.json")
    with pytest.raises(ProfileError, match="has 2 profiles, not one: use load_all"):
        load(tmp_path / "a.json")
    assert [one.name for one in load_all(tmp_path / "a.json")] == [profile.name, "other"]


def test_a_file_that_cannot_be_written_stays_as_it_was(profile, tmp_path, monkeypatch):
    profile.save(tmp_path / "a.json")
    before = (tmp_path / "a.json").read_bytes()
    monkeypatch.setattr("os.fsync", lambda _: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(OSError, match="No space left"):
        dataclasses.replace(profile, name="new").save(tmp_path / "a.json")
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]
    assert (tmp_path / "a.json").read_bytes() == before
