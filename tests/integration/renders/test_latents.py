"""A shot that keeps latents of the one it continues goes on from its last ones, where there are any."""

from __future__ import annotations

import struct
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.core.files.storage import default_storage
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.translation import override
from kombu.exceptions import OperationalError
from rest_framework.test import APIClient

from apps.accounts.models import User
from apps.common.errors import Refused
from apps.productions.models import Shot
from apps.projects.models import Project
from apps.projects.roles import Role
from apps.renders.models import Job, JobContinuity, Proof
from apps.renders.services.continuity import make_tail, resolve_missed, selection_changed
from apps.renders.services.control import cancel_jobs
from apps.renders.services.dispatch import dispatch
from apps.renders.services.golden import golden_order, values_of
from apps.renders.services.orders import order_for
from apps.renders.services.parents import write_parents
from apps.renders.services.requeueing import requeue
from apps.renders.services.shot_values import carried
from apps.renders.services.submit import Step, submit
from apps.renders.states import JobState
from apps.renders.waitwords import sentence
from apps.review.models import Artifact, ArtifactRole, Take
from apps.review.services.keeping import sha256_of
from apps.review.services.playlists import create_playlist
from apps.review.services.staling import judge_stage
from apps.review.services.tails import find_tail
from apps.review.states import Media
from apps.workflows.models import WorkflowTemplate
from apps.workflows.services import template_of
from farm import contracts
from farm.celery import app
from farm.latents import latents_header
from tests.broker_fixture import Broker
from tests.factories import (
    ArtifactFactory,
    JobFactory,
    MembershipFactory,
    NodeFactory,
    ShotFactory,
    TakeFactory,
)
from tests.integration.renders.hand import Hand
from tests.integration.renders.scene import again
from tests.integration.renders.test_chains import attempt_at
from workflows.conforming import Conform, Length

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("templates", "cutting")]

SVI = Step(template="wan_svi", width=832, height=480)
FRAMES, SLOTS, CHANNELS = 17, 5, 16
PLANE = 2 * 3


@pytest.fixture
def cutting(monkeypatch: pytest.MonkeyPatch, artifact_root: Path) -> list[str]:
    """The media worker cuts at once what it is asked for; the list says what that was."""
    asked: list[str] = []

    def send_task(name: str, args: list[Any], **options: Any) -> Any:
        if name != contracts.TAIL:
            return as_ever(name, args=args, **options)
        asked.append(f"{args[1]} {args[2]}")
        return make_tail(UUID(args[0]), *args[1:])

    as_ever = app.send_task
    monkeypatch.setattr("apps.renders.services.continuity.app.send_task", send_task)
    return asked


@pytest.fixture
def before(film: Project) -> Shot:
    """SQ010_SH0010, which is continued."""
    shot: Shot = ShotFactory.create(sequence=film.sequences.get(), code="SH0010")
    return shot


@pytest.fixture
def shot(before: Shot) -> Shot:
    """SQ010_SH0020, which continues it and keeps latents; it has the chain's first frame."""
    made: Shot = ShotFactory.create(
        sequence=before.sequence, code="SH0020", continuity_from=before, continuity_keep="latents"
    )
    ArtifactFactory.create(take=TakeFactory.create(shot=made, media_state=Media.READY))
    return made


Make = Callable[..., Take]


@pytest.fixture
def clip(before: Shot, tmp_path: Path) -> Make:
    """Make a selected clip of the shot before: 17 frames, of which the cut shows ten, from the third on."""

    def make(*, latents: bool = True, shown: int = 10, template: str = "wan_svi", width: int = 832) -> Take:
        Take.objects.filter(shot=before).update(selected=False, selected_at=None)
        version = WorkflowTemplate.objects.get(slug=template).current
        job = JobFactory.create(shot=before, kind="clip", template_version=version, state=JobState.SUCCEEDED)
        take: Take = TakeFactory.create(
            shot=before,
            kind="clip",
            job_id=job.pk,
            length=Conform(Length(shown, Fraction(16), 2, 4), FRAMES, Fraction(16)).as_json(),
            media_state=Media.READY,
            selected=True,
            selected_at=timezone.now(),
        )
        facts = {"take": take, "width": width, "height": 480, "frames": FRAMES}
        ArtifactFactory.create(key=f"attempts/{take.pk}/c.mp4", kind="video", fps=16.0, **facts)
        if latents:
            path = tmp_path / "whole.latent"
            path.write_bytes(whole())
            told = {"bytes": path.stat().st_size, "sha256": sha256_of(path), "kind": "latent"}
            told["media_type"] = "application/octet-stream"
            key = f"attempts/{take.pk}/c.latent"
            ArtifactFactory.create(key=key, role=ArtifactRole.LATENT, **told, **facts)
            with path.open("rb") as file:
                default_storage.save(key, file)
        return take

    return make


def plane(channel: int, slot: int) -> bytes:
    return struct.pack("<f", channel * 10 + slot) * PLANE


def whole() -> bytes:
    planes = [plane(channel, slot) for channel in range(CHANNELS) for slot in range(SLOTS)]
    head = latents_header("F32", (1, CHANNELS, SLOTS, 2, 3), metadata={"prompt": "a secret"})
    return head + b"".join(planes)


def press(shot: Shot, user: User, step: Step = SVI, key: str = "k") -> Job:
    batch = submit(user=user, project=shot.project, shots=[shot], steps=[step], idempotency_key=key).batch
    job: Job = batch.jobs.latest("code")
    return job


def says(job: Job) -> str:
    now = again(job)
    return sentence(now.wait_code, now.wait_params)


def stored(artifact: Artifact) -> bytes:
    with default_storage.open(artifact.key) as file:
        return bytes(file.read())


def refusal(shot: Shot, user: User, step: Step = SVI, key: str = "k") -> tuple[str, str]:
    with pytest.raises(Refused) as refused:
        press(shot, user, step, key)
    [problem] = refused.value.problems
    return problem.field, str(problem.message)


def test_it_waits_for_the_selected_clip_and_goes_on_from_the_latents_that_hold_its_last_frame(
    shot: Shot, before: Shot, coordinator: User, clip: Make, cutting: list[str]
) -> None:
    job = press(shot, coordinator)
    assert (job.state, says(job)) == (JobState.BLOCKED, "Waits for the selected take of SQ010_SH0010.")
    take = clip()
    selection_changed(before.pk)
    job = again(job)
    assert (job.state, cutting) == (JobState.READY, ["latent 1"])
    tail = Artifact.objects.get(pk=job.values["latent"])
    assert (tail.take, tail.role, tail.kind) == (take, ArtifactRole.TAIL, "latent")
    content = stored(tail)
    # frame 11 is the last that is shown: latent frame 3 holds frames 9 to 12
    assert content.endswith(b"".join(plane(channel, 3) for channel in range(CHANNELS)))
    assert len(content) == len(latents_header("F32", (1, CHANNELS, 1, 2, 3))) + CHANNELS * PLANE * 4
    assert b"secret" not in content
    assert (tail.frames, job.length["skip"], job.length["trim"]["in"]) == (3, 4, 4)
    sent = {one.node: one for one in order_for(attempt_at(job)).inputs}
    assert (sent["31"].key, sent["31"].sha256) == (tail.key, tail.sha256)


@pytest.mark.parametrize(("shown", "slot", "skip"), [(7, 2, 5), (8, 3, 2), (10, 3, 4), (11, 3, 5)])
def test_what_the_last_latent_frame_holds_behind_the_cut_is_shown_by_the_next_shot(
    shot: Shot, before: Shot, coordinator: User, clip: Make, shown: int, slot: int, skip: int
) -> None:
    clip(shown=shown)
    job = press(shot, coordinator)
    selection_changed(before.pk)
    job = again(job)
    tail = Artifact.objects.get(pk=job.values["latent"])
    assert stored(tail).endswith(plane(CHANNELS - 1, slot))
    assert job.length["skip"] == skip
    assert job.length["missing"] == 0


def test_what_is_made_of_the_clip_leaves_out_the_same_frames(
    shot: Shot, before: Shot, coordinator: User, clip: Make
) -> None:
    steps = [SVI, Step(template="rife_interpolate"), Step(template="esrgan_upscale")]
    submit(user=coordinator, project=shot.project, shots=[shot], steps=steps, idempotency_key="k")
    jobs = Job.objects.filter(shot=shot).order_by("code")
    assert [job.length["skip"] for job in jobs] == [5, 10, 10]
    clip(shown=8)
    selection_changed(before.pk)
    assert [job.length["skip"] for job in jobs.all()] == [2, 4, 4]
    assert [job.length["trim"]["in"] for job in jobs.all()] == [2, 4, 4]


def test_what_was_cut_before_is_cut_once_and_lets_it_start_at_once(
    shot: Shot, coordinator: User, clip: Make, cutting: list[str]
) -> None:
    take = clip()
    make_tail(take.pk, "latent", 1)
    job = press(shot, coordinator)
    assert (job.state, job.length["skip"], cutting) == (JobState.READY, 4, [])
    assert JobContinuity.objects.get(job=job).take == take
    make_tail(take.pk, "latent", 1)
    assert Artifact.objects.filter(role=ArtifactRole.TAIL).count() == 1


def test_a_shot_that_keeps_frames_gets_frames_of_the_same_clip(
    shot: Shot, coordinator: User, clip: Make, cutting: list[str]
) -> None:
    Shot.objects.filter(pk=shot.pk).update(continuity_keep="frames")
    clip()
    press(Shot.objects.get(pk=shot.pk), coordinator)
    resolve_missed()
    assert cutting[0] == "video 5"


def test_a_template_that_takes_no_latents_is_refused_and_those_that_do_are_named(
    shot: Shot, coordinator: User
) -> None:
    field, told = refusal(shot, coordinator, Step(template="wan22_i2v", frames=17))
    assert field == "steps[0].SQ010_SH0020.continuity_keep"
    assert "wan22_i2v takes none; render it with one that does (wan_svi), or let the shot keep frames" in told


def test_many_that_are_refused_take_as_many_queries_as_one(
    shot: Shot, before: Shot, coordinator: User, clip: Make
) -> None:
    clip(latents=False)
    shots = [shot, *(kept_behind(before) for _number in range(4))]

    def asked(some: list[Shot], template: str) -> int:
        with CaptureQueriesContext(connection) as queries, pytest.raises(Refused) as refused:
            step = Step(template=template, width=832, height=480)
            submit(user=coordinator, project=shot.project, shots=some, steps=[step], idempotency_key="k")
        assert len(refused.value.problems) == len(some)
        return len(queries)

    for template in ("wan_svi", "wan22_i2v"):
        asked(shots, template)  # templates are read once in a process
        assert asked(shots, template) == asked([shot], template)


def kept_behind(before: Shot) -> Shot:
    made: Shot = ShotFactory.create(
        sequence=before.sequence, continuity_from=before, continuity_keep="latents"
    )
    ArtifactFactory.create(take=TakeFactory.create(shot=made, media_state=Media.READY))
    return made


def test_a_keyframe_continues_nothing_whatever_is_kept(shot: Shot, coordinator: User) -> None:
    assert press(shot, coordinator, Step(template="sd15_t2i")).state == JobState.READY


def test_a_selected_clip_without_latents_is_refused_and_what_to_do_is_said(
    shot: Shot, coordinator: User, clip: Make
) -> None:
    clip(latents=False)
    _field, told = refusal(shot, coordinator)
    assert "it continues SQ010_SH0010 clip take" in told
    assert "it keeps no latents; render it with a template that does (wan_svi) and select that take" in told


def test_one_without_latents_that_is_selected_later_is_said_and_the_next_one_lets_it_go_on(
    shot: Shot, before: Shot, coordinator: User, clip: Make
) -> None:
    job = press(shot, coordinator)
    clip(latents=False)
    selection_changed(before.pk)
    assert again(job).state == JobState.BLOCKED
    assert "The end of the selected take of SQ010_SH0010 cannot be cut: it keeps no latents;" in says(job)
    take = clip()
    selection_changed(before.pk)
    assert (again(job).state, says(job)) == (JobState.READY, "")
    assert JobContinuity.objects.get(job=job).take == take


def test_latents_of_another_size_are_refused_before_and_said_after(
    shot: Shot, before: Shot, coordinator: User, clip: Make
) -> None:
    waiting = press(shot, coordinator)
    clip(width=640)
    field, told = refusal(shot, coordinator, key="again")
    assert (field, "640 × 480 and this one is of 832 × 480" in told) == ("SQ010_SH0020.latent", True)
    selection_changed(before.pk)
    assert "of a clip of 640 × 480" in says(waiting)


def test_latents_of_another_model_are_refused(shot: Shot, coordinator: User, clip: Make) -> None:
    clip(template="wan22_i2v")
    _field, told = refusal(shot, coordinator)
    assert "its latents are of ? and wan_svi takes those of wan21" in told


def test_latents_that_changed_or_are_gone_are_said(
    shot: Shot, before: Shot, coordinator: User, clip: Make
) -> None:
    take = clip()
    key = f"attempts/{take.pk}/c.latent"
    with default_storage.open(key, "r+b") as file:
        file.seek(-1, 2)
        file.write(b"\x7f")
    job = press(shot, coordinator)
    selection_changed(before.pk)
    assert "its latents were changed since they were rendered" in says(job)
    default_storage.delete(key)
    make_tail(take.pk, "latent", 1)
    assert "its file is not in the artifact store" in says(job)


def test_a_clip_of_which_too_little_is_shown_is_said(
    shot: Shot, before: Shot, coordinator: User, clip: Make
) -> None:
    take = clip()
    Take.objects.filter(pk=take.pk).update(
        length=Conform(Length(1, Fraction(16)), FRAMES, Fraction(16)).as_json()
    )
    job = press(shot, coordinator)
    selection_changed(before.pk)
    assert "it shows too few frames for 1 latent frames; let this shot keep frames" in says(job)


def test_requeued_after_another_selection_it_goes_on_from_that_ones_latents(
    shot: Shot, before: Shot, coordinator: User, clip: Make
) -> None:
    clip()
    job = press(shot, coordinator)
    selection_changed(before.pk)
    assert again(job).length["skip"] == 4
    cancel_jobs(Job.objects.filter(pk=job.pk), user=coordinator)
    other = clip(shown=11)
    requeue(again(job), user=coordinator)
    selection_changed(before.pk)
    assert (again(job).state, again(job).length["skip"]) == (JobState.READY, 5)
    assert JobContinuity.objects.get(job=job).take == other


def test_there_is_room_for_whatever_take_it_goes_on_from_in_the_end(
    shot: Shot, before: Shot, coordinator: User, clip: Make
) -> None:
    Shot.objects.filter(pk=shot.pk).update(frames=40, handles=0)  # 27 at 16 fps; two more are 8n+5
    make_tail(clip(shown=8).pk, "latent", 1)
    job = press(Shot.objects.get(pk=shot.pk), coordinator)
    assert (job.length["skip"], job.frames) == (2, 37)
    cancel_jobs(Job.objects.filter(pk=job.pk), user=coordinator)
    clip(shown=11)
    requeue(again(job), user=coordinator)
    selection_changed(before.pk)
    assert (again(job).length["skip"], again(job).length["missing"]) == (5, 0)


def test_nobody_names_a_file_for_latents(shot: Shot, coordinator: User, clip: Make) -> None:
    take = clip()
    make_tail(take.pk, "latent", 1)
    picture = Artifact.objects.get(take__shot=shot)
    for file in (picture, find_tail(take, "latent", 1)):
        assert file is not None
        step = Step(template="wan_svi", files={"latent": file.pk})
        assert refusal(shot, coordinator, step)[0] == "steps[0].files.latent"


def test_what_is_foreseen_of_a_template_counts_one_clip_that_is_continued(film: Project) -> None:
    version = WorkflowTemplate.objects.get(slug="wan_svi").current
    assert version is not None
    manifest = template_of(version).manifest
    assert carried(manifest, dict.fromkeys(manifest.file_roles))[1:] == (5, 5)


def test_rendered_together_at_another_size_the_second_waits_for_the_firsts_new_take(
    shot: Shot, before: Shot, coordinator: User, clip: Make
) -> None:
    make_tail(clip(width=640).pk, "latent", 1)
    ArtifactFactory.create(take=TakeFactory.create(shot=before, media_state=Media.READY))
    submit(user=coordinator, project=shot.project, shots=[before, shot], steps=[SVI], idempotency_key="k")
    job = Job.objects.get(shot=shot)
    assert (job.state, JobContinuity.objects.get(job=job).take) == (JobState.BLOCKED, None)
    resolve_missed()
    assert "of a clip of 640 × 480" in says(job)
    clip()
    selection_changed(before.pk)
    assert again(job).state == JobState.READY


def test_what_is_wrong_with_a_take_is_written_in_the_farms_language(
    shot: Shot, before: Shot, coordinator: User, clip: Make
) -> None:
    job = press(shot, coordinator)
    clip(latents=False)
    with override("ko"):
        selection_changed(before.pk)
    assert "it keeps no latents; render it with" in says(job)


def test_what_was_wrong_with_one_take_is_not_said_of_the_next(
    shot: Shot, before: Shot, coordinator: User, clip: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = press(shot, coordinator)
    clip(latents=False)
    selection_changed(before.pk)
    good = clip()
    with monkeypatch.context() as patched:
        patched.setattr("apps.renders.services.continuity.app.send_task", unreachable)
        selection_changed(before.pk)
    assert says(job) == "Waits until the end of the selected take of SQ010_SH0010 is cut."
    assert resolve_missed() == 0, "it asks for the cut"
    assert (again(job).state, JobContinuity.objects.get(job=job).take) == (JobState.READY, good)


def test_a_cut_that_fails_after_another_take_was_selected_says_nothing(
    shot: Shot, before: Shot, coordinator: User, clip: Make
) -> None:
    job = press(shot, coordinator)
    bad = clip()
    default_storage.delete(f"attempts/{bad.pk}/c.latent")
    clip()
    make_tail(bad.pk, "latent", 1)
    assert JobContinuity.objects.get(job=job).problem == ""


def unreachable(*_args: Any, **_options: Any) -> None:
    raise OperationalError("the broker is away")


def test_a_take_made_so_is_stale_when_the_selection_changes(
    shot: Shot, before: Shot, coordinator: User, clip: Make
) -> None:
    take = clip()
    job = press(shot, coordinator)
    selection_changed(before.pk)
    child = TakeFactory.create(
        shot=shot, kind="clip", job_id=job.pk, selected=True, selected_at=timezone.now()
    )
    write_parents([child])
    assert child.parents.get(role="latent").parent == take
    clip()
    judge_stage(before.pk, "clip")
    child.refresh_from_db()
    assert child.stale_since is not None


def test_orders_of_jobs_and_golden_renders_say_what_latents_must_be(shot: Shot, coordinator: User) -> None:
    job = press(shot, coordinator, Step(template="wan_svi", width=832, height=480, frames=29))
    latents = order_for(attempt_at(job)).outputs[1]
    assert (latents.kind, latents.width, latents.height, latents.frames) == ("latent", 832, 480, 29)
    assert latents.form == contracts.LatentForm(channels=16, stride=4, scale=8)


def test_the_api_tells_which_templates_take_latents_and_what_a_chain_keeps(
    shot: Shot, coordinator: User, clip: Make
) -> None:
    clip()
    client = APIClient()
    client.force_authenticate(coordinator)
    told = client.get("/api/v1/templates/wan_svi").json()["needs"]
    assert (told["saves_latents"], told["takes_latents"]) == (True, True)
    assert not client.get("/api/v1/templates/wan22_i2v").json()["needs"]["takes_latents"]
    first, second = client.get(f"/api/v1/shots/{shot.pk}/chain").json()
    assert (first["keeps"], first["has_latents"]) == ("", True)
    assert (second["keeps"], second["has_latents"]) == ("latents", False)


def test_members_download_latents_and_clients_do_not(film: Project, clip: Make, coordinator: User) -> None:
    take = clip()
    create_playlist(project=film, user=coordinator, name="Monday", takes=[take], for_clients=True)
    client = MembershipFactory.create(project=film, role=Role.CLIENT).user
    kept = take.artifacts.get(role=ArtifactRole.LATENT)
    address = f"/api/v1/artifacts/{kept.pk}/file"
    answers = []
    for person in (coordinator, client):
        browser = APIClient()
        browser.force_authenticate(person)
        answers.append(browser.get(address))
    assert [answer.status_code for answer in answers] == [200, 404]
    assert answers[0]["Content-Disposition"].startswith("attachment")
    answers[0].close()


def test_a_worker_that_does_not_know_latents_is_given_none(
    bus: Broker, shot: Shot, coordinator: User, clip: Make
) -> None:
    clip()
    press(shot, coordinator)
    resolve_missed()
    older = Hand("old", tier_gb=48, broker=bus).arrives()
    older.reports(hears=tuple(word for word in contracts.IN_ORDERS if word != contracts.LATENTS))
    assert dispatch() == 0
    older.reports(hears=contracts.IN_ORDERS)
    assert dispatch() == 1
    assert older.claimed().says == {contracts.LATENTS}


def test_a_golden_render_saves_latents_too(film: Project) -> None:
    version = WorkflowTemplate.objects.get(slug="wan_svi").current
    assert version is not None
    node = NodeFactory.create()
    values = values_of(template_of(version))
    proof = Proof(version=version, node=node, values=values, precision="fp8", token="t")
    clip, latents = golden_order(proof).outputs
    assert (latents.kind, latents.frames, latents.form is not None) == ("latent", clip.frames, True)
