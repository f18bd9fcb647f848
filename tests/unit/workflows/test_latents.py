"""What a manifest may say of latents, and which latent frame holds which frame of the clip."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from workflows.bind import bind
from workflows.errors import TemplateInvalid
from workflows.latents import frames_behind, latent_frames, latent_of, repeated
from workflows.load import LIBRARY, load, template_from
from workflows.manifest_check import check_manifest

GIVEN: dict[str, Any] = {"positive": "a harbour", "seed": 1, "first_frame": "first.png"}


def problems(change: Callable[[dict[str, Any]], None]) -> list[str]:
    """What is wrong with wan_svi after a change to its manifest."""
    graph, document = (
        json.loads((LIBRARY / "wan_svi" / f"{name}.json").read_text()) for name in ("graph", "manifest")
    )
    document = copy.deepcopy(document)
    change(document)
    return [
        str(problem)
        for problem in check_manifest(template_from(graph, document))
        if problem.code == "latents"
    ]


def test_the_first_latent_frame_holds_one_frame_and_each_further_one_four() -> None:
    assert [latent_of(frame, 4) for frame in range(10)] == [0, 1, 1, 1, 1, 2, 2, 2, 2, 3]
    assert [frames_behind(frame, 4) for frame in range(10)] == [0, 3, 2, 1, 0, 3, 2, 1, 0, 3]
    assert [latent_frames(frames, 4) for frames in (1, 5, 157)] == [1, 2, 40]


def test_no_frame_is_shown_twice_and_none_left_out_at_the_seam() -> None:
    """Frame 0 of the new clip is its anchor, frames 1 to 4 are those of the latent frame handed over."""
    for last in range(4, 60):
        handed = range(4 * latent_of(last, 4) - 3, 4 * latent_of(last, 4) + 1)
        new = [None, *handed, *range(handed.stop, 200)]
        skip = repeated(5, 1, 4, 4 - frames_behind(last, 4))
        assert new[skip] == last + 1, last


def test_the_shipped_template_says_what_it_saves_and_takes() -> None:
    manifest = load("wan_svi").manifest
    assert (manifest.saves_latents, manifest.takes_latents) == (True, True)
    assert (manifest.bindings["latent"].overlap, manifest.bindings["latent"].latents) == (5, 1)
    assert not load("wan22_i2v").manifest.takes_latents


@pytest.mark.parametrize(
    ("more", "before", "left"),
    [
        ({}, None, set()),
        ({"video": "v.mkv"}, ["18", 0], {"14", "18"}),
        ({"latent": "x.latent"}, ["31", 0], {"31"}),
    ],
)
def test_the_clip_goes_on_from_latents_from_frames_or_from_nothing(
    more: dict[str, Any], before: list[Any] | None, left: set[str]
) -> None:
    graph = bind(load("wan_svi"), GIVEN | more, filename_prefix="a/b").graph
    assert graph["19"]["inputs"].get("prev_samples") == before
    assert {"14", "18", "31"} & graph.keys() == left
    assert graph["34"]["inputs"]["filename_prefix"] == "a/b"


def test_what_does_not_fit_is_said() -> None:
    def without(*path: str) -> Callable[[dict[str, Any]], None]:
        def change(document: dict[str, Any]) -> None:
            for key in path[:-1]:
                document = document[key]
            del document[path[-1]]

        return change

    def with_(value: Any, *path: str) -> Callable[[dict[str, Any]], None]:
        def change(document: dict[str, Any]) -> None:
            for key in path[:-1]:
                document = document[key]
            document[path[-1]] = value

        return change

    assert problems(lambda document: None) == []
    assert "form is needed" in problems(without("latents"))[0]
    assert "must be optional" in problems(without("bindings", "latent", "optional"))[0]
    assert "the 4 frames of its latents" in problems(with_(3, "bindings", "latent", "overlap"))[0]
    assert "clips of 3n+1 frames" in problems(with_(3, "latents", "stride"))[0]
    assert "multiple of 32" in problems(with_(32, "latents", "scale"))[0]

    def neither(document: dict[str, Any]) -> None:
        del document["bindings"]["latent"], document["outputs"][1]

    assert problems(neither) == ["The form of latents is told, but none are saved and none are taken."]

    def twice(document: dict[str, Any]) -> None:
        document["outputs"].append(document["outputs"][1])

    assert "at most" in problems(twice)[0]


def test_a_role_of_latents_says_how_many_it_takes() -> None:
    document = json.loads((LIBRARY / "wan_svi" / "manifest.json").read_text())
    del document["bindings"]["latent"]["latents"]
    with pytest.raises(TemplateInvalid, match=r"bindings\.latent\.latents"):
        template_from({}, document)
    document["bindings"]["latent"]["latents"] = 0
    with pytest.raises(TemplateInvalid, match="at least 1"):
        template_from({}, document)
