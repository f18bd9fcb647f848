"""Whoever changes or deletes a planned row over HTTP says which version of it they read."""

from __future__ import annotations

import io
from typing import Any, Final

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart
from PIL import Image

from tests.integration.access.addresses import every_address
from tests.integration.access.table import body_of
from tests.integration.access.test_every_address import ask, undone
from tests.integration.access.world import World

pytestmark = pytest.mark.django_db

WITHOUT: Final = {
    "jobs": "a wish about one thing each (priority, pause), set as named; its events tell who wished what",
    "batches": "wishes about the jobs of a batch, each as about a job",
    "holds": "set or lifted",
    "presets/{pk}/override": "none is there before the first; asked from then on",
    "shots/{pk}/prompt/edits/{channel}": "none is there before the first; asked from then on",
}
"""What is changed without a version, and why."""


WITH_A_PICTURE: Final = {"characters/{pk}/references/{reference_id}", "projects/{code}/picture"}
"""What is asked for its file before its version."""

WRITTEN_BY_POST: Final = {
    "api/v1/playlists/{pk}/order",
    "api/v1/shots/{pk}/assignees",
    "api/v1/imports/{pk}/confirm",
    "api/v1/imports/{pk}/convert",
}
"""What writes over all of a list, whatever the method is called."""

VERSIONED: Final = [
    (method, one)
    for one in every_address()
    for method in ("PATCH", "PUT", "DELETE", *(("POST",) if one.pattern in WRITTEN_BY_POST else ()))
    if method in one.methods
    and one.pattern.startswith("api/v1/")
    and not {(at := one.pattern.removeprefix("api/v1/")), at.split("/")[0]} & WITHOUT.keys()
]


def a_picture() -> SimpleUploadedFile:
    kept = io.BytesIO()
    Image.new("RGB", (64, 48), "navy").save(kept, "PNG")
    return SimpleUploadedFile("face.png", kept.getvalue(), "image/png")


def asked_with(world: World, version: int | None) -> list[tuple[str, Any]]:
    """Ask every one of them with this version, or with none; give the answers."""
    browser = Client()
    browser.force_login(world.people["superuser"])
    answers = []
    for method, one in VERSIONED:
        sent: dict[str, Any] = {**body_of(f"{method} {one.pattern}", world.own)}
        sent.pop("row_version", None)
        if version is not None:
            sent["row_version"] = version
        with undone():
            if one.pattern.removeprefix("api/v1/") in WITH_A_PICTURE and method == "PUT":
                form = encode_multipart(BOUNDARY, sent | {"file": a_picture()})
                answer = browser.generic(method, one.path(world.own), form, content_type=MULTIPART_CONTENT)
            else:
                answer = ask(browser, method, one.path(world.own), sent)
        answers.append((f"{method} {one.pattern} → {answer.status_code} {answer.content[:300]!r}", answer))
    return answers


def test_a_change_that_names_no_version_is_refused(world: World) -> None:
    silent = [
        told
        for told, answer in asked_with(world, None)
        if answer.status_code < 400 or b"row_version" not in answer.content
    ]
    assert not silent, "\n".join(silent)


def test_a_change_of_what_somebody_changed_meanwhile_is_refused(world: World) -> None:
    taken = [
        told
        for told, answer in asked_with(world, 999)
        if not {(answer.status_code, one["code"]) for one in answer.json()["errors"]}
        & {(409, "stale"), (400, "shipped")}  # what ships is never deleted, whatever one read
    ]
    assert not taken, "\n".join(taken)
