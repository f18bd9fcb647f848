"""Uploads and downloads: names, folders, ranges and refusals as recorded."""

from __future__ import annotations

import io
from typing import Any

import pytest
import requests
from PIL import Image

from tests.comfysim_fixture import ComfySim
from tests.integration.comfysim.replay import history_of, still, submit


def _png(color: str = "red") -> bytes:
    buffer = io.BytesIO()
    Image.new("RGBA", (8, 8), color).save(buffer, "PNG")
    return buffer.getvalue()


def _upload(sim: ComfySim, name: str, data: bytes, route: str = "image", **fields: str) -> requests.Response:
    files = {"image": (name, data)}
    return requests.post(f"{sim.url}/upload/{route}", files=files, data=fields, timeout=10)


def test_another_picture_under_a_taken_name_gets_a_name_of_its_own(sim: ComfySim) -> None:
    answers: list[Any] = [
        _upload(sim, "a.png", _png("red")),
        _upload(sim, "a.png", _png("red")),
        _upload(sim, "a.png", _png("blue")),
        _upload(sim, "a.png", _png("green"), overwrite="true"),
        _upload(sim, "a.png", _png("red"), overwrite="True"),
    ]
    assert [answer.json()["name"] for answer in answers] == [
        "a.png",
        "a.png",
        "a (1).png",
        "a.png",
        "a (2).png",
    ]
    assert answers[0].json() == {"name": "a.png", "subfolder": "", "type": "input"}


@pytest.mark.parametrize("kind", ["input", "temp", "output"])
def test_an_upload_goes_to_the_folder_of_its_type(kind: str, sim: ComfySim) -> None:
    answer = _upload(sim, "b.png", _png(), type=kind, subfolder="jobs/42").json()
    assert answer == {"name": "b.png", "subfolder": "jobs/42", "type": kind}
    assert (sim.base_dir / kind / "jobs" / "42" / "b.png").read_bytes() == _png()


def test_any_file_is_accepted_and_offered_by_load_image(sim: ComfySim) -> None:
    assert _upload(sim, "evil.txt", b"hello").json()["name"] == "evil.txt"
    info = requests.get(f"{sim.url}/object_info/LoadImage", timeout=5).json()
    assert info["LoadImage"]["input"]["required"]["image"][0] == ["evil.txt"]


@pytest.mark.parametrize(
    ("fields", "status"),
    [({"type": "bogus"}, 500), ({"subfolder": "../../x"}, 400), ({"subfolder": "/etc"}, 400)],
)
def test_an_upload_to_nowhere_is_refused(fields: dict[str, str], status: int, sim: ComfySim) -> None:
    assert _upload(sim, "a.png", _png(), **fields).status_code == status


def test_an_upload_without_a_picture_is_refused(sim: ComfySim) -> None:
    response = requests.post(f"{sim.url}/upload/image", data={"foo": "bar"}, timeout=5)
    assert (response.status_code, response.text) == (400, "")


def test_a_mask_is_put_on_the_picture_it_refers_to(sim: ComfySim) -> None:
    _upload(sim, "a.png", _png("red"))
    reference = '{"filename": "a.png", "type": "input", "subfolder": ""}'
    answer = _upload(sim, "m.png", _png("#00000080"), "mask", original_ref=reference, subfolder="clipspace")
    assert answer.json() == {"name": "m.png", "subfolder": "clipspace", "type": "input"}
    masked = Image.open(sim.base_dir / "input" / "clipspace" / "m.png")
    assert masked.getpixel((0, 0)) == (255, 0, 0, 128)
    assert _upload(sim, "m2.png", _png(), "mask").status_code == 500


def test_a_saved_picture_is_viewed_whole_and_in_part(sim: ComfySim) -> None:
    history_of(sim, submit(sim, still(5, "deep/er/v")))
    query = "filename=v_00001_.png&subfolder=deep/er&type=output"
    whole = requests.get(f"{sim.url}/view?{query}", timeout=5)
    assert (whole.status_code, whole.headers["Content-Type"]) == (200, "image/png")
    assert whole.headers["Content-Disposition"] == 'filename="v_00001_.png"'
    assert whole.content == (sim.base_dir / "output" / "deep" / "er" / "v_00001_.png").read_bytes()
    part = requests.get(f"{sim.url}/view?{query}", headers={"Range": "bytes=0-9"}, timeout=5)
    assert (part.status_code, part.content) == (206, whole.content[:10])
    preview = requests.get(f"{sim.url}/view?{query}&preview=webp;50", timeout=5)
    assert (preview.headers["Content-Type"], preview.content[:4]) == ("image/webp", b"RIFF")


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("filename=nope.png", 404),
        ("", 404),
        ("filename=../../../etc/passwd", 400),
        ("filename=..%2F..%2Fetc%2Fpasswd", 400),
        ("filename=/etc/passwd", 400),
        ("filename=passwd&subfolder=../../../../../../etc", 403),
        ("filename=a.png&type=bogus", 400),
    ],
)
def test_a_view_outside_the_folders_is_refused(query: str, status: int, sim: ComfySim) -> None:
    response = requests.get(f"{sim.url}/view?{query}", timeout=5)
    assert (response.status_code, response.text) == (status, "")


def test_an_annotated_name_says_its_own_folder(sim: ComfySim) -> None:
    _upload(sim, "a.png", _png())
    assert requests.get(f"{sim.url}/view?filename=a.png%20[input]", timeout=5).content == _png()
