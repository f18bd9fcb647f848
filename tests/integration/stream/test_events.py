"""What changes is told to whoever may see it, at once, in order, and to nobody else."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

import pytest
from django.db import InterfaceError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from knox.models import AuthToken

from apps.accounts.models import User
from apps.common import news
from apps.common.machines import record_event
from apps.common.models import StateEvent
from apps.common.news import News, to_fields
from apps.desk import api
from apps.desk.stream import following, hub
from apps.desk.stream.readers import Reader, Rights, look_again
from apps.desk.stream.subjects import Change, changes_in
from apps.ledger.services.recording import changing
from apps.nodes.states import NODE
from apps.notices.kinds import Kind
from apps.notices.services import subscribing
from apps.productions.models import Shot
from apps.projects.models import Membership, Project
from apps.projects.roles import Role
from apps.renders.models import Job
from apps.renders.services import bus
from apps.renders.states import JOB
from apps.review.states import MEDIA
from tests.broker_fixture import Broker
from tests.factories import JobFactory, NodeFactory, TakeFactory, UserFactory, members_of
from tests.integration.notices.scene import Teller, closes, subscribes
from tests.integration.stream.conftest import Listen
from tests.integration.stream.ears import PATIENCE_S, Event, House

pytestmark = pytest.mark.django_db(transaction=True)


@dataclass(frozen=True)
class Films:
    """Two films; ``people`` are those of the first, by role."""

    own: Job
    other: Job
    people: dict[str, User]

    @property
    def project(self) -> Project:
        return self.own.project


@pytest.fixture
def films(house: House) -> Films:
    own, other = JobFactory.create(), JobFactory.create()
    assert own.project != other.project
    return Films(own, other, members_of(own.project))


def moves(job: Job) -> None:
    """Something happens to a job."""
    record_event(JOB, job.pk, to="ready", actor="the test", reason="a secret reason")


def test_a_member_hears_of_the_own_film_with_keys_and_nothing_else(films: Films, listen: Listen) -> None:
    ear = listen(films.people["coordinator"])
    assert ear.next("hello").data == {"missed": True}
    moves(films.other)
    moves(films.own)
    told = ear.next()
    assert told.data == {
        "kind": "job",
        "project": str(films.project.pk),
        "ids": [str(films.own.pk)],
        "within": [str(films.own.batch_id), str(films.own.shot_id)],
        "many": False,
    }
    assert ear.heard.empty()
    assert b"secret" not in ear.body
    assert ear.headers["content-type"] == "text/event-stream"
    assert ear.headers["x-accel-buffering"] == "no"
    assert "no-store" in ear.headers["cache-control"]
    assert "content-length" not in ear.headers


@pytest.mark.parametrize(
    ("who", "hears"),
    [
        ("viewer", "own"),
        ("artist", "own"),
        ("supervisor", "own"),
        ("coordinator", "own"),
        ("admin", "own"),
        ("client", "nothing"),
        ("outsider", "nothing"),
        ("superuser", "everything"),
    ],
)
def test_each_role_hears_what_it_may_see(films: Films, listen: Listen, who: str, hears: str) -> None:
    others = {"outsider": UserFactory.create(), "superuser": UserFactory.create(is_superuser=True)}
    ear = listen({**films.people, **others}[who])
    ear.next("hello")
    node = NodeFactory.create()
    moves(films.other)
    moves(films.own)
    record_event(NODE, node.pk, to="idle", actor="the test")
    bus.poke()
    news.tell(news.MISSED)  # everybody hears that, after all of it
    *events, _ = ear.until(lambda event: event.name == "hello")
    told = {(event.data["kind"], *event.data["ids"]) for event in events}
    own, other = ("job", str(films.own.pk)), ("job", str(films.other.pk))
    farm = {("node", str(node.pk)), ("farm",)}
    assert told == {"own": {own, *farm}, "nothing": set(), "everything": {own, other, *farm}}[hears]


def test_whoever_has_mail_hears_of_it_and_nobody_else_not_even_a_superuser(
    films: Films, listen: Listen
) -> None:
    mine, root = films.people["coordinator"], UserFactory.create(is_superuser=True)
    row = subscribes(mine, Kind.JOB_FAILED)
    ears = [listen(one) for one in (mine, films.people["artist"], root)]
    for ear in ears:
        ear.next("hello")
    tell = Teller()
    Job.objects.filter(pk=films.own.pk).update(state="running")
    subscribing.ping(row, user=mine)  # something comes
    assert news.all_told(10)
    subscribing.mark_read(None, user=mine)  # and is read
    assert news.all_told(10)
    closes(Job.objects.get(pk=films.own.pk), "failed")
    with transaction.atomic():
        assert tell() >= 1
    news.tell(news.MISSED)
    told = [
        [event.data["ids"] for event in ear.until(lambda one: one.name == "hello") if _is_mail(event)]
        for ear in ears
    ]
    assert len(told[0]) >= 1 and all(ids == [str(mine.pk)] for ids in told[0])
    assert told[1:] == [[], []]


def _is_mail(event: Event) -> bool:
    return event.data.get("kind") == "notice"


def test_nobody_is_refused_in_words(house: House) -> None:
    for headers in ({}, {"Authorization": "Token " + "0" * 64}):
        ear = house.listen(headers)
        assert ear.status.result() == 401
        assert ear.headers["content-type"] == "application/problem+json"
        assert ear.over.wait(10)


def test_a_browser_listens_with_its_session_until_it_signs_out(films: Films, house: House) -> None:
    browser = Client()
    browser.force_login(films.people["artist"])
    ear = house.listen({"Cookie": f"sessionid={browser.cookies['sessionid'].value}"})
    ear.next("hello")
    house.look_again()
    assert not ear.over.is_set()
    browser.logout()
    house.look_again()
    assert ear.over.wait(10)


def test_what_is_rolled_back_is_not_told(films: Films, listen: Listen) -> None:
    ear = listen(films.people["coordinator"])
    ear.next("hello")
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        moves(films.own)
        raise ZeroDivisionError
    take = TakeFactory.create(shot=films.own.shot)
    record_event(MEDIA, take.pk, to="ready", actor="the test")
    assert ear.next().data["kind"] == "take"


def test_a_change_of_planning_is_told_by_the_ledger(films: Films, listen: Listen) -> None:
    ear = listen(films.people["viewer"])
    ear.next("hello")
    shot = films.own.shot
    with changing(Shot, [shot.pk], actor="the test"):
        Shot.objects.filter(pk=shot.pk).update(description="a secret")
    told = ear.next().data
    assert (told["kind"], told["ids"]) == ("shot", [str(shot.pk)])
    assert b"secret" not in ear.body


def test_who_comes_back_hears_what_was_told_meanwhile(films: Films, listen: Listen) -> None:
    first = listen(films.people["coordinator"])
    first.next("hello")
    moves(films.own)
    place = first.next().place
    first.leave()
    job = JobFactory.create(project=films.project)
    moves(job)
    moves(films.other)
    assert news.all_told()
    again = listen(films.people["coordinator"], after=place)
    assert again.next("hello").data == {"missed": False}
    heard: set[str] = set()
    while str(job.pk) not in heard:
        heard |= set(again.next().data["ids"])
    assert str(films.own.pk) not in heard
    assert str(films.other.pk) not in heard


def test_who_was_away_for_too_long_is_told_to_look_at_everything(films: Films, listen: Listen) -> None:
    moves(films.own)
    assert news.all_told()
    for after in ("1-0", "nonsense"):
        ear = listen(films.people["coordinator"], after=after)
        assert ear.next("hello").data == {"missed": True}


def test_a_place_ahead_of_the_farm_makes_nobody_deaf(films: Films, listen: Listen) -> None:
    """A page names the clock of the web side that drew it; Redis counts with its own."""
    moves(films.other)
    assert news.all_told()
    ear = listen(films.people["coordinator"], after=f"{int(time.time() + 3600) * 1000}-0")
    ear.next("hello")
    moves(films.own)
    assert ear.next().data["ids"] == [str(films.own.pk)]


def test_a_stream_is_kept_open_however_often_it_is_woken_for_nothing(
    films: Films, house: House, listen: Listen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "HEARTBEAT_S", 0.5)
    ear = listen(films.people["coordinator"])
    ear.next("hello")
    until = time.monotonic() + PATIENCE_S
    while b": 0.5 s" not in ear.body and time.monotonic() < until:
        house.look_again()  # as every few seconds
    assert b": 0.5 s" in ear.body


def test_whose_rights_cannot_be_read_hears_no_more(
    films: Films, house: House, listen: Listen, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(_readers: object) -> dict[Reader, Rights | None]:
        raise InterfaceError("the connection is closed")

    ear = listen(films.people["coordinator"])
    ear.next("hello")
    monkeypatch.setattr(hub, "look_again", lost)
    house.look_again()
    assert ear.over.wait(10)


def test_news_that_is_gone_before_it_was_read_makes_everybody_look(
    films: Films, listen: Listen, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """This process was slow, and Redis keeps only so many entries."""
    busy, go_on = threading.Event(), threading.Event()

    def slowly(told: list[list[News]]) -> list[list[Change]]:
        busy.set()
        assert go_on.wait(PATIENCE_S)
        return changes_in(told)

    ear = listen(films.people["coordinator"])
    ear.next("hello")
    monkeypatch.setattr(hub, "changes_in", slowly)
    moves(films.other)
    assert busy.wait(PATIENCE_S)
    moves(films.own)
    assert news.all_told(10)
    with broker.client() as client:
        for _ in range(hub.AT_ONCE):
            client.xadd(news.STREAM, to_fields([News("node", "", ())]))
        client.xtrim(news.STREAM, maxlen=hub.AT_ONCE, approximate=False)
    go_on.set()
    assert ear.until(lambda event: event.name == "hello")[-1].data == {"missed": True}
    moves(films.own)
    ear.until(lambda event: event.name == "changed" and event.data["ids"] == [str(films.own.pk)])


def test_what_is_no_news_of_ours_makes_everybody_look(films: Films, listen: Listen, broker: Broker) -> None:
    ear = listen(films.people["coordinator"])
    ear.next("hello")
    with broker.client() as client:
        client.xadd(news.STREAM, {"other": "thing"})
    assert ear.next("hello").data == {"missed": True}
    moves(films.own)
    assert ear.next().data["ids"] == [str(films.own.pk)]


def test_many_of_a_kind_are_not_named_one_by_one(films: Films, listen: Listen) -> None:
    ear = listen(films.people["coordinator"])
    ear.next("hello")
    jobs = JobFactory.create_batch(101, project=films.project, batch=films.own.batch, shot=films.own.shot)
    with transaction.atomic():
        StateEvent.objects.bulk_create(
            StateEvent(machine="job", subject=job.pk, story=job.pk, to_state="ready", actor="the test")
            for job in jobs
        )
    told = ear.next().data
    assert told == {"kind": "job", "project": str(films.project.pk), "ids": [], "within": [], "many": True}


def test_a_stream_ends_with_what_it_was_opened_with(films: Films, house: House, listen: Listen) -> None:
    artist, viewer, coordinator = (films.people[role] for role in ("artist", "viewer", "coordinator"))
    ears = [listen(one) for one in (artist, viewer, coordinator)]
    AuthToken.objects.filter(user=artist).delete()
    User.objects.filter(pk=viewer.pk).update(is_active=False)
    house.look_again()
    assert ears[0].over.wait(10)
    assert ears[1].over.wait(10)
    assert not ears[2].over.is_set()


def test_who_leaves_a_film_hears_no_more_of_it(films: Films, house: House, listen: Listen) -> None:
    person = films.people["coordinator"]
    Membership.objects.create(project=films.other.project, user=person, role=Role.ARTIST)
    ear = listen(person)
    ear.next("hello")
    Membership.objects.filter(project=films.project, user=person).delete()
    house.look_again()
    moves(films.own)
    moves(films.other)
    assert ear.next().data["ids"] == [str(films.other.pk)]


def test_without_redis_everything_is_written_and_pages_are_told_to_look(
    films: Films, listen: Listen, broker: Broker
) -> None:
    ear = listen(films.people["coordinator"])
    ear.next("hello")
    broker.stop()
    ear.until(lambda event: event.name == "away")
    moves(films.own)
    bus.poke()
    assert StateEvent.objects.filter(subject=films.own.pk).count() == 1
    late = listen(films.people["viewer"])
    late.next("away")
    broker.start()
    for one in (ear, late):
        assert one.next("hello").data == {"missed": True}
    moves(films.own)
    ear.until(lambda event: event.name == "changed" and event.data["kind"] == "job")


def test_one_person_has_so_many_streams_and_no_more(
    films: Films, house: House, listen: Listen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "MOST_OF_A_PERSON", 2)
    person = films.people["artist"]
    ears = [listen(person), listen(person)]
    for ear in ears:
        ear.next("hello")
    _row, secret = AuthToken.objects.create(user=person)
    refused = house.listen({"Authorization": f"Token {secret}"})
    assert refused.status.result() == 429
    assert refused.headers["retry-after"] in {"30", "31"}
    ears[0].leave()
    listen(person).next("hello")


def test_of_streams_asked_for_at_once_no_more_are_poured_than_there_are_seats(
    films: Films, listen: Listen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "MOST_OF_A_PERSON", 1)
    monkeypatch.setattr(api, "is_full", lambda _person: False)  # both were asked before either sat down
    person = films.people["artist"]
    listen(person).next("hello")
    late = listen(person)
    assert late.over.wait(PATIENCE_S)
    assert (late.body, late.heard.empty()) == (b"retry: 30000\n\n", True)


def test_open_streams_keep_no_threads_and_rights_are_read_for_all_readers_at_once(
    films: Films, house: House, listen: Listen
) -> None:
    def listeners(count: int) -> None:
        for _ in range(count):
            listen(films.people["artist"]).next("hello")

    def statements() -> int:
        seen: list[str] = []

        def watched() -> None:
            with CaptureQueriesContext(connection) as found:
                look_again(readers)
            seen.extend(query["sql"] for query in found)

        readers = house.readers()
        watched()
        return len(seen)

    listeners(2)
    threads, asked = threading.active_count(), statements()
    listeners(8)
    assert threading.active_count() <= threads + 1
    assert len(house.readers()) == 10
    assert statements() == asked
