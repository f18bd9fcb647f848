"""A dry run tells for every written input where its value comes from, and binds like a job does."""

from __future__ import annotations

import pytest

from workflows.bind import bind
from workflows.dry_run import DryRun, Given, GivenLora, Origin, dry_run
from workflows.errors import MissingRole
from workflows.load import load
from workflows.loras import Lora

SHOT = Origin("shot", "SH0030, 97 frames at 24 fps")
FARM = Origin("farm", "seed of the job")
VALUES = {
    "positive": Given("a fox runs", Origin("preset", "Noir, prompt build 3")),
    "first_frame": Given("take:7", Origin("shot", "SH0030, selected keyframe")),
    "frames": Given(65, SHOT),
    "seed": Given(5, FARM),
}
PREFIX = Given("SH0030/a1", Origin("farm", "name of the attempt"))
LORAS = [GivenLora(Lora("mina.safetensors", 0.8), Origin("character", "Mina"))]


@pytest.fixture(scope="module")
def run() -> DryRun:
    return dry_run(load("wan22_i2v"), VALUES, filename_prefix=PREFIX, loras=LORAS)


def test_the_graph_is_the_one_a_job_sends(run: DryRun) -> None:
    bound = bind(
        load("wan22_i2v"),
        {role: given.value for role, given in VALUES.items()},
        filename_prefix="SH0030/a1",
        loras=[LORAS[0].lora],
    )

    assert run.graph == bound.graph
    assert list(run.files) == bound.inputs


def test_every_input_that_a_role_writes_has_its_origin(run: DryRun) -> None:
    told = {(one.node, one.input): (one.role, one.value, one.before, one.origin) for one in run.written}

    assert told["8", "length"] == ("frames", 65, 81, SHOT)
    assert told["11", "noise_seed"] == ("seed", 5, 0, FARM)
    assert told["12", "start_at_step"] == ("steps", 10, 10, Origin("default"))
    assert told["15", "filename_prefix"] == ("filename_prefix", "SH0030/a1", "shotfarm", PREFIX.origin)
    targets = {
        (target.node, target.input)
        for binding in load("wan22_i2v").manifest.bindings.values()
        for target in binding.targets
    }
    assert targets == {place for place, (role, *_) in told.items() if role != "loras"}


def test_loaders_that_are_chained_in_name_the_character(run: DryRun) -> None:
    loaders = [one for one in run.written if one.role == "loras"]

    assert {(one.node, one.input, one.value) for one in loaders} == {
        ("16", "lora_name", "mina.safetensors"),
        ("16", "strength_model", 0.8),
        ("17", "lora_name", "mina.safetensors"),
        ("17", "strength_model", 0.8),
    }
    assert {str(one.origin) for one in loaders} == {"character: Mina"}


def test_nothing_differs_from_the_template_but_what_has_an_origin(run: DryRun) -> None:
    written = {(one.node, one.input) for one in run.written}

    assert {node.kind for node in run.diff.nodes} == {"changed", "added"}
    for node in run.diff.of_kind("changed"):
        for change in node.inputs:
            assert change.kind == "link" or (node.after, change.input) in written
    assert [node.after for node in run.diff.of_kind("added")] == ["16", "17"]


def test_what_a_job_would_be_refused_for_is_refused_here() -> None:
    with pytest.raises(MissingRole, match="first_frame"):
        dry_run(load("wan22_i2v"), {"positive": VALUES["positive"]}, filename_prefix=PREFIX)
