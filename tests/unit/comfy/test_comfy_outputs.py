"""The files a prompt lists, and names that are refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from workers.comfy.errors import UnsafePath
from workers.comfy.outputs import output_files

Recording = Callable[..., dict[str, Any]]


def _outputs(recorded: dict[str, Any]) -> object:
    return next(iter(recorded["history"].values()))["outputs"]


@pytest.mark.parametrize(
    ("name", "listed_under", "filename", "subfolder", "kind"),
    [
        ("prompt_ok_trivial", "images", "rec_00001_.png", "", "image"),
        ("prompt_ok_video", "images", "v_00001_.mp4", "video", "video"),
        ("prompt_ok_webp", "images", "anim_00001_.webp", "", "video"),
    ],
)
def test_the_kind_comes_from_the_file_and_not_from_the_list(
    recording: Recording, name: str, listed_under: str, filename: str, subfolder: str, kind: str
) -> None:
    (file,) = output_files(_outputs(recording(name)))

    assert (file.listed_under, file.filename, file.subfolder, file.kind) == (
        listed_under,
        filename,
        subfolder,
        kind,
    )


def test_every_file_of_every_node_is_found_and_texts_are_not_files(recording: Recording) -> None:
    files = output_files(_outputs(recording("prompt_ok_two_outputs_batch3")))

    assert [(file.node_id, file.filename) for file in files] == [
        ("2", "a_00001_.png"),
        ("2", "a_00002_.png"),
        ("2", "a_00003_.png"),
        ("3", "b_00001_.png"),
        ("3", "b_00002_.png"),
        ("3", "b_00003_.png"),
    ]
    assert {file.subfolder for file in files} == {"sub dir", ""}


def test_sound_is_listed_under_audio() -> None:
    (file,) = output_files(
        {"2": {"audio": [{"filename": "a_00001.flac", "subfolder": "audio", "type": "output"}]}}
    )

    assert (file.listed_under, file.kind) == ("audio", "audio")


def test_lists_of_custom_nodes_are_scanned_too() -> None:
    entry = {"filename": "clip.mp4", "subfolder": "", "type": "output", "format": "video/h264-mp4"}

    (file,) = output_files({"4": {"gifs": [entry], "progress": 3, "text": ["clip.mp4"]}})

    assert (file.listed_under, file.kind) == ("gifs", "video")


def test_previews_come_only_when_asked_for(recording: Recording) -> None:
    outputs = _outputs(recording("prompt_ok_preview_only"))

    assert output_files(outputs) == ()
    assert [file.folder for file in output_files(outputs, temp=True)] == ["temp", "temp"]


def test_a_windows_servers_subfolder_is_read_with_slashes() -> None:
    (file,) = output_files({"1": {"images": [{"filename": "a.png", "subfolder": "x\\y", "type": "output"}]}})

    assert file.subfolder == "x/y"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("filename", "../a.png"),
        ("filename", "a/b.png"),
        ("filename", "a\\b.png"),
        ("filename", ".."),
        ("filename", ""),
        ("filename", "C:a.png"),
        ("filename", "a\0.png"),
        ("filename", None),
        ("subfolder", ".."),
        ("subfolder", "a/../../b"),
        ("subfolder", "a\\..\\b"),
        ("subfolder", "/etc"),
        ("subfolder", "\\\\server\\share"),
        ("subfolder", "C:\\x"),
        ("subfolder", None),
        ("type", "etc"),
    ],
)
def test_a_name_that_could_leave_its_folder_is_refused_by_field_and_value(field: str, value: object) -> None:
    entry = {"filename": "a.png", "subfolder": "", "type": "output", field: value}

    with pytest.raises(UnsafePath) as refused:
        output_files({"7": {"images": [entry]}})

    assert f"outputs.7.images.{field}" in refused.value.message
    assert repr(value) in refused.value.message


@pytest.mark.parametrize(
    "outputs", [None, [], {"1": None}, {"1": {"images": None}}, {"1": {"images": ["a"]}}]
)
def test_outputs_without_files_list_none(outputs: object) -> None:
    assert output_files(outputs) == ()
