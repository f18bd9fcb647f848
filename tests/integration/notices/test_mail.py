"""E-mail: one per digest, in the reader's language, with the link; nothing without a mail server."""

from __future__ import annotations

import smtplib
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.db.models import F
from pytest_django import Settings

from apps.accounts.models import User
from apps.common.clock import database_now
from apps.common.errors import Refused
from apps.notices.kinds import Kind
from apps.notices.models import Delivery, Road, Subscription
from apps.notices.services import subscribing
from apps.notices.services.announcing import MAIL_AGAIN
from apps.notices.services.delivering import due_subscriptions, serve
from apps.projects.models import Project
from apps.renders.states import JobState
from tests.integration.notices.scene import Teller, all_close, batch_of, closes, ends, jobs_of, subscribes

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("mail_works")]


def deliver() -> int:
    """Deliver all that is due."""
    return sum(serve(key) for key in due_subscriptions())


def half_a_minute_passes() -> None:
    """A mail has waited for more of its kind."""
    Delivery.objects.filter(next_try_at__isnull=False).update(
        next_try_at=F("next_try_at") - timedelta(seconds=31)
    )


def test_the_end_of_a_batch_is_mailed_with_its_link(
    coordinator: User, shot: Any, tell: Teller, settings: Settings
) -> None:
    settings.FARM_URL = "https://farm.example"
    subscribes(coordinator, Kind.BATCH_DONE, Kind.BATCH_FAILED, road=Road.EMAIL)
    batch = batch_of(coordinator, shot, jobs=3)
    ends(batch, failed=1)
    tell()
    assert deliver() == 1
    (sent,) = mail.outbox
    assert sent.to == [coordinator.email]
    assert sent.subject == f"[FROST] {batch.code} has ended: 1 of 3 jobs failed."
    assert f"https://farm.example/admin/renders/renderbatch/{batch.pk}/change/" in sent.body
    assert sent.extra_headers["Message-ID"] == f"<{Delivery.objects.get().pk}@shotfarm>"
    assert sent.content_subtype == "plain"


def test_five_hundred_failures_are_one_mail(coordinator: User, shot: Any, tell: Teller) -> None:
    subscribes(coordinator, Kind.JOB_FAILED, road=Road.EMAIL)
    batch = batch_of(coordinator, shot, jobs=501)
    jobs = jobs_of(batch)
    for start in range(0, 500, 100):
        all_close(jobs[start : start + 100], JobState.FAILED)
        tell()
        assert deliver() == 0, "it waits for more of its kind"
    half_a_minute_passes()
    assert deliver() == 1
    (sent,) = mail.outbox
    assert f"500 jobs of {batch.code} failed." in sent.subject
    assert sum(line.startswith("JX") for line in sent.body.splitlines()) == 20
    assert "… and 480 more" in sent.body


def test_the_next_mail_about_a_batch_comes_a_quarter_of_an_hour_later_with_all_that_happened(
    coordinator: User, shot: Any, tell: Teller
) -> None:
    subscribes(coordinator, Kind.JOB_FAILED, road=Road.EMAIL)
    jobs = jobs_of(batch_of(coordinator, shot, jobs=9))
    closes(jobs[0], JobState.FAILED)
    tell()
    half_a_minute_passes()
    deliver()
    for job in jobs[1:8]:
        closes(job, JobState.FAILED)
        tell()
    second = Delivery.objects.get(state="pending")
    first = Delivery.objects.get(state="delivered")
    assert first.settled_at is not None
    assert second.next_try_at == first.settled_at + MAIL_AGAIN
    Delivery.objects.filter(pk=second.pk).update(next_try_at=database_now())
    deliver()
    assert [sent.subject.split("] ")[1].split(" ")[0] for sent in mail.outbox] == [jobs[0].code, "7"]


def test_a_mail_is_in_its_readers_language(coordinator: User, shot: Any, tell: Teller) -> None:
    User.objects.filter(pk=coordinator.pk).update(language="ko")
    subscribes(coordinator, Kind.BATCH_DONE, road=Road.EMAIL)
    batch = batch_of(coordinator, shot, jobs=2)
    ends(batch)
    tell()
    deliver()
    (sent,) = mail.outbox
    assert sent.subject == f"[FROST] {batch.code} 완료: 작업 2개를 렌더링했습니다."
    assert "무엇을 어떻게 알림 받을지" in sent.body


def test_a_shared_channels_mail_goes_to_its_address_in_its_language(
    people: dict[str, User], shot: Any, film: Project, tell: Teller
) -> None:
    subscribing.subscribe(
        user=people["admin"],
        shared=True,
        name="dailies",
        project=film,
        kinds=["batch.done"],
        road=Road.EMAIL,
        address="dailies@studio.example",
        language="ko",
    )
    ends(batch_of(people["artist"], shot, jobs=1))
    tell()
    deliver()
    (sent,) = mail.outbox
    assert sent.to == ["dailies@studio.example"]
    assert "완료" in sent.subject


def test_a_mail_server_that_refuses_is_tried_again(
    coordinator: User, shot: Any, tell: Teller, monkeypatch: pytest.MonkeyPatch
) -> None:
    subscribes(coordinator, Kind.BATCH_DONE, road=Road.EMAIL)
    ends(batch_of(coordinator, shot, jobs=1))
    tell()
    refused = []

    def refuse(_self: Any, messages: Any) -> int:
        refused.append(messages)
        raise smtplib.SMTPServerDisconnected("Connection unexpectedly closed")

    with monkeypatch.context() as patch:
        patch.setattr(EmailBackend, "send_messages", refuse)
        assert deliver() == 1
    assert len(refused) == 1
    delivery = Delivery.objects.get()
    assert delivery.state == "pending"
    assert delivery.reason == "SMTPServerDisconnected: Connection unexpectedly closed"
    half_a_minute_passes()
    Subscription.objects.update(blocked_until=None)
    assert deliver() == 1
    assert len(mail.outbox) == 1
    assert Delivery.objects.get().state == "delivered"


def test_without_a_mail_server_nobody_subscribes_and_nothing_is_sent(
    coordinator: User, shot: Any, tell: Teller, settings: Settings
) -> None:
    subscribes(coordinator, Kind.BATCH_DONE, road=Road.EMAIL)
    settings.MAIL_READY = False
    with pytest.raises(Refused, match="SHOTFARM_SMTP"):
        subscribes(coordinator, Kind.JOB_DONE, road=Road.EMAIL)
    ends(batch_of(coordinator, shot, jobs=1))
    tell()
    deliver()
    assert mail.outbox == []
    assert Delivery.objects.get().reason == "e-mail is not set up here: SHOTFARM_SMTP is not set"


def test_who_has_no_address_is_told_so(coordinator: User) -> None:
    User.objects.filter(pk=coordinator.pk).update(email="")
    coordinator.refresh_from_db()
    with pytest.raises(Refused, match="no e-mail address"):
        subscribes(coordinator, Kind.BATCH_DONE, road=Road.EMAIL)


def test_a_mail_that_names_nothing_says_its_sentence_and_where_to_look(
    coordinator: User, settings: Settings
) -> None:
    settings.FARM_URL = "https://farm.example"
    row = subscribes(coordinator, Kind.JOB_FAILED, road=Road.EMAIL)
    subscribing.ping(row, user=coordinator)
    deliver()
    (sent,) = mail.outbox
    assert sent.body.splitlines()[:3] == [
        "This is a test: notices arrive here.",
        "",
        f"https://farm.example/admin/notices/subscription/{row.pk}/change/",
    ]
