"""What people read: states and reasons in their language, labels for ids, sentences for numbers."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import RequestFactory
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.formats import localize

from apps.accounts.models import User
from apps.common.machines import record_event
from apps.common.models import StateEvent
from apps.common.problems import server_error
from apps.nodes.models import Node
from apps.nodes.states import DESIRED, NODE
from apps.productions.states import SHOT
from apps.projects.models import Membership
from apps.renders import cells, words
from apps.renders.models import Attempt, Job
from apps.renders.services.failures import Decision, after_crash, decide
from apps.renders.services.paid import once
from apps.renders.states import ATTEMPT, JOB, AttemptState, JobState
from apps.renders.waiting import wait_sentence
from apps.renders.words import ADVICE, failure_in_words, reason_in_words, state_label
from apps.review.models import Take
from apps.review.states import MEDIA, REVIEW
from apps.workflows.models import WorkflowTemplateVersion
from apps.workflows.services import sync_templates
from farm.contracts import FailureClass
from tests.factories import NodeFactory, UserFactory
from tests.integration.admin.conftest import Browser, Film
from tests.integration.admin.rows import listing, page
from tests.integration.admin.test_forms import form_of

pytestmark = pytest.mark.django_db

EVERY_STATE = [
    (machine.name, state)
    for machine in (JOB, ATTEMPT, MEDIA, REVIEW, NODE, DESIRED, SHOT)
    for state in machine.states
]


def beyond_the_ladder() -> list[tuple[Job, Attempt | None]]:
    """Jobs that ran out of memory with no next rung, for every kind of advice; and an experiment."""
    sync_templates()
    NodeFactory.create(tier_gb=24)
    small = NodeFactory.create(tier_gb=8)
    newest = {version.template.slug: version for version in WorkflowTemplateVersion.objects.all()}

    def job(slug: str, **facts: Any) -> Job:
        return Job(**{"template_version": newest[slug], "tier_gb": 24, "precision": "fp8", **facts})

    return [
        (job("wan22_i2v", need_gb=32.0, width=1280, height=720, frames=81), None),
        (job("wan22_i2v", need_gb=24.0, width=640, height=640, frames=97), None),
        (job("flux_t2i", precision="fp16", need_gb=24.0, width=1024, height=1024, frames=1), None),
        (job("sd15_t2i", need_gb=4.0, width=512, height=512, frames=1), None),
        (job("sd15_t2i", tier_gb=8, pinned_to=small, need_gb=4.0, width=512, height=512, frames=1), None),
        (Job(tier_gb=24), Attempt(tier_gb=16, explores=True)),
    ]


def paid_for() -> Decision:
    """The attempt of a service's job that was lost after it had begun."""
    version = WorkflowTemplateVersion.objects.get(template__slug="kling_i2v")
    begun = Attempt(job=Job(template_version=version), accepted_at=timezone.now())
    again = Decision(to=JobState.READY)
    return once(again, begun, failure_class=FailureClass.INFRASTRUCTURE, end=AttemptState.LOST)


def test_what_the_farm_adds_to_a_failure_is_said_in_the_readers_language(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: set[str] = set()

    def translate(told: str) -> str:
        asked.add(told)
        return f"<{told}>"

    monkeypatch.setattr(words, "now_", translate)
    spent = Job(
        attempts_used=2, attempt_budget=3, crashes=9, free_retries=10**6, failure_class="output_invalid"
    )
    decided = [decide(spent, failure) for failure in FailureClass] + [after_crash(spent)]
    decided += [decide(job, FailureClass.OUT_OF_MEMORY, on=on) for job, on in beyond_the_ladder()]
    decided.append(paid_for())
    given = {decision.advice for decision in decided} - {""}
    for advice in given:
        said = failure_in_words(f"in its own words — really — {advice}")
        assert said.startswith("in its own words — really — <")
        assert said.count(" — <") == advice.count(" — ") + 1
        assert re.findall(r"\d+", said) == re.findall(r"\d+", advice)
    assert asked == set(ADVICE)
    for untouched in ("no dash", "its own — words", "unusable even with empty caches"):
        assert failure_in_words(untouched) == reason_in_words(untouched) == untouched


@pytest.mark.parametrize(("machine", "state"), EVERY_STATE)
def test_every_state_of_every_machine_is_korean_in_korean(machine: str, state: str) -> None:
    with translation.override("ko"):
        label = state_label(machine, state)
    assert any("가" <= letter <= "힣" for letter in label), label


def test_ready_is_another_word_for_a_job_a_file_and_a_shot() -> None:
    with translation.override("ko"):
        assert [state_label(machine, "ready") for machine in ("job", "take_media", "shot")] == [
            "대기",
            "준비됨",
            "준비됨",
        ]


def test_the_verdict_behind_a_shots_status_is_told_in_korean() -> None:
    with translation.override("ko"):
        told = reason_in_words("SQ010_SH0040 keyframe take 5: retake")
    assert told == "SQ010_SH0040 키프레임 테이크 5: 리테이크"


def test_the_reasons_of_events_are_said_in_the_readers_language(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(words, "now_", lambda told: f"<{told}>")
    for reason in (
        "J000001 is done",
        "attempt 2 succeeded late",
        "gpu-1: no word of it for 30 s",
        "gpu-1 lacks vae/a.safetensors, loras/b.safetensors",
        "gpu-1 serves 8 GB, the order needs 24 GB",
    ):
        assert reason_in_words(reason) == f"<{reason}>"
    for own in ("my own shot is done", "the disk lacks room and air"):
        assert reason_in_words(own) == own


def test_a_persons_own_reason_is_left_as_it_was_written() -> None:
    assert reason_in_words("the lantern: retake it") == "the lantern: retake it"


def test_a_verdict_pressed_in_the_admin_is_told_in_korean_in_activity(
    film: Film, as_: Browser, people: dict[str, User]
) -> None:
    film.shot.__class__.objects.filter(pk=film.shot.pk).update(status="review")
    address = reverse("admin:review_take_review", args=[film.take.pk])
    as_("coordinator").post(address, {"to": "retake", "note": "again"})
    User.objects.filter(pk=people["viewer"].pk).update(language="ko")
    shown = as_("viewer").get(listing(StateEvent)).content.decode()
    assert f"테이크 {film.take.number}: 리테이크" in shown


def test_a_date_is_written_alike_in_every_language() -> None:
    made = timezone.now().replace(month=3, day=7, hour=15, minute=4, second=9)
    for language in ("en", "ko"):
        with translation.override(language):
            assert localize(made).endswith("-03-07 15:04:09")


def test_what_a_job_waits_for_is_named_in_the_readers_language(film: Film) -> None:
    film.job.state, film.job.wait_code = JobState.BLOCKED, "depends"
    film.job.wait_params = {"on": "SQ020_SH0060 keyframe take 2"}
    assert wait_sentence(film.job) == "Waits for SQ020_SH0060 keyframe take 2."
    with translation.override("ko"):
        assert "SQ020_SH0060 키프레임 테이크 2" in wait_sentence(film.job)
        film.job.wait_code, film.job.wait_params["state"] = "depends_failed", "failed"
        assert "실패" in wait_sentence(film.job)


def test_what_a_staged_job_does_is_said_in_the_readers_language(film: Film, as_: Browser) -> None:
    Job.objects.filter(pk=film.job.pk).update(state=JobState.RUNNING, doing="staged")
    film.attempt.__class__.objects.filter(pk=film.attempt.pk).update(state="staged")
    film.job.refresh_from_db()
    with translation.override("ko"):
        assert "준비됨" in cells.state_cell(cells.dress([film.job])[0])


def test_a_node_page_says_what_is_staged_once_and_in_the_readers_language(
    film: Film, as_: Browser, people: dict[str, User]
) -> None:
    node: Node = film.rows["node"]
    Job.objects.filter(pk=film.job.pk).update(state=JobState.RUNNING, doing="staged")
    attempts = film.attempt.__class__.objects.filter(pk=film.attempt.pk)
    attempts.update(state="staged", node=node, holds_slot=True)
    User.objects.filter(pk=people["viewer"].pk).update(language="ko")
    shown = as_("viewer").get(page(node)).content.decode()
    assert film.job.code in shown
    assert "준비됨" in shown
    assert ">staged<" not in shown


def test_takes_are_filtered_by_kinds_in_the_readers_language(
    film: Film, as_: Browser, people: dict[str, User]
) -> None:
    User.objects.filter(pk=people["viewer"].pk).update(language="ko")
    page_of = as_("viewer").get
    filters = page_of(listing(Take)).content.decode()
    assert "?kind__exact=keyframe" in filters
    assert "키프레임" in filters.split('id="changelist-filter"')[-1]
    assert page_of(f"{listing(Take)}?kind__exact={film.take.kind}").context["cl"].result_count == 1
    assert page_of(f"{listing(Take)}?kind__exact=slate").context["cl"].result_count == 0


def test_activity_leads_from_a_nodes_event_to_the_node(film: Film, as_: Browser) -> None:
    node: Node = film.rows["node"]
    record_event(NODE, node.pk, from_state="idle", to="busy", actor=node.name)
    shown = as_("viewer").get(listing(StateEvent)).content.decode()
    assert f'href="{page(node)}">{node.name}</a>' in shown


def test_a_nodes_name_keeps_its_case_and_its_silence_is_told_in_seconds(film: Film, as_: Browser) -> None:
    node: Node = film.rows["node"]
    assert "Gpu24" not in as_("viewer").get(page(node)).content.decode()
    Node.objects.filter(pk=node.pk).update(reported_at=timezone.now() - timedelta(minutes=2, seconds=5))
    assert "2:0" in as_("viewer").get(listing(Node)).content.decode()


def test_a_node_page_lists_only_folders_that_hold_a_model(film: Film, as_: Browser) -> None:
    node: Node = film.rows["node"]
    Node.objects.filter(pk=node.pk).update(models_by_folder={"loras": ["snow.safetensors"], "unet_gguf": []})
    shown = as_("viewer").get(page(node)).content.decode()
    assert "snow.safetensors" in shown
    assert "unet_gguf" not in shown


def test_cancelling_a_closed_job_is_answered_with_a_warning(film: Film, as_: Browser) -> None:
    Job.objects.filter(pk=film.job.pk).update(state=JobState.SUCCEEDED)
    answer = as_("coordinator").post(reverse("admin:renders_job_cancel", args=[film.job.pk]), follow=True)
    told = [(message.level_tag, str(message)) for message in answer.context["messages"]]
    assert told == [("warning", f"{film.job.code} was closed already.")]


def test_a_job_page_counts_failures_not_attempts(film: Film, as_: Browser) -> None:
    shown = as_("viewer").get(page(film.job)).content.decode()
    assert "failures counted" in shown
    assert "0 of 3" in shown


def ask(film: Film, as_: Browser, **asked: str) -> Any:
    form = {"shots": str(film.shot.pk), "key": "k", "picture": "sd15_t2i", "takes": "1", "priority": "10"}
    return as_("coordinator").post(reverse("admin:productions_shot_render"), form | asked)


@pytest.mark.usefixtures("templates")
def test_the_render_form_names_its_mistakes_by_their_labels(film: Film, as_: Browser) -> None:
    answer = ask(film, as_, picture_width="3", takes="0")
    assert [label for label, _told in answer.context["mistakes"]] == ["Picture: width (px)", "takes"]
    assert "<td>picture_width</td>" not in answer.content.decode()


@pytest.mark.usefixtures("templates")
def test_a_problem_of_a_step_is_named_by_its_part_of_the_form(film: Film, as_: Browser) -> None:
    form = ask(film, as_, picture="", clip="wan22_i2v").context["form"]
    assert form.name_of("steps[0].models") == "Clip"
    assert form.name_of("steps[0].seed") == "seed"


@pytest.mark.usefixtures("templates")
def test_the_preview_warns_of_what_no_known_node_can_hold(film: Film, as_: Browser) -> None:
    assert ask(film, as_, picture="flux_t2i").context["lines"][0].warning == ""
    Node.objects.update(tier_gb=8)
    answer = ask(film, as_, picture="flux_t2i")
    assert "Needs 16 GB on one GPU; the largest node here has 8 GB." in answer.content.decode()


def test_a_user_added_here_may_sign_in(film: Film, as_: Browser) -> None:
    root = as_("root")
    add = reverse("admin:accounts_user_add")
    assert root.get(add).context["adminform"].form["is_staff"].value() is True
    secret = "lantern-in-the-snow"
    sent = {"username": "gerda", "password1": secret, "password2": secret, "usable_password": "true"}
    assert root.post(add, form_of(root, add) | sent).status_code == 302
    user = User.objects.get(username="gerda")
    Membership.objects.create(user=user, project=film.project, role="artist")
    browser = as_("nobody")
    browser.logout()
    browser.post(reverse("admin:login"), {"username": "gerda", "password": secret})
    assert browser.get(page(film.shot)).status_code == 200


def test_a_member_who_cannot_sign_in_is_named_when_the_project_is_saved(film: Film, as_: Browser) -> None:
    user = UserFactory.create(username="kay", is_staff=False)
    Membership.objects.create(user=user, project=film.project, role="client")
    browser = as_("root")
    answer = browser.post(page(film.project), form_of(browser, page(film.project)), follow=True)
    assert "kay is a member but may not sign in" in answer.content.decode()


def test_a_users_page_shows_their_roles(film: Film, as_: Browser, people: dict[str, User]) -> None:
    shown = as_("root").get(page(people["artist"])).content.decode()
    assert f'href="{page(film.project)}"' in shown


def test_a_users_page_is_saved_as_it_was_shown(film: Film, as_: Browser, people: dict[str, User]) -> None:
    root, address = as_("root"), page(people["artist"])
    assert root.post(address, form_of(root, address) | {"first_name": "Gerda"}).status_code == 302
    assert User.objects.get(pk=people["artist"].pk).first_name == "Gerda"
    assert Membership.objects.filter(user=people["artist"]).count() == 1


def test_what_is_not_there_or_not_allowed_is_told_on_a_page_of_the_farm(film: Film, as_: Browser) -> None:
    missing = as_("viewer").get("/nowhere/", HTTP_ACCEPT_LANGUAGE="ko")
    refused = as_("nobody").get(listing(Job), HTTP_ACCEPT_LANGUAGE="ko")
    assert (missing.status_code, refused.status_code) == (404, 403)
    for answer in (missing, refused):
        assert "팜으로 돌아가기" in answer.content.decode()


def test_a_broken_page_is_told_without_any_context() -> None:
    with translation.override("ko"):
        answer = server_error(RequestFactory().get("/admin/"))
    assert "팜으로 돌아가기" in b"".join(answer).decode()
